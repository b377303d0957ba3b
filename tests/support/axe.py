"""axe-core, fetched once for tests alone, and never a part of this tree."""

import io
import os
import subprocess
import tarfile
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page

VERSION: Final = "4.14.1"
DIGEST: Final = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN: Final = """
(tags) => axe.run({ runOnly: tags }).then(({ violations }) =>
  violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' ')}`))
"""


@cache
def script() -> str:
    """Its text, at the version that we know.

    Skips the test where it can be neither found nor fetched.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "comptoir-tests"
    archive = home / f"axe-core-{VERSION}.tgz"
    if not archive.exists():
        home.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", f"axe-core@{VERSION}", "--pack-destination", str(home)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=home)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"axe-core {VERSION} cannot be fetched, so nothing was looked at: {error}")
    content = archive.read_bytes()
    assert sha256(content).hexdigest() == DIGEST, "it is not the axe-core that we know"
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        found = tar.extractfile("package/axe.min.js")
        assert found is not None
        return found.read().decode()


def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page as it is now; its policy does not stop the debugger."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(script())
    found: Any = page.evaluate(_RUN, _TAGS)
    return found
