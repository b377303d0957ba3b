"""A worker in the caller's own process. Only whoever has one loads the queue's own code."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from comptoir.app import App
from comptoir.jobs.worker import Crew, Ended, Pace, Worker
from comptoir.library.jobs import Bound

_CHANCES = 2**32


@asynccontextmanager
async def at_work(
    app: App,
    bound: Bound,
    pace: Pace,
    told: Callable[[Ended], None],
    failed: Callable[[Exception], None],
) -> AsyncGenerator[Worker]:
    """A worker while the block runs; leaving it lets what is being done end."""
    handlers, periodic = bound

    def chance() -> float:
        return int.from_bytes(app.randomness(4)) / _CHANCES

    crew = Crew(handlers, periodic, told, failed, chance)
    worker = Worker(app.worker_url, app.pool, crew, pace)
    tasks = asyncio.TaskGroup()
    await tasks.__aenter__()
    task = tasks.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        # The block's own errors are not to become a group.
        await tasks.__aexit__(None, None, None)
