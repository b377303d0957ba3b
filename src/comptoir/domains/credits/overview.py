"""What pages show of many balances at once, quickly: a bounded number of rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import AsyncConnection

from comptoir.domains.credits import sql_overview as sql
from comptoir.domains.credits.model import LOW_SHARE

EVERYONE: Final = 2**62
"""Comes after every customer."""

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


@dataclass(frozen=True, slots=True)
class Owed:
    """What all customers have of an asset together."""

    asset: str
    scale: int
    posted: int
    held: int
    debt: int


async def owed(tx: AsyncConnection, book: int) -> list[Owed]:
    """What customers have, by asset. It reads every account: ask seldom."""
    return [Owed(*row) for row in await (await tx.execute(sql.OWED, (book,))).fetchall()]


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
