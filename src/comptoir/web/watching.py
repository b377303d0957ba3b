"""Figures that Prometheus asks the database for, but not too often."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from comptoir.app import App
from comptoir.domains.payments import queries
from comptoir.kit.errors import Unavailable
from comptoir.kit.limits import SECOND
from comptoir.store import inbox
from comptoir.web.metrics import Money

T = TypeVar("T")

FRESH: Final = 5 * SECOND
"""How long what was read is good enough: whoever asks more often asks nobody."""

PATIENCE: Final = 2.0
"""Seconds after which the other figures are shown without these: scrapers do not wait long."""


@dataclass(slots=True)
class Remembered(Generic[T]):
    """Remembers what was read last. Used by the tasks of one event loop.

    Attributes:
        ask: reads it.
    """

    ask: Callable[[App], Awaitable[T]]
    _last: T | None = None
    _until: int = 0

    async def read(self, app: App, now: int) -> T | None:
        """What there is, at most five seconds old; None when the database does not say.

        Args:
            app: whose database is asked.
            now: in microseconds.
        """
        if now < self._until:
            return self._last
        self._until = now + FRESH
        try:
            async with asyncio.timeout(PATIENCE):
                self._last = await self.ask(app)
        except (Unavailable, TimeoutError):
            self._last = None
        return self._last


async def coming_in(app: App) -> Money:
    """How the money that comes in is doing now.

    Raises:
        Unavailable: the database cannot be reached.
    """
    return Money(await inbox.standing(app.pool), await queries.open_cases(app.pool))
