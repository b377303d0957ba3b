"""A cache in this process: for one process alone, or where each may remember for itself."""

from collections import OrderedDict
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Final

from comptoir.guards.cache.model import GENERATION_BYTES, Found, Place, unpack
from comptoir.kit.limits import SECOND

VALUES: Final = 10_000
BYTES: Final = 64 * 1024 * 1024

Kept = tuple[bytes, int]
"""What was kept, and until when, in microseconds."""


class MemoryCache:
    """The least recently used goes first. As `model.Store`; it is never down."""

    def __init__(
        self,
        clock: Callable[[], int],
        randomness: Callable[[int], bytes],
        values: int = VALUES,
        most: int = BYTES,
    ) -> None:
        """Keep so much.

        Args:
            clock: microseconds.
            randomness: so many bytes that nobody has had before.
            values: how many values.
            most: bytes of all values together.
        """
        self._clock = clock
        self._randomness = randomness
        self._values = values
        self._most = most
        self._bytes = 0
        self._kept: OrderedDict[Place, Kept] = OrderedDict()
        self._generations: OrderedDict[str, bytes] = OrderedDict()
        self.evicted = 0

    async def look(self, place: Place) -> Found:
        """What is there."""
        generation = self._generations.get(place.group)
        kept = self._kept.get(place)
        if kept is None:
            return Found(generation)
        if kept[1] <= self._clock():
            self._drop(place)
            return Found(generation)
        self._kept.move_to_end(place)
        return unpack(generation, kept[0])

    async def begin(self, place: Place) -> bytes:
        """The generation of a group, made if there is none."""
        found = self._generations.get(place.group)
        if found is None:
            found = self._generations[place.group] = self._randomness(GENERATION_BYTES)
            while len(self._generations) > self._values:
                self._generations.popitem(last=False)
        self._generations.move_to_end(place.group)
        return found

    async def keep(self, place: Place, kept: bytes, seconds: float) -> None:
        """Keep it, for so long."""
        self._drop(place)
        self._kept[place] = (kept, self._clock() + int(seconds * SECOND))
        self._bytes += len(kept)
        while self._bytes > self._most or len(self._kept) > self._values:
            self._drop(next(iter(self._kept)))
            self.evicted += 1

    async def forget(self, group: str) -> None:
        """Make everything of a group unreadable."""
        self._generations.pop(group, None)

    async def may_fill(self, place: Place, seconds: float) -> bool:
        """Whether this caller is to fill a place: it is alone."""
        del place, seconds
        return True

    async def filled(self, place: Place) -> None:
        """Let another caller fill a place: there is none."""
        del place

    async def sweep(self, pattern: str) -> int:
        """Forget what has keys like a glob."""
        found = [place for place in self._kept if fnmatchcase(place.key, pattern)]
        for place in found:
            self._drop(place)
        return len(found)

    def _drop(self, place: Place) -> None:
        kept = self._kept.pop(place, None)
        if kept is not None:
            self._bytes -= len(kept[0])
