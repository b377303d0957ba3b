"""What README shows is run as it stands."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.postgres import Database

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FRENCH = (ROOT / "README.fr.md").read_text()
RESULTS = (ROOT / "bench" / "RESULTS.md").read_text()
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
BLOCKS = BLOCK.findall(README)
SHELL = [text for language, text in BLOCKS if language == "sh"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_every_make_target_that_readme_names_exists() -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test", "check", "bench", "soak"} <= named
    assert named <= targets


def test_both_readmes_show_the_same_commands_in_the_same_order() -> None:
    """So what is run of one is run of the other."""
    assert BLOCK.findall(FRENCH) == BLOCKS
    assert len(BLOCKS) == 4
    assert _commands(FRENCH) == _commands(README)


def test_both_readmes_say_the_same_figures_and_lead_to_each_other() -> None:
    assert "(README.fr.md)" in README
    assert "(README.md)" in FRENCH
    assert FRENCH.count("\n## ") == README.count("\n## ")
    assert FRENCH.count("\n- **") == README.count("\n- **")
    assert set(_rates(FRENCH)) == set(_rates(README))
    english, french = _links(README), _links(FRENCH)
    assert set(english) - {"README.fr.md"} == set(french) - {"README.md"}


def _commands(readme: str) -> list[str]:
    """What stands in the text and can be typed, apart from its order in a sentence."""
    return sorted(re.findall(r"`((?:make|comptoir) [^`]+)`", readme))


def _links(readme: str) -> list[str]:
    return re.findall(r"\]\(([^)#]+)\)", readme)


def _rates(readme: str) -> list[tuple[str, str, str]]:
    return re.findall(r"^\|[^|]+\| ([\d,]+) \| ([\d,]*) ?\| ?(\d*)x? ?\|$", readme, re.MULTILINE)


def test_every_file_that_readme_names_exists() -> None:
    links = _links(README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_bench_has_its_place_among_the_results() -> None:
    names = re.search(r"NAMES: Final = \(([^)]*)\)", (ROOT / "bench/__main__.py").read_text())
    assert names is not None
    asked = re.findall(r'"(\w+)"', names[1])
    places = re.findall(r"^<!-- (\w+) -->\n(?:.+\n|\n)+?<!-- /\1 -->$", RESULTS, re.MULTILINE)
    assert len(asked) > 5
    assert sorted(asked) == sorted(places)


def test_every_rate_that_readme_shows_stands_among_the_results() -> None:
    rates = {rate for row in _rates(README) for rate in row[:2] if rate}
    assert len(rates) > 5
    assert rates - set(re.findall(r"[\d,]+", RESULTS)) == set()


@pytest.mark.timeout(120)
def test_the_ten_lines_of_http_answer_what_readme_says(tmp_path: Path) -> None:
    [block] = [text for text in SHELL if "/api/credits/grant" in text]
    port = str(free_port())
    script = block.replace("8000", port) + "\nkill %1; wait\n"
    keep = ("PATH", "LANG")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment |= {"COMPTOIR_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-c", "set -m\n" + script],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        timeout=110,
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(answers) >= 5, done.stdout + done.stderr
    grant, spend, repeat, hold, balance = answers[:5]
    assert grant["balance"]["balance"] == "100"
    assert spend["balance"]["balance"] == "99.75"
    assert repeat == spend
    assert hold["hold"]["amount"] == "8"
    figures = {name: balance[name] for name in ("balance", "held", "available")}
    assert figures == {"balance": "99.75", "held": "8", "available": "91.75"}


def test_the_python_of_readme_prints_what_it_says(database: Database, tmp_path: Path) -> None:
    [block] = [text for language, text in BLOCKS if language == "python"]
    done = subprocess.run(
        [sys.executable, "-c", block],
        env=os.environ | {"DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=True,
    )
    assert f"It prints `{done.stdout.strip()}`" in README
    assert f"Il affiche `{done.stdout.strip()}`" in FRENCH
