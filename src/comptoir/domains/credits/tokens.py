"""Tokens: what was generated with them, month by month. The same engine as credits, another asset.

What was spent is never kept twice: months are folded from the journal, each line once, as open
balances are. Months are those of the customer's own time zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.credits import sql_tokens as sql
from comptoir.kit.limits import COST_SCALE

TOKENS = "tokens"
_MINOR = 2


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's account of tokens."""

    id: int
    posted: int
    held: int
    version: int
    customer: int
    zone: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What was spent in a month, up to a line of the journal."""

    month: date
    spent: int
    generations: int
    until: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What was spent since counting began.

    Attributes:
        since: the line at which an operator let counting begin anew; 0 for the first.
        months: of all lines, also those before.
        this_month: of lines since then.
    """

    spent: int
    generations: int
    since: int
    months: Sequence[Tally]
    this_month: Tally
    starts_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What was spent in a month that has ended, and what it costs, in minor units."""

    id: UUID
    month: date
    starts_at: int
    ends_at: int
    spent: int
    generations: int
    unit_price: int
    currency: str
    amount: int
    billing: str
    invoice: str | None
    made_at: int


def cost_of(spent: int, unit_price: int) -> int:
    """What tokens cost, in minor units, rounded half up.

    Args:
        spent: tokens.
        unit_price: of one, in billionths of the major unit.
    """
    major = Decimal(max(spent, 0) * unit_price).scaleb(-COST_SCALE)
    return int(major.scaleb(_MINOR).quantize(Decimal(1), ROUND_HALF_UP))


async def account(tx: AsyncConnection, book: int, asset: int, customer: str) -> Account | None:
    """A customer's account of tokens, if he has ever had any."""
    given = {"book": book, "asset": asset, "customer": customer}
    row = await (await tx.execute(sql.ACCOUNT, given)).fetchone()
    return None if row is None else Account(*row)


async def folded(
    tx: AsyncConnection, book: int, account_: int, version: int, zone: str
) -> list[Tally]:
    """What was spent in each month, all lines up to a version counted."""
    await tx.execute(sql.LOCK_ACCOUNT, (book, account_ % 2**31))
    known = await _tallies(tx, book, account_)
    after = max((each.until for each in known), default=0)
    if after == version:
        return known
    if after > version:
        return await _lines(tx, book, account_, zone, (0, version))
    given = {"book": book, "account": account_, "zone": zone, "after": after, "until": version}
    for month, spent, generations, until in await (await tx.execute(sql.FOLD, given)).fetchall():
        row = (book, account_, month, spent, generations, until)
        await tx.execute(sql.PUT_TALLY, row)
    return await _tallies(tx, book, account_)


async def _tallies(tx: AsyncConnection, book: int, account_: int) -> list[Tally]:
    rows = await (await tx.execute(sql.TALLIES, (book, account_))).fetchall()
    return [Tally(*row) for row in rows]


async def counted(tx: AsyncConnection, book: int, of: Account, at: int | None = None) -> Counted:
    """What was spent since counting began, and in the month that runs, or ran at a time."""
    months = await folded(tx, book, of.id, of.version, of.zone)
    row = await (await tx.execute(sql.LAST_RESET, (book, of.id))).fetchone()
    since = 0 if row is None else row[0]
    now = await (await tx.execute(sql.NOW, (at, of.zone))).fetchone()
    assert now is not None, "there is always a time"
    starts_at, ends_at = await bounds(tx, now[1], of.zone)
    if since == 0:
        lines = months
    else:
        lines = await _lines(tx, book, of.id, of.zone, (since, of.version))
    this = next((each for each in lines if each.month == now[1]), Tally(now[1], 0, 0, 0))
    return Counted(
        sum(each.spent for each in lines), sum(each.generations for each in lines), since,
        months, this, starts_at, ends_at,
    )  # fmt: skip


async def _lines(
    tx: AsyncConnection, book: int, account_: int, zone: str, span: tuple[int, int]
) -> list[Tally]:
    """What some lines have spent, by months, counted anew."""
    given = {
        "book": book, "account": account_, "zone": zone, "after": span[0], "until": span[1],
    }  # fmt: skip
    rows = await (await tx.execute(sql.FOLD, given)).fetchall()
    return [Tally(*row) for row in rows]


async def bounds(tx: AsyncConnection, month: date, zone: str) -> tuple[int, int]:
    """When a month begins and ends in a time zone, in microseconds."""
    row = await (await tx.execute(sql.BOUNDS, {"month": month, "zone": zone})).fetchone()
    assert row is not None, "there is always a time"
    return row[0], row[1]


async def initial(tx: AsyncConnection, book: int, account_: int) -> int:
    """What somebody was given at first."""
    row = await (await tx.execute(sql.INITIAL, (book, account_))).fetchone()
    return 0 if row is None else row[0]


async def note_reset(tx: AsyncConnection, book: int, account_: int, version: int) -> None:
    """Let counting begin anew after a line."""
    await tx.execute(sql.ADD_RESET, (book, account_, version))


async def statements(
    tx: AsyncConnection, book: int, account_: int, before: date, limit: int
) -> list[Statement]:
    """Statements of months that have ended, the newest first."""
    rows = await (await tx.execute(sql.STATEMENTS, (book, account_, before, limit))).fetchall()
    return [Statement(*row) for row in rows]
