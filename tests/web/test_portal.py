"""Pages for customers: who gets in, that nobody sees another's, and what a payment becomes."""

import re
from html import unescape
from pathlib import Path

import httpx2
import pytest

from comptoir.domains.credits.statement import SHOWN
from comptoir.ledger.model import Kind
from comptoir.web.pages.forms import own_page
from comptoir.web.portal import pages
from comptoir.web.portal.texts import TEXTS
from tests.support.counter import NOWHERE
from tests.support.sandbox import Provider
from tests.support.site import Site, fresh
from tests.support.visitors import Customer, link, pay, token

pytestmark = pytest.mark.pg
FOLDER = Path(pages.__file__).parent / "templates"
EVIL = "<img src=x onerror=alert(1)>"
PAGES = ("/portal", "/portal/history", "/portal/plan")


@pytest.fixture(scope="module")
def site(market: Site) -> Site:
    return market


# Forms


def test_a_form_needs_all_that_shows_it_is_ours(site: Site, ada: Customer, bob: Customer) -> None:
    ada.enter(site.rich())
    bob.enter(site.rich())
    form = ada.form() | {"pack": "100"}
    for path in ("/portal/buy", "/portal/subscription", "/portal/look", "/portal/sign-out"):
        for change in ({"csrf": ""}, {"csrf": "0" * 64}, {"csrf": bob.form()["csrf"]}):
            assert ada.send(path, form | change).status_code == 403, (path, change)
        for headers in (
            {"Origin": "http://evil.example"}, {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
            {"Origin": "", "Sec-Fetch-Site": ""},
            {"Origin": f"{site.url}.evil.example", "Sec-Fetch-Site": ""},
        ):  # fmt: skip
            assert ada.send(path, form, **headers).status_code == 403, (path, headers)
    before = site.sql("SELECT count(*) FROM comptoir.purchases")
    changes: tuple[dict[str, str], ...] = ({"key": ""}, {"key": "x"}, {"pack": ""}, {"pack": "\n"})
    for change in changes:
        assert ada.send("/portal/buy", form | change).status_code == 422, change
    assert ada.send("/portal/buy", form | {"pack": "none"}).status_code == 404
    with httpx2.Client() as http:
        assert Customer(site, http).send("/portal/buy", form).status_code == 401
    assert site.sql("SELECT count(*) FROM comptoir.purchases") == before


def test_what_every_page_says_to_the_browser(site: Site, ada: Customer, bob: Customer) -> None:
    ada.enter(site.rich())
    shown = [ada.get(path) for path in (*PAGES, "/portal/history?format=csv", "/return")]
    shown += [bob.get("/portal"), bob.get(link(site, site.rich())), ada.send("/portal/buy", {})]
    for page in shown:
        [policy] = page.headers.get_list("content-security-policy")
        for part in ("default-src 'none'", "frame-ancestors 'none'", "script-src 'self'",
                     "base-uri 'none'", "form-action 'self'"):  # fmt: skip
            assert part in policy
        assert "unsafe" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] in {"strict-origin", "same-origin"}
        assert "http://" not in page.text.replace("http://shop.test", "")


def test_forms_lead_to_the_provider_and_nowhere_else(
    site: Site, ada: Customer, stripe_here: Provider
) -> None:
    ada.enter(site.rich())
    policy = ada.get("/portal").headers["content-security-policy"]
    assert f"form-action 'self' {stripe_here.base};" in policy
    settings = site.app.settings
    changed = settings.model_copy(update={"stripe_api_base": None})
    object.__setattr__(site.app, "settings", changed)
    try:
        policy = ada.get("/portal").headers["content-security-policy"]
        wanted = "form-action 'self' https://checkout.stripe.com https://billing.stripe.com;"
        assert wanted in policy
        # A page on a domain that no policy names is a link, which a browser does follow.
        page = ada.send("/portal/buy", ada.form() | {"pack": "100"})
        assert page.status_code == 200
        assert f'href="{stripe_here.base}/pay/' in page.text
    finally:
        object.__setattr__(site.app, "settings", settings)


