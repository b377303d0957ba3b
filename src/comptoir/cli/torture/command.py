"""`comptoir torture`: kills servers and PostgreSQL under load, and shows that nothing is lost."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.live import Live

from comptoir.cli.desk import INTERRUPTED, Desk, Exit, desk_of, print_json
from comptoir.cli.running import beside, cancel_on_signals
from comptoir.cli.throwaway import find_program
from comptoir.cli.torture.scene import Plan, Scene, count_seconds
from comptoir.cli.torture.schedule import digest, schedule
from comptoir.cli.torture.site import raised
from comptoir.cli.torture.view import closing_lines, draw, plan_line, progress_line, rows

_MINUTE: Final = 60
_FRAME_SECONDS: Final = 0.25
_PROGRESS_SECONDS: Final = 5.0
_SEED_MAX: Final = 2**32 - 1
_SEED_BYTES: Final = 4


def torture(
    ctx: typer.Context,
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="N", min=0, max=_SEED_MAX, help="option.torture-seed"),
    ] = None,
    minutes: Annotated[
        int, typer.Option("--minutes", metavar="M", min=1, max=1_440, help="option.minutes")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="option.receipt-only")] = False,
    only_schedule: Annotated[bool, typer.Option("--schedule", help="option.schedule")] = False,
) -> int:
    """Torture a throw-away installation, and read the receipt."""
    desk = desk_of(ctx)
    if seed is None:
        seed = int.from_bytes(desk.randomness(_SEED_BYTES))
    seconds = minutes * _MINUTE
    plan = Plan(seed, seconds, schedule(seed, seconds))
    if only_schedule:
        return show_schedule(desk, plan, as_json=as_json)
    console = Console(stderr=as_json, highlight=False)
    is_shown = sys.stdout.isatty() and console.is_terminal
    return run(desk, plan, console if is_shown else None, as_json=as_json)


def show_schedule(desk: Desk, plan: Plan, *, as_json: bool) -> int:
    """Show what would happen, and do nothing."""
    if as_json:
        troubles = [trouble.as_json() for trouble in plan.troubles]
        known = {"seed": plan.seed, "seconds": plan.seconds, "digest": digest(plan.troubles)}
        print_json(known | {"troubles": troubles})
        return Exit.DONE
    columns = ("column.second", "column.trouble", "column.victim", "column.figure")
    desk.table(columns, rows(desk.say, plan.troubles))
    print(plan_line(desk.say, plan))
    return Exit.DONE


def run(desk: Desk, plan: Plan, console: Console | None, *, as_json: bool) -> int:
    """Torture as planned; with a console the view is drawn there."""
    program = _Program(desk, plan, console, as_json=as_json)
    with suppress(asyncio.CancelledError, KeyboardInterrupt):
        asyncio.run(program.run())
    return program.end()


class _Program:
    """One run of the torture."""

    def __init__(self, desk: Desk, plan: Plan, console: Console | None, *, as_json: bool) -> None:
        self._desk = desk
        self._plan = plan
        self._console = console
        self._as_json = as_json
        self._scene: Scene | None = None

    async def run(self) -> None:
        """From an empty folder to the receipt."""
        cancel_on_signals()
        self._out(plan_line(self._desk.say, self._plan))
        self._desk.note("torture.opening")
        program = find_program()
        if program is None:
            self._desk.note("torture.no-redis")
        async with raised(self._desk.say.locale, program) as site:
            self._scene = scene = Scene(self._plan, site)
            async with beside(self._tasks(scene)):
                await scene.play()

    def end(self) -> int:
        """Say what came of it, the receipt last; returns the exit code."""
        findings = self._scene.findings if self._scene else None
        if self._scene is None or findings is None:
            self._desk.note("torture.interrupted")
            return INTERRUPTED
        for line in closing_lines(self._desk.say, self._scene):
            self._out(line)
        for fault in findings.faults:
            self._desk.note(fault.text, **fault.figures)
        print(json.dumps(findings.receipt.as_json(), separators=(",", ":")), flush=True)
        return Exit.DONE if findings.receipt.is_clean else Exit.NOT_BALANCED

    def _out(self, line: str) -> None:
        print(line, file=sys.stderr if self._as_json else sys.stdout, flush=True)

    def _tasks(self, scene: Scene) -> list[Coroutine[Any, Any, None]]:
        shown = self._report(scene) if self._console is None else self._draw(scene, self._console)
        return [count_seconds(scene.tally), shown]

    async def _report(self, scene: Scene) -> None:
        while scene.findings is None:
            await asyncio.sleep(_PROGRESS_SECONDS)
            self._out(progress_line(self._desk.say, scene))

    async def _draw(self, scene: Scene, console: Console) -> None:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while live.is_started:
                live.update(draw(self._desk.say, scene), refresh=True)
                await asyncio.sleep(_FRAME_SECONDS)
