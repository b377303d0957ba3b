"""A whole file: its lines by product, where no two of them contradict one another."""

from collections.abc import Callable, Mapping
from typing import Final

from comptoir.domains.stock.counts.cells import Columns, place
from comptoir.domains.stock.counts.model import SIZES, Fault, Part, Row
from comptoir.kit.errors import Invalid

_TERMS: Final[Mapping[str, Callable[[Row], object]]] = {
    "name": lambda row: row.name,
    "price": lambda row: row.amount,
    "currency": lambda row: row.currency,
    "on_refund": lambda row: row.on_refund,
}


class Sheet:
    """Gathers the lines of a file.

    Where lines contradict one another, nobody can say which is right: none of them counts.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.lines = 0
        self.faults: list[Fault] = []
        self._rows: list[Row] = []
        self._lines: dict[tuple[str, str], list[int]] = {}

    def unreadable(self, fault: Fault) -> None:
        """A line that is none."""
        self.lines += 1
        self.faults.append(fault)

    def add(self, line: int, record: Mapping[str, object]) -> None:
        """One more line."""
        self.lines += 1
        cells = self.columns.cells(record)
        self._lines.setdefault(place(cells), []).append(line)
        found = self.columns.row(line, cells)
        if isinstance(found, Fault):
            self.faults.append(found)
        else:
            self._rows.append(found)

    def parts(self) -> list[Part]:
        """What the file says, by product, in its order."""
        by_product: dict[str, list[Row]] = {}
        for row in self._rows:
            lines = self._lines[row.product, row.size]
            if len(lines) > 1:
                others = ", ".join(str(each) for each in lines if each != row.line)
                error = Invalid("count-twice", product=row.product, size=row.size, others=others)
                self.faults.append(Fault(row.line, "size", error, row.cells))
            else:
                by_product.setdefault(row.product, []).append(row)
        self._rows.clear()
        found = (self._part(product, rows) for product, rows in by_product.items())
        return [part for part in found if part is not None]

    def _part(self, product: str, rows: list[Row]) -> Part | None:
        for column, of in _TERMS.items():
            said = [row for row in rows if of(row) is not None]
            other = next((row for row in said if of(row) != of(said[0])), None)
            if other is None:
                continue
            error = Invalid(
                "count-terms-differ", product=product, column=column, first=of(said[0]),
                first_line=said[0].line, second=of(other), second_line=other.line,
            )  # fmt: skip
            self.faults.extend(Fault(row.line, column, error, row.cells) for row in rows)
            return None
        if len(rows) > SIZES:
            error = Invalid("count-too-many-sizes", product=product, most=SIZES)
            self.faults.extend(Fault(row.line, "size", error, row.cells) for row in rows)
            return None
        return Part.of(product, rows)
