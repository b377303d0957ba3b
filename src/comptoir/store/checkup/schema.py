"""The tables of the books: are they ours, and does the database itself still guard them?"""

from collections.abc import Iterator
from typing import Any, Final, LiteralString

from psycopg import Connection

from comptoir.store import gate, migrate
from comptoir.store.checkup.finding import Finding
from comptoir.store.gate import State
from comptoir.store.revision import OLDEST_NAME, SCHEMA, schema_said

UNVERIFIED_DAYS: Final = 7

GUARDS: Final = frozenset(
    {
        ("accounts", "accounts_kept"),
        ("accounts", "accounts_never_go"),
        ("answers", "answers_never_change"),
        ("audit", "audit_never_changes"),
        ("audit", "audit_never_goes"),
        ("holds", "holds_kept"),
        ("holds", "holds_never_go"),
        ("lots", "lots_kept"),
        ("lots", "lots_never_go"),
        ("movements", "movements_append_only"),
        ("movements", "movements_kept"),
        ("requests", "requests_kept"),
        ("requests", "requests_never_change"),
    }
)
"""The triggers that keep the journal append-only, by table."""

_IS_THERE: Final = "SELECT to_regclass('comptoir.alembic_version') IS NOT NULL"
_MAY_READ: Final = "SELECT has_table_privilege('comptoir.alembic_version', 'SELECT')"

_TRIGGERS: Final = """
SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'comptoir'::regnamespace AND t.tgenabled IN ('O', 'A')"""

_ROLE: Final = """
SELECT rolname, rolsuper, pg_has_role(rolname, c.relowner, 'MEMBER'),
    has_table_privilege(rolname, c.oid, 'UPDATE, DELETE, TRUNCATE'),
    (SELECT string_agg(o.relname, ', ' ORDER BY o.relname) FROM pg_class o
        WHERE o.relnamespace = c.relnamespace AND o.relkind IN ('r', 'p')
            AND NOT (has_table_privilege(rolname, o.oid, 'SELECT')
                AND (has_table_privilege(rolname, o.oid, 'INSERT')
                    OR o.relname = 'alembic_version')))
FROM pg_roles, pg_class c
WHERE rolname = current_user AND c.oid = 'comptoir.movements'::regclass"""

_WRONG: Final = """
SELECT string_agg(name, ', ' ORDER BY name) FROM (
    SELECT relname FROM pg_class WHERE relnamespace = 'comptoir'::regnamespace
        AND relkind = 'r' AND relpersistence <> 'p'
    UNION ALL
    SELECT conname FROM pg_constraint
    WHERE connamespace = 'comptoir'::regnamespace AND NOT convalidated
    UNION ALL
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'comptoir'::regnamespace AND NOT (i.indisvalid AND i.indisready)
) AS wrong(name)"""

_UNVERIFIED: Final = """
SELECT coalesce(sum(a.version - coalesce(c.version, 0)), 0)::bigint,
    floor(coalesce(extract(epoch FROM now() - min(m.at)), 0) / 86400)::integer
FROM comptoir.accounts a
LEFT JOIN comptoir.checkpoints c ON c.book_id = a.book_id AND c.account_id = a.id
JOIN comptoir.movements m ON m.book_id = a.book_id AND m.account_id = a.id
    AND m.version = coalesce(c.version, 0) + 1
WHERE a.version > coalesce(c.version, 0)"""


def check_schema(connection: Connection) -> Iterator[Finding]:
    """Look at the tables as the application sees them; nothing more when there are none."""
    if not _value(connection, _IS_THERE):
        yield Finding("revision", "revision-none")
        return
    if not _value(connection, _MAY_READ):
        yield Finding("roles", "roles-no-rights", {"tables": "alembic_version"})
        return
    revision = _revision(connection)
    yield revision
    if revision.code in {"revision-older", "revision-newer"}:
        return
    yield _gate(connection)
    yield _role(connection)
    yield _triggers(connection)
    wrong = _value(connection, _WRONG)
    yield Finding("tables", "tables-wrong" if wrong else "tables", {"names": wrong})
    yield _verified(connection)


def _revision(connection: Connection) -> Finding:
    row = connection.execute(SCHEMA, (OLDEST_NAME,)).fetchone()
    there, known = schema_said(row), migrate.head()
    figures = {"there": there.revision, "known": known}
    if there.revision == known:
        return Finding("revision", "revision", figures)
    if there.suits(known):
        return Finding("revision", "revision-grown", figures)
    is_older = migrate.knows(there.revision)
    return Finding("revision", "revision-older" if is_older else "revision-newer", figures)


def _gate(connection: Connection) -> Finding:
    there = gate.read(connection)
    if there is None:
        return Finding("gate", "gate-none")
    if there.is_open:
        return Finding("gate", "gate-left", {"place": there.place})
    codes = {
        State.MOVING: "gate-moving",
        State.MOVED: "gate-moved",
        State.ARRIVING: "gate-arriving",
    }
    return Finding("gate", codes[there.state], {"place": there.place})


def _role(connection: Connection) -> Finding:
    row = connection.execute(_ROLE).fetchone()
    assert row is not None, "whoever is connected has a role"
    name, is_superuser, is_owner, may_change, missing = row
    if is_superuser:
        return Finding("roles", "roles-superuser", {"role": name})
    if is_owner:
        return Finding("roles", "roles-owner", {"role": name})
    if may_change:
        return Finding("roles", "roles-may-change", {"role": name})
    if missing:
        return Finding("roles", "roles-no-rights", {"role": name, "tables": missing})
    return Finding("roles", "roles", {"role": name})


def _triggers(connection: Connection) -> Finding:
    missing = GUARDS - set(connection.execute(_TRIGGERS).fetchall())
    names = ", ".join(sorted(name for _, name in missing))
    return Finding("triggers", "triggers-off" if missing else "triggers", {"names": names})


def _verified(connection: Connection) -> Finding:
    row: tuple[Any, ...] | None = connection.execute(_UNVERIFIED).fetchone()
    assert row is not None, "an aggregate has a row"
    code = "verified-long-ago" if row[1] >= UNVERIFIED_DAYS else "verified"
    return Finding("verified", code, {"movements": row[0], "days": row[1]})


def _value(connection: Connection, query: LiteralString) -> object:
    row = connection.execute(query).fetchone()
    return row[0] if row is not None else None
