"""Which revision the schema has, and which one this program knows, without loading Alembic."""

from dataclasses import dataclass
from importlib import resources
from typing import Final

from psycopg import AsyncConnection

from comptoir.store.pool import Limits, Pool, begin, connect

OLDEST_PROGRAM: Final = "0001"
"""The oldest program that works on the newest schema, by the newest revision that it knows.

A migration that expands leaves this as it is. One that contracts, and so takes away what older
programs use, raises it to the first revision whose programs do without.
"""

NONE: Final = "0000"
"""Before the first revision: the table that names it is there, and empty."""

OLDEST_NAME: Final = "oldest-program"
"""What the database calls that among its settings."""

_TABLE: Final = "SELECT to_regclass('comptoir.alembic_version')"
SCHEMA: Final = """
SELECT version_num, (SELECT value FROM comptoir.settings WHERE name = %s)
FROM comptoir.alembic_version"""
"""What a database says of its schema, given OLDEST_NAME."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database says of its schema.

    Attributes:
        revision: the newest migration that it has had.
        oldest: the oldest program that works on it, by the newest revision that it knows.
    """

    revision: str
    oldest: str

    def suits(self, known: str) -> bool:
        """Whether a program works on it whose newest revision is `known`."""
        return self.revision == known or self.oldest <= known < self.revision


async def schema_of(url: str) -> Schema | None:
    """The schema of a database; None for an empty one.

    Raises:
        Unavailable: the database cannot be reached.
    """
    limits = Limits()
    async with await connect(url, limits, lock=limits.lock) as connection:
        row = await (await connection.execute(_TABLE)).fetchone()
        if row is None or row[0] is None:
            return None
        return await _said(connection)


async def schema_seen(pool: Pool) -> Schema:
    """The same for a database that is in use.

    Raises:
        Unavailable: the database cannot be reached.
    """
    async with begin(pool) as tx:
        return await _said(tx)


async def _said(connection: AsyncConnection) -> Schema:
    return schema_said(await (await connection.execute(SCHEMA, (OLDEST_NAME,))).fetchone())


def schema_said(row: tuple[str, str | None] | None) -> Schema:
    """What `SCHEMA` has found."""
    revision, oldest = row or (NONE, None)
    # One that says nothing was made before this was asked: it is for its own programs alone.
    return Schema(revision, oldest or revision)


def newest_revision() -> str:
    """The newest revision that this program knows: its files are numbered in order."""
    folder = resources.files("comptoir.store") / "migrations" / "sql"
    return max(each.name for each in folder.iterdir() if each.name.endswith(".sql"))[:4]
