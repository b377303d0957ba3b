"""Servers are replaced under load, and not one request fails: no 5xx, no reset, no refusal."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.batches import assert_verified, rows, until
from tests.support.postgres import Database
from tests.support.servers import Crowd, Server, add_keys, crowd, free_ports

pytestmark = [pytest.mark.pg, pytest.mark.crash, pytest.mark.slow]
CALLERS = 64
RESTARTS = pytest.mark.parametrize("restarts", [2, pytest.param(20, marks=pytest.mark.soak)])
RELOADS = pytest.mark.parametrize("reloads", [1, pytest.param(10, marks=pytest.mark.soak)])
PATIENCE = 150.0
"""Seconds for two workers, one after the other, on a machine with much else to do."""

BETWEEN = 300
"""Requests that are answered before the next restart begins."""

INHERIT = """
import os, sys
number = int(sys.argv[1])
if number != 3:
    os.dup2(number, 3)
    os.close(number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.executable, [sys.executable, "-m", "comptoir.cli", "serve", *sys.argv[2:]])
"""
"""What systemd does for a service that has a socket unit."""


@dataclass(slots=True)
class Heir(Server):
    """A `comptoir serve` that was started with the listener that others use too."""

    listener: socket.socket | None = None

    def start(self) -> "Heir":
        assert self.listener is not None
        number = self.listener.fileno()
        with (self.folder / f"server-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", INHERIT, str(number), *self.options],
                env=dict(self._environment()),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[number],
            )
        return self


@contextmanager
def listening() -> Generator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=1_024) as listener:
        yield listener


def said_ready(server: Server) -> int:
    """How many processes behind this port have said so far that they listen."""
    return server.output.count("listens on")


@dataclass(slots=True)
class Tally:
    """What became of the requests of all callers."""

    answered: int = 0
    is_over: bool = False


async def spend_on(clients: Crowd, caller: int, tally: Tally) -> None:
    """Spend on a connection that is kept, until it is over; whatever fails, fails the test."""
    for n in range(1_000_000):
        if tally.is_over:
            return
        body = {"customer": f"c{caller % 8}", "amount": 1}
        reply = await clients.post("/api/credits/spend", body, f"{caller}-{n}")
        assert (reply.status, reply.replayed) == (200, False), reply
        tally.answered += 1


@asynccontextmanager
async def under_load(server: Server, database: Database) -> AsyncGenerator[Tally]:
    """Callers spend while the block runs; afterwards every spend counts once."""
    tally = Tally()
    async with crowd([server], add_keys(database)) as clients:
        for n in range(8):
            await clients.grant(f"c{n}", "999999")
        async with asyncio.TaskGroup() as group:
            for caller in range(CALLERS):
                group.create_task(spend_on(clients, caller, tally))
            await until(lambda: tally.answered > BETWEEN)
            yield tally
            tally.is_over = True
    query = "SELECT count(*) FROM comptoir.requests WHERE book_id = 1 AND op = 'spend'"
    [(spent,)] = rows(database.owner_url, query)
    assert spent == tally.answered
    assert_verified(database)


async def more(tally: Tally) -> None:
    goal = tally.answered + BETWEEN
    await until(lambda: tally.answered > goal)


@pytest.mark.timeout(600)
@RESTARTS
@pytest.mark.parametrize(
    "overlap",
    [pytest.param(True, marks=pytest.mark.soak), False],
    ids=["new first", "old first"],
)
async def test_rolling_restart_of_processes_that_share_a_listener(
    *, overlap: bool, restarts: int, tmp_path: Path, database: Database
):
    with listening() as listener:
        port = listener.getsockname()[1]
        running = Heir(tmp_path, database, port, listener=listener).start()
        try:
            await asyncio.to_thread(running.wait_until_ready)
            async with under_load(running, database) as tally:
                for restart in range(restarts):
                    old = running
                    if not overlap:  # callers wait in the queue of the listener meanwhile
                        assert await asyncio.to_thread(old.stop) == 0
                    running = Heir(tmp_path, database, port, listener=listener).start()
                    await until(lambda s=running, r=restart: said_ready(s) == r + 2, 60)
                    if overlap:
                        await more(tally)
                        assert await asyncio.to_thread(old.stop) == 0
                    await more(tally)
        finally:
            running.kill()
    print(f"{restarts} restarts, {tally.answered} requests, 0 failed")  # noqa: T201  # the figure


@pytest.mark.timeout(1_800)
@RELOADS
async def test_rolling_restart_of_workers_on_sighup(
    reloads: int, tmp_path: Path, database: Database
):
    [port] = free_ports(1)
    server = Server(tmp_path, database, port, options=("--workers", "2")).start()
    try:
        await asyncio.to_thread(server.wait_until_ready)
        assert server.process is not None
        parent = server.process.pid
        await until(lambda: len(workers(parent)) == 2, 60)
        async with under_load(server, database) as tally:
            for _ in range(reloads):
                before = workers(parent)
                os.kill(parent, signal.SIGHUP)
                await until(lambda old=before: are_others(workers(parent), old), PATIENCE)
                await more(tally)
        assert await asyncio.to_thread(server.stop) == 0
    finally:
        server.kill()
    print(f"{reloads} restarts of 2 workers, {tally.answered} requests, 0 failed")  # noqa: T201  # the figure


def are_others(now: set[int], before: set[int]) -> bool:
    return len(now) == 2 and not now & before


def workers(parent: int) -> set[int]:
    """The processes that serve, without the one that counts multiprocessing's resources."""
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(pid) for pid in listed if b"spawn_main" in command_of(pid)}


def command_of(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


async def test_a_connection_that_rests_is_told_with_its_next_answer(
    tmp_path: Path, database: Database
):
    """The server has been asked to end, and a request comes on an old connection."""
    with listening() as listener:
        port = listener.getsockname()[1]
        server = Heir(tmp_path, database, port, listener=listener).start()
        try:
            await asyncio.to_thread(server.wait_until_ready)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert b"connection: close" not in await ask(reader, writer)
            server.ask_to_stop()
            listener.close()
            await until(lambda: not takes_connections(port))
            head = await ask(reader, writer)
            assert head.startswith(b"HTTP/1.1 200")
            assert b"connection: close" in head
            assert await reader.read() == b""
            writer.close()
            assert await asyncio.to_thread(server.stop) == 0
        finally:
            server.kill()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    head = (await reader.readuntil(b"\r\n\r\n")).lower().replace(b"http/", b"HTTP/")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length"))
    await reader.readexactly(int(length.split(b":")[1]))
    return head


def takes_connections(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
