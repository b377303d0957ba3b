"""Copying books: every row of every table as text, in one snapshot, with a digest of each table.

Text is what PostgreSQL itself promises to read again in any later version. The digest does not
depend on the order of the rows, so that it can be compared with what a copy reads back.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, LiteralString, Protocol

import psycopg
from psycopg import Connection, sql
from psycopg.abc import Buffer

from comptoir.kit.errors import Unavailable
from comptoir.store.verify import Drift, stand_alone_sql

CONNECT_SECONDS: Final = 10
BLOCK: Final = 256 * 1024
"""Bytes that are gathered before they are passed on: rows are short."""

_SHOWN: Final = 20
"""Rows that do not fit which are listed; `comptoir verify` lists more."""

_REPORT_EVERY: Final = 10_000
_MODULUS: Final = 2**256

_NO_LIMITS: Final = """
SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN (
    'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
    'transaction_timeout')"""

# Whatever a role or database has set: the same row must always have the same text.
_SESSION: Final = """
SELECT set_config(name, value, true) FROM (VALUES
    ('client_encoding', 'UTF8'), ('timezone', 'UTC'), ('datestyle', 'ISO, YMD'),
    ('intervalstyle', 'postgres'), ('bytea_output', 'hex'), ('extra_float_digits', '1'),
    ('synchronous_commit', 'on'), ('row_security', 'off'), ('jit', 'off'), ('work_mem', '64MB')
) AS setting(name, value)"""

# A table comes after those that it refers to. The revision is not a row to copy: the schema of a
# copy is made by migrations.
_TABLES: Final = """
WITH RECURSIVE own AS (
    SELECT oid, relname FROM pg_class WHERE relnamespace = 'comptoir'::regnamespace
        AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'
), placed AS (
    SELECT oid, 0 AS depth FROM own
    UNION
    SELECT c.conrelid, p.depth + 1 FROM placed p
    JOIN pg_constraint c ON c.contype = 'f' AND c.confrelid = p.oid AND c.conrelid <> p.oid
    WHERE p.depth < 100
)
SELECT o.relname, array_agg(a.attname::text ORDER BY a.attnum),
    array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
FROM own o
JOIN (SELECT oid, max(depth) AS depth FROM placed GROUP BY oid) p USING (oid)
JOIN pg_attribute a ON a.attrelid = o.oid
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY p.depth, o.relname ORDER BY p.depth, o.relname"""

_SEQUENCES: Final = """
SELECT table_name, column_name, sequence::text, coalesce(pg_sequence_last_value(sequence), 0)
FROM (
    SELECT c.relname AS table_name, a.attname AS column_name,
        pg_get_serial_sequence(format('comptoir.%I', c.relname), a.attname)::regclass AS sequence
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'comptoir'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
        AND NOT a.attisdropped
) numbered WHERE sequence IS NOT NULL ORDER BY 1, 2"""

_GO_ON_AFTER = sql.SQL("""
SELECT setval({sequence}::regclass, greatest(highest, 1), highest > 0)
FROM (SELECT greatest({highest}::bigint, max({column})) AS highest FROM comptoir.{table}) found""")

_REVISION: Final = "SELECT version_num FROM comptoir.alembic_version"
_IS_MIGRATED: Final = "SELECT to_regclass('comptoir.alembic_version') IS NOT NULL"
_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

Report = Callable[[str, int, int], None]
"""Told, now and then: which table is being copied, how many of its rows are, and of how many."""


class CopyError(Unavailable):
    """A copy cannot be made, or cannot be trusted; `code` and `figures` say why."""


class Unbalanced(CopyError):
    """The books that were copied do not balance."""

    def __init__(self, drift: Sequence[Drift]) -> None:
        super().__init__("copy-unbalanced", row=f"{drift[0].table} {drift[0].row}")
        self.drift = drift


Shape = tuple[str, frozenset[tuple[str, str]]]
"""The name of a table, with the names and types of its columns."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the schema: its name, and the names and types of its columns."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def shape(self) -> Shape:
        """What must be equal for rows to fit; columns may have been added in another order."""
        return self.name, frozenset(zip(self.columns, self.types, strict=True))


class Tally:
    """How many rows there are, and a digest of all of them that does not depend on their order."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, line: Buffer) -> None:
        """Count a row."""
        self.rows += 1
        self._sum += int.from_bytes(sha256(line).digest())

    @property
    def digest(self) -> str:
        """The sum of the SHA-256 of all rows modulo 2^256, in hexadecimal."""
        return f"{self._sum % _MODULUS:064x}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and (self.rows, self.digest) == (other.rows, other.digest)

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # it changes


class Source(Protocol):
    """Where books are copied from."""

    @property
    def revision(self) -> str:
        """The revision of the schema that the rows have."""
        ...

    @property
    def tables(self) -> Sequence[Table]:
        """All tables, each after those that it refers to."""
        ...

    @property
    def sequences(self) -> Mapping[str, int]:
        """By "table.column", the highest number that was ever given."""
        ...

    def count(self, table: str) -> int:
        """How many rows the table has."""
        ...

    def lines(self, table: Table) -> Iterator[Buffer]:
        """The rows of the table, each one line of PostgreSQL's text format."""
        ...

    def check(self, table: str, tally: Tally) -> None:
        """Compare what was read of a table with what is known of it.

        Raises:
            CopyError: it is not the same.
        """
        ...


