"""What pages show of stock and orders: what is low, set aside until when, bought, and sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.stock import sql_overview as sql
from comptoir.domains.stock.model import LINES, Line, Order, OrderStatus, Origin, Size
from comptoir.kit.ids import request_id
from comptoir.ledger.model import Kind

Place = tuple[int, UUID]
"""Where a list goes on: a time in microseconds, zero where ids say it all, and an order."""

FIRST: Final = UUID(int=0)
LAST: Final = UUID(int=2**128 - 1)

LOOKED_AT: Final = 1_000
"""Orders that one page looks at where only some are wanted: however rare they are, it ends."""

COUNTED: Final = 5_000
"""Orders that the funnel counts: the newest ones of its window."""

_RESERVED_LOOKED: Final = 2_000
_BACK: Final = 500
_STORY: Final = 500


async def low(tx: AsyncConnection, book: int, limit: int) -> list[Size]:
    """Sizes of which there are no more than whoever sells them called low."""
    return [Size(*row) for row in await (await tx.execute(sql.LOW, (book, limit))).fetchall()]


async def _all(
    tx: AsyncConnection, query: str, given: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    return await (await tx.execute(query.encode(), given)).fetchall()


def first_since(micros: int) -> UUID:
    """Comes before every order of a time in microseconds and later: ids begin with their time."""
    return UUID(bytes=(max(micros, 0) // 1000).to_bytes(6, "big") + bytes(10))


@dataclass(frozen=True, slots=True)
class Reserved:
    """A line of what is set aside. Times are in microseconds."""

    order: UUID
    product: str
    size: str
    quantity: int
    customer: str | None
    email: str | None
    reference: str | None
    created_at: int
    expires_at: int
    origin: str
    no: int


@dataclass(frozen=True, slots=True)
class ReservedAfter:
    """The last line of a page of what is set aside."""

    expires_at: int = 0
    order: UUID = FIRST
    no: int = 0


async def reserved(
    tx: AsyncConnection,
    book: int,
    product: str | None,
    limit: int,
    after: ReservedAfter | None = None,
) -> tuple[list[Reserved], ReservedAfter | None]:
    """What is set aside, of all or of a product; what ends first comes first.

    Returns:
        Lines, and after which one the next page begins; None when that is all.
    """
    after = after or ReservedAfter()
    looked = max(limit + 1, 0 if product is None else _RESERVED_LOOKED)
    place = {"book": book, "at": after.expires_at, "after": after.order}
    due = await _all(tx, sql.DUE_NEXT, {**place, "limit": looked})
    given = {
        **place, "ids": [row[0] for row in due], "product": product, "line": after.no,
        "limit": limit + 1,
    }  # fmt: skip
    found = [Reserved(*row) for row in await _all(tx, sql.RESERVED, given)]
    if len(found) > limit:
        last = found[limit - 1]
        return found[:limit], ReservedAfter(last.expires_at, last.order, last.no)
    if len(due) == looked:
        return found, ReservedAfter(due[-1][1], due[-1][0], LINES)
    return found, None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which orders.

    Attributes:
        after: the last one that was seen.
        first: no order before it.
        customer: his surrogate id.
        paid: from when until before when it was paid, in microseconds.
    """

    limit: int
    after: Place | None = None
    first: UUID = FIRST
    status: OrderStatus | None = None
    customer: int | None = None
    product: str | None = None
    paid: tuple[int, int] | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether only some of the orders that an index leads to are wanted."""
        beside = self.paid is not None and (self.customer is not None or self.first != FIRST)
        return self.status is not None or self.product is not None or beside


@dataclass(frozen=True, slots=True)
class Listed:
    """An order as a list shows it. Times are in microseconds.

    Attributes:
        customer: his own id; None for a guest, and for who was erased.
    """

    id: UUID
    origin: Origin
    status: OrderStatus
    number: str | None
    reference: str | None
    customer: str | None
    email: str | None
    amount: int
    currency: str | None
    created_at: int
    expires_at: int
    paid_at: int | None
    fulfilled_at: int | None
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Orders, the newest first.

    Attributes:
        after: where the next page begins; None when there is none.
        looked: how many orders were looked at for it.
    """

    orders: Sequence[Listed]
    after: Place | None
    looked: int


