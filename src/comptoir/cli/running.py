"""How a command that goes on for a while runs: what goes on beside it, and how it is ended."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any


def cancel_on_signals() -> None:
    """Let SIGINT and SIGTERM cancel the task that runs, so that it can clear up."""
    task = asyncio.current_task()
    assert task is not None, "this is a task"
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)


@asynccontextmanager
async def beside(work: Sequence[Coroutine[Any, Any, None]]) -> AsyncGenerator[None]:
    """Tasks that run while the block does."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
