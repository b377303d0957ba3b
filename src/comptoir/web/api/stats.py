"""How everything is doing, for whoever operates it: Redis, queues, counters, fallbacks."""

from typing import Any, Final

from pydantic import BaseModel

from comptoir.domains.identity import queries
from comptoir.domains.payments import queries as payments
from comptoir.domains.stock import queries as stock
from comptoir.guards.redis.link import Link, Mode
from comptoir.jobs import queue
from comptoir.jobs.model import QUEUES, Depth
from comptoir.store import inbox
from comptoir.store.pool import begin
from comptoir.web import shapes_guards as shapes
from comptoir.web.api.guards import Metrics
from comptoir.web.call import Call
from comptoir.web.replies import PRIVATE, Reply, ok
from comptoir.web.routing import OPERATORS, Operation

_TOTALS: Final = {
    "quotes_created": "quotes:created:total",
    "invoices_created": "invoices:created:total",
    "ai_calls": "ai:calls:total",
}
_PENDING: Final = {"pdf": "pdf_pending", "email": "emails_pending", "default": "default_pending"}
_MILLI: Final = 1_000


class StatsQuery(BaseModel, extra="forbid"):
    """Which counters to show beside the totals."""

    counters: Metrics | None = None


async def stats(call: Call, query: StatsQuery) -> Reply:
    """GET /api/admin/stats."""
    app, book = call.app, call.actor.book
    guards = await app.guards(book)
    wanted = query.counters.split(",") if query.counters else []
    counted = await guards.counters.read([*_TOTALS.values(), *wanted])
    async with begin(app.pool) as tx:
        names = {number: name for name, number in (await queries.books(tx)).items()}
        cases = await payments.count_cases(tx, book)
        active, oldest = (await stock.standing(tx)).get(book, (0, 0.0))
    waiting = await inbox.counts(app.pool, book)
    depths = await queue.depths(app.pool, book)
    pending = {shown: depths.get(name, Depth()).waiting for name, shown in _PENDING.items()}
    content: dict[str, Any] = {
        "redis": {**await _redis(app.link), "queues": pending},
        "totals": {shown: counted[name] for shown, name in _TOTALS.items()},
        "jobs": {name: _depth(depths.get(name, Depth())) for name in QUEUES},
        "inbox": {
            state: {"count": count, "oldest_seconds": round(oldest, 3)}
            for state, (count, oldest) in waiting.items()
        },
        "cases": cases,
        "reservations": {"active": active, "oldest_seconds": round(oldest, 3)},
        "counters": {name: counted[name] for name in wanted},
        "counters_dropped": guards.counters.dropped,
        "fallbacks": [
            {"store": where, "decided_by": by, "count": count}
            for (where, by), count in sorted(guards.limiter.fallbacks.items())
        ],
        "books": {
            names[number]: {
                "queued": batch.queued,
                "locked_accounts": batch.lanes,
                "decided": batch.committed,
            }
            for number, batch in app.batches.items()
        },
    }
    return ok(content, PRIVATE)


async def _redis(link: Link | None) -> dict[str, Any]:
    if link is None:
        return {"mode": Mode.UNSET, "connected": False}
    said = await link.look()
    ping, figures = link.figures.ping, link.figures
    return {
        "mode": link.mode,
        "connected": link.mode is Mode.UP,
        "ping_ms": None if ping is None else round(ping * _MILLI, 3),
        "failures": figures.failures,
        "changes": figures.changes,
        **said,
        "may_evict": said.get("maxmemory_policy", "noeviction") != "noeviction",
    }


def _depth(of: Depth) -> dict[str, Any]:
    return {
        "waiting": of.waiting,
        "running": of.running,
        "dead": of.dead,
        "oldest_seconds": round(of.oldest, 3),
    }


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/admin/stats",
        handler=stats,
        summary=("See how everything is doing", "Voir comment tout se porte"),
        tag="operations",
        roles=OPERATORS,
        query=StatsQuery,
        answer=shapes.StatsShape,
    ),
)