async def orders(tx: AsyncConnection, book: int, sought: Sought) -> Page:
    """Orders of all kinds, the newest first; where it was paid is said, the last paid first."""
    most = max(LOOKED_AT, sought.limit + 1) if sought.is_narrow else sought.limit + 1
    looked = await _looked(tx, book, sought, most)
    given = {
        "book": book, "ids": [row[0] for row in looked], "status": sought.status,
        "customer": sought.customer, "product": sought.product, "first": sought.first,
        "limit": sought.limit + 1,
    }  # fmt: skip
    rows = await _all(tx, sql.LISTED, given)
    shown = [_listed(row) for row in rows[: sought.limit]]
    last: Place | None = None
    if len(rows) > sought.limit:
        number: int = rows[sought.limit - 1][-1]
        last = _place(looked[number - 1])
    elif len(looked) == most:
        last = _place(looked[-1])
    return Page(shown, last, len(looked))


def _place(row: Sequence[Any]) -> Place:
    return row[1], row[0]


async def _looked(
    tx: AsyncConnection, book: int, sought: Sought, most: int
) -> list[tuple[Any, ...]]:
    at, before = sought.after or (0, LAST)
    given: dict[str, object] = {
        "book": book, "before": before, "first": sought.first, "limit": most,
        "customer": sought.customer,
    }  # fmt: skip
    if sought.paid is not None:
        since, until = sought.paid
        given |= {"since": since, "at": at if sought.after else until - 1}
        return await _all(tx, sql.LOOKED_PAID, given)
    statement = sql.LOOKED if sought.customer is None else sql.LOOKED_OF_CUSTOMER
    return await _all(tx, statement, given)


def _listed(row: Sequence[Any]) -> Listed:
    id_, origin, status, *rest = row[:-1]
    return Listed(id_, Origin(origin), OrderStatus(status), *rest)


async def first_lines(
    tx: AsyncConnection, book: int, ids: Sequence[UUID], most: int
) -> dict[UUID, list[tuple[str, str, int]]]:
    """Product, size and quantity of the first lines of some orders."""
    found: dict[UUID, list[tuple[str, str, int]]] = {}
    given = {"book": book, "ids": list(ids), "limit": most}
    for id_, product, size, quantity in await _all(tx, sql.FIRST_LINES, given):
        found.setdefault(id_, []).append((product, size, quantity))
    return found


@dataclass(frozen=True, slots=True)
class Funnel:
    """How far orders have come: how many were begun, paid at some time, and sent.

    Attributes:
        now: by what they are now.
        is_cut: there are more; these are the newest.
    """

    begun: int
    paid: int
    sent: int
    now: Mapping[OrderStatus, int]
    is_cut: bool


async def funnel(tx: AsyncConnection, book: int, first: UUID) -> Funnel:
    """How far the orders from one on have come: of the newest of them, if they are many."""
    rows = await _all(tx, sql.FUNNEL, {"book": book, "first": first, "limit": COUNTED})
    begun, paid, sent = (sum(row[place] for row in rows) for place in (1, 2, 3))
    now = {OrderStatus(row[0]): row[1] for row in rows}
    return Funnel(begun, paid, sent, now, begun >= COUNTED)


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the journal of stock that an order has made.

    Attributes:
        amount: by how much the stock has changed.
        posted: the stock after it.
        held: by how much what is set aside has changed.
    """

    account: int
    version: int
    product: str
    size: str
    kind: Kind
    amount: int
    posted: int
    held: int
    reason: str | None
    at: int

    @property
    def is_given_back(self) -> bool:
        """Whether it has only given back what was set aside."""
        return self.held < 0 and self.amount == 0


async def story(
    tx: AsyncConnection, of: Order, lines: Sequence[Line], refunds: Sequence[UUID]
) -> list[Step]:
    """What an order has done to stock, the oldest first.

    Args:
        tx: an open transaction.
        of: the order.
        lines: of the order.
        refunds: of its payment; goods have come back under their names.
    """
    names = ["refund", *map(str, refunds)]
    requests = [
        request_id(of.book, said)
        for line in lines
        for said in (
            f"late\x1f{of.id}\x1f{line.no}",
            *(f"return\x1f{of.id}\x1f{line.no}\x1f{name}" for name in names if line.returned),
        )
    ]
    given = {
        "book": of.book, "hold": of.hold, "requests": requests, "number": of.number,
        "returned": [line.account for line in lines if line.returned], "back": _BACK,
        "limit": _STORY,
    }  # fmt: skip
    return [_step(row) for row in await _all(tx, sql.STORY, given)]


def _step(row: Sequence[Any]) -> Step:
    values = list(row)
    values[4] = Kind(values[4])
    return Step(*values)
