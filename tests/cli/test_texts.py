"""Everything that is said exists in both languages, with the same figures, and is used."""

import re
import string
from pathlib import Path

import pytest

import comptoir.cli
from comptoir.cli.failures import explain, explain_code, first_cause
from comptoir.cli.main import _COMMANDS
from comptoir.cli.say import Say
from comptoir.cli.texts import TEXTS
from comptoir.kit.errors import Conflict, Unavailable
from comptoir.ledger.model import HoldState, Kind
from comptoir.web.catalogue import PROBLEMS, Exit

SOURCES = {path: path.read_text() for path in Path(comptoir.cli.__file__).parent.rglob("*.py")}
TABLES = {path.name for path in SOURCES if path.name.endswith("texts.py")}
USED = {
    key
    for path, text in SOURCES.items()
    if path.name not in TABLES
    for key in re.findall(r'"([a-z]+(?:[.-][a-z_-]+)+)"', text)
}


def figures(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_show_the_same_figures(key: str):
    english, french = TEXTS[key]
    assert english
    assert french
    assert figures(english) == figures(french)


def test_no_text_is_missing():
    heads = {key.partition(".")[0] for key in TEXTS}
    asked = {key for key in USED if key.partition(".")[0] in heads and "." in key}
    asked |= {f"kind.{kind.value}" for kind in Kind} | {f"state.{state}" for state in HoldState}
    assert asked - set(TEXTS) == set()
    assert len(asked) > 100


def test_no_text_is_left_over():
    package = Path(comptoir.cli.__file__).parents[1]
    raising = [package / "config.py"]
    raising += [path for name in ("app", "store") for path in (package / name).rglob("*.py")]
    texts = [text for path, text in SOURCES.items() if path.name not in TABLES]
    said = "".join([*texts, *(path.read_text() for path in raising)]).replace("'", '"')
    made = ("kind.", "state.", "column.")  # their second half is a value
    unused = [
        key
        for key in TEXTS
        if not key.startswith(made)
        and key.removeprefix("help.") not in _COMMANDS
        and f'"{key}"' not in said
        and f'"{key.removeprefix("error.")}"' not in said
    ]
    assert unused == []


def test_numbers_are_grouped_as_the_language_does():
    assert Say("en").number(1234567) == "1,234,567"
    assert Say("fr").number(1234567) == "1\u202f234\u202f567"


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_of_the_api_is_one_line_and_an_exit_code(code: str, locale: str):
    line, ended = explain_code(Say(locale), code, {})
    assert line
    assert "\n" not in line
    assert ended in (Exit.USAGE, Exit.NOT_BALANCED, Exit.DEPENDENCY, Exit.REFUSED)


def test_a_code_that_nobody_knows_is_said_all_the_same():
    line, ended = explain(Say("en"), Unavailable("from-the-future"))
    assert "from-the-future" in line
    assert ended is Exit.DEPENDENCY


def test_of_many_errors_the_first_is_said():
    inner = ExceptionGroup("inner", [Conflict("price-changed"), ValueError()])
    error = first_cause(ExceptionGroup("outer", [inner]))
    assert isinstance(error, Conflict)


def test_what_the_system_refuses_is_said_in_one_line():
    line, ended = explain(Say("en"), OSError(28, "No space left on device"))
    assert "No space left on device" in line
    assert ended is Exit.DEPENDENCY
