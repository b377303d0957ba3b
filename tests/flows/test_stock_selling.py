"""Selling stock: whose reservation it is, what it costs, what comes back, when it is low."""

import asyncio

import pytest

from comptoir.domains.stock import commands, queries
from comptoir.domains.stock.commands import SizeTerms, Terms
from comptoir.domains.stock.model import (
    InsufficientStock,
    MovementType,
    OnRefund,
    OrderStatus,
)
from comptoir.flows import closing, reserving, returning
from comptoir.flows.charging import Page
from comptoir.flows.reserving import Wanted as Aside
from comptoir.flows.returning import Back
from comptoir.kit.errors import Conflict, Invalid
from comptoir.store.pool import begin
from tests.support import stall
from tests.support.shop import LIVE, Shop, together

pytestmark = pytest.mark.pg
MINUTE = 60_000_000
DAY = 1440 * MINUTE
PAGE = Page("http://shop.test/thanks")
SEPA = "pm_success_sepaDebit"


async def test_two_clicks_at_once_are_one_order(shop: Shop) -> None:
    await stall.put(shop, sizes={"M": 1})
    one, two = await together(stall.order(shop, key="a"), stall.order(shop, key="b"))
    assert one.order == two.order
    assert one.client_secret == two.client_secret
    assert len(shop.provider.v1.payment_intents.list().data) == 1
    await stall.agreed(shop)


async def test_the_same_key_is_the_same_order_and_another_cart_is_refused(shop: Shop) -> None:
    await stall.put(shop)
    one, two = await together(*(stall.order(shop, customer=None, key="k") for _ in range(2)))
    assert one.order == two.order
    assert sorted([one.replayed, two.replayed]) == [False, True]
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        await stall.order(shop, ("TEE", "M", 2), customer=None, key="k")
    with pytest.raises(InsufficientStock):
        await stall.order(shop, ("TEE", "M", 9), customer=None, key="much")
    await stall.move(shop, 100)
    with pytest.raises(InsufficientStock):  # the refusal is what the key stands for
        await stall.order(shop, ("TEE", "M", 9), customer=None, key="much")
    await stall.agreed(shop)


async def test_the_same_buyer_comes_back_to_what_is_his(shop: Shop) -> None:
    """woocommerce#67354: a shopper blocked by his own hold."""
    await stall.put(shop, sizes={"M": 1})
    first = await stall.order(shop)
    again = await stall.order(shop)
    assert (again.order, again.client_secret) == (first.order, first.client_secret)
    assert again.expires_at == first.expires_at
    await stall.agreed(shop)


async def test_another_cart_with_the_last_unit_takes_it_from_ones_own_older_one(
    shop: Shop,
) -> None:
    await stall.put(shop, sizes={"M": 1})
    await stall.put(shop, "MUG", {"ONE": 5}, amount=900)
    first = await stall.order(shop)
    second = await stall.order(shop, ("TEE", "M", 1), ("MUG", "ONE", 2))
    assert second.order != first.order
    assert await stall.status(shop, first) is OrderStatus.CANCELLED
    assert shop.provider.v1.payment_intents.retrieve(first.intent).status == "canceled"
    assert second.amount == 4300
    await shop.hear()
    await stall.agreed(shop)


async def test_what_is_paid_meanwhile_is_not_taken_from_its_buyer(shop: Shop) -> None:
    await stall.put(shop, sizes={"M": 1})
    first = await stall.order(shop)
    stall.pay(shop, first)
    with pytest.raises(InsufficientStock):
        await stall.order(shop, ("TEE", "M", 1), key="again")
    assert await stall.status(shop, first) is OrderStatus.PAID
    await shop.hear()
    await stall.agreed(shop)


async def test_a_key_that_has_bought_buys_again_with_another(shop: Shop) -> None:
    await stall.put(shop)
    first = await stall.order(shop)
    stall.pay(shop, first)
    await shop.hear()
    second = await stall.order(shop)
    assert second.order != first.order
    await stall.agreed(shop)


async def test_a_price_that_changes_meanwhile_changes_nothing_of_an_order(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop)
    await stall.put(shop, sizes={"M": 0}, amount=9900)
    stall.pay(shop, begun)
    await shop.hear()
    assert await stall.status(shop, begun) is OrderStatus.PAID
    other = await stall.order(shop, customer="bob")
    assert (begun.amount, other.amount) == (2500, 9900)
    await stall.agreed(shop)


