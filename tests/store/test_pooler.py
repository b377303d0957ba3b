"""The group commit and the pool through PgBouncer in transaction mode."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from comptoir.kit.errors import OutcomeUnknown, Unavailable
from comptoir.ledger.outcomes import Outcome
from comptoir.store.pool import (
    begin,
    begin_for_blocking_caller,
    fetch,
    open_blocking_pool,
    open_pool,
)
from tests.support.batches import (
    LIMITS,
    Shop,
    assert_verified,
    gather,
    insist,
    locks,
    open_shop,
    outcomes,
    until,
)
from tests.support.pgbouncer import pooled
from tests.support.postgres import Cluster, Database
from tests.support.proxy import Cut, Proxy, proxied

pytestmark = pytest.mark.pg
MANY = 1_000
POOLED = replace(LIMITS, pooled=True)
PREPARED = pytest.mark.parametrize("prepared", [0, 200])

SETTINGS = ("statement_timeout", "lock_timeout", "plan_cache_mode", "TimeZone")
SHOWN = "SELECT current_setting(name) FROM unnest(%s::text[]) AS name"
BACKENDS = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database()
AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
TERMINATE = f"SELECT pg_terminate_backend(pid) FROM ({BACKENDS}) AS b"


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    """Tests share a database, and have a book each."""
    with cluster.database() as made:
        yield made
        assert_verified(made)


@pytest.fixture
async def shop(database: Database) -> AsyncGenerator[Shop]:
    async with open_shop(database) as found:
        yield found


@pytest.fixture
async def before(shop: Shop) -> AsyncGenerator[tuple[Proxy, str]]:
    """A proxy between Comptoir and PgBouncer, and its address: it loses the pooler's client."""
    with TemporaryDirectory(prefix="proxy-") as folder, pooled(shop.url) as url:
        async with proxied(url, Path(folder)) as made:
            yield made, made.url


@pytest.fixture
async def behind(shop: Shop) -> AsyncGenerator[tuple[Proxy, str]]:
    """A proxy between PgBouncer and PostgreSQL, and PgBouncer's address: it loses the server."""
    with TemporaryDirectory(prefix="proxy-") as folder, ExitStack() as stack:
        async with proxied(shop.url, Path(folder)) as made:
            # In a thread: the pooler asks the server, through the proxy, before it is ready.
            url = await asyncio.to_thread(stack.enter_context, pooled(made.url))
            yield made, url


@pytest.fixture(params=["before", "behind"])
def broken(request: pytest.FixtureRequest) -> tuple[Proxy, str]:
    """Where a connection is lost: before PgBouncer, or behind it."""
    return request.getfixturevalue(request.param)


@PREPARED
async def test_more_writers_than_the_pooler_has_connections(prepared: int, shop: Shop):
    accounts = await shop.accounts([f"c{n}" for n in range(10)], MANY)
    async with AsyncExitStack() as stack:
        url = stack.enter_context(pooled(shop.url, prepared))
        others = len(shop.rows(BACKENDS))
        batches = [await stack.enter_async_context(shop.batch(POOLED, url)) for _ in range(12)]
        answers = await asyncio.gather(
            *(insist(batches[n % 12], shop.spend(f"s{n}", accounts[n % 10])) for n in range(MANY))
        )
        assert len(shop.rows(BACKENDS)) - others <= 10
    assert set(outcomes(answers)) == {Outcome.CREATED}
    assert shop.effects(*(f"s{n}" for n in range(MANY))) == MANY


async def test_limits_are_said_each_time_and_to_nobody_else(shop: Shop):
    with pooled(shop.url) as url:
        async with open_pool(url, POOLED) as pool:
            async with begin(pool) as tx:
                inside = await (await tx.execute(SHOWN, (list(SETTINGS),))).fetchall()
            assert inside == [("10s",), ("10s",), ("force_generic_plan",), ("UTC",)]
            assert await fetch(pool, SHOWN, (list(SETTINGS),)) == inside
            async with pool.connection() as bare:
                outside = await (await bare.execute(SHOWN, (list(SETTINGS),))).fetchall()
            assert outside[:3] == [("0",), ("0",), ("auto",)]
        with open_blocking_pool(url, POOLED) as blocking, begin_for_blocking_caller(blocking) as tx:
            assert tx.execute(SHOWN, (list(SETTINGS),)).fetchall() == inside


