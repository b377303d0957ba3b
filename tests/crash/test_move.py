"""Books move under load, and whoever moves them is killed: no request is lost or done twice."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest

from comptoir.kit.ids import request_id
from comptoir.store import gate, migrate
from comptoir.store.gate import State
from tests.crash.load import Load, judge, work
from tests.support.batches import assert_verified, rows, until
from tests.support.copies import empty_database, is_blank, prints
from tests.support.homes import Home, HomeServer, running_home, up
from tests.support.postgres import Cluster, Database
from tests.support.servers import LIVE, Server, add_keys, crowd, free_ports

pytestmark = [pytest.mark.pg, pytest.mark.crash, pytest.mark.slow]
SECONDS: Final = 60.0
SETTINGS: Final = "SELECT name, value FROM comptoir.settings ORDER BY name"
SPEND: Final = ["credits", "spend", "--customer", "a", "--amount", "1", "--idempotency-key"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "home") as made:
        yield made


@pytest.fixture
def new(cluster: Cluster) -> Iterator[Database]:
    with empty_database(cluster) as database:
        yield database


def equal(home: Home, new: Database) -> bool:
    """Row for row; but the environment is the new database's own affair."""
    here, there = prints(home.database.owner_url), prints(new.owner_url)
    del here["settings"], there["settings"]
    settings = rows(home.database.owner_url, SETTINGS)
    return here == there and rows(new.owner_url, SETTINGS) == [
        each for each in settings if each[0] != "environment"
    ]


async def test_books_move_under_load(home: Home, new: Database, tmp_path: Path):
    keys = add_keys(home.database)
    port, new_port = free_ports(2)
    old_server = HomeServer(home.folder, home.database, port)
    new_server = Server(tmp_path, new, new_port)
    with up(old_server):
        async with crowd([old_server], keys) as clients:

            async def moves(load: Load) -> None:
                await load.wait_for(500)
                code, said = await asyncio.to_thread(home.run, "move", new.owner_url)
                assert code == 0, said
                assert load.failures[503, "books-moving"] > 0, load.failures
                before = load.acknowledged
                await load.wait_for_failures(500)
                assert load.failures[503, "books-moved"] > 0, load.failures
                assert load.acknowledged == before, "the old home answers nobody any more"
                load.up.clear()
                assert equal(home, new)
                await nothing_is_served(load)
                await asyncio.to_thread(lambda: new_server.start().wait_until_ready())
                clients.servers = [new_server]
                load.up.set()
                await load.wait_for(500)

            try:
                load = await work(clients, 1, moves)
                await load.repeat_all()
            finally:
                await asyncio.to_thread(new_server.kill)
    assert_verified(home.database)
    assert_verified(new)
    judge(new.owner_url, load.asked)
    assert {code for _, code in load.failures} <= {
        "books-moving", "books-moved", "account-busy", "overloaded", "request-in-flight",
    }, load.failures  # fmt: skip


async def nothing_is_served(load: Load) -> None:
    """A balance that is right no more is not shown either, and load balancers look elsewhere."""

    async def refuses() -> bool:
        reply = await load.clients.get("/api/credits/balance?customer=all-0")
        return (reply.status, reply.code) == (503, "books-moved")

    await until(refuses)
    ready = await load.clients.get("/health/ready")
    assert (ready.status, ready.code) == (503, "books-moved")
    assert (await load.clients.get("/health/live")).status == 200


# Whoever moves the books is killed at each step


@contextmanager
def holding(url: str, statement: str) -> Generator[None]:
    """Hold a lock that a mover needs, until the block ends."""
    with holding_later() as hold:
        hold(url, statement)
        yield


@contextmanager
def holding_later() -> Generator[Callable[[str, str], None]]:
    """Take a lock at some time during the block, and hold it until that ends."""
    with ExitStack() as stack:

        def hold(url: str, statement: str) -> None:
            connection = stack.enter_context(psycopg.connect(url))
            connection.execute(statement.encode())

        yield hold


def grant(home: Home) -> None:
    command = "credits grant --customer a --amount 9 --reason x --idempotency-key g"
    assert home.run(*command.split())[0] == 0


HERE = "LOCK TABLE comptoir.checkpoints IN ROW EXCLUSIVE MODE"
THERE = "LOCK TABLE comptoir.settings IN ACCESS SHARE MODE"
WAITS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():  # bounded by the deadline
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def state(database: Database) -> State | None:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        there = gate.read(connection)
    return there.state if there is not None and not there.is_open else None


def kill(mover: "subprocess.Popen[str]") -> None:
    assert mover.poll() is None, mover.communicate()
    os.kill(mover.pid, signal.SIGKILL)
    mover.communicate()


def holds_key(database: Database, key: str) -> bool:
    query = "SELECT FROM comptoir.requests WHERE id = %s"
    return len(rows(database.owner_url, query, request_id(LIVE, key))) == 1


def works_on(home: Home, key: str) -> None:
    """The old home takes writes again, by itself."""
    wait(lambda: state(home.database) is None)
    code, said = home.run(*SPEND, key)
    assert code == 0, said


@contextmanager
def moving(home: Home, new: Database) -> Generator["subprocess.Popen[str]"]:
    """A move that has closed the gate here, and may not yet write there: it goes on afterwards."""
    with holding(new.owner_url, f"SELECT pg_advisory_xact_lock({migrate._LOCK})"):
        mover = home.process("move", new.owner_url)
        wait(lambda: rows(new.owner_url, WAITS) == [(1,)])
        assert state(home.database) is State.MOVING
        yield mover


@pytest.mark.soak  # ten seconds of its own; the next one kills at two later points
def test_a_mover_that_is_killed_before_anything_has_arrived(home: Home, new: Database):
    grant(home)
    with moving(home, new) as mover:
        code, said = home.run(*SPEND, "early")
        assert (code, "books are moving" in said) == (4, True), said
        kill(mover)
    works_on(home, "early")
    wait(lambda: is_blank(new.owner_url))


@pytest.mark.timeout(300)
def test_a_mover_that_is_killed_before_and_after_the_point_of_no_return(home: Home, new: Database):
    grant(home)
    with holding_later() as here:
        with moving(home, new) as mover:
            here(home.database.owner_url, HERE)
        wait(lambda: state(new) is State.ARRIVING)
        assert state(home.database) is State.MOVING
        kill(mover)
    works_on(home, "middle")
    code, said = home.run("serve", "--port", "0", DATABASE_URL=new.owner_url)
    assert (code, "still moving into" in said) == (4, True), said

    # What had arrived gives way to what has happened since.
    with holding_later() as there:
        with holding_later() as here:
            with moving(home, new) as mover:
                here(home.database.owner_url, HERE)
            wait(lambda: holds_key(new, "middle"))
            there(new.owner_url, THERE)
        wait(lambda: state(home.database) is State.MOVED)
        kill(mover)
    assert state(new) is State.ARRIVING
    for command in ((*SPEND, "late"), ("serve", "--port", "0"), ("backup", "b.zip")):
        code, said = home.run(*command)
        assert (code, "have moved to" in said) == (4, True), said

    # The same again finishes it; once more changes nothing.
    code, said = home.run("move", new.owner_url)
    assert (code, "had arrived" in said) == (0, True), said
    assert equal(home, new)
    assert_verified(new)
    code, said = home.run("move", new.owner_url)
    assert (code, "have moved to" in said) == (4, True), said
    assert state(new) is None
    assert equal(home, new)