async def test_a_size_that_is_sold_no_more_is_still_the_buyers(shop: Shop) -> None:
    await stall.put(shop, sizes={"M": 1, "L": 1})
    begun = await stall.order(shop)
    asset = await shop.till.directory.asset(LIVE, "stock")
    async with begin(shop.till.pool) as tx:
        terms = Terms("TEE", "Tee", 2500, "eur", OnRefund.RESTOCK, [SizeTerms("L", 0)])
        await commands.put_product(tx, LIVE, asset.id, terms)
    shop.till.shelf.forget()
    with pytest.raises(InsufficientStock):
        await stall.order(shop, customer="bob")
    stall.pay(shop, begun)
    await shop.hear()
    assert await stall.status(shop, begun) is OrderStatus.PAID
    await stall.agreed(shop)


async def test_what_is_set_aside_cannot_be_adjusted_away(shop: Shop) -> None:
    await stall.put(shop)
    await stall.order(shop, ("TEE", "M", 3))
    with pytest.raises(InsufficientStock) as caught:
        await stall.move(shop, -3, MovementType.ADJUSTMENT)
    assert caught.value.figures["available"] == 2
    await stall.move(shop, -2, MovementType.ADJUSTMENT)
    assert await stall.figures(shop) == (3, 3, 0)
    await stall.agreed(shop)


async def test_low_stock_is_told_once_for_each_crossing(shop: Shop) -> None:
    await stall.put(shop, sizes={"M": 20}, low_at=5)
    wishes = (stall.order(shop, customer=f"c{n}") for n in range(20))
    orders = await asyncio.gather(*wishes)
    lows = "SELECT account_id, version FROM comptoir.outbox WHERE type = 'stock.low'"
    assert len(shop.sql(lows)) == 1
    for begun in orders[:16]:
        stall.pay(shop, begun)
    await shop.hear(seed=18)
    assert len(shop.sql(lows)) == 1
    for begun in orders[16:]:
        await closing.cancel(shop.till, LIVE, begun.order)
    assert await stall.figures(shop) == (4, 0, 4)
    await stall.move(shop, 2)
    assert len(shop.sql(lows)) == 1
    await stall.order(shop, customer="last")
    assert len(shop.sql(lows)) == 2
    await shop.hear()
    await stall.agreed(shop)


async def test_numbers_have_no_gaps(shop: Shop) -> None:
    await stall.put(shop, sizes={"M": 6})
    orders = [await stall.order(shop, customer=f"c{n}") for n in range(6)]
    await stall.given_up(shop, orders[0])
    await stall.move(shop, -1, MovementType.ADJUSTMENT)
    for begun in orders:
        stall.pay(shop, begun)
    await shop.hear(times=3, seed=19)
    numbers = shop.sql("SELECT number FROM comptoir.orders WHERE number IS NOT NULL ORDER BY 1")
    assert [number for (number,) in numbers] == [f"ORD-2026-{n:06d}" for n in range(1, 6)]
    await stall.agreed(shop)


async def test_refunded_before_it_was_sent_is_for_sale_again(shop: Shop) -> None:
    await stall.put(shop)
    await stall.put(shop, "CAKE", {"ONE": 5}, on_refund=OnRefund.KEEP)
    begun = await stall.order(shop, ("TEE", "M", 2), ("CAKE", "ONE", 1))
    stall.pay(shop, begun)
    await shop.hear()
    shop.provider.v1.refunds.create({"payment_intent": begun.intent})
    await shop.hear(times=3, seed=20)
    assert await stall.status(shop, begun) is OrderStatus.REFUNDED
    assert await stall.figures(shop) == (5, 0, 5)
    assert await stall.figures(shop, "CAKE", "ONE") == (4, 0, 4)
    async with begin(shop.till.pool) as tx:
        back = (await queries.movements(tx, LIVE, ("TEE", "M"), None, 1))[0]
    assert (back.type, back.quantity, back.order_reference) == (
        MovementType.RETURN, 2, "ORD-2026-000001",
    )  # fmt: skip
    await stall.agreed(shop)


async def test_refunded_after_it_was_sent_is_not(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop, ("TEE", "M", 2))
    with pytest.raises(Conflict, match="order-not-paid"):
        await returning.fulfil(shop.till, LIVE, begun.order)
    stall.pay(shop, begun)
    await shop.hear()
    for _ in range(2):
        order = await returning.fulfil(shop.till, LIVE, begun.order)
        assert order.status is OrderStatus.FULFILLED
    shop.provider.v1.refunds.create({"payment_intent": begun.intent})
    await shop.hear(times=2, seed=21)
    assert await stall.status(shop, begun) is OrderStatus.REFUNDED
    assert await stall.figures(shop) == (3, 0, 3)
    await stall.agreed(shop)


