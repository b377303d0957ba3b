"""Options that many commands have."""

from typing import Annotated

import typer

from comptoir.kit.limits import LIST_MAX

Book = Annotated[str, typer.Option("--book", metavar="live|test", help="option.book")]
Json = Annotated[bool, typer.Option("--json", help="option.json")]
Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, max=LIST_MAX, help="option.limit")
]
Cursor = Annotated[str | None, typer.Option("--cursor", metavar="CURSOR", help="option.cursor")]
