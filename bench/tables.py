"""Tables for people, in a terminal and in RESULTS.md, and the place where they go there."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

RESULTS: Final = Path(__file__).parent / "RESULTS.md"


def number(value: float) -> str:
    return f"{value:,.0f}"


def times(value: float) -> str:
    return f"{value:.2f}x" if value < 10 else f"{value:.1f}x"


def verdict(value: float, target: float, *, most: bool = False) -> str:
    """Whether a figure is at least (or at most) its target, and by how much it misses it."""
    if value <= target if most else value >= target:
        return "met"
    return f"missed by {abs(value - target) / target * 100:.0f} %"


@dataclass(slots=True)
class Table:
    """A heading, columns and rows."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])

    def add(self, *cells: str) -> None:
        assert len(cells) == len(self.columns), "a row has a cell for every column"
        self.rows.append(cells)

    def markdown(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        rule = tuple("-" * width for width in widths)
        lines = [
            "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
            for row in (self.columns, rule, *self.rows)
        ]
        return "\n".join([f"**{self.title}**", "", *lines])


def write(name: str, tables: list[Table], circumstances: str) -> None:
    """Put the tables between the markers of `name` in RESULTS.md; the rest stays as it is.

    Raises:
        SystemExit: RESULTS.md has no such markers.
    """
    text = RESULTS.read_text()
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if begin not in text or end not in text:
        raise SystemExit(f"{RESULTS.name} has no place for {name}: {begin} ... {end}")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    body = "\n\n".join([circumstances, *(table.markdown() for table in tables)])
    RESULTS.write_text(f"{head}{begin}\n{body}\n{end}{tail}")