async def test_goods_come_back_line_by_line(shop: Shop) -> None:
    await stall.put(shop)
    await stall.put(shop, "MUG", {"ONE": 5}, amount=900)
    begun = await stall.order(shop, ("TEE", "M", 3), ("MUG", "ONE", 2))
    stall.pay(shop, begun)
    await shop.hear()
    await returning.fulfil(shop.till, LIVE, begun.order)

    def wanted(*goods: Back, key: str = "r1") -> returning.Wanted:
        return returning.Wanted(begun.order, goods, "did not fit", refunds=True, key=key)

    goods = (Back("TEE", "M", 1), Back("TEE", "M", 1, is_damaged=True), Back("MUG", "ONE", 1))
    one, two = await together(*(returning.take_back(shop.till, LIVE, wanted(*goods)),) * 1,
        returning.take_back(shop.till, LIVE, wanted(*goods)))  # fmt: skip
    assert (one.amount, one.status) == (5900, "succeeded")
    assert (two.amount, two.refund) == (one.amount, one.refund)
    await shop.hear(times=2, seed=22)
    assert await stall.figures(shop) == (3, 0, 3)
    assert await stall.figures(shop, "MUG", "ONE") == (4, 0, 4)
    assert stall.money_back(shop) == [5900]
    assert await stall.status(shop, begun) is OrderStatus.FULFILLED
    with pytest.raises(Invalid, match="return-exceeds-order"):
        await returning.take_back(shop.till, LIVE, wanted(Back("TEE", "M", 2), key="r2"))
    rest = (Back("TEE", "M", 1), Back("MUG", "ONE", 1))
    await returning.take_back(shop.till, LIVE, wanted(*rest, key="r3"))
    await shop.hear()
    assert await stall.status(shop, begun) is OrderStatus.REFUNDED
    assert await stall.figures(shop) == (4, 0, 4)
    await stall.agreed(shop)


async def test_stock_that_a_caller_sells_by_himself(shop: Shop) -> None:
    """The seed's four functions: reserve, release, decrement, clean."""
    await stall.put(shop)

    async def reserve(key: str, quantity: int = 2) -> reserving.Aside:
        items = [stall.Item("TEE", "M", quantity)]
        return await reserving.reserve(shop.till, LIVE, Aside(items, "pi_1", None, key))

    one, again = await reserve("one"), await reserve("one")
    assert (one.id, again.replayed) == (again.id, True)
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        await reserve("one", 1)
    with pytest.raises(InsufficientStock):
        await reserve("much", 4)
    for _ in range(2):
        order = await reserving.commit(shop.till, LIVE, one.id, "A-7")
        assert (order.status, order.number) == (OrderStatus.PAID, "A-7")
    with pytest.raises(Conflict, match="reservation-committed"):
        await reserving.release(shop.till, LIVE, one.id)
    two = await reserve("two")
    for _ in range(2):
        assert (await reserving.release(shop.till, LIVE, two.id)).status is OrderStatus.CANCELLED
    three = await reserve("three")
    shop.ahead[0] = 31 * MINUTE
    assert (await closing.clean(shop.till)).released == 1
    await reserve("four")
    with pytest.raises(InsufficientStock):
        await reserving.commit(shop.till, LIVE, three.id, "A-8")
    await stall.move(shop, 1)
    assert (await reserving.commit(shop.till, LIVE, three.id, "A-8")).number == "A-8"
    assert await stall.figures(shop) == (2, 2, 0)
    await stall.agreed(shop)


async def test_a_key_stands_for_what_is_sold_no_more(shop: Shop) -> None:
    await stall.put(shop)
    wanted = Aside([stall.Item("TEE", "M", 1)], "pi_1", None, "one")
    made = await reserving.reserve(shop.till, LIVE, wanted)
    await stall.put(shop, sizes={"L": 0})
    again = await reserving.reserve(shop.till, LIVE, wanted)
    assert (again.id, again.replayed) == (made.id, True)
    other = Aside([stall.Item("TEE", "M", 2)], "pi_1", None, "one")
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        await reserving.reserve(shop.till, LIVE, other)
    with pytest.raises(InsufficientStock):
        await reserving.reserve(shop.till, LIVE, Aside(wanted.items, "pi_1", None, "two"))
    await stall.agreed(shop)
