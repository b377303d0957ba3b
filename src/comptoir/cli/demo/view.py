"""The live view in the terminal: sober, and as readable without colour."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from comptoir.cli.demo.paying import DELIVERIES, PACKS
from comptoir.cli.demo.scene import Scene
from comptoir.cli.demo.seed import BUYERS, UNITS
from comptoir.cli.drawing import figures_table, spark
from comptoir.cli.say import Say
from comptoir.kit.amounts import format_amount

_SCALE: Final = 6
_OFFER: Final = "demo.view.login"
_LINES: Final = 8


def draw(say: Say, scene: Scene) -> RenderableType:
    """The whole view of one moment."""
    figures = Table.grid(expand=True)
    figures.add_column(ratio=1)
    figures.add_column(ratio=1)
    figures.add_row(_http(say, scene), _ledger(say, scene))
    return Group(
        _header(say, scene),
        figures,
        _journal(say, scene),
        _race(say, scene),
        Text(say("demo.view.leave"), style="dim"),
    )


def _header(say: Say, scene: Scene) -> RenderableType:
    minutes, seconds = divmod(int(time.monotonic() - scene.begun), 60)
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    line.add_row(
        Text.assemble(("Comptoir", "bold"), f"  {scene.address}  {minutes:02d}:{seconds:02d}"),
        Text(say(scene.phase), style="bold"),
    )
    if not scene.login:
        return line
    return Group(
        line, Text(scene.login, style="underline", overflow="fold"), Text(say(_OFFER), style="dim")
    )


def _http(say: Say, scene: Scene) -> RenderableType:
    tally = scene.tally
    table = figures_table()
    table.add_row(say("demo.view.rate"), say.number(tally.rates[-1] if tally.rates else 0))
    table.add_row("", Text(spark(list(tally.rates)), no_wrap=True))
    table.add_row(say("demo.view.requests"), say.number(tally.requests))
    table.add_row(say("demo.view.refused"), say.number(tally.refused.total()))
    latency = f"{tally.percentile(0.5):.1f} / {tally.percentile(0.99):.1f} ms"
    table.add_row("p50 / p99", latency)
    return Panel(table, title=say("demo.view.http"), title_align="left", box=ROUNDED)


def _ledger(say: Say, scene: Scene) -> RenderableType:
    books = scene.books
    state = {None: "demo.view.unknown", True: "demo.view.balanced", False: "demo.view.unbalanced"}
    style = {None: "dim", True: "bold green", False: "bold red"}
    table = figures_table()
    table.add_row(say("demo.view.held"), _credits(say, books.held))
    table.add_row(say("demo.view.spent"), _credits(say, scene.tally.spent))
    table.add_row(say("demo.view.units"), f"{books.units} / {UNITS}")
    table.add_row(say("demo.view.movements"), say.number(books.movements))
    table.add_row(
        say("demo.view.books"), Text(say(state[books.balanced]), style=style[books.balanced])
    )
    return Panel(table, title=say("demo.view.ledger"), title_align="left", box=ROUNDED)


def _journal(say: Say, scene: Scene) -> RenderableType:
    table = Table.grid(expand=True, padding=(0, 2))
    for justify in ("left", "left", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    heading = ("column.kind", "column.customer", "column.amount", "column.balance")
    table.add_row(*(Text(say(key), style="dim") for key in heading))
    lines = list(scene.tally.lines)
    for kind, customer, amount, balance in lines:
        table.add_row(say(f"kind.{kind}"), customer, amount, balance)
    for _ in range(_LINES - len(lines)):
        table.add_row()
    return Panel(table, title=say("demo.view.journal"), title_align="left", box=ROUNDED)


def _race(say: Say, scene: Scene) -> RenderableType:
    lines = Group(*(Text(line) for line in race_lines(say, scene)))
    return Panel(lines, title=say("demo.view.race"), title_align="left", box=ROUNDED)


def race_lines(say: Say, scene: Scene) -> Iterator[str]:
    """What came of the attempts to break it, as far as it is known: always three lines."""
    seen = scene.stampede
    if seen is None:
        yield say("demo.race.coming", buyers=BUYERS, units=UNITS)
    else:
        yield say("demo.race.seen", buyers=BUYERS, units=UNITS, **asdict(seen))
    repeats = scene.repeats
    if repeats is None:
        yield say("demo.repeats.coming", deliveries=DELIVERIES, packs=PACKS)
    else:
        yield say("demo.repeats.seen", deliveries=DELIVERIES, packs=PACKS, **asdict(repeats))
    findings = scene.findings
    if findings is None:
        yield say("demo.receipt.coming")
    elif findings.faults:
        yield say("demo.receipt.faults", count=len(findings.faults))
    else:
        yield say("demo.receipt.right", **findings.receipt.as_json())


def _credits(say: Say, units: int) -> str:
    whole, _, part = format_amount(units, _SCALE).partition(".")
    return say.number(int(whole)) + (f"{say('number.point')}{part}" if part else "")
