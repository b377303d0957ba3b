"""How the money that comes in is doing, for Prometheus: the database says, but not too often."""

import asyncio
from dataclasses import dataclass
from typing import Final

from comptoir.app import App
from comptoir.domains.payments import queries
from comptoir.kit.errors import Unavailable
from comptoir.kit.limits import SECOND
from comptoir.store import inbox
from comptoir.web.metrics import Money

FRESH: Final = 5 * SECOND
"""How long what was read is good enough: whoever asks more often asks nobody."""

PATIENCE: Final = 2.0
"""Seconds after which the other figures are shown without these: scrapers do not wait long."""


@dataclass(slots=True)
class Watch:
    """Remembers what was read last. Used by the tasks of one event loop."""

    _money: Money | None = None
    _until: int = 0

    async def money(self, app: App, now: int) -> Money | None:
        """How it is doing; None when the database does not say. `now` is in microseconds."""
        if now < self._until:
            return self._money
        self._until = now + FRESH
        try:
            async with asyncio.timeout(PATIENCE):
                events = await inbox.standing(app.pool)
                self._money = Money(events, await queries.open_cases(app.pool))
        except (Unavailable, TimeoutError):
            self._money = None
        return self._money
