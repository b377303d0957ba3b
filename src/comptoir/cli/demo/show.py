"""`comptoir demo`: the shop opens, is attacked, and shows its receipt."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.live import Live

from comptoir.cli.demo.caller import Caller, Tally
from comptoir.cli.demo.receipt import Findings, read_back
from comptoir.cli.demo.scene import ACTS, Scene, count_seconds, watch
from comptoir.cli.demo.seed import BUYERS, stock_the_shop
from comptoir.cli.demo.stage import Stage, raised
from comptoir.cli.demo.traffic import Traffic
from comptoir.cli.demo.view import draw, race_lines
from comptoir.cli.desk import INTERRUPTED, Desk, Exit, desk_of
from comptoir.cli.running import beside, cancel_on_signals

_HEADLESS_SECONDS: Final = 5
_SHOWN_SECONDS: Final = 10
_VISITORS: Final = 24
_STROLLERS: Final = 6
_STROLL_SECONDS: Final = 0.1
_FRAME_SECONDS: Final = 0.25
_SEED: Final = 2026


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the person at the terminal asked for.

    Attributes:
        seconds: how long the traffic lasts before the race; None for the usual time.
        console: where the view is drawn; None without one.
        as_json: nothing but the receipt goes to stdout.
    """

    seconds: int | None
    console: Console | None
    as_json: bool


def demo(
    ctx: typer.Context,
    headless: Annotated[bool, typer.Option("--headless", help="option.headless")] = False,
    seconds: Annotated[
        int | None,
        typer.Option("--seconds", metavar="N", min=1, max=86_400, help="option.seconds"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="option.receipt-only")] = False,
) -> int:
    """Open a throw-away shop, let customers and attackers in, and read the receipt."""
    desk = desk_of(ctx)
    console = Console(stderr=as_json, highlight=False)
    shown = not headless and sys.stdout.isatty() and console.is_terminal
    wish = _Wish(seconds, console if shown else None, as_json)
    program = _Program(desk, wish)
    with suppress(asyncio.CancelledError, KeyboardInterrupt):
        asyncio.run(program.run())
    return program.end()


class _Program:
    """One run of the demo."""

    def __init__(self, desk: Desk, wish: _Wish) -> None:
        self._desk = desk
        self._wish = wish
        self._scene: Scene | None = None

    async def run(self) -> None:
        """Play everything; ends by itself only without a view."""
        cancel_on_signals()
        self._desk.note("demo.opening")
        async with raised(self._desk.say.locale) as stage, _called(stage) as scene:
            self._scene = scene
            async with beside(self._tasks(scene, stage)):
                await self._play(scene, stage)
                if self._wish.console is not None:
                    await self._stay(scene)

    def end(self) -> int:
        """Say what came of it, the receipt last; returns the exit code."""
        findings = self._scene.findings if self._scene else None
        if self._scene is None or findings is None:
            self._desk.note("demo.interrupted")
            return INTERRUPTED
        say = self._desk.say
        for line in race_lines(say, self._scene):
            self._out(line)
        for key, figures in findings.faults:
            print(say(key, **figures), file=sys.stderr)
        print(json.dumps(findings.receipt.as_json(), separators=(",", ":")), flush=True)
        return Exit.NOT_BALANCED if findings.faults else Exit.DONE

    def _out(self, line: str) -> None:
        print(line, file=sys.stderr if self._wish.as_json else sys.stdout, flush=True)

    def _tasks(self, scene: Scene, stage: Stage) -> list[Coroutine[Any, Any, None]]:
        tasks: list[Coroutine[Any, Any, None]] = [
            watch(scene, stage.urls),
            count_seconds(scene.tally),
        ]
        if self._wish.console is not None:
            tasks.append(self._draw(scene, self._wish.console))
        return tasks

    async def _play(self, scene: Scene, stage: Stage) -> None:
        await stock_the_shop(scene.caller)
        seconds = self._wish.seconds or (
            _HEADLESS_SECONDS if self._wish.console is None else _SHOWN_SECONDS
        )
        self._begin(scene, "demo.phase.traffic")
        async with _visited(scene, Random(_SEED), _VISITORS, 0.0):  # noqa: S311  # no secret
            await asyncio.sleep(seconds)
        self._report(scene, seconds)
        for act in ACTS:
            self._begin(scene, act.phase)
            await act.play(scene)
        self._begin(scene, "demo.phase.receipt")
        scene.findings = await self._read(scene, stage)
        scene.phase = "demo.phase.open"

    async def _read(self, scene: Scene, stage: Stage) -> Findings:
        assert scene.stampede is not None, "the acts are over"
        assert scene.repeats is not None, "the acts are over"
        return await read_back(stage.urls, scene.stampede, scene.repeats)

    async def _stay(self, scene: Scene) -> None:
        """Keep the view open; a few customers go on unless the traffic was to end."""
        never = asyncio.Event()
        if self._wish.seconds is not None:
            await never.wait()
        async with _visited(scene, Random(_SEED + 1), _STROLLERS, _STROLL_SECONDS):  # noqa: S311  # no secret
            await never.wait()

    def _begin(self, scene: Scene, phase: str) -> None:
        scene.phase = phase
        if self._wish.console is None:
            self._out(self._desk.say(phase))

    def _report(self, scene: Scene, seconds: int) -> None:
        if self._wish.console is not None:
            return
        tally, say = scene.tally, self._desk.say
        self._out(
            say(
                "demo.traffic-was",
                requests=say.number(tally.requests),
                rate=say.number(round(tally.requests / seconds)),
                refused=say.number(tally.refused.total()),
                p50=f"{tally.percentile(0.5):.1f}",
                p99=f"{tally.percentile(0.99):.1f}",
            )
        )

    async def _draw(self, scene: Scene, console: Console) -> None:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while live.is_started:
                live.update(draw(self._desk.say, scene), refresh=True)
                await asyncio.sleep(_FRAME_SECONDS)


@asynccontextmanager
async def _called(stage: Stage) -> AsyncGenerator[Scene]:
    tally = Tally()
    caller = Caller(stage.address, stage.key, BUYERS, tally)
    try:
        yield Scene(stage.address, caller, tally, stage.place)
    finally:
        await caller.close()


@asynccontextmanager
async def _visited(
    scene: Scene, chance: Random, visitors: int, pause: float
) -> AsyncGenerator[None]:
    """Customers who come and go while the block runs, and finish what they began after it."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(Traffic(scene.caller, chance).run(stop, visitors, pause))
        try:
            yield
        finally:
            stop.set()
