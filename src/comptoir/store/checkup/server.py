"""The PostgreSQL server and the database: does it keep what it was given, and is there room?"""

from collections.abc import Iterator
from typing import Any, Final, LiteralString

from psycopg import Connection

from comptoir.kit.clock import Clock
from comptoir.kit.limits import SECOND
from comptoir.store.checkup.finding import Finding
from comptoir.store.pool import Limits
from comptoir.store.restore import OLDEST

BOOKS: Final = 2
"""Every process may open the group commit of the live and of the test book."""

CLOCKS_DIFFER: Final = 2.0
"""Seconds by which clocks may differ: customers' tokens live for minutes."""

_SERVER: Final = """
SELECT current_setting('server_version_num')::integer, current_setting('server_version'),
    pg_encoding_to_char(encoding), datcollversion, pg_database_collation_actual_version(oid)
FROM pg_database WHERE datname = current_database()"""

_SETTINGS: Final = """
SELECT name, setting FROM pg_settings WHERE name IN (
    'fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names',
    'autovacuum', 'track_counts')"""

_ROOM: Final = """
SELECT least(
    current_setting('max_connections')::integer
        - current_setting('superuser_reserved_connections')::integer
        - coalesce(current_setting('reserved_connections', true), '0')::integer,
    CASE WHEN datconnlimit >= 0 THEN datconnlimit END,
    CASE WHEN rolconnlimit >= 0 THEN rolconnlimit END)
FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user"""

_NOT_VACUUMED: Final = """
SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class
WHERE relnamespace = to_regnamespace('comptoir')
    AND EXISTS (SELECT FROM unnest(reloptions) AS option
        WHERE option ~* '^autovacuum_enabled=(off|false|0|no)$')"""

_NOW: Final = "SELECT extract(epoch FROM clock_timestamp())::float8"
_IDENTITY: Final = """
SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()"""


def check_server(connection: Connection, clock: Clock) -> Iterator[Finding]:
    """Look at the server as the application sees it."""
    number, version, encoding, recorded, actual = _row(connection, _SERVER)
    is_old = number < OLDEST
    yield Finding("version", "version-old" if is_old else "version", {"version": version})
    is_utf8 = encoding == "UTF8"
    yield Finding("encoding", "encoding" if is_utf8 else "encoding-other", {"encoding": encoding})
    found = dict(connection.execute(_SETTINGS).fetchall())
    yield _durability(found)
    yield _commits(found)
    yield _vacuum(connection, found)
    if recorded is not None and recorded != actual:
        yield Finding("collation", "collation-changed", {"there": recorded, "now": str(actual)})
    else:
        yield Finding("collation", "collation")
    yield _connections(connection)
    yield _clocks(connection, clock)


def same_database(app: Connection, owner: Connection) -> Finding:
    """Whether both addresses lead to one database."""
    same = _row(app, _IDENTITY) == _row(owner, _IDENTITY)
    return Finding("addresses", "addresses" if same else "addresses-differ")


def _durability(found: dict[str, str]) -> Finding:
    off = [name for name in ("fsync", "full_page_writes") if found[name] == "off"]
    if off:
        return Finding("durability", "durability-off", {"settings": ", ".join(off)})
    return Finding("durability", "durability")


def _commits(found: dict[str, str]) -> Finding:
    """What an acknowledged request survives."""
    how, standbys = found["synchronous_commit"], found["synchronous_standby_names"]
    figures = {"setting": how, "standbys": standbys}
    if how == "off":
        return Finding("commits", "commits-off", figures)
    if not standbys:
        return Finding("commits", "commits-local", figures)
    if how == "local":
        return Finding("commits", "commits-not-awaited", figures)
    return Finding("commits", "commits-replicated", figures)


def _vacuum(connection: Connection, found: dict[str, str]) -> Finding:
    off = [name for name in ("autovacuum", "track_counts") if found[name] == "off"]
    if off:
        return Finding("autovacuum", "autovacuum-off", {"settings": ", ".join(off)})
    [tables] = _row(connection, _NOT_VACUUMED)
    if tables:
        return Finding("autovacuum", "autovacuum-off-tables", {"tables": tables})
    return Finding("autovacuum", "autovacuum")


def _connections(connection: Connection) -> Finding:
    limits = Limits()
    each = limits.pool + BOOKS * (1 + limits.lanes)
    [room] = _row(connection, _ROOM)
    figures = {"room": room, "each": each, "processes": room // each}
    if room < each:
        return Finding("connections", "connections-few", figures)
    if room < 2 * each:
        return Finding("connections", "connections-one", figures)
    return Finding("connections", "connections", figures)


def _clocks(connection: Connection, clock: Clock) -> Finding:
    before = clock() / SECOND
    [there] = _row(connection, _NOW)
    after = clock() / SECOND
    apart = max(before - there, there - after, 0.0)
    code = "clock-differs" if apart > CLOCKS_DIFFER else "clock"
    return Finding("clock", code, {"seconds": f"{apart:.1f}"})


def _row(connection: Connection, query: LiteralString) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None, "each of these has one row"
    return row
