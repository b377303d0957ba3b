"""Pages for operators: who gets in, what a form must have, and that nobody's text is markup."""

import re
from html import unescape
from typing import Any
from uuid import UUID

import httpx2
import psycopg
import pytest

from comptoir.domains.credits.sql_overview import RECENT
from comptoir.web.dashboard.owing import OWING
from comptoir.web.dashboard.texts import TEXTS
from comptoir.web.pages.forms import own_page
from comptoir.web.pages.tables import cell
from tests.support.counter import put
from tests.support.operators import Browser, new_id, new_login
from tests.support.site import Site, fresh

EVIL = "<img src=x onerror=alert(1)>"


def audited(site: Site, action: str) -> list[tuple[Any, ...]]:
    return site.sql(
        "SELECT subject, reason, who FROM comptoir.audit WHERE action = %s ORDER BY at", action
    )


def test_an_address_signs_in_once(site: Site, guest: Browser) -> None:
    secret = new_login(site)
    for _ in range(2):  # a preview uses nothing up
        assert "<button" in guest.get(f"/login/{secret}").text
    done = guest.send(f"/login/{secret}", {})
    assert (done.status_code, done.headers["location"]) == (303, "/dashboard")
    cookie = done.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Lax", "Path=/"))
    assert guest.get("/dashboard").status_code == 200
    guest.http.cookies.clear()
    assert guest.get(f"/login/{secret}").status_code == 404
    assert guest.send(f"/login/{secret}", {}).status_code == 404
    assert guest.get("/dashboard").status_code == 401


def test_an_old_address_and_a_wrong_one_sign_nobody_in(site: Site, guest: Browser) -> None:
    for secret in (new_login(site, minutes=-1), "x", "A" * 43):
        assert guest.get(f"/login/{secret}").status_code == 404
        assert guest.send(f"/login/{secret}", {}).status_code == 404
    assert guest.get("/dashboard").status_code == 401


def test_another_site_cannot_sign_anybody_in(site: Site, guest: Browser) -> None:
    secret = new_login(site)
    refused = guest.send(f"/login/{secret}", {}, Origin="http://evil.example")
    assert refused.status_code == 403
    assert guest.send(f"/login/{secret}", {}).status_code == 303


@pytest.mark.parametrize(
    ("column", "ago"),
    [("expires_at", "1 second"), ("seen_at", "13 hours"), ("ended_at", "1 second")],
)
def test_a_session_ends(site: Site, guest: Browser, column: str, ago: str) -> None:
    guest.sign_in()
    assert guest.get("/dashboard").status_code == 200
    site.sql(
        f"UPDATE comptoir.operator_sessions SET {column} = now() - %s::interval"
        " WHERE id = (SELECT max(id::text)::uuid FROM comptoir.operator_sessions)", ago,
    )  # fmt: skip
    assert guest.get("/dashboard").status_code == 401


def test_signing_out_ends_it_for_everybody_with_the_cookie(site: Site, guest: Browser) -> None:
    guest.sign_in()
    kept = dict(guest.http.cookies)
    form = guest.form("/dashboard")
    assert guest.send("/dashboard/sign-out", form).status_code == 303
    assert httpx2.get(f"{site.url}/dashboard", cookies=kept).status_code == 401


def test_over_tls_the_cookie_is_bound_to_the_host(site: Site, guest: Browser) -> None:
    settings = site.app.settings
    object.__setattr__(
        site.app, "settings", settings.model_copy(update={"public_url": "https://x"})
    )
    try:
        done = guest.send(f"/login/{new_login(site)}", {})
    finally:
        object.__setattr__(site.app, "settings", settings)
    cookie = done.headers["set-cookie"]
    assert cookie.startswith("__Host-comptoir-operator=")
    assert cookie.endswith("; Secure")
    assert "Domain" not in cookie


