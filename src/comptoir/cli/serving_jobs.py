"""The jobs that `comptoir serve` runs beside its server: in one process of several."""

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from comptoir import Comptoir
from comptoir.app import App
from comptoir.app.sandbox import is_sandbox
from comptoir.cli.loading import load_jobs
from comptoir.config import inherited, share_with_children
from comptoir.flows import stocking
from comptoir.flows.inbox_work import Handled
from comptoir.guards.redis.link import Mode
from comptoir.kit.books import BOOKS, LIVE
from comptoir.kit.errors import ComptoirError
from comptoir.web.logs import Log
from comptoir.web.metrics import Metrics

GRACE: Final = 10.0
"""Seconds for which jobs may go on when the server is to stop."""

_JOBS: Final = "COMPTOIR_SERVE_JOBS"
_OFF: Final = "COMPTOIR_SERVE_NO_WORKER"
_SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
_LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Beside:
    """What a server does beside serving.

    Attributes:
        jobs: where the application's own are, as MODULE:NAME; none by default.
        works: it does jobs; else it only knows how, for whoever asks it to over HTTP.
    """

    jobs: str = ""
    works: bool = True

    def share(self) -> None:
        """Let the processes that this one starts find it."""
        share_with_children(_JOBS, self.jobs)
        share_with_children(_OFF, "" if self.works else "yes")

    @classmethod
    def shared(cls) -> "Beside":
        """What the process that started this one has shared."""
        return cls(inherited(_JOBS), not inherited(_OFF))

    @asynccontextmanager
    async def __call__(self, app: App, log: Log, metrics: Metrics) -> AsyncGenerator[None]:
        """Do jobs while the block runs; leaving it lets what is being done end."""
        async with Comptoir.on(app, LIVE) as books, asyncio.TaskGroup() as tasks:
            if self.jobs:
                app.duties = app.duties.plus(load_jobs(self.jobs).bound(books, LIVE))
            _tell_of_redis(app, log)
            app.told.of_letter = lambda path: log.event("letter-written", file=str(path))
            _tell_of_events(app, log)
            working = tasks.create_task(_work(app, log, metrics)) if self.works else None
            try:
                yield
            finally:
                if working is not None:
                    working.cancel()


def _tell_of_redis(app: App, log: Log) -> None:
    def told(mode: Mode, why: str) -> None:
        log.event("redis", mode=mode.value, error=why or None)

    told(app.redis_mode, "")
    app.told.of_redis = told


def _tell_of_events(app: App, log: Log) -> None:
    def told(handled: Handled, error: Exception | None) -> None:
        figures = {"type": handled.type, "id": handled.id, "state": handled.state.value}
        if error is not None:
            log.unexpected(error, {"work": "inbox", **figures})
        else:
            log.event("inbox", **figures, error=handled.error)

    app.told.of_event = told


async def _stock_the_sandbox(app: App, log: Log) -> None:
    """Prices of plans must be there before anybody can subscribe; a sandbox is given them."""
    if app.settings.stripe_secret_key is None or not is_sandbox(app.settings):
        return
    try:
        for book in BOOKS:
            await stocking.push(app.till, book)
    except ComptoirError as error:
        log.event("sandbox-not-stocked", error=error.code)


async def _work(app: App, log: Log, metrics: Metrics) -> None:
    # In a thread: the queue's own code takes longer to load than a request may wait.
    await asyncio.to_thread(import_module, "comptoir.library.working")
    from comptoir.jobs.worker import Ended, Pace  # noqa: PLC0415  # loaded just now
    from comptoir.library.working import at_work  # noqa: PLC0415  # loaded just now

    def told(ended: Ended) -> None:
        outcome = "done" if ended.error is None else "dead" if ended.is_dead else "failed"
        metrics.job(ended.type, outcome)
        log.event(
            "job", type=ended.type, id=str(ended.job), attempt=ended.attempt, outcome=outcome,
            error=ended.error,
        )  # fmt: skip

    def failed(error: Exception) -> None:
        log.event("worker-away", error=_kind(error))

    async with _elected():
        await _stock_the_sandbox(app, log)
        while True:  # until cancelled, or the books are elsewhere
            try:
                async with at_work(app, app.duties, Pace(grace=GRACE), told, failed):
                    await _moved(app)
            except Exception as error:  # noqa: BLE001  # a bug in there must not end the server
                log.unexpected(error, {"work": "jobs"})
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                return


async def _moved(app: App) -> None:
    while True:  # until somebody notices
        await asyncio.sleep(_LOOK_SECONDS)
        if app.moved:
            return


@asynccontextmanager
async def _elected() -> AsyncGenerator[None]:
    """Wait to be the one process of this server that does its jobs, and stay so."""
    shared = inherited(_SHARED)
    if not shared:
        yield
        return
    file = os.open(Path(shared) / "jobs.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:  # until whoever has it ends
            if _is_locked(file):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        yield
    finally:
        os.close(file)


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _kind(error: Exception) -> str:
    if isinstance(error, ExceptionGroup):
        group = cast("ExceptionGroup[Exception]", error)
        return _kind(group.exceptions[0])
    return error.code if isinstance(error, ComptoirError) else type(error).__name__
