"""A worker in the caller's own process. Only whoever has one loads the queue's own code."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from comptoir.app import App
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
    task = tasks.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        # The block's own errors are not to become a group.
        await tasks.__aexit__(None, None, None)
