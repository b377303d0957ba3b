"""All guards of a book, opened together: what an App has of them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from comptoir.guards.counters import Counters
from comptoir.guards.leases import Leases
from comptoir.guards.limits.stores import MemoryStore, PostgresStore, loop_clock
from comptoir.guards.once import Once
from comptoir.store.pool import Pool


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards of a book. Shared by all tasks of one event loop.

    Attributes:
        once: calls that are made once.
        leases: keys that one holder has.
        counters: what is counted.
        limits: rate limits of all processes; `local_limits` are those of this one.
        new_id: makes ids.
    """

    once: Once
    leases: Leases
    counters: Counters
    limits: PostgresStore
    local_limits: MemoryStore
    new_id: Callable[[], UUID]


@asynccontextmanager
async def open_guards(pool: Pool, book: int, new_id: Callable[[], UUID]) -> AsyncGenerator[Guards]:
    """The guards of a book; leaving the block writes what was counted and gives leases back."""
    async with AsyncExitStack() as stack:
        yield Guards(
            once=await stack.enter_async_context(Once(pool, book, new_id)),
            leases=await stack.enter_async_context(Leases(pool, book)),
            counters=await stack.enter_async_context(Counters(pool, book, new_id)),
            limits=await stack.enter_async_context(PostgresStore(pool, book)),
            local_limits=MemoryStore(loop_clock),
            new_id=new_id,
        )
