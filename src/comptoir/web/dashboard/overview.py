"""The first page: do the books balance, what is owed, what was sold, and who needs a human."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

from psycopg import AsyncConnection

from comptoir.domains.credits import overview as credits_
from comptoir.domains.credits.commands import CREDITS
from comptoir.domains.identity import operators
from comptoir.domains.payments import overview as money
from comptoir.domains.payments import queries as payments
from comptoir.domains.stock import overview as stock
from comptoir.jobs import overview as jobs
from comptoir.jobs.model import Status
from comptoir.kit.limits import DAY
from comptoir.store import inbox, verdict
from comptoir.store.inbox import Sought, State
from comptoir.store.pool import TooLong, begin, begin_brief
from comptoir.store.verify import verify
from comptoir.web import words_payments
from comptoir.web.dashboard import earning
from comptoir.web.dashboard.accounts import codes_of
from comptoir.web.dashboard.deeds import deed
from comptoir.web.dashboard.margins import span_of
from comptoir.web.dashboard.owing import OWING
from comptoir.web.dashboard.visits import HOME, Visit, acting, reading
from comptoir.web.pages.forms import go
from comptoir.web.replies import Reply

_SHOWN: Final = 15
_EACH: Final = 5

Read = Callable[[AsyncConnection], Awaitable[Any]]


async def overview(visit: Visit) -> Reply:
    """GET /dashboard."""
    return visit.page("overview.html", **await _figures(visit))


async def live(visit: Visit) -> Reply:
    """GET /dashboard/live: the part that is asked for again and again."""
    return visit.page("overview_live.html", **await _figures(visit))


async def check(visit: Visit) -> Reply:
    """POST /dashboard/verify: from the last watermark on."""
    app, book = visit.call.app, visit.book
    found = await verdict.keep(app.pool, book, await verify(app.pool, book, full=False))
    said = {"balanced": found.balanced, "drift": found.drift, "movements": found.movements}
    async with begin(app.pool) as tx:
        await operators.note(tx, deed(visit, "verify", "books", None, said=said))
    return go(f"{HOME}?done=verified")


async def _figures(visit: Visit) -> dict[str, Any]:
    app, book, now = visit.call.app, visit.book, visit.call.now
    today = now - now % DAY
    return {
        "now": now,
        "verdict": await verdict.kept(app.pool, book),
        "owed": await _owed(visit),
        "paid": await _brief(visit, lambda tx: money.paid(tx, book, today)),
        "refunded": await _brief(visit, lambda tx: money.refunded(tx, book, today)),
        "margin": await _margin(visit),
        "happened": await _brief(visit, lambda tx: credits_.recent(tx, book, _SHOWN)),
        "needs": await _needs(visit),
    }


async def _brief(visit: Visit, read: Read) -> Any:  # noqa: ANN401  # whatever is read
    """What is read in a quarter of a second; None when it takes longer."""
    try:
        async with begin_brief(visit.call.app.pool) as tx:
            return await read(tx)
    except TooLong:
        return None


async def _owed(visit: Visit) -> dict[str, Any] | None:
    """What customers have, credits first, and when that was."""
    app, book = visit.call.app, visit.book
    known = await OWING.of(app, book)
    if known is None:
        return None
    facts = await app.directory.facts(book)
    by_id = {asset.id: asset for asset in facts.assets.values()}
    order = {code: place for place, code in enumerate(codes_of(facts.assets))}
    lines = [(by_id[each.asset], each) for each in known.owed if each.asset in by_id]
    lines.sort(key=lambda line: order.get(line[0].code, len(order)))
    return {"at": known.at, "lines": lines}


async def _margin(visit: Visit) -> dict[str, Any] | None:
    """What was earned with credits since midnight; None when that takes too long to say."""
    asset = await visit.call.app.directory.asset(visit.book, CREDITS)
    try:
        found = await earning.earned(visit.call.app, span_of(visit, asset, 1), "action")
    except TooLong:
        return None
    total = earning.total_of(found.lines)
    return {
        "total": total, "cost": earning.cost_of(total), "percent": earning.percent_of(total),
        "scale": asset.scale,
    }  # fmt: skip


async def _needs(visit: Visit) -> list[dict[str, str]] | None:
    """What needs a human, in words, each with its one action; None when looking took too long."""
    try:
        return await _all_needs(visit)
    except TooLong:
        return None


async def _all_needs(visit: Visit) -> list[dict[str, str]]:
    app, book, look = visit.call.app, visit.book, visit.look
    needs: list[dict[str, str]] = []

    def add(words: str, action: str, address: str) -> None:
        needs.append({"words": words, "action": look.t(action), "address": address})

    async with begin_brief(app.pool) as tx:
        cases = await payments.cases(tx, book, None, _EACH)
        dead = [
            each
            for state in (State.DEAD, State.ORPHAN)
            for each in await inbox.listed(
                tx, book, Sought(state=state, troubles=True, limit=_EACH)
            )
        ]
        low = await stock.low(tx, book, _EACH)
        lost = await jobs.listed(tx, book, jobs.Sought(Status.DEAD, limit=_EACH))
    for case in cases:
        words = f"{words_payments.case(case.kind, look.language)} ({case.subject})"
        order = case.figures.get("order")
        if isinstance(order, str):
            add(words, "do.order", f"{HOME}/orders/{quote(order, safe='')}")
        else:
            add(words, "do.close", f"{HOME}/cases#case-{case.id}")
    for seen in dead:
        words = look.t(f"need.event-{seen.state}", event=seen.event.type, n=seen.attempts)
        add(words, "do.replay", f"{HOME}/webhooks/{quote(seen.event.id, safe='')}")
    for job in lost.rows:
        words = look.t("need.job", type=job.type, n=job.attempts)
        add(words, "do.retry", f"{HOME}/jobs/{job.id}")
    for size in low:
        figures = {"product": size.product, "size": size.size, "n": look.amount(size.available)}
        add(look.t("need.stock", **figures), "do.receive", f"{HOME}/stock/{size.product}")
    return needs


OPERATIONS: Final = (
    reading(HOME, overview),
    reading(f"{HOME}/live", live),
    acting(f"{HOME}/verify", check),
)
