"""Closing an order that is not paid: first nobody may pay any more, then its goods are given back.

Goods are never given back while somebody could still pay for them. So the provider is asked to
cancel first, and what it answers decides: cancelled, the goods are free; paid meanwhile, they are
sold; a bank that has begun to pay, they wait; no answer, they wait too, and it is tried again.
"""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from comptoir.domains.payments import commands as payments
from comptoir.domains.payments import queries as paid
from comptoir.domains.payments.model import Effects, Payment, Status
from comptoir.domains.stock import commands, queries
from comptoir.domains.stock.model import Order, Origin
from comptoir.flows import fulfilling, reconciling
from comptoir.flows.auditing import Report
from comptoir.flows.reserving import ledger_now
from comptoir.flows.till import Till
from comptoir.jobs.model import Job, Result
from comptoir.jobs.schedule import Periodic
from comptoir.kit.errors import ComptoirError, Conflict, Unavailable
from comptoir.store.pool import begin

TYPE: Final = "orders.expire"
EVERY_MINUTE: Final = Periodic(TYPE, "* * * * *")

TOGETHER: Final = 50
"""Orders that are taken at a time."""

SIDE_BY_SIDE: Final = 8
MOST: Final = 5_000
"""Orders that one round closes; the next one goes on."""


class Closed(StrEnum):
    """What became of an order that was to be closed."""

    RELEASED = "released"
    CAPTURED = "captured"
    KEPT = "kept"


@dataclass(slots=True)
class Cleaned:
    """What became of orders whose time was over."""

    examined: int = 0
    released: int = 0
    captured: int = 0
    kept: int = 0

    def add(self, closed: Closed) -> None:
        """One more."""
        self.examined += 1
        setattr(self, closed.value, getattr(self, closed.value) + 1)


async def clean(till: Till, book: int | None = None) -> Cleaned:
    """Close the orders whose time is over: of one book, or of all.

    Raises:
        Unavailable: the database cannot be reached.
    """
    cleaned = Cleaned()
    turns = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(book: int, id_: UUID) -> None:
        async with turns:
            try:
                cleaned.add(await _close(till, book, id_))
            except ComptoirError:
                cleaned.add(Closed.KEPT)

    while cleaned.examined < MOST:
        async with begin(till.pool) as tx:
            due = await commands.take_due(tx, await ledger_now(tx, till), TOGETHER, book)
        async with asyncio.TaskGroup() as tasks:
            for place in due:
                tasks.create_task(one(*place))
        if len(due) < TOGETHER:
            break
    till.outbox.ring()
    return cleaned


async def by_itself(till: Till, _: Job) -> Result:
    """What is done every minute.

    Raises:
        Unavailable: the database cannot be reached.
    """
    cleaned = await clean(till)
    return {
        "examined": cleaned.examined, "released": cleaned.released,
        "captured": cleaned.captured, "kept": cleaned.kept,
    }  # fmt: skip


async def close_job(till: Till, job: Job) -> Result:
    """Close the order of a job: its payment has failed, and its buyer wanted no other try.

    Raises:
        Unavailable: the provider does not answer: the job is tried again.
    """
    closed = await close(till, job.book, UUID(str(job.payload["order"])))
    if closed is Closed.KEPT:
        raise Unavailable("provider-down")
    return {"closed": closed.value}


async def cancel(till: Till, book: int, id_: UUID) -> Order:
    """Cancel an order that is not paid, for its buyer or an operator; again changes nothing.

    Raises:
        NotFound: the book has no such order.
        Conflict: it is paid, or being paid just now.
        Unavailable: the provider does not say whether it was paid; or the database is down.
    """
    closed = await close(till, book, id_)
    async with begin(till.pool) as tx:
        order = await queries.order(tx, book, id_)
    if closed is Closed.CAPTURED:
        raise Conflict("order-paid", order_number=order.number)
    if closed is Closed.KEPT:
        async with begin(till.pool) as tx:
            payment = await paid.find(tx, book, id_)
        if payment.status is Status.PROCESSING:
            raise Conflict("order-processing")
        raise Unavailable("provider-down")
    return order


async def close(till: Till, book: int, id_: UUID) -> Closed:
    """Close an order, whoever else is closing it.

    Raises:
        NotFound: the book has no such order.
        Unavailable: the database cannot be reached.
    """
    async with begin(till.pool) as tx:
        order = await queries.order(tx, book, id_)
        if order.is_reserved:
            await commands.try_to_close(tx, order, await ledger_now(tx, till))
    return await _close(till, book, id_)


async def _close(till: Till, book: int, id_: UUID) -> Closed:
    async with begin(till.pool) as tx:
        order = await queries.lock(tx, book, id_)
        if not order.is_reserved:
            return _what(order)
        if order.origin is Origin.CALLER:
            await fulfilling.release(tx, till, order)
            return Closed.RELEASED
        payment = await paid.find(tx, book, id_)
    if payment.intent is None and payment.session is None:
        return await _never_begun(till, order, payment)
    await reconciling.end(till, payment, f"{order.id}:close:{order.tries}")
    async with begin(till.pool) as tx:
        return _what(await queries.order(tx, book, id_))


def _what(order: Order) -> Closed:
    if order.is_reserved:
        return Closed.KEPT
    return Closed.CAPTURED if order.number is not None else Closed.RELEASED


async def _never_begun(till: Till, order: Order, payment: Payment) -> Closed:
    """The provider was never heard: nobody was told how to pay, and nobody will be.

    What it may have made all the same is cancelled where it is found, but nobody could pay that.
    """
    found = None
    try:
        found = await reconciling.find_lost(till, payment, Report())
    except ComptoirError as error:
        if not isinstance(error, Unavailable):
            raise
    if found is not None and (found.intent or found.session):
        await reconciling.end(till, found, f"{order.id}:close:{order.tries}")
    async with begin(till.pool) as tx:
        locked = await paid.lock(tx, order.book, order.id)
        now = await queries.lock(tx, order.book, order.id)
        assert locked is not None, "payments never go"
        if not now.is_reserved:
            return _what(now)
        if locked.intent is not None or locked.session is not None:
            return Closed.KEPT  # somebody has just been told how to pay
        await payments.change(tx, locked, Status.FAILED, "never-begun")
        await fulfilling.ended(tx, till, locked, Effects())
    return Closed.RELEASED
