"""The first page: do the books balance, what is owed, what was sold, and who needs a human."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

from psycopg import AsyncConnection

from comptoir.domains.credits import overview as credits_
from comptoir.domains.identity import operators
from comptoir.domains.payments import overview as money
from comptoir.domains.payments import queries as payments
from comptoir.domains.stock import overview as stock
from comptoir.jobs import overview as jobs
from comptoir.jobs.model import Status
from comptoir.kit.limits import DAY, SECOND
from comptoir.store import inbox, verdict
from comptoir.store.inbox import Sought, State
from comptoir.store.pool import TooLong, begin, begin_brief
from comptoir.store.verify import verify
from comptoir.web import words_payments
from comptoir.web.dashboard.deeds import deed
from comptoir.web.dashboard.visits import HOME, Visit, acting, go, reading
from comptoir.web.replies import Reply

_SHOWN: Final = 15
_EACH: Final = 5
_OWED_LASTS: Final = 10 * SECOND
_owed: Final[dict[tuple[str, int], tuple[int, list[credits_.Owed]]]] = {}
"""What is owed reads every account: it is asked for once in ten seconds, whoever looks."""

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
        "owed": await _all_owed(visit),
        "paid": await _brief(visit, lambda tx: money.paid(tx, book, today)),
        "refunded": await _brief(visit, lambda tx: money.refunded(tx, book, today)),
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


async def _all_owed(visit: Visit) -> list[credits_.Owed] | None:
    app, now = visit.call.app, visit.call.now
    place = (app.urls.app, visit.book)
    kept = _owed.get(place)
    if kept is not None and 0 <= now - kept[0] < _OWED_LASTS:
        return kept[1]
    found: list[credits_.Owed] | None = await _brief(
        visit, lambda tx: credits_.owed(tx, visit.book)
    )
    if found is None:
        return None if kept is None else kept[1]
    order = {"credits": 0, "tokens": 1}
    found.sort(key=lambda each: (order.get(each.asset, 2), each.asset))
    _owed[place] = (now, found)
    return found


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
