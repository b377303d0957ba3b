"""Moves between two databases: where books may go, and what is left behind."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from comptoir import Comptoir
from comptoir.kit.errors import ComptoirError, Unavailable
from comptoir.store import gate, moving
from comptoir.store.copying import CopyError, Unbalanced
from comptoir.store.gate import Gate, State
from comptoir.store.moving import Moved, Progress, Step, move
from comptoir.store.restore import place
from tests.support.batches import assert_verified, rows
from tests.support.busy import copied, fill
from tests.support.copies import empty_database, is_blank, prints, shape, silent
from tests.support.postgres import Cluster, Database

pytestmark = pytest.mark.pg
SETTING = "INSERT INTO comptoir.settings VALUES ('test', 'x')"


@pytest.fixture(scope="module")
def busy(cluster: Cluster) -> Iterator[Database]:
    with cluster.database() as database:
        asyncio.run(fill(database))
        with psycopg.connect(database.owner_url) as connection:
            connection.execute("INSERT INTO comptoir.settings VALUES ('environment', 'staging')")
        yield database


@pytest.fixture
def old(busy: Database) -> Iterator[Database]:
    with copied(busy) as database:
        yield database


@pytest.fixture
def new(cluster: Cluster) -> Iterator[Database]:
    with empty_database(cluster) as database:
        yield database


def moved(old: Database, url: str, steps: list[Step] | None = None) -> Moved:
    told: list[Step] = [] if steps is None else steps
    return move(old.owner_url, url, "move-1", Progress(told.append, silent))


def state(database: Database) -> State | None:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        there = gate.read(connection)
    return None if there is None or there.is_open else there.state


def refused(old: Database, url: str, code: str) -> CopyError:
    """A move that never begins: the old books are not even closed for a moment."""
    steps: list[Step] = []
    with pytest.raises(CopyError) as error:
        moved(old, url, steps)
    assert error.value.code == code
    assert steps == []
    assert state(old) is None
    return error.value


def test_books_are_there_and_not_here_any_more(old: Database, new: Database):
    wanted, form, steps = prints(old.owner_url), shape(old.owner_url), list[Step]()
    done = moved(old, new.owner_url, steps)
    assert steps == list(Step)
    assert done.restored is not None
    assert done.restored.movements > 40
    assert done.place.endswith(new.owner_url.partition("?")[0].rpartition("/")[2])
    assert prints(old.owner_url) == wanted
    assert state(old) is State.MOVED
    assert state(new) is None
    assert_verified(new)
    assert shape(new.owner_url) == form
    there = prints(new.owner_url)
    del there["settings"], wanted["settings"]
    assert there == wanted


def test_the_environment_is_the_new_databases_own(old: Database, new: Database):
    moved(old, new.owner_url)
    query = "SELECT name FROM comptoir.settings WHERE name = 'environment'"
    assert rows(old.owner_url, query) == [("environment",)]
    assert rows(new.owner_url, query) == []


def test_nobody_writes_here_and_everybody_there(old: Database, new: Database):
    moved(old, new.owner_url)
    for url in (old.app_url, old.owner_url, old.superuser_url):
        with psycopg.connect(url) as connection, pytest.raises(psycopg.DatabaseError) as error:
            connection.execute(SETTING.encode())
        assert error.value.sqlstate == "MV002"
    with psycopg.connect(new.owner_url) as connection:
        connection.execute(SETTING.encode())


def test_the_same_again_says_where_they_are(old: Database, new: Database):
    place = moved(old, new.owner_url).place
    there = prints(new.owner_url)
    with pytest.raises(CopyError, match="home-moved") as error:
        moved(old, new.owner_url)
    assert error.value.figures == {"place": place}
    assert prints(new.owner_url) == there


def test_books_that_have_moved_go_nowhere_else(old: Database, new: Database, cluster: Cluster):
    moved(old, new.owner_url)
    with empty_database(cluster) as other:
        with pytest.raises(CopyError, match="home-moved"):
            moved(old, other.owner_url)
        assert is_blank(other.owner_url)


def test_books_do_not_move_to_themselves(old: Database, database: Database):
    assert refused(old, old.owner_url, "target-is-source")
    # Not even when there is nothing in them that could be lost.
    assert refused(database, database.owner_url, "target-is-source")


def test_books_do_not_move_onto_others(old: Database, busy: Database):
    before = prints(busy.owner_url)
    refused(old, busy.owner_url, "target-not-empty")
    assert prints(busy.owner_url) == before


def test_places_that_are_none(old: Database, cluster: Cluster):
    assert "hush" not in str(refused(old, "mysql://me:hush@db/books", "target-url"))
    away = "postgresql://me:hush@127.0.0.1:1/books"
    assert "hush" not in str(refused(old, away, "target-unreachable").figures)
    with empty_database(cluster, "ENCODING 'SQL_ASCII' LOCALE 'C'") as other:
        refused(old, other.owner_url, "target-encoding")
    with empty_database(cluster) as other:
        refused(old, other.app_url, "target-rights")


def test_books_that_do_not_balance_stay(old: Database, new: Database):
    with psycopg.connect(old.superuser_url) as connection:
        connection.execute("UPDATE comptoir.lots SET priority = priority + 1 WHERE no = 1")
    steps: list[Step] = []
    with pytest.raises(Unbalanced):
        moved(old, new.owner_url, steps)
    assert steps == [Step.CLOSING, Step.VERIFYING]
    assert state(old) is None
    assert is_blank(new.owner_url)
    with psycopg.connect(old.app_url) as connection:
        connection.execute(SETTING.encode())


def test_only_one_moves_them(old: Database, new: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(moving, "_LOCK_WAIT", "50ms")
    with psycopg.connect(old.owner_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (gate.LOCK,))
        with pytest.raises(CopyError, match="move-under-way"):
            moved(old, new.owner_url)


def test_a_writer_without_end(old: Database, new: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gate, "_CLOSE_SECONDS", 0.0)
    with psycopg.connect(old.app_url) as writer:
        writer.execute(SETTING.encode())
        with pytest.raises(CopyError, match="move-busy"):
            moved(old, new.owner_url)
        writer.commit()
    assert state(old) is None
    assert is_blank(new.owner_url)


def arrive(database: Database, name: str) -> None:
    """Close a database as if a move of that name had been killed once everything was there."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        gate.close(connection, Gate(State.ARRIVING, name, "here"))


