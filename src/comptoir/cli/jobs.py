"""`comptoir job`: what waits, what is dead, and what to do about it."""

from typing import Annotated, Any, Final

import typer

from comptoir.cli.asking import change, read
from comptoir.cli.desk import Desk, desk_of, print_json
from comptoir.cli.front import Asked
from comptoir.cli.opening import run_now
from comptoir.cli.options import Book, Cursor, Json, Limit
from comptoir.cli.pages import Contents, Page
from comptoir.kit.limits import LIST_DEFAULT
from comptoir.web.api.jobs import OPERATIONS

app = typer.Typer(cls=Contents)

_ROUTES: Final = {(each.method, each.path): each for each in OPERATIONS}
_ALL: Final = "/api/jobs"
_ONE: Final = "/api/jobs/{id}"

Id = Annotated[str, typer.Option("--id", metavar="ID", help="option.job-id")]


@app.command("list", cls=Page, help="help.job.list")
def list_(
    ctx: typer.Context,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="option.job-status")
    ] = None,
    queue: Annotated[
        str | None, typer.Option("--queue", metavar="QUEUE", help="option.job-queue")
    ] = None,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="option.job-type")
    ] = None,
    limit: Limit = LIST_DEFAULT,
    cursor: Cursor = None,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Show jobs, the newest first."""
    desk = desk_of(ctx)
    fields = {"status": status, "queue": queue, "type": type_, "limit": limit, "cursor": cursor}
    body = run_now(read(desk, book, Asked(_ROUTES["GET", _ALL], fields))).body
    if as_json:
        print_json(body)
        return
    names = ("id", "type", "status", "attempts", "run_at", "error")
    rows = [tuple(str(each[name] or "") for name in names) for each in body["items"]]
    desk.table([f"column.job-{name}" for name in names], rows)
    if body["next_cursor"]:
        desk.note("credits.more", cursor=body["next_cursor"])


@app.command("show", cls=Page, help="help.job.show")
def show(ctx: typer.Context, id_: Id, book: Book = "live", as_json: Json = False) -> None:
    """Show a job."""
    desk = desk_of(ctx)
    asked = Asked(_ROUTES["GET", _ONE], {}, parts={"id": id_})
    _tell(desk, run_now(read(desk, book, asked)).body, as_json=as_json)


@app.command("retry", cls=Page, help="help.job.retry")
def retry(ctx: typer.Context, id_: Id, book: Book = "live", as_json: Json = False) -> None:
    """Let a job that is dead, was cancelled or has failed be tried now."""
    _change(ctx, "retry", id_, book, as_json=as_json)


@app.command("cancel", cls=Page, help="help.job.cancel")
def cancel(ctx: typer.Context, id_: Id, book: Book = "live", as_json: Json = False) -> None:
    """Keep a job from being done."""
    _change(ctx, "cancel", id_, book, as_json=as_json)


def _change(ctx: typer.Context, verb: str, id_: str, book: str, *, as_json: bool) -> None:
    desk = desk_of(ctx)
    asked = Asked(_ROUTES["POST", f"{_ONE}/{verb}"], {}, parts={"id": id_})
    _tell(desk, run_now(change(desk, book, asked)).body, as_json=as_json)


def _tell(desk: Desk, shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    desk.tell("job.shown", **{name: value or "" for name, value in shown.items()})
