"""Products, movements and reservations over HTTP: every field, every refusal."""

from typing import Any

import pytest

from comptoir.web import watching
from tests.support.counter import (
    CLEAN,
    FRENCH,
    INTENT,
    MOVEMENT,
    MOVEMENTS,
    NOWHERE,
    RESERVATIONS,
    buy,
    cart,
    check,
    figures,
    move,
    put,
)
from tests.support.site import Site, fresh

pytestmark = pytest.mark.pg


def test_a_product(shop: Site) -> None:
    product = put(shop, 10, low=5)
    buy(shop, product, 2, customer=fresh("buyer"))
    found = shop.get(f"/api/stock/products/{product}").json()
    assert found == {
        "product": product,
        "name": "T-shirt",
        "price": {"amount": 2500, "currency": "eur"},
        "on_refund": "restock",
        "sizes": [
            {
                "size": "M", "stock": 10, "reserved_stock": 2, "available_stock": 8,
                "low_stock_threshold": 5, "is_low_stock": False,
            }
        ],
    }  # fmt: skip
    move(shop, product, -3, "adjustment")
    [size] = shop.get(f"/api/stock/products/{product}").json()["sizes"]
    assert (size["available_stock"], size["is_low_stock"]) == (5, True)


def test_a_product_is_changed(shop: Site) -> None:
    product = put(shop, 3)
    terms = {
        "name": "Polo", "price": {"amount": 3100, "currency": "usd"}, "on_refund": "keep",
        "sizes": [{"size": "L"}, {"size": "M", "low_stock_threshold": 7}],
    }  # fmt: skip
    done = shop.call("PUT", f"/api/stock/products/{product}", terms).json()
    assert (done["name"], done["price"], done["on_refund"]) == ("Polo", terms["price"], "keep")
    assert [(each["size"], each["stock"]) for each in done["sizes"]] == [("L", 0), ("M", 3)]
    assert [each["is_low_stock"] for each in done["sizes"]] == [True, True]
    assert buy(shop, product, customer=fresh("buyer"))["currency"] == "usd"
    gone = shop.call("PUT", f"/api/stock/products/{product}", terms | {"sizes": []}).json()
    assert gone["sizes"] == []
    refused = shop.post(INTENT, cart(product), who=None)
    assert check(refused, 400, "insufficient-stock")["available"] == 0


