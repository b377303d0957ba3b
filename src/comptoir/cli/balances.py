"""`comptoir credits`: balances and what changes them, straight on the database.

Every option is a field of the HTTP API with the same name, limits and meaning.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import typer

from comptoir.cli import importing
from comptoir.cli.asking import change, read, refused
from comptoir.cli.desk import Desk, Exit, desk_of, print_json
from comptoir.cli.front import Asked
from comptoir.cli.opening import run_now
from comptoir.cli.options import Book, Cursor, Json, Limit
from comptoir.cli.pages import Contents, Page
from comptoir.kit.ids import uuid7
from comptoir.web.api import credits as verbs
from comptoir.web.api import explaining
from comptoir.web.api import reading as readers

app = typer.Typer(cls=Contents)
app.command("import", cls=Page, help="help.credits.import")(importing.import_)

_KEY_BYTES: Final = 10
_ROUTES: Final = {
    (each.method, each.path): each
    for each in (*verbs.OPERATIONS, *readers.OPERATIONS, *explaining.OPERATIONS)
}

Customer = Annotated[str, typer.Option("--customer", metavar="ID", help="option.customer")]
Amount = Annotated[str, typer.Option("--amount", metavar="N", help="option.amount")]
SomeAmount = Annotated[str | None, typer.Option("--amount", metavar="N", help="option.amount")]
Action = Annotated[str | None, typer.Option("--action", metavar="NAME", help="option.action")]
Quantity = Annotated[int | None, typer.Option("--quantity", metavar="N", help="option.quantity")]
Asset = Annotated[str | None, typer.Option("--asset", metavar="CODE", help="option.asset")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="option.reason")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="option.reason")]
Reference = Annotated[
    str | None, typer.Option("--reference", metavar="TEXT", help="option.reference")
]
Model = Annotated[str | None, typer.Option("--model", metavar="NAME", help="option.model")]
Cost = Annotated[str | None, typer.Option("--cost", metavar="N", help="option.cost")]
HoldId = Annotated[str, typer.Option("--hold", metavar="ID", help="option.hold")]
Key = Annotated[
    str | None,
    typer.Option("--idempotency-key", metavar="KEY", help="option.idempotency-key"),
]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="option.at")]
Excess = Literal["refuse", "cap", "debt"]


@app.command("grant", cls=Page, help="help.credits.grant")
def grant(
    ctx: typer.Context,
    customer: Customer,
    amount: Amount,
    reason: Why,
    reference: Reference = None,
    expires_at: Annotated[
        str | None, typer.Option("--expires-at", metavar="TIME", help="option.expires-at")
    ] = None,
    priority: Annotated[
        int | None, typer.Option("--priority", metavar="N", help="option.priority")
    ] = None,
    asset: Asset = None,
    key: Key = None,
    book: Book = "live",
    as_json: Json = False,
) -> Exit:
    """Give credits."""
    fields: dict[str, object] = {
        "customer": customer,
        "amount": amount,
        "reason": reason,
        "reference": reference,
        "expires_at": expires_at,
        "priority": priority,
        "asset": asset,
    }
    return _write(desk_of(ctx), book, _asked("/api/credits/grant", fields, key), as_json=as_json)


@app.command("spend", cls=Page, help="help.credits.spend")
def spend(
    ctx: typer.Context,
    customer: Customer,
    amount: SomeAmount = None,
    action: Action = None,
    quantity: Quantity = None,
    reason: Reason = None,
    reference: Reference = None,
    model: Model = None,
    cost: Cost = None,
    asset: Asset = None,
    key: Key = None,
    book: Book = "live",
    as_json: Json = False,
) -> Exit:
    """Take credits for good."""
    fields: dict[str, object] = {
        "customer": customer,
        "amount": amount,
        "action": action,
        "quantity": quantity,
        "reason": reason,
        "reference": reference,
        "model": model,
        "cost": cost,
        "asset": asset,
    }
    return _write(desk_of(ctx), book, _asked("/api/credits/spend", fields, key), as_json=as_json)


@app.command("hold", cls=Page, help="help.credits.hold")
def hold(
    ctx: typer.Context,
    customer: Customer,
    ttl_seconds: Annotated[int, typer.Option("--ttl-seconds", metavar="N", help="option.ttl")],
    amount: SomeAmount = None,
    action: Action = None,
    quantity: Quantity = None,
    on_excess: Annotated[Excess, typer.Option("--on-excess", help="option.on-excess")] = "refuse",
    reason: Reason = None,
    reference: Reference = None,
    asset: Asset = None,
    key: Key = None,
    book: Book = "live",
    as_json: Json = False,
) -> Exit:
    """Set credits aside."""
    fields: dict[str, object] = {
        "customer": customer,
        "ttl_seconds": ttl_seconds,
        "amount": amount,
        "action": action,
        "quantity": quantity,
        "on_excess": on_excess,
        "reason": reason,
        "reference": reference,
        "asset": asset,
    }
    return _write(desk_of(ctx), book, _asked("/api/credits/holds", fields, key), as_json=as_json)


@app.command("capture", cls=Page, help="help.credits.capture")
def capture(
    ctx: typer.Context,
    hold_id: HoldId,
    amount: SomeAmount = None,
    keep_open: Annotated[bool, typer.Option("--keep-open", help="option.keep-open")] = False,
    reason: Reason = None,
    reference: Reference = None,
    model: Model = None,
    cost: Cost = None,
    key: Key = None,
    book: Book = "live",
    as_json: Json = False,
) -> Exit:
    """Take what a hold set aside."""
    fields: dict[str, object] = {
        "amount": amount,
        "final": False if keep_open else None,
        "reason": reason,
        "reference": reference,
        "model": model,
        "cost": cost,
    }
    asked = _asked("/api/credits/holds/{hold}/capture", fields, key, hold_id)
    return _write(desk_of(ctx), book, asked, as_json=as_json)


@app.command("release", cls=Page, help="help.credits.release")
def release(
    ctx: typer.Context,
    hold_id: HoldId,
    reason: Reason = None,
    reference: Reference = None,
    key: Key = None,
    book: Book = "live",
    as_json: Json = False,
) -> Exit:
    """Give back what a hold set aside."""
    fields: dict[str, object] = {"reason": reason, "reference": reference}
    asked = _asked("/api/credits/holds/{hold}/release", fields, key, hold_id)
    return _write(desk_of(ctx), book, asked, as_json=as_json)


@app.command("balance", cls=Page, help="help.credits.balance")
def balance(
    ctx: typer.Context,
    customer: Customer,
    at: At = None,
    asset: Asset = None,
    book: Book = "live",
    as_json: Json = False,
) -> Exit:
    """Show a balance."""
    desk = desk_of(ctx)
    asked = _query("/api/credits/balance", {"customer": customer, "asset": asset, "at": at})
    answered = run_now(read(desk, book, asked))
    if answered.refusal is not None:
        return refused(answered)
    if as_json:
        print_json(answered.body)
        return Exit.DONE
    desk.tell("credits.balance", **_figures(answered.body))
    if answered.body["low"]:
        desk.tell("credits.low")
    return Exit.DONE


@app.command("transactions", cls=Page, help="help.credits.transactions")
def movements(
    ctx: typer.Context,
    customer: Customer,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="option.kind")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="option.from")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="option.to")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    asset: Asset = None,
    book: Book = "live",
    as_json: Json = False,
) -> Exit:
    """Show the movements of a balance, newest first."""
    fields: dict[str, object] = {
        "customer": customer,
        "kind": kind,
        "from": since,
        "to": until,
        "limit": limit,
        "cursor": cursor,
        "asset": asset,
    }
    columns = ("at", "kind", "amount", "after", "reason")
    asked = _query("/api/credits/transactions", fields)
    return _list(desk_of(ctx), book, asked, columns, as_json=as_json)


@app.command("lots", cls=Page, help="help.credits.lots")
def lots(
    ctx: typer.Context,
    customer: Customer,
    limit: Limit = 20,
    cursor: Cursor = None,
    asset: Asset = None,
    book: Book = "live",
    as_json: Json = False,
) -> Exit:
    """Show what a balance is made of, in the order in which it is spent."""
    fields: dict[str, object] = {
        "customer": customer,
        "limit": limit,
        "cursor": cursor,
        "asset": asset,
    }
    columns = ("id", "source", "granted", "left", "pinned", "priority", "expires_at")
    asked = _query("/api/credits/lots", fields)
    return _list(desk_of(ctx), book, asked, columns, as_json=as_json)


@app.command("explain", cls=Page, help="help.credits.explain")
def explain(
    ctx: typer.Context,
    customer: Customer,
    at: At = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    asset: Asset = None,
    book: Book = "live",
    as_json: Json = False,
) -> Exit:
    """Say why a balance is what it is."""
    desk = desk_of(ctx)
    fields: dict[str, object] = {
        "customer": customer,
        "at": at,
        "limit": limit,
        "cursor": cursor,
        "asset": asset,
    }
    answered = run_now(read(desk, book, _query("/api/ledger/explain", fields)))
    if answered.refusal is not None:
        return refused(answered)
    if as_json:
        print_json(answered.body)
        return Exit.DONE
    _explained(desk, answered.body)
    return Exit.DONE


def _explained(desk: Desk, body: dict[str, Any]) -> None:
    desk.tell("explain.at", at=body["at"])
    desk.tell("credits.balance", **_figures(body["balance"]))
    if body["lots"]:
        desk.tell("explain.lots")
        names = ("id", "source", "granted", "left", "pinned", "expires_at", "reason", "reference")
        _table(desk, names, body["lots"])
    if body["holds"]:
        desk.tell("explain.holds")
        names = ("id", "amount", "captured", "expires_at", "reason", "reference")
        _table(desk, names, body["holds"])
    if body["holds_left_out"]:
        desk.tell("explain.more-holds", count=desk.say.number(body["holds_left_out"]))
    if not body["movements"]:
        desk.tell("explain.nothing")
        return
    ends = {"opening": body["opening_balance"], "closing": body["closing_balance"]}
    desk.tell("explain.movements", **ends)
    _table(desk, ("at", "amount", "text"), body["movements"])
    if body["next_cursor"] is not None:
        desk.note("credits.more", cursor=body["next_cursor"])


def _table(desk: Desk, names: Sequence[str], items: Sequence[dict[str, Any]]) -> None:
    rows = [[_cell(desk, name, item[name]) for name in names] for item in items]
    desk.table([f"column.{name}" for name in names], rows)


def _asked(
    path: str, fields: dict[str, object], key: str | None, hold_id: str | None = None
) -> Asked:
    parts = {} if hold_id is None else {"hold": hold_id}
    return Asked(_ROUTES["POST", path], fields, key or "", parts)


def _query(path: str, fields: dict[str, object]) -> Asked:
    return Asked(_ROUTES["GET", path], fields)


def _write(desk: Desk, book: str, asked: Asked, *, as_json: bool) -> Exit:
    """Ask for a change, under a key that is shown before anything may happen under it."""
    if not asked.key:
        asked = replace(asked, key=str(uuid7(desk.clock(), desk.randomness(_KEY_BYTES))))
        desk.note("credits.key", key=asked.key)
    answered = run_now(change(desk, book, asked))
    if answered.refusal is not None:
        return refused(answered)
    if as_json:
        print_json(answered.body)
        return Exit.DONE
    figures = _figures(answered.body["balance"])
    if "movement" in answered.body:
        movement = answered.body["movement"]
        kind = desk.say(f"kind.{movement['kind']}")
        desk.tell("credits.moved", kind=kind, amount=movement["amount"], **figures)
    else:
        held = answered.body["hold"]
        state = desk.say(f"state.{held['state']}")
        desk.tell("credits.held", id=held["id"], state=state, **figures)
    return Exit.DONE


def _list(desk: Desk, book: str, asked: Asked, columns: Sequence[str], *, as_json: bool) -> Exit:
    answered = run_now(read(desk, book, asked))
    if answered.refusal is not None:
        return refused(answered)
    if as_json:
        print_json(answered.body)
        return Exit.DONE
    _table(desk, columns, answered.body["items"])
    if answered.body["next_cursor"] is not None:
        desk.note("credits.more", cursor=answered.body["next_cursor"])
    return Exit.DONE


def _cell(desk: Desk, column: str, value: Any) -> str:  # noqa: ANN401  # whatever JSON holds
    if value is None:
        return ""
    return desk.say(f"kind.{value}") if column == "kind" else str(value)


def _figures(balance_shown: dict[str, Any]) -> dict[str, object]:
    owner = balance_shown.get("customer") or balance_shown.get("account")
    return {**balance_shown, "owner": owner}
