"""A process that asks a shared rate limit in bursts, at random, and just when it was told to.

Usage: python -m tests.race.limit_caller PLACE URL SUBJECT SEED SECONDS

It prints when each admitted call was begun and ended, by the machine's monotonic clock.
"""

import asyncio
import random
import sys
import time
from contextlib import AsyncExitStack

from comptoir.guards.limits.on_redis import RedisStore
from comptoir.guards.limits.ring import Policy
from comptoir.guards.limits.stores import LimitStore, PostgresStore, Question
from comptoir.guards.redis.link import Link
from comptoir.store.pool import Limits, open_pool

SECOND = 1_000_000
LIMIT = 9
WINDOW = SECOND // 2
LIVE = 1


async def opened(place: str, url: str, stack: AsyncExitStack) -> LimitStore:
    if place == "redis":
        link = await stack.enter_async_context(Link(url))
        return await stack.enter_async_context(RedisStore(link, LIVE))
    pool = await stack.enter_async_context(open_pool(url, Limits(pool=2)))
    return await stack.enter_async_context(PostgresStore(pool, LIVE))


async def main(place: str, url: str, subject: str, seed: int, seconds: float) -> None:
    chance = random.Random(seed)
    asked = Question(subject, (Policy("api", LIMIT, WINDOW),))
    admitted: list[tuple[int, int]] = []
    async with AsyncExitStack() as stack:
        store = await opened(place, url, stack)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()

        async def call() -> float:
            begun = time.monotonic_ns()
            [verdict] = await store.ask(asked)
            if verdict.is_admitted:
                admitted.append((begun // 1000, time.monotonic_ns() // 1000))
            return verdict.wait / SECOND

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            waits = await asyncio.gather(*(call() for _ in range(chance.choice([1, 2, 20]))))
            pause = chance.choice([0.0, chance.uniform(0, 0.02), max(waits), max(waits) * 0.99])
            await asyncio.sleep(min(pause, WINDOW / SECOND))
    for begun, ended in admitted:
        sys.stdout.write(f"{begun} {ended}\n")


if __name__ == "__main__":
    place, url, subject, seed, seconds = sys.argv[1:]
    asyncio.run(main(place, url, subject, int(seed), float(seconds)))
