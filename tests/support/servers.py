"""Real server processes on one database: started, killed, restarted, asked over real HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.error import URLError
from urllib.request import urlopen

import aiohttp
import psycopg

from comptoir.cli import throwaway
from comptoir.config import surroundings
from comptoir.domains.identity.model import hash_key, hint_of, write_key
from comptoir.kit.actor import Role
from comptoir.kit.ids import uuid7
from tests.support.postgres import Database

LIVE: Final = 1
_READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.02
_SHIFTED: Final = Path(throwaway.__file__).with_name("shifted.py")
_ADD_KEY: Final = """
INSERT INTO comptoir.keys (book_id, id, role, name, hash, hint)
VALUES (%s, %s, %s, 'test', %s, %s)"""

Body = dict[str, Any]


class NotReady(AssertionError):
    """A server ended, or did not answer in time; the message is what it said."""


@dataclass(slots=True)
class Server:
    """One `comptoir serve` process, always on the same port.

    Attributes:
        clock: seconds by which its clock is wrong.
    """

    folder: Path
    database: Database
    port: int
    clock: int = 0
    options: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """Everything that the process, and those before it on this port, have said."""
        path = self.folder / f"server-{self.port}.log"
        return path.read_text() if path.exists() else ""

    def start(self) -> Self:
        """Start the process; `wait_until_ready` says when it answers."""
        program = ["-P", str(_SHIFTED), str(self.clock)] if self.clock else ["-m", "comptoir.cli"]
        command = [sys.executable, *program, "serve", "--port", str(self.port), *self.options]
        with (self.folder / f"server-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=self._environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def wait_until_ready(self) -> Self:
        """Wait until the server takes requests.

        Raises:
            NotReady: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                raise NotReady(self.output)
            if self._answers():
                return self
            time.sleep(_POLL_SECONDS)
        raise NotReady(self.output)

    def kill(self) -> None:
        """Kill the process at once, whatever it is doing."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask the process to end, and wait until it has; returns its exit code."""
        return self._end(signal.SIGTERM)

    def ask_to_stop(self) -> None:
        """Ask the process to end, and do not wait."""
        assert self.process is not None, "started before"
        self.process.send_signal(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            return self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise NotReady(f"did not end in time\n{self.output}") from None
        finally:
            self.process = None

    def _environment(self) -> Mapping[str, str]:
        return surroundings(self.folder, "en") | {
            "DATABASE_URL": self.database.app_url,
            "DATABASE_DIRECT_URL": self.database.owner_url,
            "COMPTOIR_SECRET": "the same for all of them",
            **self.environment,
        }

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/health/ready", timeout=_READY_SECONDS) as reply:
                return reply.status == 200
        except (URLError, ConnectionError):
            return False


@dataclass(slots=True)
class Reply:
    """What a server said."""

    status: int
    body: Body
    replayed: bool

    @property
    def code(self) -> str | None:
        """The stable code of a problem."""
        return self.body.get("code")


@dataclass(slots=True)
class Crowd:
    """Clients of several servers, who carry one or the other of two keys.

    Attributes:
        keys: an operator's and a service's key of one book.
    """

    servers: Sequence[Server]
    keys: Sequence[str]
    session: aiohttp.ClientSession = field(repr=False)

    async def post(
        self, path: str, body: Body, key: str | None = None, *, at: int = 0, who: int = 0
    ) -> Reply:
        """Post to server `at` with API key `who`; `key` is the idempotency key."""
        headers = {"Authorization": f"Bearer {self.keys[who % len(self.keys)]}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        url = self.servers[at % len(self.servers)].url + path
        async with self.session.post(url, json=body, headers=headers) as reply:
            found = json.loads(await reply.read())
            if reply.status >= 400:
                assert reply.content_type == "application/problem+json", found
                assert found["status"] == reply.status
                assert found["detail"]
            if reply.status == 503:
                assert int(reply.headers["Retry-After"]) > 0
            return Reply(reply.status, found, reply.headers.get("Idempotent-Replayed") == "true")

    async def get(self, path: str, *, at: int = 0) -> Reply:
        """Read from server `at`."""
        headers = {"Authorization": f"Bearer {self.keys[0]}"}
        url = self.servers[at % len(self.servers)].url + path
        async with self.session.get(url, headers=headers) as reply:
            return Reply(reply.status, json.loads(await reply.read()), replayed=False)

    async def grant(self, customer: str, amount: str, key: str | None = None) -> Reply:
        """Give credits, which must work."""
        body = {"customer": customer, "amount": amount, "reason": "test"}
        done = await self.post("/api/credits/grant", body, key or f"grant-{customer}")
        assert done.status == 201, done
        return done

    async def balance(self, customer: str, *, at: int = 0) -> Body:
        """The balance of a customer's credits."""
        found = await self.get(f"/api/credits/balance?customer={customer}", at=at)
        assert found.status == 200, found
        return found.body


@contextmanager
def serving(
    folder: Path, database: Database, count: int = 1, clocks: Sequence[int] = ()
) -> Generator[list[Server]]:
    """So many ready servers on one database; whoever still runs is killed at the end."""
    with ExitStack() as stack:
        servers: list[Server] = []
        for port, clock in zip(free_ports(count), clocks or [0] * count, strict=True):
            server = Server(folder, database, port, clock)
            stack.callback(server.kill)
            servers.append(server.start())
        for server in servers:
            server.wait_until_ready()
        yield servers


@asynccontextmanager
async def crowd(servers: Sequence[Server], keys: Sequence[str]) -> AsyncGenerator[Crowd]:
    """Clients without a limit of their own on connections."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield Crowd(servers, keys, session)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def add_keys(database: Database, book: int = LIVE) -> list[str]:
    """An operator's and a service's key, made behind the servers' back."""
    keys: list[str] = []
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        for role in (Role.OPERATOR, Role.SERVICE):
            text = write_key(book, role, os.urandom(32))
            id_ = uuid7(time.time_ns() // 1000, os.urandom(10))
            row = (book, id_, role, hash_key(text), hint_of(text))
            connection.execute(_ADD_KEY, row)
            keys.append(text)
    return keys
