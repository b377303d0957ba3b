"""Pages about orders: how far they have come, what is known of one, and what is done about it."""

import re
from html import unescape
from typing import Any

import httpx2
import pytest

from comptoir.domains.stock import overview
from comptoir.web.complaints import Unfit
from comptoir.web.dashboard.order_acts import minor_of
from tests.support.counter import CLEAN, NOWHERE, RESERVATIONS, buy, cart, figures, move, pay, put
from tests.support.operators import Browser, new_id
from tests.support.sandbox import Provider
from tests.support.site import Site, fresh

pytestmark = pytest.mark.pg
EVIL = "<img src=x onerror=alert(1)>"
LIST = "/dashboard/orders"


@pytest.fixture(scope="module")
def site(shop: Site) -> Site:
    return shop


def audited(shop: Site, order: str) -> list[tuple[Any, ...]]:
    return shop.sql(
        "SELECT action, reason, who, account_id IS NOT NULL, figures FROM comptoir.audit"
        " WHERE subject = %s ORDER BY at", f"order:{order}"
    )  # fmt: skip


def form(ann: Browser, path: str, reason: str, **more: str) -> dict[str, str]:
    return ann.form(path) | {"reason": reason} | more


def numbers(page: str) -> list[str]:
    """The orders of a list, by the links to their pages."""
    return re.findall(r'href="/dashboard/orders/([0-9a-f-]{36})"', page)


def reserved(shop: Site, product: str, quantity: int = 1, reference: str | None = None) -> str:
    body = cart(product, quantity, reference=reference or fresh("cart"))
    done = shop.post(RESERVATIONS, body)
    assert done.status_code == 201, done.text
    return done.json()["reservation"]


def overdue(shop: Site, order: str) -> None:
    shop.sql(
        "UPDATE comptoir.orders SET expires_at = now() - interval '1 second' WHERE id = %s", order
    )


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def test_the_list_is_filtered_by_its_address(
    shop: Site, ann: Browser, stripe_here: Provider
) -> None:
    product, other, customer = put(shop, 9), put(shop, 9), fresh("buyer")
    begun = buy(shop, product, 2, customer=customer, email=f"{customer}@example.com")
    sold = buy(shop, other, customer=customer)
    paid = pay(shop, stripe_here, sold)
    aside = reserved(shop, product)
    of_product = f"{LIST}?product={product}"
    assert numbers(ann.get(of_product).text) == [aside, begun["order"]]
    assert numbers(ann.get(f"{of_product}&customer={customer}").text) == [begun["order"]]
    assert numbers(ann.get(f"{LIST}?customer={customer}&status=paid").text) == [sold["order"]]
    page = ann.get(f"{LIST}?customer={customer}")
    assert numbers(page.text) == [sold["order"], begun["order"]]
    words = text_of(page.text)
    for said in (
        paid["order_number"], f"2 × {product} M", "50.00 EUR", "paid, to deliver", "set aside",
        f"{customer}@example.com",
    ):  # fmt: skip
        assert said in words, said
    assert 'class="countdown"' in page.text
    assert "orders and reservations" not in words
    assert numbers(ann.get(f"{LIST}?customer=nobody-at-all").text) == []
    file = ann.get(f"{of_product}&format=csv")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert "live-orders.csv" in file.headers["content-disposition"]
    head, *rows = file.text.strip().split("\r\n")
    assert head.startswith("id,number,reference,sold_by,made_at,customer,email,lines,amount")
    assert [row.split(",")[0] for row in rows] == [aside, begun["order"]]
    assert f",2 × {product} M,5000,eur,reserved," in rows[1]


