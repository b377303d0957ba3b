"""The same library for callers who wait: threads, forks, generators, and other people's ORMs."""

import asyncio
import inspect
import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

import comptoir
from comptoir import Captured, HoldMade, Insufficient, Misuse, Spend, Unavailable, sync
from comptoir.library.billing import Billing
from comptoir.library.credits import Credits
from comptoir.library.ledger import Ledger
from comptoir.library.payments import Payments
from comptoir.library.people import Customers
from comptoir.library.prices import Prices
from comptoir.library.tokens import Tokens
from comptoir.library.verbs import Verbs
from comptoir.sync import Comptoir, Transaction
from tests.library.django_site import connected
from tests.support.postgres import Database

ORDERS = "CREATE TABLE app.orders (id text PRIMARY KEY)"


@pytest.fixture
def rich(shop: Comptoir, database: Database) -> Comptoir:
    with psycopg.connect(database.url) as connection:
        connection.execute(ORDERS)
    shop.credits.grant("alice", 100, reason="test", idempotency_key="rich")
    return shop


def orders(database: Database) -> list[str]:
    with psycopg.connect(database.url) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM app.orders ORDER BY id")]


def buy(tx: Transaction, order: str, price: int = 5) -> None:
    tx.connection.execute("INSERT INTO app.orders VALUES (%s)", (order,))
    tx.credits.spend("alice", price, idempotency_key=order)


def test_threads_share_the_books(rich: Comptoir) -> None:
    def spend(number: int) -> bool:
        try:
            rich.credits.spend("alice", 1, idempotency_key=f"spend-{number}")
        except Insufficient:
            return False
        return True

    with ThreadPoolExecutor(20) as threads:
        done = list(threads.map(spend, range(200)))
    assert done.count(True) == 100
    assert rich.credits.balance("alice").balance == 0
    assert rich.ledger.verify(full=True).balanced


def test_a_transaction_of_ones_own(rich: Comptoir, database: Database) -> None:
    with rich.transaction() as tx:
        buy(tx, "first")
        made = tx.credits.hold("alice", 8, ttl_seconds=60, idempotency_key="hold")
        tx.credits.capture(made.hold.id, 3, idempotency_key="capture")
    with pytest.raises(ZeroDivisionError):
        _fail_after_buying(rich)
    with pytest.raises(Insufficient):
        rich.commit(lambda tx: buy(tx, "dear", 1000))
    assert rich.commit(lambda tx: tx.ledger.batch(
        [Spend(customer="alice", amount=2, idempotency_key="batch")], atomic=True
    ))[0].error is None  # fmt: skip
    assert orders(database) == ["first"]
    assert rich.credits.balance("alice").balance == 90


def _fail_after_buying(rich: Comptoir) -> None:
    with rich.transaction() as tx:
        buy(tx, "second")
        raise ZeroDivisionError


def test_many_transactions_that_wait_for_one_account(rich: Comptoir, database: Database) -> None:
    """More of them than any pool of threads has: none may keep the others from going on."""
    with ThreadPoolExecutor(50) as threads:
        list(threads.map(lambda n: rich.commit(lambda tx: buy(tx, f"{n}", 1)), range(50)))
    assert len(orders(database)) == 50
    assert rich.credits.balance("alice").balance == 50


