"""Whatever we send Stripe is a parameter that its own library has a type for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import stripe

from comptoir.domains.payments.stripe import Access, Stripe
from comptoir.flows import collecting, purchase, reconciling, refunding, stocking, subscribing
from comptoir.flows import topping_up as topping
from comptoir.flows.till import Till
from comptoir.jobs.model import Job
from comptoir.kit.errors import ComptoirError
from tests.sandbox.test_shapes import groups_in, hints
from tests.support.sandbox import KEY
from tests.support.shop import Shop

pytestmark = pytest.mark.pg
Asked = list[tuple[str, Mapping[str, Any]]]
CLIENT = stripe.StripeClient(KEY)


def types_of(call: str) -> Mapping[str, Any]:
    """The parameters that the library's method of that path has."""
    *places, verb = call.split(".")
    found: Any = CLIENT.v1
    for place in places:
        found = getattr(found, place)
    said = getattr(found, f"{verb}_async").__annotations__["params"]
    [name] = re.findall(r"\w+Params", str(said))
    return hints(".".join([*places[:-1], name]))


def unknown(params: Mapping[str, Any], known: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, value in params.items():
        if name not in known:
            yield f"{path}[{name}]"
            continue
        below: dict[str, Any] = {}
        for each in groups_in(known[name]):
            below |= hints_of_group(each)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, Mapping) and below:
                yield from unknown(each, below, f"{path}[{name}]")


def hints_of_group(kind: Any) -> Mapping[str, Any]:  # noqa: ANN401
    from tests.sandbox.test_shapes import hints_of  # noqa: PLC0415

    return hints_of(kind)


async def whole_business(shop: Shop, till: Till) -> None:
    """Everything that is ever asked of Stripe."""
    await stocking.push(till, 1)
    for tax in (False, True):
        taxed = replace(till, terms=replace(till.terms, automatic_tax=tax))
        wanted = purchase.Wanted("alice", "100", f"buy-{tax}")
        begun = await purchase.buy(taxed, 1, wanted)
        plan = subscribing.Wanted(f"bob-{tax}", "pro", "month", f"plan-{tax}")
        await subscribing.checkout(taxed, 1, plan)
        if not tax:
            shop.pay(begun)
            await shop.hear()
            back = refunding.Wanted(begun.id, 100, "requested_by_customer", "back")
            await refunding.refund(till, 1, back)
    await subscribing.portal(till, 1, "bob-False", None)
    await collecting.create(till, 1, collecting.Wanted("order-1", 500, "eur", "c"))
    await collecting.create(till, 1, collecting.Wanted("order-1", 500, "eur", "c2"))
    await top_up(shop, till)
    shop.sql("UPDATE comptoir.payments SET session = NULL WHERE status = 'open'")
    shop.sql("UPDATE comptoir.payments SET looked_at = now() - interval '1 day'")
    await reconciling.reconcile(till, fix=True)
    await reconciling.read_fees(till)


async def top_up(shop: Shop, till: Till) -> None:
    customer = await till.directory.customer(1, "bob-False")
    [(id_,)] = shop.sql(
        "SELECT provider_id FROM comptoir.provider_customers WHERE customer_id = %s", customer
    )
    shop.provider.v1.payment_methods.attach("pm_card_visa", {"customer": id_})
    wanted = topping.TopUp("100", enabled=True, monthly_cap=9000, spent=0, failed_at=None)
    await topping.put(till, 1, "bob-False", wanted)
    await topping.top_up(till, Job(uuid4(), 1, topping.TYPE, {"customer": customer}, 1))


async def the_rest(at: Stripe, shop: Shop) -> None:
    """What is asked by doctor and by statements of tokens, which have tests of their own."""
    v1 = shop.provider.v1
    customer = v1.customers.create({"email": "buyer@example.com"}).id
    item = {"customer": customer, "amount": 5, "currency": "eur", "description": "Tokens"}
    await at.create_item(item, "item")
    await at.endpoints()
    session = v1.checkout.sessions.create({
        "mode": "payment", "success_url": "http://a.test",
        "line_items": [{"price": shop.provider.price().id, "quantity": 1}],
    })  # fmt: skip
    await at.expire_session(session.id, "expire")
    await at.cancel_intent(v1.payment_intents.create({"amount": 99, "currency": "eur"}).id, "c")


async def test_every_parameter_that_we_send_has_a_type(shop: Shop) -> None:
    asked: Asked = []

    def told(call: str, params: Mapping[str, Any]) -> None:
        asked.append((call, params))

    access = Access(KEY, shop.provider.base, asked=told)
    async with Stripe(access) as at:
        await whole_business(shop, replace(shop.till, stripe=at))
        await the_rest(at, shop)
    faults = {
        fault for call, params in asked if params
        for fault in unknown(params, types_of(call), call)
    }  # fmt: skip
    assert faults == set()
    assert {call for call, _ in asked} >= {
        "products.create", "prices.create", "prices.list", "customers.create",
        "checkout.sessions.create", "checkout.sessions.list", "checkout.sessions.retrieve",
        "checkout.sessions.expire", "payment_intents.create", "payment_intents.list",
        "payment_intents.retrieve", "payment_intents.cancel", "refunds.create", "refunds.list",
        "billing_portal.sessions.create", "payment_methods.list", "events.list", "disputes.list",
        "invoices.list", "invoice_items.create", "webhook_endpoints.list",
    }  # fmt: skip


def test_a_parameter_without_a_type_is_noticed() -> None:
    said = {"mode": "payment", "colour": 1, "payment_intent_data": {"metadata": {"a": "b"}, "x": 1}}
    call = "checkout.sessions.create"
    found = list(unknown(said, types_of(call), call))
    assert found == [f"{call}[colour]", f"{call}[payment_intent_data][x]"]


async def test_a_key_that_stripe_does_not_know_is_said_so(shop: Shop) -> None:
    async with Stripe(Access("sk_live_other", shop.provider.base)) as at:
        assert at.livemode
        with pytest.raises(ComptoirError, match="provider"):
            await at.intent("pi_1")
