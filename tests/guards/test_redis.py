"""The link to a Redis: up, down, and what limits do then. Real servers, killed and frozen."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from comptoir.config import Settings
from comptoir.guards.limits.limiter import Limiter, Policies, WhenDown, Where
from comptoir.guards.limits.on_redis import RedisStore
from comptoir.guards.limits.ring import Policy
from comptoir.guards.limits.stores import MemoryStore, PostgresStore, Question, loop_clock
from comptoir.guards.redis.link import Link, Mode, Pace, RedisDown
from comptoir.kit.errors import ComptoirError, Unavailable
from tests.support.batches import until
from tests.support.guarding import LIVE, Guarded, open_guarded
from tests.support.postgres import Database
from tests.support.redis import RedisServer, redis_server
from tests.support.servers import free_ports

MINUTE = 60_000_000
TEN = Policy("api", 10, MINUTE)
WITHIN = 1.0
"""Seconds within which it is known that Redis has gone."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as found:
        yield found


@asynccontextmanager
async def linked(url: str) -> AsyncGenerator[tuple[Link, list[tuple[Mode, str]]]]:
    """A link, and what it has told."""
    told: list[tuple[Mode, str]] = []
    async with Link(url, lambda mode, why: told.append((mode, why))) as link:
        yield link, told


async def becomes(link: Link, mode: Mode, seconds: float = 10.0) -> None:
    await until(lambda: link.mode is mode, seconds)


async def test_up_from_the_beginning(server: RedisServer):
    async with linked(server.url) as (link, told):
        assert link.mode is Mode.UP
        assert await link.say("PING")
        assert told == [(Mode.UP, "")]
        assert link.figures.ping is not None
        seen = await link.look()
        assert {"used_memory", "maxmemory_policy", "evicted_keys", "version"} <= set(seen)


async def test_killed_while_nobody_asks_and_started_again(server: RedisServer):
    async with linked(server.url) as (link, told):
        server.kill()
        await becomes(link, Mode.DOWN, WITHIN)
        with pytest.raises(RedisDown):
            await link.say("PING")
        assert await link.look() == {}
        await asyncio.to_thread(server.start)
        await becomes(link, Mode.UP)
        assert await link.say("PING")
        assert [mode for mode, _ in told] == [Mode.UP, Mode.DOWN, Mode.UP]
        assert told[1][1] == "ConnectionError"


async def test_frozen_and_thawed(server: RedisServer):
    async with linked(server.url) as (link, told):
        server.freeze()
        await becomes(link, Mode.DOWN, WITHIN)
        begun = asyncio.get_running_loop().time()
        with pytest.raises(RedisDown):
            await link.say("PING")
        assert asyncio.get_running_loop().time() - begun < 0.05, "nobody waits for it any more"
        server.thaw()
        await becomes(link, Mode.UP)
        assert [mode for mode, _ in told] == [Mode.UP, Mode.DOWN, Mode.UP]


async def test_calls_find_out_that_it_is_frozen_too(server: RedisServer):
    async with Link(server.url, pace=Pace(probe=60.0)) as link:
        server.freeze()
        for _ in range(2):
            assert link.mode is Mode.UP
            with pytest.raises(RedisDown):
                await link.say("PING")
        assert link.mode is Mode.DOWN
        server.thaw()


async def test_one_lost_connection_is_no_outage(server: RedisServer):
    async with linked(server.url) as (link, _):
        server.say("CLIENT", "KILL", "TYPE", "normal")
        assert await link.say("PING")
        assert link.mode is Mode.UP


async def test_started_before_its_redis_is(server: RedisServer):
    server.kill()
    async with linked(server.url) as (link, told):
        assert told == [(Mode.DOWN, "ConnectionError")]
        await asyncio.to_thread(server.start)
        await becomes(link, Mode.UP)


async def test_a_wrong_password(tmp_path: Path):
    with redis_server(tmp_path, "--requirepass", "right") as server:
        for password, mode in (("wrong", Mode.DOWN), ("right", Mode.UP)):
            url = server.url.replace("//", f"//:{password}@")
            async with linked(url) as (link, told):
                assert link.mode is mode
                assert all("wrong" not in why for _, why in told), "no secret is told"


async def test_nobody_there():
    [port] = free_ports(1)
    async with linked(f"redis://127.0.0.1:{port}") as (link, _):
        assert link.mode is Mode.DOWN


@pytest.mark.parametrize("url", ["http://127.0.0.1", "nothing", "redis://h:x"])
def test_what_is_no_address_is_refused(url: str):
    with pytest.raises(ComptoirError, match="redis-url-invalid"):
        Link(url)


def test_upstash_is_the_same_database_over_tls():
    said = {
        "UPSTASH_REDIS_REST_URL": "https://shop-1.upstash.io",
        "UPSTASH_REDIS_REST_TOKEN": "a/b",
    }
    url = "rediss://default:a%2Fb@shop-1.upstash.io:6379"
    assert Settings.model_validate(said).redis_address == url
    assert Settings.model_validate({}).redis_address is None
    assert Settings.model_validate(said | {"REDIS_URL": "redis://h"}).redis_address == "redis://h"
    for name, value in said.items():
        with pytest.raises(ComptoirError, match="upstash-incomplete"):
            _ = Settings.model_validate({name: value}).redis_address


