"""`comptoir key`: API keys, made, listed, rotated and revoked, with the server running or not."""

from typing import Annotated, Final, Literal
from uuid import UUID

import typer

from comptoir.app import App
from comptoir.cli.asking import change
from comptoir.cli.desk import Desk, desk_of, print_json
from comptoir.cli.front import Asked
from comptoir.cli.opening import book_of, reading, run_now
from comptoir.cli.pages import Contents, Page
from comptoir.domains.identity import queries
from comptoir.domains.identity.commands import NewKey, add_key, revoke_key
from comptoir.domains.identity.model import Key, write_key
from comptoir.kit.actor import Role
from comptoir.kit.errors import NotFound
from comptoir.kit.ids import uuid7
from comptoir.kit.limits import DAY, LIST_MAX, OVERLAP_SECONDS, OVERLAP_SECONDS_MAX
from comptoir.store.pool import begin
from comptoir.web import views
from comptoir.web.api.identity import OPERATIONS
from comptoir.web.replies import write_moment

app = typer.Typer(cls=Contents)

_ROUTES: Final = {(each.method, each.path): each for each in OPERATIONS}
_ALL: Final = "/api/keys"
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 10


KeyRole = Literal["operator", "service"]
BookOption = Annotated[str, typer.Option("--book", metavar="live|test", help="option.book")]
ExpiresAt = Annotated[
    str | None, typer.Option("--expires-at", metavar="TIME", help="option.key-expires-at")
]
IdempotencyKey = Annotated[
    str | None,
    typer.Option("--idempotency-key", metavar="KEY", help="option.idempotency-key"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="option.json")]


@app.command("create", cls=Page, help="help.key.create")
def create(
    ctx: typer.Context,
    role: Annotated[KeyRole, typer.Option("--role", help="option.role", show_default=False)],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="option.key-name")],
    book: BookOption = "live",
    expires_in: Annotated[
        int | None,
        typer.Option("--expires-in", metavar="DAYS", min=1, max=36_500, help="option.expires-in"),
    ] = None,
    expires_at: ExpiresAt = None,
    key: IdempotencyKey = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key; its text is shown this once."""
    desk = desk_of(ctx)
    if expires_in is not None and expires_at is None:
        expires_at = write_moment(desk.clock() + expires_in * DAY)
    fields = {"role": role, "name": name, "expires_at": expires_at}
    made = run_now(change(desk, book, Asked(_ROUTES["POST", _ALL], fields, key or ""))).body
    if as_json:
        print_json(made)
        return
    print(made["key"])
    desk.note("key.created", role=role, book=book)


@app.command("rotate", cls=Page, help="help.key.rotate")
def rotate(
    ctx: typer.Context,
    id_: Annotated[str, typer.Option("--id", metavar="ID", help="option.key-id")],
    overlap: Annotated[
        int,
        typer.Option(
            "--overlap-seconds", metavar="N", min=0, max=OVERLAP_SECONDS_MAX, help="option.overlap"
        ),
    ] = OVERLAP_SECONDS,
    expires_at: ExpiresAt = None,
    book: BookOption = "live",
    key: IdempotencyKey = None,
    as_json: JsonOption = False,
) -> None:
    """Replace a key by a new one, whose text is shown this once."""
    desk = desk_of(ctx)
    fields = {"overlap_seconds": overlap, "expires_at": expires_at}
    asked = Asked(_ROUTES["POST", f"{_ALL}/{{id}}/rotate"], fields, key or "", {"id": id_})
    made = run_now(change(desk, book, asked)).body
    if as_json:
        print_json(made)
        return
    print(made["key"])
    old = made["replaced"]
    desk.note("key.rotated", at=old["revoked_at"] or old["expires_at"])


@app.command("list", cls=Page, help="help.key.list")
def list_(ctx: typer.Context, book: BookOption = "live", as_json: JsonOption = False) -> None:
    """Show the keys of a book, without their secrets."""
    desk = desk_of(ctx)
    keys = run_now(_all(desk, book))
    if as_json:
        print_json(
            {"items": [views.key(key, {key.book: book}) for key in keys], "next_cursor": None}
        )
        return
    headings = ("column.id", "column.role", "column.name", "column.key", "column.used")
    rows = [(str(key.id), key.role.value, key.name, key.hint, _state(desk, key)) for key in keys]
    desk.table(headings, rows)


@app.command("revoke", cls=Page, help="help.key.revoke")
def revoke(
    ctx: typer.Context,
    id_: Annotated[str, typer.Option("--id", metavar="ID", help="option.key-id")],
    book: BookOption = "live",
    as_json: JsonOption = False,
) -> None:
    """Let a key open nothing any more."""
    desk = desk_of(ctx)
    key = run_now(_revoke(desk, book, id_))
    if as_json:
        print_json(views.key(key, {key.book: book}))
        return
    desk.tell("key.revoked", name=key.name, hint=key.hint)


async def make_key(
    app: App, book: int, role: Role, name: str, expires_at: int | None = None
) -> tuple[str, Key]:
    """Add a key to a book; returns its text, which is kept nowhere, and what is kept of it."""
    text = write_key(book, role, app.randomness(_SECRET_BYTES))
    new = NewKey(uuid7(app.clock(), app.randomness(_ID_BYTES)), book, role, name, text, expires_at)
    async with begin(app.pool) as tx:
        return text, await add_key(tx, new)


async def _all(desk: Desk, book: str) -> list[Key]:
    async with reading(desk.settings()) as opened:
        number = await book_of(opened, book)
        found: list[Key] = []
        async with begin(opened.pool) as tx:
            page = await queries.keys(tx, number, queries.FIRST_KEY, LIST_MAX)
            while page:  # ends with the last key of the book
                found.extend(page)
                page = await queries.keys(tx, number, page[-1].id, LIST_MAX)
    return found


async def _revoke(desk: Desk, book: str, id_: str) -> Key:
    try:
        named = UUID(id_)
    except ValueError:
        raise NotFound("unknown-key") from None
    async with reading(desk.settings()) as opened:
        number = await book_of(opened, book)
        async with begin(opened.pool) as tx:
            return await revoke_key(tx, number, named)


def _state(desk: Desk, key: Key) -> str:
    if key.revoked_at is not None:
        return desk.say("key.is-revoked", at=write_moment(key.revoked_at))
    if not key.is_usable(desk.clock()):
        return desk.say("key.is-expired", at=write_moment(key.expires_at))
    if key.last_used_at is None:
        return desk.say("key.is-unused")
    return desk.say("key.was-used", at=write_moment(key.last_used_at))
