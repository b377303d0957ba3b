"""The tables over HTTP: the same requests, the same outcomes, as on the core and on PostgreSQL."""

from collections.abc import Iterator

import pytest

from comptoir.web import background
from tests.support.over_http import Clock, HttpDriver, can_say
from tests.support.postgres import Cluster
from tests.support.site import Site, serving
from tests.support.tables import cases, play

CASES = [case for case in cases() if can_say(case)]
FILES = sorted({case.file for case in cases()})


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def timeless(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, clock: Clock
) -> Iterator[Site]:
    """A server whose ledger goes by the time of the cases, and that settles nothing by itself."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, cluster.database() as database:
        patch.setattr(background, "SWEEP_SECONDS", 3_600.0)
        with serving(database, home, clock=clock) as up:
            yield up


@pytest.mark.parametrize("file", FILES)
async def test_table(file: str, timeless: Site, clock: Clock) -> None:
    """All cases of a file that HTTP can say; every one that fails is named."""
    failed: list[str] = []
    for number, case in enumerate(case for case in CASES if case.file == file):
        try:
            await play(case, HttpDriver(timeless, clock, f"{file}-{number}-"))
        except AssertionError as error:
            failed.append(f"{case}\n{error}")
    assert not failed, "\n".join(failed)


def test_most_rows_run_over_http() -> None:
    """What is left out needs something that no route offers, as can_say tells."""
    rows = sum(len(case.rows) for case in CASES)
    print(f"{rows} of {sum(len(case.rows) for case in cases())} rows run over HTTP")  # noqa: T201
    assert rows >= 150
    assert {case.file for case in CASES} == set(FILES) - {"refunds.txt"}  # what payments alone do
