"""The link to a Redis: unset, up or down, and known to be so within a second.

A command may take a fifth of a second. Two that fail one after the other, or one ping, open the
breaker: from then on nobody waits for it, and each guard does what its policy says. A ping four
times a second finds out when it is back, and, while nobody asks anything, that it has gone.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha1
from typing import Any, Final, Protocol, Self, TypeVar

from comptoir.kit.errors import ComptoirError, Unavailable

Word = str | bytes | int
Q = TypeVar("Q")
A = TypeVar("A")

_FAILURES: Final = 2
_CONNECTIONS: Final = 16
_LANES: Final = 4
"""Commands that one guard sends to a cluster at a time."""

_SHOWN: Final = {
    "used_memory": "used_memory",
    "maxmemory": "maxmemory",
    "maxmemory_policy": "maxmemory_policy",
    "evicted_keys": "evicted_keys",
    "redis_version": "version",
}


class Mode(StrEnum):
    """What there is of Redis."""

    UNSET = "unset"
    UP = "up"
    DOWN = "down"


class Client(Protocol):
    """As much of redis-py's client as is used here."""

    def execute_command(self, *words: Any) -> Awaitable[Any]:  # noqa: ANN401  # redis-py's own
        """Send a command, and return what it answers."""
        ...

    def scan_iter(self, match: str, count: int) -> AsyncIterator[bytes]:
        """The keys that are like a glob."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Script:
    """What runs inside of Redis, in one step, by the name that Redis knows it by."""

    text: str
    name: str

    @classmethod
    def of(cls, text: str) -> Self:
        """The script of a text."""
        return cls(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


class Kind(StrEnum):
    """How many servers share the keys."""

    ALONE = "alone"
    CLUSTER = "cluster"
    """A command may only name keys of one hash tag."""


class RedisDown(Unavailable):
    """Redis does not answer: the guard that asked does what its policy says."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things may take, in seconds.

    Attributes:
        command: one command, its connection included.
        probe: how often it is looked at.
    """

    command: float = 0.2
    probe: float = 0.25


@dataclass(slots=True)
class Figures:
    """What a link has seen.

    Attributes:
        ping: seconds that the last ping took.
        failures: commands that failed.
        changes: how often it went up or down.
    """

    ping: float | None = None
    failures: int = 0
    changes: int = 0
    kinds: Counter[str] = field(default_factory=Counter[str])


Told = Callable[[Mode, str], None]
"""Told of each change, with the kind of the error that went before."""


def nobody(_mode: Mode, _why: str) -> None:
    """Who is told, usually."""


class Link:
    """One Redis, for all tasks of one event loop. Use it as an async context manager."""

    def __init__(self, url: str, told: Told = nobody, pace: Pace | None = None) -> None:
        """Link to a Redis.

        Args:
            url: redis:// or rediss://, with a password if it wants one.
            told: of each change.
            pace: how long things may take.

        Raises:
            ComptoirError: the address cannot be one, or redis-py is not installed.
        """
        self._pace = pace or Pace()
        self._url = url
        self._client, self._errors = _client(url, self._pace)
        self._kind: Kind | None = None
        self._told = told
        self._in_a_row = 0
        self._tasks = asyncio.TaskGroup()
        self._probing: asyncio.Task[None] | None = None
        self.mode = Mode.DOWN
        self.figures = Figures()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        await self.probe()
        self._probing = self._tasks.create_task(self._keep_probing())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._probing is not None, "the block was entered"
        self._probing.cancel()
        # The block's own errors are not to become a group.
        await self._tasks.__aexit__(None, None, None)
        await self._client.aclose()

    async def say(self, *words: Word) -> Any:  # noqa: ANN401  # whatever the command answers
        """Send a command, if Redis answers.

        Raises:
            RedisDown: it does not, or did not now.
        """
        return await self._guarded(self._client.execute_command, *words)

    async def run(self, script: Script, keys: Sequence[str], given: Sequence[Word]) -> Any:  # noqa: ANN401  # what Redis answers
        """Run a script, which Redis is told once; all keys are of one hash tag, or of one server.

        Raises:
            RedisDown: it does not answer, or did not now.
        """
        return await self._guarded(self._run, script, keys, given)

    async def _guarded(self, work: Callable[..., Awaitable[Any]], *given: object) -> Any:  # noqa: ANN401  # whatever the work gives
        if self.mode is Mode.DOWN:
            raise RedisDown("redis-down")
        try:
            result = await work(*given)
        except self._errors as error:
            self._failed(error)
            raise RedisDown("redis-down") from error
        self._in_a_row = 0
        return result

    async def _run(self, script: Script, keys: Sequence[str], given: Sequence[Word]) -> Any:  # noqa: ANN401  # what Redis answers
        from redis.exceptions import NoScriptError  # noqa: PLC0415  # loaded with the client

        send = self._client.execute_command
        try:
            return await send("EVALSHA", script.name, len(keys), *keys, *given)
        except NoScriptError:
            return await send("EVAL", script.text, len(keys), *keys, *given)

    async def probe(self) -> None:
        """See whether it answers."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(2 * self._pace.command):
                await self._client.execute_command("PING")
                if self._kind is None:
                    await self._find_out()
        except self._errors as error:
            self._note(error)
            self._become(Mode.DOWN, type(error).__name__)
            return
        self.figures.ping = loop.time() - begun
        self._in_a_row = 0
        self._become(Mode.UP, "")

    @property
    def is_cluster(self) -> bool:
        """Whether a command may only name keys of one hash tag."""
        return self._kind is Kind.CLUSTER

    async def spread(
        self, questions: Sequence[Q], ask: Callable[[Sequence[Q]], Awaitable[Sequence[A]]]
    ) -> list[A]:
        """Ask about all at once; a cluster about each by itself, some at a time.

        Raises:
            RedisDown: it does not answer, or did not now.
        """
        if not self.is_cluster:
            return [*await ask(questions)]
        answers: dict[int, A] = {}
        left = iter(enumerate(questions))
        failed: list[RedisDown] = []

        async def lane() -> None:
            for number, question in left:
                try:
                    [answers[number]] = await ask([question])
                except RedisDown as error:
                    failed.append(error)
                    return

        async with asyncio.TaskGroup() as tasks:
            for _ in range(_LANES):
                tasks.create_task(lane())
        if failed:
            raise failed[0]
        return [answers[number] for number in range(len(questions))]

    async def scan(self, match: str, count: int) -> AsyncGenerator[list[bytes]]:
        """The keys that are like a glob, in parts; each part takes the server no time to speak of.

        Raises:
            RedisDown: it does not answer, or did not now.
        """
        part: list[bytes] = []
        keys = self._client.scan_iter(match=match, count=count)
        while True:  # as many keys as there are
            key = await self._guarded(anext, keys, None)
            if key is not None:
                part.append(key)
            if part and (key is None or len(part) == count):
                yield part
                part = []
            if key is None:
                return

    async def _find_out(self) -> None:
        """See whether it is a cluster, which takes another client."""
        said: dict[str, Any] = await self._client.execute_command("INFO", "cluster")
        if not int(said.get("cluster_enabled", 0)):
            self._kind = Kind.ALONE
            return
        alone, self._client = self._client, _cluster(self._url, self._pace)
        await alone.aclose()
        await self._client.execute_command("PING")
        self._kind = Kind.CLUSTER

    async def look(self) -> dict[str, Any]:
        """What the server says of itself: memory, evictions, policy; nothing when it is down."""
        try:
            said = await self.say("INFO")
        except RedisDown:
            return {}
        return {name: said[theirs] for theirs, name in _SHOWN.items() if theirs in said}

    def _failed(self, error: BaseException) -> None:
        self._note(error)
        self._in_a_row += 1
        if self._in_a_row >= _FAILURES:
            self._become(Mode.DOWN, type(error).__name__)

    def _note(self, error: BaseException) -> None:
        self.figures.failures += 1
        self.figures.kinds[type(error).__name__] += 1

    def _become(self, mode: Mode, why: str) -> None:
        if mode is self.mode and self.figures.changes:
            return
        self.mode = mode
        self.figures.changes += 1
        self._told(mode, why)

    async def _keep_probing(self) -> None:
        while True:  # until left
            await asyncio.sleep(self._pace.probe)
            await self.probe()


