"""Stock: how much there is, what is set aside for whom, and what has moved."""

import re
from typing import Final

from comptoir.domains.stock import overview, queries
from comptoir.domains.stock.model import MovementType, Product
from comptoir.flows import restocking
from comptoir.flows.restocking import Wanted
from comptoir.kit.ids import movement_name
from comptoir.store.pool import begin_brief
from comptoir.web.api.stock import StockMovementBody
from comptoir.web.complaints import Unfit
from comptoir.web.dashboard import tables
from comptoir.web.dashboard.deeds import deed, fit, till_of
from comptoir.web.dashboard.visits import HOME, Visit, acting, reading
from comptoir.web.pages.forms import go
from comptoir.web.pages.tables import number_of
from comptoir.web.replies import Reply, write_time

_STOCK: Final = f"{HOME}/stock"
_RESERVED: Final = 50
_QUANTITY: Final = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
_HEADINGS: Final = (
    "product", "name", "size", "on_hand", "held", "available", "threshold", "low",
)  # fmt: skip
_MOVED: Final = (
    "movement", "at", "product", "size", "type", "before", "change", "after", "reason", "reference",
)  # fmt: skip


async def stock(visit: Visit) -> Reply:
    """GET /dashboard/stock."""
    limit = tables.rows_of(visit)
    async with begin_brief(visit.call.app.pool) as tx:
        found = await queries.products(tx, visit.book, visit.query.get("after", ""), limit + 1)
        reserved, rest = await overview.reserved(tx, visit.book, None, _RESERVED)
    shown = found[:limit]
    more = visit.here(after=shown[-1].product) if len(found) > limit else ""
    if tables.wants_file(visit):
        rows = [row for each in shown for row in _rows(each)]
        return tables.file(visit, "stock", _HEADINGS, rows, more)
    return visit.page(
        "stock.html", found=shown, reserved=reserved, rest=rest, more=more, now=visit.call.now
    )  # fmt: skip


async def product(visit: Visit) -> Reply:
    """GET /dashboard/stock/{product}."""
    name, limit = visit.call.part("product"), tables.rows_of(visit)
    async with begin_brief(visit.call.app.pool) as tx:
        found = await queries.product(tx, visit.book, name)
        reserved, rest = await overview.reserved(tx, visit.book, name, _RESERVED)
        moved = await queries.movements(
            tx, visit.book, (name, visit.query.get("size")), _place(visit), limit + 1
        )
    shown = moved[:limit]
    last = shown[-1] if len(moved) > limit else None
    more = visit.here(after=f"{last.at}.{last.account}.{last.version}") if last else ""
    if tables.wants_file(visit):
        rows = (
            [
                movement_name(each.account, each.version), write_time(each.at), each.product,
                each.size, each.type.value, each.before, each.quantity, each.after, each.reason,
                each.reference,
            ]
            for each in shown
        )  # fmt: skip
        return tables.file(visit, "stock-movements", _MOVED, rows, more)
    return visit.page(
        "product.html", product=found, reserved=reserved, rest=rest, moved=shown, more=more,
        now=visit.call.now, name_of=movement_name,
    )  # fmt: skip


def _place(visit: Visit) -> tuple[int, int, int] | None:
    """The last movement that was seen."""
    said = visit.query.get("after", "").split(".")
    numbers = [number_of(each, -1) for each in said]
    if len(numbers) != 3 or -1 in numbers:  # noqa: PLR2004  # a time, an account and a version
        return None
    return numbers[0], numbers[1], numbers[2]


def _rows(of: Product) -> list[list[object]]:
    return [
        [
            of.product, of.name, each.size, each.stock, each.reserved, each.available, each.low_at,
            "yes" if each.is_low else "",
        ]
        for each in of.sizes
    ]  # fmt: skip


async def move(visit: Visit) -> Reply:
    """POST /dashboard/stock/{product}/move: what was delivered, or what was miscounted."""
    name, form = visit.call.part("product"), visit.form
    quantity = form.get("quantity", "").strip()
    if not _QUANTITY.fullmatch(quantity):
        raise Unfit.field("quantity", "field-invalid")
    type_ = {"receive": "restock", "adjust": "adjustment"}.get(form.get("what", ""), "")
    said = {
        "product": name, "size": form.get("size", ""), "type": type_, "quantity": int(quantity),
        "reason": form.get("reason", ""), "reference": form.get("reference") or None,
    }  # fmt: skip
    body = fit(StockMovementBody, said)
    figures = {"quantity": body.quantity, "type": body.type}
    line = deed(visit, "move-stock", f"stock:{name}:{body.size}", body.reason, said=figures)
    wanted = Wanted(
        name, body.size, MovementType(body.type), body.quantity, body.reason, body.reference,
        visit.key,
    )  # fmt: skip
    await restocking.move(till_of(visit, line), visit.book, wanted)
    return go(f"{_STOCK}/{name}?done=moved")


OPERATIONS: Final = (
    reading(_STOCK, stock),
    reading(f"{_STOCK}/{{product}}", product),
    acting(f"{_STOCK}/{{product}}/move", move),
)
