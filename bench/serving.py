"""Starts servers as processes of their own: `comptoir serve`, and the recipes behind its HTTP."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import Final

import psycopg
from psycopg import AsyncConnection

from bench.client import HOST, Job, drive
from bench.database import checkpoint
from bench.http_peers import READY
from bench.measure import Run
from comptoir.config import surroundings
from comptoir.domains.identity.commands import NewKey, add_key
from comptoir.domains.identity.model import write_key
from comptoir.kit.actor import Role
from comptoir.kit.ids import uuid7

BOOK: Final = 1
_LISTENS: Final = "http://"
_READY_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.005
_ROOT: Final = Path(__file__).parents[1]
_PATH: Final = os.pathsep.join((str(_ROOT), str(_ROOT / "src")))
"""So that the code beside the bench is measured, wherever it is installed from."""

_PREFIX: Final = count(1)
_RANDOM: Final = bytes(range(32))


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Site:
    """What every run over HTTP needs: the database, a key, and the process of the clients."""

    url: str
    key: str
    clients: ProcessPoolExecutor

    async def run(self, job: Job) -> Run:
        """One run, right after a checkpoint."""
        checkpoint(self.url)
        return await asyncio.get_running_loop().run_in_executor(self.clients, drive, job)


def prefix() -> str:
    """Begins the idempotency keys of one run."""
    return f"w{next(_PREFIX)}"


@asynccontextmanager
async def site(url: str) -> AsyncIterator[Site]:
    """A new key in the database, and a process for the clients."""
    text = write_key(BOOK, Role.SERVICE, _RANDOM)
    async with await AsyncConnection.connect(url) as connection:
        id_ = uuid7(1, _RANDOM[:10])
        await add_key(connection, NewKey(id_, BOOK, Role.SERVICE, "bench", text))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as clients:
        yield Site(url, text, clients)


def ours(url: str, workers: int) -> AbstractAsyncContextManager[Server]:
    """`comptoir serve` on that database."""
    command = ("-m", "comptoir.cli", "serve", "--no-migrate", "--exit-with-parent")
    options = ("--workers", str(workers), "--port")
    return _started((*command, *options), url, (_LISTENS, 1), {})


def peers(
    url: str, workers: int, module: str = "bench.http_peers"
) -> AbstractAsyncContextManager[Server]:
    """The recipes on that database."""
    command = ("-m", module, str(workers))
    return _started(command, url, (READY, workers), {"BENCH_WORKERS": str(workers)})


def at_home(home: Path) -> AbstractAsyncContextManager[Server]:
    """`comptoir serve` with the embedded database of a home."""
    command = ("-m", "comptoir.cli", "serve", "--exit-with-parent", "--port")
    return _started(command, None, (_LISTENS, 1), {}, home)


def selling(url: str, home: Path, *options: str) -> AbstractAsyncContextManager[Server]:
    """`comptoir serve` on that database with one worker, and a sandbox that its home knows."""
    command = ("-m", "comptoir.cli", "serve", "--no-migrate", "--exit-with-parent")
    more = {"BENCH_WORKERS": "1", "COMPTOIR_SANDBOX": "auto"}
    return _started((*command, *options, "--port"), url, (_LISTENS, 1), more, home)


def embedded(url: str, origin: str) -> AbstractAsyncContextManager[Server]:
    """`comptoir serve` on that database with one worker, for pages of an origin."""
    command = ("-m", "comptoir.cli", "serve", "--no-migrate", "--exit-with-parent", "--port")
    return _started(command, url, (_LISTENS, 1), {"BENCH_WORKERS": "1", "CORS_ORIGINS": origin})


def free_port() -> int:
    with socket() as taken:
        taken.bind((HOST, 0))
        return taken.getsockname()[1]


@asynccontextmanager
async def _started(
    command: Sequence[str],
    url: str | None,
    ready: tuple[str, int],
    more: dict[str, str],
    home: Path | None = None,
) -> AsyncGenerator[Server]:
    port = free_port()
    with TemporaryDirectory(prefix="comptoir-bench-", ignore_cleanup_errors=True) as folder:
        there = surroundings(home or Path(folder), "en") | more | {"PYTHONPATH": _PATH}
        if url is not None:
            there |= {"DATABASE_URL": url}
        if more:  # several processes of `comptoir serve` share their figures this way too
            (Path(folder) / "metrics").mkdir()
            there |= _shared_figures(Path(folder), more)
        log = Path(folder) / "log"
        process = _launch([sys.executable, *command, str(port)], log, there)
        try:
            await _wait(log, process, ready)
            await _reach(port)
            yield Server(port, process.pid)
        finally:
            await asyncio.to_thread(_stop, process)


def _launch(command: list[str], log: Path, there: dict[str, str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as sink:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=sink,
            cwd=log.parent,
            env=there,
        )


def _shared_figures(folder: Path, more: dict[str, str]) -> dict[str, str]:
    is_alone = more["BENCH_WORKERS"] == "1"
    return {} if is_alone else {"PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics")}


async def _wait(log: Path, process: subprocess.Popen[bytes], ready: tuple[str, int]) -> None:
    text, times = ready
    async with asyncio.timeout(_READY_SECONDS):
        while (written := _read(log)).count(text) < times:
            if process.poll() is not None:
                raise SystemExit(f"a server did not start: {written[-2000:]}")
            await asyncio.sleep(_POLL_SECONDS)


async def _reach(port: int) -> None:
    """A server says that it is ready just before it listens."""
    async with asyncio.timeout(_READY_SECONDS):
        while True:  # bounded by the timeout
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except ConnectionRefusedError:
                await asyncio.sleep(_POLL_SECONDS)
            else:
                writer.close()
                return


def _read(log: Path) -> str:
    return log.read_text(errors="replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None, "a pipe was asked for"
    process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def account_of(url: str, customer: str) -> int:
    """The account of a customer's credits."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            """SELECT a.id FROM comptoir.accounts a JOIN comptoir.customers c
                ON (c.book_id, c.id) = (a.book_id, a.customer_id)
            WHERE c.book_id = %s AND c.customer = %s ORDER BY a.id LIMIT 1""",
            (BOOK, customer),
        ).fetchone()
    assert row is not None, "the seed has this customer"
    return row[0]
