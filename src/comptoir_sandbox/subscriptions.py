"""Subscriptions: begun, renewed when their period ends, changed, paused, ended.

The first invoice decides whether one begins; whoever does not pay a later one falls behind, is
asked again some days later, and is canceled in the end.
"""

from typing import Final

from comptoir_sandbox import billing, changing, intents, invoices, terms
from comptoir_sandbox.grammar import (
    Values,
    boolean,
    group,
    integer,
    many,
    metadata,
    one_of,
    text,
)
from comptoir_sandbox.objects import Object
from comptoir_sandbox.refused import Refused
from comptoir_sandbox.terms import ENDED
from comptoir_sandbox.world import World

_ITEM = group(id=text, price=text, quantity=integer, deleted=boolean, metadata=metadata)
_PRORATION = one_of("always_invoice", "create_prorations", "none")
_TRIAL = group(
    end_behavior=group(
        "missing_payment_method", missing_payment_method=one_of("cancel", "create_invoice", "pause")
    )
)
_FIELDS = {
    "items": many(_ITEM, 20),
    "automatic_tax": group("enabled", enabled=boolean),
    "cancel_at": integer,
    "cancel_at_period_end": boolean,
    "collection_method": one_of("charge_automatically", "send_invoice"),
    "days_until_due": integer,
    "default_payment_method": text,
    "description": text,
    "metadata": metadata,
    "off_session": boolean,
    "payment_behavior": one_of(
        "allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"
    ),
    "proration_behavior": _PRORATION,
    "trial_settings": _TRIAL,
    "expand": many(text, 20),
}
CREATE = group(
    "customer", "items", **_FIELDS, customer=text, trial_period_days=integer, trial_end=integer
)
UPDATE = group(
    **_FIELDS,
    billing_cycle_anchor=group("type", type=one_of("now", "unchanged")),
    pause_collection=group(
        "behavior", behavior=one_of("keep_as_draft", "mark_uncollectible", "void"),
        resumes_at=integer,
    ),
    proration_date=integer,
    trial_end=text,
    cancellation_details=group(comment=text, feedback=text),
)  # fmt: skip
CANCEL = group(
    cancellation_details=group(comment=text, feedback=text),
    invoice_now=boolean,
    prorate=boolean,
    expand=many(text, 20),
)
RESUME = group(
    billing_cycle_anchor=group("type", type=one_of("now", "unchanged")),
    proration_behavior=_PRORATION,
    expand=many(text, 20),
)

_FIRST_PAYMENT: Final = 23 * 3_600
_RENEWALS: Final = 60
"""Periods that one look at the clock lets pass at most."""


def create(world: World, given: Values) -> Object:
    """POST /v1/subscriptions."""
    customer = world.find("customer", given["customer"], "customer")
    wanted = [terms.priced(world, each) for each in given["items"]]
    made = terms.begun(world, customer, wanted, given)
    if made["trial_end"] is not None:
        made["status"] = "trialing"
    world.later(made["created"] + _FIRST_PAYMENT, made["id"])
    world.later(terms.period_of(made)[1], made["id"])
    world.emit("customer.subscription.created", made)
    billing.first_invoice(world, customer, made, given)
    return made


def update(world: World, given: Values, id_: str) -> Object:
    """POST /v1/subscriptions/{id}."""
    found = world.find("subscription", id_)
    if found["status"] in ENDED:
        raise Refused("A canceled subscription can only update its cancellation_details and"
                      " metadata.")  # fmt: skip
    before = {name: found[name] for name in (
        "items", "cancel_at", "cancel_at_period_end", "canceled_at", "metadata", "status",
        "pause_collection", "default_payment_method", "trial_end", "latest_invoice",
    )}  # fmt: skip
    changing.set_plain(world, found, given)
    if given.get("items"):
        changing.change_items(world, found, given)
    if given.get("trial_end") == "now" and found["status"] == "trialing":
        _end_trial(world, found)
    world.changed(found)
    previous = {name: value for name, value in before.items() if found[name] != value}
    world.emit("customer.subscription.updated", found, previous)
    if found["cancel_at"] is not None:
        world.later(found["cancel_at"], found["id"])
    return found


def cancel(world: World, given: Values, id_: str) -> Object:
    """DELETE /v1/subscriptions/{id}."""
    found = world.find("subscription", id_)
    if found["status"] in ENDED:
        raise Refused(f"No such subscription: '{id_}'", "resource_missing", 404)
    details = {"comment": None, "feedback": None, "reason": "cancellation_requested"}
    return end(world, found, details | given.get("cancellation_details", {}))