def test_a_form_needs_all_that_shows_it_is_ours(site: Site, ann: Browser, guest: Browser) -> None:
    customer = site.rich("5")
    path = f"/dashboard/accounts/{customer}"
    form = ann.form(path) | {"amount": "7", "reason": "why"}
    guest.sign_in()
    foreign = guest.form(path)["csrf"]
    for change in ({"csrf": ""}, {"csrf": "0" * 64}, {"csrf": foreign}):
        assert ann.send(f"{path}/grant", form | change).status_code == 403, change
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "", "Sec-Fetch-Site": ""},
        {"Origin": f"{site.url}.evil.example", "Sec-Fetch-Site": ""},
    ):
        assert ann.send(f"{path}/grant", form, **headers).status_code == 403, headers
    guest.http.cookies.clear()
    assert guest.send(f"{path}/grant", form).status_code == 401
    for change in ({"key": "short"}, {"reason": ""}, {"amount": "-1"}, {"amount": "x"}):
        assert ann.send(f"{path}/grant", form | change).status_code == 422, change
    assert site.balance(customer)["balance"] == "5"
    assert ann.send(f"{path}/grant", form, Origin="").status_code == 303
    assert site.balance(customer)["balance"] == "12"


def test_a_form_that_is_sent_twice_acts_once(site: Site, ann: Browser) -> None:
    customer = site.rich("5")
    path = f"/dashboard/accounts/{customer}"
    form = ann.form(path) | {"amount": "7.5", "reason": "sent twice"}
    for _ in range(2):
        done = ann.send(f"{path}/grant", form)
        assert done.status_code == 303
    assert site.balance(customer)["balance"] == "12.5"
    lines = [line for line in audited(site, "grant") if line[1] == "sent twice"]
    assert [line[2] for line in lines] == ["Ann (admin)"]
    assert customer not in lines[0][0]
    changed = ann.send(f"{path}/grant", form | {"amount": "8"})
    assert changed.status_code == 422
    assert site.balance(customer)["balance"] == "12.5"


def test_the_audit_never_changes_but_forgets_a_person(site: Site, ann: Browser) -> None:
    customer = site.rich("5")
    path = f"/dashboard/accounts/{customer}"
    ann.send(f"{path}/grant", ann.form(path) | {"amount": "1", "reason": "private words"})
    for statement in (
        "DELETE FROM comptoir.audit", "TRUNCATE comptoir.audit",
        "UPDATE comptoir.audit SET who = 'nobody'", "UPDATE comptoir.audit SET reason = 'other'",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.RestrictViolation):
            site.sql(statement)
    assert site.post(f"/api/customers/{customer}/erase", {}).status_code == 200
    assert not [line for line in audited(site, "grant") if line[1] == "private words"]


@pytest.mark.parametrize("role", ["viewer", "support"])
def test_whoever_may_look_may_not_act(site: Site, guest: Browser, role: str) -> None:
    customer = site.rich("5")
    path = f"/dashboard/accounts/{customer}"
    guest.sign_in(role)
    fields = guest.made_up if role == "viewer" else guest.form
    form = fields(path) | {"amount": "1", "reason": "why"}
    expected = 403 if role == "viewer" else 303
    assert guest.send(f"{path}/grant", form).status_code == expected


def test_a_hold_is_released_with_a_reason(site: Site, ann: Browser) -> None:
    customer, other = site.rich("10"), site.rich("10")
    body = {"customer": customer, "amount": "4", "ttl_seconds": 600}
    hold = site.post("/api/credits/holds", body).json()["hold"]["id"]
    path = f"/dashboard/accounts/{customer}"
    form = ann.form(path) | {"hold": hold, "reason": "stuck"}
    assert ann.send(f"/dashboard/accounts/{other}/release", form).status_code == 404
    assert ann.send(f"{path}/release", form).status_code == 303
    assert site.balance(customer)["held"] == "0"
    assert (hold, "stuck", "Ann (admin)") in audited(site, "release")
    again = ann.send(f"{path}/release", form | ann.form(path))
    assert again.status_code == 409


def test_stock_is_received_and_adjusted_once(site: Site, ann: Browser) -> None:
    product = put(site, 5)
    path = f"/dashboard/stock/{product}"
    form = ann.form(path) | {"size": "M", "quantity": "3", "reason": "Delivery", "what": "receive"}
    for _ in range(2):
        assert ann.send(f"{path}/move", form).status_code == 303
    form = ann.form(path) | {"size": "M", "quantity": "-9", "reason": "Count", "what": "adjust"}
    assert ann.send(f"{path}/move", form).status_code == 400
    assert ann.send(f"{path}/move", form | ann.form(path) | {"quantity": "-2"}).status_code == 303
    assert ann.send(f"{path}/move", form | {"what": "sell"}).status_code == 422
    page = ann.get(path).text
    assert "6 − 0 = 6" in page
    subject = f"stock:{product}:M"
    assert [line[1] for line in audited(site, "move-stock") if line[0] == subject] == [
        "Delivery", "Count",
    ]  # fmt: skip


