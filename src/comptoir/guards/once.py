"""Calls that are made once: idempotency for any function, with its effect or across the network.

A call that only writes to this database shares a transaction with its key: `inside`. One that asks
somebody else over the network is claimed first, and done under a lease: `Once`. Whoever finds the
claim of a caller that has gone goes on from the last step that was kept, under the same names for
providers. The number of the attempt fences a caller who was merely slow.
"""

import asyncio
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, Self
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable
from psycopg.types.json import Jsonb

from comptoir.guards import sql
from comptoir.guards.names import named
from comptoir.kit.errors import Conflict, Invalid, Unavailable
from comptoir.kit.gathering import Gathering
from comptoir.kit.ids import request_id
from comptoir.store.joined import fetch_joined
from comptoir.store.pool import Pool, begin, fetch

RESULT_BYTES: Final = 1024 * 1024
LEASE: Final = 30.0
"""Seconds after which a caller that is not heard of has gone; it says that it is there thrice."""

WAIT: Final = 2.0
"""Seconds for which a call waits for the one that it repeats."""

_POLL: Final = 0.05
_TOGETHER: Final = 500
_FIELD: Final = 8
_SEPARATOR: Final = "\x1f"
_PATIENCE: Final = "100ms"
LOCK_TIMEOUT: Final = "SELECT current_setting('lock_timeout')"
RESTORE: Final = "SELECT set_config('lock_timeout', %s, true)"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is to be made once.

    Attributes:
        id: made of the book, the scope and the key.
        mark: a fingerprint of what is asked: the same key for something else is refused.
        fields: what the fingerprint has a part for, if it has parts.
        ttl: seconds for which the result is kept; None for ever, as money wants it.
    """

    id: bytes
    mark: bytes
    ttl: float | None = None
    fields: tuple[str, ...] = ()

    @classmethod
    def of_fields(cls, book: int, key: str, said: Mapping[str, object], scope: str = "") -> Self:
        """A call by its key, which can tell in which field another one of that key differs.

        Raises:
            Invalid: the key or the scope cannot be.
        """
        secret = blake2b(key.encode()).digest()
        marks = [
            blake2b(f"{name}\0{value}".encode(), key=secret, digest_size=_FIELD).digest()
            for name, value in said.items()
        ]
        return cls(cls.of(book, key, None, scope).id, b"".join(marks), None, tuple(said))

    def differing_field(self, mark: bytes) -> str | None:
        """The first field in which another mark differs; None when it is the same request."""
        if hmac.compare_digest(mark, self.mark):
            return None
        for number, name in enumerate(self.fields):
            part = slice(number * _FIELD, (number + 1) * _FIELD)
            if not hmac.compare_digest(mark[part], self.mark[part]):
                return name
        return "said"

    @classmethod
    def of(
        cls, book: int, key: str, said: object = None, scope: str = "", ttl: float | None = None
    ) -> Self:
        """A call by its key.

        Args:
            book: the book whose key it is.
            key: 1 to 255 printable characters.
            said: what is asked, as JSON can say it.
            scope: whose key it is: another one's is another call.
            ttl: seconds for which the result is kept.

        Raises:
            Invalid: the key, the scope or the time cannot be, or `said` is nothing for JSON.
        """
        whole = named("key", key) if not scope else f"{named('scope', scope)}{_SEPARATOR}{key}"
        named("key", key)
        if ttl is not None and not 1 <= ttl <= 10 * 366 * 86_400:
            raise Invalid("field-invalid", field="ttl")
        return cls(request_id(book, f"once{_SEPARATOR}{whole}"), fingerprint(said), ttl)


def fingerprint(said: object) -> bytes:
    """A digest of what is asked; mappings in any order are the same.

    Raises:
        Invalid: JSON cannot say it.
    """
    try:
        text = msgspec.json.encode(said, order="deterministic")
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Invalid("field-invalid", field="said") from error
    return blake2b(text, digest_size=16).digest()


def checked(result: object) -> Jsonb:
    """A result as it is kept.

    Raises:
        Invalid: it is too large, or nothing for JSON.
    """
    try:
        text = msgspec.json.encode(result)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Invalid("payload-invalid", field="result") from error
    if len(text) > RESULT_BYTES or b"\\u0000" in text:
        raise Invalid("payload-invalid", field="result")
    return Jsonb(msgspec.json.decode(text))


@dataclass(slots=True)
class Claim:
    """A call that this caller, and nobody else, is making.

    Attributes:
        attempt: how often it was begun.
        origin: names the call for good, however often it is begun.
        is_lost: somebody else has taken over: nothing more can be kept.
        has_asked: a key was handed out, so that a provider may have done something under it.
    """

    attempt: int
    origin: UUID
    _once: "Once"
    _call: Call
    _steps: dict[str, Any]
    is_lost: bool = False
    is_finished: bool = field(default=False)
    has_asked: bool = False

    def provider_key(self, step: str) -> str:
        """The idempotency key to give a provider for one step: the same in every attempt."""
        self.has_asked = True
        return f"{self.origin}:{step}"

    async def step(self, name: str, work: Callable[[str], Awaitable[Any]]) -> Any:  # noqa: ANN401  # JSON
        """Do one step, unless an earlier attempt has: then its result.

        Args:
            name: of the step.
            work: does it, given the key for a provider; its result is kept, as JSON.

        Raises:
            Conflict: somebody else has taken the call over.
        """
        if name in self._steps:
            return self._steps[name]
        result = checked(await work(self.provider_key(name)))
        await self._once.keep_step(self._call, self, name, result)
        self._steps[name] = result.obj
        return result.obj

    async def finish(
        self, tx: AsyncConnection[Any], result: object, ttl: float | None = None
    ) -> None:
        """Keep the result in the open transaction, together with the effect.

        Args:
            tx: an open transaction.
            result: as JSON can say it.
            ttl: seconds for which this result is kept, when that is less long than for others.

        Raises:
            Conflict: somebody else has taken the call over: roll back.
        """
        kept = checked(result)
        ttl = self._call.ttl if ttl is None else ttl
        done = await fetch_joined(tx, sql.FINISH, (kept, ttl, *self._place()))
        if not done:
            raise Conflict("claim-lost")
        self.is_finished = True

    def _place(self) -> tuple[int, bytes, int]:
        return self._once.book, self._call.id, self.attempt


Work = Callable[[Claim], Awaitable[Any]]


class Once:
    """Makes calls of a book once. Used by all tasks of one event loop, as an async context."""

    def __init__(
        self, pool: Pool, book: int, new_id: Callable[[], UUID], lease: float = LEASE
    ) -> None:
        self.book = book
        self._pool = pool
        self._new_id = new_id
        self._lease = lease
        self._tasks = asyncio.TaskGroup()
        self._looking = Gathering(self._look, _TOGETHER)
        self._running: dict[bytes, asyncio.Event] = {}

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        await self._looking.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._looking.__aexit__()
        await self._tasks.__aexit__(None, None, None)

    async def run(self, call: Call, work: Work, wait: float = WAIT) -> tuple[Any, bool]:
        """Make a call, unless it was made before.

        Args:
            call: which call.
            work: makes it; its result is kept, as JSON.
            wait: seconds to wait for somebody who is making it.

        Returns:
            The result, and whether it is from before.

        Raises:
            Conflict: the key is that of another call; somebody is making it and takes his time; or
                somebody has taken it over meanwhile.
            Invalid: the result cannot be kept.
            Unavailable: the database is down: nothing was begun.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        while True:  # bounded by the time to wait
            before = await self._before(call)
            if before is not None:
                return before[0], True
            claim = await self._claim(call, self._lease)
            if claim is not None:
                return await self._do(call, claim, work), False
            left = end - loop.time()
            if left <= 0:
                raise in_flight()
            await self._a_while(call, left)

    async def begin(self, call: Call, lease: float) -> "Claim | tuple[Any]":
        """Claim a call for somebody elsewhere, who says when he is done; or its result from before.

        Args:
            call: which call.
            lease: seconds after which another may claim it.

        Raises:
            Conflict: the key is that of another call, or somebody is making it.
            Unavailable: the database is down.
        """
        before = await self._before(call)
        if before is not None:
            return before
        claim = await self._claim(call, lease)
        if claim is None:
            raise in_flight()
        return claim

    async def end(self, id_: bytes, attempt: int, result: object, ttl: float | None) -> None:
        """Keep the result of a call that was claimed elsewhere.

        Raises:
            Conflict: somebody else has claimed it meanwhile, or it has ended.
            Invalid: the result cannot be kept.
        """
        given = (checked(result), ttl, self.book, id_, attempt)
        if not await fetch(self._pool, sql.FINISH, given):
            raise Conflict("claim-lost")

    async def drop(self, id_: bytes, attempt: int) -> None:
        """Let somebody else claim a call that was claimed elsewhere, under the same origin."""
        given = {"book": self.book, "id": id_, "attempt": attempt, "asked": True}
        async with begin(self._pool) as tx:
            await tx.execute(sql.GIVE_BACK_CLAIM, given)

    async def _before(self, call: Call) -> tuple[Any] | None:
        """The result from before, in a tuple of its own as it may be null.

        Raises:
            Conflict: the key is that of another call.
        """
        found = await self._looking.ask(call.id)
        return None if found is None else _judged(call, found)

    async def _look(self, ids: Sequence[bytes]) -> list[tuple[Any, ...] | None]:
        rows = await fetch(self._pool, sql.LOOK, (self.book, list(ids)))
        found = {row[0]: tuple(row[1:]) for row in rows}
        return [found.get(id_) for id_ in ids]

    async def _claim(self, call: Call, lease: float) -> Claim | None:
        if call.id in self._running:
            return None
        given = (self.book, call.id, call.mark, self._new_id(), lease, _PATIENCE)
        try:
            rows = await fetch(self._pool, sql.CLAIM, given)
        except Unavailable as error:
            if isinstance(error.__cause__, LockNotAvailable):
                return None
            raise
        if not rows:
            return None
        attempt, origin, steps = rows[0]
        return Claim(attempt, origin, self, call, steps)

    async def _a_while(self, call: Call, left: float) -> None:
        running = self._running.get(call.id)
        try:
            async with asyncio.timeout(left if running is not None else min(left, _POLL)):
                await (running or asyncio.Event()).wait()
        except TimeoutError:
            return

    async def _do(self, call: Call, claim: Claim, work: Work) -> Any:  # noqa: ANN401  # JSON
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"
        self._running[call.id] = asyncio.Event()
        renewing = self._tasks.create_task(self._renew(call, claim, task))
        try:
            result = await work(claim)
            if not claim.is_finished:
                await self._finish(call, claim, result)
        except asyncio.CancelledError:
            if claim.is_lost:
                task.uncancel()
                raise Conflict("claim-lost") from None
            # Not awaited here: whoever cancels wants it to end.
            self._tasks.create_task(self._give_back(call, claim))
            raise
        except Exception:
            if not claim.is_finished:
                await self._give_back(call, claim)
            raise
        finally:
            renewing.cancel()
            self._running.pop(call.id).set()
        return result

    async def _finish(self, call: Call, claim: Claim, result: object) -> None:
        given = (checked(result), call.ttl, self.book, call.id, claim.attempt)
        if not await fetch(self._pool, sql.FINISH, given):
            raise Conflict("claim-lost")

    async def keep_step(self, call: Call, claim: Claim, name: str, result: Jsonb) -> None:
        """Keep what a step has given; for claims alone."""
        given = (name, result, self.book, call.id, claim.attempt)
        if not await fetch(self._pool, sql.KEEP_STEP, given):
            claim.is_lost = True
            raise Conflict("claim-lost")

    async def _give_back(self, call: Call, claim: Claim) -> None:
        given = {
            "book": self.book, "id": call.id, "attempt": claim.attempt, "asked": claim.has_asked,
        }  # fmt: skip
        try:
            async with self._pool.connection() as connection:
                await connection.execute(sql.GIVE_BACK_CLAIM, given)
        except Exception:  # noqa: BLE001  # the lease ends by itself
            return

    async def _renew(self, call: Call, claim: Claim, task: "asyncio.Task[Any]") -> None:
        """Say that the caller is there, until he is done or somebody else has taken over."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._lease
        while True:  # until cancelled, or lost
            await asyncio.sleep(self._lease / 3)
            begun = loop.time()
            given = (self._lease, self.book, call.id, claim.attempt)
            try:
                kept = bool(await fetch(self._pool, sql.RENEW_CLAIM, given))
            except Unavailable:
                kept = begun < until
            else:
                until = begun + self._lease if kept else until
            if not kept and not claim.is_finished:
                claim.is_lost = True
                task.cancel()
                return


def _judged(call: Call, found: tuple[Any, ...]) -> tuple[Any] | None:
    mark, is_done, result, _ = found
    field_ = call.differing_field(mark)
    if field_ is not None:
        raise Conflict("idempotency-key-reused", field=field_)
    return (result,) if is_done else None


@dataclass(slots=True)
class Joined:
    """A call inside of the caller's own transaction.

    Attributes:
        replayed: it was made before: `result` is what it gave.
        result: set it to what the call gives; it is kept as JSON.
    """

    replayed: bool = False
    result: Any = None


@asynccontextmanager
async def inside(
    tx: AsyncConnection[Any], book: int, call: Call, new_id: UUID
) -> AsyncGenerator[Joined]:
    """Make a call once, in the open transaction: key, effect and result commit together.

    A twin that is under way is waited for, for up to two seconds. When the block raises, the key is
    free again, whatever becomes of the transaction.

    Raises:
        Conflict: the key is that of another call, or somebody is making it and takes his time.
        Invalid: the result cannot be kept.
    """
    async with tx.transaction():
        attempt = await _claim_inside(tx, book, call, new_id)
        if attempt is None:
            yield Joined(replayed=True, result=await _before_inside(tx, book, call))
            return
        joined = Joined()
        yield joined
        given = (checked(joined.result), call.ttl, book, call.id, attempt)
        await fetch_joined(tx, sql.FINISH, given)


async def _claim_inside(
    tx: AsyncConnection[Any], book: int, call: Call, new_id: UUID
) -> int | None:
    [[usual]] = await fetch_joined(tx, LOCK_TIMEOUT, ())
    try:
        async with tx.transaction():
            given = (book, call.id, call.mark, new_id, LEASE, f"{WAIT}s")
            rows = await fetch_joined(tx, sql.CLAIM, given)
    except LockNotAvailable:
        raise in_flight() from None
    finally:
        await fetch_joined(tx, RESTORE, (usual,))
    return rows[0][0] if rows else None


async def _before_inside(tx: AsyncConnection[Any], book: int, call: Call) -> Any:  # noqa: ANN401  # JSON
    return result_of(call, await fetch_joined(tx, sql.LOOK, (book, [call.id])))


def result_of(call: Call, rows: Sequence[Any]) -> Any:  # noqa: ANN401  # JSON
    """The result of a call that was made before, of what `sql.LOOK` has found.

    Raises:
        Conflict: the key is that of another call, or somebody is making it.
    """
    before = _judged(call, tuple(rows[0][1:])) if rows else None
    if before is None:
        raise in_flight()
    return before[0]


def in_flight() -> Conflict:
    """What is raised when somebody else is making a call, and takes his time."""
    return Conflict("request-in-flight", retry_after=1)
