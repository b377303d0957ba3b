"""Stock and orders in the library: what is set aside is nobody else's, and no key does twice."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from comptoir import (
    Back,
    Comptoir,
    Conflict,
    InsufficientStock,
    Invalid,
    Item,
    Money,
    MovementType,
    NotFound,
    OnRefund,
    OrderStatus,
    Product,
    StockSize,
    Unavailable,
)
from comptoir import sync as waiting
from tests.support import stall
from tests.support.postgres import Database
from tests.support.sandbox import Provider, provider
from tests.support.shop import LIVE, Shop, together
from tests.support.shop import shop as opened

pytestmark = pytest.mark.pg
TEE: Any = {"name": "Tee", "price": 2500, "currency": "eur", "sizes": {"M": 2, "L": 0}}
MINUTE = 60_000_000


def size(name: str, stock: int, *, low: int = 0) -> StockSize:
    """A size of which nothing is set aside."""
    return StockSize(name, stock, 0, stock, low, is_low=stock <= low)


@pytest.fixture
def stripe_here() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
async def seller(database: Database, tmp_path: Path, stripe_here: Provider) -> AsyncIterator[Shop]:
    async with opened(database, tmp_path, stripe_here) as found:
        yield found


@pytest.fixture
async def stocked(seller: Shop) -> AsyncIterator[Comptoir]:
    """The seller's live book, with five tees in M."""
    async with Comptoir.on(seller.app, LIVE) as found:
        await found.stock.put("TEE", **TEE)
        await found.stock.move("TEE", "M", 5, reason="Delivery", idempotency_key="first")
        yield found
        await stall.agreed(seller)


async def test_products_and_movements(stocked: Comptoir) -> None:
    tee = await stocked.stock.product("TEE")
    medium, large = size("M", 5, low=2), size("L", 0)
    assert tee == Product("TEE", "Tee", Money(2500, "eur"), OnRefund.RESTOCK, (medium, large))
    again = await stocked.stock.move("TEE", "M", 5, reason="Delivery", idempotency_key="first")
    assert (again.replayed, again.stock_after) == (True, 5)
    less = await stocked.stock.move(
        "TEE", "M", -1, type="adjustment", reason="Torn", reference="r", idempotency_key="torn"
    )
    assert (less.type, less.quantity, less.stock_before, less.stock_after) == (
        MovementType.ADJUSTMENT, -1, 5, 4,
    )  # fmt: skip
    newest, oldest = await stocked.stock.movements("TEE")
    assert newest == less
    assert (oldest.reason, oldest.type) == ("Delivery", MovementType.RESTOCK)
    assert await stocked.stock.movements(limit=1) == (newest,)
    assert await stocked.stock.movements("TEE", "M", before=newest) == (oldest,)
    with pytest.raises(InsufficientStock) as caught:
        await stocked.stock.move(
            "TEE", "M", -5, type="adjustment", reason="Stolen", idempotency_key="stolen"
        )
    assert caught.value.figures["available"] == 4
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        await stocked.stock.move("TEE", "M", 6, reason="Delivery", idempotency_key="first")


async def test_a_product_is_put_once_for_a_key(stocked: Comptoir) -> None:
    first = await stocked.stock.put("CAP", **TEE | {"price": 1900}, idempotency_key="cap")
    again = await stocked.stock.put("CAP", **TEE | {"price": 1900}, idempotency_key="cap")
    assert (first.replayed, again.replayed, again.price.amount) == (False, True, 1900)
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        await stocked.stock.put("CAP", **TEE | {"price": 1800}, idempotency_key="cap")
    kept = await stocked.stock.put("TEE", **TEE | {"sizes": {"M": 1}}, on_refund="keep")
    assert kept.on_refund is OnRefund.KEEP
    assert [each.size for each in kept.sizes] == ["M"]
    assert [each.product for each in await stocked.stock.products(limit=1)] == ["CAP"]
    assert [each.product for each in await stocked.stock.products(after="CAP")] == ["TEE"]


