"""The cache: one suite for the one in this process and the one in a Redis."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from os import urandom
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from comptoir.guards.cache.door import Cache, Terms
from comptoir.guards.cache.memory import MemoryCache
from comptoir.guards.cache.model import Place, Store, pack
from comptoir.guards.cache.on_redis import RedisCache
from comptoir.guards.redis.link import Link, Mode, RedisDown
from comptoir.kit.errors import Invalid
from tests.support.batches import until
from tests.support.guarding import LIVE
from tests.support.redis import RedisServer, redis_server

SECOND = 1_000_000


@dataclass(slots=True)
class Kitchen:
    """Caches of two processes on one store, and a clock that stands still.

    Attributes:
        worked: how often something was worked out.
    """

    caches: list[Cache]
    link: Link | None
    now: int = 1_790_000_000 * SECOND
    worked: int = 0
    results: list[Any] = field(default_factory=list[Any])

    async def work(self) -> Any:  # noqa: ANN401
        self.worked += 1
        await asyncio.sleep(0)
        return self.results.pop(0) if self.results else {"n": self.worked}


def place(group: str | None = None) -> Place:
    return Place.of(f"key:{uuid4()}", group)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as found:
        yield found


@asynccontextmanager
async def opened(make: Callable[[Callable[[], int]], list[Store]],
                 link: Link | None) -> AsyncGenerator[Kitchen]:  # fmt: skip
    kitchen = Kitchen([], link)
    async with AsyncExitStack() as stack:
        for store in make(lambda: kitchen.now):
            if isinstance(store, RedisCache):
                await stack.enter_async_context(store)
            cache = Cache(store, lambda: kitchen.now, lambda: 0.5)
            kitchen.caches.append(await stack.enter_async_context(cache))
        yield kitchen


@asynccontextmanager
async def in_memory(_: RedisServer) -> AsyncGenerator[Kitchen]:
    def make(clock: Callable[[], int]) -> list[Store]:
        return [MemoryCache(clock, urandom)] * 2

    async with opened(make, None) as kitchen:
        yield kitchen


@asynccontextmanager
async def in_redis(server: RedisServer) -> AsyncGenerator[Kitchen]:
    async with Link(server.url) as link:

        def make(_: Callable[[], int]) -> list[Store]:
            return [RedisCache(link, LIVE, urandom) for _ in range(2)]

        async with opened(make, link) as kitchen:
            yield kitchen


@pytest.fixture(params=[in_memory, in_redis], ids=["memory", "redis"])
async def kitchen(request: pytest.FixtureRequest, server: RedisServer) -> AsyncGenerator[Kitchen]:
    async with request.param(server) as found:
        yield found


@pytest.mark.parametrize("value", [None, 0, "", [], {"a": [1, None, "é"]}, 1.5, True])
async def test_what_is_kept_is_found(value: object, kitchen: Kitchen):
    here, there = kitchen.caches
    at = place()
    assert await here.get(at) is None
    await here.set(at, value, 60)
    assert await there.get(at) == (value,)


async def test_it_is_fresh_for_as_long_as_was_said_and_no_longer(kitchen: Kitchen):
    at, cache = place(), kitchen.caches[0]
    await cache.set(at, 1, 60)
    kitchen.now += 56 * SECOND
    assert await cache.get(at) == (1,)
    kitchen.now += 2 * SECOND
    assert await cache.get(at) is None, "a twentieth less, so that all do not end together"


async def test_a_group_is_forgotten_in_one_step(kitchen: Kitchen):
    here, there = kitchen.caches
    group, other = f"user:{uuid4()}", place()
    mine = [place(group) for _ in range(20)]
    for at in (*mine, other):
        await here.set(at, 1, 60)
    await there.invalidate(group)
    assert [await here.get(at) for at in mine] == [None] * 20
    assert await here.get(other) == (1,)
    await here.set(mine[0], 2, 60)
    assert await there.get(mine[0]) == (2,)


async def test_of_many_callers_one_works_it_out(kitchen: Kitchen):
    at = place()
    asked = [kitchen.caches[n % 2].work_out(at, kitchen.work, Terms(60)) for n in range(40)]
    found = await asyncio.gather(*asked)
    memory = kitchen.link is None
    assert kitchen.worked <= (2 if memory else 1)
    assert all(each == found[0] for each in found) or memory


async def test_what_is_worked_out_while_it_is_invalidated_is_not_kept(kitchen: Kitchen):
    """The classic: read the old row, somebody writes and invalidates, keep the old row."""
    group = f"user:{uuid4()}"
    at, begun, go_on = place(group), asyncio.Event(), asyncio.Event()
    here, there = kitchen.caches

    async def old() -> str:
        begun.set()
        await go_on.wait()
        return "old"

    reading = asyncio.create_task(here.work_out(at, old, Terms(60)))
    await begun.wait()
    await there.invalidate(group)
    go_on.set()
    assert await reading == "old"
    assert await there.get(at) is None


async def test_a_caller_who_goes_away_takes_nothing_from_the_others(kitchen: Kitchen):
    at, go_on, cache = place(), asyncio.Event(), kitchen.caches[0]

    async def slow() -> int:
        await go_on.wait()
        return 7

    first = asyncio.create_task(cache.work_out(at, slow, Terms(60)))
    second = asyncio.create_task(cache.work_out(at, slow, Terms(60)))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    go_on.set()
    assert await second == 7


async def test_what_fails_is_not_kept_and_everybody_hears_of_it(kitchen: Kitchen):
    at, cache = place(), kitchen.caches[0]

    async def fail() -> None:
        raise OSError

    both = [cache.work_out(at, fail, Terms(60)) for _ in range(2)]
    found = await asyncio.gather(*both, return_exceptions=True)
    assert [type(each) for each in found] == [OSError, OSError]
    assert await cache.work_out(at, kitchen.work, Terms(60)) == {"n": 1}, "at once: nobody waits"


async def test_what_is_stale_is_given_while_somebody_works_it_out(kitchen: Kitchen):
    at, cache, terms = place(), kitchen.caches[0], Terms(60, stale=60)
    kitchen.results = ["first", "second"]
    assert await cache.work_out(at, kitchen.work, terms) == "first"
    kitchen.now += 70 * SECOND
    assert await cache.work_out(at, kitchen.work, terms) == "first"

    async def is_new() -> bool:
        return await cache.get(at) == ("second",)

    await until(is_new)


async def test_what_fails_behind_a_stale_value_is_nobodys_answer(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture
):
    at, cache, terms = place(), kitchen.caches[0], Terms(60, stale=60)
    await cache.work_out(at, kitchen.work, terms)
    kitchen.now += 70 * SECOND

    async def fail() -> None:
        raise OSError("secret")

    assert await cache.work_out(at, fail, terms) == {"n": 1}
    await until(lambda: "not worked out anew: OSError" in caplog.text)
    assert "secret" not in caplog.text


async def test_patterns_are_for_operators(kitchen: Kitchen):
    here = kitchen.caches[0]
    word = uuid4().hex
    places = [Place.of(f"{word}:{n}:x", None) for n in range(30)]
    for at in places:
        await here.set(at, 1, 60)
    assert await here.sweep(f"{word}:1*:x") == 11
    assert [n for n, at in enumerate(places) if await here.get(at)] == [
        0, *range(2, 10), *range(20, 30)
    ]  # fmt: skip
    with pytest.raises(Invalid):
        await here.sweep("")


@pytest.mark.parametrize(
    ("value", "ttl"),
    [(object(), 60), ("x" * 1_100_000, 60), (float, 60), (1, 0), (1, -1), (1, 8 * 86_400)],
)
async def test_what_cannot_be_kept_is_refused(value: object, ttl: float, kitchen: Kitchen):
    with pytest.raises(Invalid, match="field-invalid"):
        await kitchen.caches[0].set(place(), value, ttl)


@pytest.mark.parametrize("name", ["", "a\0", "k" * 256, "k" * 10_000])
def test_what_is_no_name_is_refused(name: str):
    with pytest.raises(Invalid, match="field-invalid"):
        Place.of(name, None)
    with pytest.raises(Invalid, match="field-invalid"):
        Place.of("key", name)


async def test_memory_is_bounded():
    store = MemoryCache(lambda: 0, urandom, values=5, most=1_000)
    cache = Cache(store, lambda: 0, lambda: 0.0)
    places = [Place.of(f"k{n}", "g") for n in range(10)]
    for at in places:
        await cache.set(at, 1, 60)
    assert [n for n, at in enumerate(places) if await cache.get(at)] == [5, 6, 7, 8, 9]
    await cache.set(places[0], "x" * 940, 60)
    assert [n for n, at in enumerate(places) if await cache.get(at)] == [0, 8, 9]
    assert store.evicted == 8
    for n in range(20):
        await cache.set(Place.of("k", f"g{n}"), 1, 60)
    assert await cache.get(places[0]) is None, "its group is forgotten with it"


async def test_redis_down_is_a_miss_and_forgets_later(tmp_path: Path):
    """What was to be forgotten while it was frozen is forgotten before anything is read again."""
    with redis_server(tmp_path) as server:
        async with in_redis(server) as kitchen:
            cache, link = kitchen.caches[0], kitchen.link
            assert link is not None
            at, other = place("user:1"), place("user:2")
            await cache.set(at, "old", 60)
            await cache.set(other, "kept", 60)
            server.freeze()
            await until(lambda: link.mode is Mode.DOWN)
            await cache.invalidate("user:1")
            assert await cache.get(at) is None
            assert await cache.work_out(at, kitchen.work, Terms(60)) == {"n": 1}
            await cache.set(other, "lost", 60)
            with pytest.raises(RedisDown):
                await cache.sweep("*")
            server.thaw()
            await until(lambda: link.mode is Mode.UP)
            assert await cache.get(at) is None
            assert await cache.get(other) == ("kept",)


async def test_what_redis_keeps_has_an_end(server: RedisServer):
    server.say("FLUSHALL")
    async with in_redis(server) as kitchen:
        link = kitchen.link
        assert link is not None
        await kitchen.caches[0].work_out(place("user:1"), kitchen.work, Terms(60))
        keys = await link.say("KEYS", "*")
        assert len(keys) == 2, "a value and its generation; who fills it has ended"
        for key in keys:
            assert await link.say("PTTL", key) > 0
            assert b"{1:user:1}" in key, "one slot of a cluster"


async def test_rubbish_of_somebody_else_is_not_found(server: RedisServer):
    async with in_redis(server) as kitchen:
        cache, link = kitchen.caches[0], kitchen.link
        assert link is not None
        at = Place.of("rubbish", None)
        await cache.set(at, 1, 60)
        for wrong in (b"", b"x", b"[1, 2", pack(b"12345678", b"1", 2**62)):
            await link.say("SET", "comptoir:cache:{1:rubbish}:rubbish", wrong)
            assert await cache.get(at) is None


async def test_a_cluster_keeps_it_too(tmp_path: Path):
    with redis_server(tmp_path, "--cluster-enabled", "yes") as server:
        server.own_all_slots()
        async with in_redis(server) as kitchen:
            cache, link = kitchen.caches[0], kitchen.link
            assert link is not None
            await until(lambda: link.mode is Mode.UP)
            places = [place(f"group:{n}") for n in range(20)]
            for at in places:
                assert await cache.work_out(at, kitchen.work, Terms(60))
            found = await asyncio.gather(*(kitchen.caches[1].get(at) for at in places))
            assert None not in found
            await cache.invalidate("group:3")
            assert await cache.get(places[3]) is None
            assert await cache.sweep("key:*") == 20
            assert await cache.get(places[4]) is None
