"""Migrations: plain SQL files, run by Alembic in one transaction under an advisory lock."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, make_url, pool, text
from sqlalchemy.exc import DBAPIError, OperationalError

from comptoir.kit.errors import Unavailable
from comptoir.store import queue_schema
from comptoir.store.revision import OLDEST_NAME, OLDEST_PROGRAM

Unreachable = OperationalError
"""What `connect` raises when the database cannot be reached."""

_LOCK: Final = 0x636F6D70746F6972
"""The advisory lock of migrations: "comptoir" in ASCII."""

_NEEDS_QUEUE: Final = "0004_guards.sql"
"""The first file that uses the queue's tables."""

_HEAD: Final = "head"
"""Alembic's word for the newest revision."""

_VERSION: Final = """
-- What tells later migrations where they begin.
CREATE TABLE comptoir.alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO comptoir.alembic_version VALUES ('{head}');
"""

_OLDEST: Final = f"""
-- Which programs work on this schema.
INSERT INTO comptoir.settings (name, value) VALUES ('{OLDEST_NAME}', '{OLDEST_PROGRAM}')
ON CONFLICT (name) DO UPDATE SET value = excluded.value;
"""  # noqa: S608  # our own constants


def migrate(url: str) -> str:
    """Bring the database up to the newest revision; returns that revision.

    Several processes may do this at the same time: one does, the others wait for it.

    Raises:
        Unavailable: the database cannot be reached.
        psycopg.Error: a migration fails; nothing of it stays.
    """
    try:
        with driver_errors(), connect(url) as connection, connection.begin():
            lock(connection)
            bring_up(connection, _HEAD)
    except psycopg.OperationalError as error:
        raise Unavailable("database-down") from error
    return head()


@contextmanager
def driver_errors() -> Generator[None]:
    """Let the driver's own errors through, for nobody above knows SQLAlchemy."""
    try:
        yield
    except DBAPIError as error:
        if error.orig is None:
            raise
        raise error.orig from error


def connect(url: str, **options: object) -> Connection:
    """A connection for migrations; the options are libpq's.

    The encoding is said because SQLAlchemy cannot read the text of a server that has none.

    Raises:
        sqlalchemy.exc.OperationalError: the database cannot be reached.
    """
    arguments = {"client_encoding": "utf8", **options}
    return create_engine(
        _driver_url(url), poolclass=pool.NullPool, connect_args=arguments
    ).connect()


def lock(connection: Connection) -> None:
    """Keep everybody else from migrating until the open transaction ends."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


def bring_up(connection: Connection, revision: str) -> None:
    """Bring the database up to a revision, in the open transaction."""
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS comptoir"))
    command.upgrade(_config(connection), revision)
    if revision == _HEAD:
        queue_schema.bring_up(connection)
        connection.execute(text(_OLDEST))


def knows(revision: str) -> bool:
    """Whether this program can bring a database from that revision to its own."""
    try:
        ScriptDirectory.from_config(_config(None)).get_revision(revision)
    except CommandError:
        return False
    return True


def current(url: str) -> str | None:
    """The revision that the database has; None for an empty one."""
    with connect(url) as connection:
        there = connection.execute(text("SELECT to_regclass('comptoir.alembic_version')")).scalar()
        if there is None:
            return None
        return connection.execute(text("SELECT version_num FROM comptoir.alembic_version")).scalar()


def head() -> str:
    """The newest revision that this program knows."""
    newest = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert newest is not None, "there is at least one revision"
    return newest


def statements() -> str:
    """All migrations as one SQL script, for operators who run them by hand."""
    files = sorted(_folder().joinpath("sql").glob("*.sql"))
    texts = [path.read_text() for path in files]
    before = [path.name for path in files].index(_NEEDS_QUEUE)
    texts.insert(before, queue_schema.script())
    return "\n".join([*texts, _VERSION.format(head=head()), _OLDEST])


def _folder() -> Path:
    return Path(str(resources.files("comptoir.store"))) / "migrations"


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _driver_url(url: str) -> str:
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
