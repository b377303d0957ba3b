"""Accounts with expiries that are due, and what else looks at the whole database now and then."""

from typing import Final

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from comptoir.store import gate
from comptoir.store.pool import begin, fetch

DUE: Final = """
SELECT b.id, a.id FROM comptoir.books b
CROSS JOIN LATERAL (
    SELECT id FROM comptoir.accounts
    WHERE book_id = b.id AND next_expiry <= now()
    ORDER BY next_expiry LIMIT %s
) a
ORDER BY b.id LIMIT %s"""
"""now(), not clock_timestamp(): what may change within a statement cannot be looked up in an index,
and every account with an expiry would be read."""


async def due_accounts(
    pool: AsyncConnectionPool[AsyncConnection], limit: int
) -> list[tuple[int, int]]:
    """Books and accounts whose earliest expiry has passed, at most `limit` of them.

    Raises:
        Unavailable: the database cannot be reached.
    """
    async with begin(pool) as tx:
        cursor = await tx.execute(DUE, (limit, limit))
        return [(book, account) for book, account in await cursor.fetchall()]


async def have_moved(pool: AsyncConnectionPool[AsyncConnection]) -> bool:
    """Whether the books of this database are elsewhere by now, for good.

    Raises:
        Unavailable: the database cannot be reached.
    """
    rows = await fetch(pool, gate.READ, (gate.LOCK,))
    there = gate.parse((rows[0][0], rows[0][1])) if rows else None
    return there is not None and there.state is gate.State.MOVED
