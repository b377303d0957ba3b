"""Checkout Sessions: a page that a customer pays on, abandons, or finds expired."""

from copy import deepcopy
from typing import Final

from comptoir_sandbox import catalogue, customers, intents, methods, subscriptions
from comptoir_sandbox.cards import Answer, Card
from comptoir_sandbox.grammar import (
    Values,
    boolean,
    group,
    integer,
    many,
    metadata,
    one_of,
    text,
    url,
)
from comptoir_sandbox.objects import Object, part
from comptoir_sandbox.refused import Refused, declined, missing
from comptoir_sandbox.taxes import taxed
from comptoir_sandbox.world import World, merged

_ITEM = group(
    price=text,
    price_data=catalogue.PRICE_INLINE,
    quantity=integer,
    adjustable_quantity=group(enabled=boolean, minimum=integer, maximum=integer),
)
CREATE = group(
    "mode",
    mode=one_of("payment", "subscription"),
    line_items=many(_ITEM, 100),
    success_url=url,
    cancel_url=url,
    return_url=url,
    ui_mode=one_of("hosted_page", "embedded_page"),
    customer=text,
    customer_email=text,
    customer_creation=one_of("always", "if_required"),
    customer_update=group(address=one_of("auto", "never"), name=one_of("auto", "never")),
    client_reference_id=text,
    metadata=metadata,
    payment_intent_data=group(
        metadata=metadata, description=text, receipt_email=text, statement_descriptor_suffix=text,
        capture_method=one_of("automatic", "automatic_async", "manual"),
        setup_future_usage=one_of("off_session", "on_session"),
    ),
    subscription_data=group(
        metadata=metadata, description=text, trial_period_days=integer, trial_end=integer,
        billing_mode=group(type=one_of("classic", "flexible")),
    ),
    automatic_tax=group("enabled", enabled=boolean),
    tax_id_collection=group("enabled", enabled=boolean),
    billing_address_collection=one_of("auto", "required"),
    allow_promotion_codes=boolean,
    allowed_payment_method_types=many(text, 20),
    excluded_payment_method_types=many(text, 20),
    expires_at=integer,
    locale=text,
    submit_type=one_of("auto", "book", "donate", "pay", "subscribe"),
    expand=many(text, 20),
)  # fmt: skip
UPDATE = group(metadata=metadata, expand=many(text, 20))
EXPIRE = group(expand=many(text, 20))

_LEAST: Final = 30 * 60
_MOST: Final = 24 * 3_600
_FREE: Final = "no_payment_required"


def create(world: World, given: Values) -> Object:
    """POST /v1/checkout/sessions."""
    items = _items(world, given)
    expires_at = given.get("expires_at", world.now() + _MOST)
    if not world.now() + _LEAST - 60 <= expires_at <= world.now() + _MOST + 60:
        raise Refused("The `expires_at` timestamp must be between 30 minutes and 24 hours from"
                      " Checkout Session creation.", param="expires_at")  # fmt: skip
    if given.get("customer"):
        world.find("customer", given["customer"], "customer")
        if given.get("customer_email"):
            raise Refused("You may only specify one of these parameters: customer,"
                          " customer_email.")  # fmt: skip
    if given.get("ui_mode", "hosted_page") == "hosted_page" and not given.get("success_url"):
        raise missing("success_url")
    made = _made(world, given, items, expires_at)
    world.add(made, items=items, given={
        "intent": given.get("payment_intent_data", {}),
        "subscription": given.get("subscription_data", {}),
        "makes_customer": given.get("customer_creation") == "always",
    })  # fmt: skip
    world.later(expires_at, made["id"])
    return made


def update(world: World, given: Values, id_: str) -> Object:
    """POST /v1/checkout/sessions/{id}."""
    found = world.find("checkout.session", id_)
    found["metadata"] = merged(found["metadata"], given.get("metadata", {}))
    return world.changed(found)


