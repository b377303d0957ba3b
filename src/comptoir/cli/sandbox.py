"""`comptoir sandbox`: the pretend Stripe, in a process of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from comptoir.cli.desk import Exit, desk_of
from comptoir.config import Environment
from comptoir.kit.errors import ComptoirError

PORT: Final = 12111


def sandbox(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65_535, help="option.sandbox-port")
    ] = PORT,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="option.sandbox-file")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", min=0, help="option.sandbox-seed")
    ] = None,
) -> int:
    """Serve the sandbox until asked to end."""
    settings = desk_of(ctx).settings()
    if settings.env is Environment.PRODUCTION or settings.has_live_stripe_key:
        raise ComptoirError("sandbox-in-production")
    said = ["--port", str(port)]
    said += [] if file is None else ["--file", str(file)]
    said += [] if seed is None else ["--seed", str(seed)]
    # The two packages know nothing of each other; they meet as processes.
    with subprocess.Popen([sys.executable, "-P", "-m", "comptoir_sandbox", *said]) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            return Exit.DONE
