"""One commit for many chains: run it, and find out what became of it when something breaks.

Whatever happens, each caller is told what is true: decided (and stored), not done, or, only when
the database cannot be asked any more, unknown.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, LiteralString, cast

import psycopg
from psycopg import AsyncConnection, errors

from comptoir.kit.errors import ComptoirError, OutcomeUnknown, Unavailable
from comptoir.ledger.model import Answer
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Capture, Release, Renew, Transfer
from comptoir.store import rows, sql, tracing
from comptoir.store.facts import Facts
from comptoir.store.gate import refusal
from comptoir.store.ledger import (
    Admission,
    Clock,
    MayBeKnown,
    Reading,
    Results,
    Round,
    Work,
    admit,
    database_time,
)
from comptoir.store.pool import Borrowed
from comptoir.store.rows import Statement
from comptoir.store.touched import Changed
from comptoir.store.tracing import Waiting
from comptoir.store.wire import Wire

_TRIES: Final = 4
"""How often a commit is tried that met another process's deadlock or equal key."""

_CLASHES: Final = (errors.UniqueViolation, MayBeKnown)
_REPEATABLE: Final = (*_CLASHES, errors.DeadlockDetected, errors.SerializationFailure)

_MANY: Final = 16
"""Requests from which on it is worth while not to look their ids up: few of them were decided
before, and whoever writes an id that was will be told so by the index."""

_WARY: Final = 64
"""Commits that look all ids up after one that met an id of before: where there is one there are
more, and every clash costs a commit that comes to nothing."""

_POLL_SECONDS: Final = 0.1

_BACKEND: Final = """
SELECT 1 FROM pg_stat_activity
WHERE pid = %s AND pid <> pg_backend_pid() AND application_name = 'comptoir'"""

_NUMBER: Final = "SELECT pg_current_xact_id()::text"

# A pooler's connections outlive a transaction, and it shows others' process ids.
_NUMBERED: Final = "SELECT 1 WHERE pg_xact_status(%s::text::xid8) = 'in progress'"


@dataclass(frozen=True, slots=True)
class Companion:
    """A row that is written in the commit of a chain, only if the chain succeeds.

    Attributes:
        statement: an INSERT ... SELECT ... FROM unnest(...) with one array parameter a column, the
            same string for every row of its kind, so that all rows of a commit go in one statement.
        row: the values of this row, in the order of the parameters.
    """

    statement: str
    row: tuple[object, ...]


@dataclass(slots=True, eq=False)
class Pending:
    """A chain that waits for its commit, whether its caller still waits for it or not."""

    chain: Work
    companions: Sequence[Companion]
    future: "asyncio.Future[list[Answer]]"
    """What its caller alone waits for; it is cancelled when he goes away."""
    waiting: Waiting | None = None
    """The span of its caller, if anybody listens."""
    doubtful: bool = False
    """A COMMIT of it was lost, and nobody has found out since what became of it."""
    passed_over: int = 0
    """How many commits went without it, because somebody else held its account."""
    decided: bool = False
    failure: BaseException | None = None
    """What its caller was told in place of answers."""
    ended: "asyncio.Future[None] | None" = None
    """What those wait for who ask for the same meanwhile."""

    @property
    def account(self) -> int | None:
        """The account of a single request, as far as it says so itself; None for whatever else."""
        first = self.chain[0]
        if len(self.chain) > 1 or isinstance(first, Capture | Release | Renew | Transfer):
            return None
        return first.account

    def answer(self, answers: list[Answer]) -> None:
        """Tell the caller, if he is still there, what became of his chain."""
        if not self.future.done():
            self.future.set_result(answers)
        self._end()

    def fail(self, error: BaseException) -> None:
        """Tell the caller that nothing was done, or that nobody knows."""
        if self.decided:
            return
        if self.doubtful and not isinstance(error, OutcomeUnknown):
            cause, error = error, OutcomeUnknown("outcome-unknown")
            error.__cause__ = cause
        self.failure = error
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # whoever has gone away does not leave a warning behind
        self._end()

    def _end(self) -> None:
        self.decided = True
        if self.ended is not None and not self.ended.done():
            self.ended.set_result(None)


