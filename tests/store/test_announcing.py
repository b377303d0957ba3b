"""What is committed is announced, after the commit, by whatever way it was committed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import psycopg
import pytest
from psycopg import AsyncConnection, Connection

from comptoir.store import announcing
from comptoir.store.announcing import LISTENING, TOPIC, Announcer, Heard, read, write
from comptoir.store.ledger import execute, execute_sync
from comptoir.store.pool import (
    OwnPool,
    begin,
    begin_for_blocking_caller,
    begin_for_caller,
    connect,
    open_blocking_pool,
    open_pool,
)
from comptoir.store.touched import Touched
from tests.support.batches import DEADLINE, LIMITS, Shop, open_shop, until
from tests.support.postgres import Database

pytestmark = pytest.mark.pg


@pytest.fixture
async def shop(database: Database) -> AsyncGenerator[Shop]:
    async with open_shop(database) as found:
        yield found


@pytest.fixture
async def pool(shop: Shop) -> AsyncGenerator[OwnPool]:
    pool = open_pool(shop.url, LIMITS)
    async with pool:
        yield pool


@dataclass(slots=True)
class Ear:
    """Somebody who listens."""

    connection: AsyncConnection
    heard: list[str] = field(default_factory=list[str])

    async def next(self) -> Heard:
        """The next announcement."""
        async with asyncio.timeout(DEADLINE):
            async for notice in self.connection.notifies():
                self.heard.append(notice.payload)
                return read(notice.payload)
        raise AssertionError("the connection has ended")

    async def version(self, book: int, account: int, version: int) -> None:
        """Wait until this is announced, and nothing newer of it before."""
        found = 0
        while found != version:
            found = (await self.next()).accounts.get((book, account), found)
            assert found <= version


@asynccontextmanager
async def ear(shop: Shop) -> AsyncIterator[Ear]:
    async with await connect(shop.url, LIMITS, lock=1) as connection:
        await connection.execute("SELECT pg_advisory_lock_shared(%s, 0)", (LISTENING,))
        await connection.execute(f"LISTEN {TOPIC}")
        yield Ear(connection)


async def test_the_group_commit_is_announced(shop: Shop, pool: OwnPool):
    account = await shop.account("a", 100)
    async with ear(shop) as listener, Announcer(pool) as announcer, shop.batch() as batch:
        batch.announce = announcer.changed
        for n in range(3):
            await batch.submit(shop.spend(f"s{n}", account, 1))
            await listener.version(shop.book, account, n + 2)


async def test_many_commits_are_announced_together(shop: Shop, pool: OwnPool):
    account = await shop.account("a", 10_000)
    async with ear(shop) as listener, Announcer(pool) as announcer, shop.batch() as batch:
        batch.announce = announcer.changed
        await batch.submit(shop.spend("first", account, 1))
        await listener.version(shop.book, account, 2)
        for n in range(200):
            await batch.submit(shop.spend(f"s{n}", account, 1))
        await listener.version(shop.book, account, 202)
        assert len(listener.heard) < 100


async def test_what_a_caller_commits_is_announced_after_it(shop: Shop, pool: OwnPool):
    account = await shop.account("a", 100)
    told: list[Touched] = []
    pool.announce = told.append
    for n, beginning in enumerate((begin, begin_for_caller)):
        async with beginning(pool) as tx:
            chain = shop.spend(f"s{n}", account, 1)
            await execute(tx, shop.book, shop.facts, [chain])
            assert len(told) == n
        assert told[n] == {(shop.book, account): n + 2}


async def test_what_is_rolled_back_is_not_announced(shop: Shop, pool: OwnPool):
    account = await shop.account("a", 100)
    told: list[Touched] = []
    pool.announce = told.append
    for beginning in (begin, begin_for_caller):
        with suppress(ZeroDivisionError):
            async with beginning(pool) as tx:
                await execute(tx, shop.book, shop.facts, [shop.spend("s", account, 1)])
                raise ZeroDivisionError
    async with begin(pool) as tx:  # on the same connection, which remembers nothing
        await tx.execute("SELECT 1")
    assert told == []


async def test_a_commit_that_is_refused_announces_nothing(shop: Shop, pool: OwnPool):
    account = await shop.account("a", 100)
    told: list[Touched] = []
    pool.announce = told.append
    with suppress(psycopg.Error):
        async with begin_for_caller(pool) as tx:
            await execute(tx, shop.book, shop.facts, [shop.spend("s", account, 1)])
            await tx.execute("SELECT 1 / 0")
    assert told == []


async def test_a_callers_own_connection_is_followed_by_nobody(shop: Shop):
    account = await shop.account("a", 100)
    async with await AsyncConnection.connect(shop.url) as connection:
        await execute(connection, shop.book, shop.facts, [shop.spend("s", account, 1)])


async def test_what_a_thread_commits_is_announced(shop: Shop, pool: OwnPool):
    account = await shop.account("a", 100)

    def work(announcer: Announcer) -> None:
        with open_blocking_pool(shop.url, LIMITS) as blocking:
            blocking.announce = announcer.touched_by_thread
            with begin_for_blocking_caller(blocking) as tx:
                execute_sync(tx, shop.book, shop.facts, [shop.spend("s", account, 1)])

    async with ear(shop) as listener, Announcer(pool) as announcer:
        await asyncio.to_thread(work, announcer)
        await listener.version(shop.book, account, 2)


def test_a_callers_own_connection_without_async(database: Database):
    async def prepare() -> tuple[Shop, int]:
        async with open_shop(database) as shop:
            return shop, await shop.account("a", 100)

    shop, account = asyncio.run(prepare())
    with Connection.connect(database.app_url) as connection:
        [[answer]] = execute_sync(connection, shop.book, shop.facts, [shop.spend("s", account, 1)])
        assert answer.line is not None


class Counted(OwnPool):
    """A pool that counts what it lends."""

    lent = 0

    def connection(self, *args: object, **more: object):
        self.lent += 1
        return super().connection(*args, **more)  # pyright: ignore[reportArgumentType]


async def test_while_nobody_listens_it_asks_now_and_then_and_says_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(announcing, "SURE_SECONDS", 3_600.0)
    async with Counted(shop.url, open=False, min_size=1) as pool, Announcer(pool) as announcer:
        announcer.touched({(1, 1): 1})
        await until(lambda: pool.lent == 1)
        await until(lambda: announcer.is_quiet)
        for n in range(1_000):
            announcer.touched({(1, 1): n})
        assert announcer.waiting == 0
    assert pool.lent == 1


async def test_whoever_begins_to_listen_is_told_soon(
    shop: Shop, pool: OwnPool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(announcing, "SURE_SECONDS", 0.05)
    async with Announcer(pool) as announcer:
        announcer.touched({(1, 1): 1})
        async with ear(shop) as listener, asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(listener.next())
            version = 1
            while not listening.done():
                version += 1
                announcer.touched({(1, 1): version})
                await asyncio.sleep(0)
            assert (1, 1) in listening.result().accounts


async def test_without_a_database_it_gives_up_and_ends(shop: Shop):
    pool = open_pool("postgresql://127.0.0.1:1/nowhere", LIMITS)
    async with asyncio.timeout(DEADLINE), Announcer(pool) as announcer:
        announcer.touched({(1, 1): 1})
    announcer.touched({(1, 1): 2})
    assert announcer.waiting == 0


def test_what_is_written_is_read():
    touched = {(1, 17): 5, (2, 4): 1}
    assert read(write(touched)) == (touched, frozenset())


def test_of_too_many_accounts_only_the_books_are_said():
    touched = {(1 + n % 2, n): 1 for n in range(10_000)}
    said = write(touched)
    assert len(said.encode()) < 8_000
    assert read(said) == ({}, {1, 2})


@pytest.mark.parametrize("payload", ["", "x", "1:2", "1:2:3:4", "1:x:2", "-1", "1::2", "\u00b2"])
def test_what_is_not_ours_says_nothing(payload: str):
    assert read(payload) == ({}, frozenset())
