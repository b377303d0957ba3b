"""`comptoir bench`: the measurements, which live in the source tree beside the package."""

import subprocess
import sys
from pathlib import Path

import typer

import comptoir
from comptoir.cli.desk import desk_of
from comptoir.kit.errors import Unavailable


def bench(ctx: typer.Context) -> int:
    """Run the bench of the source tree with the arguments that follow."""
    desk = desk_of(ctx)
    root = Path(comptoir.__file__).parents[2]
    if not (root / "bench" / "__main__.py").is_file():
        raise Unavailable("no-bench")
    desk.note("bench.runs", root=root)
    return subprocess.run(
        [sys.executable, "-m", "bench", *ctx.args], cwd=root, check=False
    ).returncode