async def test_a_reservation_is_released_committed_or_over(stocked: Comptoir, seller: Shop) -> None:
    """reserveStock, releaseStock, decrementStock and cleanExpiredReservations."""
    stock, two = stocked.stock, [Item("TEE", "M", 2)]
    first = await stock.reserve(two, reference="call 1", idempotency_key="one")
    again = await stock.reserve(two, reference="call 1", idempotency_key="one")
    assert (again.id, again.expires_at) == (first.id, first.expires_at)
    assert (first.replayed, again.replayed) == (False, True)
    assert (await stock.product("TEE")).sizes[0].reserved == 2
    with pytest.raises(Conflict):
        await stock.reserve([Item("TEE", "M", 1)], reference="call 1", idempotency_key="one")
    released = await stock.release(first.id)
    assert (await stock.release(str(first.id))) == released
    assert (released.status, released.reference) == (OrderStatus.CANCELLED, "call 1")
    second = await stock.reserve(two, reference="call 2")
    sold = await stock.commit(second.id, "F-17")
    assert await stock.commit(second.id, "F-17") == sold
    assert (sold.order_number, sold.items[0].quantity) == ("F-17", 2)
    with pytest.raises(Conflict, match="reservation-committed"):
        await stock.commit(second.id, "F-18")
    with pytest.raises(Conflict, match="reservation-committed"):
        await stock.release(second.id)
    assert (await stock.movements("TEE", limit=1))[0].reason == "Vente - Commande F-17"
    third = await stock.reserve(two, reference="call 3", minutes=10)
    assert (await stock.expire()).examined == 0
    seller.ahead[0] = 11 * MINUTE
    cleaned = await stock.expire()
    assert (cleaned.examined, cleaned.released, cleaned.captured, cleaned.kept) == (1, 1, 0, 0)
    assert (await stocked.orders.get(third.id)).status is OrderStatus.EXPIRED
    assert (await stock.product("TEE")).sizes[0] == size("M", 3, low=2)


async def test_nobody_reserves_what_another_has(stocked: Comptoir) -> None:
    async def want(number: int) -> bool:
        try:
            await stocked.stock.reserve([Item("TEE", "M", 1)], reference=f"call {number}")
        except InsufficientStock:
            return False
        return True

    got = await together(*(want(number) for number in range(12)))
    assert sum(got) == 5
    with pytest.raises(InsufficientStock) as caught:
        await stocked.stock.reserve([Item("TEE", "XXL", 1)], reference="unknown")
    assert caught.value.figures["available"] == 0


async def test_an_order_from_cart_to_return(stocked: Comptoir, seller: Shop) -> None:
    orders = stocked.orders
    cart = [Item("TEE", "M", 2)]
    begun = await orders.checkout(cart, customer="alice", idempotency_key="cart")
    again = await orders.checkout(cart, customer="alice", idempotency_key="cart")
    assert (again.order, again.payment_intent, again.replayed) == (
        begun.order, begun.payment_intent, True,
    )  # fmt: skip
    assert (begun.amount, begun.currency, begun.checkout_url) == (5000, "eur", None)
    waits = await orders.get(begun.order)
    assert (waits.status, waits.order_number) == (OrderStatus.RESERVED, None)
    assert waits.payment_intent == begun.payment_intent
    said = {"payment_method": stall.VISA, "return_url": "http://shop.test/"}
    assert begun.payment_intent is not None
    seller.provider.v1.payment_intents.confirm(begun.payment_intent, said)
    await seller.hear()
    with pytest.raises(Conflict, match="order-paid"):
        await orders.cancel(begun.order)
    sent = await orders.fulfil(begun.order)
    assert await orders.fulfil(begun.order) == sent
    assert (sent.status, sent.customer) == (OrderStatus.FULFILLED, "alice")
    assert sent.order_number is not None
    back = [Back("TEE", "M", 1)]
    done = await orders.take_back(sent.id, back, reason="too small", idempotency_key="back")
    twice = await orders.take_back(sent.id, back, reason="too small", idempotency_key="back")
    assert (done.amount, done.status, done.replayed) == (2500, "succeeded", False)
    assert (twice.refund, twice.replayed) == (done.refund, True)
    await seller.hear()
    assert (await stocked.stock.product("TEE")).sizes[0].stock == 4
    with pytest.raises(Invalid, match="return-exceeds-order"):
        await orders.take_back(sent.id, back * 2, reason="x", idempotency_key="more")
    assert [each.id for each in await orders.list(customer="alice")] == [sent.id]
    assert await orders.list(status="expired") == await orders.list(customer="bob") == ()


async def test_an_order_is_paid_on_a_page_or_cancelled(stocked: Comptoir) -> None:
    page = await stocked.orders.checkout(
        [Item("TEE", "M", 1)], email="a@shop.test", on_page=True, idempotency_key="page"
    )
    assert page.checkout_url is not None
    assert page.client_secret is None
    gone = await stocked.orders.cancel(page.order)
    assert (await stocked.orders.cancel(page.order)) == gone
    assert (gone.status, gone.customer, gone.email) == (
        OrderStatus.CANCELLED, None, "a@shop.test",
    )  # fmt: skip
    with pytest.raises(Conflict, match="order-not-paid"):
        await stocked.orders.fulfil(page.order)
    with pytest.raises(InsufficientStock):
        await stocked.orders.checkout([Item("TEE", "M", 6)])


