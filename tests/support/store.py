"""Runs tables on PostgreSQL, through either way into the ledger."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from comptoir.kit.limits import SECOND
from comptoir.ledger.model import Answer
from comptoir.ledger.requests import Chain
from comptoir.store.batch import Batch
from comptoir.store.directory import Directory
from comptoir.store.facts import Facts
from comptoir.store.ledger import execute, execute_sync
from comptoir.store.pool import Limits, begin, open_pool
from tests.support.asking import BOOK, NOWHERE, Clerk
from tests.support.tables import Ask, Opening, Told

LIMITS: Final = Limits(pool=2, connect=10)
Submit = Callable[[Sequence[Chain]], Awaitable[list[list[Answer]]]]
"""Decides chains in one commit."""

_SET_FLOOR: Final = """
UPDATE comptoir.accounts a SET floor = %(floor)s, seal = hash_record_extended(ROW(
    a.book_id, a.id, a.asset_id, a.customer_id, a.name, a.bounded, a.posted, a.held, a.debt,
    %(floor)s::bigint, a.filled, a.version, a.lots_made, a.open_lots, a.next_expiry, a.at), 0)
WHERE a.book_id = %(book)s AND a.id = %(id)s"""

_BALANCE: Final = """
SELECT posted, held, debt FROM comptoir.accounts WHERE book_id = %s AND id = %s"""

_LOTS: Final = """
SELECT remaining, pinned, paid FROM comptoir.lots WHERE book_id = %s AND account_id = %s AND open
ORDER BY priority, expires_at NULLS LAST, no"""

_STATE: Final = "SELECT state, captured FROM comptoir.holds WHERE book_id = %s AND id = %s"

_JOURNAL: Final = """
SELECT kind, amount FROM comptoir.movements
WHERE book_id = %s AND account_id = %s AND amount <> 0 ORDER BY version"""


@dataclass(slots=True)
class StoreDriver:
    """Runs one case on PostgreSQL, with the case's own time in place of the database's."""

    pool: AsyncConnectionPool[AsyncConnection]
    directory: Directory
    facts: Facts
    prefix: str
    submit_chains: Submit
    clerk: Clerk = field(init=False)
    accounts: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        self.clerk = Clerk(self, self.prefix)

    def account(self, name: str) -> int:
        return self.accounts.get(name, NOWHERE)

    def contra(self, asset: str, kind: str) -> int:
        return getattr(self.facts.assets[asset], kind)

    async def open(self, account: Opening) -> None:
        asset = await self.directory.asset(BOOK, account.asset)
        id_ = await self.directory.account(BOOK, asset, self.prefix + account.name)
        self.accounts[account.name] = id_
        if account.floor:
            async with begin(self.pool) as tx:
                await tx.execute(_SET_FLOOR, {"book": BOOK, "id": id_, "floor": account.floor})

    async def submit(self, chains: Sequence[Sequence[Ask]]) -> list[list[Told]]:
        asked = [self.clerk.chain(asks) for asks in chains]
        answers = await self.submit_chains(asked)
        return [self.clerk.told(a, b) for a, b in zip(chains, answers, strict=True)]

    async def tick(self, seconds: int) -> None:
        self.clerk.now += seconds * SECOND

    async def balance(self, account: str) -> tuple[int, int, int]:
        [row] = await read(self, _BALANCE, self.accounts[account])
        return (row[0], row[1], row[2])

    async def lots(self, account: str) -> list[tuple[int, int]]:
        found = await read(self, _LOTS, self.accounts[account])
        return [(left, pinned) for left, pinned, _ in found]

    async def paid(self, account: str) -> list[int]:
        return [paid for _, _, paid in await read(self, _LOTS, self.accounts[account])]

    async def state(self, hold: str) -> tuple[str, int]:
        [row] = await read(self, _STATE, self.clerk.id(hold))
        return (row[0], row[1])

    async def journal(self, account: str) -> list[tuple[str, int]]:
        found = await read(self, _JOURNAL, self.accounts[account])
        return [(kind, amount) for kind, amount in found]


async def read(driver: StoreDriver, query: LiteralString, key: int | bytes) -> list[Any]:
    """What a query finds in the book for one key."""
    async with begin(driver.pool) as tx:
        cursor = await tx.execute(query, (BOOK, key))
        return await cursor.fetchall()


Fresh = Callable[[str], StoreDriver]
"""Makes the driver of one case, whose keys and accounts begin with the given prefix."""


@asynccontextmanager
async def through_batch(url: str) -> AsyncGenerator[Fresh]:
    """Drivers, one after the other, whose requests go through one group commit."""
    made: list[StoreDriver] = []
    async with open_pool(url, LIMITS) as pool, Directory(pool) as directory:
        facts = await directory.facts(BOOK)
        async with Batch(url, BOOK, facts, LIMITS, lambda _: made[-1].clerk.now) as batch:

            async def submit(chains: Sequence[Chain]) -> list[list[Answer]]:
                # Whoever submits before the writer wakes shares its commit.
                return await asyncio.gather(*(batch.submit(chain) for chain in chains))

            def fresh(prefix: str) -> StoreDriver:
                made.append(StoreDriver(pool, directory, facts, prefix, submit))
                return made[-1]

            yield fresh


@asynccontextmanager
async def through_caller(url: str) -> AsyncGenerator[Fresh]:
    """Drivers whose requests go into transactions of their caller."""
    async with open_pool(url, LIMITS) as pool, Directory(pool) as directory:
        facts = await directory.facts(BOOK)

        def fresh(prefix: str) -> StoreDriver:
            async def submit(chains: Sequence[Chain]) -> list[list[Answer]]:
                return await inside_own(driver, chains)

            driver = StoreDriver(pool, directory, facts, prefix, submit)
            return driver

        yield fresh


@asynccontextmanager
async def through_sync(url: str) -> AsyncGenerator[Fresh]:
    """Drivers whose requests go into transactions of a caller without async."""
    async with open_pool(url, LIMITS) as pool, Directory(pool) as directory:
        facts = await directory.facts(BOOK)
        with psycopg.connect(url) as connection:

            def fresh(prefix: str) -> StoreDriver:
                def decide(chains: Sequence[Chain]) -> list[list[Answer]]:
                    with connection.transaction():
                        return execute_sync(
                            connection, BOOK, facts, chains, lambda _: driver.clerk.now
                        )

                async def submit(chains: Sequence[Chain]) -> list[list[Answer]]:
                    return await asyncio.to_thread(decide, chains)

                driver = StoreDriver(pool, directory, facts, prefix, submit)
                return driver

            yield fresh


async def inside_own(driver: StoreDriver, chains: Sequence[Chain]) -> list[list[Answer]]:
    """Decide chains as a caller does who has a transaction open."""
    async with begin(driver.pool) as tx:
        return await execute(tx, BOOK, driver.facts, chains, lambda _: driver.clerk.now)
