"""Guards and jobs for callers who wait; the signatures are those of the async ones."""

import asyncio
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from psycopg import Connection
from psycopg.errors import LockNotAvailable

from comptoir.app import App
from comptoir.guards import counters, leases, once, quotas, sql
from comptoir.guards.once import Call, Claim, Joined
from comptoir.jobs import queue
from comptoir.jobs import sql as jobs_sql
from comptoir.jobs.model import Wanted
from comptoir.kit.errors import Conflict, Misuse
from comptoir.library import caching, counting, guarding, jobs
from comptoir.library.guarding import Using
from comptoir.library.portal import Portal
from comptoir.store.joined import fetch_joined_sync

T = TypeVar("T")


class Quotas:
    """What a customer's plan allows in a day: see `comptoir.library.guarding.Quotas`."""

    def __init__(self, portal: Portal, of: guarding.Quotas) -> None:
        self._portal = portal
        self._of = of
        self.usage = portal.waiting(of.usage)

    @contextmanager
    def reserve(
        self, customer: str, metric: str, quantity: int = 1, *, ttl: float = quotas.TTL
    ) -> Generator[Using]:
        """Set a part of today's quota aside while the block runs; see the async one."""
        reserving = self._of.reserve(customer, metric, quantity, ttl=ttl)
        using = self._portal.run(reserving.__aenter__())
        try:
            yield using
        except BaseException as error:
            self._portal.run(reserving.__aexit__(type(error), error, None))
            raise
        self._portal.run(reserving.__aexit__(None, None, None))


class Limits:
    """How often something may be done: see `comptoir.library.guarding.Limits`."""

    def __init__(self, portal: Portal, of: guarding.Limits) -> None:
        self.hit = portal.waiting(of.hit)


class Counters:
    """What is counted: see `comptoir.library.counting.Counters`."""

    def __init__(self, portal: Portal, of: counting.Counters) -> None:
        self.add = portal.waiting(of.add)
        self.read = portal.waiting(of.read)
        self.add_daily = portal.waiting(of.add_daily)
        self.daily = portal.waiting(of.daily)


class Cache:
    """What need not be worked out again: see `comptoir.library.caching.Cache`."""

    def __init__(self, portal: Portal, of: caching.Cache) -> None:
        self._portal = portal
        self._of = of
        self.get = portal.waiting(of.get)
        self.set = portal.waiting(of.set)
        self.delete = portal.waiting(of.delete)
        self.invalidate = portal.waiting(of.invalidate)
        self.invalidate_pattern = portal.waiting(of.invalidate_pattern)

    def work_out(
        self,
        key: str,
        work: Callable[[], T],
        ttl: float,
        *,
        group: str | None = None,
        stale: float = 0.0,
    ) -> T:
        """The value of a key; if there is none, what `work` gives, in a thread of its own."""
        elsewhere = partial(asyncio.to_thread, work)
        return self._portal.run(self._of.work_out(key, elsewhere, ttl, group=group, stale=stale))


class JobQueue:
    """The queue of a book: see `comptoir.library.jobs.JobQueue`."""

    def __init__(self, portal: Portal, of: jobs.JobQueue) -> None:
        self.enqueue_now = portal.waiting(of.enqueue_now)
        self.get = portal.waiting(of.get)
        self.list = portal.waiting(of.list)
        self.retry = portal.waiting(of.retry)
        self.cancel = portal.waiting(of.cancel)


class Held:
    """A lease that is held while a block runs. Nobody can cancel a thread: look at `is_lost`.

    Attributes:
        token: grows each time the lease changes hands.
    """

    def __init__(self, of: leases.Held, book: int) -> None:
        self._of = of
        self._book = book
        self.key = of.key
        self.token = of.token

    @property
    def is_lost(self) -> bool:
        """Whether somebody else may hold it by now."""
        return self._of.lost.is_set()

    def fence(self, connection: Connection[Any]) -> None:
        """Make sure, in the open transaction, that the lease is held until that commits.

        Raises:
            Conflict: it is not: roll back.
        """
        given = (self._book, self.key, self.token)
        if not fetch_joined_sync(connection, sql.FENCE, given):
            raise Conflict("lease-lost")


class Doing:
    """A call that this caller, and nobody else, is making: see `comptoir.Claim`."""

    def __init__(self, portal: Portal, of: Claim) -> None:
        self._portal = portal
        self._of = of
        self.attempt = of.attempt
        self.provider_key = of.provider_key

    def step(self, name: str, work: Callable[[str], Any]) -> Any:  # noqa: ANN401  # JSON
        """Do one step, unless an earlier attempt has: then its result.

        Raises:
            Conflict: somebody else has taken the call over.
        """

        async def elsewhere(key: str) -> Any:  # noqa: ANN401  # JSON
            return await asyncio.to_thread(work, key)

        return self._portal.run(self._of.step(name, elsewhere))


