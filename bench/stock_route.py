"""POST /api/stock/reservations, until the server has it."""

from typing import Annotated
from pydantic import Field
from comptoir.domains.stock.model import Item, InsufficientStock
from comptoir.flows import reserving
from comptoir.web import wire
from comptoir.web.call import Call
from comptoir.web.replies import Reply, ok, write_time


class ItemBody(wire.Wire):
    product: Annotated[str, Field(max_length=64, min_length=1)]
    size: Annotated[str, Field(max_length=40, min_length=1)]
    quantity: Annotated[int, Field(gt=0, le=1_000_000)]


class ReserveBody(wire.Wire):
    items: Annotated[list[ItemBody], Field(min_length=1, max_length=100)]
    reference: wire.Reference
    minutes: Annotated[int, Field(gt=0, le=10080)] | None = None


async def reserve(call: Call, body: ReserveBody) -> Reply:
    items = [Item(each.product, each.size, each.quantity) for each in body.items]
    wanted = reserving.Wanted(items, body.reference, body.minutes, call.key)
    try:
        aside = await reserving.reserve(call.app.till, call.actor.book, wanted)
    except InsufficientStock as error:
        error.figures["needed"] = error.figures["wanted"]
        raise
    content = {"reservation": str(aside.id), "expires_at": write_time(aside.expires_at)}
    return ok(content, status=201)
