"""A cache in a Redis, for all processes. While it is down nothing is found and nothing is kept.

What is to be forgotten meanwhile is remembered, and forgotten before anything is read again: else
what was kept before would be found as if it were true.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Self

from comptoir.guards.cache.model import GENERATION_BYTES, Found, Place, unpack
from comptoir.guards.redis.link import Link, RedisDown, Script
from comptoir.kit.gathering import Gathering

_TOGETHER: Final = 200
_OWED: Final = 10_000
_GENERATION_MS: Final = 8 * 86_400_000
"""Longer than anything is kept: what is of no generation is not found."""

_SCANNED: Final = 500
_BEGIN: Final = Script.of("""
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
return redis.call('GET', KEYS[1])
""")


class RedisCache:
    """As `model.Store`, through one Redis. Use it as an async context manager."""

    def __init__(self, link: Link, book: int, randomness: Callable[[int], bytes]) -> None:
        """Keep values of a book.

        Args:
            link: to the Redis.
            book: whose values.
            randomness: so many bytes that nobody has had before.
        """
        self._link = link
        self._book = book
        self._randomness = randomness
        self._looking = Gathering(self._look, _TOGETHER)
        self._owed: set[str] = set()
        self._owes_all = False

    async def __aenter__(self) -> Self:
        await self._looking.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._looking.__aexit__()

    async def look(self, place: Place) -> Found:
        """What is there; nothing while it is down."""
        try:
            return await self._looking.ask(place)
        except RedisDown:
            return Found(None)

    async def begin(self, place: Place) -> bytes:
        """The generation of a group; one that nobody will find while it is down."""
        made = self._randomness(GENERATION_BYTES)
        try:
            await self._settle()
            return await self._link.run(_BEGIN, [self._generation(place)], [made, _GENERATION_MS])
        except RedisDown:
            return made

    async def keep(self, place: Place, kept: bytes, seconds: float) -> None:
        """Keep it, unless it is down."""
        try:
            await self._link.say("SET", self._value(place), kept, "PX", int(seconds * 1_000))
        except RedisDown:
            return

    async def forget(self, group: str) -> None:
        """Make everything of a group unreadable; as soon as it is back, when it is down."""
        try:
            await self._link.say("UNLINK", self._generation(Place(group, "")))
        except RedisDown:
            self._owes_all = self._owes_all or len(self._owed) >= _OWED
            if not self._owes_all:
                self._owed.add(group)

    async def may_fill(self, place: Place, seconds: float) -> bool:
        """Whether this caller is to fill a place; of several processes one is, for so long."""
        taken = ("NX", "PX", int(seconds * 1_000))
        try:
            done = await self._link.say("SET", self._filler(place), "1", *taken)
        except RedisDown:
            return True
        return done is not None

    async def filled(self, place: Place) -> None:
        """Let another caller fill a place."""
        try:
            await self._link.say("UNLINK", self._filler(place))
        except RedisDown:
            return

    async def sweep(self, pattern: str) -> int:
        """Forget what has keys like a glob, in one pass that never holds the server up.

        Raises:
            RedisDown: it is down, or went down meanwhile.
        """
        match = f"comptoir:cache:{{{self._book}:*}}:{pattern}"
        gone = 0
        async for keys in self._link.scan(match, _SCANNED):
            gone += await self._unlink(keys)
        return gone

    async def _unlink(self, keys: Sequence[bytes]) -> int:
        async def unlink(some: Sequence[bytes]) -> list[int]:
            gone: int = await self._link.say("UNLINK", *some)
            return [gone, *[0] * (len(some) - 1)]

        return sum(await self._link.spread(keys, unlink))

    async def _look(self, places: Sequence[Place]) -> list[Found]:
        await self._settle()
        return await self._link.spread(places, self._fetch)

    async def _fetch(self, places: Sequence[Place]) -> list[Found]:
        keys = [key for each in places for key in (self._generation(each), self._value(each))]
        found: list[Any] = await self._link.say("MGET", *keys)
        return [unpack(found[n], found[n + 1]) for n in range(0, len(found), 2)]

    async def _settle(self) -> None:
        """Forget what could not be forgotten while it was down."""
        if self._owes_all:
            await self.sweep("*")
            self._owes_all = False
            self._owed.clear()
        while self._owed:  # bounded by what is owed
            group = next(iter(self._owed))
            await self._link.say("UNLINK", self._generation(Place(group, "")))
            self._owed.discard(group)

    def _filler(self, place: Place) -> str:
        return f"comptoir:filling:{{{self._book}:{place.group}}}:{place.key}"

    def _generation(self, place: Place) -> str:
        return f"comptoir:generation:{{{self._book}:{place.group}}}"

    def _value(self, place: Place) -> str:
        return f"comptoir:cache:{{{self._book}:{place.group}}}:{place.key}"
