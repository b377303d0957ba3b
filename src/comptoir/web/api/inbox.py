"""The inbox, replaying, reconciling, and what needs a human: for operators."""

from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import Field

from comptoir.domains.payments import commands, queries
from comptoir.domains.payments.model import SOURCE, Case
from comptoir.flows import reconciling, replaying
from comptoir.flows.auditing import Report
from comptoir.kit.books import LIVE
from comptoir.kit.errors import Denied, NotFound
from comptoir.store import inbox
from comptoir.store.inbox import Seen, Sought, State
from comptoir.store.pool import begin
from comptoir.web import shapes_money as shapes
from comptoir.web import wire, words_payments
from comptoir.web.api.selling import PROVIDER_CODES, named
from comptoir.web.call import Call
from comptoir.web.cursors import read_cursor, write_cursor
from comptoir.web.replies import PRIVATE, Reply, ok, write_moment, write_time
from comptoir.web.routing import OPERATORS, Operation
from comptoir.web.shapes import Listed

EventState = Literal["received", "deferred", "failed", "done", "ignored", "orphan", "dead"]


class InboxQuery(wire.Page):
    """Which events."""

    state: EventState | None = None
    type: Annotated[str, wire.text(100), Field(examples=["invoice.paid"])] | None = None
    troubles: Annotated[wire.Flag, Field(description="Only those that are not done.")] = False


class ReplayQuery(wire.Wire):
    """Whether it is only tried."""

    dry_run: wire.Flag = False


class ReconcileBody(wire.Wire):
    """Whether to mend what the audit finds, and how far to look back."""

    fix: bool = False
    since: wire.Time | None = None


class CloseBody(wire.Wire):
    """What was done about it."""

    note: Annotated[wire.Reason, Field(examples=["Refunded by hand"])]


async def events(call: Call, query: InboxQuery) -> Reply:
    """GET /api/admin/webhooks: the newest first."""
    filters = f"{query.state}\n{query.type}\n{query.troubles}"
    position: Any = read_cursor(call, filters, query.cursor)
    before = (position[0], position[1]) if position else None
    state = None if query.state is None else State(query.state)
    sought = Sought(before, state, query.type, query.troubles, query.limit + 1)
    async with begin(call.app.pool) as tx:
        found = await inbox.listed(tx, call.actor.book, sought)
    page = found[: query.limit]
    more = len(found) > len(page)
    last = page[-1] if more else None
    following = (
        None if last is None else write_cursor(call, filters, [last.received_at, last.event.id])
    )
    items = [shown(each, call.language) for each in page]
    return ok({"items": items, "next_cursor": following}, PRIVATE)


async def event(call: Call) -> Reply:
    """GET /api/admin/webhooks/{id}."""
    found = await inbox.find(call.app.pool, call.actor.book, SOURCE, call.part("id"))
    if found is None:
        raise NotFound("event-not-found")
    body = found.event.body
    payload = None if body is None else msgspec.json.decode(body)
    return ok(shown(found, call.language) | {"payload": payload}, PRIVATE)


async def replay(call: Call, query: ReplayQuery) -> Reply:
    """POST /api/admin/webhooks/{id}/replay."""
    book, id_ = call.actor.book, call.part("id")
    if query.dry_run:
        done = await replaying.try_out(call.app.till, book, id_)
        words = words_payments.effects(done, call.language)
        return ok({"id": id_, "state": "dry-run", "effect": words})
    await replaying.replay(call.app.till, book, id_)
    found = await inbox.find(call.app.pool, book, SOURCE, id_)
    state = "received" if found is None else found.state.value
    return ok({"id": id_, "state": state, "effect": ""})


async def reconcile(call: Call, body: ReconcileBody) -> Reply:
    """POST /api/admin/reconcile: of all books, so that a test book's operator may not."""
    if call.actor.book != LIVE:
        raise Denied("forbidden")
    report = await reconciling.reconcile(call.app.till, fix=body.fix, since=body.since)
    return ok(reconciled(report, call.language))


def reconciled(of: Report, language: str) -> dict[str, Any]:
    """What a reconciliation has found, as it goes out."""
    return {
        "events": of.events,
        "objects": of.objects,
        "payments": of.payments,
        "findings": [
            {
                "code": each.code,
                "words": words_payments.finding(
                    each.code, each.figures, language, mended=each.mended
                ),
                "mended": each.mended,
                "figures": dict(each.figures),
            }
            for each in of.findings
        ],
    }


