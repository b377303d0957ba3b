"""What the lines of a product mean beside what the books have of it."""

from collections.abc import Mapping
from typing import Final

from comptoir.domains.stock.commands import SizeTerms, Terms
from comptoir.domains.stock.counts.model import Fault, Known, Part, Row, There
from comptoir.domains.stock.model import InsufficientStock, Item, OnRefund
from comptoir.kit.errors import Invalid

_NEEDED: Final = ("name", "price", "currency")
_NONE: Final[Mapping[str, There]] = {}


def lacking(part: Part, known: Known | None) -> list[Fault]:
    """Why a product cannot be sold for want of terms; nothing for one that is sold already."""
    said = {"name": part.name, "price": part.amount, "currency": part.currency}
    missing = [column for column in _NEEDED if said[column] is None]
    if known is not None or not missing:
        return []
    error = Invalid("count-new-product", product=part.product, columns=", ".join(missing))
    return [Fault(row.line, missing[0], error, row.cells) for row in part.rows]


def below_reserved(part: Part, known: Known) -> list[Fault]:
    """Counts that are less than what is set aside."""
    return [
        short(row, there.stock, there.reserved)
        for row in part.rows
        if (there := known.sizes.get(row.size)) is not None and row.quantity < there.reserved
    ]


def short(row: Row, stock: int, reserved: int) -> Fault:
    """There cannot be less of a size than what is set aside of it."""
    item = Item(row.product, row.size, stock - row.quantity)
    error = InsufficientStock(item, stock - reserved)
    error.figures |= {"counted": row.quantity, "reserved": reserved}
    return Fault(row.line, "stock", error, row.cells)


def is_new(row: Row, known: Known | None) -> bool:
    """Whether a size is not sold yet, or not any more."""
    there = None if known is None else known.sizes.get(row.size)
    return there is None or not there.is_sold


def is_changed(part: Part, known: Known) -> bool:
    """Whether a product that is sold is to be sold otherwise; new sizes apart."""
    now = (known.name, known.amount, known.currency, known.on_refund)
    return _merged(part, known) != now or any(
        row.low_at not in {None, known.sizes[row.size].low_at}
        for row in part.rows
        if row.size in known.sizes
    )


def terms_of(part: Part, known: Known | None) -> Terms | None:
    """On which terms a product is to be sold, with the sizes that change; None where none does."""
    merged = _merged(part, known)
    sizes = [
        SizeTerms(row.size, wanted) for row in part.rows if (wanted := _low(row, known)) is not None
    ]
    if merged is None or (known is not None and not sizes and not is_changed(part, known)):
        return None
    return Terms(part.product, *merged, sizes)


def _merged(part: Part, known: Known | None) -> tuple[str, int, str, OnRefund] | None:
    """What a product is to be; None for one that is new, and of which too little is said."""
    name, amount, currency = part.name, part.amount, part.currency
    if known is not None:
        return (
            name or known.name, amount or known.amount, currency or known.currency,
            part.on_refund or known.on_refund,
        )  # fmt: skip
    if name is None or amount is None or currency is None:
        return None
    return name, amount, currency, part.on_refund or OnRefund.RESTOCK


def _low(row: Row, known: Known | None) -> int | None:
    """At what number a size is to be low; None where it stays as it is."""
    there = (_NONE if known is None else known.sizes).get(row.size)
    if there is None:
        return row.low_at or 0
    wanted = there.low_at if row.low_at is None else row.low_at
    return None if there.is_sold and wanted == there.low_at else wanted
