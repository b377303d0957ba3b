"""`comptoir customer`: who they are, everything that is kept about them, and forgetting them."""

import os
import sys
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer

from comptoir.cli.asking import change, read
from comptoir.cli.desk import Desk, Exit, desk_of, print_json
from comptoir.cli.front import Asked
from comptoir.cli.opening import book_of, reading, run_now
from comptoir.cli.options import Book, Cursor, Json, Limit
from comptoir.cli.pages import Contents, Page
from comptoir.flows.export import exporting
from comptoir.web.api import customers, identity
from comptoir.web.export import pieces

app = typer.Typer(cls=Contents)

_ROUTES: Final = {
    (each.method, each.path): each for each in (*customers.OPERATIONS, *identity.OPERATIONS)
}
_ONE: Final = "/api/customers/{customer}"

Customer = Annotated[str, typer.Option("--customer", metavar="ID", help="option.customer")]
Key = Annotated[
    str | None, typer.Option("--idempotency-key", metavar="KEY", help="option.idempotency-key")
]


@app.command("list", cls=Page, help="help.customer.list")
def list_(
    ctx: typer.Context,
    limit: Limit = 20,
    cursor: Cursor = None,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Show customers in the order of their arrival."""
    desk = desk_of(ctx)
    fields = {"limit": limit, "cursor": cursor}
    body = run_now(read(desk, book, Asked(_ROUTES["GET", "/api/customers"], fields))).body
    if as_json:
        print_json(body)
        return
    columns = ("customer", "name", "email", "locale", "time_zone", "created_at")
    rows = [[item[name] or "" for name in columns] for item in body["items"]]
    desk.table([f"column.{name}" for name in columns], rows)
    if body["next_cursor"] is not None:
        desk.note("credits.more", cursor=body["next_cursor"])


@app.command("show", cls=Page, help="help.customer.show")
def show(
    ctx: typer.Context,
    customer: Customer,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Show a customer."""
    desk = desk_of(ctx)
    asked = Asked(_ROUTES["GET", _ONE], {}, parts={"customer": customer})
    _tell(desk, run_now(read(desk, book, asked)).body, as_json=as_json)


@app.command("set", cls=Page, help="help.customer.set")
def set_(
    ctx: typer.Context,
    customer: Customer,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="option.name")] = None,
    email: Annotated[
        str | None, typer.Option("--email", metavar="TEXT", help="option.email")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option("--time-zone", metavar="ZONE", help="option.time-zone")
    ] = None,
    locale: Annotated[
        str | None, typer.Option("--locale", metavar="CODE", help="option.locale")
    ] = None,
    plan: Annotated[str | None, typer.Option("--plan", metavar="PLAN", help="option.plan")] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option("--metadata", metavar="NAME=VALUE", help="option.metadata"),
    ] = None,
    book: Book = "live",
    as_json: Json = False,
) -> Exit:
    """Add a customer, or change what is said."""
    desk = desk_of(ctx)
    pairs = [each.partition("=") for each in metadata or ()]
    wrong = next((whole for whole, (_, sign, _) in zip(metadata or (), pairs, strict=True)
                  if not sign), None)  # fmt: skip
    if wrong is not None:
        desk.note("customer.metadata-form", given=wrong)
        return Exit.USAGE
    fields: dict[str, object] = {
        "name": name,
        "email": email,
        "time_zone": time_zone,
        "locale": locale,
        "plan": plan,
        "metadata": {key: value for key, _, value in pairs} if metadata else None,
    }
    asked = Asked(_ROUTES["PUT", _ONE], fields, parts={"customer": customer})
    _tell(desk, run_now(change(desk, book, asked)).body, as_json=as_json)
    return Exit.DONE


def _tell(desk: Desk, shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    desk.tell("customer.shown", **{name: value or "" for name, value in shown.items()})
    for name, value in shown["metadata"].items():
        desk.tell("customer.metadata", name=name, value=value)


@app.command("export", cls=Page, help="help.customer.export")
def export(
    ctx: typer.Context,
    customer: Customer,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="option.output")
    ] = None,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Write everything that is kept about a customer, as one JSON document."""
    del as_json  # it is JSON in any case; the option is on every list
    desk = desk_of(ctx)
    if output is None:
        run_now(_export(desk, book, customer, sys.stdout.buffer))
        print(flush=True)
        return
    draft = output.with_name(f"{output.name}.part")
    try:
        with open(draft, "wb", opener=_privately) as file:
            run_now(_export(desk, book, customer, file))
            size = file.tell()
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    desk.note("customer.exported", customer=customer, file=output, bytes=desk.say.number(size))


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


async def _export(desk: Desk, book: str, customer: str, file: IO[bytes]) -> None:
    async with (
        reading(desk.settings()) as opened,
        exporting(opened.pool, opened.directory, await book_of(opened, book), customer) as found,
    ):
        async for piece in pieces(found):
            file.write(piece)
    file.flush()


@app.command("erase", cls=Page, help="help.customer.erase")
def erase(
    ctx: typer.Context,
    customer: Customer,
    yes: Annotated[bool, typer.Option("--yes", help="option.yes")] = False,
    key: Key = None,
    book: Book = "live",
    as_json: Json = False,
) -> Exit:
    """Erase a customer for good."""
    desk = desk_of(ctx)
    if not yes:
        desk.note("customer.not-confirmed", customer=customer)
        return Exit.USAGE
    asked = Asked(_ROUTES["POST", f"{_ONE}/erase"], {}, key or "", {"customer": customer})
    body = run_now(change(desk, book, asked)).body
    if as_json:
        print_json(body)
        return Exit.DONE
    desk.tell("customer.erased", **{name: desk.say.number(body[name])
                                    for name in ("movements", "notes")})  # fmt: skip
    for each in body["left"]:
        desk.tell("customer.left", **each)
    return Exit.DONE
