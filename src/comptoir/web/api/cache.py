"""The cache, for applications in other languages: in Redis.

Without one, processes would remember each for itself, and what one was told to forget another would
still find. So nothing is kept then, which a program that uses a cache can live with.
"""

from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from comptoir.guards.cache.door import Cache
from comptoir.guards.cache.model import GENERATION_BYTES, TTL_MOST, Place
from comptoir.guards.redis.link import Mode
from comptoir.web import shapes_guards as shapes
from comptoir.web import wire
from comptoir.web.call import Call
from comptoir.web.replies import PRIVATE, Reply, ok
from comptoir.web.routing import OPERATORS, SERVERS, Operation

_PATTERN: Final = 255
_DIGITS: Final = 2 * GENERATION_BYTES

Group = Annotated[
    wire.Key, Field(examples=["user:ada"], description="What it is forgotten with; itself if none.")
]
Generation = Annotated[
    str,
    StringConstraints(pattern=f"^[0-9a-f]{{{_DIGITS}}}$"),
    Field(
        examples=["0a1b2c3d4e5f6071"],
        description="As the look-up said it: then nothing is found that was worked out from what is"
        " no longer true.",
    ),
]


class CacheQuery(wire.Wire):
    """Which value."""

    key: wire.Key
    group: Group | None = None


class CacheKeepBody(wire.Wire):
    """What to keep."""

    key: wire.Key
    value: Annotated[Any, Field(examples=[{"name": "Ada"}])]
    ttl_seconds: Annotated[int, Field(ge=1, le=int(TTL_MOST), examples=[60])]
    group: Group | None = None
    generation: Generation | None = None


class CacheInvalidateBody(wire.Wire):
    """What to forget: a group, or a key that has none."""

    group: Group


class CacheSweepBody(wire.Wire):
    """What to forget by its name."""

    pattern: Annotated[
        str,
        StringConstraints(min_length=1, max_length=_PATTERN),
        Field(examples=["profile:*"], description="A glob; every key there is is looked at."),
    ]


async def look(call: Call, query: CacheQuery) -> Reply:
    """GET /api/cache."""
    cache = await _shared(call)
    if cache is None:
        return ok({"found": False, "value": None, "generation": None}, PRIVATE)
    found, generation = await cache.look(Place.of(query.key, query.group))
    content = {
        "found": found is not None,
        "value": None if found is None else found[0],
        "generation": generation.hex(),
    }
    return ok(content, PRIVATE)


async def keep(call: Call, body: CacheKeepBody) -> Reply:
    """PUT /api/cache."""
    cache = await _shared(call)
    if cache is None:
        return ok({"key": body.key, "kept": False})
    under = None if body.generation is None else bytes.fromhex(body.generation)
    await cache.set(Place.of(body.key, body.group), body.value, body.ttl_seconds, under)
    return ok({"key": body.key, "kept": call.app.redis_mode is Mode.UP})


async def invalidate(call: Call, body: CacheInvalidateBody) -> Reply:
    """POST /api/cache/invalidate."""
    cache = await _shared(call)
    if cache is not None:
        await cache.invalidate(body.group)
    return ok({"group": body.group})


async def sweep(call: Call, body: CacheSweepBody) -> Reply:
    """POST /api/cache/sweep."""
    cache = await _shared(call)
    return ok({"swept": 0 if cache is None else await cache.sweep(body.pattern)})


async def _shared(call: Call) -> Cache | None:
    """The cache that all processes have."""
    if call.app.redis_mode is Mode.UNSET:
        return None
    return (await call.app.guards(call.actor.book)).cache


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/cache",
        handler=look,
        summary=("Look a value up", "Chercher une valeur gardée"),
        tag="guards",
        roles=SERVERS,
        query=CacheQuery,
        answer=shapes.CachedShape,
    ),
    Operation(
        method="PUT",
        path="/api/cache",
        handler=keep,
        summary=("Keep a value", "Garder une valeur"),
        tag="guards",
        roles=SERVERS,
        body=CacheKeepBody,
        answer=shapes.KeptShape,
        ask={"key": "profile:ada", "value": {"name": "Ada"}, "ttl_seconds": 60},
    ),
    Operation(
        method="POST",
        path="/api/cache/invalidate",
        handler=invalidate,
        summary=("Forget a group of values", "Oublier un groupe de valeurs"),
        tag="guards",
        roles=SERVERS,
        body=CacheInvalidateBody,
        answer=shapes.InvalidatedShape,
        ask={"group": "user:ada"},
    ),
    Operation(
        method="POST",
        path="/api/cache/sweep",
        handler=sweep,
        summary=("Forget values by a pattern", "Oublier des valeurs par motif"),
        tag="guards",
        roles=OPERATORS,
        body=CacheSweepBody,
        answer=shapes.SweptShape,
        codes=("redis-down",),
        ask={"pattern": "profile:*"},
    ),
)