def _client(url: str, pace: Pace) -> tuple[Client, tuple[type[Exception], ...]]:
    """A client, and what it raises when Redis does not answer."""
    try:
        # Loaded when needed: whoever has no Redis needs no redis-py.
        from redis import asyncio as theirs  # noqa: PLC0415  # optional
        from redis.exceptions import RedisClusterException, RedisError  # noqa: PLC0415  # optional
    except ImportError as error:
        raise ComptoirError("redis-missing") from error
    try:
        pool: Any = theirs.BlockingConnectionPool
        made = pool.from_url(url, timeout=pace.command, **_said(pace))
    except (ValueError, TypeError) as error:
        raise ComptoirError("redis-url-invalid") from error
    client: Any = theirs.Redis
    errors = (RedisError, RedisClusterException, OSError, TimeoutError)
    return client.from_pool(made), errors


def _cluster(url: str, pace: Pace) -> Client:
    from redis.asyncio.cluster import RedisCluster  # noqa: PLC0415  # as in `_client`

    client: Any = RedisCluster
    return client.from_url(url, **_said(pace))


def _said(pace: Pace) -> dict[str, Any]:
    from redis.asyncio.retry import Retry  # noqa: PLC0415  # as in `_client`
    from redis.backoff import NoBackoff  # noqa: PLC0415  # optional
    from redis.exceptions import ConnectionError as Lost  # noqa: PLC0415  # optional

    return {
        "max_connections": _CONNECTIONS,
        "socket_timeout": pace.command,
        "socket_connect_timeout": pace.command,
        # A connection that was lost while nobody used it is no failure of now.
        "retry": Retry(NoBackoff(), 1, supported_errors=(Lost,)),
        "protocol": 2,
        "driver_info": None,
        "client_name": "comptoir",
    }
