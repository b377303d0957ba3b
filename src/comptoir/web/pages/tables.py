"""Lists as files for spreadsheets, in which no cell is taken for a formula."""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

from comptoir.web.pages.look import GUARDED
from comptoir.web.replies import Reply

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers."""
    text = "" if value is None else str(value)
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def sheet(name: str, headings: Sequence[str], rows: Iterable[Sequence[object]], more: str) -> Reply:
    """A list as a file of that name; `more` is where the next part is, if there is one."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([cell(value) for value in row] for row in rows)
    kept = f'attachment; filename="{name}.csv"'
    headers = [*GUARDED, (b"content-disposition", kept.encode("latin-1", "replace"))]
    if more:
        headers.append((b"link", f'<{more}>; rel="next"'.encode("ascii", "replace")))
    return Reply(200, text.getvalue().encode(), b"text/csv; charset=utf-8", headers)


def number_of(said: str | None, otherwise: int) -> int:
    """A number of the address; what is none counts as not said."""
    return int(said) if said and said.isascii() and said.isdigit() and len(said) < 19 else otherwise  # noqa: PLR2004  # fits into a bigint