def expire(world: World, _: Values, id_: str) -> Object:
    """POST /v1/checkout/sessions/{id}/expire."""
    found = world.find("checkout.session", id_)
    if found["status"] != "open":
        raise Refused('Only Checkout Sessions with a status in ["open"] can be expired. This'
                      f" Checkout Session has a status of {found['status']}.")  # fmt: skip
    return expired(world, found)


def expired(world: World, session: Object) -> Object:
    """Nobody can pay on it any more."""
    session |= {"status": "expired", "url": None}
    intent = world.objects.get(session["payment_intent"] or "")
    world.changed(session)
    if intent is not None and intent["status"] in intents.CANCELABLE:
        intents.end(world, intent, "expired")
    world.emit("checkout.session.expired", session)
    return session


def tick(world: World, session: Object) -> None:
    """Expire it when its time is up; one whose customer is just being asked stays for him."""
    if session["status"] == "open" and session["expires_at"] <= world.now():
        expired(world, session)


def line_items(world: World, session: Object) -> list[Object]:
    """What is bought."""
    items: list[Object] = world.notes[session["id"]]["items"]
    return items


def pay(world: World, session: Object, method: str, email: str | None) -> Object:
    """What a customer does on the page: pay with a test's method.

    Returns:
        The session; open still when he has to authenticate first.

    Raises:
        Refused: it is not open, or the method declines.
    """
    if session["status"] != "open":
        raise Refused(f"This session is {session['status']}.", "session_unexpected_state")
    _who(world, session, email)
    if session["mode"] == "subscription":
        return _subscribe(world, session, method)
    return _pay_once(world, session, method)


def settle_intent(world: World, intent: Object) -> None:
    """Something was decided of an intent: what its session makes of it."""
    session = world.objects.get(world.notes.get(intent["id"], {}).get("session", ""))
    if session is None:
        return
    if session["status"] == "open" and intent["status"] in {"succeeded", "processing"}:
        complete(world, session, is_paid=intent["status"] == "succeeded")
    elif session["status"] == "complete" and session["payment_status"] == "unpaid":
        if intent["status"] == "succeeded":
            session["payment_status"] = "paid"
            world.changed(session)
            world.emit("checkout.session.async_payment_succeeded", session)
        elif intent["status"] == "requires_payment_method":
            world.emit("checkout.session.async_payment_failed", session)


def complete(world: World, session: Object, *, is_paid: bool) -> Object:
    """The customer is done."""
    is_free = session["payment_status"] == _FREE
    session |= {
        "status": "complete", "url": None,
        "payment_status": _FREE if is_free else "paid" if is_paid else "unpaid",
    }  # fmt: skip
    world.changed(session)
    world.emit("checkout.session.completed", session)
    return session


def _pay_once(world: World, session: Object, method: str) -> Object:
    if session["payment_status"] == _FREE:
        return complete(world, session, is_paid=True)
    intent = world.objects.get(session["payment_intent"] or "")
    if intent is None:
        intent = _intent(world, session)
    chosen = methods.resolve(world, method)
    chosen["billing_details"] = chosen["billing_details"] | {
        "email": part(session, "customer_details").get("email")
    }
    intent |= {"payment_method": chosen["id"], "status": "requires_confirmation"}
    intents.attempt(world, intent, {"return_url": session["success_url"]})
    settle_intent(world, intent)
    return session


def _intent(world: World, session: Object) -> Object:
    said: Object = world.notes[session["id"]]["given"]["intent"]
    made = intents.make(world, {
        "amount": session["amount_total"], "currency": session["currency"],
        "customer": session["customer"], **said,
    })  # fmt: skip
    world.note(made["id"])["session"] = session["id"]
    session["payment_intent"] = made["id"]
    world.changed(session)
    return made


