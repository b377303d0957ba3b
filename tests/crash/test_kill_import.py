"""An import is killed in the middle, and done again."""

import random
from pathlib import Path

import pytest

from tests.support.batches import assert_verified, connections, until
from tests.support.imports import History, balances, ended, importing, movements
from tests.support.postgres import Database

pytestmark = [pytest.mark.pg, pytest.mark.crash]


async def kill_in_the_middle(database: Database, file: Path, at: int) -> int:
    """Kill an import once the books have so many movements; returns how many they have then."""
    with importing(database, file) as process:
        await until(lambda: movements(database) >= at or process.poll() is not None)
        process.kill()
        process.wait()
    await until(lambda: not connections(database))  # what was on its way is decided by then
    return movements(database)


@pytest.mark.slow
async def test_killed_and_done_again_it_comes_to_the_same(
    tmp_path: Path, database: Database, seed_of_run: int
):
    history, file = History(700), tmp_path / "history.csv"
    history.write(file)
    draw = random.Random(seed_of_run)
    reached = 0
    for part in (0.1, 0.5):
        wanted = int(history.lines * part) + draw.randrange(100)
        reached = await kill_in_the_middle(database, file, wanted)
        assert wanted <= reached < history.lines, "it was killed in the middle"
        assert_verified(database)
    with importing(database, file) as process:
        report = ended(process)
    assert (report["there"], report["new"]) == (reached, history.lines - reached)
    assert balances(database) == history.balances
    assert_verified(database)
    with importing(database, file) as process:
        again = ended(process)
    assert (again["there"], again["new"]) == (history.lines, 0)
    assert balances(database) == history.balances
