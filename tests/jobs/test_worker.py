"""Workers: what they promise about jobs that succeed, fail, hang, are cancelled or left behind."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from comptoir.jobs import queue, worker
from comptoir.jobs.model import PAYLOAD_BYTES, GiveUp, Handler, Job, Result, Status
from comptoir.jobs.queue import Sought
from comptoir.jobs.schedule import Missed, Periodic
from comptoir.jobs.worker import Pace, Worker
from tests.support.batches import until
from tests.support.postgres import Database
from tests.support.working import LIVE, QUICK, Bench, open_bench

pytestmark = pytest.mark.pg
AT_ONCE: dict[str, Any] = {"first_pause": 0.0, "longest_pause": 0.0}


@pytest.fixture
async def bench(database: Database) -> AsyncGenerator[Bench]:
    async with open_bench(database) as found:
        yield found


async def test_a_job_is_done_and_its_result_kept(bench: Bench):
    async with bench.working(Handler("report", bench.note)):
        id_ = await bench.enqueue("report", payload={"of": "May"})
        seen = await bench.until(id_, Status.SUCCEEDED)
    assert (seen.result, seen.error) == ({"attempt": 1}, None)
    [job] = bench.done
    assert (job.id, job.book, job.payload) == (id_, LIVE, {"of": "May"})
    assert job.key() == f"job:{id_}"
    assert job.key("mail") == f"job:{id_}:mail"
    [ended] = bench.ended
    assert (ended.job, ended.attempt, ended.error) == (id_, 1, None)


async def test_a_worker_takes_what_it_can_do(bench: Bench):
    other = await bench.enqueue("somebody-elses")
    async with bench.working(Handler("report", bench.note)):
        mine = await bench.enqueue("report")
        await bench.until(mine, Status.SUCCEEDED)
    assert await bench.status(other) is Status.PENDING


async def test_higher_priorities_go_first(bench: Bench):
    low = await bench.enqueue("report", priority=-5)
    usual = await bench.enqueue("report")
    high = await bench.enqueue("report", priority=5)
    pace = Pace(concurrency=1, poll=0.1)
    async with bench.working(Handler("report", bench.note), pace=pace):
        await bench.until(low, Status.SUCCEEDED)
    assert [job.id for job in bench.done] == [high, usual, low]


async def test_a_job_that_fails_is_tried_again_and_then_dead(bench: Bench):
    async def fail(job: Job) -> Result:
        await bench.note(job)
        raise OSError("somebody's name")

    async with bench.working(Handler("report", fail, attempts=3, **AT_ONCE)):
        id_ = await bench.enqueue("report", payload={"keep": "me"})
        seen = await bench.until(id_, Status.DEAD)
    assert [job.attempt for job in bench.done] == [1, 2, 3]
    assert (seen.error, seen.payload, seen.attempts) == ("OSError", {"keep": "me"}, 3)
    assert [ended.is_dead for ended in bench.ended] == [False, False, True]

    async with bench.working(Handler("report", bench.note)):
        retried = await queue.retry(bench.pool, LIVE, id_)
        assert retried.status in {Status.PENDING, Status.RUNNING, Status.SUCCEEDED}
        seen = await bench.until(id_, Status.SUCCEEDED)
    assert seen.payload == {"keep": "me"}
    assert bench.done[-1].attempt == 1, "all tries are there again"


async def test_a_handler_may_give_up(bench: Bench):
    async def give_up(job: Job) -> Result:
        await bench.note(job)
        raise GiveUp("no such document")

    async with bench.working(Handler("report", give_up)):
        id_ = await bench.enqueue("report")
        await bench.until(id_, Status.DEAD)
    assert len(bench.done) == 1


async def test_a_handler_that_never_returns_is_ended(bench: Bench):
    async def hang(job: Job) -> Result:
        await bench.note(job)
        await asyncio.Event().wait()
        return None

    async with bench.working(Handler("report", hang, attempts=2, timeout=0.05, **AT_ONCE)):
        id_ = await bench.enqueue("report")
        seen = await bench.until(id_, Status.DEAD)
    assert seen.error == "TimeoutError"
    assert len(bench.done) == 2


async def test_a_handler_that_will_not_be_ended_does_not_keep_its_place(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(worker, "_ENDS_WITHIN", 0.05)
    may_end = asyncio.Event()

    async def stubborn(_: Job) -> Result:
        while not may_end.is_set():
            with suppress(asyncio.CancelledError):
                await may_end.wait()
        return {"late": True}

    pace = replace(QUICK, concurrency=1)
    handlers = (
        Handler("stubborn", stubborn, attempts=1, timeout=0.05),
        Handler("next", bench.note),
    )
    async with bench.working(*handlers, pace=pace):
        id_ = await bench.enqueue("stubborn")
        after = await bench.enqueue("next")
        assert (await bench.until(id_, Status.DEAD)).error == "TimeoutError"
        await bench.until(after, Status.SUCCEEDED)
        may_end.set()
    assert await bench.status(id_) is Status.DEAD


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ({"x": object()}, "payload-invalid"),
        ({"x": "\0"}, "payload-invalid"),
        ([1], "payload-invalid"),
        ({"x": "y" * PAYLOAD_BYTES}, "job-too-large"),
    ],
    ids=["object", "nul", "list", "large"],
)
async def test_a_result_that_cannot_be_kept_is_an_error_of_the_handler(
    bench: Bench, result: object, error: str
):
    async def strange(_: Job) -> Any:  # noqa: ANN401  # that is the fault
        return result

    async with bench.working(Handler("report", strange, attempts=1)):
        id_ = await bench.enqueue("report")
        seen = await bench.until(id_, Status.DEAD)
    assert seen.error == error


async def test_a_failed_job_waits_beside_another_of_its_name(bench: Bench):
    """With the queue's own lock it could not come back, and would run for ever."""
    failed = asyncio.Event()

    async def fail_once(job: Job) -> Result:
        if job.attempt == 1 and not failed.is_set():
            await other_waits.wait()
            failed.set()
            raise OSError
        return await bench.note(job)

    other_waits = asyncio.Event()
    pace = Pace(concurrency=1, poll=0.1)
    async with bench.working(Handler("report", fail_once, **AT_ONCE), pace=pace):
        first = await bench.enqueue("report", unique="May")
        await bench.until(first, Status.RUNNING)
        second = await bench.enqueue("report", unique="May")
        assert second != first, "what runs may have looked already"
        other_waits.set()
        await bench.until(first, Status.SUCCEEDED)
        await bench.until(second, Status.SUCCEEDED)