@dataclass(slots=True)
class Flushed:
    """What became of a group.

    Attributes:
        answered: who is to be told what.
        busy: whose account somebody else has locked, and which.
        changed: what is to be announced.
    """

    answered: list[tuple[Pending, list[Answer]]] = field(
        default_factory=list[tuple[Pending, list[Answer]]]
    )
    busy: list[tuple[Pending, int]] = field(default_factory=list[tuple[Pending, int]])
    changed: list[Changed] = field(default_factory=list[Changed])


class Commit:
    """Runs commits, one after the other, on one connection that it opens when needed."""

    def __init__(
        self,
        open_connection: Callable[[], Awaitable[AsyncConnection]],
        book_id: int,
        facts: Facts,
        lock: str,
        patience: float,
        clock: Clock = database_time,
    ) -> None:
        self._open = open_connection
        self._book_id = book_id
        self._facts = facts
        self._lock = lock
        self._waits = lock == sql.LOCK
        self._patience = patience
        self._clock = clock
        self._connection: AsyncConnection | None = None
        self._wire: Wire | None = None
        self._begun: Wire | None = None
        self._number: str | None = None
        self._wary = 0

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def wait_for(self, account: int) -> None:
        """Begin, and wait for an account: what is flushed next is decided in this transaction.

        So whatever comes in meanwhile can share it.

        Raises:
            Unavailable: somebody else keeps the account locked.
        """
        try:
            wire = await self._wired()
            begin = _beginning(wire)
            lock = (sql.LOCK, (self._book_id, rows.wholes([account])))
            self._note(begin, await wire.run([*begin, lock]))
        except errors.LockNotAvailable as error:
            await self._roll_back()
            raise Unavailable("account-busy") from error
        except (Unavailable, psycopg.Error):
            await self._roll_back()  # whoever flushes begins anew, and learns what is wrong
        else:
            self._begun = wire

    async def flush(
        self, group: Sequence[Pending], avoid: frozenset[int], meanwhile: Callable[[], None]
    ) -> Flushed:
        """Decide and commit a group; returns what its callers are to be told.

        No error leaves this method: each one is given to the callers whom it concerns.

        Args:
            group: what to decide, in order.
            avoid: accounts to treat as busy.
            meanwhile: what to do while PostgreSQL works on the writes; called at most a few times.
        """
        if not tracing.is_on() or all(pending.waiting is None for pending in group):
            return await self._flush_all(group, avoid, meanwhile)
        lane, requests = "slow" if self._waits else "writer", _requests(group)
        with tracing.committing(self._book_id, lane, requests) as span:
            flushed = await self._flush_all(group, avoid, meanwhile)
            busy = {id(pending) for pending, _ in flushed.busy}
            decided = [pending for pending in group if id(pending) not in busy]
            span.decided((pending.waiting for pending in decided), _failure(decided))
            return flushed

    async def _flush_all(
        self, group: Sequence[Pending], avoid: frozenset[int], meanwhile: Callable[[], None]
    ) -> Flushed:
        try:
            return await self._flush(group, avoid, meanwhile)
        except asyncio.CancelledError:
            _fail(group, OutcomeUnknown("outcome-unknown"))
            raise
        except ComptoirError as error:
            _fail(group, error)
        except Exception as error:  # noqa: BLE001  # a bug met by one chain; the writer lives on
            _fail(group, _explain(error))
        return Flushed()

    async def _flush(
        self, group: Sequence[Pending], avoid: frozenset[int], meanwhile: Callable[[], None]
    ) -> Flushed:
        failure: Exception = Unavailable("database-down")
        for _ in range(_TRIES):
            try:
                return await self._attempt(group, avoid, meanwhile)
            except _REPEATABLE as error:
                await self._repeat(error)
                failure = error
            except errors.LockNotAvailable as error:
                await self._roll_back()
                if self._waits:
                    raise
                return await self._bisect(group, avoid, error)
            except ComptoirError:
                await self._roll_back()
                raise
            except _Lost:
                continue
            except Exception as error:
                await self._roll_back()
                refused = refusal(error)
                if refused is not None:
                    raise refused from error
                if not self._is_lost():
                    return await self._bisect(group, avoid, error)
        return await self._bisect(group, avoid, failure)

    async def _bisect(
        self, group: Sequence[Pending], avoid: frozenset[int], error: Exception
    ) -> Flushed:
        """Keep a poisoned chain from taking the others down with it."""
        if len(group) == 1:
            raise error
        half = len(group) // 2
        first = await self._flush_all(group[:half], avoid, _nothing)
        second = await self._flush_all(group[half:], avoid, _nothing)
        return Flushed(
            first.answered + second.answered,
            first.busy + second.busy,
            first.changed + second.changed,
        )

    async def _attempt(
        self, group: Sequence[Pending], avoid: frozenset[int], meanwhile: Callable[[], None]
    ) -> Flushed:
        wire = await self._wired()
        rounds = admit(
            self._book_id,
            self._facts,
            [pending.chain for pending in group],
            Reading(self._lock, avoid, self._seen(group)),
            self._clock,
        )
        begin: Round = [] if self._begun is wire else _beginning(wire)
        self._begun = None
        wanted: Round = [*begin, *next(rounds)]
        skip = len(begin)
        while True:  # bounded: an admission has at most a handful of rounds
            results = await _read(wire, wanted)
            self._note(begin[:skip], results)
            try:
                wanted, skip = rounds.send(results[skip:]), 0
            except StopIteration as stop:
                admission: Admission = stop.value
                break
        await self._finish(wire, group, admission, meanwhile)
        return _flushed(group, admission)

    async def _finish(
        self,
        wire: Wire,
        group: Sequence[Pending],
        admission: Admission,
        meanwhile: Callable[[], None],
    ) -> None:
        writes = chain(admission.writes, _companions(group, admission), [("COMMIT", ())])
        is_running = self._is_running(wire)
        try:
            await wire.run(writes, meanwhile)
        except psycopg.Error as error:
            if not _is_over(wire.connection, error):
                raise
            for pending in group:
                pending.doubtful = True
            await self._drop()
            await self._wait_for_end(is_running, error)
            raise _Lost from error

    async def _repeat(self, error: Exception) -> None:
        await self._roll_back()
        if isinstance(error, _CLASHES):
            self._wary = _WARY

    def _seen(self, group: Sequence[Pending]) -> str:
        """How this commit finds out which of its ids were decided before."""
        self._wary = max(0, self._wary - 1)
        if self._wary or len(group) < _MANY or any(pending.doubtful for pending in group):
            return sql.SEEN
        return sql.UNSEEN

    def _note(self, begin: Round, results: Results) -> None:
        """Remember the number of a transaction that has just begun, where it has been asked for."""
        if len(begin) > 1:
            self._number = results[len(begin) - 1][0][0]

    def _is_running(self, wire: Wire) -> Statement:
        """The question whether what runs now may still commit, once the connection is lost."""
        if isinstance(wire.connection, Borrowed):
            return (_NUMBERED, (self._number,))
        return (_BACKEND, (wire.connection.info.backend_pid,))

    async def _wait_for_end(self, is_running: Statement, error: Exception) -> None:
        """The connection went at COMMIT: wait until the old transaction cannot commit any more.

        After that whoever tries again finds the ids that were committed, and repeats the others.

        Raises:
            OutcomeUnknown: the database cannot be asked in time.
        """
        try:
            async with asyncio.timeout(self._patience):
                while True:  # bounded by the timeout
                    try:
                        if not await self._finds(is_running):
                            return
                    except (Unavailable, psycopg.Error):
                        await self._drop()
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise OutcomeUnknown("outcome-unknown") from error

    async def _finds(self, question: Statement) -> bool:
        connection = await self._connected()
        text, parameters = question
        cursor = await connection.execute(cast("LiteralString", text), parameters)
        return await cursor.fetchone() is not None

    async def _connected(self) -> AsyncConnection:
        if self._connection is None or self._connection.closed or self._connection.broken:
            await self._drop()
            self._connection = await self._open()
        return self._connection

    async def _wired(self) -> Wire:
        connection = await self._connected()
        if self._wire is None or self._wire.connection is not connection:
            self._wire = Wire(connection)
        return self._wire

    async def _roll_back(self) -> None:
        if self._connection is None or self._is_lost():
            return
        try:
            await self._connection.rollback()
        except psycopg.Error:
            await self._drop()

    def _is_lost(self) -> bool:
        return self._connection is None or self._connection.closed or self._connection.broken

    async def _drop(self) -> None:
        if self._connection is None:
            return
        lost, self._connection = self._connection, None
        await lost.close()