@pytest.fixture
async def guarded(database: Database) -> AsyncGenerator[Guarded]:
    async with open_guarded(database) as found:
        yield found


@asynccontextmanager
async def limiting(guarded: Guarded, server: RedisServer) -> AsyncGenerator[tuple[Limiter, Link]]:
    async with AsyncExitStack() as stack:
        link = await stack.enter_async_context(Link(server.url))
        redis = await stack.enter_async_context(RedisStore(link, LIVE))
        pg = await stack.enter_async_context(PostgresStore(guarded.pool, LIVE))
        yield Limiter(pg, MemoryStore(loop_clock), redis), link


async def admitted(limiter: Limiter, asked: Question, policies: Policies) -> tuple[int, set[str]]:
    """How many of thirty calls go through, and who decided."""
    said = await asyncio.gather(*(limiter.ask(asked, policies) for _ in range(30)))
    return sum(each.is_admitted for each in said), {each.by for each in said}


@pytest.mark.pg
@pytest.mark.parametrize("outage", ["killed", "frozen"])
async def test_limits_follow_their_written_policy(
    outage: str, guarded: Guarded, server: RedisServer
):
    async with limiting(guarded, server) as (limiter, link):
        policies = {down: Policies(Where.REDIS, down) for down in WhenDown}
        subjects = {down: Question(f"user:{uuid4()}", (TEN,)) for down in WhenDown}
        for down in WhenDown:
            assert await admitted(limiter, subjects[down], policies[down]) == (10, {"redis"})
        (server.kill if outage == "killed" else server.freeze)()
        for down, expected in {
            WhenDown.LOCAL: (10, {"local"}),
            WhenDown.PG: (10, {"pg"}),
            WhenDown.OPEN: (30, {"open"}),
        }.items():
            assert await admitted(limiter, subjects[down], policies[down]) == expected
        with pytest.raises(Unavailable, match="redis-down"):
            await limiter.ask(subjects[WhenDown.CLOSED], policies[WhenDown.CLOSED])
        assert link.mode is Mode.DOWN
        assert limiter.fallbacks == {
            ("redis", "local"): 30, ("redis", "pg"): 30, ("redis", "open"): 30,
        }  # fmt: skip
        if outage == "killed":
            await asyncio.to_thread(server.start)
        else:
            server.thaw()
        await becomes(link, Mode.UP)
        back = await admitted(limiter, subjects[WhenDown.OPEN], policies[WhenDown.OPEN])
        assert back == (10 if outage == "killed" else 0, {"redis"}), "a killed one has forgotten"


@pytest.mark.pg
async def test_without_redis_postgresql_keeps_what_all_share(guarded: Guarded):
    async with PostgresStore(guarded.pool, LIVE) as pg:
        limiter = Limiter(pg, MemoryStore(loop_clock), None)
        asked = Question(f"user:{uuid4()}", (TEN,))
        assert await admitted(limiter, asked, Policies()) == (10, {"pg"})
        assert await admitted(limiter, asked, Policies(Where.LOCAL)) == (10, {"local"})
        assert not limiter.fallbacks


@pytest.mark.pg
async def test_flushed_under_load_limits_begin_anew_and_nothing_breaks(
    guarded: Guarded, server: RedisServer
):
    async with limiting(guarded, server) as (limiter, link):
        asked = Question(f"user:{uuid4()}", (TEN,))
        assert (await admitted(limiter, asked, Policies()))[0] == 10
        server.say("FLUSHALL")
        server.say("SCRIPT", "FLUSH")
        assert await admitted(limiter, asked, Policies()) == (10, {"redis"})
        assert link.mode is Mode.UP


@pytest.mark.parametrize(
    "words",
    [
        ("SET", "not ours"),
        ("SET", ""),
        ("SET", b"\x93\x01\x02\xa1x"),  # [1, 2, "x"], packed
        ("SET", b"\x93\x01\x02\x01"),
        ("SET", b"\x92\x01\x02"),
        ("SET", b"\x07"),
        ("RPUSH", "a list"),
    ],
)
async def test_rubbish_where_a_state_should_be_is_none(
    words: tuple[str, str | bytes], server: RedisServer
):
    """One key is no outage of all: it was, and stayed one for as long as the key was there."""
    asked = Question("user:1", (TEN,), 4)
    async with Link(server.url) as link, RedisStore(link, LIVE) as store:
        await store.ask(asked)
        [key] = await link.say("KEYS", "comptoir:limit:*")
        await link.say("DEL", key)
        await link.say(words[0], key, words[1])
        assert [(await store.ask(asked))[0].remaining for _ in range(2)] == [6, 2]
        assert link.mode is Mode.UP


async def test_a_cluster_limits_too(tmp_path: Path):
    with redis_server(tmp_path, "--cluster-enabled", "yes") as server:
        server.own_all_slots()
        async with Link(server.url) as link, RedisStore(link, LIVE) as store:
            await becomes(link, Mode.UP)
            day = Policy("day", 12, 24 * 60 * MINUTE)
            subjects = [Question(f"user:{uuid4()}", (TEN, day)) for _ in range(20)]
            asked = [each for each in subjects for _ in range(15)]
            said = await asyncio.gather(*(store.ask(each) for each in asked))
            assert sum(all(v.is_admitted for v in each) for each in said) == 200
            server.kill()
            await becomes(link, Mode.DOWN, 2 * WITHIN)
