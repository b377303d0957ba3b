"""Enqueueing, looking, listing, retrying, cancelling: what the queue promises before any worker."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from comptoir.jobs import queue, sql
from comptoir.jobs.model import PAYLOAD_BYTES, Status, Wanted, queue_of
from comptoir.jobs.queue import Sought
from comptoir.kit.errors import Conflict, Invalid, NotFound
from comptoir.store.pool import begin
from tests.support.batches import open_shop
from tests.support.postgres import Cluster, Database
from tests.support.working import LIVE, Bench, open_bench

pytestmark = pytest.mark.pg
TEST = 2


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    """Tests share a database; each has types of its own."""
    with cluster.database() as made:
        yield made


@pytest.fixture
async def bench(database: Database) -> AsyncGenerator[Bench]:
    async with open_bench(database) as found:
        yield found


async def test_a_job_commits_with_what_it_is_for(bench: Bench):
    kept, undone = uuid4(), uuid4()
    async with begin(bench.pool) as tx:
        await queue.enqueue(tx, LIVE, kept, Wanted("report", {"of": "May"}))
    async with begin(bench.pool) as tx:
        await queue.enqueue(tx, LIVE, undone, Wanted("report"))
        raise psycopg.Rollback
    seen = await bench.look(kept)
    assert (seen.type, seen.queue, seen.status) == ("report", "default", Status.PENDING)
    assert (seen.payload, seen.attempts, seen.result) == ({"of": "May"}, 0, None)
    with pytest.raises(NotFound, match="job-not-found"):
        await bench.look(undone)


def test_any_connection_can_enqueue(bench: Bench):
    """One SQL function, whatever driver and search path the caller has."""
    wanted, id_ = Wanted("report"), uuid4()
    with psycopg.connect(bench.database.app_url) as connection:
        connection.execute("SET search_path = pg_catalog")
        row = connection.execute(sql.ENQUEUE, queue.parameters(LIVE, id_, wanted)).fetchone()
    assert row == (id_,)


async def test_a_job_is_part_of_the_commit_of_a_chain(bench: Bench):
    async with open_shop(bench.database) as shop, shop.batch() as batch:
        account = await shop.account("alice", 1)
        ids = [uuid4() for _ in range(3)]
        jobs = [queue.companion(shop.book, id_, Wanted("mail")) for id_ in ids]
        spends = [batch.submit(shop.spend(f"s{n}", account), [jobs[n]]) for n in range(3)]
        answers = await asyncio.gather(*spends)
        listed = await queue.listed(bench.pool, shop.book, Sought())
        found = [id_ for id_ in ids if any(each.id == id_ for each in listed)]
    created = [id_ for id_, [answer] in zip(ids, answers, strict=True) if answer.line is not None]
    assert found == created
    assert len(created) == 1


async def test_of_unique_jobs_one_waits(bench: Bench):
    first = await bench.enqueue("nightly", unique="May", payload={"n": 1})
    again = await asyncio.gather(
        *(bench.enqueue("nightly", unique="May", payload={"n": 2}) for _ in range(20))
    )
    assert set(again) == {first}
    assert (await bench.look(first)).payload == {"n": 1}
    assert await bench.enqueue("nightly", unique="June") != first
    assert await bench.enqueue("weekly", unique="May") != first, "names are those of a type"
    assert await bench.enqueue("nightly", TEST, unique="May") != first, "and of a book"


async def test_twenty_at_once_are_one_job(bench: Bench):
    made = await asyncio.gather(*(bench.enqueue("race", unique="it") for _ in range(20)))
    assert len(set(made)) == 1
    assert len(await queue.listed(bench.pool, LIVE, Sought(type="race"))) == 1


async def test_the_same_id_is_the_same_job(bench: Bench):
    id_ = uuid4()
    for _ in range(3):
        assert await queue.enqueue_now(bench.pool, LIVE, id_, Wanted("one")) == id_
    assert len(await queue.listed(bench.pool, LIVE, Sought(type="one"))) == 1


async def test_books_do_not_see_each_other(bench: Bench):
    id_ = await bench.enqueue("secret", TEST)
    with pytest.raises(NotFound):
        await bench.look(id_)
    with pytest.raises(NotFound):
        await queue.cancel(bench.pool, LIVE, id_)
    with pytest.raises(NotFound):
        await queue.retry(bench.pool, LIVE, id_)
    assert await queue.listed(bench.pool, LIVE, Sought(type="secret")) == []


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"payload": {"x": "y" * PAYLOAD_BYTES}}, "job-too-large"),
        ({"payload": {"x": "y" * 5_000_000}}, "job-too-large"),
        ({"payload": {"x": object()}}, "payload-invalid"),
        ({"payload": {"x": "\0"}}, "payload-invalid"),
        ({"payload": {"x": "\ud800"}}, "payload-invalid"),
        ({"payload": [1]}, "payload-invalid"),
        ({"type": ""}, "field-invalid"),
        ({"type": "Report"}, "field-invalid"),
        ({"type": "report\n"}, "field-invalid"),
        ({"type": "a/b"}, "field-invalid"),
        ({"type": "a" * 33}, "field-invalid"),
        ({"type": "a" * 10_000}, "field-invalid"),
        ({"unique": "u" * 201}, "field-invalid"),
        ({"unique": ""}, "field-invalid"),
        ({"unique": "a\0b"}, "field-invalid"),
        ({"priority": 101}, "field-invalid"),
        ({"priority": -101}, "field-invalid"),
        ({"run_at": datetime(2026, 11, 21)}, "field-invalid"),  # noqa: DTZ001  # the fault
    ],
)
def test_what_the_queue_cannot_take_is_refused(said: dict[str, Any], code: str):
    wanted = Wanted(**{"type": "report", **said})
    with pytest.raises(Invalid, match=code):
        queue.parameters(LIVE, uuid4(), wanted)


async def test_the_longest_type_can_be_announced(bench: Bench):
    """The name of the channel has the queue in it, and is as long as PostgreSQL allows."""
    for type_ in ("a" * 32, "pdf." + "b" * 28, "email." + "c" * 26):
        assert (await bench.look(await bench.enqueue(type_))).type == type_


def test_a_type_says_its_queue():
    types = ["pdf.render", "pdf", "email.send", "report", "pdfs", "e.mail"]
    assert [queue_of(each) for each in types] == [
        "pdf", "pdf", "email", "default", "default", "default",
    ]  # fmt: skip


async def test_lists_show_the_newest_first(bench: Bench):
    ids = [await bench.enqueue("pdf.listed") for _ in range(5)]
    await queue.cancel(bench.pool, LIVE, ids[2])
    sought = Sought(type="pdf.listed", limit=2)
    page = await queue.listed(bench.pool, LIVE, sought)
    assert [each.id for each in page] == [ids[4], ids[3]]
    rest = Sought(type="pdf.listed", before=page[-1].number, limit=9)
    assert [each.id for each in await queue.listed(bench.pool, LIVE, rest)] == ids[2::-1]
    waiting = Sought(type="pdf.listed", queue="pdf", status=Status.PENDING)
    assert len(await queue.listed(bench.pool, LIVE, waiting)) == 4
    gone = Sought(type="pdf.listed", status=Status.CANCELLED)
    assert [each.id for each in await queue.listed(bench.pool, LIVE, gone)] == [ids[2]]
    for status in (Status.FAILED, Status.RUNNING, Status.SUCCEEDED, Status.DEAD):
        found = await queue.listed(bench.pool, LIVE, Sought(type="pdf.listed", status=status))
        assert found == []


async def test_a_cancelled_job_can_be_retried(bench: Bench):
    id_ = await bench.enqueue("again", unique="x")
    cancelled = await queue.cancel(bench.pool, LIVE, id_)
    assert (cancelled.status, cancelled.error) == (Status.CANCELLED, "Cancelled")
    with pytest.raises(Conflict, match="job-ended"):
        await queue.cancel(bench.pool, LIVE, id_)
    retried = await queue.retry(bench.pool, LIVE, id_)
    assert (retried.status, retried.error) == (Status.PENDING, None)
    with pytest.raises(Conflict, match="job-not-retryable"):
        await queue.retry(bench.pool, LIVE, id_)


async def test_a_job_whose_name_is_taken_meanwhile_waits_its_turn(bench: Bench):
    id_ = await bench.enqueue("turn", unique="x")
    await queue.cancel(bench.pool, LIVE, id_)
    other = await bench.enqueue("turn", unique="x")
    assert other != id_
    with pytest.raises(Conflict, match="job-waits"):
        await queue.retry(bench.pool, LIVE, id_)


async def test_depths_count_what_waits(bench: Bench):
    async with bench.pool.connection() as connection:
        await connection.execute("DELETE FROM comptoir.procrastinate_jobs")
    later = datetime.now(UTC) + timedelta(days=1)
    await bench.enqueue("pdf.deep", run_at=later)
    await bench.enqueue("pdf.deep")
    await bench.enqueue("email.deep", TEST)
    found = await queue.depths(bench.pool, LIVE)
    assert set(found) == {"pdf"}
    assert (found["pdf"].waiting, found["pdf"].running, found["pdf"].dead) == (2, 0, 0)
    assert 0 <= found["pdf"].oldest < 60
