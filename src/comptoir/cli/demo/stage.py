"""The stage of the demo: a throw-away home, its database, a real server, and a key to it.

Leaving it removes everything. If this process is killed, the server ends because its pipe closes;
the sweeper, which both of them keep waiting, then stops PostgreSQL and removes the folder.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from comptoir.app import Urls, database, open_app
from comptoir.cli.demo import sweep
from comptoir.cli.keys import make_key
from comptoir.cli.opening import migrated
from comptoir.config import Settings, surroundings
from comptoir.kit.actor import Role
from comptoir.kit.errors import Unavailable

BOOK: Final = 1
"""The live book: a throw-away shop is as real as it gets."""

_START_SECONDS: Final = 20
_STOP_SECONDS: Final = 15
_LAST_LINES: Final = 5
_ADDRESS: Final = re.compile(r"http://\S+")


@dataclass(frozen=True, slots=True)
class Stage:
    """A shop that is open.

    Attributes:
        urls: its database.
        address: its server.
        key: an operator's key.
    """

    urls: Urls
    address: str
    key: str


@asynccontextmanager
async def raised(locale: str) -> AsyncGenerator[Stage]:
    """A stage, from an empty folder to a server that answers; leaves nothing behind.

    Raises:
        Unavailable: the database or the server does not start.
    """
    with _home() as (home, sweeper):
        async with database(Settings.throw_away(home, locale)) as urls:
            await migrated(urls)
            async with open_app(Settings.throw_away(home, locale), urls) as app:
                key, _ = await make_key(app, BOOK, Role.OPERATOR, "demo")
            async with serving(home, locale, sweeper) as address:
                yield Stage(urls, address, key)


@contextmanager
def _home() -> Generator[tuple[Path, int]]:
    home = Path(tempfile.mkdtemp(prefix="comptoir-demo-"))
    # Its own session: the Ctrl-C of a terminal is for the demo, which then closes the pipe.
    command = [sys.executable, "-P", str(sweep.__file__), str(home)]
    with subprocess.Popen(command, stdin=PIPE, start_new_session=True) as sweeper:
        assert sweeper.stdin is not None, "a pipe was asked for"
        try:
            yield home, sweeper.stdin.fileno()
        finally:  # leaving Popen waits for it
            sweeper.stdin.close()


@asynccontextmanager
async def serving(home: Path, locale: str, held: int) -> AsyncGenerator[str]:
    """The address of a server of that home, a process of its own that ends with the block.

    Args:
        home: the throw-away home.
        locale: the language of what it says.
        held: a descriptor that it keeps open for as long as it lives.

    Raises:
        Unavailable: it does not start.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "comptoir.cli", "serve", "--port", "0", "--exit-with-parent"),
        stdin=PIPE,
        stderr=PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        cwd=home,
        env=surroundings(home, locale),
        start_new_session=True,
        pass_fds=(held,),
    )
    last: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        async with asyncio.TaskGroup() as tasks:
            address = await _ready(process, last)
            reader = tasks.create_task(_drain(process, last))
            try:
                yield address
            finally:
                reader.cancel()
    finally:
        await _stop(process)


async def _ready(process: Process, last: deque[str]) -> str:
    """The address in the line that says where the server listens."""
    assert process.stderr is not None, "a pipe was asked for"
    try:
        async with asyncio.timeout(_START_SECONDS):
            while line := (await process.stderr.readline()).decode(errors="replace"):
                last.append(line.strip())
                if found := _ADDRESS.search(line):
                    return found.group()
    except TimeoutError:
        pass
    raise Unavailable("demo-server", lines=" | ".join(last) or "-")


async def _drain(process: Process, last: deque[str]) -> None:
    """Read on, so that a full pipe never stops the server."""
    assert process.stderr is not None, "a pipe was asked for"
    while line := await process.stderr.readline():
        last.append(line.decode(errors="replace").strip())


async def _stop(process: Process) -> None:
    assert process.stdin is not None, "a pipe was asked for"
    process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
