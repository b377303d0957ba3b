"""A worker takes its next job at once, whatever else waits."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
import pytest
from procrastinate.connector import BaseConnector

from comptoir.jobs import sql
from comptoir.jobs.fetching import Fetching
from comptoir.jobs.model import Handler, Status
from tests.support.postgres import Database
from tests.support.working import Bench, open_bench

PLACES = ["default/report", "pdf/pdf.render"]
MANY = """
SELECT count(comptoir.enqueue(1, gen_random_uuid(), 'default', {type}, '{{}}', NULL, 0, {at}))
FROM generate_series(1, {count})"""


class Late:
    """A queue in which a job comes in just after it was looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self.worker: Fetching | None = None

    async def execute_query_all_async(self, **_: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        self.looks += 1
        assert self.worker is not None
        if self.looks == 1:
            self.worker.heard += 1
            return []
        names = ("id", "status", "task_name", "priority", "lock", "queueing_lock", "args")
        more = ("scheduled_at", "queue_name", "attempts", "worker_id")
        row = dict.fromkeys((*names, *more))
        return [row | {"id": 7, "status": "doing", "task_name": "report", "args": {}}]


async def test_what_is_announced_while_it_looks_is_not_missed():
    late = Late()
    late.worker = Fetching(cast("BaseConnector", late))
    job = await late.worker.fetch_job(PLACES, 1)
    assert job is not None
    assert (job.id, late.looks) == (7, 2)


@pytest.fixture
async def bench(database: Database) -> AsyncGenerator[Bench]:
    async with open_bench(database) as found:
        yield found


@contextmanager
def owner(bench: Bench) -> Iterator[psycopg.Connection]:
    with psycopg.connect(bench.database.owner_url, autocommit=True) as connection:
        yield connection


def wait_for_others(connection: psycopg.Connection, count: int) -> None:
    """So many jobs that nobody here can do, and so many whose time has not come."""
    for type_, at in (("'idle'", "NULL"), ("'report'", "now() + interval '1 day'")):
        connection.execute(MANY.format(type=type_, at=at, count=count).encode())


@pytest.mark.pg
async def test_jobs_of_others_are_not_looked_at(bench: Bench):
    with owner(bench) as connection:
        wait_for_others(connection, 5_000)
        connection.execute("ANALYZE comptoir.procrastinate_jobs")
        explain = f"EXPLAIN (ANALYZE, BUFFERS OFF, TIMING OFF) {sql.FETCH}"
        given = {"places": PLACES, "worker_id": None}
        plan = "\n".join(row[0] for row in connection.execute(explain.encode(), given))
    assert "Index Scan using jobs_waiting" in plan
    assert "Index Scan using jobs_scheduled" in plan
    assert "Seq Scan" not in plan
    assert "Rows Removed by Filter" not in plan


@pytest.mark.pg
@pytest.mark.slow
@pytest.mark.parametrize("each", [5_000, pytest.param(50_000, marks=pytest.mark.soak)])
async def test_among_very_many_that_wait(bench: Bench, each: int):
    with owner(bench) as connection:
        wait_for_others(connection, each)
    ids = [await bench.enqueue("report") for _ in range(50)]
    async with bench.working(Handler("report", bench.note)), asyncio.timeout(10):
        for id_ in ids:
            await bench.until(id_, Status.SUCCEEDED)
    assert [job.id for job in bench.done[:1]] == ids[:1]
