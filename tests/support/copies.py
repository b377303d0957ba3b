"""Databases to copy books into, and a way to compare two of them that uses none of our code."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from comptoir.kit.secret import SecretIs
from comptoir.store import archive
from comptoir.store.archive import Manifest
from comptoir.store.backup import backup
from comptoir.store.embedded.cluster import OWNER
from comptoir.store.restore import Restored, restore
from tests.support.postgres import Cluster, Database

_NUMBERS: Final = count()

_TABLES: Final = """
SELECT relname FROM pg_class WHERE relnamespace = 'comptoir'::regnamespace AND relkind = 'r'"""

# Everything but rows: what migrations make, who may do what, which triggers are on.
_SHAPE: Final = """
SELECT 'column', attrelid::regclass::text, attname, format_type(atttypid, atttypmod)
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE c.relnamespace = 'comptoir'::regnamespace AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'rights', c.oid::regclass::text, '', relacl::text
    FROM pg_class c WHERE relnamespace = 'comptoir'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, tgenabled::text
    FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
    WHERE c.relnamespace = 'comptoir'::regnamespace AND NOT tgisinternal
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'comptoir'::regnamespace
UNION ALL SELECT 'index', indexrelid::regclass::text, '', pg_get_indexdef(indexrelid)
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE c.relnamespace = 'comptoir'::regnamespace"""

SECRET: Final = "0123456789abcdef"
Print = tuple[int, str | None]


def silent(_table: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def taken(database: Database, path: Path) -> Manifest:
    """Take a backup, with a secret of its own."""
    with path.open("wb") as file:
        return backup(database.owner_url, file, "1.0", (SecretIs.INCLUDED, SECRET), silent)


def put_back(path: Path, database: Database) -> Restored:
    """Restore a backup."""
    with archive.opened(path) as source:
        return restore(database.owner_url, source, report=silent, last=lambda _: None)


@contextmanager
def empty_database(cluster: Cluster, options: str = "") -> Iterator[Database]:
    """A database without any schema of ours; it goes when the block ends."""
    name = f"empty_{cluster.name}_{next(_NUMBERS)}"
    superuser = cluster.urls.superuser_url
    with psycopg.connect(superuser, autocommit=True) as connection:
        create = f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE template0 {options}"
        connection.execute(create.encode())
        try:
            owner, app, all_mighty = (
                make_url(url).set(database=name).render_as_string(hide_password=False)
                for url in (cluster.urls.owner_url, cluster.urls.app_url, superuser)
            )
            yield Database(owner, app, all_mighty)
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(drop)


def prints(url: str) -> dict[str, Print]:
    """Of every table how many rows it has, and a digest of all of them in one order."""
    found: dict[str, Print] = {}
    with psycopg.connect(url) as connection:
        connection.execute("SET timezone = 'UTC'")
        for (table,) in connection.execute(_TABLES).fetchall():
            query = sql.SQL(
                """SELECT count(*), md5(string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C"))
                FROM comptoir.{} t"""
            ).format(sql.Identifier(table))
            row = connection.execute(query).fetchone()
            assert row is not None
            found[table] = row
    return found


def shape(url: str) -> list[tuple[Any, ...]]:
    """Everything of the schema but its rows."""
    with psycopg.connect(url) as connection:
        return sorted(connection.execute(_SHAPE).fetchall(), key=str)


def is_blank(url: str) -> bool:
    """Whether a database has no schema of ours."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT to_regnamespace('comptoir')").fetchone() == (None,)
