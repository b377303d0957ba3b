"""Callers who go away in the middle of a request leave nothing behind."""

import asyncio
import json
from collections.abc import Generator
from pathlib import Path

import pytest

from comptoir.kit.ids import hold_name, request_id
from comptoir.store.pool import Limits
from tests.support.batches import (
    assert_verified,
    connections,
    leaked_holds,
    locks,
    rows,
    until,
)
from tests.support.postgres import Database
from tests.support.servers import LIVE, Crowd, Server, add_keys, crowd, serving

pytestmark = [pytest.mark.pg, pytest.mark.crash]
MANY = 1_000
LANES_KEPT = 2
BELLS = 2
"""Connections that only listen: to what has come in, and to what is to be told."""


@pytest.fixture
def server(tmp_path: Path, database: Database) -> Generator[Server]:
    with serving(tmp_path, database) as [one]:
        yield one


def spoken(key: str, token: str, n: int, ttl: int = 600) -> bytes:
    body = json.dumps({"customer": f"c{n % 20}", "amount": 1, "ttl_seconds": ttl}).encode()
    head = (
        "POST /api/credits/holds HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def hang_up(server: Server, words: bytes) -> None:
    """Say so much of a request and close the connection without waiting for an answer."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(words)
    await writer.drain()
    writer.close()


async def call(clients: Crowd, n: int) -> tuple[int, str]:
    body = {"customer": f"c{n % 20}", "amount": 1, "ttl_seconds": 600}
    reply = await clients.post("/api/credits/holds", body, f"h{n}")
    return reply.status, reply.body["hold"]["id"]


async def test_a_thousand_connections_closed_in_mid_request(server: Server, database: Database):
    keys = add_keys(database)
    async with crowd([server], keys) as clients:
        for n in range(20):
            await clients.grant(f"c{n}", "1000")
        whole = [spoken(f"h{n}", keys[0], n) for n in range(MANY)]
        # Every second one is cut somewhere: in the head, in the body, before the last byte.
        said = [w if n % 2 else w[: 1 + (n * 7) % (len(w) - 1)] for n, w in enumerate(whole)]
        await asyncio.gather(*(hang_up(server, words) for words in said))

        def is_done() -> bool:
            states = {state for _, state, _ in connections(database)}
            some = rows(database.owner_url, "SELECT FROM comptoir.holds LIMIT 1")
            return bool(some) and states <= {"idle"} and locks(database) == []

        await until(is_done)
        assert len(connections(database)) <= 1 + Limits().pool + LANES_KEPT + BELLS
        assert leaked_holds(database) == []
        made = {id_ for [id_] in rows(database.owner_url, "SELECT id FROM comptoir.holds")}
        cut_short = {request_id(LIVE, f"h{n}") for n in range(0, MANY, 2)}
        assert made, "requests that were read are done, though nobody waits for the answer"
        assert not made & cut_short, "what was not said to the end was not asked"
        answers = await asyncio.gather(*(call(clients, n) for n in range(MANY)))
    assert answers == [(201, hold_name(request_id(LIVE, f"h{n}"))) for n in range(MANY)]
    held = rows(database.owner_url, "SELECT sum(held) FROM comptoir.accounts")
    assert held == [(MANY * 1_000_000,)], "each hold counts once"
    assert_verified(database)


async def test_a_thousand_cancelled_clients(server: Server, database: Database):
    """The same through a client that is cancelled in mid-request, as a web page is closed."""
    async with crowd([server], add_keys(database)) as clients:
        for n in range(20):
            await clients.grant(f"c{n}", "1000")
        asked = [asyncio.ensure_future(call(clients, n)) for n in range(MANY)]
        await until(lambda: sum(task.done() for task in asked) > MANY // 10)
        for task in asked:
            task.cancel()
        gone = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(each, asyncio.CancelledError) for each in gone) > MANY // 20
        answers = await asyncio.gather(*(call(clients, n) for n in range(MANY)))
    assert answers == [(201, hold_name(request_id(LIVE, f"h{n}"))) for n in range(MANY)]
    assert leaked_holds(database) == []
    assert_verified(database)


async def test_a_hold_that_outlives_its_holder_is_captured_late(server: Server, database: Database):
    keys = add_keys(database)
    async with crowd([server], keys) as clients:
        await clients.grant("c0", "10")
        await hang_up(server, spoken("gone", keys[0], 0, ttl=1))
        path = f"/api/credits/holds/{hold_name(request_id(LIVE, 'gone'))}"

        async def is_over() -> bool:
            return (await clients.get(path)).body.get("state") == "expired"

        await until(is_over)
        assert (await clients.balance("c0"))["available"] == "10"
        late = await clients.post(f"{path}/capture", {}, "late")
        assert (late.status, late.body["late"]) == (200, True)
        assert (await clients.balance("c0"))["available"] == "9"
    assert_verified(database)
