"""The inbox: what providers tell us, committed before they are answered. A row is its own queue.

A row waits while `due_at` is set. Whoever works on one locks it and commits its effect together
with its end. Events of one object go one after the other, the oldest first; one that waits for
something that is not there yet, or that has failed again and again, lets the others pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from comptoir.store import sql_inbox as sql
from comptoir.store.pool import Pool, fetch

ATTEMPTS: Final = 12
"""How often an event is tried that fails: over about three hours."""

DEFERRALS: Final = 9
"""How often an event is looked at whose payment or customer nobody knows: over about two hours."""

BODY_DAYS: Final = 90

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 3600.0
_DEFERRED: Final = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
_LEASE: Final = 60.0


class State(StrEnum):
    """What became of an event."""

    RECEIVED = "received"
    DEFERRED = "deferred"
    """What it is about is not here yet."""
    FAILED = "failed"
    """It will be tried again."""
    DONE = "done"
    IGNORED = "ignored"
    """Nobody here wants to know."""
    ORPHAN = "orphan"
    """What it is about never came."""
    DEAD = "dead"
    """It failed for the last time. It keeps its body, and may be replayed."""


WAITING: Final = (State.RECEIVED, State.DEFERRED, State.FAILED)
"""Something will still become of these by itself."""

TROUBLES: Final = (*WAITING, State.ORPHAN, State.DEAD)
"""All that is not done."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a provider says has happened.

    Attributes:
        object: the thing whose events go one after the other.
        at: when it happened, by the provider's clock, in microseconds.
        via: how it came: a webhook, the provider's list of events, or a trigger.
        body: as it came; None once it was forgotten.
    """

    book: int
    source: str
    id: str
    type: str
    object: str
    livemode: bool
    at: int
    via: str
    body: str | None

    @property
    def place(self) -> tuple[int, str, str]:
        """Its key."""
        return self.book, self.source, self.id


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event that somebody works on.

    Attributes:
        attempts: how often it was tried before.
    """

    event: Event
    attempts: int
    state: State


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as lists show it."""

    event: Event
    attempts: int
    state: State
    received_at: int
    due_at: int | None
    done_at: int | None
    effects: Sequence[Mapping[str, Any]]
    error: str | None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which events to list, the newest first.

    Attributes:
        before: when the last one of the page before was received, and its id.
        troubles: only those that are not done.
    """

    before: tuple[int, str] | None = None
    state: State | None = None
    type: str | None = None
    troubles: bool = False
    limit: int = 20


async def receive(pool: Pool, events: Sequence[Event]) -> list[bool]:
    """Keep events; says of each whether it is new. What names no book of ours goes to the live one.

    Raises:
        Unavailable: the database is down: the provider must tell us again.
    """
    ordered = sorted(events, key=lambda event: event.place)
    columns = [
        [e.book for e in ordered], [e.source for e in ordered], [e.id for e in ordered],
        [e.type for e in ordered], [e.object for e in ordered], [e.livemode for e in ordered],
        [e.at for e in ordered], [e.via for e in ordered], [e.body for e in ordered],
    ]  # fmt: skip
    new = {tuple(row) for row in await fetch(pool, sql.RECEIVE, columns)}
    said: list[bool] = []
    for event in events:
        name = (event.source, event.id)
        said.append(name in new)
        new.discard(name)
    return said


async def claim(tx: AsyncConnection) -> Claimed | None:
    """Lock the next event that is due and may go; None when there is none."""
    row = await (await tx.execute(sql.CLAIM, prepare=True)).fetchone()
    return None if row is None else _claimed(row)


async def lease(tx: AsyncConnection, claimed: Claimed) -> None:
    """Keep others away from an event for a minute, without holding a transaction open."""
    await tx.execute(sql.LEASE, (_LEASE, *claimed.event.place))


async def claim_again(tx: AsyncConnection, claimed: Claimed) -> bool:
    """Lock an event that was leased; False when somebody else has it by now, or it has ended."""
    place = (*claimed.event.place, claimed.attempts + 1)
    return await (await tx.execute(sql.CLAIM_AGAIN, place)).fetchone() is not None


async def end(
    tx: AsyncConnection,
    claimed: Claimed,
    state: State,
    effects: Sequence[Mapping[str, Any]],
    error: str | None = None,
    *,
    was_leased: bool = False,
) -> None:
    """Note what became of an event, in the transaction of its effect."""
    more = 0 if was_leased else 1
    place = claimed.event.place
    await tx.execute(sql.END, (state, more, Jsonb(list(effects)), error, *place), prepare=True)


