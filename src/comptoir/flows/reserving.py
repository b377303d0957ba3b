"""Setting stock aside: all of a cart or nothing, in one commit with the order that it is for.

Start here for stock that a caller sells by himself: he reserves, and says later whether it is sold.
What a checkout sells goes the same way, and is ended by its payment: see `checkout`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection, Rollback

from comptoir.domains.stock import commands, queries
from comptoir.domains.stock.commands import Draft
from comptoir.domains.stock.model import (
    ASSET,
    SALE_REASON,
    SOLD,
    InsufficientStock,
    Item,
    Line,
    Order,
    OrderStatus,
    Origin,
)
from comptoir.flows import crediting
from comptoir.flows.till import Till
from comptoir.kit.errors import Conflict, NotFound, Unavailable
from comptoir.kit.ids import request_id
from comptoir.kit.limits import SECOND
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.model import Answer, Note
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Capture, Chain, Hold, Release, Spend
from comptoir.store.commit import Companion
from comptoir.store.ledger import execute
from comptoir.store.pool import begin

DONE: Final = frozenset({Outcome.CREATED, Outcome.EXISTS})
MINUTES_MOST: Final = 7 * 24 * 60
"""For how long anything may be set aside."""

_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Aside:
    """What was set aside.

    Attributes:
        expires_at: until when, in microseconds.
        replayed: it was done before, under the same key.
    """

    id: UUID
    expires_at: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller wants set aside, for something that he knows by a reference."""

    items: Sequence[Item]
    reference: str
    minutes: int | None
    key: str


async def reserve(till: Till, book: int, wanted: Wanted) -> Aside:
    """Set stock aside for a caller who sells by himself, once for a key.

    Raises:
        InsufficientStock: there is less of something; nothing was set aside.
        Conflict: the key is that of another request.
        Unavailable: the database cannot be reached.
    """
    for _ in range(_TRIES):
        cart = await till.shelf.cart(book, wanted.items)
        seconds = till.terms.reservation_seconds
        draft = Draft(
            book=book, id=till.new_id(), origin=Origin.CALLER, lines=cart.lines, key=wanted.key,
            seconds=seconds if wanted.minutes is None else wanted.minutes * 60.0,
            reference=wanted.reference, currency=cart.currency,
        )  # fmt: skip
        said = (("reference", wanted.reference), ("minutes", wanted.minutes))
        made = await set_aside(till, draft, said)
        if made is not None:
            return made
        till.shelf.forget()
    raise Unavailable("account-busy")


async def set_aside(
    till: Till,
    draft: Draft,
    said: Sequence[tuple[str, object]] = (),
    beside: Sequence[Companion] = (),
) -> Aside | None:
    """Commit holds and order together; None when an account is nobody's any more.

    Args:
        till: what it takes.
        draft: the order.
        said: what else the same key must mean.
        beside: more rows for the same commit.

    Raises:
        InsufficientStock: there is less of something; nothing was set aside.
        Conflict: the key is that of another request.
    """
    asset = await till.directory.asset(draft.book, ASSET)
    items = [(each.account, each.quantity) for each in draft.lines]
    mark = fingerprint((("op", "reserve"), ("items", str(sorted(items))), *said))
    chain: Chain = tuple(
        Hold(
            request_id(draft.book, f"{draft.key}\x1f{place}" if place else draft.key),
            fingerprint((("op", "reserve"), ("place", place))) if place else mark,
            line.account, asset.revenue, line.quantity,
        )
        for place, line in enumerate(draft.lines)
    )  # fmt: skip
    answers = await till.submit(draft.book, chain, [*commands.companions(draft), *beside])
    refused = next((each for each in answers if each.outcome not in DONE and _is_first(each)), None)
    if refused is None:
        return await _done(till, draft, answers)
    if refused.outcome is Outcome.ACCOUNT_NOT_FOUND:
        return None
    line = draft.lines[answers.index(refused)]
    raise _refusal(line, refused)


def _is_first(answer: Answer) -> bool:
    """Whether it is what broke the chain, not what was broken with it."""
    return answer.outcome is not Outcome.CHAIN_BROKEN


def _refusal(line: Line, answer: Answer) -> Exception:
    if answer.outcome is Outcome.INSUFFICIENT:
        wanted = Item(line.product, line.size, line.quantity)
        return ShortOf(wanted, answer.available or 0, line, replayed=answer.replayed)
    if answer.outcome is Outcome.EXISTS_DIFFERENT:
        return Conflict("idempotency-key-reused", field=answer.field or "items")
    return Conflict("reservation-refused", outcome=answer.outcome.value)


class ShortOf(InsufficientStock):
    """Less can be sold than is wanted.

    Attributes:
        line: of what.
    """

    def __init__(self, wanted: Item, available: int, line: Line, *, replayed: bool) -> None:
        super().__init__(wanted, available, "new-key", replayed=replayed)
        self.line = line


async def _done(till: Till, draft: Draft, answers: Sequence[Answer]) -> Aside:
    first = answers[0]
    if not first.replayed:
        return Aside(draft.id, first.at + int(draft.seconds * SECOND), replayed=False)
    async with begin(till.pool) as tx:
        order = await queries.by_hold(tx, draft.book, draft.hold)
    if order is None:
        raise Conflict("idempotency-key-reused", field="items")
    return Aside(order.id, order.expires_at, replayed=True)