def arrived(site: Site, id_: str, body: str = "{}", state: str = "dead") -> None:
    site.sql(
        "INSERT INTO comptoir.inbox (book_id, source, event_id, type, object_id, livemode,"
        " occurred_at, via, body, state, attempts, due_at, error)"
        " VALUES (1, 'stripe', %s, 'charge.refunded', %s, false, now(), 'webhook', %s, %s, 12,"
        " NULL, %s)", id_, f"pi_{id_}", body, state, EVIL,
    )  # fmt: skip


def test_an_event_is_replayed_once_for_a_form(site: Site, ann: Browser) -> None:
    id_ = fresh("evt_")
    arrived(site, id_, '{"a": "<b>"}')
    path = f"/dashboard/webhooks/{id_}"
    assert id_ in ann.get("/dashboard/webhooks?state=troubles").text
    form = ann.form(path) | {"reason": "mended"}
    for _ in range(2):
        assert ann.send(f"{path}/replay", form).status_code == 303
    assert [line[0] for line in audited(site, "replay")].count(id_) == 1
    refused = ann.send(f"{path}x/replay", form | {"key": "k" * 20})
    assert refused.status_code == 404
    assert id_ + "x" not in [line[0] for line in audited(site, "replay")]


def test_a_case_is_closed_with_a_note(site: Site, ann: Browser) -> None:
    id_ = new_id()
    site.sql(
        "INSERT INTO comptoir.cases (book_id, id, kind, subject) VALUES (1, %s, 'dispute', %s)",
        id_, EVIL,
    )  # fmt: skip
    page = ann.get("/dashboard/cases").text
    assert "disputes a payment" in page
    form = ann.form("/dashboard/cases") | {"reason": "Money sent"}
    assert ann.send(f"/dashboard/cases/{id_}/close", form).status_code == 303
    [(who, note)] = site.sql("SELECT closed_by, note FROM comptoir.cases WHERE id = %s", id_)
    assert (who, note) == ("Ann (admin)", "Money sent")


def test_the_books_are_checked_by_a_button(site: Site, ann: Browser) -> None:
    done = ann.send("/dashboard/verify", ann.form("/dashboard"))
    assert done.status_code == 303
    assert "Checked 20" in ann.get("/dashboard").text


def test_a_session_looks_at_one_book(site: Site, guest: Browser) -> None:
    live, test = site.rich("5"), site.rich("6", who="test_op")
    guest.sign_in()
    assert guest.get(f"/dashboard/accounts/{test}").status_code == 404
    form = guest.form("/dashboard")
    assert guest.send("/dashboard/book", form | {"book": "moon"}).status_code == 404
    assert guest.send("/dashboard/book", form | {"book": "test"}).status_code == 303
    page = guest.get("/dashboard").text
    assert "TEST book" in page
    assert guest.get(f"/dashboard/accounts/{live}").status_code == 404
    path = f"/dashboard/accounts/{test}"
    done = guest.send(f"{path}/grant", guest.form(path) | {"amount": "1", "reason": "r"})
    assert done.status_code == 303
    assert site.balance(test, who="test_op")["balance"] == "7"


def everything(site: Site) -> list[str]:
    """Pages of a book in which whatever others may write is an attack."""
    customer = EVIL + fresh("/a")
    site.grant(customer, "100", reason=EVIL, reference=EVIL)
    site.sql(
        "UPDATE comptoir.customers SET name = %s, email = %s, metadata = %s WHERE customer = %s",
        EVIL, EVIL + "@x", f'{{"{EVIL.replace(chr(34), "")}": "{EVIL}"}}', customer,
    )  # fmt: skip
    body = {"customer": customer, "amount": "4", "ttl_seconds": 600, "reason": EVIL}
    assert site.post("/api/credits/holds", body).status_code == 201
    product = put(site, 3, name=EVIL, low=5)
    id_ = fresh("evt_")
    arrived(site, id_, f'{{"name": "{EVIL}"}}')
    site.sql(
        "INSERT INTO comptoir.cases (book_id, id, kind, subject, figures)"
        " VALUES (1, %s, %s, %s, %s)", new_id(), EVIL + id_, EVIL,
        f'{{"a": "{EVIL}"}}',
    )  # fmt: skip
    name = customer.replace("%", "%25").replace("/", "%2F").replace("<", "%3C").replace(" ", "%20")
    name = name.replace(">", "%3E")
    return [
        "/dashboard", "/dashboard/live", "/dashboard/accounts", "/dashboard/accounts?q=%3Cimg",
        f"/dashboard/accounts?q={EVIL}", f"/dashboard/accounts/{name}", "/dashboard/stock",
        f"/dashboard/stock/{product}", "/dashboard/webhooks", f"/dashboard/webhooks/{id_}",
        f"/dashboard/webhooks/{id_}?try=1", f"/dashboard/webhooks?type={EVIL}", "/dashboard/cases",
        f"/dashboard/accounts/{EVIL}".replace("<", "%3C").replace(" ", "%20"),
    ]  # fmt: skip


