"""Coming into one's own pages: by a link, once, or a token; and out again."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from comptoir.domains.identity.visitors import read_link
from comptoir.web.logs import Log
from tests.support.operators import Browser
from tests.support.operators import new_login as operators_link
from tests.support.site import Site
from tests.support.visitors import Customer, link, local, token

pytestmark = pytest.mark.pg


@pytest.fixture(scope="module")
def site(market: Site) -> Site:
    return market


def visits(site: Site) -> int:
    return site.sql("SELECT count(*) FROM comptoir.portal_visits WHERE opened_at IS NOT NULL")[0][0]


def test_a_link_opens_a_session_once(site: Site, ada: Customer, bob: Customer) -> None:
    customer = site.rich("42")
    address = link(site, customer)
    for _ in range(2):  # a preview uses nothing up
        asked = ada.get(address)
        assert "Open my account" in asked.text
        assert "set-cookie" not in asked.headers
    secret = parse_qs(urlsplit(address).query)["token"][0]
    done = ada.send("/portal/enter", {"token": secret})
    assert (done.status_code, done.headers["location"]) == (303, "/portal")
    cookie = done.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=3600"))
    assert secret not in cookie
    assert "42 credits" in ada.get("/portal").text
    assert bob.get(address).status_code == 401
    assert bob.send("/portal/enter", {"token": secret}).status_code == 401
    assert ada.get(address).headers["location"] == "/portal"  # his own, again: he is in already
    assert site.sql(
        "SELECT count(*) FROM comptoir.portal_visits WHERE hash = sha256(%s)",
        str(read_link(site.app.secret, secret)).encode(),
    ) == [(0,)]


def test_a_secret_of_a_link_is_no_cookie(site: Site, ada: Customer) -> None:
    said = link(site, site.rich()).partition("token=")[2]
    for secret in (said, read_link(site.app.secret, said)):
        ada.http.cookies.set("comptoir-portal", str(secret))
        assert ada.get("/portal").status_code == 401


@pytest.mark.parametrize("change", ["old", "altered", "none", "nonsense", "non-ascii"])
def test_a_link_that_opens_nothing(site: Site, ada: Customer, change: str) -> None:
    secret = link(site, site.rich()).partition("token=")[2]
    if change == "old":
        site.sql("UPDATE comptoir.portal_visits SET expires_at = now() - interval '1 second'")
    said = {
        "old": secret, "altered": secret[:-2] + ("AA" if secret[-2:] != "AA" else "BB"),
        "none": "", "nonsense": "x" * 3_000, "non-ascii": "ct_é.1.1.1",
    }[change]  # fmt: skip
    assert ada.get("/portal?token=" + said).status_code == 401
    assert ada.send("/portal/enter", {"token": said}).status_code == 401
    assert ada.get("/portal").status_code == 401


def test_a_token_is_not_in_the_address_for_long(site: Site, ada: Customer) -> None:
    customer = site.rich("7")
    done = ada.get(f"/portal?token={token(site, customer)}")
    assert (done.status_code, done.headers["location"]) == (303, "/portal")
    assert customer in ada.get("/portal").text
    assert done.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("change", ["old", "customer", "book", "signature"])
def test_a_token_that_was_changed(site: Site, ada: Customer, change: str) -> None:
    one, other = site.rich(), site.rich()
    said = token(site, one)
    book, customer, until, mark = said.removeprefix("ct_").split(".")
    number = token(site, other).split(".")[1]
    altered = {
        "old": ("1", customer, "1700000000", mark), "customer": (book, number, until, mark),
        "book": ("2", customer, until, mark), "signature": (book, customer, until, "A" * 22),
    }[change]  # fmt: skip
    assert ada.get(f"/portal?token=ct_{'.'.join(altered)}").status_code == 401
    assert ada.get("/portal").status_code == 401


def test_another_customers_link_is_asked_about(site: Site, ada: Customer) -> None:
    """Whoever sends somebody a link of his own does not sign him in unnoticed."""
    mine, other = site.rich("11"), site.rich("12")
    ada.enter(mine)
    for said in (token(site, other), link(site, other).partition("token=")[2]):
        asked = ada.get(f"/portal?token={said}")
        assert asked.status_code == 200
        assert "another account" in asked.text
        assert mine in asked.text
        assert "11 credits" in ada.get("/portal").text
    old = dict(ada.http.cookies)
    assert ada.send("/portal/enter", {"token": token(site, other)}).status_code == 303
    assert "12 credits" in ada.get("/portal").text
    assert httpx2.get(f"{site.url}/portal", cookies=old).status_code == 401


def test_another_page_opens_no_session(site: Site, ada: Customer) -> None:
    customer = site.rich()
    before = visits(site)
    picture = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "cross-site"}
    assert ada.get(f"/portal?token={token(site, customer)}", **picture).status_code == 200
    for said in (token(site, customer), link(site, customer).partition("token=")[2]):
        sent = ada.send("/portal/enter", {"token": said}, Origin="http://evil.example")
        assert sent.status_code == 403
    assert visits(site) == before


def test_a_session_ends(site: Site, ada: Customer) -> None:
    ada.enter(site.rich())
    site.sql("UPDATE comptoir.portal_visits SET expires_at = now() - interval '1 second'")
    assert ada.get("/portal").status_code == 401


def test_signing_out_ends_it_for_everybody_with_the_cookie(site: Site, ada: Customer) -> None:
    ada.enter(site.rich())
    kept = dict(ada.http.cookies)
    assert ada.send("/portal/sign-out", ada.form()).status_code == 303
    assert httpx2.get(f"{site.url}/portal", cookies=kept).status_code == 401


def test_whoever_was_erased_has_no_pages(site: Site, ada: Customer, bob: Customer) -> None:
    customer = site.rich()
    ada.enter(customer)
    address, said = link(site, customer), token(site, customer)
    assert site.post(f"/api/customers/{customer}/erase", {}).status_code == 200
    assert ada.get("/portal").status_code == 401
    assert bob.get(address).status_code == 401
    before = visits(site)
    assert bob.get(f"/portal?token={said}").status_code == 401
    assert visits(site) == before


def test_over_tls_the_cookie_is_bound_to_the_host(site: Site, ada: Customer) -> None:
    settings = site.app.settings
    changed = settings.model_copy(update={"public_url": "https://x"})
    object.__setattr__(site.app, "settings", changed)
    try:
        done = ada.get(f"/portal?token={token(site, site.rich())}")
    finally:
        object.__setattr__(site.app, "settings", settings)
    cookie = done.headers["set-cookie"]
    assert cookie.startswith("__Host-comptoir-portal=")
    assert cookie.endswith("; Secure")


def test_operators_and_customers_do_not_meet(site: Site, ada: Customer) -> None:
    ada.enter(site.rich())
    theirs = ada.http.cookies["comptoir-portal"]
    ada.http.cookies.set("comptoir-operator", theirs)
    for path in ("/dashboard", "/dashboard/accounts", "/dashboard/stock"):
        assert ada.get(path).status_code == 401
    with httpx2.Client(timeout=60) as http:
        ann = Browser(site, http).sign_in()
        assert ann.get("/portal").status_code == 401
        ann.http.cookies.set("comptoir-portal", ann.http.cookies["comptoir-operator"])
        assert ann.get("/portal").status_code == 401
        assert ann.get(f"/portal?token={operators_link(site)}").status_code == 401


def test_books_do_not_meet(site: Site, ada: Customer, bob: Customer) -> None:
    customer = site.rich("31")
    site.grant(customer, "32", who="test_op")
    assert "31 credits" in ada.enter(customer).get("/portal").text
    page = bob.enter(customer, "test_svc").get("/portal").text
    assert "32 credits" in page
    assert "Test: nothing here is real" in page


def test_links_are_made_by_servers_alone(site: Site) -> None:
    customer = site.rich()
    made = site.post("/api/portal-links", {"customer": customer}, who="svc")
    assert made.json()["url"].startswith("http://shop.test/portal?token=")
    assert made.headers["cache-control"] == "no-store"
    refused = site.post("/api/portal-links", {"customer": customer}, who=token(site, customer))
    assert refused.status_code == 403
    too_long = site.post("/api/portal-links", {"customer": customer, "ttl_seconds": 10**9})
    assert too_long.status_code == 422
    assert local("http://a/b?c=d") == "/b?c=d"


def test_an_operator_makes_a_link_with_a_reason(site: Site, bob: Customer) -> None:
    customer = site.rich("77")
    path = f"/dashboard/accounts/{customer}"
    with httpx2.Client(timeout=60) as http:
        ann = Browser(site, http).sign_in()
        form = ann.form(path) | {"reason": "He lost his"}
        page = ann.send(f"{path}/portal-link", form)
        assert page.status_code == 200
        address = local(unescape(re.findall(r'readonly value="([^"]+)"', page.text)[0]))
        assert ann.send(f"{path}/portal-link", form).headers["location"] == path
        assert ann.send(f"{path}/portal-link", form | {"reason": ""}).status_code == 422
    lines = site.sql("SELECT subject, reason FROM comptoir.audit WHERE action = 'portal-link'")
    assert [reason for _, reason in lines] == ["He lost his"]
    assert customer not in lines[0][0]
    secret = parse_qs(urlsplit(address).query)["token"][0]
    assert bob.send("/portal/enter", {"token": secret}).status_code == 303
    assert "77 credits" in bob.get("/portal").text


def test_no_token_is_logged(site: Site, ada: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(Log, "request", lambda _, line: lines.append(str(line)))
    customer = site.rich()
    said, address = token(site, customer), link(site, customer)
    ada.enter(customer)
    for path in (f"/portal?token={said}", address):
        ada.get(path)
    text = "\n".join(lines)
    assert text.count("'/portal'") == 3
    for secret in (said, address.partition("token=")[2], customer):
        assert secret not in text
