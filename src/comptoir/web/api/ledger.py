"""Looking at the ledger as a whole: verify, and the assets that it counts."""

from typing import Annotated, Final

from pydantic import Field

from comptoir.kit.limits import SCALE_MAX
from comptoir.store import verdict
from comptoir.store.verify import verify as verify_books
from comptoir.web import shapes, views, wire
from comptoir.web.call import Call
from comptoir.web.cursors import read_cursor, write_cursor
from comptoir.web.replies import Reply, ok, write_time
from comptoir.web.routing import OPERATORS, SERVERS, Operation


class VerifyQuery(wire.Wire):
    """How far back."""

    full: wire.Flag = False


class AssetBody(wire.Wire):
    """What is to be counted."""

    code: wire.AssetCode
    scale: Annotated[int, Field(ge=0, le=SCALE_MAX, examples=[0])]


class AssetsQuery(wire.Page):
    """Which page of assets."""


async def verify(call: Call, query: VerifyQuery) -> Reply:
    """GET /api/ledger/verify: the actor's book, from the last watermark or from the beginning."""
    found = await verify_books(call.app.pool, call.actor.book, full=query.full)
    await verdict.keep(call.app.pool, call.actor.book, found)
    drift = [
        {"check": d.check, "table": d.table, "row": d.row, "detail": d.detail} for d in found.drift
    ]
    return ok(
        {
            "balanced": found.balanced,
            "accounts": found.accounts,
            "movements": found.movements,
            "drift": drift,
            "truncated": found.truncated,
            "checked_at": write_time(found.checked_at),
        }
    )


async def assets(call: Call, query: AssetsQuery) -> Reply:
    """GET /api/assets."""
    facts = await call.app.directory.facts(call.actor.book)
    position = read_cursor(call, "", query.cursor)
    after = str(position[0]) if position else ""
    codes = [code for code in sorted(facts.assets) if code > after]
    page = codes[: query.limit]
    following = write_cursor(call, "", [page[-1]]) if len(codes) > len(page) else None
    items = [views.asset(facts.assets[code]) for code in page]
    return ok({"items": items, "next_cursor": following})


async def add_asset(call: Call, body: AssetBody) -> Reply:
    """POST /api/assets: adding the same asset again changes nothing."""
    asset = await call.app.directory.open_asset(call.actor.book, body.code, body.scale)
    return ok(views.asset(asset), status=201)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/ledger/verify",
        handler=verify,
        summary=("Check that the books balance", "Vérifier que les livres sont équilibrés"),
        tag="ledger",
        roles=OPERATORS,
        query=VerifyQuery,
        answer=shapes.Verified,
    ),
    Operation(
        method="GET",
        path="/api/assets",
        handler=assets,
        summary=("List assets", "Lister les actifs"),
        tag="assets",
        roles=SERVERS,
        query=AssetsQuery,
        answer=shapes.Listed[shapes.AssetShape],
        codes=("cursor-invalid",),
    ),
    Operation(
        method="POST",
        path="/api/assets",
        handler=add_asset,
        summary=("Add an asset", "Ajouter un actif"),
        tag="assets",
        roles=OPERATORS,
        body=AssetBody,
        answer=shapes.AssetShape,
        status=201,
        codes=("asset-exists",),
        ask={"code": "render-minutes", "scale": 2},
    ),
)
