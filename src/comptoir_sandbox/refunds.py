"""Refunds: never beyond what was charged; some take their time, and some fail in the end."""

from typing import Final

from comptoir_sandbox import charges
from comptoir_sandbox.cards import Refunding
from comptoir_sandbox.grammar import Values, amount, group, many, metadata, one_of, text
from comptoir_sandbox.objects import Object
from comptoir_sandbox.refused import Refused, missing
from comptoir_sandbox.world import World, merged

CREATE = group(
    charge=text,
    payment_intent=text,
    amount=amount,
    reason=one_of("duplicate", "fraudulent", "requested_by_customer"),
    metadata=metadata,
    expand=many(text, 20),
)
UPDATE = group(metadata=metadata, expand=many(text, 20))
CANCEL = group(expand=many(text, 20))

SETTLES: Final = 2
"""Seconds after which a refund that takes its time is there, or has failed."""


def create(world: World, given: Values) -> Object:
    """POST /v1/refunds."""
    charge = _charge(world, given)
    left = charge["amount_captured"] - _given_back(world, charge)
    if left <= 0:
        raise Refused(
            f"Charge {charge['id']} has already been refunded.", "charge_already_refunded"
        )
    wanted = given.get("amount", left)
    if wanted > left:
        raise Refused(
            f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    if charge["disputed"] and not _was_won(world, charge):
        raise Refused(
            f"The charge {charge['id']} has been charged back; cannot issue a refund.",
            "charge_disputed",
        )
    card = charges.refunding_of(world, charge)
    how = Refunding.AT_ONCE if card is None else card.refunding
    return _make(world, charge, wanted, given, how)


def _make(world: World, charge: Object, wanted: int, given: Values, how: Refunding) -> Object:
    is_there = how is not Refunding.LATER
    made: Object = {
        "id": world.new_id("re"),
        "object": "refund",
        "amount": wanted,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "destination_details": {"type": "card", "card": {"type": "refund"}},
        "metadata": merged({}, given.get("metadata", {})),
        "payment_intent": charge["payment_intent"],
        "reason": given.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded" if is_there else "pending",
        "transfer_reversal": None,
    }
    world.add(made)
    world.note(charge["id"]).setdefault("refunds", []).append(made["id"])
    if how is not Refunding.AT_ONCE:
        note = world.note(made["id"])
        note |= {"settles_at": world.now() + SETTLES, "comes": how is Refunding.LATER}
        world.later(note["settles_at"], made["id"])
    made["balance_transaction"] = charges.balance(world, made, "refund", -wanted)["id"]
    _count(world, charge, wanted)
    world.emit("refund.created", made)
    world.emit("charge.refunded", charge)
    return made


def update(world: World, given: Values, id_: str) -> Object:
    """POST /v1/refunds/{id}."""
    found = world.find("refund", id_)
    kept = merged(found["metadata"], given.get("metadata", {}))
    return world.update(found, "refund.updated", metadata=kept)


def cancel(world: World, _: Values, id_: str) -> Object:
    """POST /v1/refunds/{id}/cancel: only one that is not there yet."""
    found = world.find("refund", id_)
    if found["status"] not in {"pending", "requires_action"}:
        raise Refused("This refund cannot be canceled.", "refund_disputed_payment")
    _count(world, world.find("charge", found["charge"]), -found["amount"])
    return world.update(found, "refund.updated", status="canceled")


def settle(world: World, refund: Object, *, comes: bool) -> None:
    """What took its time is there, or has failed: the money is the seller's again."""
    if comes:
        world.update(refund, "refund.updated", status="succeeded")
        world.emit("charge.refund.updated", refund)
        return
    charge = world.find("charge", refund["charge"])
    _count(world, charge, -refund["amount"])
    back = charges.balance(world, refund, "refund_failure", refund["amount"])
    refund["failure_balance_transaction"] = back["id"]
    refund["failure_reason"] = "lost_or_stolen_card"
    world.update(refund, "refund.updated", status="failed")
    world.emit("refund.failed", refund)
    world.emit("charge.refund.updated", refund)


def _charge(world: World, given: Values) -> Object:
    if given.get("charge"):
        return world.find("charge", given["charge"], "charge")
    if not given.get("payment_intent"):
        raise missing("charge")
    intent = world.find("payment_intent", given["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise Refused(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            "payment_intent_unexpected_state",
        )
    return world.find("charge", intent["latest_charge"])


def _given_back(world: World, charge: Object) -> int:
    ids: list[str] = world.notes.get(charge["id"], {}).get("refunds", [])
    found = [world.objects[id_] for id_ in ids]
    return sum(each["amount"] for each in found if each["status"] not in {"failed", "canceled"})


def _was_won(world: World, charge: Object) -> bool:
    found = [each for each in world.all("dispute") if each["charge"] == charge["id"]]
    return all(each["status"] == "won" for each in found)


def _count(world: World, charge: Object, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] >= charge["amount_captured"]
    world.changed(charge)
