"""All guards of a book, opened together: what an App has of them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from comptoir.guards.cache.door import Cache
from comptoir.guards.cache.memory import MemoryCache
from comptoir.guards.cache.model import Store
from comptoir.guards.cache.on_redis import RedisCache
from comptoir.guards.counters import Counters
from comptoir.guards.leases import Leases
from comptoir.guards.limits.limiter import Limiter
from comptoir.guards.limits.on_redis import RedisStore
from comptoir.guards.limits.stores import LimitStore, MemoryStore, PostgresStore, loop_clock
from comptoir.guards.once import Once
from comptoir.guards.redis.link import Link
from comptoir.kit.clock import Clock
from comptoir.store.pool import Pool


@dataclass(frozen=True, slots=True)
class Tools:
    """What guards are made with.

    Attributes:
        link: to Redis, if one is configured.
        new_id: makes ids.
        randomness: so many bytes that nobody has had before.
        chance: a number from 0 to 1.
    """

    pool: Pool
    link: Link | None
    new_id: Callable[[], UUID]
    clock: Clock
    randomness: Callable[[int], bytes]
    chance: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards of a book. Shared by all tasks of one event loop.

    Attributes:
        once: calls that are made once.
        leases: keys that one holder has.
        counters: what is counted.
        limiter: rate limits.
        local: those of this process alone, which the limiter falls back on.
        cache: what need not be worked out again.
        new_id: makes ids.
    """

    once: Once
    leases: Leases
    counters: Counters
    limiter: Limiter
    local: MemoryStore
    cache: Cache
    new_id: Callable[[], UUID]


@asynccontextmanager
async def open_guards(book: int, tools: Tools) -> AsyncGenerator[Guards]:
    """The guards of a book; leaving the block writes what was counted and gives leases back."""
    pool, link = tools.pool, tools.link
    async with AsyncExitStack() as stack:
        redis: LimitStore | None = None
        kept: Store = MemoryCache(tools.clock, tools.randomness)
        if link is not None:
            redis = await stack.enter_async_context(RedisStore(link, book))
            kept = await stack.enter_async_context(RedisCache(link, book, tools.randomness))
        pg = await stack.enter_async_context(PostgresStore(pool, book))
        local = MemoryStore(loop_clock)
        yield Guards(
            once=await stack.enter_async_context(Once(pool, book, tools.new_id)),
            leases=await stack.enter_async_context(Leases(pool, book)),
            counters=await stack.enter_async_context(Counters(pool, book, tools.new_id)),
            limiter=Limiter(pg, local, redis),
            local=local,
            cache=await stack.enter_async_context(Cache(kept, tools.clock, tools.chance)),
            new_id=tools.new_id,
        )
