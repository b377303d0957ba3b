"""What pages show of jobs, quickly: a bounded number of rows at a time, each found by an index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.jobs import sql_overview as sql
from comptoir.jobs.model import Payload, Result, Status
from comptoir.jobs.queue import SHOWN, status_of
from comptoir.kit.errors import NotFound

COUNTED: Final = 1_000
"""Of each state at most so many are counted."""

LOOKED_AT: Final = 1_000
"""Jobs that one page looks at where only those of one type are wanted."""

_EVENTS: Final = 100
_NEWEST: Final = 2**62
_ENDED: Final = frozenset({Status.SUCCEEDED, Status.DEAD, Status.CANCELLED})


@dataclass(frozen=True, slots=True)
class Sought:
    """Which jobs to list, the newest first.

    Attributes:
        before: the number of the last job that the page before has looked at.
        limit: jobs of one page.
    """

    status: Status | None = None
    type: str | None = None
    before: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A job of a list. Times are microseconds since 1970.

    Attributes:
        number: the queue's own, by which lists are ordered.
        attempts: tries that have failed.
        payload: None when it is too large for a list.
        due_at: when it may be tried, if that was said or it has failed.
        error: why its last try has failed.
        noted_at: when that was, or when it ended.
    """

    number: int
    id: UUID
    type: str
    status: Status
    attempts: int
    payload: Payload | None
    due_at: int | None
    error: str | None
    noted_at: int | None

    @property
    def ended_at(self) -> int | None:
        """When it ended, if it has."""
        return self.noted_at if self.status in _ENDED else None


@dataclass(frozen=True, slots=True)
class Page:
    """Jobs of one page.

    Attributes:
        looked: how many jobs were looked at for it.
        last: the number before which the next page begins; None when this is the last.
    """

    rows: Sequence[Row]
    looked: int
    last: int | None


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened to a job: a word of the queue's, or `try` with the kind of the error."""

    at: int
    what: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A job with all that is known of it."""

    row: Row
    result: Result
    happened: Sequence[Happened] = field(default_factory=list[Happened])


async def counts(tx: AsyncConnection, book: int) -> dict[Status, int]:
    """How many jobs there are in each state; more than COUNTED means that there are more."""
    given = {"book": book, "most": COUNTED + 1} | _places(None)
    found = dict.fromkeys(Status, 0)
    for status, tried, number in await (await tx.execute(sql.COUNT, given)).fetchall():
        found[status_of(status, int(tried))] += number
    return found


async def listed(tx: AsyncConnection, book: int, sought: Sought) -> Page:
    """Jobs, the newest first. Of one type are those among the LOOKED_AT newest of a state."""
    most = sought.limit + 1 if sought.type is None else max(LOOKED_AT, sought.limit + 1)
    before = _NEWEST if sought.before is None else sought.before
    given = {"book": book, "before": before, "most": most} | _places(sought.status)
    seen = await (await tx.execute(sql.LOOK, given)).fetchall()
    wanted = [number for number, type_ in seen if sought.type in (None, type_)]
    numbers = wanted[: sought.limit]
    rows = await (await tx.execute(sql.LISTED, (numbers, book))).fetchall()
    last = None
    if len(wanted) > sought.limit:
        last = numbers[-1]
    elif len(seen) == most:
        last = seen[-1][0]
    return Page([_row(row) for row in rows], len(seen), last)


async def find(tx: AsyncConnection, book: int, id_: UUID) -> Work:
    """A job with all that is known of it.

    Raises:
        NotFound: the book has none of that id, or it ended too long ago.
    """
    row = await (await tx.execute(sql.FIND, (id_, book))).fetchone()
    if row is None:
        raise NotFound("job-not-found")
    *first, result, tries = row
    events = await (await tx.execute(sql.EVENTS, (first[0], _EVENTS))).fetchall()
    happened = [Happened(at, what) for what, at in events]
    happened += [Happened(each["at"], "try", each["error"]) for each in tries or ()]
    happened.sort(key=lambda each: each.at)
    seen = _row(first)
    return Work(seen, result if seen.status is Status.SUCCEEDED else None, happened)


async def last_slots(tx: AsyncConnection, tasks: Sequence[str]) -> Mapping[str, tuple[int, UUID]]:
    """When each periodic job was enqueued for the last time, and as which job."""
    rows = await (await tx.execute(sql.LAST_SLOTS, (list(tasks),))).fetchall()
    return {task: (at, job) for task, at, job in rows}


def _places(status: Status | None) -> dict[str, list[Any]]:
    """The queue's own states that make up one of ours, or all of them."""
    wanted = SHOWN.values() if status is None else (SHOWN[status],)
    pairs = [
        (each, tried)
        for statuses, said in wanted
        for each in statuses
        for tried in ((False, True) if said is None else (said,))
    ]
    return {"statuses": [each for each, _ in pairs], "tried": [tried for _, tried in pairs]}


def _row(row: Sequence[Any]) -> Row:
    number, id_, type_, status, attempts, payload, due_at, error, at = row
    return Row(
        number, id_, type_, status_of(status, attempts), attempts, payload, due_at, error, at
    )
