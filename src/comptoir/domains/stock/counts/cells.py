"""From the cells of a line to what they mean, and back; whatever cannot be is a fault with a name.

A cell that a spreadsheet would take for a formula is written with a quote before it, and read so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from comptoir.domains.stock.counts.model import STOCK_MOST, Fault, Form, Row
from comptoir.domains.stock.model import AMOUNT, NAME_PATTERN, QUANTITY, SIZE_PATTERN, OnRefund
from comptoir.kit.currencies import CURRENCIES
from comptoir.kit.errors import ComptoirError, Invalid
from comptoir.kit.limits import NAME_LENGTH, NO_CONTROL

EXPORTED: Final = (
    "product", "size", "name", "price", "currency", "low_stock_threshold", "stock", "reserved",
    "available", "on_refund",
)  # fmt: skip
"""The columns of an export."""

ABOUT_REFUSED: Final = ("line", "field", "reason")
"""What stands beside a refused line."""

_READ: Final = (*EXPORTED, *ABOUT_REFUSED, "delivered")
_SHOWN: Final = 40
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,12}", re.ASCII)
_NAME: Final = re.compile(NAME_PATTERN)
_SIZE: Final = re.compile(SIZE_PATTERN)
_TITLE: Final = re.compile(NO_CONTROL)
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
_QUOTED: Final = re.compile(r"'+[=+\-@\t\r]")
_MAYBE_QUOTED: Final = re.compile(r"'*[=+\-@\t\r]")


def escaped(text: str) -> str:
    """A text as it may stand in a cell, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if _MAYBE_QUOTED.match(text) else text


def unescaped(cell: str) -> str:
    """The text that a cell writes."""
    return cell[1:] if _QUOTED.match(cell) else cell


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file: what is read, and from which.

    Attributes:
        by_field: the name of the column of each field, as it is written.
        unread: columns that mean nothing here.
    """

    form: Form
    by_field: Mapping[str, str]
    unread: tuple[str, ...]

    @classmethod
    def choose(cls, names: Sequence[str]) -> Self:
        """What the columns of a heading mean.

        Raises:
            Invalid: one is missing, or the file is a count and a delivery at once.
        """
        by_field: dict[str, str] = {}
        unread: list[str] = []
        for name in names:
            field = name.strip().lower()
            if field not in _READ:
                unread.append(name)
            elif field in by_field:
                raise Invalid("import-column-twice", column=field)
            else:
                by_field[field] = name
        if "stock" in by_field and "delivered" in by_field:
            raise Invalid("count-or-delivery")
        form = Form.DELIVERY if "delivered" in by_field else Form.COUNT
        wanted = ("product", "size", "delivered" if form is Form.DELIVERY else "stock")
        missing = [field for field in wanted if field not in by_field]
        if missing:
            raise Invalid("count-column-missing", columns=", ".join(missing))
        return cls(form, by_field, tuple(unread))

    def cells(self, record: Mapping[str, object]) -> dict[str, str]:
        """The cells of a line, by field."""
        return {field: str(record[name]) for field, name in self.by_field.items()}

    def row(self, line: int, cells: Mapping[str, str]) -> Row | Fault:
        """What a line says, or why it cannot."""
        try:
            return _row(self.form, line, cells)
        except _Wrong as wrong:
            return Fault(line, wrong.column, wrong.error, cells)


class _Wrong(Exception):
    def __init__(self, column: str, error: ComptoirError) -> None:
        super().__init__(column)
        self.column = column
        self.error = error


def place(cells: Mapping[str, str]) -> tuple[str, str]:
    """Of which size of which product a line speaks, whatever else is wrong with it."""
    return cells["product"], unescaped(cells["size"])


def _row(form: Form, line: int, cells: Mapping[str, str]) -> Row:
    is_count = form is Form.COUNT
    product, size = _product(cells), _size(cells)
    column, most = ("stock", STOCK_MOST) if is_count else ("delivered", QUANTITY)
    quantity = _whole(cells, column, 0, most)
    if quantity is None:
        raise _Wrong(column, Invalid("import-cell-empty", column=column))
    return Row(
        line, product, size, quantity, _title(cells), _whole(cells, "price", 1, AMOUNT),
        _currency(cells), _whole(cells, "low_stock_threshold", 0, QUANTITY), _on_refund(cells),
        cells,
    )  # fmt: skip


def _text(cells: Mapping[str, str], column: str) -> str | None:
    """The text of a cell; None for an empty one."""
    cell = cells.get(column, "")
    if _FORMULA.match(cell):
        raise _Wrong(column, Invalid("count-formula", column=column, value=_shown(cell)))
    return unescaped(cell) or None


def _product(cells: Mapping[str, str]) -> str:
    text = _named(cells, "product")
    if _NAME.fullmatch(text) is None:
        raise _Wrong("product", Invalid("count-product", value=_shown(text)))
    return text


def _size(cells: Mapping[str, str]) -> str:
    text = _named(cells, "size")
    if _SIZE.fullmatch(text) is None:
        raise _Wrong("size", Invalid("count-size", value=_shown(text)))
    return text


def _named(cells: Mapping[str, str], column: str) -> str:
    text = _text(cells, column)
    if text is None:
        raise _Wrong(column, Invalid("import-cell-empty", column=column))
    return text


def _title(cells: Mapping[str, str]) -> str | None:
    text = _text(cells, "name")
    if text is None:
        return None
    if len(text) > NAME_LENGTH:
        raise _Wrong("name", Invalid("import-too-long", column="name", most=NAME_LENGTH))
    if _TITLE.fullmatch(text) is None:
        raise _Wrong("name", Invalid("import-not-printable", column="name"))
    return text


def _whole(cells: Mapping[str, str], column: str, least: int, most: int) -> int | None:
    cell = cells.get(column, "").strip()
    if not cell:
        return None
    if _WHOLE.fullmatch(cell) is None or not least <= int(cell) <= most:
        figures = {"column": column, "value": _shown(cell), "least": least, "most": most}
        raise _Wrong(column, Invalid("count-number", **figures))
    return int(cell)


def _currency(cells: Mapping[str, str]) -> str | None:
    cell = cells.get("currency", "").strip().lower()
    if cell and cell not in CURRENCIES:
        raise _Wrong("currency", Invalid("count-currency", value=_shown(cell)))
    return cell or None


def _on_refund(cells: Mapping[str, str]) -> OnRefund | None:
    cell = cells.get("on_refund", "").strip().lower()
    if not cell:
        return None
    if cell not in OnRefund.__members__.values():
        raise _Wrong("on_refund", Invalid("count-on-refund", value=_shown(cell)))
    return OnRefund(cell)


def _shown(text: str) -> str:
    cut = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return "".join(char if char.isprintable() else "?" for char in cut)