async def test_what_is_not_there(stocked: Comptoir) -> None:
    for code, work in [
        ("unknown-product", stocked.stock.product("MUG")),
        ("unknown-size", stocked.stock.move("TEE", "S", 1, reason="x", idempotency_key="a")),
        ("reservation-not-found", stocked.stock.release(uuid4())),
        ("reservation-not-found", stocked.stock.commit("no id", "F-1")),
        ("order-not-found", stocked.orders.get(uuid4())),
        ("order-not-found", stocked.orders.cancel("no id")),
        ("order-not-found", stocked.orders.fulfil(uuid4())),
    ]:
        with pytest.raises(NotFound) as caught:
            await work
        assert caught.value.code == code


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("put", {"product": "TE E"}, "product"),
    ("put", {"name": ""}, "name"),
    ("put", {"price": 25.0}, "price"),
    ("put", {"price": 0}, "price"),
    ("put", {"currency": "EUR"}, "currency"),
    ("put", {"sizes": {}}, "sizes"),
    ("put", {"sizes": {"M:L": 1}}, "sizes"),
    ("put", {"sizes": {"M": -1}}, "sizes"),
    ("put", {"sizes": ["M"]}, "sizes"),
    ("put", {"on_refund": "burn"}, "on_refund"),
    ("move", {"quantity": 1.5}, "quantity"),
    ("move", {"quantity": 0}, "quantity"),
    ("move", {"quantity": 2**40}, "quantity"),
    ("move", {"quantity": True}, "quantity"),
    ("move", {"type": "sale"}, "type"),
    ("move", {"type": "gift"}, "type"),
    ("move", {"reason": ""}, "reason"),
    ("move", {"quantity": -1}, "quantity"),
    ("reserve", {"items": []}, "items"),
    ("reserve", {"items": [("TEE", "M", 1)]}, "items"),
    ("reserve", {"items": [Item("TEE", "M", 0)]}, "items.quantity"),
    ("reserve", {"items": [Item("TEE", "\ud800", 1)]}, "items.size"),
    ("reserve", {"minutes": 0}, "minutes"),
    ("reserve", {"minutes": 7 * 24 * 60 + 1}, "minutes"),
    ("movements", {"limit": 0}, "limit"),
]
RIGHT: dict[str, dict[str, Any]] = {
    "put": {"product": "TEE", **TEE},
    "move": {
        "product": "TEE", "size": "M", "quantity": 1, "reason": "x", "idempotency_key": "k",
    },
    "reserve": {"items": [Item("TEE", "M", 1)], "reference": "call"},
    "movements": {},
}  # fmt: skip


async def test_bad_input_changes_nothing(stocked: Comptoir) -> None:
    before = await stocked.stock.products(), await stocked.stock.movements()
    for verb, wrong, field in WRONG:
        with pytest.raises(Invalid) as caught:
            await getattr(stocked.stock, verb)(**RIGHT[verb] | wrong)
        assert caught.value.figures["field"] == field, wrong
    with pytest.raises(Invalid):
        await stocked.orders.list(status="lost")
    with pytest.raises(Invalid):
        await stocked.orders.take_back(uuid4(), [], reason="x", idempotency_key="k")
    assert (await stocked.stock.products(), await stocked.stock.movements()) == before


def test_for_programs_without_an_event_loop(shop: waiting.Comptoir) -> None:
    shop.stock.put("TEE", **TEE)
    first = shop.stock.move("TEE", "M", 3, reason="Delivery", idempotency_key="one")
    again = shop.stock.move("TEE", "M", 3, reason="Delivery", idempotency_key="one")
    assert (first.replayed, again.replayed, again.stock_after) == (False, True, 3)
    made = shop.stock.reserve([Item("TEE", "M", 1)], reference="call")
    assert shop.stock.commit(made.id, "F-1").status is OrderStatus.PAID
    assert shop.stock.product("TEE").sizes[0].stock == 2
    assert shop.stock.expire().examined == 0
    assert [each.quantity for each in shop.stock.movements("TEE")] == [-1, 3]
    assert shop.orders.get(made.id).order_number == "F-1"
    assert shop.orders.list() == ()
    with pytest.raises(InsufficientStock):
        shop.stock.reserve([Item("TEE", "M", 3)], reference="call")
    with pytest.raises(Unavailable, match="payments-not-configured"):
        shop.orders.checkout([Item("TEE", "M", 1)])
