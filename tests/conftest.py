"""What every test shares: how hard hypothesis tries, and how to repeat a run."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from tests.support.postgres import Cluster, Database, server
from tests.support.spreading import Spreading, longest_first

# Databases make an example slow, never wrong: the test's own timeout judges instead.
_ANY_SPEED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("dev", max_examples=50, **_ANY_SPEED)
settings.register_profile("ci", max_examples=100, derandomize=True, print_blob=True, **_ANY_SPEED)
settings.register_profile("night", max_examples=2_000, print_blob=True, **_ANY_SPEED)

PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
settings.load_profile(PROFILE)

_MEASURE = "COVERAGE_PROCESS_CONFIG"
"""By this variable `patch = ["subprocess"]` of coverage tells a process to measure itself."""


@pytest.fixture(scope="session", autouse=True)
def _unmeasured() -> str | None:
    """Measure no coverage in started processes: it would double the time that they take to start.

    Returns:
        What a process must find in its surroundings to be measured.
    """
    return os.environ.pop(_MEASURE, None)


@pytest.fixture(autouse=True)
def _measured(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _unmeasured: str | None
) -> None:
    if _unmeasured and request.node.get_closest_marker("measured"):
        monkeypatch.setenv(_MEASURE, _unmeasured)


@pytest.fixture(autouse=True)
def _surroundings() -> Iterator[None]:
    """Take away what a program that ran in this process has left in its environment."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Cluster]:
    """One PostgreSQL for the whole run, whichever worker asks for it first.

    It waits for no disk: a process that is killed leaves what it wrote to the kernel, and thousands
    of databases come and go here. Tests that kill PostgreSQL itself have one of their own.
    """
    base = tmp_path_factory.getbasetemp()
    home = base if worker_id == "master" else base.parent
    with server(home / "postgres", worker_id) as found:
        with psycopg.connect(found.urls.superuser_url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield found


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    """A fresh, migrated database for one test."""
    with cluster.database() as made:
        yield made


@pytest.fixture(scope="session")
def seed_of_run(pytestconfig: pytest.Config) -> int:
    """What chance begins with in this run; printed at its end."""
    return int(str(pytestconfig.getoption("randomly_seed", default=0)))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After pytest-randomly, whose order stays among equals."""
    longest_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Spreading:
    """Spread tests over processes."""
    return Spreading(config, log)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how to run the same tests in the same order with the same draws."""
    seed = config.getoption("randomly_seed", default="off")
    terminalreporter.write_line(
        f"hypothesis profile {PROFILE}; repeat with: pytest --randomly-seed={seed}"
    )