def test_nobodys_text_is_markup(site: Site, ann: Browser) -> None:
    shown = 0
    for path in everything(site):
        page = ann.get(path)
        assert page.status_code in {200, 404}, (path, page.text)
        assert "<img" not in page.text, path
        shown += "&lt;img" in page.text
    assert shown > 8


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_in_both_languages(site: Site, ann: Browser, language: str) -> None:
    for path in everything(site):
        page = ann.get(path, **{"Accept-Language": language})
        assert page.headers["content-language"] == language
        if page.status_code == 200:
            assert f'<html lang="{language}"' in page.text or path.endswith("/live")
        for word in re.findall(r"\b(?:nav|col|state|kind|done|need)\.[a-z-]+", unescape(page.text)):
            assert word not in TEXTS, (path, word)


def test_an_empty_book_says_what_to_do(site: Site, guest: Browser) -> None:
    guest.sign_in()
    guest.send("/dashboard/book", guest.form("/dashboard") | {"book": "test"})
    site.post("/api/books/test/reset", who="test_op")
    OWING.forget()
    for path, words in (
        ("/dashboard", "Nobody has anything yet."), ("/dashboard", "Nothing needs you."),
        ("/dashboard/accounts", "No account here."), ("/dashboard/stock", "Nothing is for sale"),
        ("/dashboard/webhooks", "comptoir trigger"), ("/dashboard/cases", "No open case."),
    ):  # fmt: skip
        assert words in guest.get(path).text, path


def test_what_takes_too_long_is_left_out(site: Site, ann: Browser) -> None:
    OWING.forget()
    with psycopg.connect(site.owner_url) as other:
        other.execute("LOCK comptoir.payments, comptoir.accounts IN ACCESS EXCLUSIVE MODE")
        page = ann.get("/dashboard")
        assert page.status_code == 200
        assert page.text.count("took too long") >= 3
        list_ = ann.get("/dashboard/accounts")
        assert list_.status_code == 503
        assert list_.headers["content-type"].startswith("text/html")
        other.rollback()
    assert "took too long" not in ann.get("/dashboard").text


def test_the_newest_movements_are_found_by_an_index(site: Site) -> None:
    statement = RECENT % {"seconds": 60, "book": 1, "limit": 15}
    with psycopg.connect(site.owner_url) as owner:
        owner.execute(
            "INSERT INTO comptoir.movements SELECT 1, 10^15, n, 1, 1, n, 0, 0, n, 'grant',"
            " now() - interval '1 day' + n * interval '1 second', NULL, '{}', '{}', NULL, NULL, 0"
            " FROM generate_series(1, 60000) n"
        )
        owner.execute("ANALYZE comptoir.movements")
        rows = owner.execute(f"EXPLAIN {statement}".encode()).fetchall()
        owner.rollback()
    plan = "\n".join(row[0] for row in rows)
    assert "movements_by_time" in plan, plan


def test_what_every_page_says_to_the_browser(site: Site, ann: Browser, guest: Browser) -> None:
    pages_ = [ann.get("/dashboard"), ann.get("/dashboard/accounts/nobody"), guest.get("/dashboard"),
              guest.get("/login/x"), ann.get("/dashboard/accounts?format=csv")]  # fmt: skip
    for page in pages_:
        policies = page.headers.get_list("content-security-policy")
        assert len(policies) == 1
        for part in ("default-src 'none'", "frame-ancestors 'none'", "script-src 'self'",
                     "base-uri 'none'", "form-action 'self'"):  # fmt: skip
            assert part in policies[0]
        assert "unsafe" not in policies[0]
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cross-origin-opener-policy"] == "same-origin"
        assert page.headers["referrer-policy"] == "same-origin"
        assert "camera=()" in page.headers["permissions-policy"]
        assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "said",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "/dashboard//evil.example",
        "/dashboardx", "javascript:alert(1)", "/api/keys", "/dashboard\n", "", "/dashboard\\x",
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(site: Site, guest: Browser, said: str) -> None:
    assert own_page("/dashboard", said) == "/dashboard"
    done = guest.send(f"/login/{new_login(site)}", {"next": said})
    assert done.headers["location"] == "/dashboard"


