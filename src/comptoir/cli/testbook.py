"""`comptoir book`: emptying a test book."""

from typing import Annotated, Final

import typer

from comptoir.cli.asking import change
from comptoir.cli.desk import Exit, desk_of, print_json
from comptoir.cli.front import Asked
from comptoir.cli.opening import run_now
from comptoir.cli.pages import Contents, Page
from comptoir.web.api import books

app = typer.Typer(cls=Contents)

_LIVE: Final = "live"
[_RESET] = books.OPERATIONS


@app.callback(help="help.book")
def book() -> None:
    """Have a group of commands, though there is one."""


@app.command("reset", cls=Page, help="help.book.reset")
def reset(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="test", help="option.book-name")],
    yes: Annotated[bool, typer.Option("--yes", help="option.yes")] = False,
    key: Annotated[
        str | None,
        typer.Option("--idempotency-key", metavar="KEY", help="option.idempotency-key"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="option.json")] = False,
) -> Exit:
    """Empty a test book for good."""
    desk = desk_of(ctx)
    if not yes:
        desk.note("book.not-confirmed", book=name)
        return Exit.USAGE
    # As an operator of the live book, who may reset any test book.
    body = run_now(change(desk, _LIVE, Asked(_RESET, {}, key or "", {"book": name}))).body
    if as_json:
        print_json(body)
        return Exit.DONE
    figures = {each: desk.say.number(body[each]) for each in ("customers", "accounts", "movements")}
    desk.tell("book.reset", book=body["book"], **figures)
    return Exit.DONE