async def release(till: Till, book: int, id_: UUID) -> Order:
    """Give back what was set aside for a caller; again changes nothing.

    Raises:
        NotFound: the book has no such reservation.
        Conflict: it was sold.
    """
    async with begin(till.pool) as tx:
        order = await _callers_own(tx, book, id_)
        if order.status in SOLD:
            raise Conflict("reservation-committed", order_number=order.number)
        if order.is_reserved:
            await give_up(tx, till, order, OrderStatus.CANCELLED)
        return await queries.order(tx, book, id_)


async def commit(till: Till, book: int, id_: UUID, number: str) -> Order:
    """Note that a caller has sold what was set aside, under a number of his own.

    One whose time was over gets what he sold all the same, if it is still there.

    Raises:
        NotFound: the book has no such reservation.
        Conflict: it was sold under another number.
        InsufficientStock: its time was over, and somebody else has it by now.
    """
    async with begin(till.pool) as tx:
        order = await _callers_own(tx, book, id_)
        if order.status in SOLD:
            if order.number != number:
                raise Conflict("reservation-committed", order_number=order.number)
            return order
        lines = await queries.lines_of(tx, order)
        short = await sell(tx, till, order, lines, number)
        if short is not None:
            line, available = short
            raise InsufficientStock(Item(line.product, line.size, line.quantity), available)
        await commands.sell(tx, order, number, await ledger_now(tx, till))
        return await queries.order(tx, book, id_)


async def _callers_own(tx: AsyncConnection, book: int, id_: UUID) -> Order:
    try:
        order = await queries.lock(tx, book, id_)
    except NotFound:
        raise NotFound("reservation-not-found") from None
    if order.origin is not Origin.CALLER:
        raise NotFound("reservation-not-found")
    return order


async def give_up(tx: AsyncConnection, till: Till, order: Order, status: OrderStatus) -> None:
    """Give back what is set aside for an order, which is locked."""
    mark = fingerprint((("op", "release"),))
    id_ = request_id(order.book, f"release\x1f{order.id}")
    # Whoever has released its holds by hand has done it already.
    await crediting.decide(tx, till, order.book, Release(id_, mark, order.hold))
    await commands.end(tx, order, status, await ledger_now(tx, till))


async def sell(
    tx: AsyncConnection, till: Till, order: Order, lines: Sequence[Line], number: str
) -> tuple[Line, int] | None:
    """Take what an order is about for good, for its number; it is locked.

    What is not set aside any more is taken from what there is, all or nothing. Returns the line
    that there is too little of, and what there is; nothing was changed then.
    """
    note = sale_note(number)
    if order.is_reserved:
        mark = fingerprint((("op", "sale"),))
        id_ = request_id(order.book, f"sale\x1f{order.id}")
        capture = Capture(id_, mark, order.hold, note=note)
        answer = await crediting.decide(tx, till, order.book, capture)
        if answer.outcome in DONE:
            return None
    return await _take(tx, till, order, lines, note)


async def _take(
    tx: AsyncConnection, till: Till, order: Order, lines: Sequence[Line], note: Note
) -> tuple[Line, int] | None:
    asset = await till.directory.asset(order.book, ASSET)
    facts = await till.directory.facts(order.book)
    chain: Chain = tuple(
        Spend(
            request_id(order.book, f"late\x1f{order.id}\x1f{line.no}"),
            fingerprint((("op", "sale"), ("amount", line.quantity))),
            line.account, asset.revenue, line.quantity, note=note,
        )
        for line in lines
    )  # fmt: skip
    short = None
    async with tx.transaction() as part:
        [answers] = await execute(tx, order.book, facts, [chain], till.ledger_clock)
        short = _short(lines, answers)
        if short is not None:
            # Undone as a whole: a refusal that is kept would be what a later try finds.
            raise Rollback(part)
    return short


def _short(lines: Sequence[Line], answers: Sequence[Answer]) -> tuple[Line, int] | None:
    for line, answer in zip(lines, answers, strict=True):
        if answer.outcome is Outcome.INSUFFICIENT:
            return line, answer.available or 0
    return None if all(answer.outcome in DONE for answer in answers) else (lines[0], 0)


def sale_note(number: str) -> Note:
    """What the journal says of a sale."""
    return noted("sale", SALE_REASON.format(number=number), number, number)


def noted(type_: str, reason: str | None, reference: str | None, order: str | None) -> Note:
    """What the journal says of a movement of stock."""
    said = {"type": type_} | ({} if order is None else {"order": order})
    text = msgspec.json.encode(said, order="deterministic").decode()
    return Note(reason, reference, text)


_NOW: Final = "SELECT comptoir.micros(clock_timestamp())"


async def ledger_now(tx: AsyncConnection, till: Till) -> int:
    """The time by which the ledger decides."""
    row = await (await tx.execute(_NOW)).fetchone()
    assert row is not None, "there is always a time"
    return till.ledger_clock(row[0])
