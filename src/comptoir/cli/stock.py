"""`comptoir stock`: what is sold in sizes, what moves it, orders, and files of it."""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final, Literal

import typer

from comptoir.cli import stock_files
from comptoir.cli.desk import Desk, desk_of, print_json
from comptoir.cli.opening import book_of, reading, run_now, writing
from comptoir.cli.options import Book, Json, Limit
from comptoir.cli.pages import Contents, Page
from comptoir.domains.stock.model import MovementType
from comptoir.kit.errors import Invalid
from comptoir.kit.ids import RANDOM_BYTES, uuid7
from comptoir.kit.limits import LIST_DEFAULT, LIST_MAX
from comptoir.library.answers_stock import Cleaned, Order, Product, StockMovement
from comptoir.library.asking import micros
from comptoir.library.entry import Comptoir
from comptoir.web.replies import write_time
from comptoir.web.words_payments import money

app = typer.Typer(cls=Contents)

_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,12})", re.ASCII)
_NAMED_AS_OPTIONS: Final = {"ignore_unknown_options": True}
"""So that -2 is a quantity."""

Key = Annotated[
    str | None, typer.Option("--idempotency-key", metavar="KEY", help="option.idempotency-key")
]
ProductName = Annotated[str, typer.Argument(metavar="PRODUCT", show_default=False)]
SizeName = Annotated[str, typer.Argument(metavar="SIZE", show_default=False)]

app.command("import", cls=Page, help="help.stock.import")(stock_files.import_)
app.command("export", cls=Page, help="help.stock.export")(stock_files.export)


@app.command("list", cls=Page, help="help.stock.list")
def list_(ctx: typer.Context, book: Book = "live", as_json: Json = False) -> None:
    """Show every size of every product, with what there is of it."""
    desk = desk_of(ctx)
    found = run_now(_products(desk, book))
    if as_json:
        print_json({"items": [_product(each) for each in found]})
        return
    rows = [
        (
            each.product, size.size, each.name, _money(desk, each.price.amount, each),
            *map(desk.say.number, (size.stock, size.reserved, size.available)),
            desk.say("stock.is-low") if size.is_low else "",
        )
        for each in found
        for size in each.sizes
    ]  # fmt: skip
    names = ("product", "size", "name", "price", "stock", "reserved", "available", "low")
    desk.table([f"column.{name}" for name in names], rows)


@app.command("put", cls=Page, help="help.stock.put")
def put(  # the fields of a product
    ctx: typer.Context,
    product: ProductName,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="option.product-name")],
    price: Annotated[str, typer.Option("--price", metavar="N", help="option.product-price")],
    sizes: Annotated[
        list[str], typer.Option("--size", metavar="SIZE:THRESHOLD", help="option.product-size")
    ],
    currency: Annotated[
        str, typer.Option("--currency", metavar="CODE", help="option.product-currency")
    ] = "eur",
    on_refund: Annotated[
        Literal["restock", "keep"], typer.Option("--on-refund", help="option.on-refund")
    ] = "restock",
    key: Key = None,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Sell a product from now on; sizes that are not named are sold no more."""
    desk = desk_of(ctx)
    wanted, amount = dict(map(_size, sizes)), _whole("--price", price)
    if len(wanted) < len(sizes):
        raise Invalid("repeated", field="--size")

    async def work() -> Product:
        async with _changing(desk, book) as books:
            return await books.stock.put(
                product, name=name, price=amount, currency=currency, sizes=wanted,
                on_refund=on_refund, idempotency_key=_key(desk, key),
            )  # fmt: skip

    made = run_now(work())
    if as_json:
        print_json(_product(made))
        return
    told = ", ".join(each.size for each in made.sizes)
    about = {"product": made.product, "name": made.name, "sizes": told}
    desk.tell("stock.was-put", price=_money(desk, made.price.amount, made), **about)


@app.command("move", cls=Page, help="help.stock.move", context_settings=_NAMED_AS_OPTIONS)
def move(  # the fields of a movement
    ctx: typer.Context,
    product: ProductName,
    size: SizeName,
    quantity: Annotated[str, typer.Argument(metavar="QUANTITY", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="option.reason")],
    type_: Annotated[
        Literal["restock", "return", "adjustment"], typer.Option("--type", help="option.stock-type")
    ] = "restock",
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="TEXT", help="option.reference")
    ] = None,
    key: Key = None,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Note what was delivered, what came back, or a miscount."""
    desk = desk_of(ctx)
    number = _whole("QUANTITY", quantity)
    named = _key(desk, key)

    async def work() -> StockMovement:
        async with _changing(desk, book) as books:
            return await books.stock.move(
                product, size, number, type=MovementType(type_), reason=reason,
                reference=reference, idempotency_key=named,
            )  # fmt: skip

    moved = run_now(work())
    if as_json:
        print_json({"movement": _movement(moved), "replayed": moved.replayed})
        return
    desk.tell(
        "stock.moved", product=moved.product, size=moved.size, quantity=f"{moved.quantity:+}",
        before=moved.stock_before, after=moved.stock_after,
    )  # fmt: skip


