"""Claim: `serve` stays small while 1,000 callers are connected and calling."""

from pathlib import Path
from typing import Final

from bench import serving
from bench.client import Job
from bench.library import prepare
from bench.measure import Bounds, Workload, uniform
from bench.scale import Scale
from bench.tables import Table, number, verdict

CALLERS: Final = 1_000
MOST_MB: Final = 250.0
WORKERS: Final = (1, 4)
_CALLS: Final = 60_000
_SEED: Final = 20_261
_KB: Final = 1_024


async def measure(url: str, scale: Scale) -> list[Table]:
    bench = await prepare(url, scale)
    table = Table(
        f"Resident memory of `serve` under {CALLERS:,} callers, all processes together",
        ("workers", "idle MB", "peak MB", "spends/s", "p50 ms", "p99 ms", "target"),
    )
    async with serving.site(url) as site:
        for workers in WORKERS:
            async with serving.ours(url, workers) as server:
                idle = _megabytes(server.pid, "VmRSS")
                load = Workload("callers", CALLERS, uniform(_CALLS, _SEED))
                bounds = Bounds(_CALLS, scale.seconds * 2)
                run = await site.run(Job(server.port, site.key, load, bounds, serving.prefix()))
                peak = _megabytes(server.pid, "VmHWM")
            alone = f"{MOST_MB:.0f} MB: {verdict(peak, MOST_MB, most=True)}"
            table.add(
                number(workers), number(idle), number(peak), number(run.rate),
                f"{run.percentile(0.5):.1f}", f"{run.percentile(0.99):.1f}",
                alone if workers == 1 else "",
            )  # fmt: skip
    await bench.verify(full=True)
    return [table]


def _megabytes(pid: int, figure: str) -> float:
    """The figure of a process and of all that it started, shared pages counted in each."""
    process = Path(f"/proc/{pid}")
    lines = (process / "status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith(f"{figure}:"))
    started = [
        int(each)
        for task in (process / "task").iterdir()
        for each in (task / "children").read_text().split()
    ]
    return own / _KB + sum(_megabytes(each, figure) for each in started)