def _subscribe(world: World, session: Object, method: str) -> Object:
    chosen = methods.resolve(world, method)
    card = methods.card_of(world, chosen)
    if card.answer is Answer.DECLINES:
        raise _says_no(card)
    if card.answer is Answer.ASKS and not world.notes[session["id"]].get("agreed"):
        world.note(session["id"])["method"] = chosen["id"]
        return session
    world.update(chosen, "payment_method.attached", customer=session["customer"])
    said: Object = world.notes[session["id"]]["given"]["subscription"]
    made = subscriptions.create(world, {
        "customer": session["customer"],
        "items": [
            {"price": each["price"]["id"], "quantity": each["quantity"]}
            for each in line_items(world, session)
        ],
        "default_payment_method": chosen["id"],
        "automatic_tax": {"enabled": session["automatic_tax"]["enabled"]},
        **{name: value for name, value in said.items() if name != "billing_mode"},
    })  # fmt: skip
    session |= {"subscription": made["id"], "invoice": made["latest_invoice"]}
    is_paid = made["status"] in {"active", "trialing"}
    invoice = world.objects[made["latest_invoice"]]
    return complete(world, session, is_paid=is_paid and invoice["status"] == "paid")


def agree(world: World, session: Object, *, agreed: bool) -> Object:
    """What the customer says when the bank asks him for a subscription's card."""
    method = world.notes[session["id"]].get("method")
    if session["status"] != "open" or method is None:
        raise Refused("Nobody is asked anything here.")
    if not agreed:
        raise declined("The provided PaymentMethod has failed authentication.",
                       "payment_intent_authentication_failure")  # fmt: skip
    world.note(session["id"])["agreed"] = True
    world.note(method)["agreed"] = (
        True  # and for what follows, as who has agreed once may be charged
    )
    return _subscribe(world, session, method)


def _says_no(card: Card) -> Refused:
    return declined(card.message, card.code, decline_code=card.decline)


def _who(world: World, session: Object, email: str | None) -> None:
    """The customer, made when the session wants one and has none."""
    found = world.objects.get(session["customer"] or "")
    said = email or session["customer_email"] or (found or {}).get("email")
    given: Object = world.notes[session["id"]]["given"]
    if found is None and (session["mode"] == "subscription" or given["makes_customer"]):
        session["customer"] = customers.create(world, {"email": said})["id"]
    session["customer_details"] = {
        "address": {
            "city": None, "country": "FR", "line1": None, "line2": None, "postal_code": None,
            "state": None,
        },
        "business_name": None, "email": said, "individual_name": None,
        "name": (found or {}).get("name"), "phone": None, "tax_exempt": "none", "tax_ids": [],
    }  # fmt: skip
    world.changed(session)


def _items(world: World, given: Values) -> list[Object]:
    if not given.get("line_items"):
        raise missing("line_items")
    is_taxed = given.get("automatic_tax", {}).get("enabled", False)
    found: list[Object] = []
    for number, said in enumerate(given["line_items"]):
        price = _price(world, said, f"line_items[{number}]")
        wants = "recurring" if given["mode"] == "subscription" else "one_time"
        if price["type"] == "recurring" and wants == "one_time":
            raise Refused(
                "You must provide at least one recurring price in `subscription` mode, and only"
                " one-time prices in `payment` mode.",
                param="line_items",
            )
        quantity = said.get("quantity", 1)
        if not 1 <= quantity <= 999_999:  # noqa: PLR2004  # Stripe's own limit
            raise Refused("Invalid positive integer", "parameter_invalid_integer",
                          param=f"line_items[{number}][quantity]")  # fmt: skip
        due = taxed(price["unit_amount"] * quantity, price["tax_behavior"], is_enabled=is_taxed)
        product = world.objects[price["product"]]
        found.append({
            "id": world.new_id("li"), "object": "item", "adjustable_quantity": None,
            "amount_discount": 0, "amount_subtotal": due.subtotal, "amount_tax": due.tax,
            "amount_total": due.total, "currency": price["currency"],
            "description": product["name"], "metadata": {}, "price": price, "quantity": quantity,
        })  # fmt: skip
    if given["mode"] == "subscription" and not any(
        each["price"]["type"] == "recurring" for each in found
    ):
        raise Refused("You must provide at least one recurring price in `subscription` mode.",
                      param="line_items")  # fmt: skip
    if len({each["currency"] for each in found}) > 1:
        raise Refused("All prices must have the same currency.", param="line_items")
    return found


