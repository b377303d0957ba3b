"""The page about the seeds: every name has its line, and what is said to be there is there."""

import ast
import importlib
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from comptoir.app import App
from comptoir.cli.main import application
from comptoir.config import Settings
from comptoir.web.server import create_app

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "decisions"
PAGE = (FOLDER / "seeds.md").read_text()
STATES = {"now", "A2", "B", "C", "D", "E", "later", "yours", "no"}
SPAN = re.compile("`([^`]+)`")


@dataclass(frozen=True)
class Line:
    """A line of a table of the page."""

    seed: str
    asked: str
    here: str
    state: str
    why: str


def lines_of(page: str) -> list[Line]:
    found: list[Line] = []
    for section in page.split("\n## Seed ")[1:]:
        seed = section[:3]
        rows = [row for row in section.splitlines() if row.startswith("| ")]
        found += [Line(seed, *(cell.strip() for cell in row.split("|")[1:-1])) for row in rows[1:]]
    return found


def names() -> list[tuple[str, str]]:
    """Which seed has which name."""
    listed = (FOLDER / "seeds.txt").read_text().splitlines()
    rows = [row.split(maxsplit=2) for row in listed if not row.startswith("#")]
    return [(seed, name) for seed, _, name in rows]


@asynccontextmanager
async def nothing() -> AsyncGenerator[App]:
    raise AssertionError("the document is made without a database")
    yield


def operations() -> set[str]:
    paths: Mapping[str, Mapping[str, Any]] = create_app(nothing).openapi()["paths"]
    return {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs}


def commands() -> set[str]:
    def below(command: object, words: str) -> set[str]:
        inner: dict[str, object] = getattr(command, "commands", {})
        return {words}.union(*(below(each, f"{words} {name}") for name, each in inner.items()))

    return below(get_command(application()), "comptoir")


OPERATIONS = operations()
COMMANDS = commands()
VARIABLES = {field.alias for field in Settings.model_fields.values()}
LINES = lines_of(PAGE)


def is_test(name: str) -> bool:
    path, _, function = name.partition("::")
    if not (ROOT / path).is_file():
        return False
    tree = ast.parse((ROOT / path).read_text())
    made = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
    made |= {each.name for each in tree.body if isinstance(each, ast.AsyncFunctionDef)}
    return function in made if function else any(each.startswith("test_") for each in made)


def is_python(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), attribute)
    except ImportError:
        return False


def exists(name: str) -> bool:
    """Whether a name of the page is a route, a command, a variable, a test or a Python name."""
    if name in OPERATIONS or name in COMMANDS or name in VARIABLES:
        return True
    if name.startswith("tests/"):
        return is_test(name)
    return re.fullmatch(r"comptoir(\.\w+)+", name) is not None and is_python(name)


@pytest.mark.parametrize(("seed", "name"), names(), ids=str)
def test_every_name_of_a_seed_has_its_line(seed: str, name: str):
    asked = [line.asked for line in LINES if line.seed == seed]
    assert any(name in SPAN.findall(each) for each in asked)


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.seed}-{line.asked[:40]}")
def test_a_line_is_whole_and_says_where_it_stands(line: Line):
    assert line.asked
    assert line.state in STATES
    assert line.here or line.state == "no"
    assert line.why or line.state != "no" or line.here


@pytest.mark.parametrize(
    "line",
    [line for line in LINES if line.state == "now"],
    ids=lambda line: f"{line.seed}-{line.asked[:40]}",
)
def test_what_is_there_now_is_there(line: Line):
    named = SPAN.findall(line.here)
    assert named, "a line that says now names a route, a command, a test, a variable or a name"
    assert [name for name in named if not exists(name)] == []


def test_all_five_seeds_are_on_the_page():
    assert {line.seed for line in LINES} == {"000", "001", "002", "003", "004"}
    assert {seed for seed, _ in names()} == {line.seed for line in LINES}
    assert len(LINES) > 100


@pytest.mark.parametrize(
    "name",
    [
        "GET /api/gems",
        "POST /api/credits/balance",
        "comptoir stock restock",
        "comptoir credits fly",
        "tests/docs/test_seeds.py::test_nothing",
        "tests/docs/test_nothing.py",
        "tests/support/postgres.py",
        "comptoir.config.Nothing",
        "comptoir.nothing.Settings",
        "os.environ",
        "STOCK_RESERVATION_HOURS",
        "words",
    ],
)
def test_what_is_not_there_is_not_found(name: str):
    assert not exists(name)
