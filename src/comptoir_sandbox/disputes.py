"""Disputes: a customer tells his bank that it was not he. They are decided when asked for."""

from typing import Final

from comptoir_sandbox import charges, methods
from comptoir_sandbox.grammar import Values, boolean, group, many, metadata, text
from comptoir_sandbox.objects import Object
from comptoir_sandbox.refused import Refused
from comptoir_sandbox.world import World, merged

UPDATE = group(
    evidence=group(
        customer_communication=text, customer_email_address=text, customer_name=text,
        product_description=text, refund_policy=text, service_documentation=text,
        uncategorized_text=text,
    ),
    metadata=metadata,
    submit=boolean,
    expand=many(text, 20),
)  # fmt: skip
CLOSE = group(expand=many(text, 20))

ENDS: Final = frozenset({"won", "lost", "warning_closed", "prevented"})
_DISPUTE_FEE: Final = 2_000
_DAYS: Final = 7 * 86_400
_EVIDENCE: Final = (
    "access_activity_log", "billing_address", "cancellation_policy",
    "cancellation_policy_disclosure", "cancellation_rebuttal", "customer_communication",
    "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
    "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id",
    "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address",
    "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
    "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def open_if_so(world: World, intent: Object) -> None:
    """Dispute a payment at once, when its card is one that does."""
    method = world.objects.get(intent["payment_method"] or "")
    if method is not None and methods.card_of(world, method).is_disputed:
        charge = world.find("charge", intent["latest_charge"])
        open_(world, charge, charge["amount_captured"], "fraudulent")


def open_(world: World, charge: Object, amount: int, reason: str) -> Object:
    """Dispute a charge: the money leaves the balance until it is decided.

    Raises:
        Refused: it is disputed already, or there was less.
    """
    if charge["disputed"]:
        raise Refused("This charge is disputed already.")
    if not 0 < amount <= charge["amount_captured"]:
        raise Refused("The amount of a dispute is at most that of its charge.", param="amount")
    made: Object = {
        "id": world.new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(_EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": world.now() + _DAYS, "enhanced_eligibility": {}, "has_evidence": False,
            "past_due": False, "submission_count": 0, "submission_method": "manual",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": "visa", "case_type": "chargeback", "network": "visa",
                "network_reason_code": "10.4",
            },
        },
        "reason": reason,
        "status": "needs_response",
    }  # fmt: skip
    charge["disputed"] = True
    world.changed(charge)
    world.add(made)
    world.emit("charge.dispute.created", made)
    _withdraw(world, made)
    return made


def update(world: World, given: Values, id_: str) -> Object:
    """POST /v1/disputes/{id}: evidence; with `submit` the bank looks at it."""
    found = _open(world, id_)
    found["evidence"] = found["evidence"] | given.get("evidence", {})
    found["metadata"] = merged(found["metadata"], given.get("metadata", {}))
    if given.get("evidence"):
        found["evidence_details"]["has_evidence"] = True
    if given.get("submit", bool(given.get("evidence"))):
        found["evidence_details"]["submission_count"] += 1
        found["status"] = "under_review"
    world.changed(found)
    world.emit("charge.dispute.updated", found)
    said = found["evidence"]["uncategorized_text"]
    if said in {"winning_evidence", "losing_evidence"}:
        decide(world, found, is_won=said == "winning_evidence")
    return found


def close(world: World, _: Values, id_: str) -> Object:
    """POST /v1/disputes/{id}/close: the seller gives in."""
    found = _open(world, id_)
    decide(world, found, is_won=False)
    return found


def decide(world: World, dispute: Object, *, is_won: bool) -> Object:
    """What the bank says in the end."""
    if dispute["status"] in ENDS:
        raise Refused("This dispute is closed.")
    dispute["status"] = "won" if is_won else "lost"
    world.changed(dispute)
    if is_won:
        back = charges.balance(world, dispute, "adjustment", dispute["amount"])
        dispute["balance_transactions"].append(back)
        world.emit("charge.dispute.funds_reinstated", dispute)
    world.emit("charge.dispute.closed", dispute)
    return dispute


def _withdraw(world: World, dispute: Object) -> None:
    taken = charges.balance(world, dispute, "adjustment", -dispute["amount"])
    taken |= {"fee": _DISPUTE_FEE, "net": taken["net"] - _DISPUTE_FEE}
    dispute["balance_transactions"].append(taken)
    world.changed(dispute)
    world.emit("charge.dispute.funds_withdrawn", dispute)


def _open(world: World, id_: str) -> Object:
    found = world.find("dispute", id_)
    if found["status"] in ENDS:
        raise Refused("This dispute is closed and cannot be changed.", param="id")
    return found
