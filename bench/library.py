"""The library door: ours, the two recipes and the ceiling, in turns on one PostgreSQL."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import count
from typing import Final

from bench import ours, peers
from bench.ceiling import ceiling
from bench.database import checkpoint
from bench.measure import Bounds, Run, Spend, Summary, Workload, closed_loop, open_loop
from bench.ours import Commits, Ours
from bench.peers import FOR_UPDATE, ONE_STATEMENT, POOL_SIZES, Recipe
from bench.scale import Scale
from bench.tables import Table, number

Open = Callable[[str], AbstractAsyncContextManager[Spend]]

CALLERS: Final = (1, 64, 1_000)
RATES: Final = (1_000, 2_000, 5_000, 10_000, 20_000)
PEERS: Final = (FOR_UPDATE, ONE_STATEMENT)
_PREFIX = count(1)


@dataclass(frozen=True, slots=True)
class Bench:
    """A seeded database."""

    url: str
    ours: Ours
    scale: Scale

    async def run(self, opened: Open, load: Workload, bounds: Bounds) -> Run:
        checkpoint(self.url)
        gc.collect()
        gc.freeze()
        async with opened(self.url) as spend:
            return await closed_loop(spend, load, bounds, f"c{next(_PREFIX)}")

    async def best(self, recipes: Sequence[Recipe], load: Workload) -> Recipe:
        """The form of a recipe that is quickest under this load."""
        bounds = Bounds(self.scale.calls, self.scale.trial)
        found = [(await self.run(recipe.open, load, bounds)).rate for recipe in recipes]
        return recipes[found.index(max(found))]

    async def verify(self, *, full: bool = False) -> None:
        peers.check(self.url)
        await ours.check(self.url, full=full)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What ours, both recipes, the ceiling and the library's verb did under one load."""

    load: Workload
    forms: tuple[Recipe, Recipe]
    ours: Summary
    for_update: Summary
    one_statement: Summary
    ceiling: Summary
    verbs: Summary
    batch: int


async def prepare(url: str, scale: Scale) -> Bench:
    """Seed both schemas."""
    peers.seed(url)
    return Bench(url, await ours.seed(url), scale)


async def compare(bench: Bench, load: Workload) -> Comparison:
    """Run everything in turns, several times, and verify all books after each turn."""
    if load.callers == 1:
        recipes = [[form for form in forms if form.pool == min(POOL_SIZES)] for forms in PEERS]
    else:
        recipes = PEERS
    bounds = Bounds(bench.scale.calls, bench.scale.seconds)
    forms = (await bench.best(recipes[0], load), await bench.best(recipes[1], load))
    seen: list[list[Run]] = [[], [], [], [], []]
    batch = 1
    for _ in range(bench.scale.repetitions):
        commits = Commits(bench.url)
        seen[0].append(await bench.run(bench.ours.open, load, bounds))
        batch = max(1, round(seen[0][-1].calls / commits.count()))
        seen[1].append(await bench.run(forms[0].open, load, bounds))
        seen[2].append(await bench.run(forms[1].open, load, bounds))
        checkpoint(bench.url)
        top = await ceiling(bench.ours, load.accounts, batch, bounds, f"t{next(_PREFIX)}")
        seen[3].append(top)
        seen[4].append(await bench.run(ours.verbs, load, bounds))
        await bench.verify()
    return Comparison(
        load,
        forms,
        ours=Summary("ours", seen[0]),
        for_update=Summary(forms[0].form, seen[1]),
        one_statement=Summary(forms[1].form, seen[2]),
        ceiling=Summary(f"ceiling, {batch} a commit", seen[3]),
        verbs=Summary("ours, by credits.spend", seen[4]),
        batch=batch,
    )


async def open_runs(bench: Bench, load: Workload, doors: Sequence[tuple[str, Open]]) -> Table:
    """Calls at given rates, answered or not; at most 1,000 wait at a time, the rest is dropped."""
    table = Table(
        f"{load.name}: open loop, at most {load.callers:,} waiting",
        ("offered/s", "who", "answered/s", "p50 ms", "p99 ms", "dropped"),
    )
    for rate in RATES:
        for name, opened in doors:
            checkpoint(bench.url)
            async with opened(bench.url) as spend:
                bounds = Bounds(bench.scale.calls, bench.scale.seconds)
                run = await open_loop(spend, load, bounds, f"o{next(_PREFIX)}", rate=rate)
            cells = (number(run.rate), *(f"{run.percentile(p):.1f}" for p in (0.5, 0.99)))
            sent = run.calls + run.dropped
            table.add(number(rate), name, *cells, f"{run.dropped / sent * 100:.0f} %")
            await asyncio.sleep(0)
    await bench.verify(full=True)
    return table
