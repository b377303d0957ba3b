"""A shop with sizes on its shelves, over HTTP: what tests of stock, checkout and orders say."""

from collections.abc import Mapping
from typing import Any, Unpack

import httpx2

from comptoir.web.catalogue import PROBLEMS
from tests.support.sandbox import KEY, Provider
from tests.support.site import Said, Site, fresh

INTENT = "/api/checkout/create-payment-intent"
SESSION = "/api/checkout/create-session"
MOVEMENTS = "/api/stock/movements"
RESERVATIONS = "/api/stock/reservations"
CLEAN = "/api/admin/clean-expired-reservations"
NOWHERE = "00000000-0000-7000-8000-000000000000"
FRENCH = {"Accept-Language": "fr"}
ORDER = {
    "id", "order_number", "status", "customer", "email", "items", "amount", "currency",
    "payment_intent", "created_at", "expires_at", "paid_at", "fulfilled_at",
}  # fmt: skip
LINE = {"product", "size", "quantity", "unit_amount", "amount", "returned"}
MOVEMENT = {
    "id", "product", "size", "type", "quantity", "stock_before", "stock_after", "reason",
    "reference", "order_reference", "date",
}  # fmt: skip
COUNTED = (
    "requests", "movements", "holds", "products", "sizes", "orders", "order_lines", "payments",
    "refunds", "customers",
)  # fmt: skip


def counts(shop: Site) -> object:
    """What a refusal must not change."""
    rows = [shop.sql(f"SELECT count(*) FROM comptoir.{table}") for table in COUNTED]
    return rows, shop.sql("SELECT sum(posted), sum(held) FROM comptoir.accounts")


def environment(sandbox: Provider) -> dict[str, Any]:
    return {
        "STRIPE_SECRET_KEY": KEY, "STRIPE_API_BASE": sandbox.base,
        "STRIPE_WEBHOOK_SECRET": "whsec_test", "COMPTOIR_PUBLIC_URL": "http://shop.test",
        "ADMIN_API_TOKEN": "let-me-clean",
    }  # fmt: skip


def put(shop: Site, stock: int = 5, *, who: str = "op", low: int = 0, **more: object) -> str:
    """A new product in M, with so much stock."""
    product = fresh("TEE")
    body = {
        "name": "T-shirt", "price": {"amount": 2500, "currency": "eur"},
        "sizes": [{"size": "M", "low_stock_threshold": low}],
    }  # fmt: skip
    done = shop.call("PUT", f"/api/stock/products/{product}", body | more, who=who)
    assert done.status_code == 200, done.text
    if stock:
        moved = move(shop, product, stock, who=who)
        assert moved.status_code == 201, moved.text
    return product


def move(
    shop: Site, product: str, quantity: object, type_: str = "restock", **more: Unpack[Said]
) -> httpx2.Response:
    body = {
        "product": product, "size": "M", "type": type_, "quantity": quantity, "reason": "counted",
    }  # fmt: skip
    return shop.post(MOVEMENTS, body, **more)


def cart(product: str, quantity: object = 1, **more: object) -> dict[str, Any]:
    return {"items": [{"product": product, "size": "M", "quantity": quantity}], **more}


def buy(
    shop: Site, product: str, quantity: int = 1, *, who: str | None = "svc", **more: object
) -> dict[str, Any]:
    done = shop.post(INTENT, cart(product, quantity, **more), who=who)
    assert done.status_code == 201, done.text
    return done.json()


def pay(shop: Site, stripe: Provider, begun: Mapping[str, Any]) -> dict[str, Any]:
    """What a buyer's browser does, and what is heard of it; the order as it is then."""
    said = {"payment_method": "pm_card_visa", "return_url": "http://shop.test/"}
    stripe.v1.payment_intents.confirm(begun["payment_intent"], said)
    for _ in range(2):
        # What a worker does in a while: whatever looks at Stripe sells what is paid.
        done = shop.post(f"/api/orders/{begun['order']}/cancel", {})
        assert (done.status_code, done.json()["code"]) == (409, "order-paid")
    return shop.get(f"/api/orders/{begun['order']}").json()


def figures(shop: Site, product: str, *, who: str | None = "op") -> tuple[int, int, int]:
    [size] = shop.get(f"/api/stock/products/{product}", who=who).json()["sizes"]
    return size["stock"], size["reserved_stock"], size["available_stock"]


def token(shop: Site, customer: str, who: str = "svc") -> str:
    made = shop.post("/api/customer-tokens", {"customer": customer}, who=who)
    assert made.status_code == 201, made.text
    return made.json()["token"]


def check(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert status == PROBLEMS[code].status
    assert "?" not in problem["detail"]
    return problem


def items(**change: object) -> dict[str, Any]:
    return {"items": [{"product": "TEE", "size": "M", "quantity": 1} | change]}