class _Lost(Exception):
    """A commit was lost, and its fate is settled by now: try again and look."""


def _is_over(connection: AsyncConnection, error: psycopg.Error) -> bool:
    """Whether the connection ended, so that a COMMIT that was under way may have been done."""
    fatal = error.diag.severity_nonlocalized in {"FATAL", "PANIC"}
    return fatal or connection.broken or connection.closed


def _beginning(wire: Wire) -> Round:
    """What a transaction begins with."""
    if not isinstance(wire.connection, Borrowed):
        return [("BEGIN", ())]
    settings = [(text, ()) for text in wire.connection.settings]
    return [("BEGIN", ()), *settings, (_NUMBER, ())]


async def _read(wire: Wire, wanted: Round) -> Results:
    """Run a round of reading and locking.

    Raises:
        Unavailable: a lock could not be had in time; with part of the group it could not either.
    """
    try:
        return await wire.run(wanted)
    except errors.LockNotAvailable as error:
        raise Unavailable("account-busy") from error


def _companions(group: Sequence[Pending], admission: Admission) -> Iterator[Statement]:
    """The companion rows of the chains that succeeded, a statement for each kind.

    A generator: which chains succeed is known only once the writes before have been asked for.
    """
    kinds: dict[str, list[tuple[object, ...]]] = {}
    for pending, answers in zip(group, admission.answers, strict=True):
        if not pending.companions or not isinstance(answers, list):
            continue
        if all(answer.outcome is Outcome.CREATED for answer in answers):
            for companion in pending.companions:
                kinds.setdefault(companion.statement, []).append(companion.row)
    for statement, values in kinds.items():
        yield statement, [list(column) for column in zip(*values, strict=True)]


