"""Moving books from one database to another, so that at no moment both take writes.

1. The gate of the old database closes: nobody but us may write, for as long as we live.
2. Everything is copied, in one transaction of the new database, whose own gate is closed with it.
3. The old books are declared moved: the point of no return, one commit of one database.
4. The gate of the new database opens.

Whoever is killed before 3 leaves the old books open, for the lock that keeps them closed goes with
its connection. Whoever is killed after it leaves the new ones complete: the same move, asked for
again, finds its own mark on both sides and opens them.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import psycopg
from psycopg import Connection

from comptoir.store import gate
from comptoir.store.copying import CopyError, Report, check_balance, connect, snapshot
from comptoir.store.gate import Gate, State
from comptoir.store.restore import Restored, check_target, place, restore

_LOCK_WAIT: Final = "10s"

_IDENTITY: Final = """
SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()"""

_FORGET_ENVIRONMENT: Final = "DELETE FROM comptoir.settings WHERE name = 'environment'"


class Step(StrEnum):
    """What a move is doing."""

    CLOSING = "closing"
    VERIFYING = "verifying"
    COPYING = "copying"
    OPENING = "opening"


@dataclass(frozen=True, slots=True)
class Progress:
    """Who is told how far a move is."""

    step: Callable[[Step], None]
    report: Report


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved.

    Attributes:
        place: where to.
        restored: what was written there; None when this only finished an earlier move.
    """

    place: str
    restored: Restored | None


def move(source_url: str, target_url: str, name: str, progress: Progress) -> Moved:
    """Move the books, or finish a move that was broken off.

    Args:
        source_url: the old database, as the owner of its tables.
        target_url: the new one, as whoever owns the schema or may make it.
        name: of this move, never used before.
        progress: is told how far it is.

    Raises:
        CopyError: the new database will not do, the books are not here any more, or somebody
            else is moving them.
        Unbalanced: the books do not balance; they stay where they are.
        Unavailable: the old database cannot be reached.
    """
    where = place(target_url)
    with connect(source_url) as source, _only_mover(source):
        there = gate.read(source)
        if there is not None and there.state is State.MOVED:
            _check_same(there, target_url)
            progress.step(Step.OPENING)
            _open(target_url)
            return Moved(where, None)
        if there is not None and there.state is State.ARRIVING:
            raise CopyError("books-arriving")
        broken_off = there.move if there is not None else None
        _check(source, target_url, broken_off)
        # The name ties the two copies together: never one that has gone elsewhere before.
        is_repeat = there is not None and there.place == where
        closed = Gate(State.MOVING, broken_off if broken_off and is_repeat else name, where)
        progress.step(Step.CLOSING)
        _close(source, closed)
        restored = _copy(source, target_url, closed, broken_off, progress)
        _close(source, replace(closed, state=State.MOVED))
    progress.step(Step.OPENING)
    _open(target_url)
    return Moved(where, restored)


@contextmanager
def _only_mover(source: Connection) -> Generator[None]:
    """Hold the lock of movers until the connection ends, however that comes about.

    Raises:
        CopyError: somebody else holds it.
    """
    source.execute(f"SET lock_timeout = '{_LOCK_WAIT}'")
    try:
        source.execute("SELECT pg_advisory_lock(%s)", (gate.LOCK,))
    except psycopg.errors.LockNotAvailable:
        raise CopyError("move-under-way") from None
    source.execute("SET lock_timeout = 0")
    yield


def _close(source: Connection, closed: Gate) -> None:
    try:
        gate.close(source, closed)
    except psycopg.errors.LockNotAvailable:
        raise CopyError("move-busy") from None


def _check(source: Connection, target_url: str, broken_off: str | None) -> None:
    """See whether the new database will do, before anybody is kept from writing.

    Raises:
        CopyError: it will not.
    """
    with _target(target_url) as target:
        if target.execute(_IDENTITY).fetchone() == source.execute(_IDENTITY).fetchone():
            raise CopyError("target-is-source")
        check_target(target, broken_off)


def _copy(
    source: Connection, target_url: str, closed: Gate, broken_off: str | None, progress: Progress
) -> Restored:
    """Copy everything; committed, but closed, when this returns."""
    with snapshot(source) as live:
        progress.step(Step.VERIFYING)
        check_balance(source)
        progress.step(Step.COPYING)
        arriving = replace(closed, state=State.ARRIVING)
        return restore(
            target_url,
            live,
            report=progress.report,
            last=lambda target: gate.install(target, arriving),
            replaces=broken_off,
        )


def _check_same(moved: Gate, target_url: str) -> None:
    """See whether an earlier move went to this database and was not finished.

    Raises:
        CopyError: it was finished, or went elsewhere.
    """
    with _target(target_url) as target:
        there = gate.read(target)
    if there is None or there.state is not State.ARRIVING or there.move != moved.move:
        raise CopyError("home-moved", place=moved.place)


def _open(target_url: str) -> None:
    """Let everybody write to the new books, which belong to whichever environment serves them."""
    with _target(target_url) as target, target.transaction():
        gate.open_(target)
        target.execute(_FORGET_ENVIRONMENT)


@contextmanager
def _target(url: str) -> Generator[Connection]:
    try:
        target = connect(url)
    except Exception as error:
        reason = str(error.__cause__ or error).strip().partition("\n")[0]
        raise CopyError("target-unreachable", reason=reason) from error
    with target:
        yield target
