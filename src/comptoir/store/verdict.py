"""What the last check of a book's balances has found, kept so that a page can say it."""

from dataclasses import dataclass
from typing import Final

import msgspec

from comptoir.store.pool import Pool, fetch
from comptoir.store.verify import Verification

_KEEP: Final = """
INSERT INTO comptoir.settings (name, value) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING name"""

_KEPT: Final = "SELECT value FROM comptoir.settings WHERE name = %s"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a book balanced at a time in microseconds, and how much was looked at."""

    at: int
    balanced: bool
    drift: int
    accounts: int
    movements: int


async def keep(pool: Pool, book: int, found: Verification) -> Verdict:
    """Keep what a check of a book has found.

    Raises:
        Unavailable: the database is down.
    """
    drift = len(found.drift)
    made = Verdict(found.checked_at, found.balanced, drift, found.accounts, found.movements)
    await fetch(pool, _KEEP, (_name(book), msgspec.json.encode(made).decode()))
    return made


async def kept(pool: Pool, book: int) -> Verdict | None:
    """What the last check of a book has found; None when nobody has checked it.

    Raises:
        Unavailable: the database is down.
    """
    rows = await fetch(pool, _KEPT, (_name(book),))
    return msgspec.json.decode(rows[0][0], type=Verdict) if rows else None


def _name(book: int) -> str:
    return f"verdict:{book}"
