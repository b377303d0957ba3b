"""Quotas: never more than the plan allows, whoever asks at the same time, on whatever day."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from comptoir.guards import sql
from comptoir.guards.quotas import Asked, QuotaReached, Reserved, Usage, reserve, settle, usage
from comptoir.kit.errors import Conflict, Invalid, NotFound
from comptoir.store.pool import fetch
from tests.support.guarding import LIVE, TEST, Guarded, open_guarded
from tests.support.postgres import Cluster, Database

pytestmark = pytest.mark.pg
CALLS = "ai-calls"


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    """Tests share a database; each has customers of its own."""
    with cluster.database() as made:
        yield made


@pytest.fixture
async def guarded(database: Database) -> AsyncGenerator[Guarded]:
    async with open_guarded(database) as found:
        yield found


@pytest.fixture
def customer() -> str:
    return f"c-{uuid4()}"


async def take(guarded: Guarded, customer: str, quantity: int = 1, **said: Any) -> Reserved:  # noqa: ANN401
    asked = Asked(uuid4(), customer, CALLS, quantity, **said)
    return await reserve(guarded.pool, LIVE, asked)


async def used(guarded: Guarded, customer: str) -> tuple[int, int]:
    found = (await usage(guarded.pool, LIVE, customer, [CALLS]))[CALLS]
    return found.used, found.reserved


async def put_in(guarded: Guarded, customer: str, **fields: str) -> None:
    await fetch(guarded.pool, sql.COUNT_USAGE, (LIVE, customer, "other", 1))
    for name, value in fields.items():
        await guarded.run(
            f"UPDATE comptoir.customers SET {name} = %s WHERE customer = %s", value, customer
        )


async def test_twenty_at_once_get_what_the_plan_allows(guarded: Guarded, customer: str):
    asked = [take(guarded, customer) for _ in range(30)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    refused = [each for each in found if isinstance(each, QuotaReached)]
    assert len(refused) == 20
    assert await used(guarded, customer) == (0, 10)
    figures = refused[0].figures
    assert (figures["limit"], figures["used"]) == (10, 10)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert figures["resets_at"] == datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=UTC)


@pytest.mark.parametrize(("plan", "limit"), [("free", 10), ("pro", 100), ("enterprise", 1000)])
async def test_the_plan_says_how_much(plan: str, limit: int, guarded: Guarded, customer: str):
    await put_in(guarded, customer, plan=plan)
    made = await take(guarded, customer, limit)
    assert (made.limit, made.used) == (limit, limit)
    with pytest.raises(QuotaReached):
        await take(guarded, customer)


async def test_what_was_used_counts_and_the_rest_is_given_back(guarded: Guarded, customer: str):
    made = await take(guarded, customer, 8)
    assert await settle(guarded.pool, LIVE, made.id, 3) is False
    assert await used(guarded, customer) == (3, 0)
    assert (await take(guarded, customer, 7)).used == 10


async def test_nothing_used_is_nothing_taken(guarded: Guarded, customer: str):
    made = await take(guarded, customer, 10)
    await settle(guarded.pool, LIVE, made.id, 0)
    assert await used(guarded, customer) == (0, 0)


async def test_the_same_end_twice_is_one_end(guarded: Guarded, customer: str):
    made = await take(guarded, customer, 5)
    for _ in range(3):
        await settle(guarded.pool, LIVE, made.id)
    assert await used(guarded, customer) == (5, 0)
    with pytest.raises(Conflict, match="reservation-ended"):
        await settle(guarded.pool, LIVE, made.id, 4)
    with pytest.raises(Conflict, match="reservation-ended"):
        await settle(guarded.pool, LIVE, made.id, 0)


async def test_the_same_reservation_twice_is_one(guarded: Guarded, customer: str):
    asked = Asked(uuid4(), customer, CALLS, 6)
    for _ in range(3):
        assert (await reserve(guarded.pool, LIVE, asked)).used == 6
    assert await used(guarded, customer) == (0, 6)


async def expire(guarded: Guarded, customer: str) -> None:
    """Let the time of what a customer has reserved be up."""
    for table, column in (("usage_reservations", "expires_at"), ("usage", "next_expiry")):
        await guarded.run(
            f"""UPDATE comptoir.{table} SET {column} = now() - interval '1 s' WHERE customer_id =
            (SELECT id FROM comptoir.customers WHERE customer = %s)""",
            customer,
        )


async def test_what_is_forgotten_is_free_again_when_its_time_is_up(guarded: Guarded, customer: str):
    await take(guarded, customer, 10)
    with pytest.raises(QuotaReached):
        await take(guarded, customer)
    await expire(guarded, customer)
    assert await used(guarded, customer) == (0, 0), "whoever only reads sees it too"
    assert (await take(guarded, customer, 9)).used == 9


@pytest.mark.parametrize("meanwhile", [0, 4])
async def test_what_was_used_counts_though_it_came_late(
    meanwhile: int, guarded: Guarded, customer: str
):
    made = await take(guarded, customer, 10)
    await expire(guarded, customer)
    if meanwhile:
        other = await take(guarded, customer, meanwhile)
        await settle(guarded.pool, LIVE, other.id)
    assert await settle(guarded.pool, LIVE, made.id) is True
    assert await used(guarded, customer) == (10 + meanwhile, 0)
    with pytest.raises(QuotaReached):
        await take(guarded, customer)


async def test_a_day_is_the_customers_own(guarded: Guarded, customer: str):
    zones = ["Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu"]
    for zone in zones:
        name = f"{customer}-{zone}"
        await put_in(guarded, name, time_zone=zone)
        made = await take(guarded, name, 10)
        there = datetime.now(ZoneInfo(zone)).date() + timedelta(days=1)
        midnight = datetime(there.year, there.month, there.day, tzinfo=ZoneInfo(zone))
        assert made.resets_at == midnight
    far_east, far_west = f"{customer}-{zones[0]}", f"{customer}-{zones[1]}"
    await guarded.run(
        """UPDATE comptoir.usage SET day = day - 1
        WHERE customer_id = (SELECT id FROM comptoir.customers WHERE customer = %s)""",
        far_east,
    )
    assert (await take(guarded, far_east, 10)).used == 10, "it is another day"
    with pytest.raises(QuotaReached):
        await take(guarded, far_west)


async def test_a_metric_of_another_plan_is_none_and_one_of_no_plan_is_unknown(
    guarded: Guarded, customer: str, database: Database
):
    import psycopg  # noqa: PLC0415

    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("INSERT INTO comptoir.plan_quotas VALUES (1, 'pro', 'exports', 5)")
    with pytest.raises(QuotaReached) as refused:
        await reserve(guarded.pool, LIVE, Asked(uuid4(), customer, "exports"))
    assert refused.value.figures["limit"] == 0
    with pytest.raises(NotFound, match="unknown-metric"):
        await reserve(guarded.pool, LIVE, Asked(uuid4(), customer, "exprots"))
    found = await usage(guarded.pool, LIVE, customer, ["exports", "exprots"])
    assert [each.limit for each in found.values()] == [0, None]


async def test_books_have_their_own(guarded: Guarded, customer: str):
    made = await take(guarded, customer, 10)
    await reserve(guarded.pool, TEST, Asked(uuid4(), customer, CALLS, 10))
    with pytest.raises(NotFound, match="reservation-not-found"):
        await settle(guarded.pool, TEST, made.id)


async def test_many_metrics_are_read_at_once(guarded: Guarded, customer: str):
    await fetch(guarded.pool, sql.COUNT_USAGE, (LIVE, customer, "quotes", 3))
    await fetch(guarded.pool, sql.COUNT_USAGE, (LIVE, customer, "quotes", 4))
    found = await usage(guarded.pool, LIVE, customer, [CALLS, "quotes", "nothing"])
    assert list(found) == [CALLS, "quotes", "nothing"]
    assert [(each.used, each.limit) for each in found.values()] == [(0, 10), (7, None), (0, None)]
    nobody = await usage(guarded.pool, LIVE, f"{customer}-unknown", [CALLS])
    assert isinstance(nobody[CALLS], Usage)
    assert (nobody[CALLS].used, nobody[CALLS].limit) == (0, 10)


async def test_more_than_was_reserved_cannot_be_used(guarded: Guarded, customer: str):
    made = await take(guarded, customer, 2)
    with pytest.raises(Invalid, match="exceeds-reservation"):
        await settle(guarded.pool, LIVE, made.id, 3)
    assert await used(guarded, customer) == (0, 2)


@pytest.mark.parametrize(
    "said",
    [
        {"quantity": 0}, {"quantity": -1}, {"quantity": 10**13}, {"ttl": 0}, {"ttl": 1e9},
        {"ttl": float("nan")}, {"metric": ""}, {"metric": "A"}, {"metric": "a" * 65},
        {"metric": "a b"}, {"customer": ""}, {"customer": "c" * 129}, {"customer": "a\0b"},
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_is_refused(said: dict[str, Any], guarded: Guarded):
    asked = Asked(**{"id": uuid4(), "customer": "c", "metric": CALLS, **said})
    with pytest.raises(Invalid, match="field-invalid"):
        await reserve(guarded.pool, LIVE, asked)
