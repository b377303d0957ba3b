"""Customers from Python: listed, exported as a whole, and forgotten while their books stay."""

from decimal import Decimal

import psycopg
import pytest
from msgspec import structs

from comptoir import Comptoir, Conflict, Grant, Invalid, Misuse, Money, NotFound, Spend, sync
from comptoir.flows.export import exporting
from comptoir.library.exporting import gathered
from tests.support.postgres import Database

PAID = """
INSERT INTO comptoir.payments (book_id, id, customer_id, purpose, reference, amount, currency,
        livemode, status, received, paid_at)
    SELECT book_id, gen_random_uuid(), id, 'direct', 'order-1', 1900, 'eur', false, 'paid', 1900,
        now() FROM comptoir.customers WHERE customer = 'alice' AND book_id = 1;
INSERT INTO comptoir.subscriptions (book_id, provider_id, customer_id, livemode, plan, period,
        price, status, told_at, created_at)
    SELECT book_id, 'sub_1', id, false, 'pro', 'month', 'p', 'active', now(), now()
    FROM comptoir.customers WHERE customer = 'alice' AND book_id = 1
"""


async def lived(books: Comptoir, customer: str = "alice") -> None:
    """A customer with a lot, a hold that ended, a spend by price, and texts about all of it."""
    await books.customers.put(customer, email="a@example.com", name="Alice", metadata={"of": "x"})
    await books.prices.set("ai.generate", 2)
    verbs = books.credits
    await verbs.grant(customer, 100, reason=f"Gift for {customer}", idempotency_key=f"g-{customer}")
    held = await verbs.hold(customer, 9, ttl_seconds=60, idempotency_key=f"h-{customer}")
    await verbs.capture(held.hold.id, 4, idempotency_key=f"c-{customer}")
    await verbs.spend(
        customer, action="ai.generate", quantity=3, model="large", cost="0.02",
        metadata={"session": "s-1"}, idempotency_key=f"s-{customer}",
    )  # fmt: skip


async def test_an_export_has_everything(books: Comptoir) -> None:
    await lived(books)
    found = await books.customers.export("alice")
    assert found.customer == await books.customers.get("alice")
    [account] = found.accounts
    assert account.balance == await books.credits.balance("alice")
    [lot] = account.lots
    assert (lot.granted, lot.left, lot.paid, lot.currency) == (100, 90, 0, None)
    [hold] = account.holds
    assert (hold.state, hold.captured, hold.on_excess) == ("captured", 4, "refuse")
    assert hold.opened_at == account.movements[1].at
    assert [each.kind for each in account.movements] == ["grant", "hold", "capture", "spend"]
    *_, captured, spent = account.movements
    assert (captured.hold, captured.after, captured.held) == (hold.id, 96, 0)
    assert (spent.action, spent.quantity, spent.model) == ("ai.generate", 3, "large")
    assert (spent.cost, spent.metadata) == (Decimal("0.02"), {"session": "s-1"})
    shown = await books.credits.movements("alice")
    assert [each.id for each in account.movements if each.amount][::-1] == [s.id for s in shown]


async def test_an_export_has_payments_and_plans(books: Comptoir, database: Database) -> None:
    await lived(books)
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(PAID.encode())
    found = await books.customers.export("alice")
    [payment], [plan] = found.payments, found.subscriptions
    assert (payment.purpose, payment.price, payment.status) == (
        "direct",
        Money(1900, "eur"),
        "paid",
    )
    assert (payment.received, payment.refunded, payment.purchase) == (1900, 0, None)
    assert payment.paid_at is not None
    assert (plan.plan, plan.status, plan.period.interval) == ("pro", "active", "month")


async def test_an_export_of_more_than_fits_is_refused(books: Comptoir) -> None:
    await lived(books)
    app = books.app
    async with exporting(app.pool, app.directory, books.book, "alice") as export:
        assert len((await gathered(export, limit=6)).accounts[0].movements) == 4
    async with exporting(app.pool, app.directory, books.book, "alice") as export:
        with pytest.raises(Misuse, match="export-too-large"):
            await gathered(export, limit=5)


