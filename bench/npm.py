"""Tools that come from npm, for those who measure and test: never a part of the product."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

SECONDS: Final = 180
_LOCKED: Final = ("package.json", "package-lock.json")


class Missing(Exception):
    """A tool is not here, and cannot be fetched: says why."""


def installed(folder: Path) -> Path:
    """What the lock of a folder names, in a cache outside of the tree. npm checks each hash.

    Args:
        folder: has a package.json and its lock.

    Returns:
        Where `node_modules` is.

    Raises:
        Missing: there is no npm, or it cannot fetch them.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise Missing("no Node.js with npm here")
    lock = (folder / _LOCKED[1]).read_bytes()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = caches / f"comptoir-{folder.name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    if home.exists():
        return home
    caches.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=caches) as place:
        making = Path(place) / "made"
        making.mkdir()
        for each in _LOCKED:
            shutil.copy(folder / each, making)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            subprocess.run(command, cwd=making, check=True, capture_output=True, timeout=SECONDS)
        except (subprocess.SubprocessError, OSError) as error:
            raise Missing(f"npm could not fetch them: {error}") from None
        if not home.exists():
            making.rename(home)
    return home
