"""Charges, and what they leave in the balance after the fee."""

from comptoir_sandbox import methods
from comptoir_sandbox.cards import Card
from comptoir_sandbox.objects import Object
from comptoir_sandbox.world import World

FEE_PERCENT = 1.5
FEE_FIXED = 25


def make(world: World, intent: Object, *, succeeds: bool, card: Card | None = None) -> Object:
    """One attempt to take the money."""
    method = world.objects.get(intent["payment_method"] or "")
    is_captured = succeeds and intent["capture_method"] != "manual"
    now = world.now_of(intent["customer"])
    made: Object = {
        "id": world.new_id("ch" if method is None or method["type"] == "card" else "py"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if is_captured else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": methods_billing(method),
        "calculated_statement_descriptor": "SANDBOX",
        "captured": is_captured,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None if card is None else card.code,
        "failure_message": None if card is None else card.message,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(card, succeeds=succeeds),
        "paid": succeeds,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": _details(method),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if succeeds else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }
    world.add(made)
    if is_captured:
        made["balance_transaction"] = balance(world, made, "charge", made["amount"])["id"]
    world.emit("charge.succeeded" if succeeds else "charge.failed", made)
    return made


def capture(world: World, id_: str, amount: int) -> Object:
    """Take what was reserved."""
    charge = world.find("charge", id_)
    charge |= {"captured": True, "amount_captured": amount}
    charge["amount_refunded"] = charge["amount"] - amount
    charge["balance_transaction"] = balance(world, charge, "charge", amount)["id"]
    world.changed(charge)
    world.emit("charge.captured", charge)
    return charge


def balance(world: World, source: Object, type_: str, amount: int) -> Object:
    """What money moved in the account's balance, and the fee of it."""
    fee = round(amount * FEE_PERCENT / 100) + FEE_FIXED if type_ == "charge" else 0
    fees = [{"amount": fee, "application": None, "currency": source["currency"],
             "description": "Sandbox processing fees", "type": "stripe_fee"}]  # fmt: skip
    made: Object = {
        "id": world.new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": world.now() + 2 * 86_400,
        "balance_type": "payments",
        "created": world.now(),
        "currency": source["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": fees if fee else [],
        "net": amount - fee,
        "reporting_category": type_,
        "source": source["id"],
        "status": "pending",
        "type": type_,
    }
    return world.add(made)


def methods_billing(method: Object | None) -> Object:
    """The billing details that a charge takes from its method."""
    empty: Object = dict.fromkeys(("address", "email", "name", "phone", "tax_id"))
    return empty if method is None else dict(method["billing_details"])


def refunding_of(world: World, charge: Object) -> Card | None:
    """The card that a charge was taken from, if it is known."""
    method = world.objects.get(charge["payment_method"] or "")
    return None if method is None else methods.card_of(world, method)


def _details(method: Object | None) -> Object | None:
    if method is None:
        return None
    type_ = method["type"]
    shown = {"last4": method[type_]["last4"]}
    if type_ == "card":
        shown |= {"brand": method["card"]["brand"], "country": "FR", "funding": "credit",
                  "exp_month": 12, "exp_year": method["card"]["exp_year"]}  # fmt: skip
    return {"type": type_, type_: shown}


def _outcome(card: Card | None, *, succeeds: bool) -> Object:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network" if succeeds else "declined_by_network",
        "reason": None if card is None else card.decline or card.code,
        "risk_level": "normal",
        "seller_message": "Payment complete." if succeeds else "The bank did not say more.",
        "type": "authorized" if succeeds else "issuer_declined",
    }
