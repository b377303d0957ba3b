"""The pages become a site without a warning, and every page has its place in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_site_is_made_without_a_warning(tmp_path: Path) -> None:
    site = tmp_path / "site"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", "docs", str(site)],
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    reference = (site / "reference" / "library.html").read_text()
    for name in ("grant", "holding", "adopt", "IdempotencyKeyReused", "FrozenClock"):
        assert name in reference
    assert "Why it is as it is" in (site / "index.html").read_text()
