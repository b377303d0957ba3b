"""What happens on the stage, act by act, and what the view shows of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from comptoir.app import Urls
from comptoir.app.sandbox import Place
from comptoir.cli.demo import paying, race
from comptoir.cli.demo.caller import Caller, Tally
from comptoir.cli.demo.receipt import Findings
from comptoir.cli.demo.seed import STOCK
from comptoir.cli.throwaway import BOOK
from comptoir.kit.errors import Unavailable
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


@dataclass(slots=True)
class Books:
    """What the database said last.

    Attributes:
        held: credits that open holds set aside, in millionths. units: units left in stock.
        balanced: what verify found last, None before its first run. movements: lines it counted.
    """

    held: int = 0
    units: int = 0
    balanced: bool | None = None
    movements: int = 0


@dataclass(slots=True)
class Scene:
    """Everything that the view shows. Changed by the tasks of one event loop.

    Attributes:
        place: where the sandbox is.
        phase: the key of the text that says what is going on.
    """

    address: str
    caller: Caller
    tally: Tally
    place: Place
    phase: str = "demo.phase.seed"
    begun: float = field(default_factory=time.monotonic)
    books: Books = field(default_factory=Books)
    stampede: race.Stampede | None = None
    repeats: paying.Repeats | None = None
    findings: Findings | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One attempt to break it: the key of its text, and what it does."""

    phase: str
    play: Callable[[Scene], Awaitable[None]]


async def _stampede(scene: Scene) -> None:
    scene.stampede = await race.stampede(scene.caller, scene.place)


async def _deliveries(scene: Scene) -> None:
    scene.repeats = await paying.deliveries(scene.caller, scene.place)


ACTS: Final = (
    Act("demo.phase.stampede", _stampede),
    Act("demo.phase.deliveries", _deliveries),
)


async def watch(scene: Scene, urls: Urls) -> None:
    """Keep the books' figures of the scene up to date, until cancelled."""
    limits = Limits(pool=2)
    async with open_pool(urls.app, limits) as pool:
        looks = 0
        while looks >= 0:  # bounded by the demo, which cancels it
            try:
                async with begin(pool) as tx:
                    row = await (await tx.execute(_FIGURES, (STOCK, BOOK))).fetchone()
                if row is not None:
                    scene.books.held, scene.books.units = row
                if looks % _VERIFY_EVERY == 0:
                    found = await verify(pool, None, full=False)
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
