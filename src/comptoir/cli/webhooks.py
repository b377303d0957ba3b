"""`comptoir webhook`: what Stripe has told us, what became of it, and once more."""

import json
from typing import Annotated, Final

import typer

from comptoir.cli.asking import change, read
from comptoir.cli.desk import desk_of, print_json
from comptoir.cli.front import Asked
from comptoir.cli.opening import run_now
from comptoir.cli.options import Book, Cursor, Json, Limit
from comptoir.cli.pages import Contents, Page
from comptoir.kit.limits import LIST_DEFAULT
from comptoir.web.api.inbox import OPERATIONS

app = typer.Typer(cls=Contents)

_ROUTES: Final = {(each.method, each.path): each for each in OPERATIONS}
_ALL: Final = "/api/admin/webhooks"
_ONE: Final = "/api/admin/webhooks/{id}"
_MORE: Final = {"effect": "webhook.effect", "error": "webhook.error", "due_at": "webhook.due"}

Id = Annotated[str, typer.Option("--id", metavar="ID", help="option.event-id")]


@app.command("list", cls=Page, help="help.webhook.list")
def list_(
    ctx: typer.Context,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="option.event-state")
    ] = None,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="option.event-type")
    ] = None,
    troubles: Annotated[bool, typer.Option("--troubles", help="option.troubles")] = False,
    limit: Limit = LIST_DEFAULT,
    cursor: Cursor = None,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Show events, the newest first."""
    desk = desk_of(ctx)
    fields = {
        "state": state, "type": type_, "limit": limit, "cursor": cursor,
        "troubles": "true" if troubles else None,
    }  # fmt: skip
    body = run_now(read(desk, book, Asked(_ROUTES["GET", _ALL], fields))).body
    if as_json:
        print_json(body)
        return
    names = ("id", "type", "state", "attempts", "received_at")
    rows = [
        (*(str(each[name]) for name in names), each["effect"] or each["error"] or "")
        for each in body["items"]
    ]
    desk.table([f"column.event-{name}" for name in (*names, "effect")], rows)
    if body["next_cursor"]:
        desk.note("credits.more", cursor=body["next_cursor"])


@app.command("show", cls=Page, help="help.webhook.show")
def show(ctx: typer.Context, id_: Id, book: Book = "live", as_json: Json = False) -> None:
    """Show an event, with what it has done and its body."""
    desk = desk_of(ctx)
    asked = Asked(_ROUTES["GET", _ONE], {}, parts={"id": id_})
    shown = run_now(read(desk, book, asked)).body
    if as_json:
        print_json(shown)
        return
    figures = {name: "" if value is None else value for name, value in shown.items()}
    desk.tell("webhook.shown", **figures)
    for name, key in _MORE.items():
        if shown[name]:
            desk.tell(key, said=shown[name])
    if shown["payload"] is None:
        desk.tell("webhook.forgotten")
        return
    print(json.dumps(shown["payload"], ensure_ascii=False, indent=2))


@app.command("replay", cls=Page, help="help.webhook.replay")
def replay(
    ctx: typer.Context,
    id_: Id,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="option.replay-dry-run")] = False,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Let an event be handled once more; what it has done is not done again."""
    desk = desk_of(ctx)
    fields = {"dry_run": "true" if dry_run else None}
    asked = Asked(_ROUTES["POST", f"{_ONE}/replay"], fields, parts={"id": id_})
    said = run_now(change(desk, book, asked)).body
    if as_json:
        print_json(said)
        return
    if not dry_run:
        desk.tell("webhook.replayed", id=id_)
        return
    key = "webhook.would-do" if said["effect"] else "webhook.would-do-nothing"
    desk.tell(key, id=id_, effect=said["effect"])
