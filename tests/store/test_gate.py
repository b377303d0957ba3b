"""The gate: nobody writes to books that move, whoever he is and whenever he began."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from comptoir.kit.errors import Unavailable
from comptoir.store import gate
from comptoir.store.gate import Gate, State
from comptoir.store.ledger import execute, execute_sync
from comptoir.store.pool import begin, fetch, open_pool
from comptoir.store.sweep import have_moved
from tests.support.batches import LIMITS, Shop, gather, open_shop, outcomes, rows
from tests.support.postgres import Database

pytestmark = pytest.mark.pg
STATES = {State.MOVING: "MV001", State.MOVED: "MV002", State.ARRIVING: "MV003"}
TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'comptoir'::regnamespace AND relkind='r'"
)
WRITES = (
    "INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT * FROM {0}",
    "DELETE FROM {0}",
    "TRUNCATE {0} CASCADE",
)
SETTING = "INSERT INTO comptoir.settings VALUES ('gate', 'test')"


@pytest.fixture
async def shop(database: Database) -> AsyncGenerator[Shop]:
    async with open_shop(database) as found:
        yield found


@contextmanager
def closed(database: Database, state: State = State.MOVING) -> Iterator[psycopg.Connection]:
    """A closed gate; who has closed it lives while the block runs."""
    with psycopg.connect(database.owner_url, autocommit=True) as mover:
        mover.execute("SELECT pg_advisory_lock(%s)", (gate.LOCK,))
        gate.close(mover, Gate(state, "move-1", "there:5432/it's \\ here"))
        yield mover


def open_again(database: Database) -> None:
    with psycopg.connect(database.owner_url) as connection:
        gate.open_(connection)


def read(database: Database) -> Gate | None:
    with psycopg.connect(database.app_url, autocommit=True) as connection:
        return gate.read(connection)


def code_of(url: str, statement: str) -> str | None:
    """The SQLSTATE with which a statement is refused; None when it passes."""
    with psycopg.connect(url, autocommit=True) as connection:
        return tried(connection, statement)


def tried(connection: psycopg.Connection, statement: str) -> str | None:
    try:
        connection.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate
    return None


def test_books_that_rest_have_no_gate(database: Database):
    assert read(database) is None
    assert rows(database.owner_url, "SELECT to_regproc('comptoir.refuse_writes')") == [(None,)]


@pytest.mark.parametrize("state", State)
def test_a_gate_says_why_it_is_closed(database: Database, state: State):
    with closed(database, state):
        assert read(database) == Gate(state, "move-1", "there:5432/it's \\ here", live=True)
    there = read(database)
    assert there is not None
    assert there.is_open == (state is State.MOVING)


@pytest.mark.parametrize("state", State)
def test_every_table_refuses_every_kind_of_write_of_everybody(database: Database, state: State):
    with closed(database, state):
        tables = [name for [name] in rows(database.owner_url, TABLES)]
        assert len(tables) > 10
        for url in (database.owner_url, database.superuser_url):
            with psycopg.connect(url, autocommit=True) as writer:
                for table in tables:
                    said = [tried(writer, each.format(f"comptoir.{table}")) for each in WRITES]
                    # What nobody may ever do is refused for that reason.
                    assert said[0] == STATES[state], table
                    assert set(said) <= {STATES[state], "23001"}, (table, said)
        assert code_of(database.app_url, SETTING) == STATES[state]
        assert (
            code_of(database.app_url, "UPDATE comptoir.accounts SET held = held") == STATES[state]
        )
        assert code_of(database.app_url, "SELECT * FROM comptoir.movements") is None


def test_whoever_moves_them_lets_go_by_dying(database: Database):
    with closed(database) as mover:
        [(pid,)] = mover.execute("SELECT pg_backend_pid()").fetchall()
        assert code_of(database.app_url, SETTING) == "MV001"
        rows(database.superuser_url, "SELECT pg_terminate_backend(%s, 5000)", pid)
        assert code_of(database.app_url, SETTING) is None


@pytest.mark.parametrize("state", [State.MOVED, State.ARRIVING])
def test_other_gates_stay_closed(database: Database, state: State):
    with closed(database, state):
        pass
    assert code_of(database.app_url, SETTING) == STATES[state]
    open_again(database)
    assert code_of(database.app_url, SETTING) is None


def test_a_write_that_passed_a_dead_movers_gate_keeps_the_next_mover_waiting(database: Database):
    with closed(database):
        pass
    with (
        psycopg.connect(database.app_url) as writer,
        psycopg.connect(database.owner_url, autocommit=True) as mover,
    ):
        writer.execute(SETTING.encode())
        mover.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            mover.execute("SELECT pg_advisory_lock(%s)", (gate.LOCK,))
        writer.commit()
        mover.execute("SELECT pg_advisory_lock(%s)", (gate.LOCK,))


def test_the_gate_closes_only_when_nobody_is_writing(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(gate, "_CLOSE_SECONDS", 0.0)
    with psycopg.connect(database.app_url) as writer:
        writer.execute(SETTING.encode())
        with pytest.raises(psycopg.errors.LockNotAvailable), closed(database):
            pass
        assert read(database) is None
        writer.commit()
    with closed(database):
        assert read(database) is not None


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_whoever_began_before_the_gate_closed_is_refused(database: Database, level: str):
    with psycopg.connect(database.app_url) as writer:
        writer.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
        writer.execute("SELECT * FROM comptoir.settings")
        writer.execute("SELECT * FROM comptoir.accounts FOR UPDATE")
        with closed(database, State.MOVED):
            pass
        with pytest.raises(psycopg.DatabaseError) as refused:
            writer.execute(SETTING.encode())
        assert refused.value.sqlstate == "MV002"


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_a_gate_that_changes_from_moving_to_moved_is_never_open(database: Database, level: str):
    with psycopg.connect(database.app_url) as writer, closed(database) as mover:
        writer.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
        writer.execute("SELECT * FROM comptoir.settings")
        gate.close(mover, Gate(State.MOVED, "move-1", "there"))
        mover.close()
        with pytest.raises(psycopg.DatabaseError) as refused:
            writer.execute(SETTING.encode())
        assert refused.value.sqlstate == "MV002"


async def test_the_group_commit_refuses_all_at_once_and_goes_on_afterwards(shop: Shop):
    account = await shop.account("alice", 500)
    chains = [shop.spend(f"s{n}", account) for n in range(300)]
    async with shop.batch() as batch:
        await batch.submit(shop.spend("before", account))
        with closed(shop.database):
            async with asyncio.timeout(5):
                refused = await batch.submit_each(chains)
        assert {error.code for error in refused if isinstance(error, Unavailable)} == {
            "books-moving"
        }
        assert len(refused) == 300
        assert shop.balance(account) == (499, 0)
        done = await gather(batch, chains)
    assert set(outcomes(done)) == {"created"}
    assert shop.balance(account) == (199, 0)
    open_again(shop.database)


async def test_what_was_answered_is_still_answered_while_books_move(shop: Shop):
    account = await shop.account("alice", 500)
    async with shop.batch() as batch:
        [first] = await batch.submit(shop.spend("s", account))
        with closed(shop.database):
            [again] = await batch.submit(shop.spend("s", account))
    assert (first.outcome, again.outcome) == ("created", "exists")
    open_again(shop.database)


async def test_callers_with_rows_of_their_own_are_told_too(shop: Shop):
    account = await shop.account("alice", 500)
    async with open_pool(shop.url, LIMITS) as pool:
        with closed(shop.database, State.MOVED):
            with pytest.raises(Unavailable, match="books-moved") as refused:
                async with begin(pool) as tx:
                    await execute(tx, shop.book, shop.facts, [shop.spend("s", account)])
            assert refused.value.retry_after > 1
            with (
                pytest.raises(Unavailable, match="books-moved"),
                psycopg.connect(shop.url) as connection,
            ):
                execute_sync(connection, shop.book, shop.facts, [shop.spend("s", account)])
            with pytest.raises(Unavailable, match="books-moved"):
                await fetch(pool, SETTING, ())
            assert await have_moved(pool)
    open_again(shop.database)


async def test_books_that_have_not_moved(database: Database):
    async with open_pool(database.app_url, LIMITS) as pool:
        assert not await have_moved(pool)
        with closed(database):
            assert not await have_moved(pool)