async def test_whoever_is_erased_is_a_stranger_and_the_books_stay(
    books: Comptoir, database: Database
) -> None:
    await lived(books)
    await lived(books, "bob")
    held = await books.credits.hold("alice", 1, ttl_seconds=60, idempotency_key="open")
    with pytest.raises(Conflict, match="holds-open"):
        await books.customers.erase("alice", idempotency_key="forget")
    await books.credits.release(held.hold.id, idempotency_key="closed")
    done = await books.customers.erase("alice", idempotency_key="forget")
    assert (done.movements, done.left, done.replayed) == (6, {"credits": Decimal(90)}, False)
    again = await books.customers.erase("alice", idempotency_key="forget")
    assert again == structs.replace(done, replayed=True)
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        await books.customers.erase("bob", idempotency_key="forget")
    for lost in (books.customers.get, books.customers.export, books.customers.erase):
        with pytest.raises(NotFound):
            await lost("alice")
    assert (await books.customers.get("bob")).email == "a@example.com"
    assert "alice" not in everything(database, "bob").lower()
    assert (await books.ledger.verify(full=True)).balanced


async def test_repeats_after_an_erasure_and_a_namesake(books: Comptoir) -> None:
    await lived(books)
    first = await books.credits.spend("alice", 5, idempotency_key="before")
    await books.customers.erase("alice")
    again = await books.credits.spend("alice", 5, idempotency_key="before")
    assert again.replayed
    assert (again.movement.id, again.movement.after) == (first.movement.id, first.movement.after)
    assert (await books.credits.balance("alice")).balance == 0
    granted = await books.credits.grant("alice", 3, reason="x", idempotency_key="new")
    assert (granted.balance.balance, granted.balance.version) == (3, 1)
    assert granted.movement.id.split("_")[1] != first.movement.id.split("_")[1]


async def test_a_name_from_memory_in_a_transaction_of_the_caller(
    books: Comptoir, database: Database
) -> None:
    """Another process has erased him: this one's memory of the name is out of date."""
    await lived(books)
    async with Comptoir.open(database.url) as other:
        await other.customers.erase("alice")
    async with books.transaction() as tx:
        granted = await tx.credits.grant("alice", 7, reason="x", idempotency_key="again")
    assert (granted.balance.balance, granted.balance.version) == (7, 1)
    results = await books.ledger.batch(asked("batch"))
    assert all(each.error is None for each in results)
    assert (await books.ledger.verify(full=True)).balanced


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_name_from_memory_in_a_batch(
    books: Comptoir, database: Database, *, atomic: bool
) -> None:
    await lived(books)
    async with Comptoir.open(database.url) as other:
        await other.customers.erase("alice")
    results = await books.ledger.batch(asked("batch"), atomic=atomic)
    assert [each.error for each in results] == [None, None]
    assert (await books.credits.balance("alice")).balance == 4


def asked(key: str) -> list[Grant | Spend]:
    return [
        Grant(customer="alice", amount=5, reason="x", idempotency_key=f"{key}-1"),
        Spend(customer="alice", amount=1, idempotency_key=f"{key}-2"),
    ]


async def test_customers_in_the_order_of_their_arrival(books: Comptoir) -> None:
    for name in "cab":
        await books.customers.put(name)
    assert [each.customer for each in await books.customers.list()] == ["c", "a", "b"]
    page = await books.customers.list(after="c", limit=1)
    assert [each.customer for each in page] == ["a"]
    with pytest.raises(NotFound):
        await books.customers.list(after="z")
    with pytest.raises(Invalid):
        await books.customers.list(limit=101)


def test_the_same_for_callers_who_wait(shop: sync.Comptoir) -> None:
    shop.credits.grant("alice", 1, reason="x", idempotency_key="g")
    assert [each.customer for each in shop.customers.list()] == ["alice"]
    assert len(shop.customers.export("alice").accounts[0].movements) == 1
    assert shop.customers.erase("alice", idempotency_key="e").left == {"credits": Decimal(1)}
    assert shop.customers.list() == ()


def everything(database: Database, without: str) -> str:
    """All rows of all tables as text, but those that name somebody."""
    with psycopg.connect(database.owner_url) as connection:
        tables = connection.execute(
            """SELECT relname FROM pg_class
            WHERE relnamespace = 'comptoir'::regnamespace AND relkind = 'r'"""
        ).fetchall()
        return "\n".join(
            str(row)
            for (table,) in tables
            for row in connection.execute(f"SELECT t::text FROM comptoir.{table} t".encode())
            if without not in str(row)
        )


async def test_a_link_to_a_customers_own_pages(books: Comptoir, database: Database) -> None:
    made = await books.customers.portal_link("alice", ttl_seconds=60)
    assert made.url.startswith("http://127.0.0.1:8000/portal?token=")
    assert made.url != (await books.customers.portal_link("alice")).url
    for seconds in (0, 10**6):
        with pytest.raises(Invalid):
            await books.customers.portal_link("alice", ttl_seconds=seconds)
    with psycopg.connect(database.owner_url) as connection:
        rows = connection.execute("SELECT opened_at FROM comptoir.portal_visits").fetchall()
    assert rows == [(None,), (None,)]
