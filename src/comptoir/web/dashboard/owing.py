"""What is owed to all customers: it reads every account, so whoever looks seldom waits for it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from comptoir.app import App
from comptoir.domains.credits import overview
from comptoir.domains.credits.overview import Owed
from comptoir.kit.errors import Unavailable
from comptoir.kit.limits import SECOND
from comptoir.store.pool import begin

PATIENCE: Final = 0.25
"""Seconds that a page waits for it, when there is nothing newer than `OLD`."""

OLD: Final = 60 * SECOND
LOOKED_AT: Final = 60 * SECOND
"""How long after somebody has looked it is kept up to date."""

_SHARE: Final = 20
"""It may rest this many times as long as it took: so it takes a twentieth of a connection."""

_AT_ONCE: Final = 0.02
"""Seconds: what is read in that time a page reads itself."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was owed at a time in microseconds, by asset, and the seconds that it took to read."""

    at: int
    owed: Sequence[Owed]
    took: float

    def is_due(self, now: int) -> bool:
        """Whether it may be read again."""
        return now - self.at >= max(1.0, self.took * _SHARE) * SECOND


class Owing:
    """Remembers what is owed in each book. Used by the tasks of one event loop."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Known] = {}
        self._looked: dict[tuple[str, int], int] = {}

    def forget(self) -> None:
        """Read it anew when somebody asks."""
        self._known.clear()

    async def of(self, app: App, book: int) -> Known | None:
        """What is owed, at most a minute ago if that can be said soon; None when it cannot."""
        now, place = app.clock(), (app.urls.app, book)
        self._looked[place] = now
        known = self._known.get(place)
        is_old = known is None or now - known.at >= OLD
        if is_old or (known is not None and known.took <= _AT_ONCE and known.is_due(now)):
            try:
                async with asyncio.timeout(PATIENCE):
                    return await self._read(app, book)
            except (TimeoutError, Unavailable):
                return known
        return known

    async def keep_up(self, app: App) -> None:
        """Read it again for the books that somebody looks at.

        Raises:
            Unavailable: the database cannot be reached.
        """
        now = app.clock()
        for place, looked in list(self._looked.items()):
            if place[0] != app.urls.app:
                continue
            known = self._known.get(place)
            if now - looked > LOOKED_AT:
                del self._looked[place]
            elif known is None or known.is_due(now):
                await self._read(app, place[1])

    async def _read(self, app: App, book: int) -> Known:
        time = asyncio.get_running_loop().time
        begun, now = time(), app.clock()
        async with begin(app.pool) as tx:
            found = await overview.owed(tx, book)
        known = self._known[app.urls.app, book] = Known(now, found, time() - begun)
        return known


OWING: Final = Owing()
