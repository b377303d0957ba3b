"""The tables on PostgreSQL: through the group commit, and in a caller's own transaction."""

from collections.abc import Iterator

import pytest

from tests.support.postgres import Cluster
from tests.support.store import through_batch, through_caller, through_sync
from tests.support.tables import cases, play

pytestmark = pytest.mark.pg
DOORS = {"batch": through_batch, "caller": through_caller, "sync": through_sync}
CASES = cases()
FILES = sorted({case.file for case in CASES})


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> Iterator[str]:
    with cluster.database() as database:
        yield database.app_url


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("file", FILES)
async def test_table(file: str, door: str, url: str):
    """All cases of a file through one door; every one that fails is named."""
    failed: list[str] = []
    async with DOORS[door](url) as fresh:
        for case in (case for case in CASES if case.file == file):
            try:
                await play(case, fresh(f"{case}/{door}/"))
            except AssertionError as error:
                failed.append(f"{case}\n{error}")
    assert not failed, "\n".join(failed)


def test_tables_are_many():
    assert sum(len(case.rows) for case in CASES) >= 170
    assert all(case.rows for case in CASES), "a case without a request tests nothing"
    assert len({str(case) for case in CASES}) == len(CASES), "two cases share a title"
