"""Claim: over HTTP we are at least half as quick as doing nothing, and twice a recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench import serving
from bench.client import BATCH_SIZE, SPEND, Job, Kind
from bench.http_peers import CONNECTIONS, NOOP, sizes
from bench.http_peers import SPEND as PEER_SPEND
from bench.library import Bench, prepare
from bench.measure import Bounds, Run, Summary, Workload, hot, median_ratio, some
from bench.peers import Recipe, make_forms
from bench.scale import Scale
from bench.serving import Server, Site
from bench.tables import Table, number, times, verdict

WORKERS: Final = (1, 4)
CUSTOMERS: Final = 1_000
BATCH_CONNECTIONS: Final = 8
"""Enough to keep the server busy; 64 batches of 500 would be more than its queue takes."""

OF_NOOP, OF_FOR_UPDATE, OF_SINGLES, OF_SUCCESSES = 0.5, 2.0, 5.0, 1.0
PAIRS: Final = 500
_CALLS: Final = 60_000
_WARM_SECONDS: Final = 10.0
_SEED: Final = 20_261


@dataclass(frozen=True, slots=True)
class Pair:
    """Both servers, with as many workers, and what runs need."""

    workers: int
    site: Site
    ours: Server
    peers: Server
    scale: Scale

    async def spend(self, accounts: Sequence[int], kind: Kind = Kind.SPEND) -> Run:
        """Single spends through `comptoir serve`."""
        return await self.run(self.ours, accounts, kind, SPEND)

    async def peer(self, accounts: Sequence[int], path: str) -> Run:
        return await self.run(self.peers, accounts, Kind.SPEND, path)

    async def run(self, server: Server, accounts: Sequence[int], kind: Kind, path: str) -> Run:
        callers = BATCH_CONNECTIONS if kind is Kind.BATCH else CONNECTIONS
        load = Workload(kind, callers, accounts)
        bounds = Bounds(_CALLS, self.scale.seconds)
        job = Job(server.port, self.site.key, load, bounds, serving.prefix(), kind, path)
        return await self.site.run(job)

    async def best(self, recipes: Sequence[tuple[int, Recipe]], accounts: Sequence[int]) -> str:
        """The path of the form that is quickest here."""
        bounds = Bounds(_CALLS, self.scale.trial)
        load = Workload("trial", CONNECTIONS, accounts)
        found: list[tuple[float, str]] = []
        for place, _ in recipes:
            path = PEER_SPEND.replace("{form}", str(place))
            job = Job(self.peers.port, self.site.key, load, bounds, serving.prefix(), path=path)
            found.append(((await self.site.run(job)).rate, path))
        return max(found)[1]


async def measure(url: str, scale: Scale) -> list[Table]:
    bench = await prepare(url, scale)
    tables: list[Table] = []
    async with serving.site(url) as site:
        for workers in WORKERS:
            async with serving.ours(url, workers) as ours, serving.peers(url, workers) as others:
                pair = Pair(workers, site, ours, others, scale)
                await warm(site, ours, workers)
                tables.append(await _compare(pair, bench))
                tables.append(await _hold_and_capture(pair))
            await bench.verify(full=workers == WORKERS[-1])
    return tables


async def warm(site: Site, server: Server, workers: int) -> None:
    """Until the server knows the customers of the runs, as one that has run for a while does."""
    everybody = Workload("everybody", CONNECTIONS, range(CUSTOMERS))
    passes = 1 if workers == 1 else workers * 2
    for _ in range(passes):
        bounds = Bounds(CUSTOMERS, _WARM_SECONDS)
        await site.run(Job(server.port, site.key, everybody, bounds, serving.prefix()))


async def _compare(pair: Pair, bench: Bench) -> Table:
    title = f"{CONNECTIONS} connections, workers: {pair.workers}, closed loop"
    table = Table(
        title, ("who", "accounts", "spends/s", "range", "p50 ms", "p99 ms", "ratio", "target")
    )
    noops: list[Run] = []
    spread = some(_CALLS, CUSTOMERS, _SEED)
    loads = (("one hot", hot(_CALLS)), (f"{CUSTOMERS:,}", spread))
    paths = [await _forms(pair, accounts) for _, accounts in loads]
    seen: list[list[list[Run]]] = [[[], [], []] for _ in loads]
    others: tuple[list[Run], list[Run]] = ([], [])
    for _ in range(pair.scale.repetitions):
        noops.append(await pair.peer(spread, NOOP))
        for runs, (_, accounts), forms in zip(seen, loads, paths, strict=True):
            runs[0].append(await pair.spend(accounts))
            runs[1].append(await pair.peer(accounts, forms[0]))
            runs[2].append(await pair.peer(accounts, forms[1]))
        others[0].append(await pair.spend(spread, Kind.REFUSED))
        others[1].append(await pair.spend(some(_CALLS, CUSTOMERS - BATCH_SIZE, 1), Kind.BATCH))
        await bench.verify()
    table.add("nothing", "", *_figures(noops), "", "")
    for runs, (name, _), forms in zip(seen, loads, paths, strict=True):
        _add(table, ("ours", name), runs[0], (runs[0], noops), ("of nothing", OF_NOOP))
        target = ("ours is", OF_FOR_UPDATE)
        _add(table, (_form(pair, forms[0]), name), runs[1], (runs[0], runs[1]), target)
        _add(table, (_form(pair, forms[1]), name), runs[2], (runs[0], runs[2]), ("ours is", None))
    singles = seen[-1][0]
    _add(table, ("ours, refusals", loads[-1][0]), others[0], (others[0], singles),
         ("of successes", OF_SUCCESSES))  # fmt: skip
    _add(table, (f"ours, {BATCH_CONNECTIONS} x batches of {BATCH_SIZE}", loads[-1][0]), others[1],
         (others[1], singles), ("of singles", OF_SINGLES))  # fmt: skip
    return table


async def _forms(pair: Pair, accounts: Sequence[int]) -> tuple[str, str]:
    """The paths of the best form of each recipe under this load."""
    forms = list(enumerate(make_forms(sizes(pair.workers))))
    recipes = [
        [each for each in forms if each[1].name == name] for name in ("FOR UPDATE", "one statement")
    ]
    return await pair.best(recipes[0], accounts), await pair.best(recipes[1], accounts)


def _form(pair: Pair, path: str) -> str:
    form = make_forms(sizes(pair.workers))[int(path.rpartition("/")[2])].form
    return form if pair.workers == 1 else f"{form} each"


def _add(
    table: Table,
    who: tuple[str, str],
    shown: Sequence[Run],
    compared: tuple[Sequence[Run], Sequence[Run]],
    wanted: tuple[str, float | None],
) -> None:
    ratio = median_ratio(*compared)
    text, target = wanted
    judged = "" if target is None else f"{times(target)}: {verdict(ratio, target)}"
    said = f"{text} {times(ratio)}" if text == "ours is" else f"{times(ratio)} {text}"
    table.add(*who, *_figures(shown), said, judged)
    print(" | ".join(table.rows[-1]), flush=True)


def _figures(runs: Sequence[Run]) -> tuple[str, str, str, str]:
    summary = Summary("", runs)
    low, high = summary.range
    half, most = summary.percentile(0.5), summary.percentile(0.99)
    return number(summary.rate), f"{number(low)} to {number(high)}", f"{half:.1f}", f"{most:.1f}"


async def _hold_and_capture(pair: Pair) -> Table:
    """A hold and its capture, so many pairs a second, whether or not earlier ones are answered."""
    title = f"Hold and capture, {PAIRS} pairs/s in an open loop, workers: {pair.workers}"
    table = Table(title, ("pairs/s", "p50 ms", "p99 ms", "dropped"))
    load = Workload("pairs", CONNECTIONS, some(_CALLS, CUSTOMERS, _SEED))
    job = Job(
        pair.ours.port, pair.site.key, load, Bounds(_CALLS, pair.scale.seconds * 2),
        serving.prefix(), Kind.HOLD_CAPTURE, rate=PAIRS,
    )  # fmt: skip
    run = await pair.site.run(job)
    share = run.dropped / (run.calls + run.dropped)
    percentiles = (f"{run.percentile(share):.1f}" for share in (0.5, 0.99))
    table.add(number(run.rate), *percentiles, f"{share * 100:.0f} %")
    return table
