"""Jobs for tests: what they did is a row in the ledger or in a table of the test's own."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from comptoir.jobs import queue
from comptoir.jobs.duties import Duties
from comptoir.jobs.model import Handler, Job, Result, Seen, Status, Wanted
from comptoir.jobs.schedule import Periodic
from comptoir.jobs.worker import Crew, Ended, Pace, Worker
from comptoir.store.pool import Limits, Pool, open_pool
from tests.support.batches import until
from tests.support.postgres import Database

LIVE: Final = 1
QUICK: Final = Pace(heartbeat=0.2, stalled=1.0, sweep=0.2, tick=0.1, poll=0.1, grace=5.0)


@dataclass(slots=True)
class Bench:
    """A queue, and what became of its jobs."""

    database: Database
    pool: Pool
    ended: list[Ended] = field(default_factory=list[Ended])
    failed: list[Exception] = field(default_factory=list[Exception])
    done: list[Job] = field(default_factory=list[Job])

    async def enqueue(self, type_: str, book: int = LIVE, **said: Any) -> UUID:  # noqa: ANN401
        """Enqueue a job; `said` is more of `Wanted`."""
        return await queue.enqueue_now(self.pool, book, uuid4(), Wanted(type_, **said))

    async def look(self, id_: UUID) -> Seen:
        return await queue.look(self.pool, LIVE, id_)

    async def status(self, id_: UUID) -> Status:
        return (await self.look(id_)).status

    async def until(self, id_: UUID, status: Status) -> Seen:
        """Wait for a job to have a status."""

        async def has_it() -> bool:
            return await self.status(id_) is status

        await until(has_it)
        return await self.look(id_)

    async def ended_one(self, id_: UUID) -> Seen:
        """Wait for a job to be done or dead."""
        ends = {Status.SUCCEEDED, Status.DEAD, Status.CANCELLED}

        async def has_ended() -> bool:
            return await self.status(id_) in ends

        await until(has_ended)
        return await self.look(id_)

    async def note(self, job: Job) -> Result:
        """A handler that does nothing but remember."""
        self.done.append(job)
        return {"attempt": job.attempt}

    def crew(self, *handlers: Handler, periodic: Iterable[Periodic] = ()) -> Crew:
        duties = Duties.of(*handlers, periodic=tuple(periodic))
        return Crew(duties, self.ended.append, self.failed.append)

    @asynccontextmanager
    async def working(
        self, *handlers: Handler, pace: Pace = QUICK, periodic: Iterable[Periodic] = ()
    ) -> AsyncGenerator[Worker]:
        """A worker while the block runs."""
        crew = self.crew(*handlers, periodic=periodic)
        worker = Worker(self.database.app_url, self.pool, crew, pace)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(worker.run())
            await until(lambda: worker.is_up)
            yield worker
            task.cancel()


@asynccontextmanager
async def open_bench(database: Database) -> AsyncGenerator[Bench]:
    async with open_pool(database.app_url, Limits(pool=4, connect=10)) as pool:
        yield Bench(database, pool)