def test_pages_of_ours_are_gone_back_to(site: Site, guest: Browser) -> None:
    secret = new_login(site)
    asked = guest.get(f"/login/{secret}?next=/dashboard/stock?q=a%26b").text
    assert 'value="/dashboard/stock?q=a&amp;b"' in asked
    done = guest.send(f"/login/{secret}", {"next": "/dashboard/stock"})
    assert done.headers["location"] == "/dashboard/stock"


def test_language_and_theme_are_kept(guest: Browser) -> None:
    guest.sign_in()
    form = guest.form("/dashboard")
    guest.send("/dashboard/look", form | {"language": "fr", "next": "/dashboard/stock"})
    guest.send("/dashboard/look", form | {"theme": "dark"})
    guest.send("/dashboard/look", form | {"theme": "x;y", "language": "de"})
    page = guest.get("/dashboard").text
    assert '<html lang="fr" data-theme="dark">' in page
    assert "Aperçu" in page


def test_search_goes_there(site: Site, ann: Browser) -> None:
    customer, product = site.rich("5"), put(site, 1)
    movement = site.grant(customer, "1")["movement"]["id"]
    hold = site.post(
        "/api/credits/holds", {"customer": customer, "amount": "1", "ttl_seconds": 600}
    ).json()["hold"]["id"]
    id_ = fresh("evt_")
    arrived(site, id_)
    page = f"/dashboard/accounts/{customer}"
    for said, place in (
        (customer, page), (movement, page), (hold, page), (product, f"/dashboard/stock/{product}"),
        (id_, f"/dashboard/webhooks/{id_}"), ("nobody?", "/dashboard/accounts?q=nobody%3F"),
        ("", "/dashboard/accounts"), (str(UUID(int=5)), f"/dashboard/accounts?q={UUID(int=5)}"),
    ):  # fmt: skip
        found = ann.http.get(f"{site.url}/dashboard/search", params={"q": said})
        assert found.headers["location"] == place, said


def test_lists_go_on_and_are_files(site: Site, ann: Browser) -> None:
    word = fresh("zz")
    names = sorted(f"{word}-{number:03d}" for number in range(53))
    for name in names[:2]:
        site.grant(name, "3")
    site.sql(
        "INSERT INTO comptoir.customers (book_id, customer) SELECT 1, unnest(%s::text[])", names[2:]
    )
    first = ann.get(f"/dashboard/accounts?q={word}").text
    [more] = re.findall(r'href="([^"]+)" rel="next"', first)
    second = ann.get(unescape(more)).text
    assert names[0] in first
    assert names[-1] not in first
    assert names[-1] in second
    assert names[0] not in second
    file = ann.get(f"/dashboard/accounts?q={word}&format=csv")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert "live-accounts.csv" in file.headers["content-disposition"]
    rows = file.text.split("\r\n")
    assert rows[0].startswith("customer,name,plan,asset,available")
    assert rows[1].startswith(f"{names[0]},,free,credits,3,0,3,0,")
    assert len(rows) == 55
    flagged = ann.get("/dashboard/accounts?flag=held").text
    assert names[0] not in flagged


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("=1+1", "'=1+1"), ("@x", "'@x"), ("+a", "'+a"), ("-2+3", "'-2+3"), ("-5", "-5"),
        ("+1.5", "+1.5"), ("\t=1", "'\t=1"), ("a=1", "a=1"), (None, ""), (7, "7"),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(said: object, kept: str) -> None:
    assert cell(said) == kept


@pytest.mark.parametrize("list_", ["stock", "webhooks", "cases"])
def test_other_lists_are_files_too(site: Site, ann: Browser, list_: str) -> None:
    everything(site)
    file = ann.get(f"/dashboard/{list_}?format=csv")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert file.text.count("\r\n") > 1