@app.command("movements", cls=Page, help="help.stock.movements")
def movements(
    ctx: typer.Context,
    product: Annotated[
        str | None, typer.Option("--product", metavar="PRODUCT", help="option.of-product")
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="SIZE", help="option.of-size")
    ] = None,
    limit: Limit = LIST_DEFAULT,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Show movements, the newest first."""
    desk = desk_of(ctx)

    async def work() -> Sequence[StockMovement]:
        async with _looking(desk, book) as books:
            return await books.stock.movements(product, size, limit=limit)

    found = run_now(work())
    if as_json:
        print_json({"items": [_movement(each) for each in found]})
        return
    rows = [
        (
            _time(each.at), each.product, each.size, desk.say(f"kind.stock-{each.type}"),
            f"{each.quantity:+}", str(each.stock_before), str(each.stock_after), each.reason or "",
            each.reference or "",
        )
        for each in found
    ]  # fmt: skip
    names = ("at", "product", "size", "kind", "quantity", "before", "after", "reason", "reference")
    desk.table([f"column.{name}" for name in names], rows)


@app.command("orders", cls=Page, help="help.stock.orders")
def orders(
    ctx: typer.Context,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="option.order-status")
    ] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="CUSTOMER", help="option.of-customer")
    ] = None,
    limit: Limit = LIST_DEFAULT,
    book: Book = "live",
    as_json: Json = False,
) -> None:
    """Show orders, the newest first."""
    desk = desk_of(ctx)

    async def work() -> Sequence[Order]:
        async with _looking(desk, book) as books:
            return await books.orders.list(status=status, customer=customer, limit=limit)

    found = run_now(work())
    if as_json:
        print_json({"items": [_order(each) for each in found]})
        return
    rows = [
        (
            str(each.id), each.order_number or "", desk.say(f"state.order-{each.status}"),
            each.customer or "", _goods(each), _sum(desk, each), _time(each.created_at),
        )
        for each in found
    ]  # fmt: skip
    names = ("id", "order-number", "order-status", "customer", "goods", "amount", "at")
    desk.table([f"column.{name}" for name in names], rows)


@app.command("expire", cls=Page, help="help.stock.expire")
def expire(ctx: typer.Context, book: Book = "live", as_json: Json = False) -> None:
    """Close orders and reservations whose time is over."""
    desk = desk_of(ctx)

    async def work() -> Cleaned:
        async with _looking(desk, book) as books:
            return await books.stock.expire()

    done = run_now(work())
    figures = {
        "examined": done.examined, "released": done.released, "captured": done.captured,
        "kept": done.kept,
    }  # fmt: skip
    if as_json:
        print_json(figures)
        return
    desk.tell("stock.expired", **figures)


@asynccontextmanager
async def _looking(desk: Desk, book: str) -> AsyncGenerator[Comptoir]:
    async with (
        reading(desk.settings()) as opened,
        Comptoir.on(opened, await book_of(opened, book)) as books,
    ):
        yield books


@asynccontextmanager
async def _changing(desk: Desk, book: str) -> AsyncGenerator[Comptoir]:
    async with (
        writing(desk.settings()) as opened,
        Comptoir.on(opened, await book_of(opened, book)) as books,
    ):
        yield books


async def _products(desk: Desk, book: str) -> list[Product]:
    found: list[Product] = []
    async with _looking(desk, book) as books:
        while True:  # bounded: each page begins after the last product of the one before
            after = found[-1].product if found else None
            page = await books.stock.products(after=after, limit=LIST_MAX)
            found.extend(page)
            if len(page) < LIST_MAX:
                return found


def _size(said: str) -> tuple[str, int]:
    """A size with the number at which it is low; 0 where none is said."""
    size, colon, low = said.partition(":")
    return size, _whole("--size", low) if colon else 0


def _whole(name: str, said: str) -> int:
    """A whole number. Typer would take 25.00 for one: a price of 25 cents."""
    if _WHOLE.fullmatch(said) is None:
        raise Invalid("int_type", field=name)
    return int(said)


def _key(desk: Desk, key: str | None) -> str:
    """The caller's key; or a new one, shown before anything may happen under it."""
    if key is None:
        key = str(uuid7(desk.clock(), desk.randomness(RANDOM_BYTES)))
        desk.note("credits.key", key=key)
    return key


