"""Jobs that are done elsewhere: one worker each, nothing lost when he goes, late words refused."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import pytest

from comptoir.jobs import leasing, queue
from comptoir.jobs.leasing import Asked, Failure, Leased
from comptoir.jobs.model import ATTEMPTS, PAYLOAD_BYTES, Handler, Status
from comptoir.kit.errors import Conflict, Invalid, NotFound
from tests.support.postgres import Database
from tests.support.working import LIVE, Bench, open_bench

pytestmark = pytest.mark.pg
TEST = 2
RENDER = "pdf.render"


@pytest.fixture
async def bench(database: Database) -> AsyncGenerator[Bench]:
    async with open_bench(database) as found:
        yield found


async def take(
    bench: Bench, *types: str, book: int = LIVE, most: int = 1, seconds: float = 60
) -> tuple[UUID, list[Leased]]:
    asked = Asked(types or (RENDER,), uuid4(), seconds, most)
    return asked.lease, await leasing.take(bench.pool, book, asked)


async def run_out(bench: Bench) -> None:
    """Let the time of every lease be up."""
    async with bench.pool.connection() as connection:
        await connection.execute("UPDATE comptoir.job_leases SET expires_at = clock_timestamp()")


async def due(bench: Bench, id_: UUID) -> None:
    """Let the pause of a job be over."""
    async with bench.pool.connection() as connection:
        await connection.execute(
            """UPDATE comptoir.procrastinate_jobs SET scheduled_at = clock_timestamp()
            WHERE args->>'job' = %s""",
            (str(id_),),
        )


async def test_a_job_is_leased_once_and_done(bench: Bench):
    id_ = await bench.enqueue(RENDER, payload={"quote": "Q-1"})
    lease, [found] = await take(bench)
    assert (found.job.id, found.job.payload, found.job.attempt) == (id_, {"quote": "Q-1"}, 1)
    assert (await take(bench))[1] == [], "it is somebody's"
    assert await bench.status(id_) is Status.RUNNING
    await leasing.complete(bench.pool, LIVE, id_, lease, {"file": "a.pdf"})
    seen = await bench.look(id_)
    assert (seen.status, seen.result, seen.attempts) == (Status.SUCCEEDED, {"file": "a.pdf"}, 1)
    await leasing.complete(bench.pool, LIVE, id_, lease, {"file": "a.pdf"})  # its answer was lost
    with pytest.raises(Conflict, match="job-lease-lost"):
        await leasing.complete(bench.pool, LIVE, id_, lease, {"file": "b.pdf"})
    assert (await bench.look(id_)).result == {"file": "a.pdf"}


async def test_the_urgent_ones_and_the_older_ones_first(bench: Bench):
    ids = [await bench.enqueue(RENDER, priority=priority) for priority in (0, 5, 5, -5)]
    _, found = await take(bench, most=3)
    assert [each.job.id for each in found] == [ids[1], ids[2], ids[0]]
    _, found = await take(bench, RENDER, "report", most=10)
    assert [each.job.id for each in found] == [ids[3]]


async def test_books_and_types_do_not_mix(bench: Bench):
    await bench.enqueue("report")
    other = await bench.enqueue(RENDER, book=TEST)
    assert (await take(bench))[1] == []
    lease, [found] = await take(bench, book=TEST)
    assert found.job.id == other
    with pytest.raises(NotFound):
        await leasing.renew(bench.pool, LIVE, other, lease, 60)
    with pytest.raises(NotFound):
        await leasing.complete(bench.pool, LIVE, other, lease, None)
    with pytest.raises(NotFound):
        await leasing.fail(bench.pool, LIVE, other, lease, Failure("X", is_final=True, chance=0))


async def test_fifty_askers_get_twenty_jobs_once_each(bench: Bench):
    ids = {await bench.enqueue(RENDER) for _ in range(20)}
    found = await asyncio.gather(*(take(bench) for _ in range(50)))
    got = [each.job.id for _, some in found for each in some]
    while len(got) < 20:  # who looked past what another one was looking at asks again
        got += [each.job.id for each in (await take(bench, most=10))[1]]
    assert len(got) == 20
    assert set(got) == ids


async def test_who_says_nothing_has_lost_it(bench: Bench):
    id_ = await bench.enqueue(RENDER)
    lost, _ = await take(bench)
    await run_out(bench)
    lease, [again] = await take(bench)
    assert (again.job.id, again.job.attempt) == (id_, 2)
    with pytest.raises(Conflict, match="job-lease-lost"):
        await leasing.complete(bench.pool, LIVE, id_, lost, {"late": True})
    with pytest.raises(Conflict, match="job-lease-lost"):
        await leasing.renew(bench.pool, LIVE, id_, lost, 60)
    with pytest.raises(Conflict, match="job-lease-lost"):
        await leasing.fail(bench.pool, LIVE, id_, lost, Failure("Late", is_final=True, chance=0))
    await leasing.complete(bench.pool, LIVE, id_, lease, None)
    assert (await bench.look(id_)).result is None


async def test_who_is_late_and_nobody_has_taken_over_may_end_it(bench: Bench):
    id_ = await bench.enqueue(RENDER)
    lease, _ = await take(bench)
    await run_out(bench)
    await leasing.complete(bench.pool, LIVE, id_, lease, None)
    assert await bench.status(id_) is Status.SUCCEEDED


async def test_a_lease_that_is_renewed_is_kept(bench: Bench):
    id_ = await bench.enqueue(RENDER)
    lease, [found] = await take(bench, seconds=1)
    assert await leasing.renew(bench.pool, LIVE, id_, lease, 600) > found.expires_at
    assert (await take(bench))[1] == []


async def test_what_fails_is_tried_again_and_dies_with_its_payload(bench: Bench):
    id_ = await bench.enqueue(RENDER, payload={"quote": "Q-1"})
    for attempt in range(1, ATTEMPTS + 1):
        lease, [found] = await take(bench)
        assert found.job.attempt == attempt
        await leasing.fail(
            bench.pool, LIVE, id_, lease, Failure("RendererDown", is_final=False, chance=1)
        )
        if attempt < ATTEMPTS:
            assert await bench.status(id_) is Status.FAILED
            assert (await take(bench))[1] == [], "there is a pause"
            await due(bench, id_)
    seen = await bench.look(id_)
    assert (seen.status, seen.error, seen.payload) == (
        Status.DEAD, "RendererDown", {"quote": "Q-1"},
    )  # fmt: skip
    await queue.retry(bench.pool, LIVE, id_)
    _, [found] = await take(bench)
    assert found.job.attempt == 1


async def test_what_fails_for_good_is_not_tried_again(bench: Bench):
    id_ = await bench.enqueue(RENDER)
    lease, _ = await take(bench)
    await leasing.fail(
        bench.pool, LIVE, id_, lease, Failure("NoSuchQuote", is_final=True, chance=0)
    )
    assert await bench.status(id_) is Status.DEAD


async def test_whoever_vanishes_each_time_does_not_keep_a_job_alive_for_ever(bench: Bench):
    id_ = await bench.enqueue(RENDER)
    for _ in range(ATTEMPTS):
        assert len((await take(bench))[1]) == 1
        await run_out(bench)
    assert (await take(bench))[1] == []
    seen = await bench.look(id_)
    assert (seen.status, seen.error) == (Status.DEAD, "WorkerLost")


async def test_a_worker_here_leaves_a_leased_job_alone_and_takes_over_when_its_time_is_up(
    bench: Bench,
):
    id_ = await bench.enqueue(RENDER)
    lease, _ = await take(bench)
    async with bench.working(Handler(RENDER, bench.note)):
        marker = await bench.enqueue(RENDER)
        await bench.until(marker, Status.SUCCEEDED)
        assert await bench.status(id_) is Status.RUNNING
        await run_out(bench)
        seen = await bench.until(id_, Status.SUCCEEDED)
        assert seen.attempts == 2
    with pytest.raises(Conflict, match="job-lease-lost"):
        await leasing.complete(bench.pool, LIVE, id_, lease, {"late": True})


async def test_a_leased_job_is_cancelled_at_once(bench: Bench):
    id_ = await bench.enqueue(RENDER)
    lease, _ = await take(bench)
    assert (await queue.cancel(bench.pool, LIVE, id_)).status is Status.CANCELLED
    with pytest.raises(Conflict, match="job-lease-lost"):
        await leasing.complete(bench.pool, LIVE, id_, lease, None)
    with pytest.raises(Conflict, match="job-lease-lost"):
        await leasing.renew(bench.pool, LIVE, id_, lease, 60)
    assert await bench.status(id_) is Status.CANCELLED


@pytest.mark.parametrize("result", [{"x": "y" * PAYLOAD_BYTES}, {"x": "\0"}, [1]])
async def test_a_result_that_cannot_be_kept_changes_nothing(bench: Bench, result: object):
    id_ = await bench.enqueue(RENDER)
    lease, _ = await take(bench)
    with pytest.raises(Invalid):
        await leasing.complete(bench.pool, LIVE, id_, lease, result)  # type: ignore[arg-type]
    await leasing.complete(bench.pool, LIVE, id_, lease, {"fits": True})


async def test_one_of_two_ends_it(bench: Bench):
    id_ = await bench.enqueue(RENDER)
    lease, _ = await take(bench)

    async def end(result: dict[str, int]) -> str:
        try:
            await leasing.complete(bench.pool, LIVE, id_, lease, result)
        except Conflict as error:
            return error.code
        return "done"

    said = await asyncio.gather(*(end({"by": n}) for n in range(4)))
    assert sorted(said) == ["done", *["job-lease-lost"] * 3]
