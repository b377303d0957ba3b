"""Pools whose database is away: they go on trying, for those who wait already too."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from comptoir.store.pool import BlockingPool, Limits, begin, open_blocking_pool, open_pool
from tests.support.postgres import Database

ENOUGH = 14
"""More attempts than a pool makes by itself before it has given up."""

PATIENT = Limits(connect=60.0)


class Broken:
    """An address where connections end as they begin, as of a database that is starting."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.attempts = 0
        self.enough = asyncio.Event()

    def hang_up(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.attempts += 1
        if self.attempts >= ENOUGH:
            self.enough.set()
        writer.close()

    async def was_tried_often(self) -> None:
        async with asyncio.timeout(60):
            await self.enough.wait()


@asynccontextmanager
async def _broken() -> AsyncGenerator[Broken]:
    broken = Broken("")
    server = await asyncio.start_server(broken.hang_up, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        broken.url = f"host={host} port={port} dbname=none user=nobody"
        yield broken


async def test_a_pool_goes_on_trying_for_those_who_wait_already():
    async with _broken() as broken, open_pool(broken.url, PATIENT) as pool:
        waiting = [asyncio.create_task(pool.getconn()) for _ in range(4)]
        await broken.was_tried_often()
        for task in waiting:
            task.cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended)


async def test_a_blocking_pool_goes_on_trying_too():
    async with _broken() as broken, asyncio.TaskGroup() as tasks:
        pool = open_blocking_pool(broken.url, PATIENT)
        pool.open()
        tasks.create_task(asyncio.to_thread(_wait, pool))
        await broken.was_tried_often()
        await asyncio.to_thread(pool.close)


def _wait(pool: BlockingPool) -> None:
    with pytest.raises(Exception, match="closed"):
        pool.getconn()


@pytest.mark.pg
@pytest.mark.parametrize("turns", range(8))
async def test_whoever_is_cancelled_as_he_gets_a_connection_goes_on_with_nothing(
    turns: int, database: Database
):
    """In Python 3.11 one of these moments lost the cancellation: a server did not end."""
    went_on = asyncio.Event()

    async def repeat() -> None:
        async with begin(pool):
            went_on.set()
        await asyncio.Event().wait()

    async with open_pool(database.app_url, Limits(pool=1)) as pool:
        async with begin(pool):
            waiting = asyncio.create_task(repeat())
            while not pool.get_stats().get("requests_waiting"):  # noqa: ASYNC110  # it tells nobody
                await asyncio.sleep(0)
        for _ in range(turns):  # of the loop, since the connection was given back
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=5)
        assert waiting.cancelled()
        async with begin(pool):
            assert pool.get_stats()["pool_size"] == 1
