"""The shelf: what is for sale, remembered for a moment, for the day on which everybody wants it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from comptoir.domains.stock import queries
from comptoir.domains.stock.model import InsufficientStock, Item, Line, gathered
from comptoir.domains.stock.queries import ForSale, Place
from comptoir.kit.clock import Clock
from comptoir.kit.errors import Invalid
from comptoir.kit.gathering import Gathering
from comptoir.kit.limits import SECOND
from comptoir.store.pool import Pool, begin

FRESH: Final = 1 * SECOND
"""How long a price may be remembered; a change in another process is seen after that."""

_KEPT: Final = 10_000

_TOGETHER: Final = 200
"""Carts that are looked up by one statement: when a price has been remembered for long enough,
everybody asks at once."""


@dataclass(frozen=True, slots=True)
class Cart:
    """What somebody wants, with today's prices, all in one currency."""

    lines: Sequence[Line]
    currency: str


class Shelf:
    """Looks up what is for sale. Shared by all tasks of one event loop.

    Use it as an async context manager: leaving it waits for what is being looked up.
    """

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._known: dict[Place, tuple[int, ForSale]] = {}
        self._changes = 0
        self._finding = Gathering(self._find, _TOGETHER)

    async def __aenter__(self) -> Self:
        await self._finding.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._finding.__aexit__()

    async def cart(self, book: int, items: Sequence[Item]) -> Cart:
        """What items are today: each size once, in the order in which it was named first.

        Raises:
            InsufficientStock: one of them is not sold: nothing of it is available.
            Invalid: they are sold in several currencies, or are too many of one.
            Unavailable: the database cannot be reached.
        """
        wanted = gathered(items)
        found = await self._look_up(book, wanted)
        lines: list[Line] = []
        currencies: set[str] = set()
        for no, (item, size) in enumerate(zip(wanted, found, strict=True), 1):
            if size is None:
                raise InsufficientStock(item, 0)
            currencies.add(size.currency)
            lines.append(
                Line(
                    no, item.product, item.size, size.account, item.quantity, size.amount,
                    size.on_refund,
                )
            )  # fmt: skip
        if len(currencies) != 1:
            raise Invalid("currencies-differ", field="items")
        return Cart(lines, currencies.pop())

    def forget(self) -> None:
        """Ask the database again about everything: something was changed here."""
        self._changes += 1
        self._known.clear()

    async def _look_up(self, book: int, items: Sequence[Item]) -> list[ForSale | None]:
        now = self._clock()
        places = [(book, each.product, each.size) for each in items]
        known = [self._known.get(place) for place in places]
        if all(each is not None and now < each[0] for each in known):
            return [each[1] for each in known if each is not None]
        return await self._finding.ask(places)

    async def _find(self, carts: Sequence[list[Place]]) -> list[list[ForSale | None]]:
        """Look up several carts in one go."""
        changes, now = self._changes, self._clock()
        places = list({place for cart in carts for place in cart})
        async with begin(self._pool) as tx:
            found = dict(zip(places, await queries.for_sale(tx, places), strict=True))
        if changes == self._changes:
            self._remember(found, now + FRESH)
        return [[found[place] for place in cart] for cart in carts]

    def _remember(self, found: Mapping[Place, ForSale | None], until: int) -> None:
        if len(self._known) > _KEPT:
            self._known.clear()
        for place, size in found.items():
            if size is None:
                self._known.pop(place, None)
            else:
                self._known[place] = (until, size)
