"""Redis dies under a server with load: money is as before, limits do what was written."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.crash.load import judge, work
from tests.support.batches import assert_verified, until
from tests.support.postgres import Database
from tests.support.redis import RedisServer, redis_server
from tests.support.servers import Crowd, Server, add_keys, crowd, free_ports

pytestmark = [pytest.mark.pg, pytest.mark.crash]
WITHIN = 1.0
"""Seconds within which everybody says that Redis has gone."""


@contextmanager
def serving(folder: Path, database: Database, redis: RedisServer) -> Iterator[Server]:
    [port] = free_ports(1)
    said = {"REDIS_URL": redis.url, "RATE_LIMIT_CLIENT": "5/60"}
    server = Server(folder, database, port, environment=said)
    try:
        yield server.start().wait_until_ready()
    finally:
        server.kill()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as found:
        yield found


async def seen(clients: Crowd) -> tuple[str, str]:
    """What there is of Redis, by the health and by the statistics."""
    ready = await clients.get("/health/ready")
    stats = await clients.get("/api/admin/stats")
    assert (ready.status, stats.status) == (200, 200), (ready, stats)
    return ready.body["redis"], stats.body["redis"]["mode"]


async def says(clients: Crowd, mode: str, seconds: float) -> None:
    async def is_it() -> bool:
        return await seen(clients) == (mode, mode)

    await until(is_it, seconds)


async def token(clients: Crowd) -> str:
    body = {"customer": f"c-{uuid4()}", "ttl_seconds": 600}
    made = await clients.post("/api/customer-tokens", body)
    assert made.status == 201, made
    return made.body["token"]


async def admitted(clients: Crowd, server: Server, shown: str, calls: int = 12) -> int:
    """How many of so many calls of a customer's token go through."""

    async def one() -> int:
        url = f"{server.url}/api/credits/balance"
        headers = {"Authorization": f"Bearer {shown}"}
        async with clients.session.get(url, headers=headers) as answer:
            return answer.status

    statuses = await asyncio.gather(*(one() for _ in range(calls)))
    assert set(statuses) <= {200, 429}, statuses
    return statuses.count(200)


async def take(clients: Crowd, customer: str) -> int:
    body = {"customer": customer}
    return (await clients.post("/api/quotas/ai-calls/reserve", body, str(uuid4()))).status


async def quotas_hold(clients: Crowd) -> None:
    """Ten of thirty at once, as the plan says."""
    customer = f"q-{uuid4()}"
    statuses = await asyncio.gather(*(take(clients, customer) for _ in range(30)))
    assert sorted(statuses) == [201] * 10 + [429] * 20


async def locks_hold(clients: Crowd) -> None:
    key = {"key": f"lock-{uuid4()}"}
    made = await asyncio.gather(*(clients.post("/api/locks", key, str(uuid4())) for _ in range(9)))
    assert sorted(each.status for each in made) == [201] + [409] * 8


async def keys_hold(clients: Crowd) -> None:
    """Twenty repeats of one request are one job."""
    body: dict[str, Any] = {"type": "nobodys"}
    key = str(uuid4())
    made = await asyncio.gather(*(clients.post("/api/jobs", body, key) for _ in range(20)))
    assert {each.status for each in made} == {202}
    assert len({each.body["id"] for each in made}) == 1


async def all_guards_hold(clients: Crowd) -> None:
    await quotas_hold(clients)
    await locks_hold(clients)
    await keys_hold(clients)


@pytest.mark.parametrize("outage", ["killed", pytest.param("frozen", marks=pytest.mark.soak)])
async def test_money_is_as_before(
    outage: str, database: Database, redis: RedisServer, tmp_path: Path
):
    keys = add_keys(database)
    with serving(tmp_path, database, redis) as server:
        async with crowd([server], keys) as clients:

            async def trouble(load: Any) -> None:  # noqa: ANN401
                await load.wait_for(200)
                await says(clients, "up", WITHIN)
                before = await token(clients)
                assert await admitted(clients, server, before) == 5
                (redis.kill if outage == "killed" else redis.freeze)()
                gone = time.monotonic()
                await says(clients, "down", WITHIN)
                assert time.monotonic() - gone < WITHIN
                await all_guards_hold(clients)
                during = await token(clients)
                assert await admitted(clients, server, during) == 5, "this process keeps the limit"
                assert await admitted(clients, server, before) == 0, "and knows what it let through"
                stats = (await clients.get("/api/admin/stats")).body
                [fallback] = stats["fallbacks"]
                assert (fallback["store"], fallback["decided_by"]) == ("redis", "local")
                await load.wait_for(200)
                if outage == "killed":
                    await asyncio.to_thread(redis.start)
                else:
                    redis.thaw()
                await says(clients, "up", 5.0)
                await all_guards_hold(clients)
                assert await admitted(clients, server, await token(clients)) == 5
                await load.wait_for(200)

            load = await work(clients, 7, trouble)
            await load.repeat_all()
        assert '"mode":"down"' in server.output
    assert not load.failures, load.failures
    assert_verified(database)
    judge(database.owner_url, load.asked)


async def test_flushed_under_load_nothing_is_noticed(
    database: Database, redis: RedisServer, tmp_path: Path
):
    keys = add_keys(database)
    with serving(tmp_path, database, redis) as server:
        async with crowd([server], keys) as clients:

            async def trouble(load: Any) -> None:  # noqa: ANN401
                for _ in range(5):
                    await load.wait_for(50)
                    redis.say("FLUSHALL")
                    redis.say("SCRIPT", "FLUSH")
                    assert await admitted(clients, server, await token(clients)) == 5
                await all_guards_hold(clients)

            load = await work(clients, 8, trouble)
    assert not load.failures, load.failures
    assert_verified(database)
    judge(database.owner_url, load.asked)


async def test_a_wrong_password_is_an_outage_and_no_more(database: Database, tmp_path: Path):
    keys = add_keys(database)
    with (
        redis_server(tmp_path, "--requirepass", "right") as redis,
        serving(tmp_path, database, redis) as server,
    ):
        async with crowd([server], keys) as clients:
            assert await seen(clients) == ("down", "down")
            await all_guards_hold(clients)
            assert await admitted(clients, server, await token(clients)) == 5