def _flushed(group: Sequence[Pending], admission: Admission) -> Flushed:
    flushed = Flushed(changed=[admission.changed])
    for pending, answers in zip(group, admission.answers, strict=True):
        if isinstance(answers, list):
            flushed.answered.append((pending, answers))
        else:
            flushed.busy.append((pending, answers))
    return flushed


def _nothing() -> None:
    """What there is to do meanwhile when a group is taken apart."""


def _requests(group: Sequence[Pending]) -> int:
    return sum(len(pending.chain) for pending in group)


def _failure(group: Sequence[Pending]) -> BaseException | None:
    """What the first one that failed was told; whoever succeeded is told later."""
    return next((pending.failure for pending in group if pending.failure is not None), None)


def _fail(group: Sequence[Pending], error: BaseException) -> None:
    for pending in group:
        pending.fail(error)


def _explain(error: Exception) -> ComptoirError:
    explained = _explanation(error)
    explained.__cause__ = error
    return explained


def _explanation(error: Exception) -> ComptoirError:
    if isinstance(error, errors.LockNotAvailable):
        return Unavailable("account-busy")
    if isinstance(error, errors.DeadlockDetected | errors.SerializationFailure):
        return Unavailable("overloaded")
    if isinstance(error, psycopg.OperationalError):
        return Unavailable("database-down")
    return ComptoirError("internal", error=type(error).__name__)
