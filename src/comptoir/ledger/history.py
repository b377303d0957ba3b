"""Going over lines of the journal again: which lots held what, and what holds had pinned in them.

The journal says what every line took from which lot. It does not say what a hold pinned, for that
follows from the burning order; whoever wants to know it of the past goes over the lines since a
moment at which nothing was held.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from comptoir.ledger.model import Kind, Lot

Rank = tuple[int, float, int]


@dataclass(frozen=True, slots=True)
class Step:
    """What one line of the journal did to lots and pins.

    Attributes:
        held: what all open holds set aside after the line.
        lots, parts: the lots that the line changed, and by how much.
        hold: the hold that the line is about.
    """

    kind: Kind
    held: int
    lots: Sequence[int]
    parts: Sequence[int]
    hold: bytes | None


@dataclass(slots=True)
class _Shelf:
    """The lots by number, and the ranks of those that have something left, in burning order."""

    lots: dict[int, Lot]
    order: list[Rank] = field(default_factory=list[Rank])

    def change(self, number: int, part: int) -> None:
        lot = self.lots[number]
        was_open = lot.left > 0
        lot.left += part
        if lot.left > 0 and not was_open:
            insort(self.order, lot.rank)
        elif was_open and lot.left == 0:
            del self.order[bisect_left(self.order, lot.rank)]

    def pin(self, amount: int) -> list[tuple[int, int]]:
        """Pin free credits in burning order, as a hold does."""
        pins: list[tuple[int, int]] = []
        for _, _, number in self.order:
            if amount == 0:
                break
            lot = self.lots[number]
            part = min(amount, lot.free)
            if part > 0:
                lot.pinned += part
                pins.append((number, part))
                amount -= part
        return pins

    def unpin(self, pins: list[tuple[int, int]], amount: int) -> list[tuple[int, int]]:
        """Take back the first pins, so many in all; returns those that are left."""
        kept: list[tuple[int, int]] = []
        for number, pinned in pins:
            part = min(pinned, amount)
            amount -= part
            self.lots[number].pinned -= part
            if pinned > part:
                kept.append((number, pinned - part))
        return kept


def replay(lots: Iterable[Lot], steps: Iterable[Step]) -> None:
    """Go over `steps` again, which changes what `lots` have left and pinned.

    Args:
        lots: every lot that had something before the first step, or that a step changes, as it was
            when nothing was held; those that were opened later with nothing in them.
        steps: the lines since then, in order.
    """
    shelf = _Shelf({lot.no: lot for lot in lots})
    shelf.order = sorted(lot.rank for lot in shelf.lots.values() if lot.left > 0)
    pins: dict[bytes, list[tuple[int, int]]] = {}
    held = 0
    for step in steps:
        if step.kind is Kind.HOLD and step.hold is not None:
            pins[step.hold] = shelf.pin(step.held - held)
        elif step.hold in pins:
            pins[step.hold] = shelf.unpin(pins[step.hold], held - step.held)
        for number, part in zip(step.lots, step.parts, strict=True):
            shelf.change(number, part)
        held = step.held