def test_adopting_psycopg_and_sqlalchemy(rich: Comptoir, database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.row_factory = dict_row  # pyright: ignore[reportAttributeAccessIssue]  # theirs
        connection.cursor_factory = psycopg.ClientCursor
        buy(rich.adopt(connection), "psycopg")
    engine = create_engine(database.url.replace("postgresql:", "postgresql+psycopg:"))
    with Session(engine) as session, session.begin():
        session.execute(text("INSERT INTO app.orders VALUES ('session')"))
        rich.adopt(session).credits.spend("alice", 1, idempotency_key="session")
    with engine.begin() as connection:
        rich.adopt(connection).credits.spend("alice", 1, idempotency_key="engine")
    with Session(engine) as session:
        rich.adopt(session).credits.spend("alice", 1, idempotency_key="undone")
        session.rollback()
    engine.dispose()
    assert orders(database) == ["psycopg", "session"]
    assert rich.credits.balance("alice").balance == 93
    with pytest.raises(Misuse, match="connection-unknown"):
        rich.adopt(object())
    with (
        psycopg.connect(database.url, autocommit=True) as connection,
        pytest.raises(Misuse, match="no-open-transaction"),
    ):
        rich.adopt(connection)


def test_adopting_django(rich: Comptoir, database: Database) -> None:
    with connected(database.url) as (connection, atomic):
        with atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO app.orders VALUES ('django')")
            rich.adopt(connection).credits.spend("alice", 1, idempotency_key="django")
        with atomic():
            rich.adopt(connection).credits.spend("alice", 1, idempotency_key="undone")
            connection.set_rollback(True)
        with pytest.raises(Misuse, match="no-open-transaction"):
            rich.adopt(connection)
    assert orders(database) == ["django"]
    assert rich.credits.balance("alice").balance == 99


def words(rich: Comptoir, key: str) -> Generator[int]:
    with rich.credits.holding("alice", 10, ttl_seconds=60, idempotency_key=key) as hold:
        for number in range(4):
            hold.report(number + 1)
            yield number


def test_holds_around_work(rich: Comptoir, database: Database) -> None:
    with rich.credits.holding("alice", 10, ttl_seconds=60, idempotency_key="work") as hold:
        hold.report(4)
        assert hold.hold.id == hold.id
    assert isinstance(hold.settled, Captured)
    with rich.credits.holding("alice", 10, ttl_seconds=60, idempotency_key="idle") as hold:
        hold.renew(90)
    assert isinstance(hold.settled, HoldMade)
    assert list(words(rich, "finished")) == [0, 1, 2, 3]
    closed = words(rich, "closed")
    next(closed)
    closed.close()
    dropped = words(rich, "dropped")
    next(dropped)
    del dropped
    rich.close()
    with Comptoir.open(database.url) as again:
        balance = again.credits.balance("alice")
    assert (balance.balance, balance.held) == (100 - 4 - 4 - 1 - 1, 0)


def test_an_event_loop_is_not_stopped(rich: Comptoir) -> None:
    async def within() -> None:
        rich.credits.balance("alice")

    with pytest.raises(Misuse, match="in-event-loop"):
        asyncio.run(within())


def test_a_forked_child_is_told(rich: Comptoir) -> None:
    """It would wait for ever for a thread that its parent has."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            rich.credits.balance("alice")
        except Misuse as error:
            os.write(write, error.code.encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    assert os.read(read, 100) == b"books-not-open"
    os.close(read)


def test_closed_books_are_closed(rich: Comptoir) -> None:
    rich.close()
    rich.close()
    with pytest.raises(Misuse, match="books-not-open"):
        rich.credits.balance("alice")


def test_what_cannot_be_opened_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(Unavailable):
        Comptoir.open("postgresql://localhost:1/nothing?connect_timeout=1")
    with pytest.raises(comptoir.NotFound):
        Comptoir.open(database.url, book="nothing")


PAIRS = [
    (Verbs, "credits"), (Credits, "credits"), (Ledger, "ledger"), (Customers, "customers"),
    (Prices, "prices"), (Tokens, "tokens"), (Payments, "payments"), (Billing, "billing"),
]  # fmt: skip
UNSHARED = {"scale"}


@pytest.mark.parametrize(("kind", "part"), PAIRS, ids=lambda each: getattr(each, "__name__", each))
def test_both_have_the_same_verbs(shop: Comptoir, kind: type, part: str) -> None:
    of: Any = getattr(shop, part)
    names = [name for name in dir(kind) if not name.startswith("_") and name not in UNSHARED]
    assert names
    for name in names:
        assert inspect.signature(getattr(of, name)).parameters.keys() == (
            inspect.signature(getattr(kind, name)).parameters.keys() - {"self"}
        )
        assert getattr(of, name).__doc__


def test_both_are_opened_alike() -> None:
    ours, theirs = inspect.signature(Comptoir.open), inspect.signature(comptoir.Comptoir.open)
    assert [*ours.parameters.values()] == [*theirs.parameters.values()]
    assert {"transaction", "adopt", "commit", "open"} <= {*dir(sync.Comptoir)}
