"""Workers: they lease jobs, do them, try them again, and take over from those that have gone.

The queue itself is procrastinate. What it leaves to its users is here: results, a cap on tries,
jobs whose worker was killed, periodic jobs, cleaning up, and a worker that comes back by itself
after the database was away.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import procrastinate
from procrastinate import exceptions, jobs
from procrastinate.job_context import AbortReason
from psycopg import Error

from comptoir.jobs import schedule, sql, sql_leases
from comptoir.jobs.connecting import Connector
from comptoir.jobs.duties import Duties
from comptoir.jobs.fetching import Fetching
from comptoir.jobs.model import ATTEMPTS, CANCELLED, GiveUp, Handler, Job, Result, place_of, spelled
from comptoir.kit.errors import ComptoirError
from comptoir.store.pool import Pool, begin, fetch

_COMES_BACK: Final = 1.0
_ENDS_WITHIN: Final = 5.0
"""Seconds that a handler may take to end when it is told to: then its place is another job's."""

_DONE_DAYS: Final = 7
_DEAD_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker goes about it; all in seconds but the first.

    Attributes:
        concurrency: jobs that are done at a time.
        heartbeat: how often a worker says that it is there.
        stalled: after how long without that its jobs are taken over.
        sweep: how often jobs of gone workers are looked for.
        tick: how often periodic jobs are.
        poll: how often jobs are looked for that nobody announced: those of a later time.
        clean: how often what ended long ago is taken away.
        grace: how long jobs may go on when the worker is to stop.
    """

    concurrency: int = 10
    heartbeat: float = 5.0
    stalled: float = 30.0
    sweep: float = 10.0
    tick: float = 5.0
    poll: float = 1.0
    clean: float = 600.0
    grace: float = 20.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A try that ended: for logs and metrics; of an error its kind alone."""

    job: UUID
    type: str
    attempt: int
    error: str | None = None
    is_dead: bool = False


def nobody(_: Ended) -> None:
    """Who is told, usually."""


@dataclass(frozen=True, slots=True)
class Crew:
    """What a worker can do, and who is told.

    Attributes:
        duties: what it can do.
        told: of every try that ended.
        failed: of what a worker itself met: its database was away.
        chance: a number from 0 to 1 that nobody foresees.
    """

    duties: Duties
    told: Callable[[Ended], None] = nobody
    failed: Callable[[Exception], None] = field(default=lambda _: None)
    chance: Callable[[], float] = field(default=lambda: 0.5)


