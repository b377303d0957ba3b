"""Why is this number what it is? GET /api/ledger/explain, and how it is shown."""

from typing import Any, Final

from comptoir.domains.credits import queries
from comptoir.domains.credits.explain import Place, Window, explain
from comptoir.domains.credits.story import Explanation, Origin, Purpose, Told
from comptoir.domains.credits.words import Teller, zone_of
from comptoir.kit.amounts import format_amount
from comptoir.kit.ids import hold_name, movement_name
from comptoir.store.facts import Asset
from comptoir.store.pool import begin
from comptoir.web import shapes, views
from comptoir.web.api.reading import BalanceQuery, place_of
from comptoir.web.call import Call
from comptoir.web.cursors import read_cursor, write_cursor
from comptoir.web.replies import PRIVATE, Reply, ok, write_moment, write_time
from comptoir.web.routing import SERVERS, Operation
from comptoir.web.views import View
from comptoir.web.wire import Page


class ExplainQuery(BalanceQuery, Page):
    """Which balance, as of when, and which page of its movements."""


async def explain_balance(call: Call, query: ExplainQuery) -> Reply:
    """GET /api/ledger/explain: without a time, all pages are of the moment of the first one."""
    name, account, asset = await place_of(call, query)
    of = f"{account}|{query.at}"
    position: Any = read_cursor(call, of, query.cursor)
    below, at = position or (queries.EVERYTHING, query.at)
    facts = await call.app.directory.facts(call.actor.book)
    place = Place(call.actor.book, facts, name, account, asset)
    async with begin(call.app.pool) as tx:
        found = await explain(tx, place, Window(at, below, query.limit))
    cursor = None
    if found.more:
        cursor = write_cursor(call, of, [found.movements[-1].line.version, found.at])
    teller = Teller(call.language, asset, zone_of(found.zone))
    language = (b"content-language", call.language.encode())
    vary = (b"vary", b"Accept-Language")
    return ok(_explanation(found, account, teller, cursor), PRIVATE, language, vary)


def _explanation(of: Explanation, account: int, teller: Teller, cursor: str | None) -> View:
    asset = of.balance.asset
    return {
        "at": write_time(of.at),
        "balance": views.balance(of.balance),
        "lots": [
            {
                "id": _lot_name(account, lot.no),
                "source": lot.source,
                "granted": format_amount(lot.granted, asset.scale),
                "left": format_amount(lot.left, asset.scale),
                "pinned": format_amount(lot.pinned, asset.scale),
                "priority": lot.priority,
                "expires_at": write_moment(lot.expires_at),
                **_made_by(account, origin),
            }
            for lot, origin in of.lots
        ],
        "holds": [
            {
                "id": hold_name(held.id),
                "amount": format_amount(held.amount, asset.scale),
                "captured": format_amount(held.captured, asset.scale),
                "expires_at": write_moment(held.expires_at),
                **_made_by(account, purpose),
            }
            for held, purpose in of.holds
        ],
        "holds_left_out": of.holds_left_out,
        "movements": [_movement(told, asset, teller) for told in of.movements],
        "opening_balance": format_amount(of.opening, asset.scale),
        "closing_balance": format_amount(of.closing, asset.scale),
        "next_cursor": cursor,
    }


def _movement(told: Told, asset: Asset, teller: Teller) -> View:
    line, asked = told.line, told.asked
    scale = asset.scale
    return {
        "id": movement_name(line.account, line.version),
        "seq": line.version,
        "kind": line.kind.value,
        "amount": format_amount(line.amount, scale),
        "before": format_amount(told.before, scale),
        "after": format_amount(line.posted, scale),
        "reason": asked.reason,
        "reference": asked.reference,
        "at": write_time(line.at),
        "text": teller.tell(told),
        "held": format_amount(line.held, scale),
        "debt": format_amount(line.debt, scale),
        "request": asked.op,
        "action": asked.action,
        "model": asked.model,
        "other": asked.other,
        "hold": hold_name(line.hold) if line.hold else None,
        "late": asked.late,
        "reverses": _reversed(told, scale),
        "lots": [
            {
                "lot": _lot_name(line.account, origin.no),
                "source": origin.source,
                "amount": format_amount(part, scale),
                **_made_by(line.account, origin),
            }
            for origin, part in told.lots
        ],
        "lots_left_out": len(line.lots) - len(told.lots),
    }


def _made_by(account: int, by: Origin | Purpose) -> View:
    return {
        "reason": by.reason,
        "reference": by.reference,
        "movement": movement_name(account, by.version),
        "at": write_time(by.at),
    }


def _reversed(told: Told, scale: int) -> View | None:
    undone = told.undone
    if undone is None:
        return None
    return {
        "id": movement_name(told.line.account, undone.version),
        "kind": undone.kind.value,
        "amount": format_amount(undone.amount, scale),
        "reason": undone.reason,
        "reference": undone.reference,
        "at": write_time(undone.at),
    }


def _lot_name(account: int, no: int) -> str:
    return f"lot_{account}_{no}"


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/ledger/explain",
        handler=explain_balance,
        summary=("Explain a balance", "Expliquer un solde"),
        tag="ledger",
        roles=SERVERS,
        query=ExplainQuery,
        answer=shapes.ExplanationShape,
        codes=("unknown-asset", "unknown-customer", "cursor-invalid"),
    ),
)
