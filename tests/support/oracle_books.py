"""What the oracle of the ledger counts: every unit of every grant is an object of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from tests.support.tables import Ask, Told


@dataclass(eq=False)
class Unit:
    """One credit: in a pile, perhaps pledged."""

    pile: "Pile"
    pledge: "Pledge | None" = None


@dataclass(eq=False)
class Pile:
    """What one grant brought."""

    number: int
    source: str
    priority: int
    expires: float
    plain: bool
    paid: int
    size: int = 0
    units: list[Unit] = field(default_factory=list[Unit])
    lapsed: bool = False

    @property
    def order(self) -> tuple[int, float, int]:
        return (self.priority, self.expires, self.number)

    def price(self, count: int) -> int:
        """What the next `count` units out of the pile were paid."""
        gone = self.size - len(self.units)
        return self._upto(gone + count) - self._upto(gone)

    def _upto(self, count: int) -> int:
        return floor(Fraction(self.paid * count, self.size) + Fraction(1, 2))


@dataclass(eq=False)
class Pledge:
    """A hold."""

    owner: "Owner"
    amount: int
    excess: str
    ends: float
    band: str | None
    taken: int = 0
    state: str = "open"
    units: list[Unit] = field(default_factory=list[Unit])

    @property
    def rest(self) -> int:
        return self.amount - self.taken


@dataclass(eq=False)
class Entry:
    """A movement that a label made."""

    owner: "Owner"
    kind: str
    amount: int
    piles: list[tuple[Pile, int]]
    undone: bool = False
    of: "Entry | None" = None
    """For what took something back: whose it was."""
    pieces: list["Entry"] = field(default_factory=list["Entry"])
    """What took something back of this one, and was not undone itself."""

    @property
    def left(self) -> int:
        return self.amount + sum(piece.amount for piece in self.pieces)


@dataclass(eq=False)
class Owner:
    """An account."""

    asset: str
    floor: int
    piles: list[Pile] = field(default_factory=list[Pile])
    pledges: list[Pledge] = field(default_factory=list[Pledge])
    owed: int = 0
    last: float = 0
    moved: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    @property
    def posted(self) -> int:
        return sum(len(pile.units) for pile in self.piles) - self.owed

    @property
    def held(self) -> int:
        return sum(pledge.rest for pledge in self.pledges if pledge.state == "open")

    @property
    def open(self) -> list[Pile]:
        return sorted((pile for pile in self.piles if pile.units), key=lambda pile: pile.order)

    def free(self, most: int) -> list[Unit]:
        """The next units to burn."""
        return [unit for pile in self.open for unit in pile.units if not unit.pledge][:most]

    def add(self, pile: Pile, count: int) -> tuple[Pile, int]:
        """Put units into an equal pile or this new one, less what is owed."""
        repaid = min(self.owed, count)
        self.owed -= repaid
        equal = [p for p in self.open if p.plain and not p.lapsed and _like(p) == _like(pile)]
        if pile.plain and equal:
            pile = equal[0]
        else:
            pile.number = len(self.piles) + 1
            self.piles.append(pile)
        pile.size += count
        pile.units += [Unit(pile) for _ in range(count - repaid)]
        return pile, count - repaid

    def note(self, kind: str, amount: int, at: float) -> None:
        """Something was written about this account."""
        self.last = max(self.last, at)
        if amount:
            self.moved.append((kind, amount))


def _like(pile: Pile) -> tuple[object, ...]:
    return (pile.source, pile.priority, pile.expires)


def burn(units: Sequence[Unit]) -> list[tuple[Pile, int]]:
    """Take units out; returns how many of each pile."""
    piles: dict[int, tuple[Pile, int]] = {}
    for unit in units:
        unit.pile.units.remove(unit)
        _, before = piles.get(id(unit.pile), (unit.pile, 0))
        piles[id(unit.pile)] = (unit.pile, before + 1)
    return list(piles.values())


@dataclass
class Books:
    """All that an undone chain must leave as it was."""

    owners: dict[str, Owner] = field(default_factory=dict[str, Owner])
    pledges: dict[str, Pledge] = field(default_factory=dict[str, Pledge])
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    known: dict[str, tuple[Ask, Told]] = field(default_factory=dict[str, tuple[Ask, Told]])