def test_paid_between(shop: Site, ann: Browser, stripe_here: Provider) -> None:
    customer, product = fresh("buyer"), put(shop, 9)
    ids = [buy(shop, product, n, customer=customer) for n in (1, 2, 3)]
    for each, day in zip(ids, ("2020-01-05", "2020-01-06", "2020-01-07"), strict=True):
        pay(shop, stripe_here, each)
        shop.sql(
            "UPDATE comptoir.payments SET paid_at = %s::timestamptz WHERE id = %s",
            f"{day} 12:00Z", each["order"],
        )  # fmt: skip
    first, second, third = (each["order"] for each in ids)
    for query, expected in (
        ("paid_from=2020-01-06&paid_to=2020-01-06", [second]),
        ("paid_from=2020-01-05&paid_to=2020-01-06", [second, first]),
        ("paid_to=2020-01-07", [third, second, first]),
        ("paid_from=2020-01-08&paid_to=2020-01-09", []),
    ):
        assert numbers(ann.get(f"{LIST}?{query}").text) == expected, query
    page = ann.get(f"{LIST}?paid_from=2020-01-06&customer={customer}").text
    assert numbers(page) == [third, second]


def test_pages_go_on_by_keys(shop: Site, ann: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comptoir.web.dashboard.tables.ROWS", 2)
    product, customer = put(shop, 50), fresh("buyer")
    ids = [buy(shop, product, n, customer=customer)["order"] for n in (1, 2, 3, 4, 5)]

    def walk(query: str) -> list[list[str]]:
        found: list[list[str]] = []
        address = f"{LIST}?{query}"
        for _ in range(9):
            page = ann.get(address).text
            found.append(numbers(page))
            more = re.findall(r'href="([^"]+)" rel="next"', page)
            if not more:
                return found
            address = unescape(more[0])
        raise AssertionError(found)

    newest = ids[::-1]
    pages = [newest[:2], newest[2:4], newest[4:]]
    assert walk(f"customer={customer}") == pages
    assert walk(f"customer={customer}&status=reserved&product={product}") == pages
    # What is rare is looked for a bounded way on each page, and the way goes on.
    monkeypatch.setattr(overview, "LOOKED_AT", 3)
    shop.post(f"/api/orders/{ids[0]}/cancel", {})
    assert walk(f"customer={customer}&status=cancelled") == [[], [ids[0]]]
    kept = reserved(shop, product, 1), reserved(shop, product, 2), reserved(shop, product, 3)
    found: list[str] = []
    address = f"/dashboard/reservations?product={product}"
    while address:
        page = ann.get(address).text
        found += numbers(page)
        more = re.findall(r'href="([^"]+)" rel="next"', page)
        address = unescape(more[0]) if more else ""
    assert sorted(found) == sorted([*ids[1:], *kept])


def test_the_funnel_counts_a_bounded_part(
    shop: Site, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(shop).sign_in()
    browser.send("/dashboard/book", browser.form("/dashboard") | {"book": "test"})
    shop.post("/api/books/test/reset", who="test_op")
    assert "No order here." in browser.get(LIST).text
    product = put(shop, 9, who="test_op")
    for number in range(3):
        done = shop.post(RESERVATIONS, cart(product, reference=f"r{number}"), who="test_op")
        id_ = done.json()["reservation"]
    shop.post(f"{RESERVATIONS}/{id_}/commit", {"order_number": "A-1"}, who="test_op")
    words = text_of(browser.get(LIST).text)
    assert "Begun 3 orders and reservations Paid 1 33 %" in words
    assert "paid, to deliver 1" in words
    assert "set aside 2" in words
    monkeypatch.setattr(overview, "COUNTED", 2)
    words = text_of(browser.get(LIST).text)
    assert "Begun 2+ orders" in words
    assert "the newest 2 of this time" in words
    monkeypatch.undo()
    assert "33 %" in text_of(browser.get(f"{LIST}?window=24h").text)
    browser.http.close()


def test_the_page_of_an_order(shop: Site, ann: Browser, stripe_here: Provider) -> None:
    product, customer = put(shop, 9), fresh("buyer")
    begun = buy(shop, product, 2, customer=customer)
    path = f"{LIST}/{begun['order']}"
    page = ann.get(path)
    words = text_of(page.text)
    for said in ("set aside", "waits for the buyer", begun["payment_intent"], "held +2", "25.00"):
        assert said in words, said
    assert 'hx-trigger="every 30s, changed"' in page.text
    assert 'data-over="time is over"' in page.text
    overdue(shop, begun["order"])
    assert "Its time is over." in ann.get(f"{path}/live").text
    number = pay(shop, stripe_here, begun)["order_number"]
    words = text_of(ann.get(path).text)
    for said in (f"Order {number}", "paid, to deliver", "50.00 EUR", "sold", "9 → 7", "−2"):
        assert said in words, said
    assert shop.get(f"/api/stock/movements?product={product}").json()["items"][0]["id"] in words
    shop.sql(
        "INSERT INTO comptoir.cases (book_id, id, kind, subject, figures)"
        " VALUES (1, %s, 'late-payment', %s, %s)", new_id(), begun["order"],
        f'{{"order": "{begun["order"]}"}}',
    )  # fmt: skip
    assert "#case-" in ann.get(path).text
    assert f'href="{path}"' in ann.get("/dashboard").text


def test_what_may_be_done_comes_with_a_new_state(
    shop: Site, ann: Browser, guest: Browser, stripe_here: Provider
) -> None:
    begun = buy(shop, put(shop, 9), customer=fresh("buyer"))
    path = f"{LIST}/{begun['order']}"
    page = ann.get(path).text
    [asked] = re.findall(r'hx-get="([^"]+)"', page)
    [seen] = re.findall(r'name="seen" value="([^"]+)"', page)
    again = f"{asked}?seen={seen}"
    assert 'id="acts"' not in ann.get(again).text
    pay(shop, stripe_here, begun)
    changed = ann.get(again).text
    assert 'id="acts" hx-swap-oob="outerHTML"' in changed
    assert f'action="{path}/deliver"' in changed
    guest.sign_in("viewer")
    assert 'id="acts"' not in guest.get(again).text


def test_cancelled_once_with_a_reason(shop: Site, ann: Browser) -> None:
    product, customer = put(shop, 5), fresh("buyer")
    order = buy(shop, product, 2, customer=customer)["order"]
    path = f"{LIST}/{order}"
    said = form(ann, path, "changed his mind")
    for _ in range(2):
        done = ann.send(f"{path}/cancel", said)
        assert (done.status_code, done.headers["location"]) == (303, f"{path}?done=cancelled")
    assert figures(shop, product) == (5, 0, 5)
    assert audited(shop, order) == [("cancel-order", "changed his mind", "Ann (admin)", True, {})]
    words = text_of(ann.get(f"{path}?done=cancelled").text)
    assert "is cancelled" in words
    assert "given back" in words
    assert "held −2" in words
    assert shop.post(f"/api/customers/{customer}/erase", {}).status_code == 200
    assert audited(shop, order)[0][1] is None


def test_a_reservation_of_a_caller_is_released(shop: Site, ann: Browser) -> None:
    product = put(shop, 5)
    order = reserved(shop, product, 3, "cart-<b>")
    path = f"{LIST}/{order}"
    page = ann.get(path).text
    assert "Reservation cart-&lt;b&gt;" in page
    assert "sells by himself" in page
    done = ann.send(f"{path}/cancel", form(ann, path, "left"))
    assert done.status_code == 303
    assert figures(shop, product) == (5, 0, 5)
    for what in ("deliver", "refund"):
        refused = ann.send(f"{path}/{what}", ann.form("/dashboard") | {"reason": "x"})
        assert refused.status_code == 409, what
    assert [line[0] for line in audited(shop, order)] == ["cancel-order"]


def test_delivered_and_refunded_once(shop: Site, ann: Browser, stripe_here: Provider) -> None:
    product = put(shop, 5)
    begun = buy(shop, product, 2, customer=fresh("buyer"))
    order, path = begun["order"], f"{LIST}/{begun['order']}"
    early = form(ann, path, "too early")
    for what in ("deliver", "refund", "return"):
        more = {"quantity-1": "1", "quantity-0": "1", "condition-0": "sellable"}
        refused = ann.send(f"{path}/{what}", early | more | {"condition-1": "sellable"})
        assert refused.status_code == 409, what
    assert audited(shop, order) == []
    pay(shop, stripe_here, begun)
    late = ann.send(f"{path}/cancel", form(ann, path, "too late"))
    assert (late.status_code, audited(shop, order)) == (409, [])
    said = form(ann, path, "by post", amount="")
    for _ in range(2):
        assert ann.send(f"{path}/deliver", said).status_code == 303
    said = form(ann, path, "a stain", amount="10,50")
    for _ in range(2):
        done = ann.send(f"{path}/refund", said)
        assert (done.status_code, done.headers["location"]) == (303, f"{path}?done=refunded")
    assert ann.send(f"{path}/refund", said | {"amount": "10.51"}).status_code == 422
    assert shop.sql("SELECT amount, status FROM comptoir.refunds WHERE payment_id = %s", order) == [
        (1050, "succeeded")
    ]
    for wrong in ("-1", "0", "1.234", "x", "1e3", "50.00"):
        refused = ann.send(f"{path}/refund", form(ann, path, "r", amount=wrong))
        assert refused.status_code == 422, wrong
    words = text_of(ann.get(path).text)
    assert "39.50 EUR" in words
    assert "delivered" in words
    assert ann.send(f"{path}/refund", form(ann, path, "the rest")).status_code == 303
    done = ann.send(f"{path}/refund", ann.form("/dashboard") | {"reason": "more"})
    assert done.status_code == 409
    assert "refunded" in text_of(ann.get(path).text)
    assert figures(shop, product) == (3, 0, 3)
    assert [line[:2] for line in audited(shop, order)] == [
        ("deliver-order", "by post"), ("refund-order", "a stain"), ("refund-order", "the rest"),
    ]  # fmt: skip
    assert audited(shop, order)[1][4] == {"amount": 1050}


def test_goods_come_back_line_by_line(shop: Site, ann: Browser, stripe_here: Provider) -> None:
    product = put(shop, 5)
    begun = buy(shop, product, 3, customer=fresh("buyer"))
    order, path = begun["order"], f"{LIST}/{begun['order']}"
    pay(shop, stripe_here, begun)
    [no] = re.findall(r'name="quantity-(\d+)"', ann.get(path).text)
    whole = {f"quantity-{no}": "1", f"condition-{no}": "sellable", "refund": "yes"}
    said = form(ann, path, "too small", **whole)
    for _ in range(2):
        done = ann.send(f"{path}/return", said)
        assert (done.status_code, done.headers["location"]) == (303, f"{path}?done=returned")
    assert figures(shop, product) == (3, 0, 3)
    torn = {f"quantity-{no}": "1", f"condition-{no}": "damaged", "refund": "no"}
    assert ann.send(f"{path}/return", form(ann, path, "torn", **torn)).status_code == 303
    assert figures(shop, product) == (3, 0, 3)
    kept = whole | {"refund": "no"}
    assert ann.send(f"{path}/return", form(ann, path, "paid in cash", **kept)).status_code == 303
    assert figures(shop, product) == (4, 0, 4)
    assert shop.sql("SELECT amount FROM comptoir.refunds WHERE payment_id = %s", order) == [(2500,)]
    for wrong in ({f"quantity-{no}": "1"}, {f"quantity-{no}": "-1"}, {}, {"quantity-9": "1"}):
        sent = ann.form("/dashboard") | {"reason": "x", f"condition-{no}": "sellable"} | wrong
        assert ann.send(f"{path}/return", sent).status_code == 422, wrong
    page = ann.get(path).text
    assert text_of(page).count("came back") == 2
    assert "paid in cash" in page
    assert f'action="{path}/return"' not in page


@pytest.mark.parametrize("role", ["viewer", "support"])
def test_whoever_may_only_look_sees_no_form(shop: Site, guest: Browser, role: str) -> None:
    order = buy(shop, put(shop, 5), customer=fresh("buyer"))["order"]
    path = f"{LIST}/{order}"
    guest.sign_in(role)
    page = guest.get(path).text
    assert (f'action="{path}/cancel"' in page) is (role == "support")
    csrf = re.findall('name="csrf" value="([^"]+)"', page)[0]
    said = {"csrf": csrf, "key": "k" * 20, "reason": "r"}
    expected = 303 if role == "support" else 403
    assert guest.send(f"{path}/cancel", said).status_code == expected
    status = "cancelled" if role == "support" else "reserved"
    assert shop.get(f"/api/orders/{order}").json()["status"] == status
    if role == "viewer":
        for what in ("refund", "deliver", "return"):
            assert guest.send(f"{path}/{what}", said).status_code == 403


def test_books_do_not_meet(shop: Site, ann: Browser) -> None:
    product = put(shop, 5, who="test_op")
    order = buy(shop, product, who="test_svc", customer=fresh("buyer"))["order"]
    for id_ in (order, NOWHERE, "x", "%00"):
        path = f"{LIST}/{id_}"
        assert ann.get(path).status_code == 404
        assert ann.get(f"{path}/live").status_code == 404
        sent = ann.form("/dashboard") | {"reason": "x", "quantity-0": "1"}
        for what in ("cancel", "refund", "deliver", "return"):
            assert ann.send(f"{path}/{what}", sent).status_code == 404, what
    assert audited(shop, order) == []
    assert order not in ann.get(f"{LIST}?window=all").text
    assert order not in ann.get("/dashboard/reservations").text


def test_nobodys_text_is_markup(shop: Site, ann: Browser, stripe_here: Provider) -> None:
    customer, product = EVIL + fresh(), put(shop, 9, name=EVIL)
    begun = buy(shop, product, customer=customer, email="a@example.com")
    aside = reserved(shop, product, 1, EVIL)
    shop.sql("UPDATE comptoir.orders SET email = %s WHERE id = %s", EVIL, begun["order"])
    path = f"{LIST}/{begun['order']}"
    pay(shop, stripe_here, begun)
    assert ann.send(f"{path}/refund", form(ann, path, EVIL, amount="1")).status_code == 303
    shop.sql("UPDATE comptoir.payments SET error = %s WHERE id = %s", EVIL, begun["order"])
    shop.sql(
        "INSERT INTO comptoir.cases (book_id, id, kind, subject, closed_at, closed_by, note)"
        " VALUES (1, %s, 'refund-refused', %s, now(), %s, %s)", new_id(), begun["order"], EVIL, EVIL
    )  # fmt: skip
    shown = 0
    for address in (
        path, f"{path}/live", f"{LIST}?product={product}", f"{LIST}/{aside}",
        f"/dashboard/reservations?product={product}", f"/dashboard/stock/{product}",
        f"{LIST}?customer={EVIL}&product={EVIL}&status={EVIL}&paid_from={EVIL}",
        f"/dashboard/reservations?product={EVIL}", f"{path}?done={EVIL}&line={EVIL}",
    ):  # fmt: skip
        page = ann.get(address)
        assert page.status_code == 200, (address, page.text)
        assert "<img" not in page.text, address
        shown += "&lt;img" in page.text
    assert shown == 9


@pytest.mark.parametrize(
    "query",
    [
        "status=lost", "window=1y", "after=x", "after=1.x", "after=.", "paid_from=2020-02-30",
        "paid_from=0001-01-01", "paid_to=9999-12-31", "paid_from=10000-01-01", "customer=%00",
        "product=%00", "after=99999999999999999999." + NOWHERE, "after=-1." + NOWHERE,
        "after=4503599627370495." + NOWHERE, "customer=" + "a" * 3000,
        "paid_from=2020-01-01&after=999999999999999999." + NOWHERE,
        "paid_from=2020-01-01&after=0." + NOWHERE,
    ],
)  # fmt: skip
def test_a_bad_query_does_no_harm(ann: Browser, query: str) -> None:
    for path in (LIST, "/dashboard/reservations"):
        for more in ("", "&format=csv"):
            page = ann.get(f"{path}?{query}{more}")
            assert page.status_code == 200, (path, query, page.text)
    line = "after=1." + NOWHERE + "."
    for no in ("", "x", "-1", "99999999999"):
        assert ann.get(f"/dashboard/reservations?{line}{no}").status_code == 200
    assert ann.get(f"/dashboard/webhooks?type=%00{query}").status_code == 200


@pytest.mark.parametrize("language", ["en", "fr"])
def test_in_both_languages(shop: Site, ann: Browser, stripe_here: Provider, language: str) -> None:
    product = put(shop, 5)
    begun = buy(shop, product, customer=fresh("buyer"))
    path = f"{LIST}/{begun['order']}"
    words = {"en": ("Orders", "Cancel the order"), "fr": ("Commandes", "Annuler la commande")}
    heading, act = words[language]
    said = {"Accept-Language": language}
    assert f"<h1>{heading}</h1>" in ann.get(LIST, **said).text
    assert act in ann.get(path, **said).text
    pay(shop, stripe_here, begun)
    for address in (LIST, path, "/dashboard/reservations"):
        page = ann.get(address, **said)
        assert page.headers["content-language"] == language
        left = re.findall(
            r"\b(?:status|orders|order|paying|refund|story|act|window)\.[a-z-]+", page.text
        )
        assert left == [], address


def test_search_leads_to_an_order(shop: Site, ann: Browser, stripe_here: Provider) -> None:
    product = put(shop, 9)
    begun = buy(shop, product, who=None)
    number = pay(shop, stripe_here, begun)["order_number"]
    page = f"{LIST}/{begun['order']}"
    done = ann.send(f"{page}/refund", form(ann, page, "r", amount="5"))
    assert done.status_code == 303
    [(refund,)] = shop.sql(
        "SELECT provider_id FROM comptoir.refunds WHERE payment_id = %s", begun["order"]
    )
    shop.sql(
        "INSERT INTO comptoir.disputes (book_id, provider_id, payment_id, amount, status)"
        " VALUES (1, 'du_ours', %s, 5, 'lost')", begun["order"]
    )  # fmt: skip
    aside = reserved(shop, product)
    for said, place in (
        (number, page), (begun["order"], page), (begun["payment_intent"], page), (refund, page),
        ("du_ours", page), (aside, f"{LIST}/{aside}"), ("pi_nobody", None),
    ):  # fmt: skip
        found: httpx2.Response = ann.http.get(f"{shop.url}/dashboard/search", params={"q": said})
        assert found.headers["location"] == (place or "/dashboard/accounts?q=pi_nobody"), said


def test_what_is_set_aside_of_a_product_is_all_of_it(
    shop: Site, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comptoir.web.dashboard.goods._RESERVED", 1)
    other, product = put(shop, 5), put(shop, 7)
    first = reserved(shop, other)
    shop.sql("UPDATE comptoir.orders SET expires_at = now() + '1 second' WHERE id = %s", first)
    mine = reserved(shop, product, 2)
    page = ann.get(f"/dashboard/stock/{product}").text
    assert "7 − 2 = 5" in page
    assert numbers(page) == [mine]
    assert 'class="countdown"' in page
    file = ann.get(f"/dashboard/reservations?product={product}&format=csv")
    assert "live-reservations.csv" in file.headers["content-disposition"]
    [_, row] = file.text.strip().split("\r\n")
    assert row.startswith(f"{mine},cart-")
    assert f",{product},M,2,,," in row
    stock = text_of(ann.get("/dashboard/stock").text)
    assert "On hand − held = available" in stock


def test_an_expired_reservation_says_so(shop: Site, ann: Browser) -> None:
    product = put(shop, 5)
    order = reserved(shop, product)
    overdue(shop, order)
    path = f"{LIST}/{order}"
    assert "time is over" in text_of(ann.get(path).text)
    assert shop.post(CLEAN, {}).status_code == 200
    assert "expired" in text_of(ann.get(f"{path}/live").text)
    assert move(shop, product, 1).status_code == 201


@pytest.mark.parametrize(
    ("said", "minor"), [("1", 100), ("0,5", 50), ("12.34", 1234), ("0", 0), ("0000000001", 100)]
)
def test_sums_as_people_write_them(said: str, minor: int) -> None:
    assert minor_of(said) == minor


@pytest.mark.parametrize("said", ["", ".5", "1.", "1,234", "-1", "+1", "1 000", "\u0661", "1.2.3"])
def test_what_is_no_sum(said: str) -> None:
    with pytest.raises(Unfit):
        minor_of(said)
