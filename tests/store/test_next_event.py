"""The next event of a backlog: found at once, whatever the statistics say; the oldest first."""

import asyncio
import json

import psycopg
import pytest

from comptoir.kit.errors import NotFound
from comptoir.store import inbox
from comptoir.store.directory import Directory
from comptoir.store.pool import Limits, begin, open_pool
from comptoir.store.sql_inbox import CLAIM
from tests.support.postgres import Database

OBJECTS = 1_000
BUFFERS = 100
"""Pages that one claim may look at. Whoever compares all with all looks at 400,000."""

ADD = """
INSERT INTO comptoir.inbox (book_id, source, event_id, type, object_id, livemode, occurred_at, via,
    state, due_at, body)
SELECT 1, 'stripe', 'evt_' || %(name)s || n, 'charge.refunded', 'pi_' || n / 2, false,
    now() - n * interval '1 second', 'webhook', %(state)s,
    CASE WHEN %(state)s = 'received' THEN now() - (10000 - n) * interval '1 second' END, '{}'
FROM generate_series(2, %(last)s) n"""


@pytest.fixture
def backlog(database: Database) -> Database:
    """Two events of each object wait, and the younger came first; statistics know of none."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(ADD, {"name": "old", "state": "done", "last": 100})
        connection.execute("VACUUM ANALYZE comptoir.inbox")
        new = {"name": "new", "state": "received", "last": OBJECTS * 2 + 1}
        connection.execute(ADD, new)
    return database


@pytest.mark.pg
def test_a_claim_looks_at_little_whatever_waits(backlog: Database):
    with psycopg.connect(backlog.app_url) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        seen: list[int] = []
        for _ in range(2):
            row = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {CLAIM}").fetchone()
            assert row is not None
            plan = (json.loads(row[0]) if isinstance(row[0], str) else row[0])[0]["Plan"]
            seen.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
    # The first one also reads the catalogue, to plan.
    assert seen[1] < BUFFERS, seen


@pytest.mark.pg
async def test_the_older_event_of_an_object_goes_first(backlog: Database):
    limits = Limits(pool=2)
    async with open_pool(backlog.app_url, limits) as pool, begin(pool) as one, begin(pool) as other:
        first, second = await inbox.claim(one), await inbox.claim(other)
    assert first is not None
    assert second is not None
    # n counts back in time: of 2 and 3, which share an object, 3 is the older.
    assert (first.event.id, second.event.id) == ("evt_new3", "evt_new5")


@pytest.mark.pg
async def test_who_asks_while_facts_are_loaded_gets_all_of_them(database: Database):
    async with (
        open_pool(database.app_url, Limits(pool=4)) as pool,
        Directory(pool) as directory,
        asyncio.TaskGroup() as tasks,
    ):
        names = [tasks.create_task(_assets(directory)) for _ in range(4)]
    assert all("credits" in task.result() for task in names)


async def _assets(directory: Directory) -> list[str]:
    return list((await directory.facts(1)).assets)


@pytest.mark.pg
async def test_an_asset_that_was_added_elsewhere_is_found(database: Database):
    async with (
        open_pool(database.app_url, Limits(pool=2)) as pool,
        Directory(pool) as here,
        Directory(pool) as there,
    ):
        await here.facts(1)
        added = await there.open_asset(1, "gems", 0)
        assert (await here.asset_of(1, added.id)) == added
        with pytest.raises(NotFound):
            await here.asset_of(1, 10**6)
