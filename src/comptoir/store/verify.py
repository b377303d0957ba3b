"""Do the books balance? Everything is worked out again from the journal and compared.

The checks are one SQL statement, verify.sql, which also runs without any of our code. Here it runs
over one range of accounts after the other, each on a snapshot of its own, so that no snapshot is
held for long; and, unless told otherwise, only over what is newer than the last balanced run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from itertools import zip_longest
from typing import Final, LiteralString, cast

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from comptoir.store.pool import begin

DRIFT_MAX: Final = 1_000
"""More rows than these are not listed: somebody who must read them all is better off with psql."""

_FULL_RANGE: Final = 5_000
"""Accounts that are verified from the beginning in one snapshot."""

_NEW_RANGE: Final = 100_000
"""Accounts whose new lines are verified in one snapshot."""

_SLICE_BYTES: Final = 64 * 1024 * 1024
"""How much of the table of requests is verified in one snapshot."""

_PREFIXES: Final = 65_536
_FIRST: Final = -(2**63)
_LAST: Final = 2**63 - 1
_NOBODY: Final = (1, 0)
_NOTHING: Final = (b"\x01", b"\x00")
"""Ranges that end before they begin."""

_LOCK: Final = 0x7665726966790000
"""The advisory lock of whoever writes checkpoints: "verify" in ASCII."""

# The text of verify.sql between its two marks, for one range. Plans must see the values: which
# branches run, and by which index, depends on them.
_BOUNDS: Final = """
    SELECT %s::integer AS book_id, %s::bigint AS low, %s::bigint AS high,
        %s::bytea AS from_id, %s::bytea AS to_id, %s::boolean AS incremental, %s::boolean AS strays
"""

_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

# A request's limits are no measure for this. Compiling the statement costs more than it gains.
_SETTINGS: Final = """
SELECT set_config(name, value, true) FROM (VALUES
    ('statement_timeout', '6h'), ('idle_in_transaction_session_timeout', '1h'),
    ('plan_cache_mode', 'force_custom_plan'), ('jit', 'off'), ('work_mem', '64MB'),
    ('enable_seqscan', %s::text)) AS setting(name, value)"""

_NOW: Final = "SELECT comptoir.micros(clock_timestamp())"
_BOOKS: Final = "SELECT id FROM comptoir.books ORDER BY id"
_REQUESTS_SIZE: Final = "SELECT pg_relation_size('comptoir.requests')"

_EDGES: Final = """
SELECT id FROM (
    SELECT id, row_number() OVER (ORDER BY id) AS place FROM comptoir.accounts WHERE book_id = %s
) a WHERE place %% %s = 0 ORDER BY id"""

_COUNTED: Final = """
SELECT count(*), coalesce(sum(version), 0)::bigint FROM comptoir.accounts
WHERE book_id = %s AND id BETWEEN %s AND %s"""

_SEEN: Final = """
SELECT a.id, a.version, a.posted, a.held, a.debt, comptoir.micros(a.at) FROM comptoir.accounts a
LEFT JOIN comptoir.checkpoints c ON c.book_id = a.book_id AND c.account_id = a.id
WHERE a.book_id = %s AND a.id BETWEEN %s AND %s AND (c.version, c.posted, c.held, c.debt, c.at)
    IS DISTINCT FROM (a.version, a.posted, a.held, a.debt, a.at)
