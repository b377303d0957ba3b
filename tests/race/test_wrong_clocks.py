"""Servers whose clocks are an hour wrong decide as the others do: time is the database's."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg
import pytest

from tests.support.batches import assert_verified, until
from tests.support.postgres import Cluster, Database
from tests.support.servers import (
    Body,
    Crowd,
    Reply,
    Server,
    add_keys,
    crowd,
    serving,
)

pytestmark = [pytest.mark.pg, pytest.mark.race]
HOUR = 3_600
CLOCKS = (0, HOUR, -HOUR)
RIGHT, AHEAD, BEHIND = range(3)
NUMBERS = count()


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Generator[Database]:
    with cluster.database() as made:
        yield made


@pytest.fixture(scope="module")
def servers(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Generator[list[Server]]:
    with serving(tmp_path_factory.mktemp("clocks"), database, 3, CLOCKS) as running:
        yield running


@pytest.fixture
async def clients(servers: list[Server], database: Database) -> AsyncGenerator[Crowd]:
    async with crowd(servers, add_keys(database)) as clients:
        yield clients
    assert_verified(database)


def fresh(word: str) -> str:
    return f"{word}-{next(NUMBERS)}"


def time_of(database: Database) -> datetime:
    with psycopg.connect(database.app_url) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return row[0].astimezone(UTC)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def write(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def everywhere(clients: Crowd, path: str) -> list[Body]:
    """What each server says when asked the same."""
    return [(await clients.get(path, at=server)).body for server in range(3)]


@pytest.mark.parametrize("server", [RIGHT, AHEAD, BEHIND])
async def test_the_clocks_are_really_wrong(clients: Crowd, database: Database, server: int):
    """Otherwise nothing here would prove anything."""
    headers = {"Authorization": f"Bearer {clients.keys[0]}"}
    url = clients.servers[server].url + "/api/keys"
    async with clients.session.post(
        url, json={"role": "service", "name": "x"}, headers=headers
    ) as reply:
        id_ = (await reply.json())["id"].replace("-", "")
    stamped = int(id_[:12], 16) / 1_000
    off = stamped - time_of(database).timestamp()
    assert abs(off - CLOCKS[server]) < HOUR / 2


@pytest.mark.parametrize("server", [AHEAD, BEHIND])
async def test_movements_bear_the_time_of_the_database(
    clients: Crowd, database: Database, server: int
):
    alice, before = fresh("alice"), time_of(database)
    await clients.grant(alice, "100")
    for n in range(10):
        body = {"customer": alice, "amount": 1}
        at = (server, RIGHT)[n % 2]
        done = await clients.post("/api/credits/spend", body, f"{alice}-{n}", at=at)
        assert done.status == 200
    after = time_of(database)
    found = await clients.get(f"/api/credits/transactions?customer={alice}")
    times = [moment(item["at"]) for item in reversed(found.body["items"])]
    assert times == sorted(times)
    assert before <= times[0] <= times[-1] <= after


@pytest.mark.parametrize("server", [RIGHT, AHEAD, BEHIND])
async def test_a_hold_lives_as_long_wherever_it_was_made(
    clients: Crowd, database: Database, server: int
):
    alice = fresh("alice")
    await clients.grant(alice, "100")
    before = time_of(database)
    body: Body = {"customer": alice, "amount": "10", "ttl_seconds": 60}
    made = await clients.post("/api/credits/holds", body, f"{alice}-h", at=server)
    hold = made.body["hold"]
    life = moment(hold["expires_at"]) - before
    assert timedelta(seconds=60) <= life <= timedelta(seconds=60) + (time_of(database) - before)
    views = await everywhere(clients, f"/api/credits/holds/{hold['id']}")
    assert views[0] == views[1] == views[2]
    assert views[0]["state"] == "open"
    end = f"/api/credits/holds/{hold['id']}/capture"
    captured = await clients.post(end, {}, f"{alice}-c", at=server + 1)
    assert (captured.status, captured.body["late"]) == (200, False)


@pytest.mark.parametrize("server", [RIGHT, AHEAD, BEHIND])
async def test_a_hold_that_outlived_its_time_is_captured_late(clients: Crowd, server: int):
    alice = fresh("alice")
    await clients.grant(alice, "10")
    body: Body = {"customer": alice, "amount": "4", "ttl_seconds": 1}
    made = await clients.post("/api/credits/holds", body, f"{alice}-h", at=server)
    path = f"/api/credits/holds/{made.body['hold']['id']}"
    assert {each["state"] for each in await everywhere(clients, path)} == {"open"}

    async def is_over() -> bool:
        return (await clients.get(path)).body["state"] == "expired"

    await until(is_over)
    assert {each["state"] for each in await everywhere(clients, path)} == {"expired"}
    balances = await everywhere(clients, f"/api/credits/balance?customer={alice}")
    assert [(each["available"], each["held"]) for each in balances] == [("10", "0")] * 3
    late = await clients.post(f"{path}/capture", {}, f"{alice}-c", at=server + 1)
    assert (late.status, late.body["late"], late.body["balance"]["balance"]) == (200, True, "6")


async def test_a_grant_expires_everywhere_at_once(clients: Crowd, database: Database):
    now = time_of(database)

    async def grant(customer: str, expires: datetime, server: int) -> Reply:
        body: Body = {"customer": customer, "amount": "10", "reason": "x"}
        body["expires_at"] = write(expires)
        return await clients.post("/api/credits/grant", body, fresh("key"), at=server)

    soon = now + timedelta(seconds=2)
    past = [await grant(fresh("past"), now - timedelta(seconds=1), n) for n in range(3)]
    assert [(reply.status, reply.code) for reply in past] == [(409, "expired")] * 3
    later = fresh("later")
    granted = [await grant(later, now + timedelta(minutes=5), n) for n in range(3)]
    names = [fresh("soon") for _ in range(3)]
    granted += [await grant(name, soon, n) for n, name in enumerate(names)]
    assert [reply.status for reply in granted] == [201] * 6
    balances = await everywhere(clients, f"/api/credits/balance?customer={later}")
    assert [each["available"] for each in balances] == ["30"] * 3

    async def are_over() -> bool:
        found = [await clients.balance(name) for name in names]
        return all(each["available"] == "0" for each in found)

    await until(are_over)
    assert time_of(database) >= soon
    for n, name in enumerate(names):
        body = {"customer": name, "amount": 1}
        refused = await clients.post("/api/credits/spend", body, fresh("key"), at=n)
        assert (refused.status, refused.code) == (402, "insufficient-credits")


async def scenario(clients: Crowd, server: int) -> list[tuple[Any, ...]]:
    """The same day at any server: what was answered, without names and times."""
    alice, seen = fresh("alice"), list[tuple[Any, ...]]()

    async def post(path: str, body: Body, key: str) -> Reply:
        reply = await clients.post(path, body, f"{alice}-{key}", at=server)
        balance = reply.body.get("balance", {})
        seen.append(
            (
                (reply.status, reply.code, reply.replayed, reply.body.get("available")),
                [balance.get(name) for name in ("balance", "held", "debt", "low", "version")],
            )
        )
        return reply

    grant: Body = {"customer": alice, "amount": "10", "reason": "x"}
    for key in ("g", "g", "g2"):
        await post("/api/credits/grant", grant, key)
    for key in ("s", "s", "s2", "s3"):
        await post("/api/credits/spend", {"customer": alice, "amount": "8"}, key)
    hold: Body = {"customer": alice, "amount": "3", "ttl_seconds": 600}
    made = await post("/api/credits/holds", hold, "h")
    await post("/api/credits/holds", hold | {"amount": "4"}, "h")
    await post("/api/credits/holds", hold, "h2")
    end = f"/api/credits/holds/{made.body['hold']['id']}"
    await post(f"{end}/renew", {"ttl_seconds": 86_400}, "renew")
    await post(f"{end}/capture", {"amount": "1", "final": False}, "c")
    await post(f"{end}/release", {}, "r")
    await post(f"{end}/capture", {}, "c2")
    return seen


async def test_the_same_day_goes_the_same_way(clients: Crowd):
    right, ahead, behind = await asyncio.gather(*(scenario(clients, n) for n in range(3)))
    assert right == ahead == behind
    assert {each[0][0] for each in right} == {200, 201, 402, 409, 422}


async def test_refusals_and_answers_are_stored_for_all(clients: Crowd):
    alice = fresh("alice")
    await clients.grant(alice, "10")
    for amount, status in (("4", 200), ("40", 402)):
        body, key = {"customer": alice, "amount": amount}, f"{alice}-{amount}"
        first = await clients.post("/api/credits/spend", body, key, at=AHEAD)
        again = [await clients.post("/api/credits/spend", body, key, at=n) for n in range(3)]
        assert {reply.status for reply in (first, *again)} == {status}
        assert [reply.replayed for reply in (first, *again)] == [False, True, True, True]
        assert all(reply.body == first.body for reply in again)


async def test_customer_tokens_are_what_the_clock_of_a_process_is_for(clients: Crowd):
    """Whoever mints and reads tokens must agree on the time; nothing else does."""
    alice = fresh("alice")
    await clients.grant(alice, "10")
    minted = [
        await clients.post(
            "/api/customer-tokens", {"customer": alice, "ttl_seconds": HOUR // 2}, at=server, who=1
        )
        for server in range(3)
    ]
    tokens = [reply.body["token"] for reply in minted]

    async def may_read(token: str, server: int) -> bool:
        url = f"{clients.servers[server].url}/api/credits/balance"
        async with clients.session.get(url, headers={"Authorization": f"Bearer {token}"}) as reply:
            assert reply.status in {200, 401}
            return reply.status == 200

    believed = [[await may_read(token, server) for server in range(3)] for token in tokens]
    assert believed == [[True, False, True], [True, True, True], [False, False, True]]
