"""What is set aside of stock, for Prometheus."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from comptoir.app import App
from comptoir.domains.stock import queries
from comptoir.kit.books import BOOKS
from comptoir.store.pool import begin

PRODUCTS: Final = 50
"""Of a book that are shown, those first of which most is set aside."""


@dataclass(frozen=True, slots=True, eq=False)
class Reserved(Collector):
    """What is set aside, by the number of the book. No file of a process has it.

    Attributes:
        standing: how much, and the seconds since the oldest was.
        units: by product.
    """

    standing: Mapping[int, tuple[int, float]]
    units: Mapping[tuple[int, str], int]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures, with noughts where nothing is set aside."""
        active = GaugeMetricFamily(
            "comptoir_reservations_active", "Reservations of stock that stand.", labels=("book",)
        )
        oldest = GaugeMetricFamily(
            "comptoir_reservations_oldest_seconds",
            "Since the oldest of them was made; 0 when there is none.",
            labels=("book",),
        )
        for book in sorted({*BOOKS, *self.standing}):
            count, seconds = self.standing.get(book, (0, 0.0))
            active.add_metric((str(book),), count)
            oldest.add_metric((str(book),), seconds)
        units = GaugeMetricFamily(
            "comptoir_reserved_units",
            "Units that are set aside, of the 50 products of a book of which most are.",
            labels=("book", "product"),
        )
        for (book, product), count in sorted(self.units.items()):
            units.add_metric((str(book), product), count)
        yield from (active, oldest, units)


async def reserved(app: App) -> Reserved:
    """What is set aside now.

    Raises:
        Unavailable: the database cannot be reached.
    """
    async with begin(app.pool) as tx:
        return Reserved(await queries.standing(tx), await queries.units(tx, PRODUCTS))


def page_of(reserved: Reserved) -> bytes:
    """The figures as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(reserved)
    return generate_latest(registry)
