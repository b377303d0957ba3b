"""What ours and the peers of the guards are asked, the same for both; nothing of ours is imported.

Callers ask again as soon as they are answered, for so many seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from time import perf_counter

LIMIT, WINDOW = 100, 10
SUBJECTS = 10_000
CALLERS = 64
TTL = 30
_SEED = 20_261

Call = Callable[[int], Awaitable[object]]


def subjects(count: int = 200_000) -> list[str]:
    """Whose call it is, drawn before the clock starts."""
    return [f"user:{n}" for n in Random(_SEED).choices(range(SUBJECTS), k=count)]


async def rate(call: Call, seconds: float, callers: int = CALLERS) -> float:
    """Calls a second."""
    numbers = iter(range(10_000_000))
    start = perf_counter()
    end = start + seconds
    done = 0

    async def caller() -> None:
        nonlocal done
        for number in numbers:
            if perf_counter() > end:
                return
            await call(number)
            done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(caller())
    return done / (perf_counter() - start)
