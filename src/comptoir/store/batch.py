"""Group commit: many callers, one transaction.

One writer per process and book flushes whatever has gathered as soon as its last commit is done.
It never waits for a row: what somebody else has locked is passed over a few times, since another
process's commit is short, and then goes, in order, to a slow lane of its own.
A caller that goes away loses nothing: what it asked for is decided and stored under its key.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from psycopg import AsyncConnection

from comptoir.kit.errors import ComptoirError, Conflict, Unavailable
from comptoir.ledger.model import Answer
from comptoir.ledger.requests import Chain, Settle
from comptoir.store import sql, tracing
from comptoir.store.commit import Commit, Companion, Flushed, Pending
from comptoir.store.facts import Facts
from comptoir.store.ledger import Clock, database_time
from comptoir.store.pool import Limits, connect
from comptoir.store.touched import Changed
from comptoir.store.tracing import Waiting

__all__ = ["Batch", "Companion"]

_SHUTTING_DOWN: Final = "shutting-down"
_SPARES: Final = 2
"""Connections of lanes that are kept: a hot account of several processes needs one all the time."""

_PASSED_OVER: Final = 4
"""How many commits may go without a request before it gets a lane, which has commits of its own."""

_LANE_LASTS: Final = 0.05
"""Seconds after which a lane ends that nobody has used."""


class Batch:
    """The group commit of one book. One task group owns its writer and lanes.

    Shared by all tasks of one event loop; never by threads or processes. Use it as an async
    context manager: leaving it flushes what is queued.
    """

    def __init__(
        self,
        url: str,
        book_id: int,
        facts: Facts,
        limits: Limits,
        clock: Clock = database_time,
    ) -> None:
        self._url = url
        self._limits = limits
        self._book_id = book_id
        self._facts = facts
        self._clock = clock
        self._queue: deque[Pending] = deque()
        self._queued = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._running: dict[bytes, Pending] = {}
        self._lanes: dict[int, _Lane] = {}
        self._lane_room = asyncio.Semaphore(limits.lanes)
        self._spares: list[Commit] = []
        self._tasks = asyncio.TaskGroup()
        self._commit = self._new_commit(sql.LOCK_FREE, limits.writer_lock)
        self.committed = 0
        self.announce: Callable[[Changed], None] | None = None

    @property
    def queued(self) -> int:
        """Requests that wait for the writer."""
        return self._queued

    @property
    def lanes(self) -> int:
        """Accounts that somebody else holds and whose requests wait apart."""
        return len(self._lanes)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.create_task(self._write())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        self._wake.set()
        try:
            await self._tasks.__aexit__(None, None, None)
        finally:
            await self._close_spares(0)
            await self._commit.close()

    def submit(
        self, chain: Chain, companions: Sequence[Companion] = ()
    ) -> Coroutine[Any, Any, list[Answer]]:
        """Decide a chain and commit it, together with others.

        Args:
            chain: requests that happen all or not at all; usually one.
            companions: rows that are written in the same commit, only if the chain succeeds.

        Raises:
            Unavailable: the queue is full, the account stays locked, or the database is down.
            OutcomeUnknown: the connection was lost at COMMIT and could not be made again.
            Conflict: another request with one of the ids has been running for too long.
        """
        # No coroutine around a coroutine: a busy writer makes one for every spend.
        if not tracing.is_on():
            return self._submit(chain, companions, None)
        return self._submit_traced(chain, companions)

    async def _submit_traced(self, chain: Chain, companions: Sequence[Companion]) -> list[Answer]:
        with tracing.submitting(self._book_id, len(chain)) as waiting:
            return await self._submit(chain, companions, waiting)

    async def _submit(
        self, chain: Chain, companions: Sequence[Companion], waiting: Waiting | None
    ) -> list[Answer]:
        for request in chain:
            first = self._running.get(request.id)
            if first is not None:
                await self._wait_for(first)
        return await self._queue_up(chain, companions, waiting).future

    def _queue_up(
        self, chain: Chain, companions: Sequence[Companion], waiting: Waiting | None
    ) -> Pending:
        future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        pending = Pending(chain, companions, future, waiting)
        self._enqueue(pending)
        for request in chain:
            self._running[request.id] = pending
        return pending

    async def submit_each(self, chains: Sequence[Chain]) -> list[list[Answer] | ComptoirError]:
        """Decide many chains, each for itself, in their order; none waits for another's answer.

        Returns:
            For every chain its answers, or what `submit` would have raised.
        """
        if not tracing.is_on():
            return await self._submit_each(chains, None)
        with tracing.submitting(self._book_id, sum(map(len, chains))) as waiting:
            return await self._submit_each(chains, waiting)

    async def _submit_each(
        self, chains: Sequence[Chain], waiting: Waiting | None
    ) -> list[list[Answer] | ComptoirError]:
        begun = [self._begin(chain, waiting) for chain in chains]
        results: list[list[Answer] | ComptoirError] = []
        for chain, pending in zip(chains, begun, strict=True):
            try:
                results.append(await self._end(chain, pending, waiting))
            except ComptoirError as error:
                results.append(error)
        return results

    def _begin(self, chain: Chain, waiting: Waiting | None) -> "Pending | ComptoirError | None":
        """Queue a chain; None when one of its requests runs already, so that it is a repeat."""
        if any(request.id in self._running for request in chain):
            return None
        try:
            return self._queue_up(chain, (), waiting)
        except ComptoirError as error:
            return error

    async def _end(
        self, chain: Chain, begun: "Pending | ComptoirError | None", waiting: Waiting | None
    ) -> list[Answer]:
        if isinstance(begun, ComptoirError):
            raise begun
        if begun is None:
            return await self._submit(chain, (), waiting)
        if not begun.future.done():
            await asyncio.wait((begun.future,))  # unlike await, it leaves the future alone
        return begun.future.result()

    async def settle(self, account: int) -> None:
        """Write the expiries of an account that are due.

        Raises:
            Unavailable: as `submit`.
        """
        pending = Pending((Settle(account),), (), asyncio.get_running_loop().create_future())
        self._enqueue(pending)
        await pending.future

    def _enqueue(self, pending: Pending) -> None:
        if self._closing:
            raise Unavailable(_SHUTTING_DOWN)
        if self._queued + len(pending.chain) > self._limits.queue:
            raise Unavailable("overloaded")
        self._queue.append(pending)
        self._queued += len(pending.chain)
        self._wake.set()

    async def _wait_for(self, first: Pending) -> None:
        """Wait until the request that is repeated is done; its stored answer serves the repeat.

        Whoever waits for the same one goes on at the same time, so that all share one commit.
        """
        if first.decided:
            return
        if first.ended is None:
            first.ended = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._limits.in_flight):
                await asyncio.wait([first.ended])  # unlike await, it leaves the future alone
        except TimeoutError:
            raise Conflict("request-in-flight", retry_after=1) from None

    def _new_commit(self, lock: str, wait: float) -> Commit:
        async def open_connection() -> AsyncConnection:
            return await connect(self._url, self._limits, lock=wait)

        return Commit(
            open_connection, self._book_id, self._facts, lock, self._limits.reconnect, self._clock
        )

    async def _write(self) -> None:
        """Flush what has gathered, again and again.

        While more is waiting, callers are answered only once the next commit is on its way to
        PostgreSQL: so they go on while PostgreSQL works, not before.
        """
        flushed, in_vain = Flushed(), False
        try:
            while not (self._closing and not self._queue):  # until the owner leaves the context
                if not self._queue:
                    self._tell(flushed)
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                group = self._take()
                if not group:
                    continue
                meanwhile = partial(self._tell, flushed)
                flushed = await self._commit.flush(group, frozenset(self._lanes), meanwhile)
                meanwhile()
                is_all = len(flushed.busy) == len(group)
                held = self._put_off(flushed.busy, is_all=is_all, in_vain=in_vain)
                self._settle_up(group)
                in_vain = False
                if held is not None:
                    self._tell(flushed)  # now, for the wait may be long
                    in_vain = not await self._waited(held)
        finally:
            # An owner who does not wait for the end leaves nobody without an answer either.
            self._tell(flushed)
            for pending in self._queue:
                pending.fail(Unavailable(_SHUTTING_DOWN))

    async def _waited(self, account: int) -> bool:
        """Wait for an account as long as another process's commit may take."""
        try:
            await self._commit.wait_for(account)
        except Unavailable:
            return False
        return True

    def _put_off(
        self, busy: Sequence[tuple[Pending, int]], *, is_all: bool, in_vain: bool
    ) -> int | None:
        """Keep what was passed over for the next commit, or for the lane of its account.

        Args:
            busy: what was passed over, and whose account it is that somebody else holds.
            is_all: whether that is the whole group.
            in_vain: the writer has just waited in vain: a stranger holds what he holds for longer.

        Returns:
            An account to wait for, when it is another process's group that holds so many accounts:
            coming back any sooner would find the same.
        """
        accounts = {account for _, account in busy}
        is_hot = in_vain or (is_all and len(accounts) == 1)
        is_much = len(accounts) > self._limits.lanes
        again: list[tuple[Pending, int]] = []
        for pending, account in busy:
            is_late = pending.passed_over >= _PASSED_OVER and not is_much
            if is_hot or is_late or account in self._lanes:
                self._lane(account).add(pending)
            else:
                pending.passed_over += 1
                again.append((pending, account))
        self._queue.extendleft(pending for pending, _ in reversed(again))
        self._queued += sum(len(pending.chain) for pending, _ in again)
        return again[0][1] if again and (is_all or is_much) else None

    def _tell(self, flushed: Flushed) -> None:
        """Answer the callers of a commit, once."""
        told, flushed.answered = flushed.answered, []
        changed, flushed.changed = flushed.changed, []
        for pending, answers in told:
            pending.answer(answers)
        if self.announce is not None:
            for each in changed:
                self.announce(each)
        self._settle_up([pending for pending, _ in told])

    def _take(self) -> list[Pending]:
        """What goes into the next commit: in order, as many requests as it may have.

        What is for an account that has a lane goes there. Of much that waits half is taken: so its
        callers are answered, and ask again, while PostgreSQL works on the other half.
        """
        group: list[Pending] = []
        size = 0
        most = max(self._limits.batch // 2, min(self._limits.batch, self._queued // 2))
        while self._queue and (not group or size + len(self._queue[0].chain) <= most):
            pending = self._queue.popleft()
            self._queued -= len(pending.chain)
            lane = self._lanes.get(pending.account) if pending.account is not None else None
            if lane is None:
                group.append(pending)
                size += len(pending.chain)
            elif not lane.add(pending):
                self._settle_up([pending])
        return group

    def _settle_up(self, group: Sequence[Pending]) -> None:
        """Forget the ids of what is done."""
        for pending in group:
            if not pending.decided:
                continue
            self.committed += len(pending.chain)
            for request in pending.chain:
                if not isinstance(request, Settle) and self._running.get(request.id) is pending:
                    del self._running[request.id]

    def _lane(self, account: int) -> "_Lane":
        lane = self._lanes.get(account)
        if lane is None:
            lane = _Lane(self._limits.lane_queue)
            self._lanes[account] = lane
            self._tasks.create_task(self._work_off(account, lane))
        return lane

    async def _work_off(self, account: int, lane: "_Lane") -> None:
        """Decide the requests of one busy account, waiting for its row as long as it may take."""
        try:
            while await lane.is_used():  # bounded: the lane ends when nobody has added to it
                await self._take_turn(account, lane)
        finally:
            del self._lanes[account]
            self._give_up(lane)
            await self._close_spares(max(_SPARES, len(self._lanes)))

    def _give_up(self, lane: "_Lane") -> None:
        """Tell whoever still waits in a lane that has failed, or whose owner does not wait."""
        rest = lane.take(self._limits.lane_queue)
        error = Unavailable(_SHUTTING_DOWN) if self._closing else ComptoirError("internal")
        for pending in rest:
            pending.fail(error)
        self._settle_up(rest)

    async def _take_turn(self, account: int, lane: "_Lane") -> None:
        """One commit of a lane. Lanes take turns, so that a long one keeps no other waiting."""
        async with self._lane_room:
            commit = self._spares.pop() if self._spares else self._new_lane_commit()
            try:
                group = await self._lane_group(account, lane, commit)
                if group:
                    self._tell(await commit.flush(group, frozenset(), _nothing))
            finally:
                self._spares.append(commit)
            self._settle_up(group)

    async def _lane_group(self, account: int, lane: "_Lane", commit: Commit) -> list[Pending]:
        """What a lane commits next.

        Requests for its account alone are chosen once it is locked: so those that come in during
        the wait are among them. Chains lock all of their accounts in one order, and at once.
        """
        if lane.queue[0].account is None:
            return lane.take(self._limits.batch)
        try:
            await commit.wait_for(account)
        except Unavailable as error:
            for pending in lane.take_simple(self._limits.batch):
                pending.fail(error)
                self._settle_up([pending])
            return []
        return lane.take_simple(self._limits.batch)

    def _new_lane_commit(self) -> Commit:
        return self._new_commit(sql.LOCK, self._limits.lock)

    async def _close_spares(self, kept: int) -> None:
        while len(self._spares) > kept:
            await self._spares.pop().close()


def _nothing() -> None:
    """What there is to do while a lane's commit runs."""


class _Lane:
    """The requests that wait for one busy account, in order."""

    def __init__(self, room: int) -> None:
        self.queue: deque[Pending] = deque()
        self._room = room
        self._filled = asyncio.Event()

    def add(self, pending: Pending) -> bool:
        """Let a request wait here, unless too many do: then its caller is told."""
        if len(self.queue) >= self._room:
            pending.fail(Unavailable("account-busy"))
            return False
        self.queue.append(pending)
        self._filled.set()
        return True

    async def is_used(self) -> bool:
        """Whether anything waits here, or comes soon: callers of a hot account are back at once."""
        if not self.queue:
            self._filled.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LANE_LASTS):
                    await self._filled.wait()
        return bool(self.queue)

    def take(self, most: int) -> list[Pending]:
        return [self.queue.popleft() for _ in range(min(most, len(self.queue)))]

    def take_simple(self, most: int) -> list[Pending]:
        """What is first in line and for this account alone."""
        group: list[Pending] = []
        while self.queue and self.queue[0].account is not None and len(group) < most:
            group.append(self.queue.popleft())
        return group
