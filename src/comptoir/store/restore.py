"""Writing copied books into a database that has none: all of them, proved equal, or nothing."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict

from comptoir.store import gate, migrate
from comptoir.store.copying import (
    CONNECT_SECONDS,
    CopyError,
    Live,
    Report,
    Shape,
    Source,
    Table,
    Tally,
    begin,
    check_balance,
    copy_in,
    set_sequences,
    tables_of,
    tallied,
)

OLDEST: Final = 160_000
"""The oldest PostgreSQL that works, as it numbers itself."""

_LOCK_WAIT: Final = "5s"

_SERVER: Final = """
SELECT current_setting('server_version_num')::integer, current_setting('server_version'),
    pg_encoding_to_char(encoding), pg_is_in_recovery()
        OR current_setting('default_transaction_read_only')::boolean,
    has_database_privilege(oid, 'CREATE'),
    (SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'comptoir'),
    (SELECT count(*) FROM pg_stat_activity
        WHERE datid = d.oid AND application_name = 'comptoir' AND pid <> pg_backend_pid())
FROM pg_database d WHERE datname = current_database()"""

# What migrations themselves put there, and what a server notes when it starts.
_MADE: Final = frozenset({"books", "assets", "accounts", "settings", "plans", "plan_quotas"})
_QUEUE: Final = "SELECT value FROM comptoir.settings WHERE name = 'queue-migrations'"
_KEEP_QUEUE: Final = "UPDATE comptoir.settings SET value = %s WHERE name = 'queue-migrations'"
_HAS_BOUNDED: Final = "SELECT EXISTS (SELECT FROM comptoir.accounts WHERE bounded)"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was written.

    Attributes:
        revision: of the schema, after it was brought up to date.
        counts: rows by table.
    """

    revision: str
    counts: dict[str, int]

    @property
    def movements(self) -> int:
        """Lines of the journal."""
        return self.counts["movements"]


def restore(
    url: str,
    source: Source,
    *,
    report: Report,
    last: Callable[[Connection], None],
    replaces: str | None = None,
) -> Restored:
    """Write the books of a source into an empty database, in one transaction.

    Every table is read back and compared with what came from the source, and the books must
    balance, before anything is committed.

    Args:
        url: the database, as whoever owns the schema or may make it.
        source: where the books come from.
        report: is told how far it is.
        last: what else to do, in the same transaction, once everything is proved.
        replaces: books that arrived by this very move, which was broken off, give way.

    Raises:
        CopyError: the database will not do, or what arrived is not what was sent.
        Unbalanced: the books do not balance.
    """
    if not migrate.knows(source.revision):
        raise CopyError("copy-newer", there=source.revision, known=migrate.head())
    with _opened(url) as (connection, bring_up):
        begin(connection)
        check_target(connection, replaces)
        _clear(connection, replaces)
        bring_up(source.revision)
        counts = _fill(connection, source, report)
        bring_up("head")
        check_balance(connection)
        last(connection)
    return Restored(migrate.head(), counts)


def check_target(connection: Connection, replaces: str | None = None) -> None:
    """See whether a database can take books, without changing anything.

    Raises:
        CopyError: it cannot, and why.
    """
    row = connection.execute(_SERVER).fetchone()
    assert row is not None, "there is always a current database"
    number, version, encoding, read_only, may_create, owns_schema, users = row
    if number < OLDEST:
        raise CopyError("target-version", version=version)
    if encoding != "UTF8":
        raise CopyError("target-encoding", encoding=encoding)
    if read_only:
        raise CopyError("target-read-only")
    if not may_create or owns_schema is False:
        raise CopyError("target-rights")
    if users:
        raise CopyError("target-in-use", count=users)
    if owns_schema is not None:
        _check_blank(connection, replaces)


def place(url: str) -> str:
    """Host and database of an address, without user and password.

    Raises:
        CopyError: it is not an address of a PostgreSQL database.
    """
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise CopyError("target-url") from None  # its text shows the address
    if not url.startswith(("postgresql://", "postgres://")):
        raise CopyError("target-url")
    port = f":{parts['port']}" if "port" in parts else ""
    return f"{parts.get('host', 'localhost')}{port}/{parts.get('dbname') or parts.get('user', '')}"


@contextmanager
def _opened(url: str) -> Generator[tuple[Connection, Callable[[str], None]]]:
    """One transaction on one connection, for the driver and for migrations.

    Raises:
        CopyError: the database cannot be reached.
    """
    try:
        outer = migrate.connect(
            url, connect_timeout=CONNECT_SECONDS, application_name="comptoir-copy"
        )
    except migrate.Unreachable as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise CopyError("target-unreachable", reason=reason) from error
    with migrate.driver_errors(), outer, outer.begin():
        migrate.lock(outer)
        connection = outer.connection.driver_connection
        assert isinstance(connection, Connection), "the engine is psycopg's"
        yield connection, lambda revision: migrate.bring_up(outer, revision)


