"""Lists of pages for operators, and the same as files."""

from collections.abc import Iterable, Sequence
from typing import Final

from comptoir.web.dashboard.visits import Visit
from comptoir.web.pages.tables import sheet
from comptoir.web.replies import Reply

ROWS: Final = 50
"""Of one page."""

FILE_ROWS: Final = 5_000
"""Of one file; it says where the next one begins."""


def wants_file(visit: Visit) -> bool:
    """Whether the list is wanted as a file."""
    return visit.query.get("format") == "csv"


def rows_of(visit: Visit) -> int:
    """How many rows to read."""
    return FILE_ROWS if wants_file(visit) else ROWS


def file(
    visit: Visit, name: str, headings: Sequence[str], rows: Iterable[Sequence[object]], more: str
) -> Reply:
    """A list as a file; `more` is where the next part is, if there is one."""
    return sheet(f"{visit.session.book_name}-{name}", headings, rows, more)
