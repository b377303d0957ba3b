"""Which revision the schema has, and which one this program knows, without loading Alembic."""

from importlib import resources
from typing import Final

from comptoir.store.pool import Limits, connect

_TABLE: Final = "SELECT to_regclass('comptoir.alembic_version')"
_REVISION: Final = "SELECT version_num FROM comptoir.alembic_version"


async def revision_of(url: str) -> str | None:
    """The revision of a database; None for an empty one.

    Raises:
        Unavailable: the database cannot be reached.
    """
    limits = Limits()
    async with await connect(url, limits, lock=limits.lock) as connection:
        row = await (await connection.execute(_TABLE)).fetchone()
        if row is None or row[0] is None:
            return None
        row = await (await connection.execute(_REVISION)).fetchone()
        return row[0] if row else None


def newest_revision() -> str:
    """The newest revision that this program knows: its files are numbered in order."""
    folder = resources.files("comptoir.store") / "migrations" / "sql"
    return max(each.name for each in folder.iterdir() if each.name.endswith(".sql"))[:4]
