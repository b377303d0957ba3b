"""The cache as applications use it: one works a value out, the others wait for him."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from comptoir.guards.cache.model import (
    Found,
    Place,
    Store,
    check_ttl,
    decode,
    encode,
    pack,
)
from comptoir.kit.errors import ComptoirError, Invalid
from comptoir.kit.limits import SECOND

_log: Final = logging.getLogger("comptoir")
_FILLING: Final = 5.0
"""Seconds for which one process fills a place before another may."""

_WAIT: Final = 2.0
_POLL: Final = 0.05
_SPREAD: Final = 0.1
_PATTERN_LENGTH: Final = 255

Work = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long a value is kept, in seconds.

    Attributes:
        ttl: it is fresh.
        stale: and may be shown still, while somebody works out a new one.
    """

    ttl: float
    stale: float = 0.0


class Cache:
    """The cache of a book. Shared by all tasks of one event loop, as an async context."""

    def __init__(self, store: Store, clock: Callable[[], int], chance: Callable[[], float]) -> None:
        """Keep values in a store.

        Args:
            store: where.
            clock: microseconds since 1970.
            chance: a number from 0 to 1: what was kept together does not end together.
        """
        self._store = store
        self._clock = clock
        self._chance = chance
        self._filling: dict[Place, asyncio.Task[Any]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        filling = list(self._filling.values())
        for task in filling:
            task.cancel()
        if filling:
            await asyncio.wait(filling)

    async def get(self, place: Place) -> tuple[Any] | None:
        """The value at a place, in a tuple of its own as it may be null; else None."""
        return self._fresh(await self._store.look(place))

    async def look(self, place: Place) -> tuple[tuple[Any] | None, bytes]:
        """As `get`, with the generation under which to keep a value that is worked out now."""
        found = await self._store.look(place)
        generation = found.generation or await self._store.begin(place)
        return self._fresh(found), generation

    async def set(
        self, place: Place, value: object, ttl: float, generation: bytes | None = None
    ) -> None:
        """Keep a value.

        Args:
            place: where.
            value: it, as JSON.
            ttl: seconds for which it is kept.
            generation: as it was before the value was worked out; else as it is now.

        Raises:
            Invalid: it cannot be kept, or not for so long.
        """
        check_ttl(ttl)
        payload = encode(value)
        under = generation or await self._store.begin(place)
        await self._keep(place, under, payload, Terms(ttl))

    async def work_out(self, place: Place, work: Work, terms: Terms) -> Any:  # noqa: ANN401  # JSON
        """The value at a place; if there is none, what `work` gives, which is kept.

        Of several callers one works it out, of several processes too while Redis is up. What he
        gives is not kept when the group was invalidated meanwhile.

        Raises:
            Invalid: what `work` gives cannot be kept.
            Exception: what `work` has raised.
        """
        check_ttl(terms.ttl, terms.stale)
        found = await self._store.look(place)
        if found.payload is not None:
            if found.fresh_until > self._clock():
                return decode(found.payload)
            if terms.stale:
                self._fill(place, work, terms).add_done_callback(_told)
                return decode(found.payload)
        # Whoever is cancelled takes nothing from those who wait for the same.
        return await asyncio.shield(self._fill(place, work, terms))

    async def invalidate(self, group: str) -> None:
        """Forget all values of a group, in one step."""
        await self._store.forget(group)

    async def sweep(self, pattern: str) -> int:
        """Forget all values whose keys are like a glob, for operators: it looks at every key.

        Raises:
            Invalid: it is too long.
            Unavailable: Redis is down.
        """
        if not 0 < len(pattern) <= _PATTERN_LENGTH:
            raise Invalid("field-invalid", field="pattern")
        return await self._store.sweep(pattern)

    def _fresh(self, found: Found) -> tuple[Any] | None:
        if found.payload is None or found.fresh_until <= self._clock():
            return None
        return (decode(found.payload),)

    def _fill(self, place: Place, work: Work, terms: Terms) -> "asyncio.Task[Any]":
        task = self._filling.get(place)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._filled(place, work, terms))
            self._filling[place] = task
            task.add_done_callback(lambda done: self._end(place, done))
        return task

    def _end(self, place: Place, task: "asyncio.Task[Any]") -> None:
        self._filling.pop(place, None)
        if not task.cancelled():
            task.exception()  # whoever waited may have gone away

    async def _filled(self, place: Place, work: Work, terms: Terms) -> Any:  # noqa: ANN401  # JSON
        generation = await self._store.begin(place)
        is_mine = await self._wait_for_turn(place)
        try:
            found = await self.get(place)  # whoever had the turn before may have filled it
            if found is not None:
                return found[0]
            payload = encode(await work())
            await self._keep(place, generation, payload, terms)
            return decode(payload)
        finally:
            if is_mine:
                await self._store.filled(place)

    async def _wait_for_turn(self, place: Place) -> bool:
        """Wait while another process fills a place, but not for ever; whether it is our turn."""
        for _ in range(int(_WAIT / _POLL)):
            if await self._store.may_fill(place, _FILLING):
                return True
            await asyncio.sleep(_POLL)
            if await self.get(place) is not None:
                return False
        return False

    async def _keep(self, place: Place, generation: bytes, payload: bytes, terms: Terms) -> None:
        ttl = terms.ttl * (1 - _SPREAD * self._chance())
        fresh_until = self._clock() + int(ttl * SECOND)
        await self._store.keep(place, pack(generation, payload, fresh_until), ttl + terms.stale)


def _told(task: "asyncio.Task[Any]") -> None:
    """What goes wrong behind a stale value is nobody's answer."""
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        name = error.code if isinstance(error, ComptoirError) else type(error).__name__
        _log.warning("a value was not worked out anew: %s", name)
