"""Do the books balance? Every figure is computed again by other means and compared.

The work is one SQL query, which also runs by itself (`stand_alone_sql`). Here it is run over
ranges of accounts and requests, each on a snapshot of its own, so that no snapshot lives long.
"""

from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from comptoir.store.pool import begin

ACCOUNTS_AT_ONCE: Final = 5_000
DRIFT_SHOWN: Final = 1_000
_BYTE: Final = 256
_REQUEST_RANGES: Final = 16
_LOCK: Final = 0x636F6D70_76657266
"""The advisory lock of whoever writes checkpoints: "compverf" in ASCII."""

_BOUNDS: Final = """
    SELECT %(book)s::integer, %(low)s::bigint, %(high)s::bigint, %(first)s::bytea,
        %(past)s::bytea, %(incremental)s::boolean, %(strays)s::boolean
"""
_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_PATIENCE: Final = "SET LOCAL statement_timeout = 0"
_BOOKS: Final = "SELECT id FROM comptoir.books WHERE %s::integer IS NULL OR id = %s ORDER BY id"
_NEXT: Final = """
SELECT min(id), max(id) FROM (
    SELECT id FROM comptoir.accounts WHERE book_id = %s AND id >= %s ORDER BY id LIMIT %s
) a"""
_COUNT: Final = """
SELECT count(*), coalesce(sum(version), 0), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
FROM comptoir.accounts WHERE bounded AND (%s::integer IS NULL OR book_id = %s)"""
_CHECKPOINT: Final = """
INSERT INTO comptoir.checkpoints AS c (book_id, account_id, version, posted, held, debt, at)
SELECT book_id, id, version, posted, held, debt, clock_timestamp() FROM comptoir.accounts
WHERE book_id = %s AND id >= %s AND id < %s AND bounded AND version > 0
ON CONFLICT (book_id, account_id) DO UPDATE SET version = excluded.version,
    posted = excluded.posted, held = excluded.held, debt = excluded.debt, at = excluded.at
WHERE c.version <> excluded.version"""

Pool = AsyncConnectionPool[AsyncConnection]


@dataclass(frozen=True, slots=True)
class Drift:
    """A row that contradicts the others: which check found it, in which table, and how."""

    book: int
    check: str
    table: str
    row: str
    detail: str


@dataclass(slots=True)
class Verification:
    """What verify found.

    Attributes:
        accounts, movements: how many there were when it began.
        drift: the contradictions, at most DRIFT_SHOWN of them.
        truncated: there were more.
        checked_at: when it began, in microseconds since 1970.
    """

    accounts: int
    movements: int
    checked_at: int
    drift: list[Drift] = field(default_factory=list[Drift])
    truncated: bool = False

    @property
    def balanced(self) -> bool:
        """Whether nothing contradicts anything."""
        return not self.drift


def stand_alone_sql() -> str:
    """The query that checks everything at once and uses none of our code."""
    return resources.files("comptoir.store").joinpath("verify.sql").read_text()


async def verify(pool: Pool, book: int | None, *, full: bool) -> Verification:
    """Compare every figure with what the journal makes of it.

    Args:
        pool: connections to the database.
        book: one book, or None for all of them.
        full: from the beginning; otherwise only what came after the last run that found nothing.

    Raises:
        Unavailable: the database cannot be reached.
    """
    async with begin(pool) as tx:
        found = await (await tx.execute(_COUNT, (book, book))).fetchone()
        assert found is not None, "an aggregate has one row"
        books = [row[0] for row in await (await tx.execute(_BOOKS, (book, book))).fetchall()]
    result = Verification(found[0], int(found[1]), found[2])
    for each in books:
        await _verify_accounts(pool, each, result, full=full)
        if full:
            await _verify_requests(pool, each, result)
    if full and books:
        await _check(pool, result, {"book": books[0], "strays": True})
    return result


async def _verify_accounts(pool: Pool, book: int, result: Verification, *, full: bool) -> None:
    low = 0
    while True:  # bounded by the number of accounts
        async with begin(pool) as tx:
            row = await (await tx.execute(_NEXT, (book, low, ACCOUNTS_AT_ONCE))).fetchone()
        if row is None or row[0] is None:
            return
        bounds = {"book": book, "low": row[0], "high": row[1] + 1, "incremental": not full}
        await _check(pool, result, bounds)
        low = row[1] + 1


async def _verify_requests(pool: Pool, book: int, result: Verification) -> None:
    step = _BYTE // _REQUEST_RANGES
    for start in range(0, _BYTE, step):
        past = bytes([start + step]) if start + step < _BYTE else None
        first = bytes([start]) if start else b""
        await _check(pool, result, {"book": book, "first": first, "past": past})


async def _check(pool: Pool, result: Verification, bounds: dict[str, Any]) -> None:
    """Run the query over some bounds, and remember how far it found nothing."""
    nothing = {"low": 0, "high": 0, "first": b"\1", "past": b"", "incremental": False}
    async with begin(pool) as tx:
        await tx.execute(_SNAPSHOT)
        await tx.execute(_PATIENCE)
        cursor = await tx.execute(_ranged().encode(), nothing | {"strays": False} | bounds)
        rows = await cursor.fetchall()
        if not rows and bounds.get("high"):
            await _remember(tx, bounds)
    result.truncated = result.truncated or len(result.drift) + len(rows) > DRIFT_SHOWN
    result.drift.extend(Drift(*row) for row in rows[: DRIFT_SHOWN - len(result.drift)])


async def _remember(tx: AsyncConnection, bounds: dict[str, Any]) -> None:
    """Move the watermark, unless somebody else is just doing that."""
    locked = await (await tx.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,))).fetchone()
    if locked is not None and locked[0]:
        await tx.execute(_CHECKPOINT, (bounds["book"], bounds["low"], bounds["high"]))


def _ranged() -> str:
    text = stand_alone_sql().replace("%", "%%")
    head, rest = text.split("AS (", 1)
    _, tail = rest.split("),\n-- end of bounds", 1)
    return f"{head}AS ({_BOUNDS}),\n{tail}"
