"""What the live views have in common."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table

_BARS: Final = "▁▂▃▄▅▆▇█"


def figures_table() -> Table:
    """Names on the left, figures on the right."""
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    return table


def spark(rates: Sequence[int]) -> str:
    """A bar for each rate, the highest one full."""
    highest = max(rates, default=0)
    if highest == 0:
        return ""
    return "".join(_BARS[rate * (len(_BARS) - 1) // highest] for rate in rates)