def connect(url: str) -> Connection:
    """A connection in autocommit mode for copying.

    Raises:
        Unavailable: the database cannot be reached.
    """
    try:
        return psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            client_encoding="utf8",
            application_name="comptoir-copy",
        )
    except psycopg.OperationalError as error:
        raise Unavailable("database-down") from error


def begin(connection: Connection) -> None:
    """Set the open transaction up for copying: no time limits, one spelling of every value."""
    connection.execute(_NO_LIMITS)
    connection.execute(_SESSION)


@contextmanager
def snapshot(connection: Connection) -> Generator["Live"]:
    """The books as they are at one moment, whatever servers go on writing."""
    with connection.transaction():
        connection.execute(_SNAPSHOT)
        begin(connection)
        yield Live(connection)


class Live:
    """The books of a database, in the snapshot of an open transaction.

    Raises:
        CopyError: there are none.
    """

    def __init__(self, connection: Connection) -> None:
        if not _value(connection, _IS_MIGRATED):
            raise CopyError("database-empty")
        self._connection = connection
        self.revision = str(_value(connection, _REVISION))
        self.tables = tables_of(connection)
        # Not part of the snapshot, and later: so never below a number that a row has.
        self.sequences = sequences_of(connection)

    def count(self, table: str) -> int:
        """How many rows the table has."""
        query = sql.SQL("SELECT count(*) FROM comptoir.{}").format(sql.Identifier(table))
        row = self._connection.execute(query).fetchone()
        assert row is not None, "an aggregate has a row"
        return row[0]

    def lines(self, table: Table) -> Iterator[Buffer]:
        """The rows of the table; PostgreSQL sends each as a message of its own."""
        query = sql.SQL("COPY (SELECT {} FROM comptoir.{}) TO STDOUT").format(
            _columns(table), sql.Identifier(table.name)
        )
        with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            yield from copy

    def check(self, table: str, tally: Tally) -> None:
        """Nothing is known of a table before it is read."""


def tables_of(connection: Connection) -> list[Table]:
    """The tables of the schema that hold rows to copy, each after those that it refers to."""
    found = connection.execute(_TABLES).fetchall()
    return [Table(name, tuple(columns), tuple(types)) for name, columns, types in found]


def sequences_of(connection: Connection) -> dict[str, int]:
    """By "table.column", the highest number that a column with a sequence was ever given."""
    found = connection.execute(_SEQUENCES).fetchall()
    return {f"{table}.{column}": highest for table, column, _, highest in found}


def set_sequences(connection: Connection, highest: Mapping[str, int]) -> None:
    """Let columns with a sequence go on after the highest numbers that were ever given."""
    for table, column, sequence, _ in connection.execute(_SEQUENCES).fetchall():
        connection.execute(
            _GO_ON_AFTER.format(
                sequence=sequence,
                highest=highest.get(f"{table}.{column}", 0),
                column=sql.Identifier(column),
                table=sql.Identifier(table),
            )
        )


def copy_in(connection: Connection, table: Table, lines: Iterable[Buffer]) -> None:
    """Write rows into a table, which must be empty of them."""
    query = sql.SQL("COPY comptoir.{} ({}) FROM STDIN").format(
        sql.Identifier(table.name), _columns(table)
    )
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for block in blocks(lines):
            copy.write(block)


def tallied(source: Source, table: Table, tally: Tally, report: Report) -> Iterator[Buffer]:
    """The rows of a table, each counted on its way."""
    count = source.count(table.name)
    for line in source.lines(table):
        tally.add(line)
        if tally.rows % _REPORT_EVERY == 0:
            report(table.name, tally.rows, count)
        yield line
    report(table.name, tally.rows, count)


def blocks(lines: Iterable[Buffer]) -> Iterator[bytes]:
    """The same bytes in larger pieces."""
    gathered = bytearray()
    for line in lines:
        gathered += line
        if len(gathered) >= BLOCK:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def check_balance(connection: Connection) -> None:
    """Run the stand-alone query on everything, in the open transaction.

    Raises:
        Unbalanced: rows do not agree with each other.
    """
    with connection.cursor() as cursor:
        cursor.execute(stand_alone_sql())
        drift = [Drift(*row[1:], book=row[0]) for row in cursor.fetchmany(_SHOWN)]
    if drift:
        raise Unbalanced(drift)


def _columns(table: Table) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, table.columns))


def _value(connection: Connection, query: LiteralString) -> object:
    row = connection.execute(query).fetchone()
    return row[0] if row is not None else None