async def test_a_running_job_can_be_cancelled(bench: Bench):
    async def hang(_: Job) -> Result:
        await asyncio.Event().wait()
        return None

    async with bench.working(Handler("report", hang)):
        id_ = await bench.enqueue("report")
        await bench.until(id_, Status.RUNNING)
        await queue.cancel(bench.pool, LIVE, id_)
        seen = await bench.until(id_, Status.CANCELLED)
    assert seen.error == "Cancelled"


async def test_a_later_job_waits_for_its_time(bench: Bench):
    async with bench.working(Handler("report", bench.note)):
        never = await bench.enqueue("report", run_at=datetime.now(UTC) + timedelta(hours=1))
        soon = await bench.enqueue("report", run_at=datetime.now(UTC) + timedelta(seconds=0.3))
        await bench.until(soon, Status.SUCCEEDED)
        assert await bench.status(never) is Status.PENDING


async def test_a_worker_that_stops_lets_jobs_end(bench: Bench):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(job: Job) -> Result:
        begun.set()
        await go_on.wait()
        return await bench.note(job)

    async with asyncio.TaskGroup() as tasks:
        worker = Worker(bench.database.app_url, bench.pool, bench.crew(Handler("report", work)))
        task = tasks.create_task(worker.run())
        id_ = await bench.enqueue("report")
        await begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
    assert await bench.status(id_) is Status.SUCCEEDED


async def test_a_job_that_outlasts_the_stop_is_done_by_another(bench: Bench):
    begun = asyncio.Event()

    async def work(job: Job) -> Result:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()
        return await bench.note(job)

    pace = Pace(grace=0.05, poll=0.1)
    async with bench.working(Handler("report", work), pace=pace):
        id_ = await bench.enqueue("report")
        await begun.wait()
    assert await bench.status(id_) is Status.FAILED, "it waits for its next try"
    async with bench.working(Handler("report", work)):
        await bench.until(id_, Status.SUCCEEDED)


