"""The tables on the pure core."""

import pytest

from tests.support.core import CoreDriver
from tests.support.tables import Case, cases, play

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_table(case: Case):
    await play(case, CoreDriver())