class Guarding:
    """Leases, and calls over the network that are made once."""

    def __init__(self, portal: Portal, of: guarding.Guarding, book: int) -> None:
        self._portal = portal
        self._of = of
        self._book = book

    @contextmanager
    def lease(self, key: str, *, ttl: float = leases.TTL, wait: float = 0.0) -> Generator[Held]:
        """Hold a key while the block runs, across transactions and the network.

        Write under `held.fence(tx.connection)`. When the lease is lost the block goes on, for a
        thread cannot be cancelled; its end says so.

        Raises:
            Conflict: somebody holds it (operation-in-progress), or it was lost (lease-lost).
            Invalid: the key or the time cannot be.
            Unavailable: the database is down.
        """
        held, leave = self._portal.keep_open(self._of.lease(key, ttl=ttl, wait=wait))
        try:
            yield Held(held, self._book)
        except BaseException:
            _leave_quietly(leave)
            raise
        leave()

    def once(
        self,
        key: str,
        work: Callable[[Doing], T],
        *,
        said: object = None,
        scope: str = "",
        ttl: float | None = None,
    ) -> T:
        """Make a call once that asks somebody over the network, in a thread; see the async one."""

        async def elsewhere(claim: Claim) -> T:
            return await asyncio.to_thread(work, Doing(self._portal, claim))

        return self._portal.run(self._of.once(key, elsewhere, said=said, scope=scope, ttl=ttl))


def _leave_quietly(leave: Callable[[], None]) -> None:
    """Give a lease back whose block has failed; that it was lost is not the error then."""
    try:
        leave()
    except Conflict:
        return


class JoinedJobs:
    """Enqueueing inside of a transaction of the caller's own."""

    def __init__(self, app: App, book: int, connection: Connection[Any]) -> None:
        self._app = app
        self._book = book
        self._connection = connection

    def enqueue(
        self,
        type: str,  # noqa: A002  # the word of the API
        payload: Mapping[str, Any] | None = None,
        *,
        unique: str | None = None,
        run_at: datetime | None = None,
        priority: int = 0,
    ) -> UUID:
        """Enqueue a job, which commits with the transaction; see the async one.

        Raises:
            Invalid: the queue cannot take it.
        """
        wanted = Wanted(type, payload or {}, unique, run_at, priority)
        given = queue.parameters(self._book, self._app.new_id(), wanted)
        [row] = fetch_joined_sync(self._connection, jobs_sql.ENQUEUE, given)
        return row[0]


class JoinedGuards:
    """Guards inside of a transaction of the caller's own: they end, or are undone, with it."""

    def __init__(self, app: App, book: int, connection: Connection[Any]) -> None:
        self._app = app
        self._book = book
        self._connection = connection

    def lock(self, key: str) -> None:
        """Hold a key until the transaction ends.

        Raises:
            Conflict: another transaction holds it; `code` is operation-in-progress.
            Invalid: the key cannot be.
        """
        [[is_held]] = self._fetch(sql.TRY_LOCK, leases.locking(self._book, key))
        if not is_held:
            raise leases.busy()

    def count(self, name: str, amount: int = 1, *, id: str) -> int | None:  # noqa: A002  # what it is
        """Count an event exactly once; what the counter has then, or None when it was counted.

        Raises:
            Invalid: a name or the amount cannot be.
        """
        event = counters.event_of(self._book, name, amount, id)
        if not self._fetch(sql.COUNT_ONCE, (self._book, event)):
            return None
        [[_, value]] = self._fetch(sql.ADD, (self._book, [name], [amount]))
        return value

    @contextmanager
    def once(
        self, key: str, said: object = None, *, scope: str = "", ttl: float | None = None
    ) -> Generator[Joined]:
        """Make a call once: its key, its effect and its result commit together; see the async one.

        Raises:
            Conflict: the key is that of another call, or somebody is making it and takes his time.
            Invalid: the key, or what is asked, or the result cannot be.
        """
        call = Call.of(self._book, key, said, scope, ttl)
        with self._connection.transaction():
            attempt = self._claim(call)
            if attempt is None:
                rows = self._fetch(sql.LOOK, (self._book, [call.id]))
                yield Joined(replayed=True, result=once.result_of(call, rows))
                return
            joined = Joined()
            yield joined
            kept = once.checked(joined.result)
            self._fetch(sql.FINISH, (kept, call.ttl, self._book, call.id, attempt))

    def _claim(self, call: Call) -> int | None:
        [[usual]] = self._fetch(once.LOCK_TIMEOUT, ())
        given = (
            self._book, call.id, call.mark, self._app.new_id(), once.LEASE, f"{once.WAIT}s",
        )  # fmt: skip
        try:
            with self._connection.transaction():
                rows = self._fetch(sql.CLAIM, given)
        except LockNotAvailable:
            raise once.in_flight() from None
        finally:
            self._fetch(once.RESTORE, (usual,))
        return rows[0][0] if rows else None

    def _fetch(self, query: str, given: tuple[object, ...]) -> list[Any]:
        return fetch_joined_sync(self._connection, query, given)


class JoinedCache:
    """What is to be forgotten once a transaction has committed."""

    def __init__(self, cache: Cache, *, is_ours: bool) -> None:
        self._cache = cache
        self._is_ours = is_ours
        self._groups: list[str] = []

    def invalidate(self, group: str) -> None:
        """Forget everything of a group once the transaction has committed; see the async one.

        Raises:
            Misuse: the transaction is the caller's to commit, so that nobody here knows when.
        """
        if not self._is_ours:
            raise Misuse("commit-not-ours", fix="invalidate with Comptoir.cache after the commit")
        self._groups.append(group)

    def committed(self) -> None:
        """Forget it now: for the transaction alone."""
        for group in self._groups:
            self._cache.invalidate(group)
