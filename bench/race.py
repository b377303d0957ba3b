"""Claim: twenty buyers at once get the five units that there are; in a peer's shop, see the table.

Usage: python -m bench race, or python bench/race.py
"""

import sys
from collections.abc import Awaitable
from importlib import import_module
from pathlib import Path
from typing import Any


def measure(*given: Any) -> Awaitable[Any]:  # noqa: ANN401  # as every bench's own
    """What bench/race_run.py does; loaded late, for a script has other modules beside it."""
    return import_module("bench.race_run").measure(*given)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])
    sys.argv[1:1] = ["race"]
    import_module("bench.__main__").main()
