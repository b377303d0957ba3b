"""Claim: on one hot account we are an order of magnitude quicker than the usual recipe."""

from typing import Final

from bench.library import CALLERS, compare, open_runs, prepare
from bench.measure import Workload, hot
from bench.report import comparison_rows, comparison_table
from bench.scale import Scale
from bench.tables import Table

TARGETS: Final = {1: 0.75, 64: 12.0, 1_000: 25.0}


async def measure(url: str, scale: Scale) -> list[Table]:
    bench = await prepare(url, scale)
    table = comparison_table("Hot account, closed loop")
    doors = [("ours", bench.ours.open)]
    for callers in CALLERS:
        found = await compare(bench, Workload("hot", callers, hot(scale.calls)))
        comparison_rows(table, found, TARGETS[callers])
        if callers == max(CALLERS):
            names = ("FOR UPDATE", "one statement")
            doors += [(n, form.open) for n, form in zip(names, found.forms, strict=True)]
    load = Workload("Hot account", max(CALLERS), hot(scale.calls))
    return [table, await open_runs(bench, load, doors)]
