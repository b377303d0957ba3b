"""The ledger inside of a caller's own transaction: all or nothing with his rows."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import psycopg
import pytest
from psycopg import AsyncClientCursor, AsyncConnection, IsolationLevel
from psycopg.rows import dict_row
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from comptoir import Comptoir, Insufficient, Misuse, OutcomeUnknown, Spend, Transaction
from tests.support.postgres import Database
from tests.support.proxy import Cut, proxied

ORDERS = "CREATE TABLE app.orders (id text PRIMARY KEY, movement text)"


@pytest.fixture
async def shop(books: Comptoir, database: Database) -> Comptoir:
    """The books, with a hundred credits for Alice and a table of the caller's own."""
    async with await AsyncConnection.connect(database.url) as connection:
        await connection.execute(ORDERS)
    await books.credits.grant("alice", 100, reason="test", idempotency_key="rich")
    return books


async def orders(database: Database) -> list[str]:
    async with await AsyncConnection.connect(database.url) as connection:
        cursor = await connection.execute("SELECT id FROM app.orders ORDER BY id")
        return [row[0] for row in await cursor.fetchall()]


async def buy(tx: Transaction, order: str, price: int = 5) -> None:
    spent = await tx.credits.spend("alice", price, idempotency_key=order)
    await tx.connection.execute(
        "INSERT INTO app.orders VALUES (%s, %s)", (order, spent.movement.id)
    )


async def test_both_or_neither(shop: Comptoir, database: Database) -> None:
    async with shop.transaction() as tx:
        await buy(tx, "first")
    with pytest.raises(ZeroDivisionError):
        await _fail_after_buying(shop)
    assert await orders(database) == ["first"]
    assert (await shop.credits.balance("alice")).balance == 95
    assert (await shop.ledger.verify(full=True)).balanced


async def _fail_after_buying(shop: Comptoir) -> None:
    async with shop.transaction() as tx:
        await buy(tx, "second")
        raise ZeroDivisionError


