"""The outbox: what has happened that others want to know of, written in the commit that did it.

Rows are claimed by their state: the order of numbers is not the order of commits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

PURCHASE_PAID: Final = "purchase.paid"
PURCHASE_REFUNDED: Final = "purchase.refunded"
PAYMENT_PAID: Final = "payment.paid"
PAYMENT_REFUNDED: Final = "payment.refunded"
DISPUTE_OPENED: Final = "dispute.opened"
DISPUTE_CLOSED: Final = "dispute.closed"
SUBSCRIPTION_CHANGED: Final = "subscription.changed"
SUBSCRIPTION_UNPAID: Final = "subscription.unpaid"
CREDITS_LOW: Final = "credits.low"
CREDITS_EMPTY: Final = "credits.empty"
CASE_OPENED: Final = "case.opened"
TOP_UP_FAILED: Final = "top-up.failed"
STATEMENT_MADE: Final = "statement.made"
ORDER_PAID: Final = "order.paid"
ORDER_CANCELLED: Final = "order.cancelled"
ORDER_EXPIRED: Final = "order.expired"
ORDER_REFUNDED: Final = "order.refunded"
STOCK_LOW: Final = "stock.low"

TYPES: Final = (
    CASE_OPENED, CREDITS_EMPTY, CREDITS_LOW, DISPUTE_CLOSED, DISPUTE_OPENED, ORDER_CANCELLED,
    ORDER_EXPIRED, ORDER_PAID, ORDER_REFUNDED, PAYMENT_PAID, PAYMENT_REFUNDED, PURCHASE_PAID,
    PURCHASE_REFUNDED, STATEMENT_MADE, STOCK_LOW, SUBSCRIPTION_CHANGED, SUBSCRIPTION_UNPAID,
    TOP_UP_FAILED,
)  # fmt: skip

ADD: Final[LiteralString] = """
INSERT INTO comptoir.outbox (book_id, id, type, customer_id, account_id, version, figures)
VALUES (%s, %s, %s, %s, %s, %s, %s)"""

ADD_ONCE: Final[LiteralString] = f"{ADD} ON CONFLICT DO NOTHING RETURNING id"

CLAIM: Final = """
SELECT o.book_id, o.id, o.type, o.customer_id, o.account_id, o.version, o.figures,
    comptoir.micros(o.at)
FROM comptoir.outbox o WHERE o.waits ORDER BY o.at LIMIT 100 FOR UPDATE SKIP LOCKED"""

SETTLE: Final = """
UPDATE comptoir.outbox o SET waits = false
FROM unnest(%s::integer[], %s::uuid[]) AS t(book_id, id)
WHERE o.book_id = t.book_id AND o.id = t.id"""

FIND: Final = """
SELECT o.book_id, o.id, o.type, o.customer_id, o.account_id, o.version, o.figures,
    comptoir.micros(o.at)
FROM comptoir.outbox o WHERE o.book_id = %s AND o.id = %s"""

LIST: Final = """
SELECT o.book_id, o.id, o.type, o.customer_id, o.account_id, o.version, o.figures,
    comptoir.micros(o.at)
FROM comptoir.outbox o
WHERE o.book_id = %s AND (o.at, o.id) < (comptoir.moment(%s), %s)
ORDER BY o.at DESC, o.id DESC LIMIT %s"""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that has happened.

    Attributes:
        customer: the surrogate id of whose it is; his name is looked up when others are told.
        place: the account and the version that it is about.
        figures: what is told of it: nothing personal.
        at: when, in microseconds.
    """

    book: int
    id: UUID
    type: str
    customer: int | None
    place: tuple[int, int] | None
    figures: Mapping[str, Any]
    at: int = 0


async def add(tx: AsyncConnection, happening: Happening) -> None:
    """Let others be told, if the open transaction commits."""
    await tx.execute(ADD, _row(happening), prepare=True)


async def add_once(tx: AsyncConnection, happening: Happening) -> bool:
    """Let others be told, unless they are told already of what has that id; was it new?"""
    cursor = await tx.execute(ADD_ONCE, _row(happening))
    return await cursor.fetchone() is not None


async def claim(tx: AsyncConnection) -> list[Happening]:
    """Lock what nobody has looked at yet, the oldest first, a hundred at most."""
    return [_happening(row) for row in await (await tx.execute(CLAIM)).fetchall()]


async def settle(tx: AsyncConnection, happenings: Sequence[Happening]) -> None:
    """Note that whoever wants to know of them has been found."""
    places = ([each.book for each in happenings], [each.id for each in happenings])
    await tx.execute(SETTLE, places)


async def find(tx: AsyncConnection, book: int, id_: UUID) -> Happening | None:
    """Something that has happened, by its id."""
    row = await (await tx.execute(FIND, (book, id_))).fetchone()
    return None if row is None else _happening(row)


async def listed(
    tx: AsyncConnection, book: int, before: tuple[int, UUID] | None, limit: int
) -> list[Happening]:
    """What has happened, the newest first; `before` is the last one that was seen."""
    at, id_ = before or (2**52, UUID(int=0))
    rows = await (await tx.execute(LIST, (book, at, id_, limit))).fetchall()
    return [_happening(row) for row in rows]


def _row(of: Happening) -> tuple[object, ...]:
    account, version = of.place or (None, None)
    return of.book, of.id, of.type, of.customer, account, version, Jsonb(dict(of.figures))


def _happening(row: Sequence[Any]) -> Happening:
    book, id_, type_, customer, account, version, figures, at = row
    place = None if account is None else (account, version)
    return Happening(book, id_, type_, customer, place, figures, at)
