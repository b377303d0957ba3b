"""Checkout over HTTP: what is begun, what is refused, and for whom."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.counter import (
    FRENCH,
    INTENT,
    LINE,
    MOVEMENTS,
    ORDER,
    RESERVATIONS,
    SESSION,
    buy,
    cart,
    check,
    environment,
    figures,
    items,
    move,
    put,
    token,
)
from tests.support.postgres import Cluster
from tests.support.sandbox import Provider
from tests.support.site import Site, fresh, serving

pytestmark = pytest.mark.pg


def test_a_payment_intent(shop: Site, stripe_here: Provider) -> None:
    product, customer = put(shop, 5), fresh("buyer")
    begun = buy(shop, product, 2, customer=customer, email="buyer@example.com")
    assert set(begun) == {
        "order", "order_number", "payment_intent", "client_secret", "amount", "currency",
        "expires_at",
    }  # fmt: skip
    assert (begun["order_number"], begun["amount"], begun["currency"]) == (None, 5000, "eur")
    intent = stripe_here.v1.payment_intents.retrieve(begun["payment_intent"])
    assert (intent.amount, intent.client_secret) == (5000, begun["client_secret"])
    assert intent.receipt_email == "buyer@example.com"
    order = shop.get(f"/api/orders/{begun['order']}", who="svc").json()
    assert set(order) == ORDER
    del order["created_at"]
    assert order == {
        "id": begun["order"], "order_number": None, "status": "reserved", "customer": customer,
        "email": "buyer@example.com", "amount": 5000, "currency": "eur",
        "payment_intent": begun["payment_intent"], "expires_at": begun["expires_at"],
        "paid_at": None, "fulfilled_at": None,
        "items": [
            {
                "product": product, "size": "M", "quantity": 2, "unit_amount": 2500,
                "amount": 5000, "returned": 0,
            }
        ],
    }  # fmt: skip


def test_a_session(shop: Site) -> None:
    product, customer = put(shop, 5), fresh("buyer")
    body = cart(product, customer=customer, success_url="https://shop.example.com/thanks")
    made = shop.post(SESSION, body, who=token(shop, customer))
    assert made.status_code == 201, made.text
    begun = made.json()
    assert set(begun) == {
        "order", "order_number", "checkout_url", "amount", "currency", "expires_at",
    }  # fmt: skip
    assert begun["checkout_url"].startswith("http")
    order = shop.get(f"/api/orders/{begun['order']}").json()
    assert (order["payment_intent"], order["status"]) == (None, "reserved")
    bad = shop.post(SESSION, body | {"success_url": "ftp://x"}, who="svc")
    check(bad, 422, "validation-failed")
    check(shop.post(INTENT, body, who="svc"), 422, "validation-failed")


def test_the_same_line_twice_is_one(shop: Site) -> None:
    product = put(shop, 5)
    twice = {"items": [{"product": product, "size": "M", "quantity": n} for n in (1, 2)]}
    begun = shop.post(INTENT, twice, who=None).json()
    assert begun["amount"] == 7500
    [line] = shop.get(f"/api/orders/{begun['order']}").json()["items"]
    assert (set(line), line["quantity"]) == (LINE, 3)
    short = shop.post(INTENT, twice, who=None)
    assert check(short, 400, "insufficient-stock")["wanted"] == 3


def test_a_checkout_is_begun_once(shop: Site) -> None:
    product, customer, key = put(shop, 5), fresh("buyer"), fresh("key")
    first = shop.post(INTENT, cart(product, customer=customer), who="svc", key=key)
    again = shop.post(INTENT, cart(product, customer=customer), who="svc", key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    for change, field in (
        (cart(product, 2, customer=customer), "items"),
        (cart(product, customer=fresh("buyer")), "customer"),
        (cart(product, customer=customer, email="a@example.com"), "email"),
        (cart(product, customer=customer, on_payment_failed="cancel"), "on_payment_failed"),
    ):
        other = shop.post(INTENT, change, who="svc", key=key)
        assert check(other, 422, "idempotency-key-reused")["field"] == field
    assert figures(shop, product) == (5, 1, 4)
    # A key is its customer's own, and a stranger's is never the seller's.
    mine = shop.post(INTENT, cart(product, 2), who=token(shop, customer), key=key)
    theirs = shop.post(INTENT, cart(product), who=None, key=key)
    assert len({first.json()["order"], mine.json()["order"], theirs.json()["order"]}) == 3


def test_insufficient_stock(shop: Site, only_one: str, stripe_here: Provider) -> None:
    stock, orders = figures(shop, only_one), shop.sql("SELECT count(*) FROM comptoir.orders")
    asked = len(stripe_here.v1.payment_intents.list({"limit": 100}).data)
    for wished, available, wanted in (
        ([(only_one, "M", 2)], 1, (only_one, "M", 2)),
        ([(only_one, "XXL", 1)], 0, (only_one, "XXL", 1)),
        ([("NOPE", "M", 1)], 0, ("NOPE", "M", 1)),
        ([("no such/thing:at all", "4:2", 1)], 0, ("no such/thing:at all", "4:2", 1)),
        ([(only_one, "M", 1), ("NOPE", "M", 3)], 0, ("NOPE", "M", 3)),
    ):
        names = ("product", "size", "quantity")
        body = {"items": [dict(zip(names, each, strict=True)) for each in wished]}
        refused = shop.post(INTENT, body, who=None, headers=FRENCH)
        problem = check(refused, 400, "insufficient-stock")
        assert problem["title"] == "Stock insuffisant"
        assert problem["available"] == available
        assert (problem["product"], problem["size"], problem["wanted"]) == wanted
    assert len(stripe_here.v1.payment_intents.list({"limit": 100}).data) == asked
    assert (figures(shop, only_one), shop.sql("SELECT count(*) FROM comptoir.orders")) == (
        stock, orders,
    )  # fmt: skip


def test_a_refusal_is_kept_under_its_key(shop: Site) -> None:
    product, key, customer = put(shop, 0), fresh("key"), fresh("buyer")
    body = cart(product, customer=customer)
    first = shop.post(INTENT, body, who="svc", key=key)
    assert check(first, 400, "insufficient-stock")["retry"] == "new-key"
    assert "idempotent-replayed" not in first.headers
    move(shop, product, 5)
    again = shop.post(INTENT, body, who="svc", key=key)
    assert check(again, 400, "insufficient-stock") == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert shop.post(INTENT, body, who="svc").status_code == 201


BAD_CARTS: list[tuple[str, dict[str, Any], str]] = [
    ("quantity 0", items(quantity=0), "items[0].quantity"),
    ("quantity -1", items(quantity=-1), "items[0].quantity"),
    ("quantity 2^40", items(quantity=2**40), "items[0].quantity"),
    ("quantity 1.5", items(quantity=1.5), "items[0].quantity"),
    ("quantity 1.0", items(quantity=1.0), "items[0].quantity"),
    ("quantity text", items(quantity="2"), "items[0].quantity"),
    ("quantity true", items(quantity=True), "items[0].quantity"),
    ("quantity null", items(quantity=None), "items[0].quantity"),
    ("size number", items(size=42), "items[0].size"),
    ("size empty", items(size=""), "items[0].size"),
    ("size nul", items(size="M\x00"), "items[0].size"),
    ("product object", items(product={"id": "TEE"}), "items[0].product"),
    ("price of the client", items(price=1), "items[0].price"),
    ("unit_amount of the client", items(unit_amount=1), "items[0].unit_amount"),
    ("amount of the client", items() | {"amount": 1}, "amount"),
    ("currency of the client", items() | {"currency": "usd"}, "currency"),
    ("no items", {"items": []}, "items"),
    ("nothing", {}, "items"),
    ("items as object", {"items": {}}, "items"),
    ("101 lines", {"items": items()["items"] * 101}, "items"),
    ("10,000 lines", {"items": items()["items"] * 10_000}, "items"),
    ("more than anybody sells", {"items": items(quantity=999_999)["items"] * 2}, "items"),
    ("email", items() | {"email": "nobody"}, "email"),
    ("on_payment_failed", items() | {"on_payment_failed": "cry"}, "on_payment_failed"),
]  # fmt: skip


@pytest.mark.parametrize("path", [INTENT, SESSION], ids=["intent", "session"])
@pytest.mark.parametrize(
    ("body", "field"), [row[1:] for row in BAD_CARTS], ids=[row[0] for row in BAD_CARTS]
)
def test_bad_carts(unsold: Site, path: str, body: dict[str, Any], field: str) -> None:
    problem = check(unsold.post(path, body, who="svc"), 422, "validation-failed")
    assert field in [each["field"] for each in problem["errors"]]


def test_a_cart_in_two_currencies(shop: Site) -> None:
    euros, dollars = put(shop), put(shop, price={"amount": 5, "currency": "usd"})
    both = {"items": [*cart(euros)["items"], *cart(dollars)["items"]]}
    refused = shop.post(INTENT, both, who=None, headers=FRENCH)
    problem = check(refused, 422, "validation-failed")
    assert problem["errors"][0]["code"] == "currencies-differ"
    assert "plusieurs devises" in problem["errors"][0]["message"]
    assert figures(shop, euros) == (5, 0, 5)


# Who


def test_guests(shop: Site, unsold: Site, only_one: str) -> None:
    body = cart(only_one, customer="somebody")
    check(shop.post(INTENT, body, who=None), 401, "unauthorized")
    check(shop.post(SESSION, body, who=None), 401, "unauthorized")
    check(shop.post(INTENT, cart(only_one), who="ck_live_svc_wrong"), 401, "unauthorized")
    check(shop.get("/api/stock/products", who="ck_live_svc_wrong"), 401, "unauthorized")
    check(shop.get("/api/orders", who=None), 401, "unauthorized")
    check(shop.post(RESERVATIONS, body, who=None), 401, "unauthorized")
    check(shop.get(MOVEMENTS, who=None), 401, "unauthorized")


def test_a_guest_buys_without_a_key(shop: Site) -> None:
    product = put(shop, 5)
    made = shop.http.post(shop.url + INTENT, json=cart(product, email="guest@example.com"))
    assert made.status_code == 201, made.text
    begun = made.json()
    assert figures(shop, product, who=None) == (5, 1, 4)
    address = f"/api/orders/{begun['order']}"
    secret = begun["client_secret"]
    seen = shop.get(f"{address}?client_secret={secret}", who=None).json()
    assert (set(seen), seen["status"], seen["customer"]) == (ORDER, "reserved", None)
    assert seen["email"] is None, "what opens it may stand in an address"
    assert shop.get(address, who="svc").json()["email"] == "guest@example.com"
    other = buy(shop, product, who=None)["client_secret"]
    for wrong in ("", "?client_secret=x", f"?client_secret={other}"):
        check(shop.get(address + wrong, who=None), 404, "order-not-found")
    for body in ({}, {"client_secret": other}):
        check(shop.post(f"{address}/cancel", body, who=None), 404, "order-not-found")
    done = shop.post(f"{address}/cancel", {"client_secret": secret}, who=None)
    assert (done.status_code, done.json()["status"]) == (200, "cancelled")
    assert (set(done.json()), done.json()["email"]) == (ORDER, None)
    assert figures(shop, product) == (5, 1, 4)


def test_where_guests_are_not_admitted(
    cluster: Cluster, tmp_path: Path, stripe_here: Provider
) -> None:
    said: dict[str, Any] = environment(stripe_here) | {
        "COMPTOIR_GUEST_CHECKOUT": "off", "RATE_LIMIT_CLIENT": "3/60",
        "STOCK_RESERVATION_MINUTES": "5",
    }  # fmt: skip
    with cluster.database() as database, serving(database, tmp_path / "home", **said) as shop:
        product = put(shop)
        check(shop.post(INTENT, cart(product), who=None), 401, "unauthorized")
        check(shop.post(SESSION, cart(product), who=None), 401, "unauthorized")
        assert shop.get("/api/stock/products", who=None).headers["x-ratelimit-remaining"] == "0"
        check(shop.get("/api/stock/products", who=None), 429, "rate-limited")
        begun = buy(shop, product, customer="ada")
        [order] = shop.get("/api/orders").json()["items"]
        assert order["id"] == begun["order"]
        assert order["expires_at"][:16] > order["created_at"][:16]
        minutes = shop.sql(
            "SELECT extract(epoch FROM expires_at - created_at) / 60 FROM comptoir.orders"
        )
        assert minutes[0][0] == 5


def test_a_customer_has_his_own(shop: Site) -> None:
    product, ada, bob = put(shop, 9), fresh("ada"), fresh("bob")
    tokens = {each: token(shop, each) for each in (ada, bob)}
    orders = {
        each: buy(shop, product, who=tokens[each], email=f"{each}@example.com")["order"]
        for each in (ada, bob)
    }
    foreign = shop.post(INTENT, cart(product, customer=bob), who=tokens[ada])
    check(foreign, 404, "unknown-customer")
    missing = shop.http.post(
        shop.url + INTENT, json=cart(product),
        headers={"Authorization": f"Bearer {tokens[ada]}"},
    )  # fmt: skip
    check(missing, 400, "idempotency-key-missing")
    for query in ("", f"?customer={ada}"):
        [own] = shop.get(f"/api/orders{query}", who=tokens[ada]).json()["items"]
        assert (own["id"], own["email"]) == (orders[ada], f"{ada}@example.com")
    check(shop.get(f"/api/orders?customer={bob}", who=tokens[ada]), 404, "unknown-customer")
    check(shop.get(f"/api/orders/{orders[bob]}", who=tokens[ada]), 404, "order-not-found")
    refused = shop.post(f"/api/orders/{orders[bob]}/cancel", {}, who=tokens[ada])
    check(refused, 404, "order-not-found")
    done = shop.post(f"/api/orders/{orders[bob]}/cancel", who=tokens[bob])
    assert done.json()["status"] == "cancelled"


def test_books_do_not_meet(shop: Site) -> None:
    product = put(shop, 5, who="test_op")
    order = buy(shop, product, who="test_svc", customer=fresh("buyer"))["order"]
    check(shop.get(f"/api/stock/products/{product}"), 404, "unknown-product")
    check(shop.get(f"/api/stock/products/{product}", who=None), 404, "unknown-product")
    refused = shop.post(INTENT, cart(product), who=None)
    assert check(refused, 400, "insufficient-stock")["available"] == 0
    assert shop.get(f"{MOVEMENTS}?product={product}").json()["items"] == []
    back = {"lines": cart(product)["items"], "reason": "x"}
    check(shop.get(f"/api/orders/{order}"), 404, "order-not-found")
    check(shop.post(f"/api/orders/{order}/cancel"), 404, "order-not-found")
    check(shop.post(f"/api/orders/{order}/fulfil"), 404, "order-not-found")
    check(shop.post(f"/api/orders/{order}/return", back), 404, "order-not-found")
    assert order not in shop.get("/api/orders?limit=100").text
