"""Pages about credits and the margin, what is owed to all, and the stream of whoever looks."""

import asyncio
import csv
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from http.client import HTTPConnection, HTTPResponse
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from comptoir.app import App, Urls, open_app
from comptoir.domains.credits import earnings, margin, overview
from comptoir.domains.credits.margin import Span
from comptoir.flows import stocking
from comptoir.kit.ids import request_id
from comptoir.kit.limits import DAY, SECOND
from comptoir.ledger.model import Kind
from comptoir.ledger.requests import Grant
from comptoir.store.pool import begin
from comptoir.web import live
from comptoir.web.dashboard import earning, owing
from comptoir.web.dashboard.owing import OWING
from tests.support.counter import put
from tests.support.operators import Browser
from tests.support.postgres import Cluster
from tests.support.site import Site, fresh, serving

pytestmark = pytest.mark.pg
CREDITS = "/dashboard/credits"
MARGIN = "/dashboard/margin"
STREAM = "/dashboard/stream"


@pytest.fixture(scope="module")
def shop(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("home")
    with cluster.database() as database, serving(database, home) as up:
        asyncio.run(seed(up))
        yield up


@asynccontextmanager
async def opened(of: Site) -> AsyncGenerator[App]:
    """An App of this test's own loop on the same database."""
    urls = Urls(of.app.urls.app, of.app.urls.owner)
    async with open_app(of.app.settings, urls) as app:
        yield app


async def seed(of: Site) -> None:
    async with opened(of) as app:
        await stocking.seed(app.till, 1, stocking.read())


@pytest.fixture(scope="module")
def site(shop: Site) -> Site:
    return shop


async def pay(of: Site, customer: str, amount: int, paid: int, tax: int = 0) -> None:
    """Credits for money, as a payment brings them."""
    async with opened(of) as app:
        asset = await app.directory.asset(1, "credits")
        account = await app.directory.account(1, asset, customer)
        batch = await app.batch(1)
        [answer] = await batch.submit((
            Grant(
                request_id(1, fresh("paid")), b"paid" * 4, account, asset.issuer,
                amount * 10**asset.scale, kind=Kind.PURCHASE, source="payment", paid=paid, tax=tax,
                currency="eur",
            ),
        ))  # fmt: skip
        assert answer.line is not None


def buyer(of: Site, amount: int = 100, paid: int = 1900) -> str:
    customer = fresh("buyer")
    of.call("PUT", f"/api/customers/{customer}", {})
    asyncio.run(pay(of, customer, amount, paid))
    return customer


def use(of: Site, customer: str, action: str, **more: object) -> dict[str, Any]:
    done = of.post("/api/credits/spend", {"customer": customer, "action": action} | more)
    assert done.status_code in {200, 201}, done.text
    return done.json()


def hold(of: Site, customer: str, **more: object) -> str:
    said = {"customer": customer, "amount": "4", "ttl_seconds": 3600, "reason": "Render"} | more
    done = of.post("/api/credits/holds", said)
    assert done.status_code == 201, done.text
    return done.json()["hold"]["id"]


def rows(browser: Browser, path: str) -> list[dict[str, str]]:
    done = browser.get(path)
    assert done.status_code == 200, done.text
    assert done.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(done.text)))


def test_the_two_endpoints_have_the_margins_of_the_price_list(ann: Browser) -> None:
    for path in (CREDITS, MARGIN):
        page = ann.get(path).text
        assert "2,275\u202f%" in page
        assert "7,500\u202f%" in page
    found = {
        (row["action"], row["pack"]): row for row in rows(ann, f"{CREDITS}?format=csv&list=prices")
    }
    line = found["ai.generate", "100"]
    assert (line["credits"], line["price"], line["real_cost"]) == ("5", "0.95", "0.04")
    assert line["margin_percent"] == "2275"
    assert found["3d.render-highres", "100"]["margin_percent"] == "7500"
    assert len(found) == 6


def test_packs_have_their_price_with_and_without_tax(shop: Site, ann: Browser) -> None:
    shop.sql(
        "INSERT INTO comptoir.packs (book_id, pack, version, name, asset_id, credits, amount,"
        " currency, tax_percent, tax_included, active) SELECT book_id, 'taxed', 1,"
        ' \'{"en": "=Taxed", "fr": "Taxé"}\', asset_id, credits, 12000, \'eur\', 20, true, true'
        " FROM comptoir.packs WHERE book_id = 1 AND pack = '1000' AND version = 1"
    )
    try:
        [line] = [
            row for row in rows(ann, f"{CREDITS}?format=csv&list=packs") if row["pack"] == "taxed"
        ]
        assert (line["price_without_tax"], line["price_with_tax"]) == ("100.00", "120.00")
        assert line["name"] == "'=Taxed"
        page = ann.get(CREDITS, **{"Accept-Language": "fr"}).text
        assert "Taxé" in page
        assert "taxe 20\u202f%" in page
        assert "100,00 EUR" in page
    finally:
        shop.sql("DELETE FROM comptoir.packs WHERE pack = 'taxed'")


