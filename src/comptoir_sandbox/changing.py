"""Changes of a subscription within a period: the rest of it is credited, and billed anew."""

from comptoir_sandbox import billing, items, methods, terms
from comptoir_sandbox.grammar import Values
from comptoir_sandbox.items import Line
from comptoir_sandbox.objects import Object
from comptoir_sandbox.refused import Refused
from comptoir_sandbox.world import World, merged


def set_plain(world: World, found: Object, given: Values) -> None:
    """Change what costs nothing."""
    now = world.now_of(found["customer"])
    for name in ("description", "collection_method", "days_until_due"):
        if name in given:
            found[name] = given[name]
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    if given.get("default_payment_method"):
        method = methods.resolve(world, given["default_payment_method"])
        found["default_payment_method"] = method["id"]
    if "cancel_at" in given:
        found |= {"cancel_at": given["cancel_at"], "canceled_at": now}
    if "cancel_at_period_end" in given:
        wants = given["cancel_at_period_end"]
        reason = {"comment": None, "feedback": None,
                  "reason": "cancellation_requested" if wants else None}  # fmt: skip
        found |= {
            "cancel_at_period_end": wants, "canceled_at": now if wants else None,
            "cancel_at": terms.period_of(found)[1] if wants else None,
            "cancellation_details": reason,
        }  # fmt: skip
    if "pause_collection" in given:
        said = given["pause_collection"]
        found["pause_collection"] = {"resumes_at": None} | said if said else None


def change_items(world: World, found: Object, given: Values) -> None:
    """Other prices or quantities: the rest of the period is credited and billed, unless unwanted.

    Raises:
        Refused: an item or a price is unknown, or nothing would be left.
    """
    customer = world.find("customer", found["customer"])
    behavior = given.get("proration_behavior", "create_prorations")
    now = world.now_of(customer["id"])
    stop = terms.period_of(found)[1]
    old: list[Object] = found["items"]["data"]
    new = _items_after(world, found, given["items"])
    found["items"] = found["items"] | {"data": new, "total_count": len(new)}
    is_other = _interval(new) != _interval(old)
    anew = is_other or given.get("billing_cycle_anchor", {}).get("type") == "now"
    if found["status"] == "trialing":
        return
    if behavior != "none":
        _prorate(world, customer, found, old, (now, stop), credit_only=anew)
    if anew:
        terms.restart(world, found, now)
        billing.bill(world, customer, found, "subscription_update", given)
    elif behavior == "always_invoice":
        billing.bill_prorations(world, customer, found, given)


def _items_after(world: World, found: Object, said: list[Values]) -> list[Object]:
    kept: dict[str, Object] = {item["id"]: item for item in found["items"]["data"]}
    for each in said:
        id_ = each.get("id")
        if id_ and id_ not in kept:
            raise Refused(f"No such subscription item: '{id_}'", "resource_missing", 404)
        if not id_:
            price, quantity = terms.priced(world, each)
            period = terms.period_of(found)
            made = terms.item_of(world, found["id"], price, quantity, period)
            kept[made["id"]] = made
        elif each.get("deleted"):
            del kept[id_]
        else:
            kept[id_] = _changed(world, kept[id_], each)
    if not kept:
        raise Refused("A subscription must have at least one active plan.")
    return list(kept.values())


def _changed(world: World, item: Object, said: Values) -> Object:
    changed: Object = item | {"quantity": said.get("quantity", item["quantity"])}
    if said.get("price"):
        price = terms.priced(world, said)[0]
        changed |= {"price": price, "plan": terms.plan_of(price)}
    return changed


def _interval(items: list[Object]) -> str:
    interval: str = items[0]["price"]["recurring"]["interval"]
    return interval


def _prorate(
    world: World, customer: Object, found: Object, old: list[Object], rest: tuple[int, int],
    *, credit_only: bool,
) -> None:  # fmt: skip
    now, stop = rest
    whole = max(stop - old[0]["current_period_start"], 1)
    share = max(stop - now, 0) / whole
    parent = {"subscription": found["id"]}
    for item in old:
        amount = -round(item["price"]["unit_amount"] * item["quantity"] * share)
        words = f"Unused time on {_name(world, item)}"
        line = Line(amount, words, now, stop, parent | {"subscription_item": item["id"]},
                    item["price"], item["quantity"])  # fmt: skip
        world.emit("invoiceitem.created", items.add_item(world, customer, line, found["currency"]))
    if credit_only:
        return
    for item in found["items"]["data"]:
        amount = round(item["price"]["unit_amount"] * item["quantity"] * share)
        words = f"Remaining time on {_name(world, item)}"
        line = Line(amount, words, now, stop, parent | {"subscription_item": item["id"]},
                    item["price"], item["quantity"])  # fmt: skip
        world.emit("invoiceitem.created", items.add_item(world, customer, line, found["currency"]))


def _name(world: World, item: Object) -> str:
    return world.objects.get(item["price"]["product"], {}).get("name", "")