def _money(desk: Desk, amount: int, of: Product) -> str:
    return money({"amount": amount, "currency": of.price.currency}, desk.say.locale)


def _sum(desk: Desk, of: Order) -> str:
    return money({"amount": of.amount, "currency": of.currency}, desk.say.locale)


def _goods(of: Order) -> str:
    return ", ".join(f"{each.quantity} {each.product} {each.size}" for each in of.items)


def _time(at: Any) -> str:  # noqa: ANN401  # checked below
    return write_time(micros(at))


def _product(of: Product) -> dict[str, object]:
    sizes = [
        {
            "size": each.size, "stock": each.stock, "reserved_stock": each.reserved,
            "available_stock": each.available, "low_stock_threshold": each.low_stock_threshold,
            "is_low_stock": each.is_low,
        }
        for each in of.sizes
    ]  # fmt: skip
    price = {"amount": of.price.amount, "currency": of.price.currency}
    return {
        "product": of.product, "name": of.name, "price": price, "on_refund": of.on_refund,
        "sizes": sizes,
    }  # fmt: skip


def _movement(of: StockMovement) -> dict[str, object]:
    return {
        "id": of.id, "product": of.product, "size": of.size, "type": of.type,
        "quantity": of.quantity, "stock_before": of.stock_before, "stock_after": of.stock_after,
        "reason": of.reason, "reference": of.reference, "order_reference": of.order_reference,
        "date": _time(of.at),
    }  # fmt: skip


def _order(of: Order) -> dict[str, object]:
    items = [
        {
            "product": each.product, "size": each.size, "quantity": each.quantity,
            "unit_amount": each.unit_amount, "amount": each.quantity * each.unit_amount,
            "returned": each.returned,
        }
        for each in of.items
    ]  # fmt: skip
    return {
        "id": str(of.id), "order_number": of.order_number, "status": of.status,
        "customer": of.customer, "email": of.email, "items": items, "amount": of.amount,
        "currency": of.currency, "payment_intent": of.payment_intent,
        "created_at": _time(of.created_at), "expires_at": _time(of.expires_at),
        "paid_at": None if of.paid_at is None else _time(of.paid_at),
        "fulfilled_at": None if of.fulfilled_at is None else _time(of.fulfilled_at),
    }  # fmt: skip