ORDER BY a.id"""

_REMEMBER: Final = """
INSERT INTO comptoir.checkpoints (book_id, account_id, version, posted, held, debt, at)
SELECT %s, t.account_id, t.version, t.posted, t.held, t.debt, comptoir.moment(t.at)
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS t(account_id, version, posted, held, debt, at)
ON CONFLICT (book_id, account_id) DO UPDATE SET version = excluded.version,
    posted = excluded.posted, held = excluded.held, debt = excluded.debt, at = excluded.at"""

Pool = AsyncConnectionPool[AsyncConnection]


@dataclass(frozen=True, slots=True)
class Drift:
    """A row that does not agree with the others.

    Attributes:
        check: which check found it.
        table: the table of the row, without its schema.
        row: the key of the row without its book: its parts joined by "/", bytes in hexadecimal.
            A row that is missing is named too.
        detail: what was found and what was expected, in the smallest unit of the asset.
        book: the book of the row.
    """

    check: str
    table: str
    row: str
    detail: str
    book: int


@dataclass(slots=True)
class Verification:
    """What verify found.

    Attributes:
        accounts: accounts whose rows were checked.
        movements: lines that the journal has for them, new or verified before.
        drift: rows that do not agree, at most DRIFT_MAX.
        truncated: there are more of them.
        checked_at: microseconds since 1970, by the database's clock: everything that was committed
            before then was seen.
    """

    checked_at: int
    accounts: int = 0
    movements: int = 0
    drift: list[Drift] = field(default_factory=list[Drift])
    truncated: bool = False

    @property
    def balanced(self) -> bool:
        """Whether every row agrees."""
        return not self.drift


@dataclass(frozen=True, slots=True)
class _Range:
    """What is verified in one snapshot: some accounts of a book, and some requests."""

    book: int
    accounts: tuple[int, int]
    ids: tuple[bytes, bytes | None] = _NOTHING
    incremental: bool = False
    strays: bool = False

    @property
    def bounds(self) -> tuple[object, ...]:
        return (self.book, *self.accounts, *self.ids, self.incremental, self.strays)


async def verify(pool: Pool, book_id: int | None, *, full: bool) -> Verification:
    """Work out every figure again from the journal, and compare.

    Where everything agrees, the accounts' figures become the watermark of the next run. A run that
    is not full trusts what was verified before: it compares every account's row with the watermark
    and reads the lines, lots, holds and requests of those that have changed since. What somebody
    changed by hand elsewhere, in older lines or in the lots of an account that rests, is found by
    a full run.

    Args:
        pool: connections that may read everything and write checkpoints.
        book_id: one book, or None for all of them and for rows that belong to none.
        full: from the beginning, whatever was verified before.

    Raises:
        Unavailable: the database cannot be reached.
    """
    async with begin(pool) as tx:
        [now] = await _column(tx, _NOW)
    found = Verification(now)
    for each in await _ranges(pool, book_id, full=full):
        await _verify_range(pool, each, found)
    return found


def stand_alone_sql() -> LiteralString:
    """The query that lists every problem, for psql: it needs none of our code."""
    text = resources.files("comptoir.store").joinpath("verify.sql").read_text(encoding="utf-8")
    return cast("LiteralString", text)


def _query_of_range() -> LiteralString:
    """The same query for one range, given by parameters, and with a limit."""
    before, rest = stand_alone_sql().split("-- <bounds>\n")
    _, after = rest.split("-- </bounds>\n")
    assert "%" not in before + after, "the driver would take it for a parameter"
    return f"{before}{_BOUNDS}{after.rstrip().removesuffix(';')}\nLIMIT %s"


_RANGE: Final = _query_of_range()


async def _ranges(pool: Pool, book_id: int | None, *, full: bool) -> list[_Range]:
    """What is verified snapshot by snapshot; together it covers every possible key."""
    ranges: list[_Range] = []
    async with begin(pool) as tx:
        books = [book_id] if book_id is not None else await _column(tx, _BOOKS)
        for book in books:
            ranges += await (_full_ranges(tx, book) if full else _new_ranges(tx, book))
    if book_id is None and ranges:
        ranges[0] = replace(ranges[0], strays=True)
    return ranges


async def _new_ranges(tx: AsyncConnection, book: int) -> list[_Range]:
    edges = await _edges(tx, book, _NEW_RANGE)
    return [_Range(book, edge, incremental=True) for edge in edges]


async def _full_ranges(tx: AsyncConnection, book: int) -> list[_Range]:
    [size] = await _column(tx, _REQUESTS_SIZE)
    slices = _slices(size // _SLICE_BYTES + 1)
    edges = await _edges(tx, book, _FULL_RANGE)
    pairs = zip_longest(edges, slices)
    return [_Range(book, edge or _NOBODY, ids or _NOTHING) for edge, ids in pairs]


async def _edges(tx: AsyncConnection, book: int, size: int) -> list[tuple[int, int]]:
    """The first and last accounts of ranges that cover all ids, also those that nobody has."""
    lasts = await _column(tx, _EDGES, (book, size))
    return list(zip([_FIRST, *(last + 1 for last in lasts)], [*lasts, _LAST], strict=True))


def _slices(count: int) -> list[tuple[bytes, bytes | None]]:
    """Ids are digests: equal shares of their first two bytes are equal shares of the requests."""
    starts = [b"", *((_PREFIXES * n // count).to_bytes(2, "big") for n in range(1, count))]
    return list(zip_longest(starts, starts[1:]))


async def _verify_range(pool: Pool, each: _Range, found: Verification) -> None:
    async with begin(pool) as tx:
        await tx.execute(_SNAPSHOT)
        await tx.execute(_SETTINGS, ("off" if each.incremental else "on",))
        cursor = await tx.execute(_RANGE, (*each.bounds, DRIFT_MAX + 1))
        drift = [Drift(*row[1:], book=row[0]) for row in await cursor.fetchall()]
        cursor = await tx.execute(_COUNTED, (each.book, *each.accounts))
        [(accounts, movements)] = await cursor.fetchall()
        cursor = await tx.execute(_SEEN, (each.book, *each.accounts))
        seen = await cursor.fetchall()
    found.accounts += accounts
    found.movements += movements
    found.drift += drift
    if len(found.drift) > DRIFT_MAX:
        del found.drift[DRIFT_MAX:]
        found.truncated = True
    if seen and not drift:
        await _remember(pool, each.book, seen)


async def _remember(pool: Pool, book: int, seen: Sequence[Sequence[int]]) -> None:
    """Make what was seen the watermark. Two runs at once would only lock each other's rows."""
    columns = [list(column) for column in zip(*seen, strict=True)]
    async with begin(pool) as tx:
        await tx.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await tx.execute(_REMEMBER, (book, *columns))


async def _column(
    tx: AsyncConnection, query: LiteralString, parameters: tuple[object, ...] = ()
) -> list[int]:
    cursor = await tx.execute(query, parameters)
    return [row[0] for row in await cursor.fetchall()]
