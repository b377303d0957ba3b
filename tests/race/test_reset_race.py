"""The test book is emptied, again and again, while two servers are hard at work in it."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from itertools import count
from pathlib import Path

import pytest

from tests.support.batches import assert_verified
from tests.support.postgres import Database
from tests.support.servers import Body, Crowd, Reply, add_keys, crowd, serving

pytestmark = [pytest.mark.pg, pytest.mark.race]
NUMBERS = count()
TEST = 2
RESETS = 8
WRITERS = 24


@pytest.fixture
async def clients(database: Database, tmp_path: Path) -> AsyncGenerator[Crowd]:
    """Their keys are of the test book; the last one is an operator's of the live one."""
    keys = [*add_keys(database, TEST), add_keys(database)[0]]
    with serving(tmp_path, database, 2) as servers:
        async with crowd(servers, keys) as clients:
            yield clients
    assert_verified(database)


async def work(clients: Crowd, done: asyncio.Event, replies: list[Reply]) -> None:
    """Use a few names that all the others use, too, until told to stop."""
    while not done.is_set():
        n = next(NUMBERS)
        name, other = f"user{n % 5}", f"user{(n + 1) % 5}"
        asked: list[tuple[str, Body]] = [
            ("/api/credits/grant", {"customer": name, "amount": "5", "reason": "x"}),
            ("/api/credits/spend", {"customer": name, "amount": "1", "reason": "x"}),
            ("/api/ledger/transfer", {"from": name, "to": other, "amount": "1"}),
            ("/api/credits/grant", {"customer": "stock:TEE", "amount": 1, "reason": "x"}),
            ("/api/credits/holds", {"customer": name, "amount": "1", "ttl_seconds": 60}),
        ]
        path, body = asked[n % len(asked)]
        reply = await clients.post(path, body, f"key-{n}", at=n % 2, who=n // 2 % 2)
        replies.append(reply)
        if "hold" in reply.body and n % 2:
            await clients.post(
                f"/api/credits/holds/{reply.body['hold']['id']}/capture", {}, f"capture-{n}", at=n
            )


async def test_whoever_is_at_work_goes_on(clients: Crowd, database: Database):
    live = await clients.post(
        "/api/credits/grant", {"customer": "alice", "amount": "9", "reason": "x"}, "live", who=2
    )
    assert live.status == 201
    done = asyncio.Event()
    replies: list[Reply] = []
    async with asyncio.TaskGroup() as tasks:
        for _ in range(WRITERS):
            tasks.create_task(work(clients, done, replies))
        for n in range(RESETS):
            before = len(replies)
            while len(replies) < before + 100:  # noqa: ASYNC110  # until they have done some more
                await asyncio.sleep(0.01)
            reset = await clients.post("/api/books/test/reset", {}, f"reset-{n}", at=n)
            assert reset.status == 200, reset
            assert reset.body["accounts"] > 0
        done.set()
    assert set(Counter(reply.status for reply in replies)) <= {200, 201, 402}
    last = await clients.post("/api/books/test/reset", {}, "last")
    assert last.status == 200
    for at in range(2):
        for n in range(5):
            body: Body = {"customer": f"user{n}", "amount": "2", "reason": "x"}
            granted = await clients.post("/api/credits/grant", body, f"after-{at}-{n}", at=at)
            assert granted.body["balance"]["balance"] == str(2 + 2 * at), granted
    assert (await clients.get("/api/ledger/verify?full=true")).body["balanced"]