def test_products_are_listed_by_name(shop: Site) -> None:
    products = sorted(put(shop, 0, who="test_op") for _ in range(5))
    listed: list[str] = []
    cursor = ""
    for _ in range(9):
        page = shop.get(f"/api/stock/products?limit=2{cursor}", who="test_svc").json()
        assert set(page) == {"items", "next_cursor"}
        listed += [each["product"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [each for each in listed if each in products] == products
    assert listed == sorted(set(listed))
    whole = shop.get("/api/stock/products?limit=100", who=None).json()["items"]
    assert not {each["product"] for each in whole} & {*products}, "strangers see the live book"


TERMS: dict[str, Any] = {
    "name": "T-shirt", "price": {"amount": 2500, "currency": "eur"}, "sizes": [{"size": "M"}],
}  # fmt: skip
BAD_TERMS: list[tuple[str, str, dict[str, Any], str]] = [
    ("no name", "TEE", {"name": ""}, "name"),
    ("free", "TEE", {"price": {"amount": 0, "currency": "eur"}}, "price.amount"),
    ("price as text", "TEE", {"price": {"amount": "5", "currency": "eur"}}, "price.amount"),
    ("price of parts", "TEE", {"price": {"amount": 1.5, "currency": "eur"}}, "price.amount"),
    ("currency", "TEE", {"price": {"amount": 5, "currency": "EUR"}}, "price.currency"),
    ("no price", "TEE", {"price": None}, "price"),
    ("threshold", "TEE", {"sizes": [{"size": "M", "low_stock_threshold": -1}]},
     "sizes[0].low_stock_threshold"),
    ("stock is no term", "TEE", {"sizes": [{"size": "M", "stock": 5}]}, "sizes[0].stock"),
    ("colon", "TEE", {"sizes": [{"size": "M:L"}]}, "sizes[0].size"),
    ("empty size", "TEE", {"sizes": [{"size": ""}]}, "sizes[0].size"),
    ("long size", "TEE", {"sizes": [{"size": "x" * 41}]}, "sizes[0].size"),
    ("invisible", "TEE", {"sizes": [{"size": "M\u200b"}]}, "sizes[0].size"),
    ("twice", "TEE", {"sizes": [{"size": "M"}, {"size": "M"}]}, "sizes"),
    ("10,000 sizes", "TEE", {"sizes": [{"size": str(n)} for n in range(10_000)]}, "sizes"),
    ("on_refund", "TEE", {"on_refund": "burn"}, "on_refund"),
    ("name with colon", "A:B", {}, "product"),
    ("name with space", "A%20B", {}, "product"),
    ("long name", "x" * 65, {}, "product"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("product", "change", "field"), [r[1:] for r in BAD_TERMS], ids=[r[0] for r in BAD_TERMS]
)
def test_bad_terms(unsold: Site, product: str, change: dict[str, Any], field: str) -> None:
    refused = unsold.call("PUT", f"/api/stock/products/{product}", TERMS | change)
    problem = check(refused, 422, "validation-failed")
    assert field in [each["field"] for each in problem["errors"]]


# Movements


def test_movements(shop: Site) -> None:
    product = put(shop, 10)
    body = {
        "product": product, "size": "M", "type": "return", "quantity": 2, "reason": "Unopened",
        "reference": "slip-7",
    }  # fmt: skip
    made = shop.post(MOVEMENTS, body)
    assert (made.status_code, set(made.json())) == (201, {"movement"})
    movement = made.json()["movement"]
    assert set(movement) == MOVEMENT
    del movement["id"], movement["date"]
    assert movement == {
        "product": product, "size": "M", "type": "return", "quantity": 2, "stock_before": 10,
        "stock_after": 12, "reason": "Unopened", "reference": "slip-7", "order_reference": None,
    }  # fmt: skip
    assert move(shop, product, -4, "adjustment").json()["movement"]["stock_after"] == 8
    page = shop.get(f"{MOVEMENTS}?product={product}&size=M&limit=2").json()
    rest = shop.get(f"{MOVEMENTS}?product={product}&size=M&limit=2&cursor={page['next_cursor']}")
    listed = [*page["items"], *rest.json()["items"]]
    assert rest.json()["next_cursor"] is None
    assert [(each["type"], each["quantity"]) for each in listed] == [
        ("adjustment", -4), ("return", 2), ("restock", 10),
    ]  # fmt: skip
    assert all(set(each) == MOVEMENT for each in listed)
    assert shop.get(f"{MOVEMENTS}?product={product}&size=L").json()["items"] == []


def test_a_movement_is_made_once(shop: Site) -> None:
    product, key = put(shop, 0), fresh("key")
    first = move(shop, product, 7, key=key)
    again = move(shop, product, 7, key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    other = check(move(shop, product, 8, key=key), 422, "idempotency-key-reused")
    assert other["field"] == "quantity"
    assert figures(shop, product) == (7, 0, 7)
    missing = move(shop, product, 1, headers={"Idempotency-Key": ""})
    check(missing, 400, "idempotency-key-missing")


def test_more_than_there_is_cannot_go(shop: Site) -> None:
    product, key = put(shop, 3), fresh("key")
    refused = move(shop, product, -4, "adjustment", key=key)
    problem = check(refused, 400, "insufficient-stock")
    told = {name: problem[name] for name in ("product", "size", "wanted", "available", "retry")}
    assert told == {
        "product": product, "size": "M", "wanted": 4, "available": 3, "retry": "new-key",
    }  # fmt: skip
    move(shop, product, 10)
    again = move(shop, product, -4, "adjustment", key=key, headers=FRENCH)
    assert check(again, 400, "insufficient-stock")["title"] == "Stock insuffisant"
    assert again.headers["idempotent-replayed"] == "true"
    assert figures(shop, product) == (13, 0, 13)


@pytest.mark.parametrize(
    ("quantity", "type_"),
    [
        (0, "restock"), (0, "adjustment"), (-1, "restock"), (-1, "return"), (1.5, "restock"),
        (2**40, "restock"), (-(2**40), "adjustment"), ("2", "restock"), (True, "restock"),
        (None, "restock"), (5.0, "adjustment"),
    ],
)  # fmt: skip
def test_bad_quantities_of_movements(
    unsold: Site, only_one: str, quantity: object, type_: str
) -> None:
    problem = check(move(unsold, only_one, quantity, type_), 422, "validation-failed")
    assert [each["field"] for each in problem["errors"]] == ["quantity"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "sale"}, "type"), ({"type": "theft"}, "type"), ({"reason": ""}, "reason"),
        ({"reason": None}, "reason"), ({"reference": "x" * 201}, "reference"),
        ({"product": ""}, "product"), ({"size": 42}, "size"), ({"order": "x"}, "order"),
    ],
)  # fmt: skip
def test_bad_movements(unsold: Site, only_one: str, change: dict[str, Any], field: str) -> None:
    body = {
        "product": only_one, "size": "M", "type": "restock", "quantity": 1, "reason": "x",
    } | change  # fmt: skip
    problem = check(unsold.post(MOVEMENTS, body), 422, "validation-failed")
    assert field in [each["field"] for each in problem["errors"]]


def test_movements_of_what_is_not_sold(unsold: Site, only_one: str) -> None:
    problem = check(move(unsold, "NOPE", 1), 404, "unknown-product")
    assert problem["product"] == "NOPE"
    body = {"product": only_one, "size": "XXL", "type": "restock", "quantity": 1, "reason": "x"}
    refused = unsold.post(MOVEMENTS, body, headers=FRENCH)
    assert check(refused, 404, "unknown-size")["detail"].endswith("n'existe pas en taille XXL.")


# Reservations


def test_a_reservation_is_sold(shop: Site) -> None:
    product = put(shop, 5)
    key, body = fresh("key"), cart(product, 2, reference="cart-9", minutes=45)
    made = shop.post(RESERVATIONS, body, who="svc", key=key)
    assert (made.status_code, set(made.json())) == (201, {"reservation", "expires_at"})
    again = shop.post(RESERVATIONS, body, who="svc", key=key)
    assert (again.json(), again.headers["idempotent-replayed"]) == (made.json(), "true")
    other = shop.post(RESERVATIONS, body | {"reference": "cart-10"}, who="svc", key=key)
    check(other, 422, "idempotency-key-reused")
    assert figures(shop, product) == (5, 2, 3)
    address = f"{RESERVATIONS}/{made.json()['reservation']}"
    assert shop.get(address, who="svc").json() == made.json() | {
        "status": "reserved", "reference": "cart-9", "order_number": None,
        "items": [{"product": product, "size": "M", "quantity": 2}],
    }  # fmt: skip
    for _ in range(2):
        sold = shop.post(f"{address}/commit", {"order_number": "A-17"}, who="svc").json()
        assert (sold["status"], sold["order_number"]) == ("paid", "A-17")
    assert figures(shop, product) == (3, 0, 3)
    refused = shop.post(f"{address}/commit", {"order_number": "A-18"}, who="svc")
    assert check(refused, 409, "reservation-committed")["order_number"] == "A-17"
    check(shop.post(f"{address}/release", who="svc"), 409, "reservation-committed")
    [sale, _] = shop.get(f"{MOVEMENTS}?product={product}").json()["items"]
    assert (sale["type"], sale["quantity"], sale["order_reference"]) == ("sale", -2, "A-17")
    assert sale["reason"] == "Vente - Commande A-17"
    missing = shop.get(f"/api/orders/{made.json()['reservation']}")
    check(missing, 404, "order-not-found")


def test_a_reservation_is_released(shop: Site) -> None:
    product = put(shop, 5)
    sent = {"Authorization": f"Bearer {shop.keys['svc']}"}
    made = shop.http.post(
        shop.url + RESERVATIONS, json=cart(product, 5, reference="r"), headers=sent
    )
    assert made.status_code == 201, "a key may be left out"
    address = f"{RESERVATIONS}/{made.json()['reservation']}"
    short = shop.post(RESERVATIONS, cart(product, 1, reference="r"))
    assert check(short, 400, "insufficient-stock")["available"] == 0
    for _ in range(2):
        assert shop.post(f"{address}/release").json()["status"] == "cancelled"
    assert figures(shop, product) == (5, 0, 5)
    late = shop.post(f"{address}/commit", {"order_number": "late-1"})
    assert (late.status_code, late.json()["status"]) == (200, "paid")
    assert figures(shop, product) == (0, 0, 0)


def test_reservations_of_others(shop: Site) -> None:
    product = put(shop, 5, who="test_op")
    made = shop.post(RESERVATIONS, cart(product, 1, reference="r"), who="test_svc").json()
    for id_ in (made["reservation"], NOWHERE, "nonsense"):
        address = f"{RESERVATIONS}/{id_}"
        check(shop.get(address), 404, "reservation-not-found")
        check(shop.post(f"{address}/release"), 404, "reservation-not-found")
        commit = shop.post(f"{address}/commit", {"order_number": "x"})
        check(commit, 404, "reservation-not-found")
    begun = buy(shop, put(shop), customer=fresh("buyer"))
    check(shop.get(f"{RESERVATIONS}/{begun['order']}"), 404, "reservation-not-found")


@pytest.mark.parametrize("minutes", [0, -1, 10_081, 1.5, "30"])
def test_bad_minutes(unsold: Site, only_one: str, minutes: object) -> None:
    body = cart(only_one, 1, reference="r", minutes=minutes)
    problem = check(unsold.post(RESERVATIONS, body), 422, "validation-failed")
    assert problem["errors"][0]["field"] == "minutes"


def test_what_is_set_aside_and_cleaned(shop: Site) -> None:
    product = put(shop, 9, who="test_op")
    before = shop.get(CLEAN, who="test_op").json()
    ids = [
        shop.post(RESERVATIONS, cart(product, n, reference="r"), who="test_svc").json()[
            "reservation"
        ]
        for n in (2, 3)
    ]
    found = shop.get(CLEAN, who="test_op").json()
    assert set(found) == {"active", "oldest", "by_product"}
    assert found["active"] == before["active"] + 2
    assert found["oldest"] is not None
    line = {"product": product, "size": "M", "reservations": 2, "quantity": 5}
    assert line in found["by_product"]
    shop.sql("UPDATE comptoir.orders SET expires_at = now() WHERE id = %s", ids[0])
    shop.post(CLEAN, who="let-me-clean")  # what other tests have left in the live book
    live = shop.post(CLEAN, who="let-me-clean").json()
    assert live == {"examined": 0, "released": 0, "captured": 0, "kept": 0}
    done = shop.post(CLEAN, who="test_op")
    assert (done.status_code, done.json()) == (
        200, {"examined": 1, "released": 1, "captured": 0, "kept": 0},
    )  # fmt: skip
    assert figures(shop, product, who="test_op") == (9, 3, 6)
    status = shop.get(f"{RESERVATIONS}/{ids[0]}", who="test_svc").json()["status"]
    assert status == "expired"
    check(shop.post(CLEAN, who=None), 401, "unauthorized")
    check(shop.post(CLEAN, who="let-me-in"), 401, "unauthorized")
    stats = shop.get("/api/admin/stats", who="test_op").json()["reservations"]
    assert set(stats) == {"active", "oldest_seconds"}
    assert stats["active"] == found["active"] - 1
    assert stats["oldest_seconds"] > 0


def test_prometheus_sees_what_is_set_aside(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "FRESH", 0)
    product = put(shop, 5, who="test_op")
    shop.post(RESERVATIONS, cart(product, 3, reference="r"), who="test_svc")
    text = shop.get("/metrics", who=None).text
    lines = dict(
        line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("comptoir_reserv")
    )
    assert lines[f'comptoir_reserved_units{{book="2",product="{product}"}}'] == "3.0"
    assert float(lines['comptoir_reservations_active{book="2"}']) >= 1
    assert float(lines['comptoir_reservations_oldest_seconds{book="2"}']) > 0
    assert 'comptoir_reservations_active{book="1"}' in lines
