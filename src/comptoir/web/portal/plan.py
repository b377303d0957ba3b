"""A customer's plan: what it allows today, and where to change it."""

from dataclasses import dataclass
from typing import Final

from comptoir.domains.subscriptions import queries
from comptoir.flows import subscribing
from comptoir.guards import quotas
from comptoir.kit.limits import SECOND
from comptoir.store.pool import begin_brief
from comptoir.web.portal.leaving import leave
from comptoir.web.portal.visits import HOME, Visit, acting, reading
from comptoir.web.replies import Reply

_PLAN: Final = f"{HOME}/plan"


@dataclass(frozen=True, slots=True)
class Quota:
    """What a plan allows of something in a day, and what was used of it.

    Attributes:
        resets_at: in microseconds since 1970.
    """

    metric: str
    used: int
    reserved: int
    limit: int
    resets_at: int


async def plan(visit: Visit) -> Reply:
    """GET /portal/plan."""
    app, who = visit.call.app, visit.who
    async with begin_brief(app.pool) as tx:
        named = dict(await queries.plans(tx, who.book)).get(who.plan, {})
    metrics = sorted(named)[: quotas.METRICS]
    used = await quotas.usage(app.pool, who.book, who.named, metrics) if metrics else {}
    standing = await subscribing.standing(app.till, who.book, who.named)
    shown = [
        Quota(name, each.used, each.reserved, each.limit, int(each.resets_at.timestamp()) * SECOND)
        for name, each in used.items()
        if each.limit is not None
    ]
    return visit.page(
        "plan.html", standing=standing, quotas=shown,
        can_change=standing.subscription is not None and app.till.stripe is not None,
    )  # fmt: skip


async def change(visit: Visit) -> Reply:
    """POST /portal/subscription: the provider's page on which it is changed, paid or ended."""
    till, who = visit.call.app.till, visit.who
    back = f"{till.terms.public_url}{_PLAN}"
    return leave(visit, await subscribing.portal(till, who.book, who.named, back))


OPERATIONS: Final = (reading(_PLAN, plan), acting(f"{HOME}/subscription", change))
