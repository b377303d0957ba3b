"""A bell between the processes of one database: somebody has written what others wait for.

It only wakes: whoever is woken reads what there is, and whoever heard nothing looks from time to
time. It never rings inside of a transaction with movements, where NOTIFY would serialize commits.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final, LiteralString, Self

import psycopg

from comptoir.kit.errors import ComptoirError
from comptoir.store.pool import Limits, Pool, connect, fetch

_RING: Final = "SELECT pg_notify(%s, '')"
_LISTEN: Final[dict[str, LiteralString]] = {
    "comptoir_inbox": "LISTEN comptoir_inbox",
    "comptoir_outbox": "LISTEN comptoir_outbox",
}
INBOX: Final = "comptoir_inbox"
OUTBOX: Final = "comptoir_outbox"

_COMES_BACK: Final = 1.0
_TOGETHER: Final = 0.02
"""Seconds after a ring in which all others make one more: NOTIFY has a lock of its own."""


class Bell:
    """Rings, and is heard, in this process and in others. An async context of one event loop."""

    def __init__(self, pool: Pool, topic: str) -> None:
        self._pool = pool
        self._topic = topic
        self._tasks = asyncio.TaskGroup()
        self._is_ringing = False
        self._again = False
        self._heard = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.__aexit__(None, None, None)

    def ring(self) -> None:
        """Wake whoever listens; many rings at a time are one."""
        self._heard.set()
        self._again = True
        if not self._is_ringing:
            self._is_ringing = True
            self._tasks.create_task(self._ring())

    def wake(self) -> None:
        """Wake whoever listens in this process, and nobody else."""
        self._heard.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it rings, but no longer than so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        self._heard.clear()

    @asynccontextmanager
    async def listening(self, url: str) -> AsyncGenerator[None]:
        """Hear the rings of other processes while the block runs, on a connection of its own.

        Args:
            url: the database, past any pooler.
        """
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._listen(url))
            try:
                yield
            finally:
                task.cancel()

    async def _ring(self) -> None:
        try:
            while self._again:  # bounded: whoever rings has written something
                self._again = False
                with suppress(ComptoirError):  # others look from time to time
                    await fetch(self._pool, _RING, (self._topic,))
                await asyncio.sleep(_TOGETHER)
        finally:
            self._is_ringing = False

    async def _listen(self, url: str) -> None:
        limits = Limits()
        while True:  # until cancelled
            with suppress(ComptoirError, psycopg.Error, OSError):
                async with await connect(url, limits, lock=limits.lock) as connection:
                    await connection.execute(_LISTEN[self._topic])
                    self._heard.set()  # something may have been written before
                    async for _ in connection.notifies():
                        self._heard.set()
            await asyncio.sleep(_COMES_BACK)