def test_lots_are_there_the_soonest_first_a_page_at_a_time(
    shop: Site, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(days: int) -> str:
        return str(shop.sql("SELECT to_char(now() + make_interval(days => %s),"
                            " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')", days)[0][0])  # fmt: skip

    late, soon, far = (shop.rich("5", expires_at=ends(days)) for days in (20, 2, 40))
    shop.grant(soon, "6", expires_at=ends(9))
    found = rows(ann, f"{CREDITS}?format=csv&list=lots")
    own = [(row["customer"], row["left"]) for row in found if row["customer"] in {late, soon, far}]
    assert own == [(soon, "5"), (soon, "6"), (late, "5")]
    monkeypatch.setattr("comptoir.web.dashboard.tables.ROWS", 1)
    seen, path = [], f"{CREDITS}?x=1"
    while path:
        page = ann.get(path).text
        part = page[page.index('id="h-lots"') : page.index('id="h-prices"')]
        seen += re.findall(r'<td class="name"><a href="/dashboard/accounts/([^"]+)"', part)
        more = re.search(r'href="([^"#]+)#h-lots" rel="next"', part)
        path = more[1].replace("&amp;", "&") if more else ""
    assert seen == [row["customer"] for row in found]


def test_holds_are_there_the_oldest_first_and_none_of_stock(shop: Site, ann: Browser) -> None:
    customer = shop.rich("20")
    first, second = hold(shop, customer, reference="job-1"), hold(shop, customer)
    product = put(shop, 5)
    line = {"product": product, "size": "M", "quantity": 2}
    done = shop.post("/api/stock/reservations", {"items": [line], "reference": "cart"})
    assert done.status_code == 201, done.text
    found = rows(ann, f"{CREDITS}?format=csv&list=holds")
    assert [row["hold"] for row in found if row["customer"] == customer] == [first, second]
    [line] = [row for row in found if row["hold"] == first]
    assert (line["amount"], line["reason"], line["reference"]) == ("4", "Render", "job-1")
    assert {row["asset"] for row in found} == {"credits"}
    page = ann.get(CREDITS).text
    assert page.index(first) < page.index(second)


def test_a_hold_is_released_once_for_a_form(shop: Site, ann: Browser) -> None:
    customer = shop.rich("20")
    name = hold(shop, customer)
    form = ann.form(CREDITS) | {"hold": name, "reason": "Worker died"}
    assert ann.send(f"{CREDITS}/release", form | {"reason": ""}).status_code == 422
    for _ in range(2):
        assert ann.send(f"{CREDITS}/release", form).status_code == 303
    assert shop.balance(customer)["held"] == "0"
    lines = shop.sql(
        "SELECT reason, who FROM comptoir.audit WHERE action = 'release' AND subject = %s", name
    )
    assert lines == [("Worker died", "Ann (admin)")]
    fresh_form = ann.form(f"/dashboard/accounts/{customer}") | {"hold": name, "reason": "Again"}
    assert ann.send(f"{CREDITS}/release", fresh_form).status_code == 409


def test_a_viewer_releases_nothing_and_nobody_what_is_none(
    shop: Site, ann: Browser, guest: Browser
) -> None:
    customer = shop.rich("20")
    name = hold(shop, customer)
    guest.sign_in("viewer")
    form = guest.made_up(CREDITS) | {"hold": name, "reason": "Mine"}
    assert guest.send(f"{CREDITS}/release", form).status_code == 403
    for wrong in ("", "hold_x", name[:-1]):
        form = ann.form(CREDITS) | {"hold": wrong, "reason": "Wrong"}
        assert ann.send(f"{CREDITS}/release", form).status_code == 404
    assert shop.balance(customer)["held"] == "4"


@pytest.mark.parametrize(
    "query",
    ["lots=x", "lots=1.2", "lots=1.2.3.4", "lots=9999999999999999999999.1.1", "holds=.", "days=0",
     "holds=1.hold_x", "prices=%00", "asset=none", "days=-1", "by=sql", "lots=1.1.999999999999"],
)  # fmt: skip
def test_a_wrong_address_is_no_mistake_of_ours(ann: Browser, query: str) -> None:
    for path in (CREDITS, MARGIN):
        assert ann.get(f"{path}?{query}").status_code in {200, 400, 404, 422}


def test_what_was_used_has_its_margin_the_worst_first(shop: Site, ann: Browser) -> None:
    customer = buyer(shop)
    for action in ("ai.generate", "3d.render-highres"):
        use(shop, customer, action)
    lines = rows(ann, f"{MARGIN}?days=1&by=customer&format=csv")
    [line] = [row for row in lines if row["key"] == customer]
    assert (line["times"], line["credits"], line["revenue"]) == ("2", "13", "2.47 eur")
    assert (line["cost"], line["margin_percent"]) == ("0.06", "4016.7")
    poor = shop.rich("100")
    use(shop, poor, "ai.generate")
    keys = [row["key"] for row in rows(ann, f"{MARGIN}?days=1&by=customer&format=csv")]
    assert keys.index(poor) < keys.index(customer)
    page = ann.get(f"{MARGIN}?days=7&by=action").text
    assert 'value="7" selected' in page
    assert 'value="action" selected' in page
    assert page.index('<td class="name">ai.generate') > 0


def test_one_action_for_paid_credits_has_the_margin_of_the_seed(
    cluster: Cluster, tmp_path: Path
) -> None:
    with cluster.database() as database, serving(database, tmp_path) as site:
        asyncio.run(seed(site))
        customer = buyer(site)
        use(site, customer, "ai.generate")
        browser = Browser(site).sign_in()
        [line] = rows(browser, f"{MARGIN}?days=1&format=csv")
        assert (line["key"], line["revenue"], line["cost"]) == ("ai.generate", "0.95 eur", "0.04")
        assert line["margin_percent"] == "2275"
        page = browser.get("/dashboard").text
        card = page[page.index('id="h-margin"') :]
        assert "2,275\u202f%" in card[:400]
        assert "0.95 EUR" in card[:600]
        asyncio.run(hours_are_added_up_once(site))
        browser.http.close()


async def hours_are_added_up_once(site: Site) -> None:
    """Whether hours were added up or not, the same comes out; and a later line is added to it."""
    async with opened(site) as app:
        asset = await app.directory.asset(1, "credits")
        now = app.clock()
        span = Span(1, asset.id, now - now % DAY - DAY, now + DAY)
        async with begin(app.pool) as tx:
            plain = await margin.earned(tx, span, "action")
            assert await earnings.until(tx, 1, asset.id) == 0
        found = await earning.earned(app, span, "action")
        assert found.lines == plain
        for expected in (True, False):
            async with begin(app.pool) as tx:
                added = await earnings.add_up(tx, 1, asset.id, now + 3 * earnings.HOUR, 1_000)
                assert bool(added) is expected
                assert await earnings.until(tx, 1, asset.id) > now
        found = await earning.earned(app, span, "action")
        assert (found.lines, found.until) == (plain, span.until)
        assert (await earning.earned(app, span, "model")).lines[0].revenue == {"eur": 95}
        kept = Span(1, asset.id, span.since, await _until(app, asset.id))
        async with begin(app.pool) as tx:
            assert await earnings.kept(tx, kept, "action") == {"ai.generate": plain[0]}


async def _until(app: App, asset: int) -> int:
    async with begin(app.pool) as tx:
        return await earnings.until(tx, 1, asset)


async def test_what_is_owed_is_what_the_journal_says(shop: Site) -> None:
    """All that customers have is all that the open accounts have not, to the last digit."""
    one, other = shop.rich("50"), shop.rich("7")
    use(shop, one, "ai.generate")
    hold(shop, other)
    moved = {"from": one, "to": other, "amount": "3", "reason": "gift"}
    assert shop.post("/api/ledger/transfer", moved).status_code in {200, 201}
    [(journal,)] = shop.sql(
        "SELECT -sum(m.amount) FROM comptoir.movements m JOIN comptoir.accounts open"
        " ON open.book_id = m.book_id AND open.id = m.contra_id AND NOT open.bounded"
        " JOIN comptoir.assets s ON s.book_id = open.book_id AND s.id = open.asset_id"
        " WHERE m.book_id = 1 AND s.code = 'credits'"
    )
    async with opened(shop) as app:
        asset = await app.directory.asset(1, "credits")
        async with begin(app.pool) as tx:
            found = {each.asset: each for each in await overview.owed(tx, 1)}
    assert found[asset.id].posted == -journal > 0
    [(held,)] = shop.sql(
        "SELECT sum(amount - captured) FROM comptoir.holds h JOIN comptoir.accounts a"
        " ON (a.book_id, a.id) = (h.book_id, h.account_id)"
        " WHERE h.book_id = 1 AND h.state = 'open' AND a.asset_id = %s", asset.id
    )  # fmt: skip
    assert found[asset.id].held == held > 0


async def test_what_is_owed_is_the_same_however_many_are_read_at_once(
    shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for amount in range(1, 8):
        shop.rich(amount)
    async with opened(shop) as app:
        async with begin(app.pool) as tx:
            whole = await overview.owed(tx, 1)
        monkeypatch.setattr(overview, "ACCOUNTS_AT_ONCE", 3)
        async with begin(app.pool) as tx:
            assert await overview.owed(tx, 1) == whole != []
        monkeypatch.setattr(owing, "PATIENCE", 10.0)
        OWING.forget()
        known = await OWING.of(app, 1)
        assert known is not None
        monkeypatch.setattr(owing.Known, "is_due", lambda *_: True)
        await OWING.keep_up(app)
        newer = await OWING.of(app, 1)
        assert newer is not None
        assert (newer.at > known.at, newer.owed) == (True, known.owed)


def listen(of: Site, cookies: dict[str, str]) -> tuple[HTTPConnection, HTTPResponse]:
    connection = HTTPConnection(urlsplit(of.url).netloc, timeout=10)
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    connection.request("GET", STREAM, headers={"Cookie": cookie})
    return connection, connection.getresponse()


def told(body: HTTPResponse, word: bytes) -> None:
    """Read until a line begins so."""
    for line in body:
        if line.startswith(word):
            return
    pytest.fail(f"the stream has ended, and {word!r} was not said")


def test_a_session_is_told_of_a_change_and_ends_with_it(
    shop: Site, guest: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(live, "LIFE_SECONDS", 60.0)  # other tests want short ones
    guest.sign_in("viewer")
    connection, body = listen(shop, dict(guest.http.cookies))
    assert body.status == 200
    assert body.getheader("content-type") == "text/event-stream"
    told(body, b"event: changed")
    shop.rich("5")
    told(body, b"event: changed")
    form = guest.made_up("/dashboard/accounts/" + shop.rich("5"))
    guest.send("/dashboard/sign-out", form)
    assert body.read()[-1:] in {b"", b"\n"}
    connection.close()
    connection, body = listen(shop, dict(guest.http.cookies))
    assert body.status == 401
    connection.close()


def test_a_session_that_looks_at_another_book_is_told_of_no_other(
    shop: Site, guest: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(live, "LIFE_SECONDS", 60.0)  # other tests want short ones
    guest.sign_in()
    connection, body = listen(shop, dict(guest.http.cookies))
    told(body, b"event: changed")
    done = guest.send("/dashboard/book", guest.form("/dashboard") | {"book": "test"})
    assert done.status_code == 303
    body.read()
    connection.close()


def test_nobody_listens_without_a_session_and_none_too_often(shop: Site, guest: Browser) -> None:
    for headers in ({}, {"Authorization": f"Bearer {shop.keys['op']}"}):
        refused = httpx2.get(shop.url + STREAM, headers=headers)
        assert refused.status_code == 401
    guest.sign_in()
    cookies = dict(guest.http.cookies)
    open_ = [listen(shop, cookies) for _ in range(live.EACH)]
    assert [body.status for _, body in open_] == [200] * live.EACH
    assert guest.get(STREAM).status_code == 204
    for connection, body in open_:
        body.close()
        connection.close()


def test_pages_say_it_in_both_languages(ann: Browser) -> None:
    for path, words in ((CREDITS, "Bientôt expirés"), (MARGIN, "Aux prix des packs")):
        page = ann.get(path, **{"Accept-Language": "fr"})
        assert page.headers["content-language"] == "fr"
        assert words in page.text


def test_hours_that_are_over_are_added_up_in_the_background(shop: Site) -> None:
    async def keep_up() -> int:
        async with opened(shop) as app:
            await earning.keep_up(app)
            asset = await app.directory.asset(1, "credits")
            return await _until(app, asset.id)

    shop.sql("UPDATE comptoir.books SET created_at = now() - interval '3 days' WHERE id = 1")
    shop.sql("DELETE FROM comptoir.earnings_until")
    [(now,)] = shop.sql("SELECT comptoir.micros(now())")
    assert now - asyncio.run(keep_up()) < 2 * 3600 * SECOND
