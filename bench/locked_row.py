"""Claim: one row that a foreign transaction keeps locked makes no other account wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from psycopg import AsyncConnection

from bench import serving
from bench.client import Job
from bench.database import checkpoint
from bench.http import CONNECTIONS, CUSTOMERS, warm
from bench.library import Bench, prepare
from bench.measure import Bounds, Run, Spend, Workload, keys, open_loop, some
from bench.scale import QUICK, Scale
from bench.tables import Table, number, verdict
from comptoir.kit.errors import ComptoirError

LOCKED_SECONDS: Final = 5.0
OTHERS_P99_MS: Final = 50.0
_STUCK: Final = 8
"""Callers besides who want the locked account all the time."""

_RATES: Final = (("library", 1_000), ("HTTP, 1 worker", 500))
"""Open loops that leave the processor room: latencies are the question here, not the rate."""

_CALLS: Final = 60_000
_SEED: Final = 20_261
_LOCK: Final = "SELECT FROM comptoir.accounts WHERE id = %s FOR UPDATE"


async def measure(url: str, scale: Scale) -> list[Table]:
    bench = await prepare(url, scale)
    table = Table(
        f"One row locked for {_seconds(scale):.0f} s; {_STUCK} callers want it, these do not",
        ("door", "offered/s", "row", "answered/s", "p50 ms", "p99 ms", "dropped", "target"),
    )
    load = Workload("others", CONNECTIONS, some(_CALLS, CUSTOMERS, _SEED))
    bounds = Bounds(_CALLS, _seconds(scale))
    for is_locked in (False, True):
        await _library(bench, table, load, bounds, is_locked=is_locked)
    async with serving.site(url) as site, serving.ours(url, 1) as server:
        await warm(site, server, 1)
        for is_locked in (False, True):
            async with _locked(url, bench.ours.accounts[0], is_locked=is_locked):
                stuck = _STUCK if is_locked else 0
                run = await site.run(_job(server.port, site.key, load, bounds, stuck=stuck))
            _add(table, 1, run, is_locked=is_locked)
    await bench.verify(full=True)
    return [table]


def _seconds(scale: Scale) -> float:
    return LOCKED_SECONDS if scale != QUICK else LOCKED_SECONDS / 2


def _job(port: int, key: str, load: Workload, bounds: Bounds, *, stuck: int) -> Job:
    rate = _RATES[1][1]
    return Job(port, key, load, bounds, serving.prefix(), rate=rate, stuck=stuck)


async def _library(
    bench: Bench, table: Table, load: Workload, bounds: Bounds, *, is_locked: bool
) -> None:
    """A closed loop would slow down with its slowest caller and so hide what it waited."""
    checkpoint(bench.url)
    async with (
        bench.ours.open(bench.url) as spend,
        _locked(bench.url, bench.ours.accounts[0], is_locked=is_locked),
        asyncio.TaskGroup() as group,
    ):
        stuck = [group.create_task(_insist(spend, n)) for n in range(_STUCK if is_locked else 0)]
        rate = _RATES[0][1]
        run = await open_loop(spend, load, bounds, serving.prefix(), rate=rate)
        for each in stuck:
            each.cancel()
    _add(table, 0, run, is_locked=is_locked)


async def _insist(spend: Spend, number: int) -> None:
    """Call for the locked account again and again, whatever comes of it."""
    key = keys(f"{serving.prefix()}i{number}")
    for attempt in range(_CALLS):
        try:
            await spend(0, key(attempt))
        except ComptoirError:
            continue


@asynccontextmanager
async def _locked(url: str, account: int, *, is_locked: bool) -> AsyncIterator[None]:
    """Hold the row's lock in a transaction of somebody else, unless it is not to be locked."""
    async with await AsyncConnection.connect(url) as connection:
        if is_locked:
            await connection.execute(_LOCK, (account,))
        yield
        await connection.rollback()


def _add(table: Table, door: int, run: Run, *, is_locked: bool) -> None:
    name, rate = _RATES[door]
    most = run.percentile(0.99)
    judged = f"{OTHERS_P99_MS:.0f} ms: {verdict(most, OTHERS_P99_MS, most=True)}"
    share = run.dropped / (run.calls + run.dropped)
    table.add(
        name, number(rate), "locked" if is_locked else "free", number(run.rate),
        f"{run.percentile(0.5):.1f}", f"{most:.1f}", f"{share * 100:.0f} %",
        judged if is_locked else "",
    )  # fmt: skip
    print(" | ".join(table.rows[-1]), flush=True)
