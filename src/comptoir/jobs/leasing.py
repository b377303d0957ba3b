"""Jobs that are done elsewhere: by a program in any language, which leases them over HTTP.

It says itself what became of a job. While it says nothing the lease runs out, and the job is tried
again as if it had failed; what is said under a lease that somebody else has meanwhile is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.jobs import sql, sql_leases
from comptoir.jobs.model import ATTEMPTS, Job, Result, Status, pause, place_of, spelled
from comptoir.jobs.queue import look
from comptoir.kit.errors import Conflict
from comptoir.store.pool import Pool, begin, fetch


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody elsewhere can do.

    Attributes:
        types: of jobs.
        lease: names what he is given.
        seconds: until others may have them.
        most: jobs that he takes at a time.
    """

    types: Sequence[str]
    lease: UUID
    seconds: float
    most: int = 1


@dataclass(frozen=True, slots=True)
class Leased:
    """A job that is somebody's to do."""

    job: Job
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a try of a job failed.

    Attributes:
        error: its kind, which is kept when the job is dead; no text, which may name people.
        is_final: another try would end the same way.
        chance: from 0 to 1, for the pause before the next try.
    """

    error: str
    is_final: bool
    chance: float


async def take(pool: Pool, book: int, asked: Asked) -> list[Leased]:
    """Lease the next jobs of a book; none when none waits.

    Raises:
        Unavailable: the database is down.
    """
    given = {
        "places": sorted({place_of(type_) for type_ in asked.types}),
        "book": book,
        "most": asked.most,
        "lease": asked.lease,
        "seconds": asked.seconds,
    }
    async with begin(pool) as tx:
        await tx.execute(sql_leases.FREE, (ATTEMPTS,))
        rows = await (await tx.execute(sql_leases.TAKE, given)).fetchall()
    return [
        Leased(Job(id_, book, type_, payload, attempt), expires_at)
        for id_, type_, payload, attempt, expires_at in rows
    ]


async def renew(pool: Pool, book: int, id_: UUID, lease: UUID, seconds: float) -> datetime:
    """Keep a job for longer; returns until when.

    Raises:
        NotFound: the book has no such job.
        Conflict: it is not leased under this name any more.
    """
    rows = await fetch(pool, sql_leases.RENEW, (seconds, id_, book, lease))
    if not rows:
        await look(pool, book, id_)
        raise Conflict("job-lease-lost")
    return rows[0][0]


async def complete(pool: Pool, book: int, id_: UUID, lease: UUID, result: Result) -> None:
    """Keep a job's result; saying the same once more changes nothing.

    Raises:
        NotFound: the book has no such job.
        Conflict: it is not leased under this name any more.
        Invalid: the result cannot be kept.
    """
    kept = None if result is None else spelled("result", result)
    async with begin(pool) as tx:
        held = await _give_up(tx, book, id_, lease)
        if held is not None:
            await tx.execute(sql_leases.END, (Status.SUCCEEDED.value, None, held[0]))
            await tx.execute(sql.KEEP_RESULT, (book, id_, kept, None))
            return
    seen = await look(pool, book, id_)
    if seen.status is not Status.SUCCEEDED or seen.result != result:
        raise Conflict("job-lease-lost")


async def fail(pool: Pool, book: int, id_: UUID, lease: UUID, failure: Failure) -> None:
    """Let a job be tried again after a pause, or be dead when that was its last try.

    Raises:
        NotFound: the book has no such job.
        Conflict: it is not leased under this name any more.
    """
    async with begin(pool) as tx:
        held = await _give_up(tx, book, id_, lease)
        if held is not None:
            await _end_failed(tx, book, id_, held, failure)
            return
    await look(pool, book, id_)
    raise Conflict("job-lease-lost")


async def _end_failed(
    tx: AsyncConnection[Any], book: int, id_: UUID, held: tuple[int, int], failure: Failure
) -> None:
    number, failed = held[0], held[1] + 1
    await tx.execute(sql.NOTE_TRY, (book, id_, failure.error))
    if failure.is_final or failed >= ATTEMPTS:
        await tx.execute(sql_leases.END, ("failed", None, number))
        return
    await tx.execute(sql_leases.END, ("todo", pause(failed, failure.chance), number))


async def _give_up(
    tx: AsyncConnection[Any], book: int, id_: UUID, lease: UUID
) -> tuple[int, int] | None:
    """End a lease; returns the queue's number of its job and the tries that failed before."""
    return await (await tx.execute(sql_leases.GIVE_UP, (id_, book, lease))).fetchone()
