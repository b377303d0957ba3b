"""Run benches by name: `python -m bench [name ...] [--quick] [--write] [--database URL]`."""

import argparse
import gc
import importlib
import os
import platform
import sys
import warnings
from typing import Final

import uvloop

from bench.database import database, durable_settings
from bench.scale import FULL, QUICK
from bench.tables import Table, write

COLLECT: Final = (50_000, 20, 50)
"""When the collector looks, for ours and the recipes alike: as `comptoir serve` sets it."""

NAMES: Final = (
    "hot", "spread", "http", "locked_row", "memory", "startup", "explain", "growth", "guards",
    "payments", "stock", "race", "live", "badge", "pages", "lighthouse",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="short runs, for a glance")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    parser.add_argument("--database", metavar="URL", help="an empty database; else one is made")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(NAMES)
    if unknown:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")
    scale = QUICK if asked.quick else FULL
    gc.set_threshold(*COLLECT)
    with database(asked.database) as url:
        settings = durable_settings(url)
        print(_circumstances(settings), flush=True)
        for name in asked.names or NAMES:
            print(f"== {name}", flush=True)
            bench = importlib.import_module(f"bench.{name}")
            tables: list[Table] = uvloop.run(bench.measure(url, scale))
            for table in tables:
                print(f"\n{table.markdown()}", flush=True)
            if asked.write:
                write(name, tables, _circumstances(settings))


def _circumstances(settings: dict[str, str]) -> str:
    shown = ", ".join(f"{name} {value}" for name, value in settings.items())
    python = f"Python {platform.python_version()}, uvloop {uvloop.__version__}"
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before, {python}. {shown}."


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
