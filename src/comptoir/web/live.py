"""Answers that go on: server-sent events, with the newest snapshot of whatever is watched.

Nothing queues up: a client that reads slowly gets fewer snapshots, never old ones. A stream holds
no connection of the database. Why so: docs/decisions/0026-live.md.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Hashable
from contextlib import ExitStack, aclosing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from comptoir.domains.credits import queries
from comptoir.store.facts import Asset
from comptoir.store.live import Seen, Topic, Watch
from comptoir.web import views
from comptoir.web.replies import Header, Reply, Send, encode, write_time

EVENTS: Final = b"text/event-stream"

HEARTBEAT_SECONDS: Final = 15.0
LIFE_SECONDS: Final = 600.0
"""After which a stream ends, some a little sooner: so a server that was replaced loses its own."""

JITTER: Final = 0.1
STALL_SECONDS: Final = 30.0
"""How long a client may take for each piece; then the connection is broken off."""

EACH: Final = 3
"""Streams that one caller may have open about one customer."""

ALL: Final = 1_000
"""Streams that one process has open; whoever comes then polls."""

BALANCE_PACE: Final = 0.05
"""Seconds between two snapshots of one stream, at least."""

CHANGED_PACE: Final = 0.5

_RETRY: Final = b"retry: 3000\n\n"
_HEARTBEAT: Final = b":\n\n"
_HEADERS: Final[tuple[Header, ...]] = (
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)


class Seats:
    """How many streams are open. Used by the tasks of one event loop."""

    def __init__(self) -> None:
        self.taken: Counter[Hashable] = Counter()

    @contextmanager
    def seat(self, caller: Hashable) -> Generator[bool]:
        """Whether there is room for one more while the block runs; then it is taken."""
        if self.taken[caller] >= EACH or self.taken.total() >= ALL:
            yield False
            return
        self.taken[caller] += 1
        try:
            yield True
        finally:
            self.taken[caller] -= 1
            if not self.taken[caller]:
                del self.taken[caller]


class Feed(Protocol):
    """What a stream tells.

    Attributes:
        watch: says when there is something new.
        pace: seconds between two events, at least.
    """

    watch: Watch
    pace: float

    def newest(self) -> bytes | None:
        """The event to send now, each once; None when everything was sent."""
        ...


@dataclass(slots=True)
class Balances:
    """Snapshots of one balance, each newer than the one before.

    Attributes:
        sent: the version that the client has; -1 for none.
    """

    watch: Watch
    seen: Seen
    asset: Asset
    owner: str
    sent: int = -1
    pace: float = BALANCE_PACE

    def newest(self) -> bytes | None:
        """The event to send now."""
        version = self.seen.version
        if version <= self.sent:
            return None
        self.sent = version
        balance = views.balance(queries.balance(self.owner, self.asset, self.seen.found))
        return event(b"balance", version, balance)


@dataclass(slots=True)
class Changes:
    """That something happened in a book."""

    watch: Watch
    topic: Topic
    clock: Callable[[], int]
    sent: int = -1
    pace: float = CHANGED_PACE

    def newest(self) -> bytes | None:
        """The event to send now; the first comes at once."""
        if self.topic.changes == self.sent:
            return None
        self.sent = self.topic.changes
        now = self.clock()
        return event(b"changed", now, {"at": write_time(now)})


def event(name: bytes, number: int, content: object) -> bytes:
    """One event as it is sent: its data is JSON in one line."""
    return b"event: %s\nid: %d\ndata: %s\n\n" % (name, number, encode(content))


def after(last: bytes | None, version: int) -> int:
    """The version that a client has which says what it saw last; -1 for none.

    A number that is still to come is from a book that was emptied since, and counts for nothing.
    """
    if last is None or not last.isdigit() or len(last) > len(str(version)):
        return -1
    return int(last) if int(last) <= version else -1


@dataclass(slots=True, kw_only=True)
class StreamReply(Reply):
    """An answer that goes on until the client or the server goes, or its time is up.

    Attributes:
        feed: what it tells.
        life: seconds after which it ends.
        is_welcome: whether the client may still be told; asked with every heartbeat.
        opened: what is closed at the end.
    """

    feed: Feed
    life: float
    is_welcome: Callable[[], Awaitable[bool]]
    opened: ExitStack
    status: int = 200
    body: bytes = b""
    kind: bytes = EVENTS

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:  # noqa: ANN401  # ASGI
        """Give the answer to the server, piece by piece."""
        scope["comptoir.streams"] = True
        with self.opened:
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(self._listen(receive))
                try:
                    with suppress(TimeoutError):  # the server closes a connection that is stuck
                        await self._send(scope, send)
                finally:
                    listening.cancel()

    async def _listen(self, receive: Any) -> None:  # noqa: ANN401  # ASGI
        """Notice when the client has gone."""
        while (await receive())["type"] != "http.disconnect":  # bounded: every client goes
            continue
        self.feed.watch.end()

    async def _send(self, scope: Any, send: Send) -> None:  # noqa: ANN401  # ASGI
        headers = [(b"content-type", self.kind), *_HEADERS, *self.headers]
        if scope.get("http_version", "").startswith("1"):
            # Nobody asks anything more on it: so the server need not wait whether somebody does.
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                async with asyncio.timeout(STALL_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        async with asyncio.timeout(STALL_SECONDS):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pieces(self) -> AsyncGenerator[bytes]:
        watch, time = self.feed.watch, asyncio.get_running_loop().time
        until, beat_at = time() + self.life, time() + HEARTBEAT_SECONDS
        yield _RETRY
        while not watch.ended.is_set() and time() < until:
            if time() >= beat_at:
                if not await self.is_welcome():
                    return
                beat_at = time() + HEARTBEAT_SECONDS
                yield _HEARTBEAT
            watch.woken.clear()
            newest = self.feed.newest()
            if newest is not None:
                yield newest
                await _within(self.feed.pace, watch.ended)
            else:
                await _within(min(beat_at, until) - time(), watch.woken)


async def _within(seconds: float, happens: asyncio.Event) -> None:
    """Wait for something, but no longer than so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await happens.wait()
