"""Many calls at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable

from comptoir.cli.demo.caller import Reply


async def all_at_once(many: int, call: Callable[[int], Awaitable[Reply]]) -> list[Reply]:
    """So many calls, none of which sets out before all are ready."""
    gate = asyncio.Event()

    async def wait_and_call(number: int) -> Reply:
        await gate.wait()
        return await call(number)

    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(wait_and_call(number)) for number in range(many)]
        await asyncio.sleep(0)
        gate.set()
    return [task.result() for task in waiting]
