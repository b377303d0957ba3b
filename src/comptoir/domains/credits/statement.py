"""What a customer reads of his own account: nobody else's name is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import AsyncConnection

from comptoir.domains.credits import sql_statement as sql
from comptoir.ledger.model import Kind

SHOWN: Final[dict[str, frozenset[Kind]]] = {
    "all": frozenset(Kind),
    "added": frozenset({Kind.GRANT, Kind.PURCHASE, Kind.ALLOWANCE}),
    "used": frozenset({Kind.SPEND, Kind.CAPTURE}),
    "held": frozenset({
        Kind.HOLD, Kind.CAPTURE, Kind.RELEASE, Kind.RENEWAL, Kind.HOLD_EXPIRY,
    }),
}  # fmt: skip
"""What a list may be limited to."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement, as its owner reads it. Amounts are in the smallest unit.

    Attributes:
        after: the balance after it; `held` is what was set aside of that, `held_before` before it.
        action, quantity: the entry of the price book that set the amount, and how often.
        hold: what was set aside by the hold that it is about; None when it is about none.
        hold_reason, hold_reference: what that was for.
    """

    version: int
    kind: Kind
    amount: int
    after: int
    held: int
    held_before: int
    at: int
    reason: str | None
    reference: str | None
    action: str | None
    quantity: int
    hold: int | None
    hold_reason: str | None
    hold_reference: str | None

    @property
    def before(self) -> int:
        """The balance before it."""
        return self.after - self.amount

    @property
    def set_aside(self) -> int:
        """What it set aside; negative for what it freed."""
        return self.held - self.held_before

    @property
    def given_back(self) -> int:
        """What it freed without using it."""
        used = -self.amount if self.kind is Kind.CAPTURE else 0
        return max(-self.set_aside - used, 0)


@dataclass(frozen=True, slots=True)
class Entries:
    """The newest movements first.

    Attributes:
        below: where the next page begins; None when this is the last one.
    """

    rows: Sequence[Entry]
    below: int | None


async def entries(
    tx: AsyncConnection, place: tuple[int, int], below: int, shown: str, limit: int
) -> Entries:
    """A page of an account's movements, of a thousand that are looked at.

    Args:
        tx: an open transaction.
        place: the book and the account.
        below: only movements with a smaller version.
        shown: which of them; a name in SHOWN.
        limit: at most so many.
    """
    book, account = place
    cursor = await tx.execute(
        sql.LINES.encode(),
        {
            "book": book,
            "account": account,
            "below": below,
            "kinds": sorted(SHOWN[shown]),
            "limit": limit + 1,
        },
    )
    rows = [Entry(row[0], Kind(row[1]), *row[2:]) for row in await cursor.fetchall()]
    if len(rows) > limit:
        return Entries(rows[:limit], rows[limit - 1].version)
    rest = below - sql.LOOKED
    return Entries(rows, rest if rest > 1 else None)


async def next_expiry(tx: AsyncConnection, book: int, account: int) -> tuple[int, int] | None:
    """When something of an account expires next, in microseconds, and how much."""
    row = await (await tx.execute(sql.NEXT_EXPIRY, (book, account))).fetchone()
    return None if row is None else (row[0], row[1])