@pytest.mark.parametrize(
    "said",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/portal//evil.example",
     "/portalx", "javascript:alert(1)", "/dashboard", "/portal\n", "", "/portal\\x"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(site: Site, ada: Customer, said: str) -> None:
    assert own_page("/portal", said) == "/portal"
    ada.enter(site.rich())
    done = ada.send("/portal/look", ada.form() | {"next": said, "language": "fr"})
    assert done.headers["location"] == "/portal"
    form = ada.form() | {"pack": "100", "success_url": said, "cancel_url": said}
    address = ada.send("/portal/buy", form).headers["location"]
    back = pay(address)
    assert back.startswith("/return?purchase=")


def test_language_time_zone_and_theme(site: Site, ada: Customer) -> None:
    customer = site.rich()
    ada.enter(customer)
    assert '<html lang="en"' in ada.get("/portal").text
    assert '<html lang="fr"' in ada.get("/portal", **{"Accept-Language": "fr"}).text
    body = {"locale": "fr-FR", "time_zone": "Asia/Tokyo", "name": "Ada"}
    assert site.call("PUT", f"/api/customers/{customer}", body).status_code == 200
    page = ada.get("/portal", **{"Accept-Language": "en"}).text
    assert '<html lang="fr" data-theme="auto">' in page
    assert "Compte de Ada" in page
    assert "Asia/Tokyo" in page
    ada.send("/portal/look", ada.form() | {"language": "en", "theme": "dark"})
    ada.send("/portal/look", ada.form() | {"language": "de", "theme": "x;y"})
    assert '<html lang="en" data-theme="dark">' in ada.get("/portal").text


def test_every_text_is_said_in_both_languages() -> None:
    used = {
        key
        for path in FOLDER.glob("*.html")
        for key in re.findall(r"\bt\('([a-z.-]+)'[,)]", path.read_text())
    }
    assert used <= TEXTS.keys()
    for key, (english, french) in TEXTS.items():
        assert english, key
        assert french, key
        names = [set(re.findall(r"\{(\w+)\}", text)) for text in (english, french)]
        assert names[0] == names[1], key
    for kind in Kind:
        assert kind is Kind.TRANSFER or f"kind.{kind}" in TEXTS


def test_templates_have_nothing_inline() -> None:
    for path in FOLDER.glob("*.html"):
        text = path.read_text()
        for word in ("|safe", "| safe", " style=", "<style", "javascript:", "autoescape false"):
            assert word not in text, (path.name, word)
        assert not re.search(r"\son[a-z]+=", text), path.name
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path.name


# What is shown


def test_the_first_page(site: Site, ada: Customer) -> None:
    customer = site.rich("100")
    soon = "2099-05-03T10:00:00Z"
    site.grant(customer, "40", expires_at=soon)
    held = {"customer": customer, "amount": "12.5", "ttl_seconds": 600, "reason": "render"}
    assert site.post("/api/credits/holds", held).status_code == 201
    site.grant(customer, "5", asset="tokens")
    page = unescape(ada.enter(customer).get("/portal").text)
    for words in ("127.5 credits", "12.5 credits on hold", "40 credits expire on 3 May 2099",
                  "5 tokens", "19.00 EUR", "79.00 EUR", "139.00 EUR", "0.139 EUR a credit",
                  "Continue to payment", "Put on hold: 12.5 credits", "render"):  # fmt: skip
        assert words in page, words
    assert page.count("Best value") == 1
    assert page.index("1,000 credits") < page.index("Best value")
    assert "subscription" not in page
    spent = {"customer": customer, "amount": "110"}
    assert site.post("/api/credits/spend", spent).status_code == 200
    assert "Running low" in ada.get("/portal").text


def test_whoever_has_nothing_can_buy(site: Site, ada: Customer) -> None:
    page = ada.enter(fresh("new")).get("/portal").text
    assert "0 credits" in page
    assert "Continue to payment" in page
    assert "Nothing yet" in page
    assert "Nothing yet" in ada.get("/portal/history").text


def told(page: str) -> list[str]:
    return [unescape(each).split("<")[0] for each in re.findall(r'class="text">(.*?)</td>', page)]


def test_a_hold_is_told_from_its_beginning_to_its_end(site: Site, ada: Customer) -> None:
    customer = site.rich("100", reason="Welcome")
    ids: list[str] = []
    for amount in ("8", "3"):
        body = {"customer": customer, "amount": amount, "ttl_seconds": 600, "reason": "render"}
        ids.append(site.post("/api/credits/holds", body).json()["hold"]["id"])
    done = site.post(f"/api/credits/holds/{ids[0]}/capture", {"amount": "5"})
    assert done.status_code == 200
    assert site.post(f"/api/credits/holds/{ids[1]}/release", {}).status_code == 200
    other = site.rich("1")
    body = {"from": customer, "to": other, "amount": "2"}
    assert site.post("/api/ledger/transfer", body).status_code == 200
    page = ada.enter(customer).get("/portal/history").text
    assert told(page) == [
        "Sent to another account", "Given back: 3 credits were on hold",
        "Used of 8 credits on hold, 3 credits given back", "Put on hold: 3 credits",
        "Put on hold: 8 credits", "Given to you",
    ]  # fmt: skip
    assert other not in page
    assert page.count("render") == 4
    assert told(ada.get("/portal/history?show=used").text) == [
        "Used of 8 credits on hold, 3 credits given back"
    ]
    assert len(told(ada.get("/portal/history?show=held").text)) == 4
    assert told(ada.get("/portal/history?show=added").text) == ["Given to you"]
    assert len(told(ada.get(f"/portal/history?show={EVIL}&asset=stock").text)) == 6


def test_history_by_pages_and_as_a_file(site: Site, ada: Customer) -> None:
    customer = site.rich("1000", reason="=1+1")
    one = {"op": "spend", "customer": customer, "amount": "1"}
    batch = [one | {"idempotency_key": fresh("k")} for _ in range(120)]
    assert site.post("/api/ledger/batch", {"requests": batch}).status_code == 200
    ada.enter(customer)
    path, seen = "/portal/history", 0
    for expected in (50, 50, 21):
        page = ada.get(path).text
        assert len(told(page)) == expected
        seen += expected
        found = re.findall(r'href="([^"]+)" rel="next"', page)
        path = unescape(found[0]) if found else ""
    assert (seen, path) == (121, "")
    lines = ada.get("/portal/history?format=csv").text.splitlines()
    assert len(lines) == 122
    assert "'=1+1" in lines[-1]
    assert told(ada.get("/portal/history?show=added").text) == ["Given to you"]


def test_a_filter_looks_at_so_many_at_a_time(site: Site, ada: Customer) -> None:
    customer = site.rich("2000", reason="first")
    for _ in range(2):
        one = {"op": "spend", "customer": customer, "amount": "1"}
        batch = [one | {"idempotency_key": fresh("k")} for _ in range(550)]
        assert site.post("/api/ledger/batch", {"requests": batch}).status_code == 200
    page = ada.enter(customer).get("/portal/history?show=added").text
    assert told(page) == []
    assert "older ones may be" in page
    following = unescape(re.findall(r'href="([^"]+)" rel="next"', page)[0])
    assert told(ada.get(following).text) == ["Given to you"]
    assert set(SHOWN) == {"all", "added", "used", "held"}


def test_plan_and_quotas(site: Site, ada: Customer) -> None:
    customer = site.rich()
    site.call("PUT", f"/api/customers/{customer}", {"time_zone": "Europe/Paris"})
    kept = site.post("/api/quotas/ai-calls/reserve", {"customer": customer, "quantity": 3}).json()
    done = site.post(f"/api/quotas/reservations/{kept['id']}/commit") if "id" in kept else None
    page = ada.enter(customer).get("/portal/plan").text
    assert "free" in page
    assert "of 10 used" in page, done
    assert ", 00:00" in page
    assert "You pay no subscription" in page
    refused = ada.send("/portal/subscription", ada.form())
    assert refused.status_code == 404
    assert "text/html" in refused.headers["content-type"]


def test_the_subscription_is_changed_at_the_provider(
    site: Site, ada: Customer, stripe_here: Provider
) -> None:
    customer = site.rich()
    number = token(site, customer).split(".")[1]
    made = stripe_here.v1.customers.create({"email": "ada@shop.test"})
    site.sql(
        "INSERT INTO comptoir.provider_customers (book_id, livemode, customer_id, provider_id)"
        " VALUES (1, false, %s, %s)", number, made.id,
    )  # fmt: skip
    site.sql(
        "INSERT INTO comptoir.subscriptions (book_id, provider_id, customer_id, livemode, plan,"
        " period, price, status, starts_at, ends_at, told_at,"
        " created_at)"
        " VALUES (1, %s, %s, false, 'pro', 'month', 'price_1', 'active', now(),"
        " '2099-02-01', now(), now())", fresh("sub_"), number,
    )  # fmt: skip
    ada.enter(customer)
    page = ada.get("/portal/plan").text
    assert "Renews on 1 February 2099" in page
    done = ada.send("/portal/subscription", ada.form())
    assert done.status_code == 303
    assert done.headers["location"].startswith(f"{stripe_here.base}/portal/")


def test_nobodys_text_is_markup(site: Site, ada: Customer) -> None:
    customer = EVIL + fresh("c")
    site.grant(customer, "100", reason=EVIL, reference=EVIL)
    held = {"customer": customer, "amount": "4", "ttl_seconds": 600, "reason": EVIL}
    assert site.post("/api/credits/holds", held).status_code == 201
    site.sql(
        "UPDATE comptoir.customers SET name = %s, email = %s WHERE customer = %s",
        EVIL, EVIL + "@x", customer,
    )  # fmt: skip
    ada.enter(customer)
    evil = EVIL.replace(" ", "%20")
    shown = 0
    for path in (
        *PAGES, f"/portal?x={evil}", f"/portal/history?show={evil}&asset={evil}",
        f"/portal?token={evil}", f"/return?purchase={NOWHERE}&session={evil}",
        f"/return?plan={evil}", f"/return?order={evil}", f"/portal?token={link(site, 'b')[14:]}",
    ):  # fmt: skip
        page = ada.get(path)
        assert "<img" not in page.text, path
        shown += "&lt;img" in page.text
    assert shown >= 5
    for form in ({"pack": EVIL}, {"pack": EVIL, "key": EVIL}):
        assert "<img" not in ada.send("/portal/buy", ada.form() | form).text
