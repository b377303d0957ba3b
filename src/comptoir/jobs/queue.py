"""The queue: enqueue in the caller's transaction, look, list, retry, cancel.

A job commits with whatever it is for, and is undone with it. There is no dequeue: workers lease
jobs, try them again, and keep those that never succeed.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation

from comptoir.jobs import sql, sql_leases
from comptoir.jobs.model import CANCELLED, Depth, Payload, Seen, Status, Wanted
from comptoir.kit.errors import Conflict, NotFound
from comptoir.store.commit import Companion
from comptoir.store.joined import fetch_joined
from comptoir.store.pool import Pool, begin, fetch

SHOWN: Final[dict[Status, tuple[tuple[str, ...], bool | None]]] = {
    Status.PENDING: (("todo",), False),
    Status.FAILED: (("todo",), True),
    Status.RUNNING: (("doing",), None),
    Status.SUCCEEDED: (("succeeded",), None),
    Status.DEAD: (("failed",), None),
    Status.CANCELLED: (("cancelled", "aborted"), None),
}
"""The queue's own statuses for ours, and whether a try has failed."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Which jobs to list: the newest first.

    Attributes:
        before: the number of the last job of the page before.
    """

    type: str | None = None
    queue: str | None = None
    status: Status | None = None
    before: int | None = None
    limit: int = 20


def parameters(book: int, id_: UUID, wanted: Wanted) -> tuple[object, ...]:
    """What `sql.ENQUEUE` is given; one row of `sql.ENQUEUE_EACH`.

    Raises:
        Invalid: the queue cannot take it.
    """
    wanted.check()
    return (
        book, id_, wanted.queue, wanted.type, wanted.spelled(), wanted.unique, wanted.priority,
        wanted.run_at,
    )  # fmt: skip


async def enqueue(tx: AsyncConnection[Any], book: int, id_: UUID, wanted: Wanted) -> UUID:
    """Enqueue a job in the open transaction.

    Returns:
        Its id; or that of the one that waits already, when it is unique.

    Raises:
        Invalid: the queue cannot take it.
    """
    [row] = await fetch_joined(tx, sql.ENQUEUE, parameters(book, id_, wanted))
    return row[0]


def companion(book: int, id_: UUID, wanted: Wanted) -> Companion:
    """A job that is enqueued in the commit of a chain, only if the chain succeeds.

    Raises:
        Invalid: the queue cannot take it.
    """
    return Companion(sql.ENQUEUE_EACH, parameters(book, id_, wanted))


async def enqueue_now(pool: Pool, book: int, id_: UUID, wanted: Wanted) -> UUID:
    """Enqueue a job that is for nothing else, in a transaction of its own.

    Raises:
        Invalid: the queue cannot take it.
        Unavailable: the database is down.
    """
    async with begin(pool) as tx:
        return await enqueue(tx, book, id_, wanted)


async def look(pool: Pool, book: int, id_: UUID) -> Seen:
    """A job.

    Raises:
        NotFound: the book has none of that id, or it ended too long ago.
    """
    rows = await fetch(pool, sql.FIND, (id_, book))
    if not rows:
        raise NotFound("job-not-found")
    return _seen(rows[0])


async def listed(pool: Pool, book: int, sought: Sought) -> list[Seen]:
    """Jobs of a book, the newest first."""
    statuses, tried = SHOWN[sought.status] if sought.status is not None else (None, None)
    async with begin(pool) as tx:
        cursor = await tx.execute(
            sql.LIST,
            {
                "book": book,
                "before": sought.before or 2**62,
                "type": sought.type,
                "queue": sought.queue,
                "statuses": None if statuses is None else list(statuses),
                "tried": tried,
                "limit": sought.limit,
            },
        )
        return [_seen(row) for row in await cursor.fetchall()]


async def retry(pool: Pool, book: int, id_: UUID) -> Seen:
    """Let a job that is dead, was cancelled or waits for its next try be tried now, from the start.

    Raises:
        NotFound: the book has no such job.
        Conflict: it runs, has succeeded, or another one waits under its unique name.
    """
    async with begin(pool) as tx:
        await retry_beside(tx, book, id_)
    return await look(pool, book, id_)


async def retry_beside(tx: AsyncConnection[Any], book: int, id_: UUID) -> None:
    """The same in the open transaction, which cannot go on after a refusal.

    Raises:
        NotFound, Conflict: as `retry`.
    """
    try:
        row = await (await tx.execute(sql.REQUEUE, (id_, book))).fetchone()
    except UniqueViolation:
        raise Conflict("job-waits") from None
    if row is None:
        seen = await _found(tx, book, id_)
        raise Conflict("job-not-retryable", state=seen.status.value)
    await tx.execute(sql.FORGET_RESULT, (book, id_))
    await tx.execute(sql.WAKE, row)


async def retry_each(tx: AsyncConnection[Any], book: int, ids: Sequence[UUID]) -> list[UUID]:
    """Retry jobs in the open transaction; returns those that could be, and leaves the others."""
    done: list[UUID] = []
    for id_ in ids:
        with suppress(NotFound, Conflict):
            async with tx.transaction():
                await retry_beside(tx, book, id_)
            done.append(id_)
    return done


async def cancel(pool: Pool, book: int, id_: UUID) -> Seen:
    """Keep a job from being done; one that runs is interrupted where it waits for something.

    Raises:
        NotFound: the book has no such job.
        Conflict: it has ended.
    """
    async with begin(pool) as tx:
        await cancel_beside(tx, book, id_)
    return await look(pool, book, id_)


async def cancel_beside(tx: AsyncConnection[Any], book: int, id_: UUID) -> None:
    """The same in the open transaction.

    Raises:
        NotFound, Conflict: as `cancel`.
    """
    leased = await (await tx.execute(sql_leases.REVOKE, (id_, book))).fetchone()
    if leased is not None:
        await tx.execute(sql_leases.END, ("aborted", None, leased[0]))
        await tx.execute(sql.KEEP_RESULT, (book, id_, None, CANCELLED))
        return
    row = await (await tx.execute(sql.CANCEL, (id_, book))).fetchone()
    if row is None:
        seen = await _found(tx, book, id_)
        raise Conflict("job-ended", state=seen.status.value)
    if row[0] == "cancelled":
        await tx.execute(sql.KEEP_RESULT, (book, id_, None, CANCELLED))


async def _found(tx: AsyncConnection[Any], book: int, id_: UUID) -> Seen:
    row = await (await tx.execute(sql.FIND, (id_, book))).fetchone()
    if row is None:
        raise NotFound("job-not-found")
    return _seen(row)


async def depths(pool: Pool, book: int) -> dict[str, Depth]:
    """How much there is in each queue that has anything."""
    rows = await fetch(pool, sql.DEPTHS, (book,))
    return {queue: Depth(*figures) for queue, *figures in rows}


def _seen(row: Sequence[Any]) -> Seen:
    number, id_, type_, status, attempts, payload, run_at, result, error, at = row
    found = status_of(status, attempts)
    ended = found in {Status.SUCCEEDED, Status.DEAD, Status.CANCELLED}
    kept: Payload = payload
    return Seen(
        number, id_, type_, found, attempts, kept, run_at,
        result if found is Status.SUCCEEDED else None,
        error if ended else None,
        at if ended else None,
    )  # fmt: skip


def status_of(said: str, attempts: int) -> Status:
    """What the queue's own status of a job means, given how many tries have failed."""
    for status, (statuses, tried) in SHOWN.items():
        if said in statuses and (tried is None or tried == (attempts > 0)):
            return status
    return Status.RUNNING
