"""`comptoir price`: the price book, what an action costs a customer and the seller."""

from typing import Annotated, Any, Final

import typer

from comptoir.cli.asking import change, read
from comptoir.cli.desk import Desk, desk_of, print_json
from comptoir.cli.front import Asked
from comptoir.cli.opening import run_now
from comptoir.cli.options import Book, Cursor, Json, Limit
from comptoir.cli.pages import Contents, Page
from comptoir.kit.limits import LIST_DEFAULT
from comptoir.web.api.reading import OPERATIONS

app = typer.Typer(cls=Contents)

_ROUTES: Final = {(each.method, each.path): each for each in OPERATIONS}
_ALL: Final = "/api/credits/prices"
_NAMES: Final = ("action", "asset", "amount", "real_cost", "version", "created_at")

Asset = Annotated[str | None, typer.Option("--asset", metavar="CODE", help="option.asset")]


@app.command("list", cls=Page, help="help.price.list")
def list_(
    ctx: typer.Context,
    asset: Asset = None,
    limit: Limit = LIST_DEFAULT,
    cursor: Cursor = None,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Show the prices in force, by action."""
    desk = desk_of(ctx)
    fields = {"asset": asset, "limit": limit, "cursor": cursor}
    body = run_now(read(desk, book, Asked(_ROUTES["GET", _ALL], fields))).body
    if as_json:
        print_json(body)
        return
    _show(desk, body["items"])
    if body["next_cursor"]:
        desk.note("credits.more", cursor=body["next_cursor"])


@app.command("set", cls=Page, help="help.price.set")
def set_(
    ctx: typer.Context,
    action: Annotated[str, typer.Option("--action", metavar="NAME", help="option.price-action")],
    amount: Annotated[str, typer.Option("--amount", metavar="N", help="option.amount")],
    real_cost: Annotated[
        str | None, typer.Option("--real-cost", metavar="N", help="option.real-cost")
    ] = None,
    asset: Asset = None,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Let an action cost something else from now on; the same again changes nothing."""
    desk = desk_of(ctx)
    said = {"action": action, "amount": amount, "real_cost": real_cost, "asset": asset}
    fields = {name: value for name, value in said.items() if value is not None}
    price = run_now(change(desk, book, Asked(_ROUTES["PUT", _ALL], fields))).body
    if as_json:
        print_json(price)
        return
    _show(desk, [price])


def _show(desk: Desk, prices: list[dict[str, Any]]) -> None:
    rows = [tuple(str(each[name] or "") for name in _NAMES) for each in prices]
    desk.table([f"column.price-{name}" for name in _NAMES], rows)
