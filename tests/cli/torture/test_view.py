"""The view, the lines without one, and what is said at the end."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from comptoir.app import Urls
from comptoir.cli.say import Say
from comptoir.cli.throwaway import Home
from comptoir.cli.torture.scene import Plan, Scene
from comptoir.cli.torture.schedule import SERVERS, SORTS, Kind, schedule
from comptoir.cli.torture.site import Site
from comptoir.cli.torture.tally import Fault
from comptoir.cli.torture.view import closing_lines, draw, plan_line, progress_line

WIDTH = 100


def scene() -> Scene:
    addresses: list[str | None] = ["http://127.0.0.1:1", None, None, "http://127.0.0.1:2"]
    assert len(addresses) == SERVERS
    site = Site(Home(Path(), "en", 1), Urls("", ""), "key", [], addresses)
    return Scene(Plan(1, 60, schedule(1, 60)), site)


def full() -> Scene:
    made = scene()
    tally = made.tally
    tally.acknowledged, tally.refused, tally.replayed, tally.reused = 12_345, 234, 56, 7
    tally.in_vain.update({"database-down": 3, "hung-up": 1_001})
    tally.rates.extend([0, 400, 834])
    tally.troubles.update({Kind.KILL_SERVER: 5, Kind.KILL_POSTGRES: 2, Kind.LOCK_ROWS: 9})
    tally.lines.append((2_500, Kind.SHIFT_CLOCK, "3 -3600 s"))
    tally.blame(Fault("lost", "torture.fault.unanswered", {"keys": "k"}))
    return made


def pictured(say: Say, made: Scene) -> str:
    console = Console(width=WIDTH, color_system=None, file=StringIO())
    with console.capture() as printed:
        console.print(draw(say, made))
    return printed.get()


def test_only_kills_count_as_kills():
    assert full().tally.kills == 5 + 2


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_the_view_is_readable_without_colour(locale: str):
    say, gap = Say(locale), "," if locale == "en" else "\u202f"
    empty, picture = pictured(say, scene()), pictured(say, full())
    assert f"2 / {SERVERS}" in empty
    for word in (f"12{gap}345", f"1{gap}004", "3 -3600 s", "834", "▁▄█"):
        assert word in picture
    for picked in (empty, picture):
        assert max(len(line) for line in picked.splitlines()) <= WIDTH
        assert len(picked.splitlines()) < 30, "it fits on a terminal"


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_lines_say_as_much(locale: str):
    say, gap = Say(locale), "," if locale == "en" else "\u202f"
    made = full()
    assert f"12{gap}345" in progress_line(say, made)
    assert f"(834/s), 7 {'kills' if locale == 'en' else 'processus tués'}" in progress_line(
        say, made
    )
    callers, troubles = closing_lines(say, made)
    assert "(hung-up 1001, database-down 3)" in callers
    assert ("PostgreSQL killed 2" if locale == "en" else "PostgreSQL tué 2") in troubles
    kills = sum(SORTS[trouble.kind].kills for trouble in made.plan.troubles)
    assert f" {kills} " in plan_line(say, made.plan)


def test_rates_are_of_one_second():
    tally = scene().tally
    tally.acknowledged = 100
    tally.second()
    tally.acknowledged = 130
    tally.second()
    assert list(tally.rates) == [100, 30]


def test_of_many_faults_the_first_are_kept_and_all_are_counted():
    tally = scene().tally
    for number in range(50):
        tally.blame(Fault("doubled", "torture.fault.reused", {"keys": number}))
    assert tally.found == {"doubled": 50}
    assert [fault.figures["keys"] for fault in tally.faults] == list(range(20))
