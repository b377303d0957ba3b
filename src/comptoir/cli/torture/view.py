"""The live view in the terminal, the lines without one, and the schedule in words."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from comptoir.cli.drawing import figures_table, spark
from comptoir.cli.say import Say
from comptoir.cli.torture.scene import Plan, Scene
from comptoir.cli.torture.schedule import SERVERS, SORTS, Kind, Trouble, digest


def draw(say: Say, scene: Scene) -> RenderableType:
    """The whole view of one moment."""
    figures = Table.grid(expand=True)
    figures.add_column(ratio=1)
    figures.add_column(ratio=1)
    figures.add_row(_callers(say, scene), _troubles(say, scene))
    return Group(
        _header(say, scene),
        figures,
        _last(say, scene),
        Text(plan_line(say, scene.plan)),
        Text(say("torture.view.leave"), style="dim"),
    )


def plan_line(say: Say, plan: Plan) -> str:
    """What is to happen, and the digest that tells it from other schedules."""
    return say(
        "torture.plan",
        seed=plan.seed,
        seconds=plan.seconds,
        troubles=say.number(len(plan.troubles)),
        kills=say.number(sum(SORTS[trouble.kind].kills for trouble in plan.troubles)),
        digest=digest(plan.troubles),
    )


def progress_line(say: Say, scene: Scene) -> str:
    """How far it is, for whoever has no terminal."""
    tally = scene.tally
    return say(
        "torture.progress",
        clock=_clock(scene.elapsed),
        acknowledged=say.number(tally.acknowledged),
        rate=say.number(tally.rates[-1] if tally.rates else 0),
        kills=say.number(tally.kills),
        up=scene.servers_up,
        servers=SERVERS,
    )


def closing_lines(say: Say, scene: Scene) -> Iterator[str]:
    """What callers and troubles came to."""
    tally = scene.tally
    yield say(
        "torture.callers-were",
        acknowledged=say.number(tally.acknowledged),
        refused=say.number(tally.refused),
        replayed=say.number(tally.replayed),
        reused=say.number(tally.reused),
        in_vain=say.number(tally.in_vain.total()),
        causes=", ".join(f"{cause} {count}" for cause, count in tally.in_vain.most_common()) or "-",
    )
    yield say("torture.troubles-were", troubles=_counted(say, tally.troubles))


def rows(say: Say, troubles: Sequence[Trouble]) -> list[list[str]]:
    """The schedule as rows of a table: moment, kind, victim, figure."""
    return [
        [f"{t.at / 1_000:.3f}", say(SORTS[t.kind].text), str(t.victim + 1), str(t.figure or "")]
        for t in troubles
    ]


def _counted(say: Say, troubles: Counter[Kind]) -> str:
    return ", ".join(f"{say(SORTS[kind].text)} {troubles[kind]}" for kind in Kind)


def _header(say: Say, scene: Scene) -> RenderableType:
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    clock = f"{_clock(scene.elapsed)} / {_clock(scene.plan.seconds)}"
    line.add_row(
        Text.assemble(("Comptoir", "bold"), f"  {clock}"), Text(say(scene.phase), style="bold")
    )
    return line


def _callers(say: Say, scene: Scene) -> RenderableType:
    tally = scene.tally
    table = figures_table()
    table.add_row(say("torture.view.rate"), say.number(tally.rates[-1] if tally.rates else 0))
    table.add_row("", Text(spark(tally.rates), no_wrap=True))
    table.add_row(say("torture.view.acknowledged"), say.number(tally.acknowledged))
    table.add_row(say("torture.view.refused"), say.number(tally.refused))
    table.add_row(say("torture.view.replayed"), say.number(tally.replayed))
    table.add_row(say("torture.view.in-vain"), say.number(tally.in_vain.total()))
    table.add_row(say("torture.view.found"), say.number(tally.found.total()))
    return Panel(table, title=say("torture.view.callers"), title_align="left", box=ROUNDED)


def _troubles(say: Say, scene: Scene) -> RenderableType:
    planned = Counter(trouble.kind for trouble in scene.plan.troubles)
    table = figures_table()
    for kind in Kind:
        met = f"{scene.tally.troubles[kind]} / {planned[kind]}"
        table.add_row(say(SORTS[kind].text), met)
    table.add_row(say("torture.view.servers"), f"{scene.servers_up} / {SERVERS}")
    return Panel(table, title=say("torture.view.troubles"), title_align="left", box=ROUNDED)


def _last(say: Say, scene: Scene) -> RenderableType:
    table = Table.grid(expand=True, padding=(0, 2))
    for ratio in (1, 3, 6):
        table.add_column(no_wrap=True, ratio=ratio)
    lines = list(scene.tally.lines)
    for at, kind, victim in lines:
        table.add_row(f"{at / 1_000:.1f}", say(SORTS[kind].text), victim)
    for _ in range((scene.tally.lines.maxlen or 0) - len(lines)):
        table.add_row()
    return Panel(table, title=say("torture.view.last"), title_align="left", box=ROUNDED)


def _clock(seconds: int) -> str:
    return f"{seconds // 60:02d}:{seconds % 60:02d}"
