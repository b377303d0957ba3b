"""Guards of a book for tests."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from comptoir.guards.counters import Counters
from comptoir.guards.leases import Leases
from comptoir.guards.once import LEASE, Once
from comptoir.store.pool import Limits, Pool, open_pool
from tests.support.postgres import Database
from tests.support.redis import RedisServer

LIVE: Final = 1
TEST: Final = 2


@dataclass(frozen=True, slots=True)
class Guarded:
    """A database whose guards are tried."""

    database: Database
    pool: Pool
    redis: RedisServer | None = None

    def once(self, book: int = LIVE, lease: float = LEASE) -> Once:
        return Once(self.pool, book, uuid4, lease)

    def leases(self, book: int = LIVE) -> Leases:
        return Leases(self.pool, book)

    def counters(self, book: int = LIVE, every: float = 60.0) -> Counters:
        return Counters(self.pool, book, uuid4, every)

    async def run(self, statement: str, *values: object) -> None:
        """One statement of the application's own role."""
        async with self.pool.connection() as connection:
            await connection.execute(statement.encode(), values)

    def new_id(self) -> UUID:
        return uuid4()


@asynccontextmanager
async def open_guarded(database: Database, pool: int = 8) -> AsyncGenerator[Guarded]:
    async with open_pool(database.app_url, Limits(pool=pool, connect=10, lock=10)) as found:
        yield Guarded(database, found)
