"""A proxy before PostgreSQL that can lose a connection exactly at COMMIT.

It reads the messages of the client just as far as it takes to recognise the statement.
"""

import asyncio
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

_SOCKET: Final = ".s.PGSQL.5432"
_CHUNK: Final = 65_536


class Cut(Enum):
    """What becomes of the connection that sends the next COMMIT."""

    BEFORE = auto()
    """The server never hears of it."""
    AFTER = auto()
    """The server has done it, but the client never hears of that."""
    LATE = auto()
    """The client loses the connection first; the server hears of it when `let_go` is called."""


@dataclass(slots=True)
class Proxy:
    """Forwards connections until told otherwise.

    Attributes:
        url: where the database seems to be.
        cut: what to do at the next COMMIT; forgotten once it is done.
        questions: how many more messages a client may send before its connection is lost.
        answers: how many more bytes a client may get before its connection is lost.
        refuse: close new connections at once, as if the server were away.
        cuts: how many connections were lost so far.
        on_cut: called each time one is lost.
    """

    url: str
    server: str
    cut: Cut | None = None
    questions: int | None = None
    answers: int | None = None
    refuse: bool = False
    cuts: int = 0
    on_cut: Callable[[], None] = lambda: None
    _late: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def let_go(self) -> None:
        """Let a late COMMIT reach the server."""
        self._late.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "the server of streams runs this in a task"
        self._tasks.add(task)
        try:
            if not self.refuse:
                await self._link(reader, writer)
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_unix_connection(self.server)
        except OSError:
            return
        with suppress(asyncio.CancelledError):  # the end of the test
            await _Link(self, (reader, writer), upstream).run()

    def count_cut(self) -> None:
        """Note that a connection is being lost."""
        self.cuts += 1
        self.on_cut()

    async def wait_for_late(self) -> None:
        """Wait for `let_go`."""
        await self._late.wait()

    async def end(self) -> None:
        """Drop all connections."""
        ended = list(self._tasks)
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)


class _Link:
    """One client connection and its counterpart at the server."""

    def __init__(
        self,
        proxy: Proxy,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._commits: set[bytes] = set()
        self._answers: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Forward until either side goes or the connection is cut."""
        async with asyncio.TaskGroup() as group:
            self._answers = group.create_task(self._forward_answers())
            try:
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    await self._forward_questions()
            finally:
                self._answers.cancel()
                for writer in (self._client[1], self._server[1]):
                    writer.close()

    async def _forward_answers(self) -> None:
        with suppress(ConnectionError):
            while chunk := await self._server[0].read(_CHUNK):
                room = self._proxy.answers
                if room is not None and len(chunk) > room:
                    self._proxy.answers = None
                    self._proxy.count_cut()
                    self._client[1].write(chunk[:room])
                    break
                if room is not None:
                    self._proxy.answers = room - len(chunk)
                self._client[1].write(chunk)
                await self._client[1].drain()
        self._client[1].close()

    async def _forward_questions(self) -> None:
        await self._forward(await self._message(b""))
        while True:  # bounded by the connection: reading raises when it ends
            kind = await self._client[0].readexactly(1)
            message = await self._message(kind)
            if self._is_last():
                return
            if self._is_commit(kind, message[5:]) and self._proxy.cut is not None:
                cut, self._proxy.cut = self._proxy.cut, None
                await self._lose(cut, message)
                return
            await self._forward(message)

    def _is_last(self) -> bool:
        """Whether the connection is lost before this message."""
        left = self._proxy.questions
        if left is None:
            return False
        self._proxy.questions = left - 1 if left else None
        if not left:
            self._proxy.count_cut()
        return not left

    async def _message(self, kind: bytes) -> bytes:
        head = await self._client[0].readexactly(4)
        [length] = struct.unpack("!I", head)
        return kind + head + await self._client[0].readexactly(length - 4)

    def _is_commit(self, kind: bytes, body: bytes) -> bool:
        if kind == b"P":
            name, text, _ = body.split(b"\0", 2)
            self._commits.discard(name)  # the unnamed statement is another one each time
            if text == b"COMMIT":
                self._commits.add(name)
            return False
        if kind == b"Q":
            return body == b"COMMIT\0"
        return kind == b"B" and body.split(b"\0", 2)[1] in self._commits

    async def _forward(self, message: bytes) -> None:
        self._server[1].write(message)
        await self._server[1].drain()

    async def _lose(self, cut: Cut, commit: bytes) -> None:
        """Lose the client; whether the server still hears of the rest depends on the cut."""
        assert self._answers is not None, "started before the first question"
        self._answers.cancel()
        self._proxy.count_cut()
        rest = commit + await self._rest(is_simple=commit[:1] == b"Q")
        self._client[1].close()
        if cut is Cut.BEFORE:
            return
        if cut is Cut.LATE:
            await self._proxy.wait_for_late()
        await self._forward(rest)
        self._server[1].write_eof()
        with suppress(ConnectionError):
            while await self._server[0].read(_CHUNK):
                continue

    async def _rest(self, *, is_simple: bool) -> bytes:
        """What follows the COMMIT, up to the end of its pipeline."""
        rest = b""
        if is_simple:
            return rest
        while True:  # bounded by the pipeline, which ends in a Sync
            kind = await self._client[0].readexactly(1)
            rest += await self._message(kind)
            if kind == b"S":
                return rest


@asynccontextmanager
async def proxied(url: str, folder: Path) -> AsyncGenerator[Proxy]:
    """A proxy before the database at `url`, which listens on a Unix socket."""
    home = conninfo_to_dict(url)["host"]
    there = make_url(url)
    query = {**there.query, "host": str(folder)}
    here = there.set(host=None, port=None, query=query).render_as_string(hide_password=False)
    proxy = Proxy(here, f"{home}/{_SOCKET}")
    server = await asyncio.start_unix_server(proxy.serve, folder / _SOCKET)
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
