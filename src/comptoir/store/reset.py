"""Emptying a test book, while servers run. docs/decisions/0012-reset.md says how they cope."""

from dataclasses import dataclass
from typing import Final

from psycopg import AsyncConnection

from comptoir.kit.errors import Conflict
from comptoir.store.answers import Deed, Figures, once
from comptoir.store.pool import Pool, fetch

_IS_TEST: Final = "SELECT name FROM comptoir.books WHERE id = %s AND NOT is_test"

_RESET: Final = """
SELECT customers_gone, accounts_gone, movements_gone, comptoir.micros(clock_timestamp())
FROM comptoir.reset_book(%s)"""


@dataclass(frozen=True, slots=True)
class Reset:
    """What a reset took away.

    Attributes:
        at: when, in microseconds since 1970.
        replayed: it was done before, under the same key.
    """

    at: int
    customers: int
    accounts: int
    movements: int
    replayed: bool = False


async def reset(pool: Pool, book: int, key: str = "") -> Reset:
    """Empty a test book: everything goes but its keys, assets, prices and stored answers.

    Requests that are under way end first; those that come later find an empty book.

    Raises:
        Conflict: it is not a test book; or the key was used for something else.
        Unavailable: somebody keeps an account locked, or the database is down.
    """
    other = await fetch(pool, _IS_TEST, (book,))
    if other:
        raise Conflict("not-a-test-book", book=other[0][0])

    async def work(tx: AsyncConnection) -> Figures:
        row = await (await tx.execute(_RESET, (book,))).fetchone()
        assert row is not None, "the function returns one row"
        customers, accounts, movements, at = row
        return {"at": at, "customers": customers, "accounts": accounts, "movements": movements}

    figures, replayed = await once(pool, Deed(book, "reset", key, {}), work)
    return Reset(**figures, replayed=replayed)
