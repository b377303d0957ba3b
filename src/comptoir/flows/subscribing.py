"""Subscribing to a plan: a page at Stripe's, and another one on which to change or end it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from comptoir.domains.payments import commands, compat
from comptoir.domains.payments import queries as payments
from comptoir.domains.subscriptions import queries
from comptoir.domains.subscriptions.model import Subscription, in_force
from comptoir.flows.purchase import RETURN_PATH
from comptoir.flows.till import Till
from comptoir.guards.once import Call, Claim
from comptoir.kit.errors import Conflict, NotFound
from comptoir.store.pool import begin


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which plan somebody wants to subscribe to."""

    customer: str
    plan: str
    period: str
    key: str
    success_url: str | None = None
    cancel_url: str | None = None
    scope: str = ""


async def checkout(till: Till, book: int, wanted: Wanted) -> tuple[str, bool]:
    """A page on which a customer subscribes, once for a key; and whether it is from before.

    Raises:
        NotFound: there is no such plan, or it has no price at the provider.
        Conflict: he has subscribed already: the portal is for changes.
        Unavailable: nobody has given us a key; or the provider, or the database, cannot be reached.
    """
    _ = till.provider
    said = {
        "customer": wanted.customer, "plan": wanted.plan, "interval": wanted.period,
        "success_url": wanted.success_url, "cancel_url": wanted.cancel_url,
    }  # fmt: skip
    call = Call.of_fields(book, wanted.key, said, wanted.scope or "subscribe")

    async def work(claim: Claim) -> dict[str, Any]:
        price = await _price(till, book, wanted.plan, wanted.period)
        customer = await till.directory.customer(book, wanted.customer)
        async with begin(till.pool) as tx:
            own = await queries.of_customer(tx, book, customer)
        if any(each.lives for each in own):
            raise Conflict("already-subscribed", customer=wanted.customer)
        known = await customer_there(till, book, customer, claim.provider_key("customer"))
        params = _params(till, book, wanted, (price, known, customer), claim.origin)
        session = await till.provider.make_session(params, claim.provider_key("session"))
        return {"checkout_url": session["url"]}

    result, replayed = await (await till.once(book)).run(call, work)
    return result["checkout_url"], replayed


async def _price(till: Till, book: int, plan: str, period: str) -> str:
    item = f"plan:{plan}:{period}"
    for price, item_ in till.terms.prices.items():
        if item_ == item:
            return price
    async with begin(till.pool) as tx:
        terms = [each for each in await queries.prices(tx, book) if each.item == item]
        known = await queries.provider_prices(tx, book, till.provider.livemode)
    for terms_ in terms:
        for each in reversed(known):
            if (each.item, each.amount, each.currency) == (item, terms_.amount, terms_.currency):
                return each.price
    raise NotFound("plan-not-for-sale", plan=plan, interval=period)


def _params(
    till: Till, book: int, wanted: Wanted, whom: tuple[str, str, int], id_: UUID
) -> dict[str, Any]:
    price, known, customer = whom
    metadata = {compat.BOOK: str(book), compat.CUSTOMER: str(customer)}
    back = f"{till.terms.public_url}{RETURN_PATH}?plan={wanted.plan}"
    params: dict[str, Any] = {
        "mode": "subscription",
        "customer": known,
        "line_items": [{"price": price, "quantity": 1}],
        "client_reference_id": str(id_),
        "metadata": metadata | {compat.PAYMENT: str(id_)},
        "subscription_data": {"metadata": metadata},
        "success_url": wanted.success_url or back,
        "cancel_url": wanted.cancel_url or f"{back}&canceled=1",
    }
    if till.terms.automatic_tax:
        params |= {
            "automatic_tax": {"enabled": True},
            "customer_update": {"address": "auto", "name": "auto"},
        }
    return params


async def customer_there(till: Till, book: int, customer: int, key: str) -> str:
    """Who a customer is at the provider, who is told of him on first use, under a key of ours.

    Raises:
        NotFound: he was erased.
        Unavailable: the provider, or the database, cannot be reached.
    """
    provider = till.provider
    async with begin(till.pool) as tx:
        known = await payments.provider_customer(tx, book, provider.livemode, customer)
        name, _, email = await payments.customer(tx, book, customer)
    if known is not None:
        return known
    if name is None:
        raise NotFound("unknown-customer")
    params: dict[str, Any] = {
        "metadata": {compat.BOOK: str(book), compat.CUSTOMER: str(customer)},
        **({} if email is None else {"email": email}),
    }
    created = await provider.create_customer(params, key)
    async with begin(till.pool) as tx:
        await commands.add_provider_customer(
            tx, book, provider.livemode, customer, str(created["id"])
        )
        found = await payments.provider_customer(tx, book, provider.livemode, customer)
    assert found is not None, "it was just noted"
    return found


async def portal(till: Till, book: int, customer: str, return_url: str | None) -> str:
    """A page on which a customer changes or ends his subscription.

    Raises:
        NotFound: he has nothing there.
        Unavailable: nobody has given us a key; or the provider, or the database, cannot be reached.
    """
    provider = till.provider
    id_ = await till.directory.find_customer(book, customer)
    async with begin(till.pool) as tx:
        known = None
        if id_ is not None:
            known = await payments.provider_customer(tx, book, provider.livemode, id_)
    if known is None:
        raise NotFound("nothing-subscribed", customer=customer)
    params = {"customer": known, "return_url": return_url or till.terms.public_url}
    made = await provider.create_portal(params, f"portal:{till.new_id()}")
    return str(made["url"])


@dataclass(frozen=True, slots=True)
class Standing:
    """What a customer has subscribed to.

    Attributes:
        plan: what he has now, whatever he has subscribed to.
    """

    plan: str
    subscription: Subscription | None


async def standing(till: Till, book: int, customer: str) -> Standing:
    """What a customer has subscribed to; the free plan for whoever has never."""
    id_ = await till.directory.find_customer(book, customer)
    if id_ is None:
        return Standing("free", None)
    async with begin(till.pool) as tx:
        own = await queries.of_customer(tx, book, id_)
        plan = await queries.customer_plan(tx, book, id_)
    return Standing(plan, in_force(own))
