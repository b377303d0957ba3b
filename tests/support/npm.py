"""Packages of npm for tests: without them a test is skipped, where everybody sees it."""

import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

from bench import npm

NODE: Final = shutil.which("node")


def needed(project: Path, otherwise: str) -> Path:
    """Where the packages of a `package-lock.json` are.

    Skips the test where there are none.

    Args:
        project: the folder of the lock.
        otherwise: what has not been looked at then.
    """
    try:
        return npm.installed(project) / "node_modules"
    except npm.Missing as error:
        sys.stderr.write(f"!!! {otherwise}: {error}.\n")
        pytest.skip(f"{otherwise}: {error}")
