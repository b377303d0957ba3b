"""Leases: a key that one holder has, for as long as he says that he is there.

Each time a lease changes hands its token grows. A holder who was paused, and does not know that he
has lost his lease, cannot commit: `fence` asks for the token in the transaction of his effect, and
whoever takes the lease over waits for that transaction to end.

Taking, renewing and giving back of all tasks of a process share round trips.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final, Self
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.guards import sql
from comptoir.guards.names import lock_number, named
from comptoir.kit.errors import Conflict, Invalid, Unavailable
from comptoir.kit.gathering import Gathering
from comptoir.store.joined import fetch_joined
from comptoir.store.pool import Pool, fetch

TTL: Final = 30.0
TTL_LEAST: Final = 0.1
TTL_MOST: Final = 86_400.0
_TOGETHER: Final = 500
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.2
_IN_PROGRESS: Final = "operation-in-progress"


class _Deed(Enum):
    TAKE = "take"
    RENEW = "renew"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class _Wish:
    deed: _Deed
    holder: UUID
    key: str = ""
    ttl: float = 0.0


@dataclass(frozen=True, slots=True)
class Taken:
    """A lease as the database has it.

    Attributes:
        holder: proves whose it is: keep it to yourself.
        token: grows each time the lease changes hands.
        expires_at: by the database's clock, in microseconds since 1970.
        asked_at: by the loop's clock, when it was asked for: it is held for its time from then on.
    """

    key: str
    holder: UUID
    token: int
    expires_at: int
    asked_at: float = 0.0


class Leases:
    """The leases of a book. Shared by all tasks of one event loop, as an async context."""

    def __init__(self, pool: Pool, book: int) -> None:
        self.book = book
        self._pool = pool
        self._tasks = asyncio.TaskGroup()
        self._asking = Gathering(self._ask, _TOGETHER)

    async def __aenter__(self) -> Self:
        await self._asking.__aenter__()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.__aexit__(None, None, None)
        await self._asking.__aexit__()

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Do something beside; leaving waits for it. For leases alone."""
        return self._tasks.create_task(work)

    async def take(self, key: str, holder: UUID, ttl: float = TTL, wait: float = 0.0) -> Taken:
        """Take a lease, or find it still one's own.

        Args:
            key: 1 to 255 printable characters.
            holder: never used before, but for the same lease.
            ttl: seconds for which it is held, unless it is renewed.
            wait: seconds to wait for whoever has it.

        Raises:
            Conflict: somebody has it.
            Invalid: the key or the time cannot be.
            Unavailable: the database is down: nothing is held for longer than `ttl`.
        """
        named("key", key)
        if not TTL_LEAST <= ttl <= TTL_MOST:
            raise Invalid("field-invalid", field="ttl")
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + wait, _FIRST_PAUSE
        while True:  # bounded by the time to wait
            asked_at = loop.time()
            taken = await self._take(_Wish(_Deed.TAKE, holder, key, ttl))
            if taken is not None:
                return replace(taken, asked_at=asked_at)
            left = end - loop.time()
            if left <= 0:
                raise busy()
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _take(self, wish: _Wish) -> Taken | None:
        try:
            return await self._asking.ask(wish)
        except asyncio.CancelledError:
            # What was asked is asked all the same; so this is, after it, whoever waits or not.
            self.begin(self.give_up(wish.holder))
            raise

    async def give_up(self, holder: UUID) -> None:
        """Give a lease back if that can be done; else its time will be up."""
        try:
            await self.release(holder)
        except Unavailable:
            return

    async def renew(self, holder: UUID, ttl: float = TTL) -> Taken | None:
        """Hold a lease for longer; None when it is lost.

        Raises:
            Invalid: the time cannot be.
            Unavailable: the database is down.
        """
        if not TTL_LEAST <= ttl <= TTL_MOST:
            raise Invalid("field-invalid", field="ttl")
        return await self._asking.ask(_Wish(_Deed.RENEW, holder, ttl=ttl))

    async def release(self, holder: UUID) -> bool:
        """Give a lease back; whether it was still held.

        Raises:
            Unavailable: the database is down.
        """
        return await self._asking.ask(_Wish(_Deed.RELEASE, holder)) is not None

    async def _ask(self, wishes: Sequence[_Wish]) -> list[Taken | None]:
        """One transaction for what has gathered: what is given back first can be taken by others.

        Of several who want one key now the first one asks; whatever he gets, the others do not.
        """
        takes: dict[str, _Wish] = {}
        for wish in wishes:
            if wish.deed is _Deed.TAKE:
                takes.setdefault(wish.key, wish)
        taking = {wish.holder for wish in takes.values()}
        releases = [wish.holder for wish in wishes if wish.deed is _Deed.RELEASE]
        before = [holder for holder in releases if holder not in taking]
        after = [holder for holder in releases if holder in taking]
        renewals = [wish for wish in wishes if wish.deed is _Deed.RENEW]
        # Sorted, so that two processes which want the same keys do not wait for each other.
        takes = dict(sorted(takes.items()))
        given = (
            self.book, before,
            [wish.key for wish in takes.values()], [wish.holder for wish in takes.values()],
            [wish.ttl for wish in takes.values()],
            [wish.holder for wish in renewals], [wish.ttl for wish in renewals], after,
        )  # fmt: skip
        # A repeat, after a connection was lost, finds what the first has done.
        rows = await fetch(self._pool, sql.ASK_LEASES, given)
        found = {
            (_Deed(deed), holder): Taken(key, holder, token, expires_at)
            for deed, key, holder, token, expires_at in rows
        }
        return [found.get((wish.deed, wish.holder)) for wish in wishes]


