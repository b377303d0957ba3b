"""Payloads as older API versions have them: an endpoint gets those of its own version.

Only what has moved since is moved back: where a subscription keeps its period, and where an invoice
names its subscription, its intent and its charge (2025-03-31.basil).
"""

from copy import deepcopy
from typing import Final

from comptoir_sandbox import invoices
from comptoir_sandbox.objects import Object, name_in, part
from comptoir_sandbox.world import World

BASIL: Final = "2025-03-31"


def rendered(world: World, event: Object, version: str) -> Object:
    """An event as an endpoint of a version is sent it."""
    if version[:10] >= BASIL:
        return event | {"api_version": version}
    made: Object = deepcopy(event) | {"api_version": version}
    of: Object = made["data"]["object"]
    if of["object"] == "subscription":
        _old_subscription(of)
    if of["object"] == "invoice":
        _old_invoice(world, of)
    return made


def _old_subscription(of: Object) -> None:
    items = of["items"]["data"]
    if items:
        of["current_period_start"] = items[0]["current_period_start"]
        of["current_period_end"] = items[0]["current_period_end"]
        of["plan"] = items[0]["plan"]
    for item in items:
        item.pop("current_period_start")
        item.pop("current_period_end")
    of.pop("billing_mode", None)


def _old_invoice(world: World, of: Object) -> None:
    details = part(of, "parent", "subscription_details")
    del of["parent"]
    of["subscription"] = details.get("subscription")
    of["subscription_details"] = {"metadata": details.get("metadata", {})}
    of["paid"] = of["status"] == "paid"
    of["tax"] = sum(each["amount"] for each in of.pop("total_taxes")) or None
    of["payment_intent"] = of["charge"] = None
    intent = invoices.intent_of(world, of)
    if intent is not None:
        of |= {"payment_intent": intent["id"], "charge": intent["latest_charge"]}
    for line in of["lines"]["data"]:
        price = name_in(line, "pricing", "price_details", "price")
        found = part(line, "parent", "subscription_item_details")
        del line["pricing"], line["parent"]
        line["price"] = deepcopy(world.objects.get(price))
        line |= {
            "type": "subscription" if found else "invoiceitem",
            "subscription": found.get("subscription"),
            "subscription_item": found.get("subscription_item"),
            "proration": found.get("proration", False),
        }
