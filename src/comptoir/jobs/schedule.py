"""Periodic jobs: once a slot over all workers, whatever was missed while nobody was there.

A slot is a moment at which a job is due, and a row; whoever writes the row enqueues the job, in one
transaction. What came before is read from the rows, not remembered, so that restarts which come
more often than the period lose nothing (riverqueue/river#791).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from comptoir.jobs import queue, sql
from comptoir.jobs.model import Payload, Wanted
from comptoir.store.pool import Pool, begin

_MOST: Final = 1_000
"""Slots that are made up for at once; the next round goes on."""

_KEPT: Final = timedelta(days=400)
_LATE: Final = timedelta(minutes=2)
"""How late a slot may be for it not to count as missed: longer than a restart takes."""

_HOUR: Final = 1


class Missed(StrEnum):
    """What becomes of slots that passed while no worker was there."""

    ALL = "all"
    """Each is made up for: grants, statements."""
    LATEST = "latest"
    """Only the last one is: what puts everything in order whenever it runs."""
    NONE = "none"
    """None is: what makes sense at its hour alone."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job that comes back.

    Attributes:
        type: of the job.
        cron: minute, hour, day of month, month, day of week.
        zone: in which hours are meant. An hour that a day does not have is the one after it; of one
            that it has twice the first counts. A schedule for every hour goes by UTC.
        missed: what becomes of slots that passed meanwhile.
    """

    type: str
    cron: str
    zone: str = "UTC"
    missed: Missed = Missed.LATEST
    payload: Payload = field(default_factory=dict[str, Any])
    book: int = 1

    @property
    def task(self) -> str:
        """By what its slots are known."""
        return f"{self.book}:{self.type}:{self.cron}:{self.zone}"

    def slots(self, since: datetime) -> Iterator[datetime]:
        """The slots after a moment, without end."""
        # Loaded when needed: a program that only enqueues does without.
        from croniter import croniter  # noqa: PLC0415  # only whoever asks for slots waits

        fields = self.cron.split()
        zone = UTC if "*" in fields[_HOUR] else ZoneInfo(self.zone)
        local = since.astimezone(zone).replace(tzinfo=None)
        last = since
        for found in croniter(self.cron, local - timedelta(hours=2), ret_type=datetime):
            # Of two moments of that name the first; where there is none, as much after the gap.
            slot = found.replace(tzinfo=zone, fold=0).astimezone(UTC)
            if slot > last:
                last = slot
                yield slot

    def id(self, slot: datetime) -> UUID:
        """The id of the job of a slot: the same for whoever enqueues it."""
        text = f"{self.task}\0{slot.astimezone(UTC).isoformat()}"
        raw = bytearray(blake2b(text.encode(), digest_size=16, person=b"comptoir-slot").digest())
        raw[6] = 0x80 | raw[6] & 0x0F  # UUIDv8: of our own making, RFC 9562
        raw[8] = 0x80 | raw[8] & 0x3F
        return UUID(bytes=bytes(raw))


def due(periodic: Periodic, since: datetime, now: datetime) -> tuple[list[datetime], datetime]:
    """The slots to be done now, and the last one that is dealt with.

    Args:
        periodic: the job.
        since: the last slot that was dealt with.
        now: the database's time.
    """
    passed: list[datetime] = []
    for slot in periodic.slots(since):
        if slot > now or len(passed) == _MOST:
            break
        passed.append(slot)
    if not passed:
        return [], since
    match periodic.missed:
        case Missed.ALL:
            return passed, passed[-1]
        case Missed.LATEST:
            # Of a long absence only the last slots count, which the rest of the rounds come to.
            return (passed[-1:] if len(passed) < _MOST else []), passed[-1]
        case Missed.NONE:
            return [slot for slot in passed[-1:] if slot > now - _LATE], passed[-1]


async def enqueue_due(pool: Pool, periodic: Periodic) -> list[UUID]:
    """Enqueue what is due of a periodic job, unless somebody else does; returns the jobs."""
    async with begin(pool) as tx:
        row = await (await tx.execute(sql.LAST_SLOT, (periodic.task,))).fetchone()
        assert row is not None, "an aggregate has a row"
        last, now = row
        if last is None:
            # From now on: nobody has promised anything for the time before.
            await tx.execute(sql.TAKE_SLOT, (periodic.task, now, None))
            return []
        slots, until = due(periodic, last, now)
        made: list[UUID] = []
        for slot in slots:
            id_ = periodic.id(slot)
            taken = await tx.execute(sql.TAKE_SLOT, (periodic.task, slot, id_))
            if await taken.fetchone() is not None:
                said = {**periodic.payload, "slot": slot.isoformat()}
                await queue.enqueue(tx, periodic.book, id_, Wanted(periodic.type, said))
                made.append(id_)
        if until > last and until not in slots:
            await tx.execute(sql.TAKE_SLOT, (periodic.task, until, None))
        await tx.execute(sql.FORGET_SLOTS, (periodic.task, now - _KEPT))
        return made
