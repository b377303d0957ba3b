"""Load: a closed loop of callers, an open loop at a given rate, and what both saw."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter

Spend = Callable[[int, str], Awaitable[bool]]
"""Takes one credit from the account at a place in the seed, under a key; False when refused."""

ACCOUNTS = 10_000
KEY_LENGTH = 36
_TICK = 0.001


@dataclass(frozen=True, slots=True)
class Run:
    """What one run saw.

    Attributes:
        calls: answered within the run.
        refused: of these, how many had no effect.
        seconds: from the first call to the last answer.
        latencies: seconds a call, sorted; of an open loop from when it was due.
        dropped: calls that were due while too many waited already; never sent.
    """

    calls: int
    refused: int
    seconds: float
    latencies: Sequence[float]
    dropped: int = 0

    @property
    def rate(self) -> float:
        return self.calls / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in milliseconds that this share of the calls did not exceed."""
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)] * 1e3


@dataclass(frozen=True, slots=True)
class Workload:
    """Which accounts are hit, by how many callers."""

    name: str
    callers: int
    accounts: Sequence[int]
    """Places in the seed, one a call, drawn before the clock starts."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a run ends: after so many calls or seconds, whichever comes first."""

    calls: int
    seconds: float


def hot(count: int) -> list[int]:
    return [0] * count


def uniform(count: int, seed: int) -> list[int]:
    return some(count, ACCOUNTS, seed)


def some(count: int, accounts: int, seed: int) -> list[int]:
    """Uniform over the first so many accounts, but for the very first: that one is the hot one."""
    return Random(seed).choices(range(1, accounts), k=count)


def zipf(count: int, seed: int) -> list[int]:
    """Zipf's law with exponent 1.0: the n-th account is hit 1/n times as often as the first."""
    weights = [1 / rank for rank in range(1, ACCOUNTS + 1)]
    return Random(seed).choices(range(ACCOUNTS), weights=weights, k=count)


def keys(prefix: str) -> Callable[[int], str]:
    """Idempotency keys as long as a UUID in text form, never the same for two prefixes."""
    width = KEY_LENGTH - len(prefix) - 1
    return lambda number: f"{prefix}-{number:0{width}}"


async def closed_loop(spend: Spend, load: Workload, bounds: Bounds, prefix: str) -> Run:
    """Every caller calls again as soon as he is answered."""
    key = keys(prefix)
    numbers = iter(range(min(bounds.calls, len(load.accounts))))
    latencies: list[float] = []
    refused = 0
    start = perf_counter()
    end = start + bounds.seconds

    async def caller() -> None:
        nonlocal refused
        for number in numbers:
            began = perf_counter()
            if began > end:
                return
            if not await spend(load.accounts[number], key(number)):
                refused += 1
            latencies.append(perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for _ in range(load.callers):
            group.create_task(caller())
    seconds = perf_counter() - start
    return Run(len(latencies), refused, seconds, sorted(latencies))


async def open_loop(
    spend: Spend, load: Workload, bounds: Bounds, prefix: str, *, rate: float
) -> Run:
    """Calls start at their time whether or not earlier ones are answered.

    A call that is due while `load.callers` wait is dropped and counted, never delayed in silence.
    """
    key = keys(prefix)
    latencies: list[float] = []
    refused = dropped = waiting = 0
    total = min(bounds.calls, len(load.accounts), int(rate * bounds.seconds))
    start = perf_counter()

    async def call(number: int) -> None:
        nonlocal refused, waiting
        if not await spend(load.accounts[number], key(number)):
            refused += 1
        waiting -= 1
        latencies.append(perf_counter() - start - number / rate)

    number = 0
    async with asyncio.TaskGroup() as group:
        while number < total:
            due = min(total, int((perf_counter() - start) * rate) + 1)
            for each in range(number, due):
                if waiting >= load.callers:
                    dropped += 1
                    continue
                waiting += 1
                group.create_task(call(each))
            number = due
            await asyncio.sleep(_TICK)
    seconds = perf_counter() - start
    return Run(len(latencies), refused, seconds, sorted(latencies), dropped)


@dataclass(frozen=True, slots=True)
class Summary:
    """Several runs of one thing: the median, and how far they were apart."""

    name: str
    runs: Sequence[Run]

    @property
    def rate(self) -> float:
        return statistics.median(run.rate for run in self.runs)

    @property
    def range(self) -> tuple[float, float]:
        rates = [run.rate for run in self.runs]
        return min(rates), max(rates)

    @property
    def dropped(self) -> int:
        return sum(run.dropped for run in self.runs)

    def percentile(self, share: float) -> float:
        return statistics.median(run.percentile(share) for run in self.runs)


def median_ratio(these: Iterable[Run], those: Iterable[Run]) -> float:
    """The median of the ratios of runs that were made next to each other."""
    return statistics.median(a.rate / b.rate for a, b in zip(these, those, strict=True))