def _check_blank(connection: Connection, replaces: str | None) -> None:
    """See to it that nothing is lost when the schema is made anew."""
    there = gate.read(connection)
    if there is not None and there.state is gate.State.ARRIVING:
        # Nobody could write here since: what arrived by the same move may arrive again.
        if there.move == replaces:
            return
        raise CopyError("target-arriving")
    for table in sorted(tables_of(connection), key=lambda each: each.name != "movements"):
        if table.name not in _MADE and _has_rows(connection, table):
            raise CopyError("target-not-empty", table=table.name)
    if _is(connection, _HAS_BOUNDED):
        raise CopyError("target-not-empty", table="accounts")


def _clear(connection: Connection, replaces: str | None) -> None:
    """Remove a schema without books, once nobody can put any there."""
    if not _is(connection, "SELECT to_regclass('comptoir.movements') IS NOT NULL"):
        return
    connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'")
    try:
        _each(connection, tables_of(connection), "LOCK TABLE comptoir.{} IN ACCESS EXCLUSIVE MODE")
    except psycopg.errors.LockNotAvailable:
        raise CopyError("target-in-use", count=1) from None
    connection.execute("SET LOCAL lock_timeout = 0")
    _check_blank(connection, replaces)
    connection.execute("DROP SCHEMA comptoir CASCADE")


def _fill(connection: Connection, source: Source, report: Report) -> dict[str, int]:
    """Put the rows of the source in place of those that the migrations made."""
    there, sent = tables_of(connection), {table.name: table for table in source.tables}
    _check_shapes(there, source.tables)
    queue = connection.execute(_QUEUE).fetchone()
    _each(connection, there, "ALTER TABLE comptoir.{} DISABLE TRIGGER USER")
    names = sql.SQL(", ").join(sql.Identifier("comptoir", table.name) for table in there)
    connection.execute(sql.SQL("TRUNCATE {}").format(names))
    tallies = {each.name: _copy(connection, source, sent[each.name], report) for each in there}
    set_sequences(connection, source.sequences)
    _each(connection, there, "ALTER TABLE comptoir.{} ENABLE TRIGGER USER")
    _each(connection, there, "ANALYZE comptoir.{}")
    _read_back(connection, source.tables, tallies)
    if queue is not None:
        # The queue's tables were made here, by whatever version of it is installed.
        connection.execute(_KEEP_QUEUE, queue)
    return {name: tally.rows for name, tally in tallies.items()}


def _check_shapes(there: Sequence[Table], sent: Sequence[Table]) -> None:
    strange = {table.shape for table in there} ^ {table.shape for table in sent}
    strange -= _grown(there, sent)
    if strange:
        raise CopyError(
            "copy-other-schema", tables=", ".join(sorted({name for name, _ in strange}))
        )


def _grown(there: Sequence[Table], sent: Sequence[Table]) -> set[Shape]:
    """The shapes of tables of the queue that have more columns here than in the copy."""
    old = {table.name: table.shape for table in sent}
    found: set[Shape] = set()
    for table in there:
        before = old.get(table.name)
        if before and table.name.startswith("procrastinate_") and before[1] <= table.shape[1]:
            found |= {before, table.shape}
    return found


def _copy(connection: Connection, source: Source, table: Table, report: Report) -> Tally:
    tally = Tally()
    try:
        copy_in(connection, table, tallied(source, table, tally, report))
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise CopyError("copy-damaged", table=table.name) from error
    source.check(table.name, tally)
    return tally


def _read_back(connection: Connection, tables: Sequence[Table], sent: dict[str, Tally]) -> None:
    """Compare what the database now has with what was sent."""
    arrived = Live(connection)
    for table in tables:
        tally = Tally()
        for line in arrived.lines(table):
            tally.add(line)
        if tally != sent[table.name]:
            raise CopyError("copy-differs", table=table.name)


def _each(connection: Connection, tables: Sequence[Table], statement: LiteralString) -> None:
    for table in tables:
        connection.execute(sql.SQL(statement).format(sql.Identifier(table.name)))


def _has_rows(connection: Connection, table: Table) -> bool:
    query = sql.SQL("SELECT EXISTS (SELECT FROM comptoir.{})").format(sql.Identifier(table.name))
    row = connection.execute(query).fetchone()
    return row is not None and row[0]


def _is(connection: Connection, query: LiteralString) -> bool:
    row = connection.execute(query).fetchone()
    return row is not None and bool(row[0])
