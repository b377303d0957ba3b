"""`comptoir serve` behind PgBouncer in transaction mode: real processes, real HTTP."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.batches import assert_verified
from tests.support.pgbouncer import pooled
from tests.support.postgres import Database
from tests.support.servers import Crowd, add_keys, crowd, serving

pytestmark = pytest.mark.pg
WRITERS = 64
TIMES = 10


@pytest.fixture(params=[0, 200], ids=["unprepared", "prepared"])
async def clients(
    request: pytest.FixtureRequest, tmp_path: Path, database: Database
) -> AsyncGenerator[Crowd]:
    """Clients of two servers behind one pooler; the books are verified at the end."""
    with ExitStack() as stack:
        url = stack.enter_context(pooled(database.app_url, request.param))
        behind = replace(database, app_url=url)
        servers = stack.enter_context(serving(tmp_path, behind, 2))
        async with crowd(servers, add_keys(database)) as made:
            yield made
    assert_verified(database)


async def test_grants_spends_and_holds_behind_a_pooler(clients: Crowd):
    await clients.grant("a", "100")
    spent = await clients.post("/api/credits/spend", {"customer": "a", "amount": 5}, "s")
    assert (spent.status, spent.body["balance"]["available"]) == (200, "95")
    again = await clients.post("/api/credits/spend", {"customer": "a", "amount": 5}, "s", at=1)
    assert (again.status, again.replayed) == (200, True)
    poor = await clients.post("/api/credits/spend", {"customer": "a", "amount": 96}, "poor")
    assert (poor.status, poor.code) == (402, "insufficient-credits")
    hold = {"customer": "a", "amount": 10, "ttl_seconds": 60}
    held = await clients.post("/api/credits/holds", hold, "h")
    assert (held.status, held.body["balance"]["available"]) == (201, "85")
    path = f"/api/credits/holds/{held.body['hold']['id']}"
    taken = await clients.post(f"{path}/capture", {"amount": 4}, "c", at=1)
    assert (taken.status, taken.body["balance"]["available"]) == (200, "91")
    assert (await clients.get(path)).body["state"] == "captured"
    lines = await clients.get("/api/credits/transactions?customer=a")
    assert [line["kind"] for line in lines.body["items"]] == ["capture", "spend", "grant"]


async def test_64_writers_and_batches_behind_a_pooler(clients: Crowd):
    await clients.grant("a", "10000")

    async def write(writer: int) -> None:
        for n in range(TIMES):
            body = {"customer": "a", "amount": 1}
            reply = await clients.post("/api/credits/spend", body, f"{writer}-{n}", at=writer)
            assert reply.status == 200, reply

    async def write_batch(number: int) -> None:
        requests = [
            {"op": "spend", "idempotency_key": f"b{number}-{n}", "customer": "a", "amount": 1}
            for n in range(100)
        ]
        reply = await clients.post("/api/ledger/batch", {"requests": requests}, at=number)
        assert {each["outcome"] for each in reply.body["results"]} == {"created"}

    async with asyncio.TaskGroup() as group:
        for number in range(WRITERS):
            group.create_task(write(number))
        for number in range(4):
            group.create_task(write_batch(number))
    balance = await clients.balance("a", at=1)
    assert balance["balance"] == str(10_000 - WRITERS * TIMES - 400)
    for path in ("/api/ledger/verify", "/api/ledger/verify?full=true"):
        verified = await clients.get(path)
        assert verified.body["balanced"], verified.body
