"""schemathesis over the whole OpenAPI document, with all of its checks: it must find nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from comptoir.web import live
from comptoir.web.server import DOCUMENTED
from tests.support.postgres import Cluster
from tests.support.sandbox import KEY, provider
from tests.support.site import Site, serving

HERE = Path(__file__).parent
FEW = ("--phases", "examples,fuzzing,stateful", "--max-examples", "5")
"""All phases, and a hundred examples, are for `make soak`."""

ALL = ("--max-examples", "100")
OPERATIONS = len(DOCUMENTED) + 2
"""The documented API, and the two health routes."""


def run(site: Site, folder: Path, much: Sequence[str], seed: int) -> None:
    """Run it as its users do, and show what it printed when it found something."""
    print(f"schemathesis: {' '.join(much)} --seed {seed}")  # noqa: T201  # pytest shows it
    program = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [
            program, "--config-file", HERE / "schemathesis.toml", "run", f"{site.url}/openapi.json",
            "--header", f"Authorization: Bearer {site.keys['op']}", "--checks", "all",
            "--exclude-checks", "positive_data_acceptance",  # see schemathesis_rules.py
            *much, "--seed", str(seed), "--continue-on-failure",
            "--workers", "2", "--no-color", "--warnings", "off",
        ],
        cwd=folder,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "schemathesis_rules", "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    print(done.stdout[-20_000:], done.stderr[-5_000:])  # noqa: T201  # pytest shows it
    assert done.returncode == 0
    assert f"{OPERATIONS} selected / {OPERATIONS} total" in done.stdout
    assert site.get("/api/ledger/verify?full=true").json()["balanced"] is True


@pytest.fixture
def site(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server of its own, so that one seed repeats all that it meets; its streams end at once."""
    monkeypatch.setattr(live, "LIFE_SECONDS", 0.05)
    with cluster.database() as database, provider() as sandbox:
        said: dict[str, Any] = {
            "STRIPE_SECRET_KEY": KEY, "STRIPE_API_BASE": sandbox.base,
            "STRIPE_WEBHOOK_SECRET": "whsec_test", "COMPTOIR_PUBLIC_URL": "http://shop.test",
        }  # fmt: skip
        with serving(database, tmp_path / "home", **said) as up:
            yield up


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of the whole run, so that one number repeats everything."""
    return int(str(request.config.getoption("randomly_seed", default=1))) % 2**31


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_schemathesis(site: Site, tmp_path: Path, seed: int) -> None:
    run(site, tmp_path, FEW, seed)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_schemathesis_at_length(site: Site, tmp_path: Path, seed: int) -> None:
    run(site, tmp_path, ALL, seed)
