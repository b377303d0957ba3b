"""Stock and its sale, as the seed recommends to test it, and beyond."""

import pytest

from comptoir.domains.stock import queries
from comptoir.domains.stock.model import InsufficientStock, MovementType, OrderStatus
from comptoir.flows import closing
from comptoir.store.pool import begin
from tests.support import stall
from tests.support.shop import LIVE, Shop
from tests.support.stall import DECLINED

pytestmark = pytest.mark.pg
MINUTE = 60_000_000


async def test_successful_payment(shop: Shop) -> None:
    """Stock goes down, a movement says so, and nothing is reserved any more."""
    await stall.put(shop)
    begun = await stall.order(shop, ("TEE", "M", 2))
    assert await stall.figures(shop) == (5, 2, 3)
    stall.pay(shop, begun)
    await shop.hear(times=3, seed=1)
    order = await stall.found(shop, begun)
    assert (order.status, order.number) == (OrderStatus.PAID, "ORD-2026-000001")
    assert await stall.figures(shop) == (3, 0, 3)
    async with begin(shop.till.pool) as tx:
        sale, restock = await queries.movements(tx, LIVE, ("TEE", "M"), None, 10)
    assert (sale.type, sale.quantity, sale.before, sale.after) == (MovementType.SALE, -2, 5, 3)
    assert sale.reason == "Vente - Commande ORD-2026-000001"
    assert sale.reference == sale.order_reference == "ORD-2026-000001"
    assert (restock.type, restock.quantity, restock.before) == (MovementType.RESTOCK, 5, 0)
    await stall.agreed(shop)


async def test_failed_payment(shop: Shop) -> None:
    """What is reserved stays so, and stock is unchanged, until it is cancelled."""
    await stall.put(shop)
    begun = await stall.order(shop)
    stall.pay(shop, begun, DECLINED)
    await shop.hear()
    assert await stall.status(shop, begun) is OrderStatus.RESERVED
    assert await stall.figures(shop) == (5, 1, 4)
    shop.provider.v1.payment_intents.cancel(begun.intent)
    await shop.hear()
    assert await stall.status(shop, begun) is OrderStatus.CANCELLED
    assert await stall.figures(shop) == (5, 0, 5)
    await stall.agreed(shop)


async def test_insufficient_stock(shop: Shop) -> None:
    """Nothing is asked of the provider, and the buyer is told of what and how much."""
    await stall.put(shop)
    with pytest.raises(InsufficientStock) as caught:
        await stall.order(shop, ("TEE", "M", 6))
    figures = caught.value.figures
    assert figures == {
        "product": "TEE", "size": "M", "wanted": 6, "available": 5, "retry": "new-key",
    }  # fmt: skip
    assert shop.provider.v1.payment_intents.list().data == []
    assert await stall.figures(shop) == (5, 0, 5)
    await stall.agreed(shop)


async def test_expired_reservation(shop: Shop) -> None:
    """Its time is forced to be over; then it is cancelled at the provider, and released."""
    await stall.put(shop)
    begun = await stall.order(shop)
    assert (await closing.clean(shop.till)).examined == 0
    shop.ahead[0] = 31 * MINUTE
    cleaned = await closing.clean(shop.till)
    assert (cleaned.examined, cleaned.released) == (1, 1)
    assert shop.provider.v1.payment_intents.retrieve(begun.intent).status == "canceled"
    assert await stall.status(shop, begun) is OrderStatus.EXPIRED
    assert await stall.figures(shop) == (5, 0, 5)
    await shop.hear()
    await stall.agreed(shop)
