"""The PostgreSQL that everything is measured on: settings that make it durable are asserted."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from comptoir.store.embedded import start, stop
from comptoir.store.embedded.cluster import OWNER

DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_SHOWN: Final = (
    *DURABLE, "server_version", "shared_buffers", "max_wal_size", "wal_sync_method",
    "wal_compression", "checkpoint_timeout", "max_connections",
)  # fmt: skip
_CHECKPOINTS: Final = f"GRANT pg_checkpoint TO {OWNER}"
"""Every run starts after one."""

_DATABASES: Final = f"ALTER ROLE {OWNER} CREATEDB"
"""A peer has one of its own beside ours."""


@contextmanager
def database(url: str | None) -> Iterator[str]:
    """The database at `url`, or our embedded one, with its settings, in a home that goes."""
    if url is not None:
        yield url
        return
    with (
        TemporaryDirectory(prefix="comptoir-bench-", ignore_cleanup_errors=True) as folder,
        start(Path(folder)) as embedded,
    ):
        with psycopg.connect(embedded.urls.superuser_url, autocommit=True) as connection:
            connection.execute(_CHECKPOINTS)
            connection.execute(_DATABASES)
        yield embedded.urls.owner_url
        stop(Path(folder))


def durable_settings(url: str) -> dict[str, str]:
    """What the server says of itself; fails unless a commit is on disk before it is answered."""
    with psycopg.connect(url, autocommit=True) as connection:
        shown = {name: _show(connection, name) for name in _SHOWN}
    for name, wanted in DURABLE.items():
        if shown[name] != wanted:
            raise SystemExit(f"refusing to measure with {name} = {shown[name]}")
    return shown


def _show(connection: psycopg.Connection, name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None, "a setting has a value"
    return str(row[0])


def checkpoint(url: str) -> None:
    """Every run starts right after a checkpoint, so that none pays for the one before it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


@asynccontextmanager
async def connections(url: str, size: int) -> AsyncIterator[AsyncConnectionPool[AsyncConnection]]:
    """A pool of so many connections, all open."""
    pool: AsyncConnectionPool[AsyncConnection] = AsyncConnectionPool(
        url, open=False, min_size=size, max_size=size, timeout=120, kwargs={"autocommit": True}
    )
    async with pool:
        await pool.wait()
        yield pool
