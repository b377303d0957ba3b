"""How a comparison at the library door is shown."""

from typing import Final

from bench.library import CALLERS, Comparison
from bench.measure import Summary, median_ratio
from bench.tables import Table, number, times, verdict

CEILING: Final = 0.5
"""The share of the ceiling that is claimed for the most callers."""


def comparison_table(title: str) -> Table:
    columns = ("callers", "who", "spends/s", "range", "p50 ms", "p99 ms", "ours is", "target")
    return Table(title, columns)


def comparison_rows(table: Table, found: Comparison, target: float | None) -> None:
    """One row each for ours, the recipes and the ceiling, with the ratio of ours to it.

    The last one is the verb of the library: what programs see, with its ratio to the recipe.
    """
    callers = found.load.callers
    table.add(number(callers), *_figures(found.ours, f"ours, {found.batch} a commit"), "", "")
    for peer, wanted in (
        (found.for_update, target),
        (found.one_statement, None),
        (found.ceiling, CEILING if callers == max(CALLERS) else None),
    ):
        ratio = median_ratio(found.ours.runs, peer.runs)
        judged = "" if wanted is None else f"{times(wanted)}: {verdict(ratio, wanted)}"
        table.add(number(callers), *_figures(peer, peer.name), times(ratio), judged)
    ratio = median_ratio(found.verbs.runs, found.for_update.runs)
    table.add(
        number(callers), *_figures(found.verbs, found.verbs.name), "", f"{times(ratio)} locking"
    )
    print("\n".join(" | ".join(row) for row in table.rows[-5:]), flush=True)


def _figures(summary: Summary, name: str) -> tuple[str, str, str, str, str]:
    low, high = summary.range
    return (
        name,
        number(summary.rate),
        f"{number(low)} to {number(high)}",
        f"{summary.percentile(0.5):.1f}",
        f"{summary.percentile(0.99):.1f}",
    )
