"""A worker in the caller's own process. Only whoever has one loads the queue's own code.

Beside jobs it works off the inbox and the outbox, which are queues of their own.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from comptoir.app import App
from comptoir.flows.inbox_work import Clerk
from comptoir.flows.telling import Teller
from comptoir.jobs.duties import Duties
from comptoir.jobs.worker import Crew, Ended, Pace, Worker


@asynccontextmanager
async def at_work(
    app: App,
    duties: Duties,
    pace: Pace,
    told: Callable[[Ended], None],
    failed: Callable[[Exception], None],
) -> AsyncGenerator[Worker]:
    """A worker while the block runs; leaving it lets what is being done end."""
    worker = Worker(app.worker_url, app.pool, Crew(duties, told, failed, app.chance), pace)
    tasks = asyncio.TaskGroup()
    await tasks.__aenter__()
    running = [tasks.create_task(worker.run()), tasks.create_task(_post(app))]
    try:
        yield worker
    finally:
        for task in running:
            task.cancel()
        # The block's own errors are not to become a group.
        await tasks.__aexit__(None, None, None)


async def _post(app: App) -> None:
    """Work off what comes in and what is to go out, until cancelled."""
    till = app.till
    clerk, teller = Clerk(till, app.told.event), Teller(till, app.secret)
    async with (
        till.inbox.listening(app.worker_url),
        till.outbox.listening(app.worker_url),
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(clerk.work())
        tasks.create_task(teller.work())
