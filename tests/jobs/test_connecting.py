"""Whoever listens for jobs ends when he is cancelled, whatever is announced in that moment."""

import asyncio
from collections.abc import AsyncGenerator

import psycopg
import pytest

from comptoir.jobs.connecting import Connector
from tests.support.postgres import Database

pytestmark = pytest.mark.pg
LISTENS = """
SELECT 1 FROM pg_stat_activity
WHERE query LIKE '%LISTEN%' AND state = 'idle' AND pid <> pg_backend_pid()
    AND datname = current_database()"""


@pytest.fixture
async def connector(database: Database) -> AsyncGenerator[Connector]:
    made = Connector(database.owner_url)
    await made.open_async()
    yield made
    await made.close_async()


@pytest.fixture
async def other(database: Database) -> AsyncGenerator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(
        database.superuser_url, autocommit=True
    ) as connection:
        yield connection


@pytest.mark.parametrize("turns", range(6))
async def test_a_listener_that_is_cancelled_as_it_hears_something_ends(
    turns: int, connector: Connector, other: psycopg.AsyncConnection
):
    heard = asyncio.Event()

    async def hear(*, channel: str, payload: str) -> None:
        assert (channel, payload) == ("jobs", "come")
        heard.set()

    listener = asyncio.create_task(connector.listen_notify(hear, ["jobs"]))
    while not await (await other.execute(LISTENS)).fetchone():  # noqa: ASYNC110  # it tells nobody
        await asyncio.sleep(0)
    await other.execute("NOTIFY jobs, 'come'")
    for _ in range(turns):
        await asyncio.sleep(0)
    listener.cancel()
    await asyncio.wait([listener], timeout=5)
    assert listener.cancelled()


async def test_what_is_announced_is_heard(connector: Connector, other: psycopg.AsyncConnection):
    said: asyncio.Queue[str] = asyncio.Queue()

    async def hear(*, channel: str, payload: str) -> None:
        await said.put(f"{channel} {payload}")

    async with asyncio.timeout(30):
        listener = asyncio.create_task(connector.listen_notify(hear, ["jobs"]))
        while said.empty():
            await other.execute("NOTIFY jobs, 'come'")
            await asyncio.sleep(0)
        assert await said.get() == "jobs come"
        listener.cancel()
        await asyncio.wait([listener])
