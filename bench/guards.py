"""Claims: guards are quicker than what programs use on Redis, though PostgreSQL keeps most."""

import asyncio
import os
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Final, Literal
from uuid import UUID, uuid4

import psycopg

from bench.database import checkpoint
from bench.guards_env import peer, redis
from bench.guards_load import LIMIT, TTL, WINDOW, Call, rate, subjects
from bench.scale import Scale
from bench.tables import Table, number, times, verdict
from comptoir import Comptoir, Job, Jobs, RateLimit
from comptoir.store.migrate import migrate

JOBS: Final = 2_000
WAKES: Final = 200


def _limited(books: Comptoir, store: Literal["redis", "pg"]) -> Call:
    policy, whose = RateLimit("api", LIMIT, WINDOW, store), subjects()

    async def call(n: int) -> object:
        return await books.limits.hit(whose[n % len(whose)], policy)

    return call


def _leased(books: Comptoir) -> Call:
    async def call(n: int) -> object:
        async with books.lease(f"lock:{uuid4()}", ttl=TTL):
            return n

    return call


def _locked(books: Comptoir) -> Call:
    async def call(n: int) -> object:
        async with books.lock(f"lock:{n}"):
            return n

    return call


def _cached(books: Comptoir) -> Call:
    whose = subjects()

    async def call(n: int) -> object:
        user = whose[n % 1_000]

        async def profile() -> dict[str, str]:
            return {"name": user}

        return await books.cache.work_out(f"profile:{user}", profile, 60)

    return call


def _once(books: Comptoir) -> Call:
    async def work(_: object) -> dict[str, str]:
        return {"charge": "ch_1"}

    async def call(n: int) -> object:
        return await books.guards.once(f"pay:{n % 1_000}", work)

    return call


def _counted(books: Comptoir) -> Call:
    async def call(_: int) -> object:
        return await books.counters.add("quotes:created:total")

    return call


async def _median(run: Callable[[], Awaitable[float]], turns: int) -> float:
    return statistics.median([await run() for _ in range(turns)])


@asynccontextmanager
async def opened(url: str, redis_url: str) -> AsyncIterator[Comptoir]:
    os.environ["REDIS_URL"] = redis_url
    try:
        async with Comptoir.open(url) as books:
            yield books
    finally:
        del os.environ["REDIS_URL"]


async def measure(url: str, scale: Scale) -> list[Table]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS comptoir CASCADE")
    await asyncio.to_thread(migrate, url)
    with redis() as redis_url:
        async with opened(url, redis_url) as books:
            checkpoint(url)
            beside = await _beside_peers(books, redis_url, scale)
            return [beside, await _alone(books, scale), await _queue(books)]


async def _beside_peers(books: Comptoir, redis_url: str, scale: Scale) -> Table:
    """Ours and theirs in turns; a ratio is the median of the ratios of one turn each."""
    table = Table(
        "Beside peers on the same Redis, 64 callers",
        ("what", "ours /s", "peer", "peer /s", "ratio", "target"),
    )
    pairs: list[tuple[str, Call, str, float | None]] = [
        ("rate limit, in Redis", _limited(books, "redis"), "moving, coredis", 2.5),
        ("rate limit, in Redis", _limited(books, "redis"), "moving, redis-py", 2.5),
        ("rate limit, in Redis", _limited(books, "redis"), "sliding, coredis", None),
        ("rate limit, in Redis", _limited(books, "redis"), "sliding, redis-py", None),
        ("rate limit, in PostgreSQL", _limited(books, "pg"), "moving, redis-py", None),
        ("lease, in PostgreSQL", _leased(books), "redis-py Lock", 1.5),
        ("lease, in PostgreSQL", _leased(books), "cashews lock", None),
        ("lock of a transaction", _locked(books), "redis-py Lock", None),
        ("cache, found", _cached(books), "cashews cache", None),
    ]
    for what, call, name, target in pairs:
        await rate(call, 0.3)
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(scale.repetitions):
            ours.append(await rate(call, scale.seconds))
            theirs.append(await asyncio.to_thread(peer, name, redis_url, scale.seconds))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        said = "" if target is None else f"{times(target)}: {verdict(ratio, target)}"
        table.add(
            what, number(statistics.median(ours)), name, number(statistics.median(theirs)),
            times(ratio), said,
        )  # fmt: skip
    return table


async def _alone(books: Comptoir, scale: Scale) -> Table:
    table = Table("Alone, 64 callers", ("what", "/s", "target"))
    for what, call, target in (
        ("idempotent replay", _once(books), 10_000),
        ("counter, written behind", _counted(books), 50_000),
    ):
        await rate(call, 0.5)
        found = await _median(lambda call=call: rate(call, scale.seconds), scale.repetitions)
        table.add(what, number(found), f"{number(target)}: {verdict(found, target)}")
    return table


async def _queue(books: Comptoir) -> Table:
    table = Table("The queue", ("what", "figure", "target"))

    async def enqueue(_: int) -> object:
        async with books.transaction() as tx:
            return await tx.jobs.enqueue("idle")

    found = await rate(enqueue, 2.0)
    table.add("enqueued in transactions, 64 callers, /s", number(found),
              f"1,000: {verdict(found, 1_000)}")  # fmt: skip
    done = asyncio.Event()
    left = JOBS
    woken: dict[UUID, asyncio.Future[float]] = {}
    jobs = Jobs()

    @jobs.handler("bench")
    async def bench(_job: Job, _books: Comptoir) -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    @jobs.handler("wake")
    async def wake(job: Job, _books: Comptoir) -> None:
        woken.setdefault(job.id, asyncio.get_running_loop().create_future()).set_result(
            perf_counter()
        )

    for _ in range(0, JOBS, 100):
        async with books.transaction() as tx:
            for _ in range(100):
                await tx.jobs.enqueue("bench")
    start = perf_counter()
    async with books.working(jobs, concurrency=32):
        await done.wait()
        throughput = JOBS / (perf_counter() - start)
        waits = sorted([await _wake_up(books, woken) for _ in range(WAKES)])
    table.add("done from end to end, one worker, jobs/s", number(throughput),
              f"500: {verdict(throughput, 500)}")  # fmt: skip
    p95 = waits[int(WAKES * 0.95)] * 1_000
    table.add("from enqueued to begun, p95, ms", f"{p95:.1f}", f"50: {verdict(p95, 50, most=True)}")
    return table


async def _wake_up(books: Comptoir, woken: dict[UUID, asyncio.Future[float]]) -> float:
    start = perf_counter()
    id_ = await books.jobs.enqueue_now("wake")
    return await woken.setdefault(id_, asyncio.get_running_loop().create_future()) - start