async def test_a_stranger_who_keeps_an_account_locked_is_not_waited_for_for_ever(shop: Shop):
    account = await shop.account("alice", 10)
    limits = replace(POOLED, lock=0.2)
    with pooled(shop.url) as url, shop.lock(account):
        async with shop.batch(limits, url) as batch:
            with pytest.raises(Unavailable, match="account-busy"):
                await batch.submit(shop.spend("s", account))


@pytest.mark.parametrize("callers", [1, 50])
@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
async def test_the_fate_of_a_commit_lost_at_a_pooler_is_found_out(
    cut: Cut, callers: int, shop: Shop, broken: tuple[Proxy, str]
):
    proxy, url = broken
    account = await shop.account("alice", MANY)
    async with shop.batch(POOLED, url) as batch:
        await batch.submit(shop.spend("warm", account))
        proxy.cut = cut
        answers = await gather(batch, [shop.spend(f"s{n}", account) for n in range(callers)])
        assert proxy.cuts == 1
    done = Outcome.EXISTS if cut is Cut.AFTER else Outcome.CREATED
    assert set(outcomes(answers)) == {done}
    assert shop.balance(account) == (MANY - callers - 1, 0)


async def test_nobody_is_answered_while_a_lost_commit_behind_a_pooler_can_be_done(
    shop: Shop, behind: tuple[Proxy, str]
):
    proxy, url = behind
    account = await shop.account("alice", MANY)
    async with shop.batch(replace(POOLED, lock=0.1), url) as batch:
        await batch.submit(shop.spend("warm", account))
        proxy.cut = Cut.LATE
        asked = [
            asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", account))) for n in range(50)
        ]
        await until(lambda: proxy.cuts == 1)
        assert locks(shop.database), "the old one has done everything but commit"
        done, _ = await asyncio.wait(asked, timeout=0.5)
        assert not done, "nobody can know yet"
        proxy.let_go()
        answers = await asyncio.gather(*asked)
    assert set(outcomes(answers)) == {Outcome.EXISTS}
    assert shop.balance(account) == (MANY - 51, 0)


async def test_a_commit_lost_for_too_long_at_a_pooler_is_unknown(
    shop: Shop, behind: tuple[Proxy, str]
):
    proxy, url = behind
    account = await shop.account("alice", MANY)
    async with shop.batch(replace(POOLED, reconnect=0.3), url) as batch:
        await batch.submit(shop.spend("warm", account))
        proxy.cut = Cut.LATE
        with pytest.raises(OutcomeUnknown):
            await batch.submit(shop.spend("s", account))
        proxy.let_go()
        [answer] = await insist(batch, shop.spend("s", account))
    assert answer.outcome is Outcome.EXISTS
    assert shop.balance(account) == (MANY - 2, 0)


async def test_backends_killed_behind_a_pooler_under_load_lose_and_double_nothing(shop: Shop):
    accounts = await shop.accounts([f"c{n}" for n in range(10)], MANY)
    with pooled(shop.url) as url:
        async with shop.batch(replace(POOLED, batch=50), url) as batch:
            asked = [
                asyncio.ensure_future(insist(batch, shop.spend(f"s{n}", accounts[n % 10])))
                for n in range(MANY)
            ]
            for part in range(1, 6):
                await until(lambda part=part: batch.committed >= part * MANY // 8)
                await until(lambda: shop.rows(TERMINATE) != [])
            answers = await asyncio.gather(*asked)
    assert set(outcomes(answers)) <= {Outcome.CREATED, Outcome.EXISTS}
    assert shop.effects(*(f"s{n}" for n in range(MANY))) == MANY
    assert [shop.balance(account)[0] for account in accounts] == [MANY - MANY // 10] * 10


async def test_random_cuts_at_a_pooler_lose_and_double_nothing(
    shop: Shop, broken: tuple[Proxy, str]
):
    proxy, url = broken
    accounts = await shop.accounts([f"c{n}" for n in range(10)], MANY)
    async with shop.batch(replace(POOLED, batch=20), url) as batch:
        waiting = [
            asyncio.ensure_future(insist(batch, shop.spend(f"s{n}", accounts[n % 10])))
            for n in range(MANY)
        ]
        for cut in [Cut.AFTER, Cut.BEFORE] * 5:
            proxy.cut = cut
            await until(lambda: proxy.cut is None or all(task.done() for task in waiting))
        answers = await asyncio.gather(*waiting)
    assert proxy.cuts > 5
    assert set(outcomes(answers)) <= {Outcome.CREATED, Outcome.EXISTS}
    assert shop.effects(*(f"s{n}" for n in range(MANY))) == MANY
