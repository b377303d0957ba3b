"""What a file of counts, or of a delivery, says; what is wrong with it; what it has changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self, TypeVar

from comptoir.domains.stock.model import OnRefund
from comptoir.kit.errors import ComptoirError

T = TypeVar("T")

BYTES: Final = 20 * 1024 * 1024
"""Of a file at most."""

LINES: Final = 100_000
"""Of a file at most: what they say must fit into memory."""

SIZES: Final = 1_000
"""Of one product in one file at most."""

STOCK_MOST: Final = 10**9
"""The largest count that can be."""


class Form(StrEnum):
    """What the numbers of a file are."""

    COUNT = "count"
    """So many there are."""
    DELIVERY = "delivery"
    """So many have come."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line that makes sense by itself; None for what it does not say.

    Attributes:
        quantity: what there is, or what has come.
        amount: the price of one, in minor units.
        cells: the line as it was written.
    """

    line: int
    product: str
    size: str
    quantity: int
    name: str | None
    amount: int | None
    currency: str | None
    low_at: int | None
    on_refund: OnRefund | None
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line is refused.

    Attributes:
        column: in which the reason stands; None when it is the whole line.
        error: the code and the figures of the text.
        cells: the line as it was written, as far as it can be read.
    """

    line: int
    column: str | None
    error: ComptoirError
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """What a file says of one product, all in one voice."""

    product: str
    name: str | None
    amount: int | None
    currency: str | None
    on_refund: OnRefund | None
    rows: Sequence[Row]

    @classmethod
    def of(cls, product: str, rows: Sequence[Row]) -> Self:
        """What some lines say of a product, which do not contradict one another."""
        return cls(
            product,
            _first(row.name for row in rows),
            _first(row.amount for row in rows),
            _first(row.currency for row in rows),
            _first(row.on_refund for row in rows),
            rows,
        )


def _first(said: Iterable[T | None]) -> T | None:
    return next((each for each in said if each is not None), None)


@dataclass(frozen=True, slots=True)
class There:
    """A size as the books have it.

    Attributes:
        is_sold: False for one that was taken off sale; its stock is still counted.
    """

    account: int
    stock: int
    reserved: int
    low_at: int
    is_sold: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A product as the books have it."""

    name: str
    amount: int
    currency: str
    on_refund: OnRefund
    sizes: Mapping[str, There]


@dataclass(frozen=True, slots=True)
class Change:
    """How much there was of a size, and how much there is after its line."""

    product: str
    size: str
    before: int
    after: int


@dataclass(slots=True)
class Report:
    """What became of a file, or would. Every line counts once.

    Attributes:
        lines: all lines that are neither blank nor the heading.
        new_products, changed_products, new_sizes: what is sold now that was not, or otherwise.
        moved: lines that moved stock; `up` and `down` are the sums of what they moved.
        same: lines that changed no stock: it was so already, or they were done before.
        left_out: lines without a fault of a delivery that was refused as a whole.
        unread: columns that nothing was read from.
    """

    form: Form
    digest: str
    lines: int = 0
    new_products: int = 0
    changed_products: int = 0
    new_sizes: int = 0
    moved: int = 0
    same: int = 0
    left_out: int = 0
    up: int = 0
    down: int = 0
    changes: list[Change] = field(default_factory=list[Change])
    faults: list[Fault] = field(default_factory=list[Fault])
    unread: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Every line is in the books, or would be."""
        return not self.faults

    def add(self, change: Change) -> None:
        """A line that is done."""
        if change.before == change.after:
            self.same += 1
            return
        self.moved += 1
        self.up += max(change.after - change.before, 0)
        self.down += max(change.before - change.after, 0)
        self.changes.append(change)