async def put_off(
    tx: AsyncConnection,
    claimed: Claimed,
    state: State,
    error: str,
    chance: float,
    *,
    was_leased: bool = False,
) -> None:
    """Let an event be looked at again later: sooner where it only waits for another one."""
    pause = deferral(claimed.attempts) if state is State.DEFERRED else failure(claimed.attempts)
    more = 0 if was_leased else 1
    pause *= 0.75 + chance / 2
    await tx.execute(sql.PUT_OFF, (state, more, pause, error, *claimed.event.place))


def deferral(attempts: int) -> float:
    """Seconds until an event is looked at again that waits for something."""
    return _DEFERRED[min(attempts, len(_DEFERRED) - 1)]


def failure(attempts: int) -> float:
    """Seconds until an event is tried again that failed."""
    return min(_FIRST_PAUSE * 2 ** min(attempts, 20), _LONGEST_PAUSE)


async def wake(tx: AsyncConnection, books: Sequence[int], source: str, objects: list[str]) -> None:
    """What some events wait for may be here now."""
    await tx.execute(sql.WAKE, (sorted(set(books)), source, objects), prepare=True)


async def coalesce(
    tx: AsyncConnection, event: Event, types: Sequence[str], before: int, effect: Mapping[str, Any]
) -> None:
    """The object was read after these events had come: they say nothing new."""
    given = (Jsonb([effect]), event.book, event.source, event.object, list(types), before)
    await tx.execute(sql.COALESCE, given)


async def replay(pool: Pool, book: int, source: str, event_id: str) -> bool:
    """Let an event be handled once more; False when there is none, or its body is forgotten."""
    return bool(await fetch(pool, sql.REPLAY, (book, source, event_id)))


async def replay_beside(tx: AsyncConnection, book: int, source: str, event_id: str) -> bool:
    """What `replay` does, in a transaction that does something else as well."""
    row = await (await tx.execute(sql.REPLAY, (book, source, event_id))).fetchone()
    return row is not None


async def find(pool: Pool, book: int, source: str, event_id: str) -> Seen | None:
    """An event."""
    rows = await fetch(pool, sql.FIND, (book, source, event_id))
    return _seen(rows[0]) if rows else None


async def listed(tx: AsyncConnection, book: int, sought: Sought) -> list[Seen]:
    """Events of a book, the newest first."""
    at, id_ = sought.before or (2**52, "")
    given = {
        "book": book, "at": at, "id": id_, "state": sought.state, "type": sought.type,
        "limit": sought.limit,
    }  # fmt: skip
    cursor = await tx.execute(sql.LIST_TROUBLES if sought.troubles else sql.LIST, given)
    return [_seen(row) for row in await cursor.fetchall()]


async def known(pool: Pool, book: int, source: str, ids: Sequence[str]) -> set[str]:
    """Which of some events the inbox has."""
    return {row[0] for row in await fetch(pool, sql.KNOWN, (book, source, list(ids)))}


async def counts(pool: Pool, book: int) -> dict[str, tuple[int, float]]:
    """How many events of each state are not done, and the seconds since the oldest came."""
    return {
        state: (count, oldest) for state, count, oldest in await fetch(pool, sql.COUNTS, (book,))
    }


async def standing(pool: Pool) -> dict[tuple[int, str], tuple[int, float]]:
    """What `counts` says, of all books by their number, but of `sql_inbox.WATCHED` events at most.

    Raises:
        Unavailable: the database is down.
    """
    rows = await fetch(pool, sql.STANDING, ())
    return {(book, state): (count, oldest) for book, state, count, oldest in rows}


async def last(pool: Pool, book: int) -> int | None:
    """When the last event came, in microseconds."""
    rows = await fetch(pool, sql.LAST, (book,))
    return rows[0][0] if rows else None


def _event(row: Sequence[Any]) -> Event:
    return Event(*row[:9])


def _claimed(row: Sequence[Any]) -> Claimed:
    return Claimed(_event(row), row[9], State(row[10]))


def _seen(row: Sequence[Any]) -> Seen:
    received, due, done, effects, error = row[11:]
    return Seen(_event(row), row[9], State(row[10]), received, due, done, effects or [], error)
