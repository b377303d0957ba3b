"""What pages show of many balances at once, quickly: a bounded number of rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import AsyncConnection

from comptoir.domains.credits import sql_overview as sql
from comptoir.domains.credits.model import LOW_SHARE

EVERYONE: Final = 2**62
"""Comes after every customer."""

ACCOUNTS_AT_ONCE: Final = 5_000
_BEYOND: Final = "\U0010ffff"
_SPANS: Final = (1.0, 60.0, 3_600.0, 86_400.0, 30 * 86_400.0)
"""Seconds in which to look for the newest movements: no longer than until there are enough."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A customer with his balance in one asset, in its smallest unit. `at` is in microseconds."""

    id: int
    customer: str
    name: str | None
    plan: str
    posted: int
    held: int
    debt: int
    filled: int
    at: int | None

    @property
    def available(self) -> int:
        """What may be spent or held now."""
        return self.posted - self.held

    @property
    def flags(self) -> list[str]:
        """What is worth a look."""
        said = {
            "debt": self.debt > 0,
            "empty": self.at is not None and self.available <= 0,
            "low": 0 < self.available < self.filled // LOW_SHARE,
            "held": self.held > 0,
        }
        return [name for name, is_so in said.items() if is_so]


async def newest(
    tx: AsyncConnection, book: int, asset: int, before: int, limit: int
) -> list[Standing]:
    """Customers, the newest first, before a surrogate id."""
    given = {"book": book, "asset": asset, "after": before, "limit": limit}
    return [Standing(*row) for row in await (await tx.execute(sql.NEWEST, given)).fetchall()]


async def beginning_with(
    tx: AsyncConnection, place: tuple[int, int], prefix: str, after: str, limit: int
) -> list[Standing]:
    """Customers of a book whose ids begin so, in their order, with balances in an asset."""
    book, asset = place
    given = {
        "book": book, "asset": asset, "prefix": prefix, "beyond": prefix + _BEYOND,
        "after": after, "limit": limit,
    }  # fmt: skip
    return [Standing(*row) for row in await (await tx.execute(sql.BY_PREFIX, given)).fetchall()]


@dataclass(slots=True)
class Owed:
    """What all customers have of an asset together, in its smallest unit."""

    asset: int
    posted: int = 0
    held: int = 0
    debt: int = 0


async def owed(tx: AsyncConnection, book: int) -> list[Owed]:
    """What customers have, by asset, all of it at one moment: nothing may be read in `tx` before.

    It reads every account, by the primary key and some at a time, so that no statement is long. No
    total is kept from which it could be read at once: one row for all who spend would be in the
    way of every commit.
    """
    await tx.execute(sql.SNAPSHOT)
    found: dict[int, Owed] = {}
    last, read = 0, ACCOUNTS_AT_ONCE
    while read >= ACCOUNTS_AT_ONCE:  # bounded: ids go up
        given = {"book": book, "after": last, "limit": ACCOUNTS_AT_ONCE}
        rows = await (await tx.execute(sql.OWED, given)).fetchall()
        read = sum(row[5] for row in rows)
        last = max((row[6] for row in rows), default=last)
        for asset, is_owed, posted, held, debt, *_ in rows:
            if is_owed:
                line = found.setdefault(asset, Owed(asset))
                line.posted += posted
                line.held += held
                line.debt += debt
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Expiring:
    """An open lot that will expire. Times are in microseconds, figures in the smallest unit."""

    account: int
    no: int
    customer: str | None
    asset: str
    scale: int
    source: str
    left: int
    pinned: int
    granted: int
    at: int


FIRST: Final = (0, 0, 0)
"""Comes before every lot."""


async def expiring(
    tx: AsyncConnection, book: int, after: tuple[int, int, int], until: int, limit: int
) -> list[Expiring]:
    """Lots that are about to expire, the soonest first.

    Args:
        tx: an open transaction.
        book: of which book.
        after: expiry, account and number of the last one that was seen, or FIRST.
        until: how far to look ahead, in microseconds.
        limit: at most so many.
    """
    expires_at, account, no = after
    given = {
        "book": book, "until": until, "expires_at": expires_at, "account": account, "no": no,
        "limit": limit,
    }  # fmt: skip
    return [Expiring(*row) for row in await (await tx.execute(sql.EXPIRING, given)).fetchall()]


@dataclass(frozen=True, slots=True)
class OpenHold:
    """A hold that is open, and what for. `left` is what it still sets aside.

    Attributes:
        customer: None for stock that is set aside for somebody who pays.
    """

    id: bytes
    account: int
    customer: str | None
    asset: str
    scale: int
    left: int
    at: int
    expires_at: int | None
    reason: str | None
    reference: str | None


async def open_holds(
    tx: AsyncConnection, book: int, after: tuple[int, bytes], limit: int
) -> list[OpenHold]:
    """Open holds, the oldest first, after the time and id of the last one that was seen."""
    given = {"book": book, "at": after[0], "hold": after[1], "limit": limit}
    return [OpenHold(*row) for row in await (await tx.execute(sql.OPEN_HOLDS, given)).fetchall()]


@dataclass(frozen=True, slots=True)
class Happened:
    """A movement, as a list of all accounts shows it."""

    account: int
    version: int
    kind: str
    amount: int
    after: int
    held: int
    at: int
    asset: str
    scale: int
    customer: str | None
    account_name: str | None
    reason: str | None

    @property
    def before(self) -> int:
        """The posted balance before it."""
        return self.after - self.amount


async def recent(tx: AsyncConnection, book: int, limit: int) -> Sequence[Happened]:
    """The newest movements of all accounts."""
    await tx.execute(sql.PLANNED)
    found: list[Happened] = []
    for seconds in _SPANS:
        given = {"book": book, "seconds": seconds, "limit": limit}
        found = [Happened(*row) for row in await (await tx.execute(sql.RECENT, given)).fetchall()]
        if len(found) >= limit:
            break
    return found


async def whose(tx: AsyncConnection, book: int, account: int) -> tuple[str | None, str | None]:
    """The customer whose account it is, or the account's name; two times None for nobody's."""
    row = await (await tx.execute(sql.WHOSE, (book, account))).fetchone()
    return (None, None) if row is None else (row[0], row[1])


async def account_of_hold(tx: AsyncConnection, book: int, hold: bytes) -> int | None:
    """The account that a hold is in."""
    row = await (await tx.execute(sql.HOLD_ACCOUNT, (book, hold))).fetchone()
    return None if row is None else row[0]
