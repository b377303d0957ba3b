"""What happens on the stage, act by act, and what the view shows of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from comptoir.app import Urls
from comptoir.app.demo import Act
from comptoir.app.sandbox import Place
from comptoir.cli.demo import paying, race
from comptoir.cli.demo.caller import Caller, Tally
from comptoir.cli.demo.receipt import Findings
from comptoir.cli.demo.seed import FIRST, YOU, Names
from comptoir.cli.throwaway import BOOK
from comptoir.kit.errors import Unavailable
from comptoir.store import verdict
from comptoir.store.pool import Limits, begin, open_pool
from comptoir.store.verify import verify

_LOOK_SECONDS: Final = 0.5
_VERIFY_EVERY: Final = 3
"""Every so many looks."""

_FIGURES: Final = """
SELECT coalesce(sum(a.held) FILTER (WHERE s.code = 'credits'), 0)::bigint,
    coalesce(sum(a.posted) FILTER (WHERE a.name LIKE %s), 0)::bigint
FROM comptoir.accounts a
JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
WHERE a.book_id = %s AND a.bounded"""

_KINDS: Final = """
SELECT DISTINCT m.kind FROM comptoir.movements m
JOIN comptoir.accounts a ON a.book_id = m.book_id AND a.id = m.account_id
JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
WHERE m.book_id = %s AND c.customer = %s"""


@dataclass(slots=True)
class Books:
    """What the database said last.

    Attributes:
        held: credits that open holds set aside, in millionths. units: units left in stock.
        balanced: what verify found last, None before its first run. movements: lines it counted.
        yours: kinds of movements of the newcomer.
    """

    held: int = 0
    units: int = 0
    balanced: bool | None = None
    movements: int = 0
    yours: frozenset[str] = frozenset()


@dataclass(slots=True)
class Scene:
    """Everything that the view shows. Changed by the tasks of one event loop.

    Attributes:
        place: where the sandbox is.
        login: signs a newcomer in to the pages, once.
        phase: the key of the text that says what is going on.
        names: of the race that is on, or was the last.
        event: the webhook of that race that is delivered again and again, once there is one.
    """

    address: str
    caller: Caller
    tally: Tally
    place: Place
    login: str = ""
    phase: str = "demo.phase.seed"
    names: Names = FIRST
    event: str = ""
    begun: float = field(default_factory=time.monotonic)
    books: Books = field(default_factory=Books)
    stampede: race.Stampede | None = None
    repeats: paying.Repeats | None = None
    findings: Findings | None = None

    def begin(self, names: Names) -> None:
        """A race begins, of which nothing is known yet."""
        self.names, self.event = names, ""
        self.stampede = self.repeats = self.findings = None

    def delivers(self, event: str) -> None:
        """Which webhook is delivered again and again."""
        self.event = event


@dataclass(frozen=True, slots=True)
class Scenario:
    """One attempt to break it: its name, the key of its text, and what it does."""

    name: Act
    phase: str
    play: Callable[[Scene], Awaitable[None]]


async def _stampede(scene: Scene) -> None:
    scene.stampede = await race.stampede(scene.caller, scene.place, scene.names)


async def _deliveries(scene: Scene) -> None:
    scene.repeats = await paying.deliveries(scene.caller, scene.place, scene.names, scene.delivers)


ACTS: Final = (
    Scenario("stampede", "demo.phase.stampede", _stampede),
    Scenario("deliveries", "demo.phase.deliveries", _deliveries),
)


async def watch(scene: Scene, urls: Urls) -> None:
    """Keep the books' figures of the scene up to date, until cancelled."""
    limits = Limits(pool=2)
    async with open_pool(urls.app, limits) as pool:
        looks = 0
        while looks >= 0:  # bounded by the demo, which cancels it
            try:
                async with begin(pool) as tx:
                    row = await (await tx.execute(_FIGURES, (scene.names.stock, BOOK))).fetchone()
                    kinds = await (await tx.execute(_KINDS, (BOOK, YOU))).fetchall()
                scene.books.yours = frozenset(kind for (kind,) in kinds)
                if row is not None:
                    scene.books.held, scene.books.units = row
                if looks % _VERIFY_EVERY == 0:
                    found = await verify(pool, BOOK, full=False)
                    await verdict.keep(pool, BOOK, found)
                    scene.books.balanced = found.balanced
                    scene.books.movements = found.movements
            except Unavailable:
                scene.books.balanced = None
            looks += 1
            await asyncio.sleep(_LOOK_SECONDS)


async def count_seconds(tally: Tally) -> None:
    """Take down the rate of every second, until cancelled."""
    while tally.requests >= 0:  # bounded by the demo, which cancels it
        await asyncio.sleep(1)
        tally.second()