async def cases(call: Call, query: wire.Page) -> Reply:
    """GET /api/admin/cases: what is open, the oldest first."""
    position: Any = read_cursor(call, "cases", query.cursor)
    after = (position[0], named(position[1], "case-not-found")) if position else None
    async with begin(call.app.pool) as tx:
        found = await queries.cases(tx, call.actor.book, after, query.limit + 1)
    page = found[: query.limit]
    more = len(found) > len(page)
    following = (
        write_cursor(call, "cases", [page[-1].opened_at, str(page[-1].id)]) if more else None
    )
    items = [_case(each, call.language) for each in page]
    return ok({"items": items, "next_cursor": following}, PRIVATE)


async def close(call: Call, body: CloseBody) -> Reply:
    """POST /api/admin/cases/{id}/close."""
    id_ = named(call.part("id"), "case-not-found")
    async with begin(call.app.pool) as tx:
        found = await commands.close_case(tx, call.actor.book, id_, call.actor.name, body.note)
    return ok(_case(found, call.language))


def shown(of: Seen, language: str) -> dict[str, Any]:
    """An event as it goes out."""
    return {
        "id": of.event.id,
        "type": of.event.type,
        "object": of.event.object,
        "livemode": of.event.livemode,
        "via": of.event.via,
        "state": of.state.value,
        "attempts": of.attempts,
        "effect": words_payments.effects(of.effects, language),
        "effects": list(of.effects),
        "error": of.error,
        "occurred_at": write_time(of.event.at),
        "received_at": write_time(of.received_at),
        "due_at": write_moment(of.due_at),
        "done_at": write_moment(of.done_at),
    }


def _case(of: Case, language: str) -> dict[str, Any]:
    return {
        "id": str(of.id),
        "kind": of.kind,
        "words": words_payments.case(of.kind, language),
        "subject": of.subject,
        "figures": dict(of.figures),
        "opened_at": write_time(of.opened_at),
        "closed_at": write_moment(of.closed_at),
        "closed_by": of.closed_by,
        "note": of.note,
    }


_EVENT: Final[dict[str, dict[str, Any]]] = {
    "id": {"type": "string", "minLength": 1, "maxLength": 255, "examples": ["evt_1"]}
}
_CASE: Final[dict[str, dict[str, Any]]] = {"id": {"type": "string", "format": "uuid"}}

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/admin/webhooks",
        handler=events,
        summary=("List received events", "Lister les événements reçus"),
        tag="payments",
        roles=OPERATORS,
        query=InboxQuery,
        answer=Listed[shapes.InboxShape],
        codes=("cursor-invalid",),
    ),
    Operation(
        method="GET",
        path="/api/admin/webhooks/{id}",
        handler=event,
        summary=("Read a received event", "Lire un événement reçu"),
        tag="payments",
        roles=OPERATORS,
        parts=_EVENT,
        answer=shapes.InboxEventShape,
        codes=("event-not-found",),
    ),
    Operation(
        method="POST",
        path="/api/admin/webhooks/{id}/replay",
        handler=replay,
        summary=("Replay an event", "Rejouer un événement"),
        tag="payments",
        roles=OPERATORS,
        query=ReplayQuery,
        parts=_EVENT,
        answer=shapes.ReplayShape,
        codes=("event-not-found",),
    ),
    Operation(
        method="POST",
        path="/api/admin/reconcile",
        handler=reconcile,
        summary=("Reconcile with Stripe", "Rapprocher avec Stripe"),
        tag="payments",
        roles=OPERATORS,
        body=ReconcileBody,
        body_optional=True,
        answer=shapes.ReconciledShape,
        ask={"fix": True},
        codes=PROVIDER_CODES,
    ),
    Operation(
        method="GET",
        path="/api/admin/cases",
        handler=cases,
        summary=("List what needs a human", "Lister les dossiers ouverts"),
        tag="payments",
        roles=OPERATORS,
        query=wire.Page,
        answer=Listed[shapes.CaseShape],
        codes=("cursor-invalid",),
    ),
    Operation(
        method="POST",
        path="/api/admin/cases/{id}/close",
        handler=close,
        summary=("Close a case", "Clore un dossier"),
        tag="payments",
        roles=OPERATORS,
        body=CloseBody,
        parts=_CASE,
        answer=shapes.CaseShape,
        ask={"note": "Refunded by hand"},
        codes=("case-not-found",),
    ),
)
