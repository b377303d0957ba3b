"""Packages of npm for tests alone: pinned by a lock with their hashes, kept outside of the tree."""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

NODE: Final = shutil.which("node")
_NPM: Final = shutil.which("npm")
_PATIENCE: Final = 60


@cache
def modules(project: Path) -> Path | str:
    """Where the packages of a `package-lock.json` are; else why there are none.

    They are fetched once a machine; npm checks their hashes.
    """
    if NODE is None or _NPM is None:
        return "no Node.js with npm here"
    lock = (project / "package-lock.json").read_bytes()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = caches / f"comptoir-{project.name}-{sha256(lock).hexdigest()[:16]}"
    found = home / "node_modules"
    if found.exists():
        return found
    caches.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=caches) as folder:
        making = Path(folder) / "made"
        making.mkdir()
        for each in ("package.json", "package-lock.json"):
            shutil.copy(project / each, making)
        command = [_NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            subprocess.run(command, cwd=making, check=True, capture_output=True, timeout=_PATIENCE)
        except (subprocess.SubprocessError, OSError) as error:
            return f"npm could not fetch {project.name}: {error}"
        if not home.exists():
            making.rename(home)
    return found


def needed(project: Path, otherwise: str) -> Path:
    """The same.

    Skips the test where there are none, and says so where everybody sees it.

    Args:
        project: the folder of the lock.
        otherwise: what has not been looked at then.
    """
    found = modules(project)
    if isinstance(found, str):
        sys.stderr.write(f"!!! {otherwise}: {found}.\n")
        pytest.skip(f"{otherwise}: {found}")
    return found
