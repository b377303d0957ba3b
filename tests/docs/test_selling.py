"""The guides to selling are run as they stand, each by one shell, with a sandbox beside it."""

import subprocess
from pathlib import Path

import pytest

from tests.docs.test_operations import surroundings
from tests.docs.test_pages import SELLING, STOCK, blocks
from tests.docs.test_readme import free_port
from tests.support.homes import running_home

BEGINNING = "set -m; trap 'kill %1 2> /dev/null; wait' EXIT\n"
"""What was started ends with the shell, however far it came."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("page", [SELLING, STOCK], ids=["credits", "stock"])
def test_a_guide_to_selling(page: Path, tmp_path: Path) -> None:
    found = blocks(page)
    port = str(free_port())
    parts = [(kind, text.replace("8000", port)) for kind, text, _ in found if kind != "text"]
    script = "\n".join(f"{{\n{_shell(*part)}}} > said-{n}" for n, part in enumerate(parts))
    with running_home(tmp_path / ".comptoir", empty=True):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", BEGINNING + script],
            env=surroundings(HOME=str(tmp_path)),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    number, said = 0, ""
    for kind, text, line in found:
        if kind == "text":
            assert said == text, f"{page.name}:{line}"
            said = ""
        else:
            said += (tmp_path / f"said-{number}").read_text()
            number += 1


def _shell(kind: str, text: str) -> str:
    """What a shell runs: its own lines, or those of Python."""
    return text if kind == "sh" else f"python3 - <<'END'\n{text}END\n"
