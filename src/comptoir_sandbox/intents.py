"""PaymentIntents: created, confirmed, declined and tried again, authenticated, settled, canceled.

A failed attempt is not the end: the intent wants another method, and may succeed yet. The ends are
two, succeeded and canceled.
"""

from typing import Final

from comptoir_sandbox import charges, disputes, methods
from comptoir_sandbox.cards import Answer, Card
from comptoir_sandbox.grammar import (
    ADDRESS,
    Values,
    amount,
    boolean,
    currency,
    group,
    many,
    metadata,
    one_of,
    text,
    url,
)
from comptoir_sandbox.objects import Object
from comptoir_sandbox.refused import Refused, declined, unexpected
from comptoir_sandbox.world import World, merged

_FUTURE = one_of("off_session", "on_session")
_AUTOMATIC = group("enabled", enabled=boolean, allow_redirects=one_of("always", "never"))
_SHIPPING = group(address=ADDRESS, name=text, phone=text)
_FIELDS = {
    "amount": amount,
    "currency": currency,
    "customer": text,
    "description": text,
    "metadata": metadata,
    "payment_method": text,
    "receipt_email": text,
    "setup_future_usage": _FUTURE,
    "shipping": _SHIPPING,
    "statement_descriptor_suffix": text,
    "transfer_group": text,
    "expand": many(text, 20),
}
CREATE = group(
    "amount",
    "currency",
    **_FIELDS,
    automatic_payment_methods=_AUTOMATIC,
    allowed_payment_method_types=many(text, 20),
    excluded_payment_method_types=many(text, 20),
    capture_method=one_of("automatic", "automatic_async", "manual"),
    confirm=boolean,
    off_session=boolean,
    return_url=url,
    statement_descriptor=text,
)
_LEAST: Final = {"eur": 50, "usd": 50, "cad": 50, "aud": 50, "chf": 50, "gbp": 30}
"""In minor units: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts."""

UPDATE = group(**_FIELDS)
CONFIRM = group(
    payment_method=text,
    off_session=boolean,
    return_url=url,
    setup_future_usage=_FUTURE,
    receipt_email=text,
    expand=many(text, 20),
)
CAPTURE = group(amount_to_capture=amount, metadata=metadata, expand=many(text, 20))
CANCEL = group(
    cancellation_reason=one_of("duplicate", "fraudulent", "requested_by_customer", "abandoned"),
    expand=many(text, 20),
)
CANCELABLE: Final = frozenset({
    "requires_payment_method", "requires_capture", "requires_confirmation", "requires_action",
})  # fmt: skip
CONFIRMABLE: Final = frozenset({
    "requires_payment_method", "requires_confirmation", "requires_action",
})  # fmt: skip

SETTLES: Final = 2
"""Seconds after which what takes time has come or failed; days at the real one."""


def create(world: World, given: Values) -> Object:
    """POST /v1/payment_intents."""
    check_amount(given["amount"], given["currency"])
    made = make(world, given)
    if given.get("confirm"):
        return attempt(world, made, given)
    return made


def check_amount(amount_: int, currency_: str) -> None:
    """Refuse what is too little to be charged.

    Raises:
        Refused: it is.
    """
    if amount_ < _LEAST.get(currency_, 1):
        text = "Amount must be at least the minimum charge amount of its currency."
        raise Refused(text, "amount_too_small", param="amount")