def resume(world: World, _: Values, id_: str) -> Object:
    """POST /v1/subscriptions/{id}/resume: one that was paused when its trial ended."""
    found = world.find("subscription", id_)
    if found["status"] != "paused":
        raise Refused("Subscription is not paused.")
    customer = world.find("customer", found["customer"])
    terms.restart(world, found, world.now_of(customer["id"]))
    world.update(found, "customer.subscription.resumed", status="active")
    billing.bill(world, customer, found, "subscription_update", {})
    return found


def end(world: World, found: Object, details: Object) -> Object:
    """It is over."""
    now = world.now_of(found["customer"])
    found |= {
        "status": "canceled", "canceled_at": found["canceled_at"] or now, "ended_at": now,
        "cancellation_details": details, "cancel_at_period_end": False,
    }  # fmt: skip
    world.changed(found)
    for invoice in billing.open_invoices(world, found["id"]):
        invoices.ended(world, invoice, "void", "voided_at", "invoice.voided")
    world.emit("customer.subscription.deleted", found)
    return found


def tick(world: World, found: Object) -> None:
    """Let happen what is due by its customer's clock."""
    now = world.now_of(found["customer"])
    for _ in range(_RENEWALS):
        if found["status"] in ENDED:
            return
        if not _step(world, found, now):
            break
    if found["test_clock"] is None:
        for due in dues(world, found):
            if due > now:
                world.later(due, found["id"])


def dues(world: World, found: Object) -> list[int]:
    """The moments at which something is to happen to it."""
    if found["status"] in ENDED:
        return []
    if found["status"] == "incomplete":
        return [found["created"] + _FIRST_PAYMENT]
    due = [terms.period_of(found)[1]]
    if found["cancel_at"] is not None:
        due.append(found["cancel_at"])
    attempts = [each["next_payment_attempt"] for each in billing.open_invoices(world, found["id"])]
    return due + [each for each in attempts if each is not None]


def _step(world: World, found: Object, now: int) -> bool:
    """One thing that is due; whether there was one."""
    if found["status"] == "incomplete":
        return _expire_first(world, found, now)
    ends = terms.period_of(found)[1]
    is_over = found["cancel_at"] is not None and found["cancel_at"] <= now
    if is_over or (found["cancel_at_period_end"] and ends <= now):
        end(world, found, found["cancellation_details"])
        return True
    if _retry(world, found, now):
        return True
    if found["status"] == "paused" or ends > now:
        return False
    if found["status"] == "trialing":
        _end_trial(world, found)
    else:
        _renew(world, found)
    return True


def _expire_first(world: World, found: Object, now: int) -> bool:
    if now < found["created"] + _FIRST_PAYMENT:
        return False
    for invoice in billing.open_invoices(world, found["id"]):
        invoices.ended(world, invoice, "void", "voided_at", "invoice.voided")
    found["ended_at"] = now
    world.update(found, "customer.subscription.updated", status="incomplete_expired")
    return True


def _retry(world: World, found: Object, now: int) -> bool:
    for invoice in billing.open_invoices(world, found["id"]):
        due = invoice["next_payment_attempt"]
        if due is not None and due <= now:
            invoices.charge(world, invoice, off_session=True)
            billing.after_payment(world, invoice)
            return True
        given_up = due is None and invoice["attempt_count"] > len(invoices.RETRIES)
        if found["status"] == "past_due" and given_up:
            end(world, found, {"comment": None, "feedback": None, "reason": "payment_failed"})
            return True
    return False


def _renew(world: World, found: Object) -> None:
    customer = world.find("customer", found["customer"])
    before = {"items": found["items"]}
    terms.next_period(found)
    world.changed(found)
    world.emit("customer.subscription.updated", found, before)
    if found["status"] == "unpaid":
        return
    billing.bill(world, customer, found, "subscription_cycle", {})


def _end_trial(world: World, found: Object) -> None:
    customer = world.find("customer", found["customer"])
    behavior = found["trial_settings"]["end_behavior"]["missing_payment_method"]
    has_method = (
        found["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    )
    if not has_method and behavior == "pause":
        world.update(found, "customer.subscription.paused", status="paused")
        return
    if not has_method and behavior == "cancel":
        details = {"comment": None, "feedback": None, "reason": "payment_failed"}
        end(world, found, details)
        return
    ends = min(terms.period_of(found)[1], world.now_of(found["customer"]))
    terms.restart(world, found, ends)
    world.update(found, "customer.subscription.updated", status="active", trial_end=ends)
    billing.bill(world, customer, found, "subscription_cycle", {})


def settle_intent(world: World, intent: Object) -> None:
    """Something was decided of an intent: what its invoice and its subscription make of it."""
    invoice = world.objects.get(world.notes.get(intent["id"], {}).get("invoice", ""))
    if invoice is None:
        return
    if intent["status"] == "succeeded" or intent["status"] in intents.CONFIRMABLE:
        invoices.after_payment(world, intent, comes=intent["status"] == "succeeded")
        billing.after_payment(world, invoice)
