"""What a person may ask of a seller: everything that is kept about him, and to be forgotten."""

import asyncio
from typing import IO, Final

from comptoir.flows.erase import Erased
from comptoir.flows.erase import erase as erase_customer
from comptoir.flows.export import exporting
from comptoir.kit.amounts import format_amount
from comptoir.kit.errors import Unavailable
from comptoir.web import shapes, shapes_money, views
from comptoir.web.api.identity import CUSTOMER_PART, customer_name
from comptoir.web.call import Call
from comptoir.web.export import pieces
from comptoir.web.replies import REPLAYED, Reply, ok, write_time
from comptoir.web.routing import OPERATORS, SERVERS, Operation
from comptoir.web.spool import SpooledReply, spool

EXPORT_SECONDS: Final = 120.0
"""How long the database may be read for one export."""

_NO_STORE: Final = (b"cache-control", b"no-store")
_FILE: Final = (b"content-disposition", b'attachment; filename="customer.json"')


async def export(call: Call) -> Reply:
    """GET /api/customers/{customer}/export."""
    name, slots = customer_name(call), call.app.exports
    if slots.locked():
        raise Unavailable("overloaded", retry_after=5)
    await slots.acquire()
    try:
        file = await _prepared(call, name)
    except BaseException:
        slots.release()
        raise
    return SpooledReply(status=200, headers=[_NO_STORE, _FILE], file=file, ended=slots.release)


async def _prepared(call: Call, name: str) -> IO[bytes]:
    app = call.app
    try:
        async with (
            asyncio.timeout(EXPORT_SECONDS),
            exporting(app.pool, app.directory, call.actor.book, name) as found,
        ):
            return await spool(pieces(found))
    except TimeoutError as error:
        raise Unavailable("export-too-long", seconds=int(EXPORT_SECONDS)) from error


async def erase(call: Call) -> Reply:
    """POST /api/customers/{customer}/erase."""
    app, book = call.app, call.actor.book
    done = await erase_customer(app.pool, app.directory, book, customer_name(call), call.key)
    left = [await _left(call, code, units) for code, units in sorted(done.left.items())]
    return ok(_erased(done, left), *((REPLAYED,) if done.replayed else ()), _NO_STORE)


async def _left(call: Call, code: str, units: int) -> views.View:
    asset = await call.app.directory.asset(call.actor.book, code)
    return {"asset": code, "balance": format_amount(units, asset.scale)}


def _erased(done: Erased, left: list[views.View]) -> views.View:
    return {
        "erased_at": write_time(done.at),
        "movements": done.movements,
        "notes": done.notes,
        "left": left,
    }


_BUSY: Final = ("request-in-flight", "account-busy", "overloaded")

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/customers/{customer}/export",
        handler=export,
        summary=("Export a customer", "Exporter un client"),
        tag="customers",
        roles=SERVERS,
        answer=shapes_money.ExportShape,
        parts=CUSTOMER_PART,
        codes=("unknown-customer", "export-too-long", "overloaded"),
    ),
    Operation(
        method="POST",
        path="/api/customers/{customer}/erase",
        handler=erase,
        may_be_keyed=True,
        summary=("Erase a customer", "Effacer un client"),
        tag="customers",
        roles=OPERATORS,
        answer=shapes.ErasedShape,
        parts=CUSTOMER_PART,
        codes=("unknown-customer", "holds-open", "still-subscribed", *_BUSY),
        headers={"Idempotent-Replayed": "true when he was erased before, under the same key"},
    ),
)