def leave(database: Database, state: State, name: str, place: str) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        gate.close(connection, Gate(state, name, place))


def test_what_arrived_by_another_move_is_never_replaced(old: Database, busy: Database):
    """It may be the only copy that there is."""
    with copied(busy) as other:
        arrive(other, "another")
        before = prints(other.owner_url)
        refused(old, _owned(other), "target-arriving")
        leave(old, State.MOVING, "mine", "elsewhere")
        refused(old, _owned(other), "target-arriving")
        assert prints(other.owner_url) == before


def test_what_arrived_by_another_move_is_never_opened(old: Database, busy: Database):
    with copied(busy) as other:
        arrive(other, "another")
        leave(old, State.MOVED, "mine", "elsewhere")
        with pytest.raises(CopyError, match="home-moved"):
            moved(old, other.owner_url)
        assert state(other) is State.ARRIVING


def test_a_copy_that_was_left_elsewhere_is_not_opened_by_a_later_move(
    old: Database, new: Database, busy: Database
):
    """Broken off on the way to one database, done to another: the first must stay closed."""
    with copied(busy) as first:
        arrive(first, "move-0")
        leave(old, State.MOVING, "move-0", "first/place")
        moved(old, new.owner_url)
        with pytest.raises(CopyError, match="home-moved"):
            moved(old, first.owner_url)
        assert state(first) is State.ARRIVING


def test_books_that_are_arriving_do_not_leave(old: Database, new: Database):
    arrive(old, "another")
    with pytest.raises(CopyError, match="books-arriving"):
        moved(old, new.owner_url)
    assert is_blank(new.owner_url)


def test_a_database_that_is_away(new: Database):
    with pytest.raises(Unavailable, match="database-down"):
        move("postgresql://127.0.0.1:1/none", new.owner_url, "x", Progress(lambda _: None, silent))


def _owned(database: Database) -> str:
    """The address of a copy for somebody who may make a schema there."""
    return database.superuser_url


async def test_no_program_opens_books_that_are_elsewhere(old: Database, new: Database):
    moved(old, new.owner_url)
    with pytest.raises(ComptoirError, match="home-moved") as error:
        async with Comptoir.open(old.owner_url):
            pass
    assert error.value.figures == {"place": place(new.owner_url)}
    async with Comptoir.open(new.owner_url) as books:
        assert (await books.ledger.verify(full=True)).balanced