class Worker:
    """Does jobs until it is cancelled. One task owns it."""

    def __init__(self, url: str, pool: Pool, crew: Crew, pace: Pace | None = None) -> None:
        """Do the jobs of a database.

        Args:
            url: the database, past any pooler: the worker listens.
            pool: connections for results, slots and sweeps.
            crew: what it can do.
            pace: how it goes about it.
        """
        self._url = url
        self._pool = pool
        self._crew = crew
        self._pace = pace or Pace()
        self.is_up = False

    async def run(self) -> None:
        """Do jobs until cancelled; then those that are being done may end first."""
        _keep_quiet()
        while True:  # until cancelled: whoever does jobs comes back
            try:
                await self._run()
            except* (exceptions.ProcrastinateException, ComptoirError, Error, OSError) as group:
                self._crew.failed(group)
            finally:
                self.is_up = False
            await asyncio.sleep(_COMES_BACK)

    async def work_off(self, queue: str, most: int) -> int:
        """Do at most so many jobs of a queue, one after the other; returns how many succeeded.

        Raises:
            Unavailable: the database is down.
        """
        _keep_quiet()
        places = [each.place for each in self._crew.duties.handlers.values() if _is_of(each, queue)]
        if not places:
            return 0
        async with self._opened() as app, asyncio.TaskGroup() as tasks:
            theirs = app.job_manager
            number = await theirs.register_worker()
            beating = tasks.create_task(self._beat(app, number))
            done = 0
            for _ in range(most):
                job = await theirs.fetch_job(queues=places, worker_id=number)
                if job is None:
                    break
                done += await self._do_one(app, job)
            beating.cancel()
            await theirs.unregister_worker(number)
            return done

    async def _run(self) -> None:
        pace = self._pace
        async with self._opened() as app, asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(self._repeat(pace.sweep, self._sweep)),
                tasks.create_task(self._repeat(pace.tick, self._enqueue_due)),
                tasks.create_task(self._repeat(pace.clean, self._clean)),
            ]
            self.is_up = True
            try:
                await app.run_worker_async(
                    queues=[handler.place for handler in self._crew.duties.handlers.values()],
                    concurrency=pace.concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=pace.poll,
                    update_heartbeat_interval=pace.heartbeat,
                    stalled_worker_timeout=pace.stalled,
                    shutdown_graceful_timeout=pace.grace,
                )
            finally:
                for task in beside:
                    task.cancel()

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[procrastinate.App]:
        connector = Connector(self._url)
        app = procrastinate.App(connector=connector)
        vars(app).update(job_manager=Fetching(connector))  # the word is theirs
        for handler in self._crew.duties.handlers.values():
            self._register(app, handler)
        async with app.open_async():
            yield app

    def _register(self, app: procrastinate.App, handler: Handler) -> None:
        async def handle(context: procrastinate.JobContext, **said: Any) -> None:  # noqa: ANN401  # JSON
            job = _job(context.job, said)
            try:
                await self._handle(handler, job)
            except asyncio.CancelledError:
                if context.abort_reason() is not AbortReason.USER_REQUEST:
                    raise
                await self._keep(job, None, CANCELLED)
                raise exceptions.JobAborted from None

        retry = _Retry(handler, self._crew.chance)
        app.task(name=handler.type, queue=handler.place, pass_context=True, retry=retry)(handle)

    async def _handle(self, handler: Handler, job: Job) -> None:
        try:
            result = await _bounded(handler, job)
            await self._keep(job, result, None)
        except Exception as error:
            is_dead = _is_last(handler, job, error)
            name = type(error).__name__
            self._crew.told(Ended(job.id, job.type, job.attempt, name, is_dead))
            await fetch(self._pool, sql.NOTE_TRY_SOON, (job.book, job.id, _why(error)))
            raise
        self._crew.told(Ended(job.id, job.type, job.attempt))

    async def _keep(self, job: Job, result: Result, error: str | None) -> None:
        kept = None if result is None else spelled("result", result)
        await fetch(self._pool, sql.KEEP_RESULT_SOON, (job.book, job.id, kept, error))

    async def _do_one(self, app: procrastinate.App, job: jobs.Job) -> bool:
        """Do one job outside of a running worker, as one of those would; whether it succeeded."""
        handler = self._crew.duties.handlers[job.task_name]
        theirs = app.job_manager
        try:
            await self._handle(handler, _job(job, job.task_kwargs))
        except Exception as error:  # noqa: BLE001  # whoever asked is told how many were done
            decision = _Retry(handler, self._crew.chance).get_retry_decision(
                exception=error, job=job
            )
            if decision is None:
                await theirs.finish_job(job=job, status=jobs.Status.FAILED, delete_job=False)
            else:
                await theirs.retry_job(job=job, retry_at=decision.retry_at)
            return False
        await theirs.finish_job(job=job, status=jobs.Status.SUCCEEDED, delete_job=False)
        return True

    async def _beat(self, app: procrastinate.App, number: int) -> None:
        while True:  # until cancelled, when all is done
            await asyncio.sleep(self._pace.heartbeat)
            await app.job_manager.update_heartbeat(number)

    async def _repeat(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:  # until the worker stops and cancels it
            try:
                await work()
            except (ComptoirError, Error) as error:
                self._crew.failed(error)
            await asyncio.sleep(seconds)

    async def _sweep(self) -> None:
        """Take over the jobs of workers that have gone."""
        handlers = self._crew.duties.handlers.values()
        places = [handler.place for handler in handlers]
        caps = [handler.attempts for handler in handlers]
        async with begin(self._pool) as tx:
            await tx.execute(sql.SWEEP, (places, caps, self._pace.stalled))
            await tx.execute(sql_leases.FREE, (ATTEMPTS,))
            await tx.execute(sql.PRUNE_WORKERS, (10 * self._pace.stalled,))

    async def _enqueue_due(self) -> None:
        for periodic in self._crew.duties.periodic:
            await schedule.enqueue_due(self._pool, periodic)

    async def _clean(self) -> None:
        limits = {"done": _DONE_DAYS, "dead": _DEAD_DAYS}
        async with begin(self._pool) as tx:
            await tx.execute(sql.CLEAN.encode(), limits)


class _Retry(procrastinate.BaseRetryStrategy):
    """When a job is tried again."""

    def __init__(self, handler: Handler, chance: Callable[[], float]) -> None:
        self._handler = handler
        self._chance = chance

    def get_retry_decision(
        self, *, exception: BaseException, job: jobs.Job
    ) -> procrastinate.RetryDecision | None:
        """None when that was the last try."""
        if isinstance(exception, asyncio.CancelledError):
            return procrastinate.RetryDecision()  # its worker is to stop: another one goes on
        failed = job.attempts + 1
        if isinstance(exception, GiveUp) or failed >= self._handler.attempts:
            return None
        pause = self._handler.pause(failed, self._chance())
        return procrastinate.RetryDecision(retry_in={"seconds": round(pause)})


async def _bounded(handler: Handler, job: Job) -> Result:
    """What a handler gives, if it does so in time. One that will not be ended is left alone.

    Raises:
        TimeoutError: its time was up.
        Exception: what the handler has raised.
    """

    async def handle() -> Result:
        return await handler.handle(job)

    # Of no group, which would wait for it for as long as it likes.
    task = asyncio.get_running_loop().create_task(handle())
    try:
        await asyncio.wait({task}, timeout=handler.timeout)
        if task.done() and not task.cancelled():
            return task.result()
    finally:
        await _ended(task)
    raise TimeoutError


async def _ended(task: asyncio.Task[Result]) -> None:
    """Let a handler end, but not for ever; what becomes of it then is nobody's."""
    if task.done():
        return
    task.cancel()
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    await asyncio.wait({task}, timeout=_ENDS_WITHIN)


def _job(job: jobs.Job, said: Mapping[str, Any]) -> Job:
    return Job(UUID(said["job"]), said["book"], job.task_name, said["payload"], job.attempts + 1)


def _is_of(handler: Handler, queue: str) -> bool:
    return place_of(handler.type).startswith(f"{queue}/")


def _is_last(handler: Handler, job: Job, error: Exception) -> bool:
    return isinstance(error, GiveUp) or job.attempt >= handler.attempts


def _why(error: Exception) -> str:
    """The kind of an error, or its code where it is one of ours: texts may name people."""
    cause = error.__cause__ if isinstance(error, GiveUp) else None
    if isinstance(cause, ComptoirError):
        return cause.code
    return error.code if isinstance(error, ComptoirError) else type(error).__name__


def _keep_quiet() -> None:
    """The queue's own logs have the arguments of jobs in them, and so what is personal."""
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL + 1)
