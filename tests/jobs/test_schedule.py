"""Periodic jobs: slots through absences and changes of the clock, and once over all workers."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.jobs import queue, sql
from comptoir.jobs.queue import Sought
from comptoir.jobs.schedule import Missed, Periodic, due, enqueue_due
from comptoir.store.pool import begin
from tests.support.postgres import Database
from tests.support.working import LIVE, Bench, open_bench

PARIS = "Europe/Paris"
SPRING = datetime(2026, 3, 29, tzinfo=UTC)
"""At 01:00 UTC it is 03:00 in Paris, not 02:00."""
AUTUMN = datetime(2026, 10, 25, tzinfo=UTC)
"""At 01:00 UTC it is 02:00 in Paris again."""


def paris(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(PARIS))


def test_an_hour_that_a_day_does_not_have_is_the_one_after_it():
    nightly = Periodic("grant", "30 2 * * *", PARIS)
    found = list(islice(nightly.slots(SPRING - timedelta(days=1)), 3))
    assert found == [paris(2026, 3, 28, 2, 30), SPRING.replace(hour=1, minute=30),
                     paris(2026, 3, 30, 2, 30)]  # fmt: skip


def test_an_hour_that_a_day_has_twice_counts_once():
    nightly = Periodic("grant", "30 2 * * *", PARIS)
    found = list(islice(nightly.slots(AUTUMN - timedelta(days=1)), 3))
    assert found == [paris(2026, 10, 24, 2, 30), AUTUMN.replace(minute=30),
                     paris(2026, 10, 26, 2, 30)]  # fmt: skip


def test_every_hour_is_every_hour():
    hourly = Periodic("count", "0 * * * *", PARIS)
    for day in (SPRING, AUTUMN):
        found = list(islice(hourly.slots(day), 30))
        assert {b - a for a, b in pairwise(found)} == {timedelta(hours=1)}


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["30 2 * * *", "0 3 * * 1", "15 0 1 * *", "*/7 * * * *", "59 23 * * *"]),
    st.sampled_from([PARIS, "UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_slots_go_forward_and_do_not_depend_on_where_one_begins(
    since: datetime, cron: str, zone: str
):
    periodic = Periodic("x", cron, zone)
    found = list(islice(periodic.slots(since), 5))
    assert all(a < b for a, b in pairwise([since, *found]))
    assert list(islice(periodic.slots(found[1]), 3)) == found[2:]
    assert list(islice(periodic.slots(found[0] - timedelta(microseconds=1)), 5)) == found


DOWN = datetime(2026, 3, 27, 12, tzinfo=UTC)
UP = DOWN + timedelta(days=3)
"""Three days without any worker, with a change of the clock in them."""


def test_what_was_missed_in_three_days_is_all_made_up_for():
    slots, until = due(Periodic("grant", "30 2 * * *", PARIS, Missed.ALL), DOWN, UP)
    assert [slot.astimezone(ZoneInfo(PARIS)).day for slot in slots] == [28, 29, 30]
    assert until == slots[-1]


def test_or_only_the_last_of_it():
    slots, until = due(Periodic("tidy", "30 2 * * *", PARIS, Missed.LATEST), DOWN, UP)
    assert slots == [paris(2026, 3, 30, 2, 30)] == [until]


def test_or_nothing():
    none = Periodic("greet", "30 2 * * *", PARIS, Missed.NONE)
    slots, until = due(none, DOWN, UP)
    assert (slots, until) == ([], paris(2026, 3, 30, 2, 30))
    just = until + timedelta(seconds=20)
    assert due(none, DOWN, just)[0] == [until], "what is due just now was not missed"


def test_a_clock_that_went_back_repeats_nothing():
    nightly = Periodic("grant", "30 2 * * *", PARIS, Missed.ALL)
    assert due(nightly, UP, DOWN) == ([], UP)


def test_a_very_long_absence_is_made_up_for_in_parts():
    often = Periodic("tick", "* * * * *", missed=Missed.ALL)
    since, made, rounds = DOWN, 0, 0
    while since < UP:
        slots, since = due(often, since, UP)
        made, rounds = made + len(slots), rounds + 1
    assert (made, rounds) == (3 * 24 * 60, 5)
    latest = Periodic("tick", "* * * * *")
    since, slots = DOWN, list[datetime]()
    while since < UP:
        more, since = due(latest, since, UP)
        slots += more
    assert slots == [UP]


@pytest.fixture
async def bench(database: Database) -> AsyncGenerator[Bench]:
    async with open_bench(database) as found:
        yield found


async def missed(bench: Bench, periodic: Periodic, since: datetime) -> None:
    """Let the last slot be some time ago."""
    async with begin(bench.pool) as tx:
        await tx.execute(sql.TAKE_SLOT, (periodic.task, since, None))


@pytest.mark.pg
async def test_five_workers_enqueue_each_slot_once(bench: Bench):
    periodic = Periodic("grant", "0 0 * * *", missed=Missed.ALL, payload={"plan": "pro"})
    now = datetime.now(UTC)
    await missed(bench, periodic, now - timedelta(days=3))
    rounds = await asyncio.gather(*(enqueue_due(bench.pool, periodic) for _ in range(5)))
    made = [id_ for round_ in rounds for id_ in round_]
    assert len(made) == len(set(made)) == 3
    jobs = await queue.listed(bench.pool, LIVE, Sought(type="grant"))
    assert {job.id for job in jobs} == set(made)
    days = sorted(job.payload["slot"] for job in jobs)
    assert [datetime.fromisoformat(day).hour for day in days] == [0, 0, 0]
    assert {job.payload["plan"] for job in jobs} == {"pro"}
    assert await enqueue_due(bench.pool, periodic) == []


@pytest.mark.pg
async def test_a_new_periodic_job_begins_now(bench: Bench):
    periodic = Periodic("grant", "* * * * *", missed=Missed.ALL)
    assert await enqueue_due(bench.pool, periodic) == []
    assert await queue.listed(bench.pool, LIVE, Sought(type="grant")) == []


@pytest.mark.pg
async def test_what_was_skipped_is_skipped_once(bench: Bench):
    periodic = Periodic("greet", "0 0 1 1 *", missed=Missed.NONE)
    await missed(bench, periodic, datetime.now(UTC) - timedelta(days=800))
    for _ in range(3):
        assert await enqueue_due(bench.pool, periodic) == []
    async with begin(bench.pool) as tx:
        row = await (await tx.execute(sql.LAST_SLOT, (periodic.task,))).fetchone()
    assert row is not None
    assert row[0].astimezone(UTC).month == 1