def make(world: World, given: Values) -> Object:
    """An intent that nobody has confirmed yet."""
    if given.get("customer"):
        world.find("customer", given["customer"], "customer")
    method = _method(world, given)
    id_ = world.new_id("pi")
    made: Object = {
        "id": id_,
        "object": "payment_intent",
        "allowed_payment_method_types": given.get("allowed_payment_method_types"),
        "amount": given["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": given.get("automatic_payment_methods")
        or {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": given.get("capture_method", "automatic_async"),
        "client_secret": world.secret(id_),
        "confirmation_method": "automatic",
        "created": world.now_of(given.get("customer")),
        "currency": given["currency"],
        "customer": given.get("customer") or None,
        "description": given.get("description") or None,
        "excluded_payment_method_types": given.get("excluded_payment_method_types"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": merged({}, given.get("metadata", {})),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None if method is None else method["id"],
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card", "sepa_debit"],
        "processing": None,
        "receipt_email": given.get("receipt_email") or None,
        "review": None,
        "setup_future_usage": given.get("setup_future_usage") or None,
        "shipping": given.get("shipping") or None,
        "source": None,
        "statement_descriptor": given.get("statement_descriptor") or None,
        "statement_descriptor_suffix": given.get("statement_descriptor_suffix") or None,
        "status": "requires_payment_method" if method is None else "requires_confirmation",
        "transfer_data": None,
        "transfer_group": given.get("transfer_group") or None,
    }
    world.add(made)
    world.emit("payment_intent.created", made)
    return made


def update(world: World, given: Values, id_: str) -> Object:
    """POST /v1/payment_intents/{id}."""
    found = world.find("payment_intent", id_)
    if found["status"] not in CONFIRMABLE and set(given) - {"metadata", "description"}:
        raise unexpected("payment_intent", found["status"], payment_intent=found)
    check_amount(given.get("amount", found["amount"]), given.get("currency", found["currency"]))
    names = ("amount", "currency", "customer", "description", "receipt_email", "shipping",
             "setup_future_usage", "statement_descriptor_suffix", "transfer_group")  # fmt: skip
    found |= {name: given[name] for name in names if name in given}
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    method = _method(world, given)
    if method is not None:
        found |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return world.changed(found)


def confirm(world: World, given: Values, id_: str) -> Object:
    """POST /v1/payment_intents/{id}/confirm."""
    found = world.find("payment_intent", id_)
    if found["status"] not in CONFIRMABLE:
        raise unexpected("payment_intent", found["status"], payment_intent=found)
    method = _method(world, given)
    if method is not None:
        found["payment_method"] = method["id"]
    if given.get("setup_future_usage"):
        found["setup_future_usage"] = given["setup_future_usage"]
    return attempt(world, found, given)


def attempt(world: World, intent: Object, given: Values) -> Object:
    """Charge the method of an intent, in the way in which that one answers.

    Raises:
        Refused: it declines; the intent wants another method.
    """
    if intent["payment_method"] is None:
        raise Refused(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_intent_unexpected_state",
            payment_intent=intent,
        )
    method = world.find("payment_method", intent["payment_method"])
    card = methods.card_of(world, method)
    asks = card.answer is Answer.ASKS and not world.notes[method["id"]].get("agreed")
    if asks and not given.get("off_session"):
        return _ask(world, intent, given.get("return_url"))
    if asks or card.answer is Answer.DECLINES:
        raise fail(world, intent, card)
    if card.answer is Answer.TAKES_TIME:
        return _begin(world, intent, card)
    return settle(world, intent)


def authenticate(world: World, intent: Object, *, agreed: bool) -> Object:
    """What the owner of a card says when he is asked.

    Raises:
        Refused: he does not agree; or nobody asks him.
    """
    if intent["status"] != "requires_action":
        raise unexpected("payment_intent", intent["status"], payment_intent=intent)
    intent["next_action"] = None
    if agreed:
        return settle(world, intent)
    card = Card(
        "", code="payment_intent_authentication_failure",
        message="The provided PaymentMethod has failed authentication.",
    )  # fmt: skip
    raise fail(world, intent, card)


def settle(world: World, intent: Object) -> Object:
    """The money is there; or it is reserved, when it is to be captured by hand."""
    charge = charges.make(world, intent, succeeds=True)
    intent |= {"latest_charge": charge["id"], "last_payment_error": None, "next_action": None,
               "processing": None}  # fmt: skip
    if intent["setup_future_usage"] and intent["customer"]:
        _remember(world, intent)
    if intent["capture_method"] == "manual":
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        world.changed(intent)
        world.emit("payment_intent.amount_capturable_updated", intent)
        return intent
    return _succeeded(world, intent)


def capture(world: World, given: Values, id_: str) -> Object:
    """POST /v1/payment_intents/{id}/capture."""
    found = world.find("payment_intent", id_)
    if found["status"] != "requires_capture":
        raise unexpected("payment_intent", found["status"], payment_intent=found)
    wanted = given.get("amount_to_capture", found["amount_capturable"])
    if wanted > found["amount_capturable"]:
        raise Refused("The amount to capture is more than what is capturable.",
                      "amount_too_large", param="amount_to_capture")  # fmt: skip
    charges.capture(world, found["latest_charge"], wanted)
    found["amount_capturable"] = 0
    return _succeeded(world, found, wanted)


def cancel(world: World, given: Values, id_: str) -> Object:
    """POST /v1/payment_intents/{id}/cancel."""
    found = world.find("payment_intent", id_)
    if world.notes.get(id_, {}).get("session") and found["status"] != "requires_capture":
        raise Refused(
            "You cannot cancel PaymentIntents that were created by a Checkout Session. Expire the"
            " session instead.",
            "payment_intent_unexpected_state",
            payment_intent=found,
        )
    if found["status"] not in CANCELABLE:
        raise unexpected("payment_intent", found["status"], payment_intent=found)
    return end(world, found, given.get("cancellation_reason"))


def end(world: World, intent: Object, reason: str | None) -> Object:
    """Nobody pays it any more."""
    intent |= {
        "status": "canceled", "canceled_at": world.now_of(intent["customer"]),
        "cancellation_reason": reason, "next_action": None, "amount_capturable": 0,
    }  # fmt: skip
    world.changed(intent)
    world.emit("payment_intent.canceled", intent)
    return intent


def fail(world: World, intent: Object, card: Card) -> Refused:
    """A failed attempt: what is to be raised. The intent wants another method."""
    charge = charges.make(world, intent, succeeds=False, card=card)
    method = world.objects.get(intent["payment_method"] or "")
    error: Object = {
        "charge": charge["id"], "code": card.code, "message": card.message,
        "payment_method": method, "type": "card_error",
        "doc_url": f"https://docs.stripe.com/error-codes/{card.code.replace('_', '-')}",
    }  # fmt: skip
    if card.decline is not None:
        error["decline_code"] = card.decline
    intent |= {
        "status": "requires_payment_method", "payment_method": None, "next_action": None,
        "processing": None, "latest_charge": charge["id"], "last_payment_error": error,
    }  # fmt: skip
    world.changed(intent)
    world.emit("payment_intent.payment_failed", intent)
    more: Object = {"payment_intent": intent, "charge": charge["id"]}
    if card.decline is not None:
        more["decline_code"] = card.decline
    return declined(card.message, card.code, **more)


def come_or_fail(world: World, intent: Object, *, comes: bool) -> None:
    """What took its time has come, or has not."""
    if intent["status"] != "processing":
        return
    method = world.find("payment_method", intent["payment_method"])
    if comes:
        settle(world, intent)
    else:
        fail(world, intent, methods.card_of(world, method))


def _ask(world: World, intent: Object, back: str | None) -> Object:
    intent |= {
        "status": "requires_action",
        "next_action": {
            "type": "redirect_to_url",
            "redirect_to_url": {
                "return_url": back,
                "url": f"{world.base}/authenticate/{intent['id']}/{world.letters(16)}",
            },
        },
    }
    world.note(intent["id"])["back"] = back
    world.changed(intent)
    world.emit("payment_intent.requires_action", intent)
    return intent


def _begin(world: World, intent: Object, card: Card) -> Object:
    intent |= {"status": "processing", "processing": None, "next_action": None}
    note = world.note(intent["id"])
    note |= {"settles_at": world.now() + SETTLES, "comes": card.succeeds}
    world.later(note["settles_at"], intent["id"])
    world.changed(intent)
    world.emit("payment_intent.processing", intent)
    return intent


def _succeeded(world: World, intent: Object, received: int | None = None) -> Object:
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"] if received is None else received,
    }
    world.changed(intent)
    world.emit("payment_intent.succeeded", intent)
    disputes.open_if_so(world, intent)
    return intent


def _remember(world: World, intent: Object) -> None:
    method = world.find("payment_method", intent["payment_method"])
    if method["customer"] is None:
        world.update(method, "payment_method.attached", customer=intent["customer"])


def _method(world: World, given: Values) -> Object | None:
    id_ = given.get("payment_method")
    return None if not id_ else methods.resolve(world, id_)