async def leave_behind(bench: Bench, attempts: int = 0) -> None:
    """Let a job look as if the worker that does it had been killed."""
    async with bench.pool.connection() as connection:
        await connection.execute(
            """WITH gone AS (
                INSERT INTO comptoir.procrastinate_workers (last_heartbeat)
                VALUES (now() - interval '1 day') RETURNING id
            ) UPDATE comptoir.procrastinate_jobs
            SET status = 'doing', attempts = %s, worker_id = gone.id FROM gone""",
            (attempts,),
        )


async def test_jobs_of_a_worker_that_has_gone_are_done_by_another(bench: Bench):
    ids = [await bench.enqueue("report", unique=f"{n}") for n in range(3)]
    await leave_behind(bench)
    waiting = await bench.enqueue("report", unique="0")
    async with bench.working(Handler("report", bench.note)):
        for id_ in [*ids, waiting]:
            await bench.until(id_, Status.SUCCEEDED)
    assert sorted(job.attempt for job in bench.done) == [1, 2, 2, 2]


async def test_a_job_that_kills_its_workers_is_dead_in_the_end(bench: Bench):
    id_ = await bench.enqueue("report", payload={"keep": "me"})
    await leave_behind(bench, attempts=7)
    async with bench.working(Handler("report", bench.note)):
        seen = await bench.until(id_, Status.DEAD)
    assert (seen.error, seen.payload) == ("WorkerLost", {"keep": "me"})
    assert bench.done == []


async def test_a_worker_comes_back_after_its_connections_were_cut(bench: Bench):
    async with bench.working(Handler("report", bench.note)):
        before = await bench.enqueue("report")
        await bench.until(before, Status.SUCCEEDED)
        async with bench.pool.connection() as connection:
            await connection.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()"""
            )
        after = await bench.enqueue("report")
        await bench.until(after, Status.SUCCEEDED)


async def test_periodic_jobs_run(bench: Bench):
    periodic = Periodic("report", "* * * * *", missed=Missed.LATEST)
    async with bench.pool.connection() as connection:
        await connection.execute(
            "INSERT INTO comptoir.job_slots VALUES (%s, now() - interval '1 hour')",
            (periodic.task,),
        )
    async with bench.working(Handler("report", bench.note), periodic=[periodic]):
        await until(lambda: bool(bench.done))
    assert datetime.fromisoformat(bench.done[0].payload["slot"]).second == 0


async def test_working_off_does_at_most_so_many(bench: Bench):
    ids = [await bench.enqueue("pdf.render") for _ in range(12)]
    other = await bench.enqueue("email.send")

    async def fail(_: Job) -> Result:
        raise OSError

    crew = bench.crew(Handler("pdf.render", bench.note), Handler("email.send", fail))
    worker = Worker(bench.database.app_url, bench.pool, crew, QUICK)
    assert await worker.work_off("pdf", 10) == 10
    assert await worker.work_off("pdf", 10) == 2
    assert await worker.work_off("pdf", 10) == 0
    assert [job.id for job in bench.done] == ids, "the oldest first"
    assert await bench.status(other) is Status.PENDING
    assert await worker.work_off("email", 1) == 0, "one that failed is not one that was done"
    assert await bench.status(other) is Status.FAILED
    assert await worker.work_off("default", 10) == 0


async def test_what_ended_long_ago_goes(bench: Bench):
    async with bench.working(Handler("report", bench.note), Handler("bad", bad, attempts=1)):
        done, dead = await bench.enqueue("report"), await bench.enqueue("bad")
        await bench.until(done, Status.SUCCEEDED)
        await bench.until(dead, Status.DEAD)
    async with bench.pool.connection() as connection:
        await connection.execute("UPDATE comptoir.job_results SET at = now() - interval '30 days'")
    pace = Pace(clean=0.05)
    async with bench.working(Handler("report", bench.note), pace=pace):

        async def is_gone() -> bool:
            return await queue.listed(bench.pool, LIVE, Sought(type="report")) == []

        await until(is_gone)
    assert await bench.status(dead) is Status.DEAD, "dead jobs stay longer"


async def bad(_: Job) -> Result:
    raise OSError


def test_pauses_grow_and_differ():
    handler = Handler("report", bad, first_pause=2, longest_pause=3600)
    assert [handler.pause(n, 1) for n in (1, 2, 3, 12, 100)] == [2, 4, 8, 3600, 3600]
    assert handler.pause(1, 0) == 1
    assert sum(handler.pause(n, 1) for n in range(1, handler.attempts)) < 2 * 3600
