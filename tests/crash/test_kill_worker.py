"""Workers are killed in the middle of jobs: each effect happens once, and no job is lost."""

import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from comptoir import Comptoir, JobStatus
from tests.support.batches import assert_verified, until
from tests.support.postgres import Database

pytestmark = [pytest.mark.pg, pytest.mark.crash]
ROOT = Path(__file__).resolve().parents[2]
CUSTOMERS = 7


@contextmanager
def worker(url: str) -> Generator[subprocess.Popen[bytes]]:
    """A worker that is killed when the block ends."""
    command = [sys.executable, "-m", "tests.crash.worker", url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def left(database: Database) -> Counter[str]:
    """How many jobs have which status."""
    with psycopg.connect(database.app_url, autocommit=True) as connection:
        query = "SELECT status::text, count(*) FROM comptoir.procrastinate_jobs GROUP BY 1"
        return Counter(dict(connection.execute(query).fetchall()))


async def deaths(database: Database, count: int, kills: int) -> int:
    """Kill workers over so many jobs; returns how many tries there were."""
    async with Comptoir.open(database.app_url) as books:
        ids = []
        for n in range(0, count, 100):
            async with books.transaction() as tx:
                for m in range(n, n + 100):
                    said = {"customer": f"c{m % CUSTOMERS}"}
                    ids.append(await tx.jobs.enqueue("pay", said))
        for _ in range(kills):
            with worker(database.app_url) as process:
                assert process.stdout is not None
                for _ in range(max(1, count // kills // 2)):
                    process.stdout.readline()
        with worker(database.app_url):
            await until(lambda: set(left(database)) == {"succeeded"}, 120)
        for id_ in ids:
            seen = await books.jobs.get(id_)
            assert seen.status is JobStatus.SUCCEEDED
            assert seen.result is not None
        balances = [await books.credits.balance(f"c{n}") for n in range(CUSTOMERS)]
        assert sum(balance.balance for balance in balances) == count, "each effect once"
    with psycopg.connect(database.app_url, autocommit=True) as connection:
        query = """SELECT count(*), (SELECT sum(attempts) FROM comptoir.procrastinate_jobs)
            FROM comptoir.movements WHERE kind = 'grant'"""
        row = connection.execute(query).fetchone()
    assert row is not None
    assert row[0] == count
    assert_verified(database)
    return row[1]


async def test_killed_workers_lose_and_double_nothing(database: Database):
    tries = await deaths(database, 200, 5)
    assert tries > 200, "some jobs were begun and not ended"


@pytest.mark.soak
async def test_workers_killed_fifty_times_lose_and_double_nothing(database: Database):
    tries = await deaths(database, 2_000, 50)
    assert tries > 2_000