@dataclass(slots=True)
class Held:
    """A lease that this task holds, renewed for as long as the block runs.

    Attributes:
        key: what is leased.
        token: grows each time the lease changes hands; show it to whoever keeps what you write.
        lost: set when the lease is lost: the block is cancelled then.
    """

    key: str
    token: int
    _book: int
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    async def fence(self, tx: AsyncConnection[Any]) -> None:
        """Make sure, in the open transaction, that the lease is held until that commits.

        Raises:
            Conflict: it is not: roll back.
        """
        rows = await fetch_joined(tx, sql.FENCE, (self._book, self.key, self.token))
        if not rows:
            raise Conflict("lease-lost")


class Lease:
    """Holds a lease while a block runs. Use it as an async context manager, once."""

    def __init__(
        self, leases: Leases, key: str, holder: UUID, ttl: float = TTL, wait: float = 0.0
    ) -> None:
        self._leases = leases
        self._key = key
        self._holder = holder
        self._ttl = ttl
        self._wait = wait
        self._held: Held | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Held:
        taken = await self._leases.take(self._key, self._holder, self._ttl, self._wait)
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"
        self._held = Held(self._key, taken.token, self._leases.book)
        until = taken.asked_at + self._ttl
        self._renewing = self._leases.begin(self._renew(self._held, task, until))
        return self._held

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        held, renewing, task = self._held, self._renewing, asyncio.current_task()
        assert held is not None, "the block was entered"
        assert renewing is not None, "the block was entered"
        assert task is not None, "a coroutine runs in a task"
        renewing.cancel()
        if held.lost.is_set() and kind is asyncio.CancelledError:
            task.uncancel()
            raise Conflict("lease-lost") from None
        # Not awaited: the block ends, however it does, and its end may be a cancellation.
        self._leases.begin(self._leases.give_up(self._holder))

    async def _renew(self, held: Held, task: "asyncio.Task[Any]", until: float) -> None:
        loop = asyncio.get_running_loop()
        while True:  # until cancelled, or lost
            await asyncio.sleep(max(0.0, min(self._ttl / 3, until - loop.time())))
            begun = loop.time()
            try:
                async with asyncio.timeout_at(until):
                    kept = await self._leases.renew(self._holder, self._ttl) is not None
            except (Unavailable, TimeoutError):
                kept = loop.time() < until
            else:
                until = begun + self._ttl if kept else until
            if not kept:
                held.lost.set()
                task.cancel()
                return


async def lock(tx: AsyncConnection[Any], book: int, key: str) -> None:
    """Hold a key until the open transaction ends, however it does.

    Raises:
        Conflict: another transaction holds it.
        Invalid: the key cannot be.
    """
    [[is_held]] = await fetch_joined(tx, sql.TRY_LOCK, locking(book, key))
    if not is_held:
        raise busy()


def locking(book: int, key: str) -> tuple[int]:
    """What `sql.TRY_LOCK` is given.

    Raises:
        Invalid: the key cannot be.
    """
    return (lock_number(book, named("key", key)),)


def busy() -> Conflict:
    """What is raised when somebody else holds a key."""
    return Conflict(_IN_PROGRESS, retry_after=1)
