"""The guards through the library's door, as applications use them."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Literal

import pytest

from comptoir import (
    Claim,
    Comptoir,
    ComptoirError,
    Conflict,
    Invalid,
    Job,
    Jobs,
    JobStatus,
    QuotaReached,
    RateLimit,
)
from tests.support.batches import until
from tests.support.postgres import Database

pytestmark = pytest.mark.pg


@pytest.fixture
async def books(database: Database) -> AsyncGenerator[Comptoir]:
    async with Comptoir.open(database.app_url) as found:
        yield found


async def test_a_double_click_is_one_click(books: Comptoir):
    async with books.lock("create-quote:alice") as tx:
        with pytest.raises(Conflict, match="operation-in-progress"):
            async with books.lock("create-quote:alice"):
                raise AssertionError
        await tx.credits.grant("alice", 5, reason="welcome", idempotency_key="w")
    async with books.lock("create-quote:alice"):
        assert (await books.credits.balance("alice")).balance == 5


async def test_a_lease_is_held_while_its_block_runs(books: Comptoir):
    async with books.guards.lease("pdf:1") as held:
        with pytest.raises(Conflict, match="operation-in-progress"):
            async with books.guards.lease("pdf:1"):
                raise AssertionError
        async with books.transaction() as tx:
            await held.fence(tx.connection)
    async with books.guards.lease("pdf:1", wait=5) as again:
        assert again.token > held.token


async def test_a_function_can_be_made_idempotent(books: Comptoir):
    charged: list[str] = []

    @books.guards.idempotent(lambda invoice, amount: f"pay:{invoice}")
    async def pay(invoice: str, amount: int = 5) -> dict[str, Any]:
        charged.append(invoice)
        await asyncio.sleep(0.01)
        return {"invoice": invoice, "amount": amount}

    found = await asyncio.gather(*(pay("in_1", 5) for _ in range(50)))
    assert found == [{"invoice": "in_1", "amount": 5}] * 50
    assert await pay("in_1", amount=5) == found[0]
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        await pay("in_1", 6)
    assert charged == ["in_1"]


async def test_a_call_over_the_network_keeps_its_steps(books: Comptoir):
    asked: list[str] = []

    async def charge(key: str) -> str:
        asked.append(key)
        return "ch_1"

    async def work(claim: Claim) -> str:
        made = await claim.step("charge", charge)
        if claim.attempt == 1:
            raise OSError("and then the network went")
        async with books.transaction() as tx:
            await tx.credits.grant("bob", 1, reason=made, idempotency_key=f"grant:{made}")
            await claim.finish(tx.connection, made)
        return made

    with pytest.raises(OSError, match="network"):
        await books.guards.once("buy:1", work)
    assert await books.guards.once("buy:1", work) == "ch_1"
    assert await books.guards.once("buy:1", work) == "ch_1"
    assert len(asked) == 1
    assert (await books.credits.balance("bob")).balance == 1


async def test_once_inside_of_a_transaction(books: Comptoir):
    for expected in (False, True):
        async with books.transaction() as tx, tx.guards.once("pay:1", {"amount": 5}) as once:
            assert once.replayed is expected
            if not once.replayed:
                await tx.guards.count("payments", id="1")
                once.result = "done"
            assert once.result == "done"
    assert await books.counters.read("payments") == {"payments": 1}


async def test_a_quota_is_used_or_given_back(books: Comptoir):
    async with books.quotas.reserve("carol", "ai-calls", 4) as using:
        assert (using.reserved.limit, using.reserved.used) == (10, 4)
        using.used = 3
    with pytest.raises(LookupError):
        async with books.quotas.reserve("carol", "ai-calls", 7):
            raise LookupError

    async def given_back() -> bool:
        found = (await books.quotas.usage("carol", ["ai-calls"]))["ai-calls"]
        return (found.used, found.reserved) == (3, 0)

    await until(given_back)
    async with books.quotas.reserve("carol", "ai-calls", 7):
        with pytest.raises(QuotaReached) as reached:
            async with books.quotas.reserve("carol", "ai-calls"):
                raise AssertionError
    assert reached.value.figures["limit"] == 10


async def test_a_cancelled_call_gives_its_quota_back(books: Comptoir):
    begun = asyncio.Event()

    async def call() -> None:
        async with books.quotas.reserve("dave", "ai-calls", 10):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(call())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])

    async def given_back() -> bool:
        return (await books.quotas.usage("dave", ["ai-calls"]))["ai-calls"].reserved == 0

    await until(given_back)


@pytest.mark.parametrize("store", ["redis", "pg", "local"])
async def test_a_rate_is_limited(store: Literal["redis", "pg", "local"], books: Comptoir):
    api = RateLimit("api", 3, 60, store)
    found = [await books.limits.hit(f"user:{store}", api) for _ in range(5)]
    assert [each.allowed for each in found] == [True] * 3 + [False] * 2
    assert [each.remaining for each in found] == [2, 1, 0, 0, 0]
    assert 59 < found[-1].retry_after <= 60.01
    with pytest.raises(Invalid):
        await books.limits.hit("user", api, cost=4)


async def test_counters_count(books: Comptoir):
    await books.counters.add("quotes:created")
    assert await books.counters.add("invoices", id="i-1") == 1
    assert await books.counters.add("invoices", id="i-1") is None

    async def is_written() -> bool:
        return (await books.counters.read("quotes:created"))["quotes:created"] == 1

    await until(is_written)


async def test_jobs_are_done_with_the_books(books: Comptoir):
    jobs = Jobs()

    @jobs.handler("welcome")
    async def welcome(job: Job, books: Comptoir) -> dict[str, str]:
        customer = job.payload["customer"]
        made = await books.credits.grant(customer, 3, reason="hi", idempotency_key=job.key())
        return {"movement": made.movement.id}

    async with books.transaction() as tx:
        id_ = await tx.jobs.enqueue("welcome", {"customer": "erin"})
    async with books.working(jobs):

        async def is_done() -> bool:
            return (await books.jobs.get(id_)).status is JobStatus.SUCCEEDED

        await until(is_done)
    assert (await books.credits.balance("erin")).balance == 3
    other = await books.jobs.enqueue_now("nobody-can", unique="x")
    assert await books.jobs.enqueue_now("nobody-can", unique="x") == other
    assert (await books.jobs.cancel(other)).status is JobStatus.CANCELLED
    assert (await books.jobs.retry(other)).status is JobStatus.PENDING
    assert [job.id for job in await books.jobs.list(type="nobody-can")] == [other]
    with pytest.raises(ComptoirError, match="field-invalid"):
        await books.jobs.enqueue_now("Not A Type")
