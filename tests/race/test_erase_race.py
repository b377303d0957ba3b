"""A person is erased while two servers write about him: no text is left behind, no line is lost."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from itertools import count

import pytest

from tests.support.batches import assert_verified
from tests.support.postgres import Cluster, Database
from tests.support.remains import remains
from tests.support.servers import Body, Crowd, Reply, Server, add_keys, crowd, serving

pytestmark = [pytest.mark.pg, pytest.mark.race]
NUMBERS = count()
ROUNDS = 6
WRITERS, REQUESTS = 24, 240


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Generator[Database]:
    with cluster.database() as made:
        yield made


@pytest.fixture(scope="module")
def servers(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Generator[list[Server]]:
    with serving(tmp_path_factory.mktemp("erase"), database, 2) as running:
        yield running


@pytest.fixture
async def clients(servers: list[Server], database: Database) -> AsyncGenerator[Crowd]:
    async with crowd(servers, add_keys(database)) as clients:
        yield clients
        verified = await clients.get("/api/ledger/verify?full=true")
        assert verified.body["balanced"], verified.body["drift"]
    assert_verified(database)


def person() -> str:
    return f"nadia{next(NUMBERS)}@example.org"


def request(name: str, other: str, n: int) -> tuple[str, Body]:
    """The n-th request about somebody, full of what must not stay."""
    texts: Body = {
        "reason": f"for {name}", "reference": f"order of {name}", "metadata": {name: name},
    }  # fmt: skip
    kinds: list[tuple[str, Body]] = [
        ("/api/credits/spend", {"customer": name, "amount": "1"}),
        ("/api/credits/grant", {"customer": name, "amount": "1"}),
        ("/api/ledger/transfer", {"from": name, "to": other, "amount": "1"}),
        ("/api/ledger/transfer", {"from": other, "to": name, "amount": "1"}),
    ]
    path, body = kinds[n % len(kinds)]
    return path, body | texts


async def erase(clients: Crowd, name: str, key: str, *, at: int = 0) -> Reply:
    """Erase somebody, as an operator does: again when he was busy."""
    while True:  # bounded by the test's own timeout
        reply = await clients.post(f"/api/customers/{name}/erase", {}, key, at=at)
        if reply.status != 503:
            return reply


async def write_and_erase(clients: Crowd, name: str, other: str) -> list[Reply]:
    """Many requests about somebody, in their order; he is erased when some of them are done."""
    replies: dict[int, Reply] = {}
    begun = asyncio.Event()

    async def write(first: int) -> None:
        for n in range(first, REQUESTS, WRITERS):
            path, body = request(name, other, n)
            replies[n] = await clients.post(path, body, f"{name}-{n}", at=n, who=n % 2)
            if len(replies) > REQUESTS // 4:
                begun.set()

    async with asyncio.TaskGroup() as tasks:
        for first in range(WRITERS):
            tasks.create_task(write(first))
        await begun.wait()
        erased = await erase(clients, name, f"erase-{name}")
        assert erased.status == 200
    return [replies[n] for n in range(REQUESTS)]


def is_split(replies: list[Reply]) -> bool:
    """Whether some were about the person, and others about a new one of the same name."""
    own = [replies[n] for n in range(REQUESTS) if n % 4 < 2]
    accounts = {r.body["movement"]["id"].split("_")[1] for r in own if "movement" in r.body}
    return len(accounts) == 2 or any(reply.status == 402 for reply in own)


async def test_writers_leave_no_text_behind(clients: Crowd, database: Database):
    split = 0
    for _ in range(ROUNDS):
        name, other = person(), f"other{next(NUMBERS)}"
        await clients.grant(name, "1000")
        await clients.grant(other, "1000")
        replies = await write_and_erase(clients, name, other)
        assert {reply.status for reply in replies} <= {200, 201, 402}
        split += is_split(replies)
        # Whoever came after the erasure has opened a new customer of that name: he goes, too.
        await erase(clients, name, f"again-{name}", at=1)
        assert remains(database.superuser_url, [name]) == []
        before = await clients.balance(other)
        again = await asyncio.gather(
            *(
                clients.post(*request(name, other, n), f"{name}-{n}", at=n, who=n % 2)
                for n in range(REQUESTS)
            )
        )
        assert [(r.status, r.replayed) for r in again] == [(r.status, True) for r in replies]
        assert await clients.balance(other) == before
        assert remains(database.superuser_url, [name]) == []
    assert split, "the erasure never came in between"


async def test_another_server_forgets_at_once(clients: Crowd):
    """It has the name in memory, and used it a moment ago."""
    name = person()
    await clients.grant(name, "100")
    for at in range(2):
        spent = await clients.post("/api/credits/spend", {"customer": name, "amount": 1}, at=at,
                                   key=f"{name}-{at}")  # fmt: skip
        assert spent.status == 200
    await erase(clients, name, f"erase-{name}", at=0)
    assert (await clients.balance(name, at=1))["version"] == 0
    body: Body = {"customer": name, "amount": "1"}
    refused = await clients.post("/api/credits/spend", body, f"{name}-new", at=1)
    assert (refused.status, refused.body["available"]) == (402, "0")
    again = await clients.post("/api/credits/spend", body | {"amount": 1}, f"{name}-1", at=0)
    assert (again.status, again.replayed) == (200, True)
    granted = await clients.grant(name, "7", f"{name}-later")
    assert granted.body["balance"]["balance"] == "7"
    assert (await clients.balance(name, at=1))["balance"] == "7"


async def test_ten_erasures_at_once_are_one(clients: Crowd):
    name = person()
    await clients.grant(name, "100")
    replies = await asyncio.gather(
        *(clients.post(f"/api/customers/{name}/erase", {}, f"one-{name}", at=n) for n in range(10))
    )
    assert {reply.status for reply in replies} == {200}
    assert [reply.replayed for reply in replies].count(False) == 1
    assert all(reply.body == replies[0].body for reply in replies)
