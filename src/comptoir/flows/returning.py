"""What becomes of an order that is sold: it is sent; goods come back, and the money for them.

Goods come back line by line. What is whole is for sale again, what is damaged is not; the money is
asked back of the provider, or was given back otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.payments import commands as payments
from comptoir.domains.payments import compat
from comptoir.domains.payments import queries as paid
from comptoir.domains.payments.model import Effects, Payment, Refund
from comptoir.domains.payments.stripe import ProviderRefused
from comptoir.domains.stock import commands, queries
from comptoir.domains.stock.model import Line, Order, OrderStatus, Origin
from comptoir.flows import refunding, restocking
from comptoir.flows.reserving import ledger_now
from comptoir.flows.till import Till
from comptoir.guards.once import Call, Claim
from comptoir.kit.errors import Conflict, Invalid
from comptoir.store.pool import begin

_SENT: Final = frozenset({OrderStatus.PAID, OrderStatus.FULFILLED})
_DROPPED: Final = "abandoned"


@dataclass(frozen=True, slots=True)
class Back:
    """Goods that came back; damaged ones are not for sale again."""

    product: str
    size: str
    quantity: int
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """A return.

    Attributes:
        refunds: the money for them goes back through the provider.
    """

    order: UUID
    goods: Sequence[Back]
    reason: str
    refunds: bool
    key: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A return that is done.

    Attributes:
        amount: what goes back for it, in minor units.
        refund: what became of that; None when no money was to go back.
        replayed: it was done before, under the same key.
    """

    order: UUID
    amount: int
    currency: str
    refund: str | None
    status: str | None
    replayed: bool


async def fulfil(till: Till, book: int, id_: UUID) -> Order:
    """Note that an order was sent; again changes nothing.

    Raises:
        NotFound: the book has no such order.
        Conflict: it is not paid, or not any more.
    """
    async with begin(till.pool) as tx:
        order = await _ours(tx, book, id_)
        if order.status not in _SENT:
            raise Conflict("order-not-paid", state=order.status.value)
        if order.fulfilled_at is None:
            await commands.fulfil(tx, order, await ledger_now(tx, till))
        return await queries.order(tx, book, id_)


async def _ours(tx: AsyncConnection, book: int, id_: UUID) -> Order:
    order = await queries.lock(tx, book, id_)
    if order.origin is not Origin.CHECKOUT:
        raise Conflict("order-not-paid", state=order.status.value)
    return order


async def take_back(till: Till, book: int, wanted: Wanted) -> Returned:
    """Take goods of an order back, once for a key.

    Raises:
        NotFound: the book has no such order.
        Invalid: it has not so much of something left.
        Conflict: it is not sold, or less money is left of it than the goods cost.
        Unavailable: nobody has given us a key; or the provider, or the database, cannot be reached.
    """
    if wanted.refunds:
        _ = till.provider
    said: dict[str, object] = {
        "order": str(wanted.order), "reason": wanted.reason, "refund": wanted.refunds,
        "lines": [(e.product, e.size, e.quantity, e.is_damaged) for e in wanted.goods],
    }  # fmt: skip
    call = Call.of_fields(book, wanted.key, said, "return")

    async def work(claim: Claim) -> dict[str, Any]:
        payment, refund, result = await _take_in(till, book, wanted, claim)
        if refund is None:
            return result
        return await _refund(till, (payment, refund), wanted.reason, claim, result)

    result, replayed = await (await till.once(book)).run(call, work)
    rest: dict[str, Any] = dict(result)
    return Returned(UUID(rest.pop("order")), **rest, replayed=replayed)


async def _take_in(
    till: Till, book: int, wanted: Wanted, claim: Claim
) -> tuple[Payment, Refund | None, dict[str, Any]]:
    """Note what came back, and what is to go back for it; an earlier attempt may have done it."""
    async with begin(till.pool) as tx:
        payment = await paid.lock(tx, book, wanted.order)
        order = await _ours(tx, book, wanted.order)
        if payment is None or order.number is None:
            raise Conflict("order-not-paid", state=order.status.value)
        result: dict[str, Any] = {
            "order": str(order.id), "amount": 0, "currency": payment.currency, "refund": None,
            "status": None,
        }  # fmt: skip
        before = await paid.refund(tx, book, claim.origin)
        if before is not None:
            return payment, before, result | {"amount": before.amount}
        lines = _matched(await queries.lines_of(tx, order), wanted.goods)
        result["amount"] = sum(line.unit_amount * back.quantity for line, back in lines)
        refund = await _begun(tx, payment, result["amount"], wanted, claim)
        name = str(claim.origin)
        whole: dict[int, tuple[Line, int]] = {}
        for line, back in lines:
            if not back.is_damaged:
                whole[line.no] = (line, whole.get(line.no, (line, 0))[1] + back.quantity)
        await restocking.take_in(tx, till, order, list(whole.values()), wanted.reason, name)
        for line, back in lines:
            if back.is_damaged:
                await commands.note_return(tx, order, line, back.quantity)
        if refund is None:
            await claim.finish(tx, result)
    return payment, refund, result


def _matched(lines: Sequence[Line], goods: Sequence[Back]) -> list[tuple[Line, Back]]:
    """The lines that goods belong to.

    Raises:
        Invalid: the order has not so much of something left.
    """
    by_place = {(each.product, each.size): each for each in lines}
    wanted: dict[tuple[str, str], int] = {}
    found: list[tuple[Line, Back]] = []
    for place, back in enumerate(goods):
        line = by_place.get((back.product, back.size))
        sum_ = wanted.get((back.product, back.size), 0) + back.quantity
        wanted[back.product, back.size] = sum_
        if line is None or sum_ > line.left:
            left = 0 if line is None else line.left
            raise Invalid("return-exceeds-order", field=f"lines.{place}.quantity", left=left)
        found.append((line, back))
    return found


async def _begun(
    tx: AsyncConnection, payment: Payment, amount: int, wanted: Wanted, claim: Claim
) -> Refund | None:
    if not wanted.refunds or not amount:
        return None
    gone = sum(each.amount for each in await paid.refunds(tx, payment) if each.stands)
    left = (payment.received or 0) - gone
    if amount > left:
        raise Conflict("refund-exceeds-left", left=left, wanted=amount)
    refund = Refund(claim.origin, payment.id, None, amount, "new", wanted.reason, 0)
    await payments.add_refund(tx, payment.book, refund)
    return refund


async def _refund(
    till: Till,
    of: tuple[Payment, Refund],
    reason: str,
    claim: Claim,
    result: Mapping[str, Any],
) -> dict[str, Any]:
    payment, refund = of
    told: compat.Refund | None = None
    if refund.status != _DROPPED:
        try:
            told = compat.refund(await refunding.ask(till, payment.book, of, reason, claim))
        except ProviderRefused:
            told = None  # the goods are here all the same
    async with begin(till.pool) as tx:
        locked = await paid.lock(tx, payment.book, payment.id)
        assert locked is not None, "payments never go"
        if told is not None:
            await refunding.refunded(tx, till, locked, told, Effects())
        now = await paid.refund(tx, payment.book, refund.id)
        status = "failed" if told is None or now is None else now.status
        done = {**result, "refund": str(refund.id), "status": status}
        await claim.finish(tx, done)
    till.outbox.ring()
    return done
