"""`comptoir pack`: what is for sale, from a versioned file, here and at Stripe."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from comptoir.cli.asking import read
from comptoir.cli.desk import Desk, desk_of, print_json
from comptoir.cli.front import Asked
from comptoir.cli.opening import book_of, reading, run_now, writing
from comptoir.cli.options import Book, Json
from comptoir.cli.pages import Contents, Page
from comptoir.flows import stocking
from comptoir.flows.stocking import Pushed, Seeded
from comptoir.web.api import billing, selling
from comptoir.web.words_payments import money

app = typer.Typer(cls=Contents)

_ROUTES: Final = {
    (each.method, each.path): each for each in (*selling.OPERATIONS, *billing.OPERATIONS)
}
_PACKS: Final = "/api/credits/packs"
_PLANS: Final = "/api/billing/plans"

File = Annotated[Path | None, typer.Argument(metavar="[FILE]", show_default=False)]


@app.command("seed", cls=Page, help="help.pack.seed")
def seed(ctx: typer.Context, file: File = None, book: Book = "live", as_json: Json = False) -> None:
    """Sell what a file says, Comptoir's own by default; twice the same changes nothing."""
    desk = desk_of(ctx)
    catalogue = stocking.read(file)
    changed = run_now(_seed(desk, book, catalogue)).changed
    if as_json:
        print_json({"version": catalogue.version, "changed": changed})
        return
    for each in changed:
        desk.tell("pack.seeded", item=each)
    key = "pack.all-seeded" if changed else "pack.nothing-seeded"
    desk.note(key, version=catalogue.version, count=desk.say.number(len(changed)))


@app.command("push", cls=Page, help="help.pack.push")
def push(ctx: typer.Context, book: Book = "live", as_json: Json = False) -> None:
    """Make products and prices at Stripe for what is for sale; what is there stays."""
    desk = desk_of(ctx)
    pushed = run_now(_push(desk, book))
    if as_json:
        print_json({"items": [_pushed(each) for each in pushed]})
        return
    rows = [
        (
            each.item,
            money({"amount": each.amount, "currency": each.currency}, desk.say.locale),
            each.price,
            desk.say("pack.is-new" if each.is_new else "pack.was-there"),
        )
        for each in pushed
    ]
    desk.table(("column.item", "column.price", "column.at-stripe", "column.found"), rows)


@app.command("list", cls=Page, help="help.pack.list")
def list_(ctx: typer.Context, book: Book = "live", as_json: Json = False) -> None:
    """Show packs and plans, with their prices, with and without tax where one is said."""
    desk = desk_of(ctx)
    packs = run_now(read(desk, book, Asked(_ROUTES["GET", _PACKS], {}))).body["items"]
    plans = run_now(read(desk, book, Asked(_ROUTES["GET", _PLANS], {}))).body["items"]
    if as_json:
        print_json({"packs": packs, "plans": plans})
        return
    rows = [
        (f"pack:{each['id']}", f"{each['credits']} {each['asset']}", *_price(desk, each))
        for each in packs
    ]
    rows += [
        (f"plan:{plan['plan']}:{each['interval']}", _given(desk, plan), *_price(desk, each))
        for plan in plans
        for each in plan["prices"]
    ]
    headings = ("item", "gives", "price", "without-tax", "with-tax")
    desk.table([f"column.{name}" for name in headings], rows)


async def _seed(desk: Desk, book: str, catalogue: stocking.Catalogue) -> Seeded:
    async with writing(desk.settings()) as opened:
        return await stocking.seed(opened.till, await book_of(opened, book), catalogue)


async def _push(desk: Desk, book: str) -> list[Pushed]:
    async with reading(desk.settings()) as opened:
        return await stocking.push(opened.till, await book_of(opened, book))


def _pushed(of: Pushed) -> dict[str, object]:
    return {
        "item": of.item,
        "provider_price": of.price,
        "price": {"amount": of.amount, "currency": of.currency},
        "new": of.is_new,
    }


def _price(desk: Desk, of: dict[str, Any]) -> tuple[str, str, str]:
    """The price, and what it is without and with its tax; empty where nobody has said one."""
    price, tax, locale = of["price"], of["tax"], desk.say.locale
    shown = money(price, locale)
    if tax is None:
        return shown, "", ""
    without = money({**price, "amount": tax["without_tax"]}, locale)
    with_ = money({**price, "amount": tax["with_tax"]}, locale)
    return shown, without, f"{with_} ({tax['percent']} %)"


def _given(desk: Desk, plan: dict[str, Any]) -> str:
    return ", ".join(
        desk.say("pack.each-month", amount=each["amount"], asset=each["asset"])
        for each in plan["allowances"]
    )
