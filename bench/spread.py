"""Claim: nothing is paid for it where no account is hot: Zipf 1.0 and uniform over 10,000."""

from typing import Final

from bench.library import CALLERS, compare, prepare
from bench.measure import Workload, uniform, zipf
from bench.report import comparison_rows, comparison_table
from bench.scale import Scale
from bench.tables import Table

TARGETS: Final = {1: 0.75, 64: 3.5, 1_000: 5.0}
_SEED: Final = 20_261


async def measure(url: str, scale: Scale) -> list[Table]:
    bench = await prepare(url, scale)
    tables: list[Table] = []
    for name, accounts, targets in (
        ("Uniform over 10,000", uniform(scale.calls, _SEED), TARGETS),
        ("Zipf 1.0 over 10,000", zipf(scale.calls, _SEED), {}),
    ):
        table = comparison_table(f"{name}, closed loop")
        for callers in CALLERS:
            found = await compare(bench, Workload(name, callers, accounts))
            comparison_rows(table, found, targets.get(callers))
        tables.append(table)
    await bench.verify(full=True)
    return tables
