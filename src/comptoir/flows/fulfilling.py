"""What payments do to orders: sold when the money is here, given up when it cannot come any more.

Whatever the order in which we hear of things. Money for an order that was given up buys what is
left; where nothing is, it goes back by itself, and somebody is told.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, Rollback

from comptoir.domains.payments import commands as payments
from comptoir.domains.payments import queries as paid
from comptoir.domains.payments.model import Effects, Payment, Refund
from comptoir.domains.stock import commands, queries
from comptoir.domains.stock.model import Line, OnRefund, Order, OrderStatus
from comptoir.flows import reserving, restocking
from comptoir.flows.reserving import ledger_now
from comptoir.flows.till import Till
from comptoir.jobs import queue
from comptoir.jobs.model import Wanted
from comptoir.kit.limits import DAY
from comptoir.store import outbox

PROCESSING: Final = 14 * DAY
"""For how long goods are set aside once a bank has begun to pay."""

CLOSE: Final = "orders.close"
"""The type of the job that closes an order whose payment has failed, where its buyer asked so."""

GIVE_BACK: Final = "payments.give-back"
"""The type of the job that sends money back by itself."""

LATE: Final = "late-payment"
WRONG: Final = "wrong-payment"
AUTOMATIC: Final = frozenset({LATE, WRONG})
"""Why money goes back by itself."""


async def sold(tx: AsyncConnection, till: Till, payment: Payment, effects: Effects) -> None:
    """An order is paid: its goods are the buyer's, under a number. The payment is locked."""
    order = await queries.lock(tx, payment.book, payment.id)
    if order.number is not None:
        effects.add("known", order=str(order.id))
        return
    lines = await queries.lines_of(tx, order)
    at = await ledger_now(tx, till)
    if not await _sell(tx, till, order, lines, at):
        await _send_back(tx, till, payment, LATE, effects)
        return
    now = await queries.order(tx, order.book, order.id)
    effects.add("sold", order=str(order.id), number=now.number, units=_units(lines))
    await _tell(tx, till, outbox.ORDER_PAID, now, lines)


async def _sell(
    tx: AsyncConnection, till: Till, order: Order, lines: Sequence[Line], at: int
) -> bool:
    """Sell what an order is about, under the next number; without a trace where that cannot be."""
    async with tx.transaction() as part:
        number = await commands.next_number(tx, order.book, at)
        if await reserving.sell(tx, till, order, lines, number) is not None:
            raise Rollback(part)
        await commands.sell(tx, order, number, at)
        return True
    return False


def _units(lines: Sequence[Line]) -> int:
    return sum(each.quantity for each in lines)


async def wrong(
    tx: AsyncConnection, till: Till, payment: Payment, fault: str, effects: Effects
) -> None:
    """Something else has come for an order than was asked: it goes back, and the goods too.

    The payment is locked, and says what came.
    """
    order = await queries.lock(tx, payment.book, payment.id)
    if order.is_reserved:
        await reserving.give_up(tx, till, order, OrderStatus.CANCELLED)
        effects.add("released", order=str(order.id), why=fault)
    await _send_back(tx, till, payment, WRONG, effects)


async def _send_back(
    tx: AsyncConnection, till: Till, payment: Payment, why: str, effects: Effects
) -> None:
    """Let money go back by itself: it is noted here, and asked for by a job."""
    if payment.received is None or payment.received <= 0:
        return
    before = await paid.refunds(tx, payment)
    left = payment.received - sum(each.amount for each in before if each.stands)
    if left <= 0:
        return
    refund = Refund(till.new_id(), payment.id, None, left, "new", why, 0)
    await payments.add_refund(tx, payment.book, refund)
    await ask_for(tx, till, payment, refund.id)
    await till.open_case(
        tx, payment.book, why, str(payment.id), payment=str(payment.id), order=str(payment.id),
        amount=left, currency=payment.currency,
    )  # fmt: skip
    effects.add("sent-back", payment=str(payment.id), amount=left, currency=payment.currency)


async def ask_for(tx: AsyncConnection, till: Till, payment: Payment, refund: UUID) -> None:
    """Let a job ask for a refund that goes by itself; one that waits already is enough."""
    said = {"payment": str(payment.id), "refund": str(refund)}
    wanted = Wanted(GIVE_BACK, said, f"give-back:{refund}")
    await queue.enqueue(tx, payment.book, till.new_id(), wanted)


