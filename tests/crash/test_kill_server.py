"""The server is killed again and again in the middle of its work."""

import asyncio
import logging
import random
from pathlib import Path

import pytest

from tests.crash.load import Load, judge, work
from tests.support.batches import assert_verified
from tests.support.postgres import Database
from tests.support.servers import Server, add_keys, crowd, serving

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.pg, pytest.mark.crash]


async def kill_and_restart(load: Load, server: Server, kills: int, between: int) -> list[int]:
    """Kill the server at random moments; returns how many requests each kill caught."""
    draw, caught = random.Random(load.seed), list[int]()
    for _ in range(kills):
        await load.wait_for(between + draw.randrange(between // 10))
        load.up.clear()
        caught.append(load.under_way)
        server.kill()
        await asyncio.to_thread(lambda: server.start().wait_until_ready())
        load.up.set()
    await load.wait_for(between)
    return caught


async def killed_server(folder: Path, database: Database, kills: int, between: int) -> Load:
    keys, caught = add_keys(database), list[int]()
    with serving(folder, database) as [server]:
        async with crowd([server], keys) as clients:

            async def disturb(load: Load) -> None:
                caught.extend(await kill_and_restart(load, server, kills, between))

            load = await work(clients, kills, disturb)
            await load.repeat_all()
            verified = await clients.get("/api/ledger/verify?full=true")
    assert verified.body["balanced"], verified.body["drift"]
    assert_verified(database)
    judge(database.owner_url, load.asked)
    assert len(caught) == kills
    assert min(caught) > 0, "each kill came while requests were under way"
    assert load.acknowledged >= kills * between
    assert {status for status, _ in load.failures} <= {409, 503}, load.failures
    return load


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path, database: Database):
    await killed_server(tmp_path, database, kills=4, between=300)


@pytest.mark.soak
async def test_twenty_kills_under_load(tmp_path: Path, database: Database):
    load = await killed_server(tmp_path, database, kills=25, between=1_000)
    assert load.found_done > 0, "some kills came between a commit and its answer"
    log.warning("%d acknowledged, %d answers lost", load.acknowledged, load.found_done)
