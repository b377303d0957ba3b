"""Orders over HTTP, from the first cart to the last return."""

from pathlib import Path

import pytest

from tests.support.counter import (
    FRENCH,
    INTENT,
    MOVEMENTS,
    NOWHERE,
    ORDER,
    buy,
    cart,
    check,
    environment,
    figures,
    items,
    move,
    pay,
    put,
)
from tests.support.postgres import Cluster
from tests.support.sandbox import Provider
from tests.support.site import Site, fresh, serving

pytestmark = pytest.mark.pg


def test_orders_are_listed(shop: Site) -> None:
    product, customer = put(shop, 9), fresh("buyer")
    ids = [buy(shop, product, customer=customer)["order"]]
    guest = buy(shop, product, who="svc")["order"]
    others = (put(shop), put(shop))
    ids += [buy(shop, each, customer=customer)["order"] for each in others]
    listed: list[str] = []
    cursor = ""
    for _ in range(3):
        page = shop.get(f"/api/orders?customer={customer}&limit=1{cursor}").json()
        listed += [each["id"] for each in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert listed == ids[::-1]
    shop.post(f"/api/orders/{ids[0]}/cancel")
    by = {
        status: [each["id"] for each in shop.get(
            f"/api/orders?customer={customer}&status={status}", who="svc").json()["items"]]
        for status in ("reserved", "cancelled", "paid")
    }  # fmt: skip
    assert by == {"reserved": ids[:0:-1], "cancelled": ids[:1], "paid": []}
    assert guest in [each["id"] for each in shop.get("/api/orders?limit=100").json()["items"]]
    assert shop.get("/api/orders?customer=nobody-at-all").json()["items"] == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("cursor=abc", 400, "cursor-invalid"), ("limit=0", 422, "validation-failed"),
        ("limit=101", 422, "validation-failed"), ("page=2", 422, "validation-failed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/orders", "/api/stock/products", MOVEMENTS])
def test_bad_queries(unsold: Site, path: str, query: str, status: int, code: str) -> None:
    check(unsold.get(f"{path}?{query}"), status, code)
    refused = unsold.get("/api/orders?status=lost")
    check(refused, 422, "validation-failed")


def test_a_cursor_of_another_list(shop: Site) -> None:
    product = put(shop, 5)
    move(shop, product, 1)
    cursor = shop.get(f"{MOVEMENTS}?product={product}&limit=1").json()["next_cursor"]
    for path in (MOVEMENTS, "/api/orders", "/api/stock/products"):
        check(shop.get(f"{path}?cursor={cursor}"), 400, "cursor-invalid")


def test_an_order_from_end_to_end(shop: Site, stripe_here: Provider) -> None:
    product = put(shop, 5)
    begun = buy(shop, product, 3, customer=fresh("buyer"))
    address = f"/api/orders/{begun['order']}"
    early = shop.post(f"{address}/fulfil", headers=FRENCH)
    assert "reserved" in check(early, 409, "order-not-paid")["detail"]
    lines = [{"product": product, "size": "M", "quantity": 1}]
    unpaid = shop.post(f"{address}/return", {"lines": lines, "reason": "Too small"})
    check(unpaid, 409, "order-not-paid")
    paid = pay(shop, stripe_here, begun)
    assert (paid["status"], paid["fulfilled_at"]) == ("paid", None)
    assert paid["order_number"].startswith("ORD-20")
    assert paid["paid_at"] is not None
    assert figures(shop, product) == (2, 0, 2)
    for _ in range(2):
        sent = shop.post(f"{address}/fulfil")
        assert (sent.status_code, set(sent.json())) == (200, ORDER)
        assert sent.json()["status"] == "fulfilled"
    key = fresh("key")
    back = {"lines": lines, "reason": "Too small"}
    done = shop.post(f"{address}/return", back, key=key)
    assert (done.status_code, set(done.json())) == (
        201, {"order", "amount", "currency", "refund", "status"},
    )  # fmt: skip
    assert (done.json()["order"], done.json()["amount"]) == (begun["order"], 2500)
    assert (done.json()["currency"], done.json()["status"]) == ("eur", "succeeded")
    again = shop.post(f"{address}/return", back, key=key)
    assert (again.json(), again.headers["idempotent-replayed"]) == (done.json(), "true")
    other = shop.post(f"{address}/return", back | {"reason": "Other"}, key=key)
    assert check(other, 422, "idempotency-key-reused")["field"] == "reason"
    assert figures(shop, product) == (3, 0, 3)
    broken = {"lines": [lines[0] | {"condition": "damaged"}], "reason": "Torn", "refund": False}
    thrown = shop.post(f"{address}/return", broken).json()
    assert (thrown["refund"], thrown["status"], thrown["amount"]) == (None, None, 2500)
    assert figures(shop, product) == (3, 0, 3)
    [line] = shop.get(address).json()["items"]
    assert line["returned"] == 2
    more = shop.post(f"{address}/return", {"lines": [lines[0] | {"quantity": 2}], "reason": "x"})
    problem = check(more, 422, "validation-failed")
    assert problem["errors"][0]["code"] == "return-exceeds-order"
    sale = shop.get(f"{MOVEMENTS}?product={product}").json()["items"][1]
    assert (sale["type"], sale["reference"]) == ("sale", paid["order_number"])
    assert sale["reason"] == f"Vente - Commande {paid['order_number']}"


def test_return_needs_a_key(unsold: Site) -> None:
    back = {"lines": items()["items"], "reason": "x"}
    address = f"/api/orders/{NOWHERE}/return"
    check(
        unsold.post(address, back, headers={"Idempotency-Key": ""}),
        400, "idempotency-key-missing",
    )  # fmt: skip
    for change in (
        {"lines": []}, {"lines": items(condition="lost")["items"]}, {"reason": ""},
        {"refund": "yes"}, {"lines": items(quantity=0)["items"]}, {"amount": 5},
    ):  # fmt: skip
        check(unsold.post(address, back | change), 422, "validation-failed")
    check(unsold.post(address, back), 404, "order-not-found")


def test_when_a_bank_is_paying(shop: Site, stripe_here: Provider) -> None:
    product = put(shop, 5)
    begun = buy(shop, product, customer=fresh("buyer"))
    address = f"/api/orders/{begun['order']}"
    intent = begun["payment_intent"]
    said = {
        "payment_method": "pm_success_sepaDebit", "return_url": "http://shop.test/",
    }  # fmt: skip
    found = stripe_here.v1.payment_intents.confirm(intent, said)
    assert found.status == "processing"
    check(shop.post(f"{address}/cancel", headers=FRENCH), 409, "order-processing")
    assert figures(shop, product) == (5, 1, 4)


def test_when_stripe_does_not_say(cluster: Cluster, tmp_path: Path, stripe_here: Provider) -> None:
    said = environment(stripe_here)
    with cluster.database() as database, serving(database, tmp_path / "home", **said) as shop:
        product = put(shop, 5)
        address = f"/api/orders/{buy(shop, product, customer='ada')['order']}"
        stripe_here.turn("chaos", fail=20, only="payment_intents")
        try:
            check(shop.post(f"{address}/cancel"), 503, "provider-down")
        finally:
            stripe_here.turn("chaos", fail=0)
        assert shop.get(address).json()["status"] == "reserved"
        assert figures(shop, product) == (5, 1, 4)


def test_without_stripe(site: Site) -> None:
    product = put(site, 5)
    refused = site.post(INTENT, cart(product), who=None)
    check(refused, 503, "payments-not-configured")
    assert figures(site, product) == (5, 0, 5)
