"""Webhooks: what providers told us, what it has done, and having it done again. And cases."""

from typing import Final
from urllib.parse import quote
from uuid import UUID

import msgspec

from comptoir.domains.identity import operators
from comptoir.domains.payments import commands, queries
from comptoir.domains.payments.model import SOURCE
from comptoir.flows import replaying
from comptoir.kit.errors import ComptoirError, NotFound
from comptoir.store import inbox
from comptoir.store.inbox import Seen, Sought, State
from comptoir.store.pool import begin, begin_brief
from comptoir.web import words_payments
from comptoir.web.api.inbox import CloseBody
from comptoir.web.dashboard import tables
from comptoir.web.dashboard.deeds import ReasonForm, deed, fit
from comptoir.web.dashboard.facts import facts
from comptoir.web.dashboard.visits import HOME, Visit, acting, reading
from comptoir.web.pages.forms import go
from comptoir.web.pages.tables import number_of
from comptoir.web.replies import Reply, write_moment, write_time

_WEBHOOKS: Final = f"{HOME}/webhooks"
_TROUBLES: Final = "troubles"
_HEADINGS: Final = (
    "id", "received_at", "type", "object", "state", "attempts", "effect", "done_at",
)  # fmt: skip
_CASES: Final = ("id", "opened_at", "kind", "words", "subject")


async def webhooks(visit: Visit) -> Reply:
    """GET /dashboard/webhooks: the newest first."""
    said, limit = visit.query.get("state", ""), tables.rows_of(visit)
    state = State(said) if said in list(State) else None
    at, _, id_ = visit.query.get("after", "").partition(".")
    before = (number_of(at, 0), id_) if id_ else None
    sought = Sought(before, state, visit.query.get("type"), said == _TROUBLES, limit + 1)
    async with begin_brief(visit.call.app.pool) as tx:
        found = await inbox.listed(tx, visit.book, sought)
    shown = found[:limit]
    last = shown[-1] if len(found) > limit else None
    more = visit.here(after=f"{last.received_at}.{last.event.id}") if last else ""
    if tables.wants_file(visit):
        rows = (
            [
                each.event.id, write_time(each.received_at), each.event.type, each.event.object,
                each.state.value, each.attempts, _effect(visit, each), write_moment(each.done_at),
            ]
            for each in shown
        )  # fmt: skip
        return tables.file(visit, "webhooks", _HEADINGS, rows, more)
    return visit.page(
        "webhooks.html", found=[(each, _effect(visit, each)) for each in shown], more=more,
        states=(_TROUBLES, *State), state=said, last=await _last(visit) if not shown else None,
    )  # fmt: skip


async def _last(visit: Visit) -> int | None:
    return await inbox.last(visit.call.app.pool, visit.book)


def _effect(visit: Visit, of: Seen) -> str:
    if of.effects:
        return words_payments.effects(of.effects, visit.look.language)
    if of.state in (State.DONE, State.IGNORED):
        return visit.look.t("event.nothing")
    return of.error or ""


async def webhook(visit: Visit) -> Reply:
    """GET /dashboard/webhooks/{id}."""
    app, id_ = visit.call.app, visit.call.part("id")
    found = await inbox.find(app.pool, visit.book, SOURCE, id_)
    if found is None:
        raise NotFound("event-not-found")
    body = found.event.body
    tried = None
    if body is not None and "try" in visit.query:
        try:
            done = await replaying.try_out(app.till, visit.book, id_)
            tried = words_payments.effects(done, visit.look.language)
        except ComptoirError as error:
            tried = str(error)
        tried = tried or visit.look.t("event.nothing")
    return visit.page(
        "webhook.html", seen=found, effect=_effect(visit, found), tried=tried,
        payload=None if body is None else _indented(body), home=_address(id_),
    )  # fmt: skip


def _indented(body: str) -> str:
    try:
        return msgspec.json.format(body.encode(), indent=2).decode()
    except msgspec.DecodeError:
        return body


def _address(id_: str) -> str:
    return f"{_WEBHOOKS}/{quote(id_, safe='')}"


async def replay(visit: Visit) -> Reply:
    """POST /dashboard/webhooks/{id}/replay: what it has done already is not done again."""
    app, id_ = visit.call.app, visit.call.part("id")
    reason = fit(ReasonForm, {"reason": visit.form.get("reason", "")}).reason
    line = deed(visit, "replay", id_, reason)
    async with begin(app.pool) as tx:
        is_new = await operators.note(tx, line)
        if is_new and not await inbox.replay_beside(tx, visit.book, SOURCE, id_):
            raise NotFound("event-not-found")
    app.till.inbox.ring()
    return go(f"{_address(id_)}?done=replayed")


async def cases(visit: Visit) -> Reply:
    """GET /dashboard/cases: what is open, the oldest first."""
    limit = tables.rows_of(visit)
    at, _, id_ = visit.query.get("after", "").partition(".")
    after = (number_of(at, 0), _named(id_, "case-not-found")) if id_ else None
    async with begin_brief(visit.call.app.pool) as tx:
        found = await queries.cases(tx, visit.book, after, limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    more = visit.here(after=f"{last.opened_at}.{last.id}") if last else ""
    shown = [(each, words_payments.case(each.kind, visit.look.language)) for each in found[:limit]]
    if tables.wants_file(visit):
        rows = (
            [str(each.id), write_time(each.opened_at), each.kind, words, each.subject]
            for each, words in shown
        )
        return tables.file(visit, "cases", _CASES, rows, more)
    told = [(each, words, facts(visit.look, each.figures)) for each, words in shown]
    return visit.page("cases.html", found=told, more=more)


async def close(visit: Visit) -> Reply:
    """POST /dashboard/cases/{id}/close."""
    id_ = _named(visit.call.part("id"), "case-not-found")
    note = fit(CloseBody, {"note": visit.form.get("reason", "")}).note
    line = deed(visit, "close-case", str(id_), note)
    async with begin(visit.call.app.pool) as tx:
        if await operators.note(tx, line):
            await commands.close_case(tx, visit.book, id_, visit.call.actor.name, note)
    return go(f"{HOME}/cases?done=closed")


def _named(said: str, code: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        raise NotFound(code) from None


OPERATIONS: Final = (
    reading(_WEBHOOKS, webhooks),
    reading(f"{_WEBHOOKS}/{{id}}", webhook),
    acting(f"{_WEBHOOKS}/{{id}}/replay", replay),
    reading(f"{HOME}/cases", cases),
    acting(f"{HOME}/cases/{{id}}/close", close),
)