async def ended(tx: AsyncConnection, till: Till, payment: Payment, effects: Effects) -> None:
    """An order cannot be paid any more: its goods are given back. The payment is locked."""
    order = await queries.lock(tx, payment.book, payment.id)
    if not order.is_reserved:
        effects.add("known", order=str(order.id))
        return
    status = await release(tx, till, order)
    effects.add("released", order=str(order.id), status=status.value)
    is_late = status is OrderStatus.EXPIRED
    type_ = outbox.ORDER_EXPIRED if is_late else outbox.ORDER_CANCELLED
    now = await queries.order(tx, order.book, order.id)
    await _tell(tx, till, type_, now, await queries.lines_of(tx, order))


async def release(tx: AsyncConnection, till: Till, order: Order) -> OrderStatus:
    """Give back what is set aside for an order, which is locked: too late, or given up before."""
    is_late = await ledger_now(tx, till) >= order.expires_at
    status = OrderStatus.EXPIRED if is_late else OrderStatus.CANCELLED
    await reserving.give_up(tx, till, order, status)
    return status


async def processing(tx: AsyncConnection, till: Till, payment: Payment, effects: Effects) -> None:
    """A bank has begun to pay, which may take days: the goods wait."""
    order = await queries.lock(tx, payment.book, payment.id)
    if not order.is_reserved:
        return
    until = await ledger_now(tx, till) + PROCESSING
    await commands.extend(tx, order, until)
    effects.add("extended", order=str(order.id))


async def failed(tx: AsyncConnection, till: Till, payment: Payment, effects: Effects) -> None:
    """A payment has failed; another card may do. Only whoever asked so gives up now."""
    order = await queries.lock(tx, payment.book, payment.id)
    if not order.is_reserved:
        return
    await commands.note_failure(tx, order)
    effects.add("kept", order=str(order.id))
    if order.cancels:
        wanted = Wanted(CLOSE, {"order": str(order.id)}, f"close:{order.id}")
        await queue.enqueue(tx, order.book, till.new_id(), wanted)


async def restate(tx: AsyncConnection, till: Till, payment: Payment, effects: Effects) -> None:
    """Let an order say what refunds and disputes have made of it. The payment is locked."""
    order = await queries.lock(tx, payment.book, payment.id)
    if payment.received is None or order.is_reserved:
        return
    refunds = await paid.refunds(tx, payment)
    gone = sum(each.amount for each in refunds if each.status == "succeeded")
    is_disputed = any(each.stands for each in await paid.disputes(tx, payment))
    status = _status(order, is_disputed=is_disputed, is_refunded=0 < payment.received <= gone)
    if status is order.status:
        return
    await commands.restate(tx, order, status)
    effects.add("order", order=str(order.id), status=status.value)
    lines = await queries.lines_of(tx, order)
    if status is OrderStatus.REFUNDED:
        await _tell(tx, till, outbox.ORDER_REFUNDED, order, lines)
        await _take_in(tx, till, order, lines, effects)
    elif order.status is OrderStatus.REFUNDED and any(each.returned for each in lines):
        # The money has come back, and its goods are for sale again, if they are not sold.
        await till.open_case(tx, order.book, "refund-failed-restocked", str(order.id),
            order=str(order.id), number=order.number)  # fmt: skip


def _status(order: Order, *, is_disputed: bool, is_refunded: bool) -> OrderStatus:
    if order.number is None:
        return OrderStatus.REFUNDED if is_refunded else order.status
    if is_disputed:
        return OrderStatus.DISPUTED
    if is_refunded:
        return OrderStatus.REFUNDED
    return OrderStatus.PAID if order.fulfilled_at is None else OrderStatus.FULFILLED


async def _take_in(
    tx: AsyncConnection, till: Till, order: Order, lines: Sequence[Line], effects: Effects
) -> None:
    """Goods that were never sent are for sale again, where nobody has said otherwise."""
    if order.number is None or order.fulfilled_at is not None:
        return
    back = [(each, each.left) for each in lines if each.on_refund is OnRefund.RESTOCK and each.left]
    await restocking.take_in(tx, till, order, back, "Refunded before it was sent")
    effects.add("restocked", order=str(order.id), units=sum(quantity for _, quantity in back))


async def _tell(
    tx: AsyncConnection, till: Till, type_: str, order: Order, lines: Sequence[Line]
) -> None:
    items = [
        {"product": each.product, "size": each.size, "quantity": each.quantity} for each in lines
    ]
    await till.tell(
        tx, order.book, type_, order.customer, order=str(order.id), order_number=order.number,
        amount=order.amount, currency=order.currency, items=items,
    )  # fmt: skip
