"""Invoices: drafted, finalized, paid or not, void; and the items that wait for the next one."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Final

from comptoir_sandbox import intents, items, methods
from comptoir_sandbox.grammar import (
    Values,
    boolean,
    currency,
    group,
    integer,
    many,
    metadata,
    one_of,
    text,
)
from comptoir_sandbox.items import Line
from comptoir_sandbox.objects import Object, name_in
from comptoir_sandbox.refused import Refused
from comptoir_sandbox.world import World, merged

_COLLECTION = one_of("charge_automatically", "send_invoice")
CREATE = group(
    "customer",
    customer=text,
    auto_advance=boolean,
    collection_method=_COLLECTION,
    currency=currency,
    days_until_due=integer,
    description=text,
    metadata=metadata,
    subscription=text,
    automatic_tax=group("enabled", enabled=boolean),
    pending_invoice_items_behavior=one_of("exclude", "include"),
    expand=many(text, 20),
)
UPDATE = group(auto_advance=boolean, description=text, metadata=metadata, expand=many(text, 20))
FINALIZE = group(auto_advance=boolean, expand=many(text, 20))
PAY = group(payment_method=text, off_session=boolean, paid_out_of_band=boolean,
            expand=many(text, 20))  # fmt: skip
VOID = group(expand=many(text, 20))

_DAY: Final = 86_400
RETRIES: Final = (3 * _DAY, 5 * _DAY, 7 * _DAY)
"""Seconds after which an invoice that was not paid is tried again."""


def create(world: World, given: Values) -> Object:
    """POST /v1/invoices: of what waits for the customer."""
    customer = world.find("customer", given["customer"], "customer")
    waiting = given.get("pending_invoice_items_behavior", "exclude") == "include"
    found = items.pending(world, customer["id"]) if waiting else []
    money = given.get("currency") or customer["currency"] or "eur"
    lines = [items.item_line(world, each) for each in found]
    invoice = draft(world, customer, lines, money, Why("manual", more=given))
    for item in found:
        item["invoice"] = invoice["id"]
        world.changed(item)
    return invoice


@dataclass(frozen=True, slots=True)
class Why:
    """What an invoice is made for.

    Attributes:
        reason: as `billing_reason` says it.
        more: what its maker says of it.
    """

    reason: str
    subscription: Object | None = None
    more: Values = field(default_factory=Values)


def draft(world: World, customer: Object, lines: list[Line], money: str, why: Why) -> Object:
    """An invoice that can still be changed."""
    said, reason, subscription = why.more, why.reason, why.subscription
    now = world.now_of(customer["id"])
    tax = said.get("automatic_tax", {}).get("enabled", False)
    made: Object = deepcopy(_BLANK) | {
        "id": world.new_id("in"),
        "auto_advance": said.get("auto_advance", reason != "manual"),
        "automatic_tax": _automatic(is_enabled=tax),
        "billing_reason": reason,
        "collection_method": said.get("collection_method", "charge_automatically"),
        "created": now,
        "currency": money,
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_tax_exempt": customer["tax_exempt"],
        "description": said.get("description"),
        "discounts": [],
        "default_tax_rates": [],
        "due_date": now + said["days_until_due"] * _DAY if "days_until_due" in said else None,
        "issuer": {"type": "self"},
        "lines": None,
        "metadata": merged({}, said.get("metadata", {})),
        "parent": _parent(subscription),
        "payment_settings": dict.fromkeys(
            ("default_mandate", "payment_method_options", "payment_method_types")
        ),
        "period_start": min((line.start for line in lines), default=now),
        "period_end": max((line.end for line in lines), default=now),
        "status_transitions": dict.fromkeys(
            ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
        ),
        "test_clock": customer["test_clock"],
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    }
    world.add(made)
    items.put_lines(world, made, lines)
    world.emit("invoice.created", made)
    return made


def finalize(world: World, given: Values, id_: str) -> Object:
    """POST /v1/invoices/{id}/finalize."""
    invoice = world.find("invoice", id_)
    if invoice["status"] != "draft":
        raise Refused("This invoice is already finalized, you can't re-finalize it.",
                      "invoice_not_editable")  # fmt: skip
    if "auto_advance" in given:
        invoice["auto_advance"] = given["auto_advance"]
    return finalized(world, invoice)


def finalized(world: World, invoice: Object) -> Object:
    """An invoice that is to be paid; one of nothing is paid already."""
    customer = world.find("customer", invoice["customer"])
    number = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] = number + 1
    world.changed(customer)
    now = world.now_of(customer["id"])
    invoice |= {
        "status": "open", "number": f"{customer['invoice_prefix']}-{number:04d}",
        "effective_at": now, "ending_balance": 0,
        "hosted_invoice_url": f"{world.base}/invoice/{invoice['id']}",
        "invoice_pdf": f"{world.base}/invoice/{invoice['id']}",
    }  # fmt: skip
    invoice["status_transitions"]["finalized_at"] = now
    if invoice["amount_due"] > 0:
        _request_payment(world, invoice)
    world.changed(invoice)
    world.emit("invoice.finalized", invoice)
    if invoice["amount_due"] <= 0:
        _paid(world, invoice)
    return invoice


def pay(world: World, given: Values, id_: str) -> Object:
    """POST /v1/invoices/{id}/pay."""
    invoice = world.find("invoice", id_)
    if invoice["status"] == "draft":
        finalized(world, invoice)
    if invoice["status"] == "paid":
        raise Refused("Invoice is already paid", "invoice_already_paid")
    if invoice["status"] != "open":
        raise Refused(f"You can only pay open invoices; this one is {invoice['status']}.")
    if given.get("paid_out_of_band"):
        invoice["amount_paid_off_stripe"] = invoice["amount_due"]
        return _paid(world, invoice)
    refusal = charge(world, invoice, given.get("payment_method"), off_session=True)
    if refusal is not None:
        raise refusal
    return invoice


def charge(
    world: World, invoice: Object, method: str | None = None, *, off_session: bool
) -> Refused | None:
    """Try to have an invoice paid; what is to be raised when that failed."""
    intent = intent_of(world, invoice)
    found = method or _default_method(world, invoice)
    if intent is None:
        return None
    if found is None:
        return _not_paid(world, invoice, Refused(
            "This customer has no attached payment source or default payment method.",
            "resource_missing",
        ))  # fmt: skip
    resolved = methods.resolve(world, found)
    intent["payment_method"] = resolved["id"]
    invoice["attempted"] = True
    try:
        intents.attempt(world, intent, {"off_session": off_session})
    except Refused as refusal:
        return _not_paid(world, invoice, refusal)
    if intent["status"] == "succeeded":
        _paid(world, invoice)
    elif intent["status"] == "requires_action":
        world.changed(invoice)
        world.emit("invoice.payment_action_required", invoice)
    return None


def after_payment(world: World, intent: Object, *, comes: bool) -> None:
    """What took its time, or was asked for, has come or has not."""
    found = world.objects.get(world.notes.get(intent["id"], {}).get("invoice", ""))
    if found is None or found["status"] != "open":
        return
    if comes:
        _paid(world, found)
    else:
        _not_paid(world, found, Refused("The payment failed."))


def void(world: World, _: Values, id_: str) -> Object:
    """POST /v1/invoices/{id}/void."""
    invoice = world.find("invoice", id_)
    if invoice["status"] not in {"open", "uncollectible"}:
        raise Refused("You can only void open or uncollectible invoices.")
    return ended(world, invoice, "void", "voided_at", "invoice.voided")


def mark_uncollectible(world: World, _: Values, id_: str) -> Object:
    """POST /v1/invoices/{id}/mark_uncollectible."""
    invoice = world.find("invoice", id_)
    if invoice["status"] != "open":
        raise Refused("You can only mark open invoices as uncollectible.")
    return ended(world, invoice, "uncollectible", "marked_uncollectible_at",
                 "invoice.marked_uncollectible")  # fmt: skip


def ended(world: World, invoice: Object, status: str, moment: str, event: str) -> Object:
    """Nobody is to pay it any more."""
    invoice |= {"status": status, "next_payment_attempt": None, "auto_advance": False}
    invoice["status_transitions"][moment] = world.now_of(invoice["customer"])
    intent = intent_of(world, invoice)
    if intent is not None and intent["status"] in intents.CANCELABLE:
        intents.end(world, intent, "void_invoice")
    world.changed(invoice)
    world.emit(event, invoice)
    return invoice


def update(world: World, given: Values, id_: str) -> Object:
    """POST /v1/invoices/{id}."""
    found = world.find("invoice", id_)
    fields = {name: given[name] for name in ("auto_advance", "description") if name in given}
    if "metadata" in given:
        fields["metadata"] = merged(found["metadata"], given["metadata"])
    return world.update(found, "invoice.updated", **fields)


def delete(world: World, _: Values, id_: str) -> Object:
    """DELETE /v1/invoices/{id}: a draft."""
    found = world.find("invoice", id_)
    if found["status"] != "draft":
        raise Refused("You can only delete draft invoices.")
    world.emit("invoice.deleted", found)
    found["deleted"] = True
    world.changed(found)
    return {"id": id_, "object": "invoice", "deleted": True}


def intent_of(world: World, invoice: Object) -> Object | None:
    """The intent that an invoice is to be paid by."""
    payment = payment_of(world, invoice)
    return None if payment is None else world.objects[payment["payment"]["payment_intent"]]


def payment_of(world: World, invoice: Object) -> Object | None:
    """What says by which intent an invoice is to be paid."""
    return world.objects.get(world.notes.get(invoice["id"], {}).get("payment", ""))


def _request_payment(world: World, invoice: Object) -> None:
    intent = intents.make(world, {
        "amount": invoice["amount_due"],
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": "Subscription" if invoice["parent"] else "Invoice",
        "setup_future_usage": "off_session" if invoice["parent"] else None,
    })  # fmt: skip
    world.note(intent["id"])["invoice"] = invoice["id"]
    made: Object = {
        "id": world.new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": world.now_of(invoice["customer"]),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    world.add(made)
    world.note(invoice["id"])["payment"] = made["id"]


def _paid(world: World, invoice: Object) -> Object:
    now = world.now_of(invoice["customer"])
    off_stripe = invoice["amount_paid_off_stripe"] or 0
    invoice |= {
        "status": "paid", "amount_paid": max(invoice["amount_due"] - off_stripe, 0),
        "amount_remaining": 0, "attempted": True, "attempt_count": invoice["attempt_count"] + 1,
        "next_payment_attempt": None, "auto_advance": False,
    }  # fmt: skip
    invoice["status_transitions"]["paid_at"] = now
    world.changed(invoice)
    payment = payment_of(world, invoice)
    if payment is not None and not off_stripe:
        payment |= {"status": "paid", "amount_paid": payment["amount_requested"]}
        payment["status_transitions"]["paid_at"] = now
        world.changed(payment)
        world.emit("invoice_payment.paid", payment)
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)
    return invoice


def _not_paid(world: World, invoice: Object, refusal: Refused) -> Refused:
    tried: int = invoice["attempt_count"]
    wait = RETRIES[tried] if tried < len(RETRIES) else None
    now = world.now_of(invoice["customer"])
    invoice |= {
        "attempted": True, "attempt_count": tried + 1,
        "next_payment_attempt": None if wait is None or not invoice["auto_advance"] else now + wait,
    }  # fmt: skip
    world.changed(invoice)
    world.emit("invoice.payment_failed", invoice)
    return refusal


def _default_method(world: World, invoice: Object) -> str | None:
    customer = world.find("customer", invoice["customer"])
    id_ = name_in(invoice, "parent", "subscription_details", "subscription")
    subscription = world.objects.get(id_, {})
    return (
        invoice["default_payment_method"]
        or subscription.get("default_payment_method")
        or customer["invoice_settings"]["default_payment_method"]
    )


def _parent(subscription: Object | None) -> Object | None:
    if subscription is None:
        return None
    return {
        "quote_details": None,
        "subscription_details": {
            "metadata": dict(subscription["metadata"]),
            "subscription": subscription["id"],
        },
        "type": "subscription_details",
    }


def _automatic(*, is_enabled: bool) -> Object:
    return {
        "disabled_reason": None,
        "enabled": is_enabled,
        "liability": {"type": "self"} if is_enabled else None,
        "provider": "stripe" if is_enabled else None,
        "status": "complete" if is_enabled else None,
    }


_BLANK: Final[Object] = {
    "object": "invoice",
    "account_country": "FR",
    "account_name": "Sandbox",
    "account_tax_ids": None,
    "amount_due": 0,
    "amount_overpaid": 0,
    "amount_paid": 0,
    "amount_paid_off_stripe": None,
    "amount_remaining": 0,
    "amount_shipping": 0,
    "application": None,
    "attempt_count": 0,
    "attempted": False,
    "automatically_finalizes_at": None,
    "custom_fields": None,
    "customer_shipping": None,
    "customer_tax_ids": [],
    "default_payment_method": None,
    "default_source": None,
    "effective_at": None,
    "ending_balance": None,
    "footer": None,
    "from_invoice": None,
    "hosted_invoice_url": None,
    "invoice_pdf": None,
    "last_finalization_error": None,
    "latest_revision": None,
    "livemode": False,
    "next_payment_attempt": None,
    "number": None,
    "on_behalf_of": None,
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "receipt_number": None,
    "rendering": None,
    "shipping_cost": None,
    "shipping_details": None,
    "starting_balance": 0,
    "statement_descriptor": None,
    "status": "draft",
    "subtotal": 0,
    "subtotal_excluding_tax": 0,
    "total": 0,
    "total_excluding_tax": 0,
    "webhooks_delivered_at": None,
}
