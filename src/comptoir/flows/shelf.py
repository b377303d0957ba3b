"""The shelf: what is for sale, remembered for a moment, for the day on which everybody wants it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from comptoir.domains.stock import queries
from comptoir.domains.stock.model import InsufficientStock, Item, Line, gathered
from comptoir.domains.stock.queries import ForSale
from comptoir.kit.clock import Clock
from comptoir.kit.errors import Invalid
from comptoir.kit.limits import SECOND
from comptoir.store.pool import Pool, begin

FRESH: Final = 1 * SECOND
"""How long a price may be remembered; a change in another process is seen after that."""

_KEPT: Final = 10_000

_Place = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Cart:
    """What somebody wants, with today's prices, all in one currency."""

    lines: Sequence[Line]
    currency: str


@dataclass(slots=True)
class Shelf:
    """Looks up what is for sale. Shared by all tasks of one event loop."""

    pool: Pool
    clock: Clock
    _known: dict[_Place, tuple[int, ForSale]] = field(
        default_factory=dict[_Place, tuple[int, ForSale]]
    )

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
        self._known.clear()

    async def _look_up(self, book: int, items: Sequence[Item]) -> list[ForSale | None]:
        now = self.clock()
        places = [(book, each.product, each.size) for each in items]
        known = [self._known.get(place) for place in places]
        if all(each is not None and now < each[0] for each in known):
            return [each[1] for each in known if each is not None]
        async with begin(self.pool) as tx:
            found = await queries.for_sale(tx, book, items)
        if len(self._known) > _KEPT:
            self._known.clear()
        for place, size in zip(places, found, strict=True):
            if size is None:
                self._known.pop(place, None)
            else:
                self._known[place] = (now + FRESH, size)
        return found
