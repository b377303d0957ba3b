"""The guide to operations is run as it stands, by one shell from its beginning to its end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_pages import SHELL, blocks
from tests.support.copies import empty_database
from tests.support.homes import running_home
from tests.support.postgres import Cluster


@pytest.mark.timeout(300)
def test_the_guide_to_operations(cluster: Cluster, tmp_path: Path) -> None:
    found = blocks(SHELL)
    texts = [text for kind, text, _ in found if kind == "sh"]
    script = "\n".join(f"{{\n{text}}} > said-{number}" for number, text in enumerate(texts))
    # Running already, so that not each of the commands starts it and stops it again.
    with empty_database(cluster) as new, running_home(tmp_path / ".comptoir", empty=True):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env=surroundings(NEW_DATABASE_URL=new.owner_url, HOME=str(tmp_path)),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    said = [(tmp_path / f"said-{number}").read_text() for number in range(len(texts))]
    number = -1
    for kind, text, line in found:
        number += kind == "sh"
        if kind == "text":
            assert said[number].endswith(text), f"{SHELL.name}:{line}"
    assert "checked" in said[0]


def surroundings(**more: str) -> dict[str, str]:
    """Nothing of this process but its programs, so that no setting leaks in."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"PATH": path, "COMPTOIR_LOCALE": "en", **more}