async def test_what_was_undone_may_be_asked_again(shop: Comptoir, database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await _fail_after_buying(shop)
    async with shop.transaction() as tx:
        await buy(tx, "second")
    assert await orders(database) == ["second"]
    assert (await shop.credits.balance("alice")).balance == 95


async def test_a_refusal_leaves_the_choice_to_the_caller(
    shop: Comptoir, database: Database
) -> None:
    async with shop.transaction() as tx:
        with pytest.raises(Insufficient):
            await buy(tx, "dear", 1000)
        await tx.connection.execute("INSERT INTO app.orders VALUES ('refused', NULL)")
    assert await orders(database) == ["refused"]


async def test_a_hold_made_and_captured_within(shop: Comptoir) -> None:
    async with shop.transaction() as tx:
        made = await tx.credits.hold("alice", 8, ttl_seconds=60, idempotency_key="hold")
        taken = await tx.credits.capture(made.hold.id, 3, idempotency_key="capture")
        undone = await tx.credits.reverse(
            taken.movement.id, reason="Oops", idempotency_key="reverse"
        )
        assert undone.balance.available == 100
        results = await tx.ledger.batch(
            [Spend(customer="alice", amount=1, idempotency_key="batch")], atomic=True
        )
        assert results[0].error is None


async def test_a_customer_who_was_first_met_in_a_lost_transaction(shop: Comptoir) -> None:
    async with shop.transaction() as tx:
        await tx.credits.grant("new", 1, reason="x", idempotency_key="new")
        await tx.connection.execute("ROLLBACK")
        await tx.connection.execute("BEGIN")
    given = await shop.credits.grant("new", 2, reason="x", idempotency_key="again")
    assert given.balance.balance == 2


async def test_the_group_commit_goes_on_while_a_transaction_is_open(shop: Comptoir) -> None:
    await shop.credits.grant("bob", 100, reason="test", idempotency_key="bob")
    async with shop.transaction() as tx, asyncio.TaskGroup() as tasks:
        await buy(tx, "slow")
        waits = tasks.create_task(shop.credits.spend("alice", 1, idempotency_key="waits"))
        for number in range(20):
            await shop.credits.spend("bob", 1, idempotency_key=f"bob-{number}")
        assert not waits.done()
        await tx.connection.execute("COMMIT")
        await waits
        await tx.connection.execute("BEGIN")
    assert (await shop.credits.balance("alice")).balance == 94


async def test_adopting_a_connection_of_psycopg(shop: Comptoir, database: Database) -> None:
    async with await AsyncConnection.connect(database.url) as connection:
        connection.row_factory = cast("Any", dict_row)
        connection.cursor_factory = AsyncClientCursor
        await buy(await shop.adopt(connection), "theirs")
    assert await orders(database) == ["theirs"]
    async with await AsyncConnection.connect(database.url) as connection:
        await buy(await shop.adopt(connection), "never")
        await connection.rollback()
    assert await orders(database) == ["theirs"]
    assert (await shop.credits.balance("alice")).balance == 95


async def test_adopting_sqlalchemy(shop: Comptoir, database: Database) -> None:
    engine = create_async_engine(database.url.replace("postgresql:", "postgresql+psycopg:"))
    async with AsyncSession(engine) as session, session.begin():
        await session.execute(text("INSERT INTO app.orders VALUES ('session', NULL)"))
        await (await shop.adopt(session)).credits.spend("alice", 1, idempotency_key="session")
    async with engine.begin() as connection:
        await (await shop.adopt(connection)).credits.spend("alice", 1, idempotency_key="engine")
    async with AsyncSession(engine) as session:
        await (await shop.adopt(session)).credits.spend("alice", 1, idempotency_key="undone")
        await session.rollback()
    await engine.dispose()
    assert await orders(database) == ["session"]
    assert (await shop.credits.balance("alice")).balance == 98


async def test_what_cannot_be_adopted_is_said(shop: Comptoir, database: Database) -> None:
    with pytest.raises(Misuse, match="connection-unknown"):
        await shop.adopt(object())
    async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
        with pytest.raises(Misuse, match="no-open-transaction"):
            await shop.adopt(connection)
        async with connection.transaction():
            await buy(await shop.adopt(connection), "inside")
    async with await AsyncConnection.connect(database.url) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await connection.execute("SELECT 1 / 0")
        with pytest.raises(Misuse, match="connection-unusable"):
            await shop.adopt(connection)
    async with await AsyncConnection.connect(database.url) as connection:
        await connection.set_isolation_level(IsolationLevel.SERIALIZABLE)
        with pytest.raises(Misuse, match="isolation-unfit"):
            await shop.adopt(connection)
    with pytest.raises(Misuse, match="connection-unusable"):
        await shop.adopt(connection)
    assert await orders(database) == ["inside"]


async def test_two_that_meet_are_repeated(shop: Comptoir) -> None:
    """Each spends from both accounts, in opposite order: PostgreSQL ends one of them."""
    await shop.credits.grant("bob", 100, reason="test", idempotency_key="bob")
    both = asyncio.Barrier(2)
    tries: list[str] = []

    async def spend(first: str, second: str) -> None:
        async def work(tx: Transaction) -> None:
            tries.append(first)
            await tx.credits.spend(first, 1, idempotency_key=f"{first}-first")
            if len(tries) <= both.parties:
                await both.wait()
            await tx.credits.spend(second, 1, idempotency_key=f"{first}-second")

        await shop.commit(work)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(spend("alice", "bob"))
        tasks.create_task(spend("bob", "alice"))
    assert len(tries) == 3
    assert [(await shop.credits.balance(each)).balance for each in ("alice", "bob")] == [98, 98]


async def test_errors_of_the_callers_own_statements_reach_him(shop: Comptoir) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        await shop.commit(_twice_the_same)
    with pytest.raises(psycopg.errors.QueryCanceled):
        await shop.commit(_too_long)


async def _too_long(tx: Transaction) -> None:
    await tx.connection.execute("SET LOCAL statement_timeout = 1")
    await tx.connection.execute("SELECT pg_sleep(10)")


async def _twice_the_same(tx: Transaction) -> None:
    await tx.connection.execute("INSERT INTO app.orders VALUES ('x', NULL), ('x', NULL)")


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
async def test_a_connection_lost_at_commit_is_said(database: Database, cut: Cut) -> None:
    with TemporaryDirectory(prefix="proxy-") as folder:
        async with proxied(database.url, Path(folder)) as proxy, Comptoir.open(proxy.url) as books:
            await books.credits.grant("alice", 100, reason="test", idempotency_key="rich")
            proxy.cut = cut
            with pytest.raises(OutcomeUnknown):
                async with books.transaction() as tx:
                    await tx.credits.spend("alice", 1, idempotency_key="lost")
            assert proxy.cuts == 1
            async with books.transaction() as tx:
                again = await tx.credits.spend("alice", 1, idempotency_key="lost")
            assert again.replayed == (cut is Cut.AFTER)
            assert again.balance.balance == 99