def _price(world: World, said: Values, name: str) -> Object:
    if said.get("price"):
        price = world.find("price", said["price"], f"{name}[price]")
        if not price["active"]:
            raise Refused(
                f"The price specified is inactive. This field only accepts active prices."
                f" ({price['id']})", "price_inactive", param=f"{name}[price]",
            )  # fmt: skip
        return price
    if not said.get("price_data"):
        raise missing(f"{name}[price]")
    made = catalogue.price_of(world, said["price_data"]) | {"active": False}
    return world.add(made)


def _made(world: World, given: Values, items: list[Object], expires_at: int) -> Object:
    id_ = f"cs_test_{world.letters(58)}"
    subtotal = sum(each["amount_subtotal"] for each in items)
    tax = sum(each["amount_tax"] for each in items)
    total = sum(each["amount_total"] for each in items)
    is_taxed = given.get("automatic_tax", {}).get("enabled", False)
    is_trial = bool(given.get("subscription_data", {}).keys() & {"trial_period_days", "trial_end"})
    total = 0 if is_trial else total
    return deepcopy(_BLANK) | {
        "id": id_,
        "allow_promotion_codes": given.get("allow_promotion_codes"),
        "amount_subtotal": subtotal,
        "amount_total": total,
        "automatic_tax": {
            "enabled": is_taxed, "liability": {"type": "self"} if is_taxed else None,
            "provider": "stripe" if is_taxed else None,
            "status": "complete" if is_taxed else None,
        },
        "billing_address_collection": given.get("billing_address_collection"),
        "cancel_url": given.get("cancel_url"),
        "client_reference_id": given.get("client_reference_id"),
        "created": world.now(),
        "currency": items[0]["currency"],
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        ),
        "customer": given.get("customer") or None,
        "customer_creation": _creation(given),
        "customer_email": given.get("customer_email") or None,
        "discounts": [],
        "expires_at": expires_at,
        "invoice_creation": None
        if given["mode"] == "subscription"
        else {"enabled": False, "invoice_data": {"metadata": {}}},
        "locale": given.get("locale"),
        "metadata": merged({}, given.get("metadata", {})),
        "mode": given["mode"],
        "payment_method_collection": "always" if given["mode"] == "subscription" else "if_required",
        "payment_method_options": {},
        "payment_method_types": ["card", "sepa_debit"],
        "payment_status": _FREE if total == 0 else "unpaid",
        "shipping_options": [],
        "status": "open",
        "submit_type": given.get("submit_type"),
        "success_url": given.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": tax},
        "ui_mode": given.get("ui_mode", "hosted_page"),
        "url": f"{world.base}/pay/{id_}",
    }  # fmt: skip


def _creation(given: Values) -> str | None:
    if given.get("customer"):
        return None
    return (
        "always"
        if given["mode"] == "subscription"
        else given.get("customer_creation", "if_required")
    )


_BLANK: Final[Object] = {
    "object": "checkout.session",
    "adaptive_pricing": {"enabled": False},
    "after_expiration": None,
    "client_secret": None,
    "collected_information": None,
    "consent": None,
    "consent_collection": None,
    "currency_conversion": None,
    "customer_details": None,
    "invoice": None,
    "livemode": False,
    "origin_context": None,
    "payment_intent": None,
    "payment_link": None,
    "payment_method_configuration_details": None,
    "permissions": None,
    "phone_number_collection": {"enabled": False},
    "recovered_from": None,
    "saved_payment_method_options": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "subscription": None,
    "wallet_options": None,
}
