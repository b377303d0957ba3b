"""Plans: what they cost and give, subscribing to one, and what somebody has subscribed to."""

from typing import Any, Final, Literal

from comptoir.domains.subscriptions import queries
from comptoir.flows import subscribing
from comptoir.flows.subscribing import Wanted
from comptoir.kit.actor import Role
from comptoir.kit.amounts import format_amount
from comptoir.store.pool import begin
from comptoir.web import shapes_money as shapes
from comptoir.web import wire
from comptoir.web.api.reading import WhoseField, whose
from comptoir.web.api.selling import PROVIDER_CODES, ReturnUrl, tax
from comptoir.web.call import Call
from comptoir.web.replies import PRIVATE, REPLAYED, Reply, ok, write_moment
from comptoir.web.routing import EVERYBODY, Operation


class SubscribeBody(wire.Wire):
    """Which plan somebody subscribes to."""

    customer: WhoseField = None
    plan: Literal["pro", "enterprise"]
    interval: Literal["month", "year"]
    success_url: ReturnUrl | None = None
    cancel_url: ReturnUrl | None = None


class PortalBody(wire.Wire):
    """Whose subscription is to be changed, and where he comes back to."""

    customer: WhoseField = None
    return_url: ReturnUrl | None = None


class SubscriptionQuery(wire.Wire):
    """Whose."""

    customer: WhoseField = None


async def subscribe(call: Call, body: SubscribeBody) -> Reply:
    """POST /api/billing/checkout."""
    customer = await whose(call, body.customer)
    key = call.key or str(call.app.new_id())
    scope = f"subscribe:{call.actor.customer}" if call.actor.role is Role.CUSTOMER else ""
    wanted = Wanted(
        customer, body.plan, body.interval, key, body.success_url, body.cancel_url, scope
    )
    url, replayed = await subscribing.checkout(call.app.till, call.actor.book, wanted)
    return ok({"checkout_url": url}, *((REPLAYED,) if replayed else ()), status=201)


async def portal(call: Call, body: PortalBody) -> Reply:
    """POST /api/billing/portal."""
    customer = await whose(call, body.customer)
    url = await subscribing.portal(call.app.till, call.actor.book, customer, body.return_url)
    return ok({"url": url}, status=201)


async def plans(call: Call) -> Reply:
    """GET /api/billing/plans."""
    book = call.actor.book
    facts = await call.app.directory.facts(book)
    assets = {asset.id: asset for asset in facts.assets.values()}
    async with begin(call.app.pool) as tx:
        found = await queries.plans(tx, book)
        prices = await queries.prices(tx, book)
        allowances = await queries.allowances(tx, book)
    items: list[dict[str, Any]] = [
        {
            "plan": plan,
            "quotas": dict(quotas),
            "prices": [
                {
                    "interval": each.period,
                    "price": {"amount": each.amount, "currency": each.currency},
                    "tax": tax(each.amount, each.tax_percent, included=each.tax_included),
                }
                for each in prices
                if each.plan == plan
            ],
            "allowances": [
                {
                    "asset": assets[each.asset].code,
                    "amount": format_amount(each.amount, assets[each.asset].scale),
                    "rollover": format_amount(each.rollover, assets[each.asset].scale),
                }
                for each in allowances
                if each.plan == plan
            ],
        }
        for plan, quotas in found
    ]
    return ok({"items": items}, PRIVATE)


async def subscription(call: Call, query: SubscriptionQuery) -> Reply:
    """GET /api/billing/subscription."""
    customer = await whose(call, query.customer)
    found = await subscribing.standing(call.app.till, call.actor.book, customer)
    of = found.subscription
    period = None
    if of is not None:
        period = {
            "start": write_moment(of.starts_at),
            "end": write_moment(of.ends_at),
            "interval": of.period,
        }
    content = {
        "customer": customer,
        "plan": found.plan,
        "status": "none" if of is None else of.status,
        "period": period,
        "cancel_at": None if of is None else write_moment(of.cancel_at),
        "trial_ends_at": None if of is None else write_moment(of.trial_ends_at),
    }
    return ok(content, PRIVATE)


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/billing/checkout",
        handler=subscribe,
        may_be_keyed=True,
        summary=("Subscribe to a plan", "Souscrire un abonnement"),
        tag="billing",
        roles=EVERYBODY,
        body=SubscribeBody,
        status=201,
        answer=shapes.CheckoutShape,
        codes=("plan-not-for-sale", "already-subscribed", *PROVIDER_CODES),
        headers={"Idempotent-Replayed": "true when it was begun before, under the same key"},
        ask={"customer": "alice@example.com", "plan": "pro", "interval": "month"},
    ),
    Operation(
        method="POST",
        path="/api/billing/portal",
        handler=portal,
        summary=("Open the customer's portal", "Ouvrir l'espace d'abonnement"),
        tag="billing",
        roles=EVERYBODY,
        body=PortalBody,
        status=201,
        answer=shapes.PortalShape,
        codes=("nothing-subscribed", *PROVIDER_CODES),
        ask={"customer": "alice@example.com"},
    ),
    Operation(
        method="GET",
        path="/api/billing/plans",
        handler=plans,
        summary=("List the plans", "Lister les plans"),
        tag="billing",
        roles=EVERYBODY,
        answer=shapes.PlansShape,
    ),
    Operation(
        method="GET",
        path="/api/billing/subscription",
        handler=subscription,
        summary=("Read a subscription", "Lire un abonnement"),
        tag="billing",
        roles=EVERYBODY,
        query=SubscriptionQuery,
        answer=shapes.SubscriptionShape,
    ),
)
