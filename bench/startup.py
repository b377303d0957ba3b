"""Claim: `comptoir serve` is ready at once, with a database of its own that nobody set up."""

import asyncio
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Final

from bench import serving
from bench.client import HOST
from bench.scale import Scale
from bench.tables import Table, verdict
from comptoir.store.embedded import status

EMPTY_SECONDS: Final = 6.0
WARM_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 0.05
_STOP_SECONDS: Final = 30.0


async def measure(url: str, scale: Scale) -> list[Table]:
    """The database of the bench has no part in this."""
    del url
    table = Table(
        "From the command to the first answer of `/health/ready`, embedded database",
        ("home", "median s", "range", "target"),
    )
    empty: list[float] = []
    warm: list[float] = []
    for _ in range(scale.repetitions):
        with TemporaryDirectory(prefix="comptoir-bench-", ignore_cleanup_errors=True) as folder:
            empty.append(await _start(Path(folder)))
            warm.append(await _start(Path(folder)))
    for name, found, target in (("empty", empty, EMPTY_SECONDS), ("warm", warm, WARM_SECONDS)):
        middle = statistics.median(found)
        judged = f"{target:.0f} s: {verdict(middle, target, most=True)}"
        table.add(name, f"{middle:.2f}", f"{min(found):.2f} to {max(found):.2f}", judged)
    return [table]


async def _start(home: Path) -> float:
    """Seconds until a server of this home is ready; afterwards its database is stopped too."""
    began = perf_counter()
    async with serving.at_home(home) as server:
        reader, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(b"GET /health/ready HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        seconds = perf_counter() - began
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200"), f"not ready: {answer[:300]!r}"
    _wait_until_stopped(home)
    return seconds


def _wait_until_stopped(home: Path) -> None:
    deadline = perf_counter() + _STOP_SECONDS
    while status(home).running:  # bounded by the deadline
        assert perf_counter() < deadline, "a database outlives its server"
        sleep(_POLL_SECONDS)
