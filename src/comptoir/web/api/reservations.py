"""Stock that is set aside: for callers who sell by themselves, and what becomes of it all."""

from typing import Annotated, Any, Final

from pydantic import Field

from comptoir.domains.stock import queries
from comptoir.domains.stock.model import LINES, Item, Order, Origin
from comptoir.flows import closing, reserving
from comptoir.flows.reserving import MINUTES_MOST, Wanted
from comptoir.kit.errors import NotFound
from comptoir.store.pool import begin
from comptoir.web import shapes_stock as shapes
from comptoir.web import wire
from comptoir.web.api.selling import PART, named
from comptoir.web.api.stock import ProductName, Quantity, SizeName
from comptoir.web.call import Call
from comptoir.web.replies import PRIVATE, REPLAYED, Reply, ok, write_moment, write_time
from comptoir.web.routing import OPERATORS, SERVERS, Operation


class ItemBody(wire.Wire):
    """So much of a size."""

    product: ProductName
    size: SizeName
    quantity: Quantity


Items = Annotated[list[ItemBody], Field(min_length=1, max_length=LINES)]


class ReserveStockBody(wire.Wire):
    """What is set aside: all of it or nothing."""

    items: Items
    reference: wire.Reference
    minutes: Annotated[int | None, Field(ge=1, le=MINUTES_MOST, examples=[30])] = None


class CommitStockBody(wire.Wire):
    """Under what number it was sold."""

    order_number: Annotated[str, wire.text(100), Field(examples=["ORD-2026-000001"])]


def read_items(items: list[ItemBody]) -> list[Item]:
    """What somebody wants, as the shelf knows it."""
    return [Item(each.product, each.size, each.quantity) for each in items]


async def reserve(call: Call, body: ReserveStockBody) -> Reply:
    """POST /api/stock/reservations."""
    key = call.key or str(call.app.new_id())
    wanted = Wanted(read_items(body.items), body.reference, body.minutes, key)
    made = await reserving.reserve(call.app.till, call.actor.book, wanted)
    content = {"reservation": str(made.id), "expires_at": write_time(made.expires_at)}
    return ok(content, *((REPLAYED,) if made.replayed else ()), status=201)


async def read(call: Call) -> Reply:
    """GET /api/stock/reservations/{id}."""
    id_ = named(call.part("id"), _MISSING)
    async with begin(call.app.pool) as tx:
        try:
            found = await queries.order(tx, call.actor.book, id_)
        except NotFound:
            raise NotFound(_MISSING) from None
    if found.origin is not Origin.CALLER:
        raise NotFound(_MISSING)
    return ok(await _shown(call, found), PRIVATE)


async def release(call: Call) -> Reply:
    """POST /api/stock/reservations/{id}/release."""
    id_ = named(call.part("id"), _MISSING)
    return ok(await _shown(call, await reserving.release(call.app.till, call.actor.book, id_)))


async def commit(call: Call, body: CommitStockBody) -> Reply:
    """POST /api/stock/reservations/{id}/commit."""
    id_, book = named(call.part("id"), _MISSING), call.actor.book
    done = await reserving.commit(call.app.till, book, id_, body.order_number)
    return ok(await _shown(call, done))


async def _shown(call: Call, of: Order) -> dict[str, Any]:
    async with begin(call.app.pool) as tx:
        lines = await queries.lines_of(tx, of)
    return {
        "reservation": str(of.id),
        "status": of.status.value,
        "reference": of.reference,
        "items": [
            {"product": each.product, "size": each.size, "quantity": each.quantity}
            for each in lines
        ],
        "expires_at": write_time(of.expires_at),
        "order_number": of.number,
    }


async def active_reservations(call: Call) -> Reply:
    """GET /api/admin/clean-expired-reservations: what is set aside now."""
    async with begin(call.app.pool) as tx:
        found = await queries.active(tx, call.actor.book)
    content = {
        "active": found.reservations,
        "oldest": write_moment(found.oldest),
        "by_product": [
            {"product": product, "size": size, "reservations": count, "quantity": quantity}
            for product, size, count, quantity in found.by_size
        ],
    }
    return ok(content, PRIVATE)


async def clean_expired_reservations(call: Call) -> Reply:
    """POST /api/admin/clean-expired-reservations: close those whose time is over."""
    cleaned = await closing.clean(call.app.till, call.actor.book)
    content = {
        "examined": cleaned.examined,
        "released": cleaned.released,
        "captured": cleaned.captured,
        "kept": cleaned.kept,
    }
    return ok(content)


_MISSING: Final = "reservation-not-found"

OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/stock/reservations",
        handler=reserve,
        may_be_keyed=True,
        summary=("Set stock aside", "Réserver du stock"),
        tag="stock",
        roles=SERVERS,
        body=ReserveStockBody,
        status=201,
        answer=shapes.ReservedShape,
        codes=("insufficient-stock", "account-busy", "reservation-refused"),
        headers={"Idempotent-Replayed": "true when it was set aside before, under the same key"},
        ask={
            "items": [{"product": "TEE", "size": "M", "quantity": 1}], "reference": "cart-1842",
            "minutes": 30,
        },
    ),
    Operation(
        method="GET",
        path="/api/stock/reservations/{id}",
        handler=read,
        summary=("Read a reservation", "Lire une réservation"),
        tag="stock",
        roles=SERVERS,
        parts=PART,
        answer=shapes.ReservationShape,
        codes=(_MISSING,),
    ),
    Operation(
        method="POST",
        path="/api/stock/reservations/{id}/release",
        handler=release,
        summary=("Give back what was set aside", "Libérer une réservation"),
        tag="stock",
        roles=SERVERS,
        parts=PART,
        answer=shapes.ReservationShape,
        codes=(_MISSING, "reservation-committed"),
    ),
    Operation(
        method="POST",
        path="/api/stock/reservations/{id}/commit",
        handler=commit,
        summary=("Sell what was set aside", "Vendre ce qui est réservé"),
        tag="stock",
        roles=SERVERS,
        body=CommitStockBody,
        parts=PART,
        answer=shapes.ReservationShape,
        codes=(_MISSING, "reservation-committed", "insufficient-stock"),
        ask={"order_number": "ORD-2026-000001"},
    ),
    Operation(
        method="GET",
        path="/api/admin/clean-expired-reservations",
        handler=active_reservations,
        summary=("See what is set aside", "Voir les réservations actives"),
        tag="stock",
        roles=OPERATORS,
        answer=shapes.ActiveShape,
    ),
    Operation(
        method="POST",
        path="/api/admin/clean-expired-reservations",
        handler=clean_expired_reservations,
        summary=("Release expired reservations", "Libérer les réservations expirées"),
        tag="stock",
        roles=OPERATORS,
        answer=shapes.CleanedShape,
    ),
)  # fmt: skip
