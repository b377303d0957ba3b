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
from comptoir.cli.demo.director import Director
from comptoir.cli.demo.scene import Scene, count_seconds, watch
from comptoir.cli.demo.seed import BUYERS, stock_the_shop
from comptoir.cli.demo.stage import Stage, raised
from comptoir.cli.demo.traffic import Traffic
from comptoir.cli.demo.view import draw, race_lines
from comptoir.cli.demo.window import offered
from comptoir.cli.desk import INTERRUPTED, Desk, Exit, desk_of
from comptoir.cli.running import beside, cancel_on_signals

_HEADLESS_SECONDS: Final = 5
_SHOWN_SECONDS: Final = 10
_VISITORS: Final = 24
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
            director = Director(scene, stage, self._say_phase)
            if self._wish.console is not None:
                self._desk.note("demo.login", address=stage.yours.login)
            async with beside(self._tasks(scene, stage)):
                await stock_the_shop(scene.caller)
                if self._wish.console is None:
                    await self._play(scene, director)
                else:
                    await self._stay(scene, stage, director)

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

    async def _play(self, scene: Scene, director: Director) -> None:
        """Customers in crowds, then a race."""
        seconds = self._wish.seconds or _HEADLESS_SECONDS
        self._say_phase("demo.phase.traffic")
        async with _visited(scene, Random(_SEED)):  # noqa: S311  # no secret
            await asyncio.sleep(seconds)
        self._report(scene, seconds)
        await director.race()

    async def _stay(self, scene: Scene, stage: Stage, director: Director) -> None:
        """Customers who take their time, until cancelled; a race now, and whenever asked for."""
        scene.phase = "demo.phase.traffic"
        tasks = [director.stroll(), director.play_when_asked(), director.listen(stage.socket)]
        async with beside(tasks), offered(stage.yours.login):
            await asyncio.sleep(self._wish.seconds or _SHOWN_SECONDS)
            if scene.findings is None:
                director.press()
            await asyncio.Event().wait()

    def _say_phase(self, phase: str) -> None:
        if self._wish.console is None:
            self._out(self._desk.say(phase))

    def _report(self, scene: Scene, seconds: int) -> None:
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
        yield Scene(stage.address, caller, tally, stage.place, stage.yours.login)
    finally:
        await caller.close()


@asynccontextmanager
async def _visited(scene: Scene, chance: Random) -> AsyncGenerator[None]:
    """Customers who come and go while the block runs, and finish what they began after it."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(Traffic(scene.caller, chance).run(stop, _VISITORS))
        try:
            yield
        finally:
            stop.set()
