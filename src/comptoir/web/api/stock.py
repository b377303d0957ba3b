"""Products in sizes, what there is of them, and what has moved."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from comptoir.domains.stock import commands, queries
from comptoir.domains.stock.commands import SizeTerms, Terms
from comptoir.domains.stock.model import (
    ASSET,
    NAME_PATTERN,
    QUANTITY,
    Movement,
    MovementType,
    OnRefund,
    Product,
)
from comptoir.flows import restocking
from comptoir.flows.restocking import Wanted
from comptoir.kit.errors import NotFound
from comptoir.kit.ids import movement_name
from comptoir.kit.limits import PRINTABLE
from comptoir.store.pool import begin
from comptoir.web import shapes_stock as shapes
from comptoir.web import wire
from comptoir.web.api.payments import Currency, Money
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.cursors import read_cursor, write_cursor
from comptoir.web.replies import PRIVATE, REPLAYED, Reply, ok, write_time
from comptoir.web.routing import EVERYBODY, OPERATORS, Operation
from comptoir.web.shapes import Listed

SIZES: Final = 200
"""Of a product at most."""

_NAME: Final = re.compile(NAME_PATTERN, re.ASCII)
_SIZE_PATTERN: Final = PRINTABLE.replace("]+$", ":]{1,40}$")
"""A size is a part of the name of its account, which a colon would end."""

ProductName = Annotated[str, wire.text(64), Field(examples=["TEE"])]
SizeName = Annotated[str, wire.text(40), Field(examples=["M"])]
Quantity = Annotated[int, Field(ge=1, le=QUANTITY, examples=[1])]


class SizeBody(wire.Wire):
    """A size that is sold, and at what number it is low."""

    size: Annotated[str, StringConstraints(pattern=_SIZE_PATTERN), Field(examples=["M"])]
    low_stock_threshold: Annotated[int, Field(ge=0, le=10**12, examples=[5])] = 0


class PriceOfOneBody(wire.Wire):
    """What one costs, in minor units."""

    amount: Money
    currency: Currency


class ProductBody(wire.Wire):
    """On what terms a product is sold from now on. Sizes that are not named are sold no more."""

    name: wire.Name
    price: PriceOfOneBody
    sizes: Annotated[list[SizeBody], Field(max_length=SIZES)]
    on_refund: Annotated[
        Literal["restock", "keep"],
        Field(description="What becomes of goods whose money goes back before they were sent."),
    ] = "restock"


class StockMovementBody(wire.Wire):
    """What is delivered, what comes back, or what was miscounted."""

    product: ProductName
    size: SizeName
    type: Literal["restock", "return", "adjustment"]
    quantity: Annotated[
        int,
        Field(
            ge=-QUANTITY,
            le=QUANTITY,
            examples=[10],
            description="Below zero for an adjustment alone.",
            json_schema_extra={"not": {"const": 0}},
        ),
    ]
    reason: Annotated[wire.Reason, Field(examples=["Delivery 18"])]
    reference: wire.Reference | None = None


class StockMovementsQuery(wire.Page):
    """Of what."""

    product: ProductName | None = None
    size: SizeName | None = None


async def put_product(call: Call, body: ProductBody) -> Reply:
    """PUT /api/stock/products/{product}."""
    app, book, product = call.app, call.actor.book, call.part("product")
    if not _NAME.fullmatch(product):
        raise Unfit.field("product", "string_pattern_mismatch")
    sizes = [SizeTerms(each.size, each.low_stock_threshold) for each in body.sizes]
    if len({each.size for each in sizes}) < len(sizes):
        raise Unfit.field("sizes", "size-repeated")
    asset = await app.directory.asset(book, ASSET)
    terms = Terms(
        product, body.name, body.price.amount, body.price.currency, OnRefund(body.on_refund), sizes
    )
    async with begin(app.pool) as tx:
        await commands.put_product(tx, book, asset.id, terms)
        found = await queries.product(tx, book, product)
    app.till.shelf.forget()
    return ok(_product(found))


async def products(call: Call, query: wire.Page) -> Reply:
    """GET /api/stock/products: by name."""
    position: Any = read_cursor(call, "products", query.cursor)
    after = position[0] if position else ""
    async with begin(call.app.pool) as tx:
        found = await queries.products(tx, call.actor.book, after, query.limit + 1)
    page = found[: query.limit]
    more = len(found) > len(page)
    following = write_cursor(call, "products", [page[-1].product]) if more else None
    return ok({"items": [_product(each) for each in page], "next_cursor": following}, PRIVATE)


async def product(call: Call) -> Reply:
    """GET /api/stock/products/{product}."""
    name = call.part("product")
    if not _NAME.fullmatch(name):
        raise NotFound("unknown-product", product=name)
    async with begin(call.app.pool) as tx:
        return ok(_product(await queries.product(tx, call.actor.book, name)), PRIVATE)


async def move(call: Call, body: StockMovementBody) -> Reply:
    """POST /api/stock/movements."""
    wanted = Wanted(
        body.product, body.size, MovementType(body.type), body.quantity, body.reason,
        body.reference, call.key,
    )  # fmt: skip
    moved = await restocking.move(call.app.till, call.actor.book, wanted)
    headers = (REPLAYED,) if moved.replayed else ()
    return ok({"movement": _movement(moved.movement)}, *headers, status=201)


async def movements(call: Call, query: StockMovementsQuery) -> Reply:
    """GET /api/stock/movements: the newest first."""
    of = f"movements\n{query.product}\n{query.size}"
    position: Any = read_cursor(call, of, query.cursor)
    before = (position[0], position[1], position[2]) if position else None
    async with begin(call.app.pool) as tx:
        found = await queries.movements(
            tx, call.actor.book, (query.product, query.size), before, query.limit + 1
        )
    page = found[: query.limit]
    following = None
    if len(found) > len(page):
        last = page[-1]
        following = write_cursor(call, of, [last.at, last.account, last.version])
    return ok({"items": [_movement(each) for each in page], "next_cursor": following}, PRIVATE)


def _product(of: Product) -> dict[str, Any]:
    return {
        "product": of.product,
        "name": of.name,
        "price": {"amount": of.amount, "currency": of.currency},
        "on_refund": of.on_refund.value,
        "sizes": [
            {
                "size": each.size,
                "stock": each.stock,
                "reserved_stock": each.reserved,
                "available_stock": each.available,
                "low_stock_threshold": each.low_at,
                "is_low_stock": each.is_low,
            }
            for each in of.sizes
        ],
    }


def _movement(of: Movement) -> dict[str, Any]:
    return {
        "id": movement_name(of.account, of.version),
        "product": of.product,
        "size": of.size,
        "type": of.type.value,
        "quantity": of.quantity,
        "stock_before": of.before,
        "stock_after": of.after,
        "reason": of.reason,
        "reference": of.reference,
        "order_reference": of.order_reference,
        "date": write_time(of.at),
    }


_PRODUCT: Final[dict[str, dict[str, Any]]] = {
    "product": {"type": "string", "pattern": NAME_PATTERN, "examples": ["TEE"]}
}

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/stock/products",
        handler=products,
        summary=("List products", "Lister les produits"),
        tag="stock",
        roles=EVERYBODY,
        guests=True,
        query=wire.Page,
        answer=Listed[shapes.ProductShape],
        codes=("cursor-invalid",),
    ),
    Operation(
        method="GET",
        path="/api/stock/products/{product}",
        handler=product,
        summary=("Read a product", "Lire un produit"),
        tag="stock",
        roles=EVERYBODY,
        guests=True,
        parts=_PRODUCT,
        answer=shapes.ProductShape,
        codes=("unknown-product",),
    ),
    Operation(
        method="PUT",
        path="/api/stock/products/{product}",
        handler=put_product,
        summary=("Sell a product in sizes", "Vendre un produit en tailles"),
        tag="stock",
        roles=OPERATORS,
        body=ProductBody,
        parts=_PRODUCT,
        answer=shapes.ProductShape,
        ask={
            "name": "T-shirt", "price": {"amount": 2500, "currency": "eur"},
            "sizes": [{"size": "M", "low_stock_threshold": 5}],
        },
    ),
    Operation(
        method="POST",
        path="/api/stock/movements",
        handler=move,
        keyed=True,
        summary=("Move stock", "Enregistrer un mouvement de stock"),
        tag="stock",
        roles=OPERATORS,
        body=StockMovementBody,
        status=201,
        answer=shapes.StockMovedShape,
        codes=(
            "unknown-product", "unknown-size", "insufficient-stock", "idempotency-key-reused",
            "movement-refused",
        ),
        headers={"Idempotent-Replayed": "true when the answer is a stored one"},
        ask={
            "product": "TEE", "size": "M", "type": "restock", "quantity": 10,
            "reason": "Delivery 18",
        },
    ),
    Operation(
        method="GET",
        path="/api/stock/movements",
        handler=movements,
        summary=("List movements of stock", "Lister les mouvements de stock"),
        tag="stock",
        roles=OPERATORS,
        query=StockMovementsQuery,
        answer=Listed[shapes.StockMovementShape],
        codes=("cursor-invalid",),
    ),
)  # fmt: skip
