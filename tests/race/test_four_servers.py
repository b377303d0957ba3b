"""Four server processes on one database: whoever is asked, what happens is the same."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from itertools import count

import pytest

from tests.support.batches import assert_verified
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
SERVERS = 4
NUMBERS = count()


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Generator[Database]:
    with cluster.database() as made:
        yield made


@pytest.fixture(scope="module")
def servers(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Generator[list[Server]]:
    with serving(tmp_path_factory.mktemp("four"), database, SERVERS) as running:
        yield running


@pytest.fixture(scope="module")
def keys(database: Database) -> list[str]:
    return add_keys(database)


@pytest.fixture
async def clients(
    servers: list[Server], keys: list[str], database: Database
) -> AsyncGenerator[Crowd]:
    async with crowd(servers, keys) as clients:
        yield clients
        verified = await clients.get("/api/ledger/verify?full=true")
        assert verified.body["balanced"], verified.body["drift"]
    assert_verified(database)


def fresh(word: str) -> str:
    return f"{word}-{next(NUMBERS)}"


def spend(customer: str, amount: object = 1) -> Body:
    return {"customer": customer, "amount": amount}


def statuses(replies: list[Reply]) -> Counter[int]:
    return Counter(reply.status for reply in replies)


async def test_two_hundred_spends_on_a_hundred(clients: Crowd):
    alice = fresh("alice")
    await clients.grant(alice, "100")
    replies = await asyncio.gather(
        *(
            clients.post("/api/credits/spend", spend(alice), f"{alice}-{n}", at=n, who=n // 4)
            for n in range(200)
        )
    )
    assert statuses(replies) == {200: 100, 402: 100}
    refused = [reply for reply in replies if reply.status == 402]
    assert {reply.code for reply in refused} == {"insufficient-credits"}
    assert {(r.body["needed"], r.body["available"]) for r in refused} == {("1", "0")}
    balances = [await clients.balance(alice, at=server) for server in range(SERVERS)]
    assert {balance["balance"] for balance in balances} == {"0"}
    left = sorted(int(r.body["balance"]["balance"]) for r in replies if r.status == 200)
    assert left == list(range(100)), "each success saw a balance of its own"


async def test_chains_in_opposite_order_are_all_or_nothing(clients: Crowd):
    """A unit of stock and its price, asked for in both orders, with too few units for all."""
    buyers, units = [fresh("buyer") for _ in range(8)], 60
    tee = fresh("stock:TEE")
    granted = [
        {"op": "grant", "idempotency_key": f"fill-{tee}", "account": tee, "amount": units},
        *(
            {"op": "grant", "idempotency_key": f"fill-{b}", "customer": b, "amount": "1000"}
            for b in buyers
        ),
    ]
    await clients.post("/api/ledger/batch", {"requests": granted})

    def order(n: int) -> Body:
        unit = {"op": "spend", "idempotency_key": f"{tee}-{n}-unit", "account": tee, "amount": 1}
        price: Body = {"op": "spend", "idempotency_key": f"{tee}-{n}-price", "amount": "3"}
        price["customer"] = buyers[n % len(buyers)]
        both = [unit, price] if n % 2 else [price, unit]
        return {"requests": both, "atomic": True}

    replies = await asyncio.gather(
        *(clients.post("/api/ledger/batch", order(n), at=n, who=n // 4) for n in range(160))
    )
    assert statuses(replies) == {200: 160}
    found = Counter(
        tuple(sorted(result["outcome"] for result in reply.body["results"])) for reply in replies
    )
    assert found == {("created", "created"): units, ("chain_broken", "insufficient"): 100}
    left = await clients.get("/api/ledger/verify?full=true")
    assert left.body["balanced"]
    spent = [await clients.balance(buyer) for buyer in buyers]
    assert sum(1000 - int(each["balance"]) for each in spent) == 3 * units


async def test_transfers_in_opposite_order_never_deadlock(clients: Crowd):
    one, two = fresh("one"), fresh("two")
    await clients.grant(one, "1000")
    await clients.grant(two, "1000")
    replies = await asyncio.gather(
        *(
            clients.post(
                "/api/ledger/transfer",
                {"from": (one, two)[n % 2], "to": (two, one)[n % 2], "amount": 1},
                f"{one}-{n}",
                at=n // 2,
            )
            for n in range(200)
        )
    )
    assert statuses(replies) == {200: 200}
    assert {(await clients.balance(each))["balance"] for each in (one, two)} == {"1000"}


@pytest.mark.parametrize("amount", ["5", "5000"], ids=["afforded", "refused"])
async def test_fifty_repeats_have_one_effect_and_one_answer(clients: Crowd, amount: str):
    alice = fresh("alice")
    await clients.grant(alice, "100")
    replies = await asyncio.gather(
        *(
            clients.post(
                "/api/credits/spend", spend(alice, amount), f"once-{alice}", at=n, who=n // 4
            )
            for n in range(50)
        )
    )
    bodies = [{k: v for k, v in r.body.items() if k != "instance"} for r in replies]
    assert all(body == bodies[0] for body in bodies)
    assert statuses(replies) == {200 if amount == "5" else 402: 50}
    assert [reply.replayed for reply in replies].count(False) == 1
    found = await clients.get(f"/api/credits/transactions?customer={alice}")
    assert len(found.body["items"]) == (2 if amount == "5" else 1)


async def test_fifty_repeats_of_a_first_grant_open_one_account(clients: Crowd):
    """The customer, his account and his first movement are all new to every process."""
    alice = fresh("alice")
    body = {"customer": alice, "amount": "7", "reason": "welcome"}
    replies = await asyncio.gather(
        *(
            clients.post("/api/credits/grant", body, f"first-{alice}", at=n, who=n // 4)
            for n in range(50)
        )
    )
    assert statuses(replies) == {201: 50}
    assert all(reply.body == replies[0].body for reply in replies)
    assert [reply.replayed for reply in replies].count(False) == 1
    assert (await clients.balance(alice))["version"] == 1


async def test_fifty_repeats_of_a_chain_have_one_effect(clients: Crowd):
    alice, bob = fresh("alice"), fresh("bob")
    await clients.grant(alice, "100")
    await clients.grant(bob, "100")
    requests = [
        {"op": "hold", "idempotency_key": f"hold-{each}", "customer": each, "amount": "5",
         "ttl_seconds": 60}
        for each in (alice, bob)
    ]  # fmt: skip
    body = {"requests": requests, "atomic": True}
    replies = await asyncio.gather(
        *(clients.post("/api/ledger/batch", body, at=n, who=n // 4) for n in range(50))
    )
    assert statuses(replies) == {200: 50}
    assert [reply.replayed for reply in replies].count(False) == 1
    holds = {tuple(r["hold"]["id"] for r in reply.body["results"]) for reply in replies}
    assert len(holds) == 1
    for each in (alice, bob):
        assert (await clients.balance(each))["held"] == "5"


async def test_one_key_for_two_customers_at_once_has_one_winner(clients: Crowd):
    one, two = fresh("one"), fresh("two")
    await clients.grant(one, "100")
    await clients.grant(two, "100")

    async def duel(n: int) -> tuple[Reply, Reply]:
        return await asyncio.gather(
            clients.post("/api/credits/spend", spend(one), f"duel-{one}-{n}", at=n),
            clients.post("/api/credits/spend", spend(two), f"duel-{one}-{n}", at=n + 1, who=1),
        )

    for pair in await asyncio.gather(*(duel(n) for n in range(50))):
        assert sorted(reply.status for reply in pair) == [200, 422]
        [loser] = [reply for reply in pair if reply.status == 422]
        assert (loser.code, loser.body["field"]) == ("idempotency-key-reused", "customer")
    left = [int((await clients.balance(each))["balance"]) for each in (one, two)]
    assert sum(left) == 150


async def test_a_hold_is_captured_or_released_but_never_both(clients: Crowd):
    alice, holds = fresh("alice"), 40
    await clients.grant(alice, "1000")
    body = {"customer": alice, "amount": "10", "ttl_seconds": 600}
    made = await asyncio.gather(
        *(clients.post("/api/credits/holds", body, f"{alice}-h{n}", at=n) for n in range(holds))
    )
    ids = [reply.body["hold"]["id"] for reply in made]
    ends = await asyncio.gather(
        *(
            clients.post(f"/api/credits/holds/{id_}/{verb}", {}, f"{id_}-{verb}-{at}", at=at)
            for id_ in ids
            for at, verb in enumerate(("capture", "release") * 2)
        )
    )
    by_hold = [ends[n : n + 4] for n in range(0, len(ends), 4)]
    for four in by_hold:
        assert statuses(four) == {200: 1, 409: 3}
    captured = sum(four[n].status == 200 for four in by_hold for n in (0, 2))
    after = await clients.balance(alice)
    assert (after["balance"], after["held"]) == (str(1000 - 10 * captured), "0")
