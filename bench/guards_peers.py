"""What programs use for rate limits and locks on Redis, each as its documentation says.

Usage, in an environment that has guards-peers.txt: guards_peers.py NAME REDIS_URL SECONDS

It prints calls a second. Nothing of ours is imported but the load.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import uvloop
from cashews import Cache
from guards_load import LIMIT, TTL, WINDOW, Call, rate, subjects
from limits import RateLimitItemPerSecond, aio
from limits.storage import storage_from_string
from redis.asyncio import Redis


def _limiter(kind: str, implementation: str) -> Callable[[str], AbstractAsyncContextManager[Call]]:
    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Call]:
        address = f"async+{url}"
        storage: Any = storage_from_string(address, implementation=implementation)
        limiter: Any = getattr(aio.strategies, kind)(storage)
        item, whose = RateLimitItemPerSecond(LIMIT, WINDOW), subjects()

        async def call(number: int) -> object:
            return await limiter.hit(item, whose[number % len(whose)])

        yield call

    return opened


@asynccontextmanager
async def redis_lock(url: str) -> AsyncIterator[Call]:
    """redis-py's own lock, taken and released."""
    client = Redis.from_url(url)

    async def call(number: int) -> object:
        lock = client.lock(f"lock:{number % 1000}:{number}", timeout=TTL)
        assert await lock.acquire(blocking=False)
        return await lock.release()

    yield call
    await client.aclose()


@asynccontextmanager
async def cashews_lock(url: str) -> AsyncIterator[Call]:
    cache = Cache()
    cache.setup(url)

    async def call(number: int) -> object:
        async with cache.lock(f"lock:{number}", expire=TTL):
            return True

    yield call
    await cache.close()


@asynccontextmanager
async def cashews_cache(url: str) -> AsyncIterator[Call]:
    cache = Cache()
    cache.setup(url)

    @cache(ttl=60, key="profile:{user}")
    async def profile(user: str) -> dict[str, str]:
        return {"name": user}

    whose = subjects()

    async def call(number: int) -> object:
        return await profile(whose[number % 1_000])

    yield call
    await cache.close()


PEERS = {
    "moving, coredis": _limiter("MovingWindowRateLimiter", "coredis"),
    "moving, redis-py": _limiter("MovingWindowRateLimiter", "redispy"),
    "sliding, coredis": _limiter("SlidingWindowCounterRateLimiter", "coredis"),
    "sliding, redis-py": _limiter("SlidingWindowCounterRateLimiter", "redispy"),
    "redis-py Lock": redis_lock,
    "cashews lock": cashews_lock,
    "cashews cache": cashews_cache,
}


async def main(name: str, url: str, seconds: float) -> None:
    async with PEERS[name](url) as call:
        await rate(call, min(0.3, seconds))
        print(await rate(call, seconds))


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
