"""What pages show of jobs: how each try ended, and who comes back."""

from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import pytest

from comptoir.jobs import leasing, overview, queue
from comptoir.jobs.leasing import Asked, Failure
from comptoir.jobs.model import GiveUp, Handler, Job, Result, Status
from comptoir.jobs.overview import Sought, Work
from comptoir.store.pool import begin, begin_brief
from tests.support.postgres import Database
from tests.support.working import LIVE, Bench, open_bench

pytestmark = pytest.mark.pg


@pytest.fixture
async def bench(database: Database) -> AsyncGenerator[Bench]:
    async with open_bench(database) as found:
        yield found


async def found(bench: Bench, id_: UUID) -> Work:
    async with begin_brief(bench.pool) as tx:
        return await overview.find(tx, LIVE, id_)


async def test_each_try_has_its_error_and_its_time(bench: Bench):
    async def fail(job: Job) -> Result:
        if job.attempt == 2:
            raise GiveUp("somebody's name")
        raise OSError("somebody's name")

    async with bench.working(Handler("report", fail, first_pause=0.0, longest_pause=0.0)):
        id_ = await bench.enqueue("report", payload={"of": "May"})
        await bench.until(id_, Status.DEAD)
    work = await found(bench, id_)
    tries = [each for each in work.happened if each.what == "try"]
    assert [each.error for each in tries] == ["OSError", "GiveUp"]
    assert [each.at for each in work.happened] == sorted(each.at for each in work.happened)
    words = [each.what for each in work.happened if each.what != "scheduled"]
    assert words == ["deferred", "started", "try", "deferred_for_retry", "started", "try", "failed"]
    assert (work.row.error, work.row.attempts, work.row.payload) == ("GiveUp", 2, {"of": "May"})
    assert (work.row.ended_at or 0) >= tries[-1].at

    await queue.retry(bench.pool, LIVE, id_)
    async with bench.working(Handler("report", bench.note)):
        await bench.until(id_, Status.SUCCEEDED)
    work = await found(bench, id_)
    assert [each.error for each in work.happened if each.what == "try"] == ["OSError", "GiveUp"]
    assert (work.row.error, work.result) == (None, {"attempt": 1})


async def test_a_try_that_fails_elsewhere_is_noted(bench: Bench):
    id_, lease = await bench.enqueue("report"), uuid4()
    [job] = await leasing.take(bench.pool, LIVE, Asked(["report"], lease, 30.0))
    assert job.job.id == id_
    await leasing.fail(bench.pool, LIVE, id_, lease, Failure("NoPaper", is_final=False, chance=0.5))
    work = await found(bench, id_)
    assert (work.row.status, work.row.error, work.row.ended_at) == (Status.FAILED, "NoPaper", None)
    assert (await queue.look(bench.pool, LIVE, id_)).error is None, "it is not dead"
    async with bench.pool.connection() as connection:
        await connection.execute(
            "UPDATE comptoir.procrastinate_jobs SET scheduled_at = now() - interval '1 second'"
        )
    await leasing.take(bench.pool, LIVE, Asked(["report"], uuid4(), 0.0))
    await leasing.take(bench.pool, LIVE, Asked(["other"], uuid4(), 30.0))
    tries = [each.error for each in (await found(bench, id_)).happened if each.what == "try"]
    assert tries == ["NoPaper", "WorkerLost"]


async def test_no_more_than_fifty_tries_are_remembered(bench: Bench):
    id_ = await bench.enqueue("report")
    async with begin(bench.pool) as tx:
        for n in range(60):
            await tx.execute(queue.sql.NOTE_TRY, (LIVE, id_, f"Error{n}"))
    tries = [each.error for each in (await found(bench, id_)).happened if each.what == "try"]
    assert tries == [f"Error{n}" for n in range(10, 60)]


async def test_what_is_retried_commits_with_what_it_is_for(bench: Bench):
    id_ = await bench.enqueue("report")
    await queue.cancel(bench.pool, LIVE, id_)

    async def retried_in_vain() -> None:
        async with begin(bench.pool) as tx:
            assert await queue.retry_each(tx, LIVE, [id_, uuid4()]) == [id_]
            raise LookupError

    with pytest.raises(LookupError):
        await retried_in_vain()
    async with begin_brief(bench.pool) as tx:
        page = await overview.listed(tx, LIVE, Sought(Status.CANCELLED))
        assert [each.id for each in page.rows] == [id_]
        assert (await overview.counts(tx, LIVE))[Status.CANCELLED] == 1
