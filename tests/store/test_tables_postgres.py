"""The tables on PostgreSQL: through the group commit, and inside a caller's own transaction."""

import pytest

from tests.support.postgres import Cluster
from tests.support.store import through_batch, through_caller
from tests.support.tables import Case, cases, play

pytestmark = pytest.mark.pg
DOORS = {"batch": through_batch, "caller": through_caller}
CASES = cases()


@pytest.fixture(scope="module")
def url(cluster: Cluster):
    with cluster.database() as database:
        yield database.app_url


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_table(case: Case, door: str, url: str):
    async with DOORS[door](url, f"{case}/{door}/") as driver:
        await play(case, driver)
