"""Jobs for applications: what is done later, by a worker, once whatever happens."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.app import App
from comptoir.jobs import queue
from comptoir.jobs.duties import Duties
from comptoir.jobs.model import ATTEMPTS, Handler, Job, Payload, Result, Seen, Status, Wanted
from comptoir.jobs.queue import Sought
from comptoir.jobs.schedule import Missed, Periodic

Do = Callable[[Job, Any], Awaitable[Result]]
"""Does a job, given the Comptoir that its worker has open."""

D = TypeVar("D", bound=Do)


class Jobs:
    """What an application's workers can do: a handler for each type of job.

    ::

        jobs = Jobs()

        @jobs.handler("report")
        async def report(job: Job, books: Comptoir) -> None:
            await books.credits.grant(..., idempotency_key=job.key())

    A job may be done twice, when its worker is killed at the wrong moment. `job.key()` makes what
    it does to the books happen once.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, tuple[Handler, Do]] = {}
        self._periodic: list[Periodic] = []

    def handler(
        self,
        type: str,  # noqa: A002  # the word of the API
        *,
        attempts: int = ATTEMPTS,
        timeout: float = 300.0,
        first_pause: float = 2.0,
        longest_pause: float = 3600.0,
    ) -> Callable[[D], D]:
        """Let a function do the jobs of a type.

        What it returns, a mapping that JSON can say or None, is the job's result. What it raises
        lets the job be tried again; `GiveUp` does not.

        Args:
            type: of the jobs. One that begins with `pdf.` or `email.` is of that queue.
            attempts: how often a job is tried before it is dead.
            timeout: seconds that one try may take.
            first_pause: seconds before the second try; each pause is twice the one before.
            longest_pause: seconds that no pause exceeds.
        """

        def keep(do: D) -> D:
            handler = Handler(type, _unbound, attempts, timeout, first_pause, longest_pause)
            self._handlers[type] = (handler, do)
            return do

        return keep

    def periodic(
        self,
        type: str,  # noqa: A002  # the word of the API
        cron: str,
        *,
        zone: str = "UTC",
        missed: Missed = Missed.LATEST,
        payload: Payload | None = None,
    ) -> None:
        """Enqueue a job of a type again and again, once a slot over all workers.

        Args:
            type: of the job; its payload has the slot beside what is given here.
            cron: minute, hour, day of month, month, day of week.
            zone: in which hours are meant.
            missed: what becomes of slots that passed while no worker was there.
            payload: what the handler needs to know.
        """
        self._periodic.append(Periodic(type, cron, zone, missed, payload or {}))

    def bound(self, books: object, book: int) -> Duties:
        """The handlers, given what they work on, and the periodic jobs of a book."""
        handlers = (
            replace(handler, handle=_binding(do, books)) for handler, do in self._handlers.values()
        )
        return Duties.of(*handlers, periodic=[replace(each, book=book) for each in self._periodic])


def _binding(do: Do, books: object) -> Callable[[Job], Awaitable[Result]]:
    async def handle(job: Job) -> Result:
        return await do(job, books)

    return handle


async def _unbound(_: Job) -> Result:
    raise NotImplementedError


class JoinedJobs:
    """Enqueueing inside of a transaction of the caller's own."""

    def __init__(self, app: App, book: int, connection: AsyncConnection[Any]) -> None:
        self._app = app
        self._book = book
        self._connection = connection

    async def enqueue(
        self,
        type: str,  # noqa: A002  # the word of the API
        payload: Mapping[str, Any] | None = None,
        *,
        unique: str | None = None,
        run_at: datetime | None = None,
        priority: int = 0,
    ) -> UUID:
        """Enqueue a job, which commits with the transaction and is undone with it.

        Args:
            type: what is to be done, as its handler is called.
            payload: what the handler needs to know; JSON, at most 256 KiB.
            unique: while a job of this type waits under this name, another one is not enqueued.
            run_at: not before; with a time zone.
            priority: the higher ones first, -100 to 100.

        Returns:
            Its id; or that of the one that waits already under its unique name.

        Raises:
            Invalid: the queue cannot take it.
        """
        wanted = Wanted(type, payload or {}, unique, run_at, priority)
        return await queue.enqueue(self._connection, self._book, self._app.new_id(), wanted)


class JobQueue:
    """The queue of a book."""

    def __init__(self, app: App, book: int) -> None:
        self._app = app
        self._book = book

    async def enqueue_now(
        self,
        type: str,  # noqa: A002  # the word of the API
        payload: Mapping[str, Any] | None = None,
        *,
        unique: str | None = None,
        run_at: datetime | None = None,
        priority: int = 0,
        id: UUID | None = None,  # noqa: A002  # what it is
    ) -> UUID:
        """Enqueue a job that is for nothing else, at once; else `enqueue` of a transaction.

        Args:
            type: what is to be done, as its handler is called.
            payload: what the handler needs to know; JSON, at most 256 KiB.
            unique: while a job of this type waits under this name, another one is not enqueued.
            run_at: not before; with a time zone.
            priority: the higher ones first, -100 to 100.
            id: the same id again is the same job.

        Returns:
            Its id; or that of the one that waits already under its unique name.

        Raises:
            Invalid: the queue cannot take it.
            Unavailable: the database is down.
        """
        wanted = Wanted(type, payload or {}, unique, run_at, priority)
        id_ = id or self._app.new_id()
        return await queue.enqueue_now(self._app.pool, self._book, id_, wanted)

    async def get(self, id: UUID) -> Seen:  # noqa: A002  # what it is
        """A job: its status, its result, why it failed.

        Raises:
            NotFound: there is none of that id, or it ended too long ago.
            Unavailable: the database is down.
        """
        return await queue.look(self._app.pool, self._book, id)

    async def list(
        self,
        *,
        type: str | None = None,  # noqa: A002  # the word of the API
        status: Status | None = None,
        limit: int = 20,
        before: int | None = None,
    ) -> list[Seen]:
        """Jobs, the newest first; `before` is the number of the last one of the page before."""
        sought = Sought(type=type, status=status, before=before, limit=limit)
        return await queue.listed(self._app.pool, self._book, sought)

    async def retry(self, id: UUID) -> Seen:  # noqa: A002  # what it is
        """Let a job that is dead, was cancelled or waits for its next try be tried now.

        Raises:
            NotFound: there is none of that id.
            Conflict: it runs, has succeeded, or another one waits under its unique name.
        """
        return await queue.retry(self._app.pool, self._book, id)

    async def cancel(self, id: UUID) -> Seen:  # noqa: A002  # what it is
        """Keep a job from being done; one that runs is interrupted where it waits for something.

        Raises:
            NotFound: there is none of that id.
            Conflict: it has ended.
        """
        return await queue.cancel(self._app.pool, self._book, id)
