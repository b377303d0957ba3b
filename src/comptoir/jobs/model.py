"""Jobs: what is to be done later, by whom, how often it is tried, and what became of it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from comptoir.kit.errors import Invalid
from comptoir.kit.limits import PRINTABLE

DEFAULT_QUEUE: Final = "default"
QUEUES: Final = (DEFAULT_QUEUE, "email", "pdf")
"""The queues that there are. A type that begins with the name of one, as in pdf.render, is its."""

TYPE_PATTERN: Final = r"^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*\Z"
TYPE_LENGTH: Final = 32
"""The queue announces a job on a channel named by its queue and type; PostgreSQL lets the whole
name have 63 bytes."""

UNIQUE_LENGTH: Final = 200
PAYLOAD_BYTES: Final = 256 * 1024
"""Of a payload, or of a result. They name things; what is large has a place of its own."""

PRIORITY_MOST: Final = 100

ATTEMPTS: Final = 8
"""How often a job is tried, all in all: with the pauses between, over about two hours."""

FIRST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 3600.0

_TYPE: Final = re.compile(TYPE_PATTERN, re.ASCII)
_NAME: Final = re.compile(PRINTABLE)

CANCELLED: Final = "Cancelled"
"""Why a job that was cancelled did not end otherwise."""

Payload = Mapping[str, Any]
Result = Mapping[str, Any] | None


class Status(StrEnum):
    """What became of a job."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """It failed, and will be tried again."""
    DEAD = "dead"
    """It failed for the last time. It keeps its payload, and an operator may retry it."""
    CANCELLED = "cancelled"


class GiveUp(Exception):
    """Raised by a handler that knows that another try would end the same way."""


def is_type(text: str) -> bool:
    """Whether a type of jobs can be called so."""
    return len(text) <= TYPE_LENGTH and _TYPE.match(text) is not None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job to enqueue.

    Attributes:
        type: what is to be done, as its handler is called.
        payload: what the handler needs to know; JSON, at most PAYLOAD_BYTES.
        unique: while a job of this type waits under this name, another one is not enqueued.
        run_at: not before; now by default.
        priority: the higher ones first, -100 to 100.
    """

    type: str
    payload: Payload = field(default_factory=dict[str, Any])
    unique: str | None = None
    run_at: datetime | None = None
    priority: int = 0

    @property
    def queue(self) -> str:
        """The queue of its type."""
        return queue_of(self.type)

    def check(self) -> None:
        """See whether the queue can take it.

        Raises:
            Invalid: a field cannot be what it is.
        """
        fits = {
            "type": is_type(self.type),
            "unique": self.unique is None
            or (len(self.unique) <= UNIQUE_LENGTH and _NAME.match(self.unique)),
            "priority": abs(self.priority) <= PRIORITY_MOST,
            "run_at": self.run_at is None or self.run_at.utcoffset() is not None,
        }
        for name, fit in fits.items():
            if not fit:
                raise Invalid("field-invalid", field=name)

    def spelled(self) -> str:
        """The payload as JSON.

        Raises:
            Invalid: it is too large, or nothing that JSON can say.
        """
        return spelled("payload", self.payload)


@dataclass(frozen=True, slots=True)
class Job:
    """A job that is being done.

    Attributes:
        id: its name for good, however often it is tried. Use it, or `key`, as the idempotency key
            of whatever the job does: then each effect happens once, though the job may run twice.
        book: the book that it belongs to.
        attempt: which try this is, from 1 on.
    """

    id: UUID
    book: int
    type: str
    payload: Payload
    attempt: int

    def key(self, name: str = "") -> str:
        """An idempotency key for one effect of this job."""
        return f"job:{self.id}:{name}" if name else f"job:{self.id}"


Handle = Callable[[Job], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Handler:
    """What does jobs of one type.

    Attributes:
        handle: does one; what it returns is kept as the job's result.
        attempts: how often a job is tried before it is dead.
        timeout: seconds that one try may take.
        first_pause: seconds before the second try; each pause is twice the one before.
        longest_pause: seconds that no pause exceeds.
    """

    type: str
    handle: Handle
    attempts: int = ATTEMPTS
    timeout: float = 300.0
    first_pause: float = FIRST_PAUSE
    longest_pause: float = LONGEST_PAUSE

    @property
    def place(self) -> str:
        """Where the queue keeps jobs of this type, so that only who can do them takes them."""
        return place_of(self.type)

    def pause(self, failed: int, chance: float) -> float:
        """Seconds until the next try, after so many have failed."""
        return pause(failed, chance, self.first_pause, self.longest_pause)


def pause(
    failed: int, chance: float, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE
) -> float:
    """Seconds until the next try of a job.

    Args:
        failed: tries so far.
        chance: from 0 to 1: how much of the second half of the pause is waited, so that what failed
            together is not tried again together.
        first: seconds before the second try; each pause is twice the one before.
        longest: seconds that no pause exceeds.
    """
    whole = min(first * 2 ** min(failed - 1, 30), longest)
    return whole * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True)
class Seen:
    """A job as the queue has it.

    Attributes:
        number: the queue's own, by which lists are ordered.
        attempts: tries that have failed.
        run_at: when it may be tried, if that was said or it has failed.
        error: why it is dead.
    """

    number: int
    id: UUID
    type: str
    status: Status
    attempts: int
    payload: Payload
    run_at: datetime | None
    result: Result
    error: str | None
    ended_at: datetime | None

    @property
    def queue(self) -> str:
        """The queue of its type."""
        return queue_of(self.type)


@dataclass(frozen=True, slots=True)
class Depth:
    """How much there is in a queue.

    Attributes:
        waiting: pending, or failed and to be tried again.
        oldest: seconds for which the oldest of them could have been done.
    """

    waiting: int = 0
    running: int = 0
    dead: int = 0
    oldest: float = 0.0


def spelled(name: str, value: Mapping[str, Any]) -> str:
    """A payload or a result as JSON.

    Args:
        name: which of them, as a refusal says it.
        value: what it has.

    Raises:
        Invalid: it is too large, or nothing that JSON can say.
    """
    try:
        text = msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Invalid("payload-invalid", field=name) from error
    if len(text) > PAYLOAD_BYTES:
        raise Invalid("job-too-large", most=PAYLOAD_BYTES)
    if not text.startswith(b"{") or b"\\u0000" in text:
        raise Invalid("payload-invalid", field=name)
    return text.decode()


def queue_of(type_: str) -> str:
    """The queue of a type: the one whose name it begins with, or the default one."""
    first = type_.partition(".")[0]
    return first if first in QUEUES else DEFAULT_QUEUE


def place_of(type_: str) -> str:
    """Where the queue keeps jobs of a type."""
    return f"{queue_of(type_)}/{type_}"
