"""What a subscription is: items with their prices, its periods, and the lines that bill them."""

from copy import deepcopy
from typing import Final

from comptoir_sandbox import methods
from comptoir_sandbox.grammar import Values
from comptoir_sandbox.items import Line
from comptoir_sandbox.objects import Object
from comptoir_sandbox.periods import next_end
from comptoir_sandbox.refused import Refused, missing
from comptoir_sandbox.world import World, merged

ENDED: Final = frozenset({"canceled", "incomplete_expired"})
_DAY: Final = 86_400


def begun(
    world: World, customer: Object, wanted: list[tuple[Object, int]], given: Values
) -> Object:
    """A subscription that begins now, with its first period."""
    now = world.now_of(customer["id"])
    trial_end = given.get("trial_end")
    if "trial_period_days" in given:
        trial_end = now + given["trial_period_days"] * _DAY
    recurring = wanted[0][0]["recurring"]
    end_at = trial_end or next_end(now, recurring["interval"], recurring["interval_count"], now)
    default = given.get("default_payment_method")
    if default:
        default = methods.resolve(world, default, "default_payment_method")["id"]
    id_ = world.new_id("sub")
    made: Object = deepcopy(_BLANK) | {
        "id": id_,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": given.get("automatic_tax", {}).get("enabled", False),
            "liability": None,
        },
        "billing_cycle_anchor": trial_end or now,
        "billing_mode": {
            "flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": now,
        },
        "cancel_at": given.get("cancel_at"),
        "cancel_at_period_end": given.get("cancel_at_period_end", False),
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": given.get("collection_method", "charge_automatically"),
        "created": now,
        "currency": wanted[0][0]["currency"],
        "customer": customer["id"],
        "default_payment_method": default,
        "description": given.get("description") or None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {
            "object": "list",
            "data": [
                item_of(world, id_, price, quantity, (now, end_at)) for price, quantity in wanted
            ],
            "has_more": False, "total_count": len(wanted),
            "url": f"/v1/subscription_items?subscription={id_}",
        },
        "metadata": merged({}, given.get("metadata", {})),
        "start_date": now,
        "status": "incomplete",
        "test_clock": customer["test_clock"],
        "trial_end": trial_end,
        "trial_settings": {
            "end_behavior": {"missing_payment_method": "create_invoice"},
        }
        | given.get("trial_settings", {}),
        "trial_start": now if trial_end else None,
    }  # fmt: skip
    if customer["currency"] is None:
        customer["currency"] = made["currency"]
        world.changed(customer)
    return world.add(made)


def item_of(
    world: World, subscription: str, price: Object, quantity: int, period: tuple[int, int]
) -> Object:
    """What is subscribed to: a price, so many times, with its period."""
    return {
        "id": world.new_id("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": period[0],
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [],
        "metadata": {},
        "plan": plan_of(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription,
        "tax_rates": [],
    }


def plan_of(price: Object) -> Object:
    """The older form of a price, which items still show."""
    recurring = price["recurring"]
    return {
        "id": price["id"], "object": "plan", "active": price["active"],
        "amount": price["unit_amount"], "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit", "created": price["created"], "currency": price["currency"],
        "interval": recurring["interval"], "interval_count": recurring["interval_count"],
        "livemode": False, "metadata": price["metadata"], "meter": None,
        "nickname": price["nickname"], "product": price["product"], "tiers_mode": None,
        "transform_usage": None, "trial_period_days": None, "usage_type": "licensed",
    }  # fmt: skip


def priced(world: World, said: Values) -> tuple[Object, int]:
    """The price and the quantity that somebody wants.

    Raises:
        Refused: there is no such price, or it does not recur.
    """
    if not said.get("price"):
        raise missing("items[0][price]")
    price = world.find("price", said["price"], "items[0][price]")
    if price["type"] != "recurring":
        raise Refused("The price specified is set to `type=one_time` but this field only accepts"
                      " prices with `type=recurring`.", param="items[0][price]")  # fmt: skip
    return price, said.get("quantity", 1)


def line_of(world: World, found: Object, item: Object, amount: int | None = None) -> Line:
    """The line of an invoice that bills an item for its period."""
    price = item["price"]
    product = world.objects.get(price["product"], {})
    each = price["unit_amount"] if amount is None else amount
    words = f"{item['quantity']} × {product.get('name', '')}"
    return Line(
        each * item["quantity"], words, item["current_period_start"], item["current_period_end"],
        {
            "type": "subscription_item_details",
            "subscription_item_details": {
                "invoice_item": None, "proration": False, "proration_details": None,
                "subscription": found["id"], "subscription_item": item["id"],
            },
        },
        price, item["quantity"], dict(found["metadata"]),
    )  # fmt: skip


def period_of(found: Object) -> tuple[int, int]:
    """When the current period begins and ends."""
    item = found["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def next_period(found: Object) -> None:
    """Let the period after this one begin."""
    start = period_of(found)[1]
    recurring = found["items"]["data"][0]["price"]["recurring"]
    stop = next_end(
        found["billing_cycle_anchor"], recurring["interval"], recurring["interval_count"], start
    )
    set_period(found, start, stop)


def restart(world: World, found: Object, now: int) -> None:
    """Let a period begin now, and all that follow with it."""
    recurring = found["items"]["data"][0]["price"]["recurring"]
    found["billing_cycle_anchor"] = now
    stop = next_end(now, recurring["interval"], recurring["interval_count"], now)
    set_period(found, now, stop)
    world.changed(found)


def set_period(found: Object, start: int, stop: int) -> None:
    """Give all items a period."""
    items = [
        item | {"current_period_start": start, "current_period_end": stop}
        for item in found["items"]["data"]
    ]
    found["items"] = found["items"] | {"data": items}


_BLANK: Final[Object] = {
    "payment_settings": {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    },
    "object": "subscription",
    "application": None,
    "application_fee_percent": None,
    "billing_cycle_anchor_config": None,
    "billing_schedules": [],
    "billing_thresholds": None,
    "canceled_at": None,
    "days_until_due": None,
    "default_source": None,
    "default_tax_rates": [],
    "discounts": [],
    "ended_at": None,
    "latest_invoice": None,
    "livemode": False,
    "next_pending_invoice_item_invoice": None,
    "on_behalf_of": None,
    "pause_collection": None,
    "pending_invoice_item_interval": None,
    "pending_setup_intent": None,
    "pending_update": None,
    "schedule": None,
    "transfer_data": None,
}
