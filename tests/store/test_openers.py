"""Accounts are opened by name while their customers are erased, or their book is reset."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from comptoir.store.verify import stand_alone_sql
from tests.support.postgres import Database

pytestmark = [pytest.mark.pg, pytest.mark.race]

TEST = 2
OPEN = "SELECT comptoir.open_customer_account(%s, %s, %s)"
ASSETS = """
SELECT id FROM comptoir.assets WHERE book_id = %s AND code IN ('credits', 'tokens') ORDER BY code"""
ERASE = """
UPDATE comptoir.customers SET customer = NULL, erased_at = now()
WHERE book_id = 2 AND customer = 'alice'"""
MARK = """
UPDATE comptoir.accounts SET anonymous = true FROM comptoir.customers c
WHERE accounts.book_id = 2 AND c.book_id = 2 AND c.id = customer_id AND c.customer = 'alice'"""
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'"""
STATE = """
SELECT c.id, c.customer, a.id FROM comptoir.customers c
LEFT JOIN comptoir.accounts a ON a.book_id = c.book_id AND a.customer_id = c.id
WHERE c.book_id = 2 ORDER BY c.id"""


class Crew:
    """Connections to one database, and what runs on them in threads of their own."""

    def __init__(self, database: Database) -> None:
        self.app = psycopg.connect(database.app_url)
        self.other = psycopg.connect(database.app_url, autocommit=True)
        self.owner = psycopg.connect(database.superuser_url, autocommit=True)
        [(self.credits,), (self.tokens,)] = self.owner.execute(ASSETS, (TEST,)).fetchall()

    def close(self) -> None:
        for each in (self.app, self.other, self.owner):
            each.close()

    @contextmanager
    def meanwhile(self, work: Callable[[], object]) -> Iterator[list[object]]:
        """Run something that must wait for the block; afterwards it is done."""
        found: list[object] = []
        thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while self.owner.execute(WAITING).fetchone() == (0,):
            assert time.monotonic() < deadline, "it does not wait"
            assert thread.is_alive(), f"it did not wait: {found}"
            time.sleep(0.01)
        yield found
        thread.join(20)
        assert not thread.is_alive()

    def open(self, connection: psycopg.Connection, name: str = "alice") -> int:
        row = connection.execute(OPEN, (TEST, self.credits, name)).fetchone()
        assert row is not None
        return row[0]

    def reset(self, connection: psycopg.Connection) -> None:
        connection.execute("SELECT comptoir.reset_book(2)")

    def assert_balanced(self) -> None:
        assert self.owner.execute(stand_alone_sql()).fetchall() == []


@pytest.fixture
def crew(database: Database) -> Iterator[Crew]:
    made = Crew(database)
    yield made
    made.close()


@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_whoever_opens_waits_for_a_reset(crew: Crew, *, known: bool):
    before = crew.open(crew.other) if known else None
    crew.reset(crew.app)
    with crew.meanwhile(lambda: crew.open(crew.other)) as found:
        crew.app.commit()
    assert found != [before]
    [(_, name, account)] = crew.owner.execute(STATE).fetchall()
    assert (name, [account]) == ("alice", found)
    crew.assert_balanced()


def test_a_reset_waits_for_whoever_opens(crew: Crew):
    crew.open(crew.app)
    with crew.meanwhile(lambda: crew.reset(crew.other)):
        crew.app.commit()
    assert crew.owner.execute(STATE).fetchall() == []
    crew.assert_balanced()


def test_whoever_opens_waits_for_an_erasure(crew: Crew):
    """Then the name is somebody new's, with an account of his own."""
    old = crew.open(crew.other)
    crew.app.execute(MARK)
    crew.app.execute(ERASE)
    asked = (TEST, crew.tokens, "alice")
    with crew.meanwhile(lambda: crew.other.execute(OPEN, asked).fetchone()) as found:
        crew.app.commit()
    erased, new = crew.owner.execute(STATE).fetchall()
    assert (erased[1], erased[2], new[1]) == (None, old, "alice")
    assert found == [(new[2],)]
    crew.assert_balanced()


def test_an_erasure_waits_for_whoever_opens(crew: Crew):
    crew.open(crew.other)
    crew.app.execute(OPEN, (TEST, crew.tokens, "alice"))
    lock = "SELECT id FROM comptoir.customers WHERE customer = 'alice' FOR UPDATE"
    with crew.meanwhile(lambda: crew.other.execute(lock).fetchone()):
        crew.app.commit()
