"""Customers, and the test clocks that some of them live by."""

from comptoir_sandbox import methods
from comptoir_sandbox.grammar import (
    ADDRESS,
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
from comptoir_sandbox.world import World, merged

_FIELDS = {
    "email": text,
    "name": text,
    "phone": text,
    "description": text,
    "address": ADDRESS,
    "metadata": metadata,
    "preferred_locales": many(text, 10),
    "tax_exempt": one_of("none", "exempt", "reverse"),
    "invoice_settings": group(default_payment_method=text),
    "expand": many(text, 20),
}
CREATE = group(**_FIELDS, test_clock=text, payment_method=text, validate=boolean)
UPDATE = group(**_FIELDS)
CLOCK = group("frozen_time", frozen_time=integer, name=text, expand=many(text))
ADVANCE = group("frozen_time", frozen_time=integer, expand=many(text))
_YEARS_2 = 2 * 366 * 86_400


def create(world: World, given: Values) -> Object:
    """POST /v1/customers."""
    clock = given.get("test_clock")
    if clock is not None:
        world.find("test_helpers.test_clock", clock, "test_clock")
    id_ = world.new_id("cus")
    made: Object = {
        "id": id_,
        "object": "customer",
        "address": given.get("address") or None,
        "balance": 0,
        "created": world.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": given.get("description") or None,
        "discount": None,
        "email": given.get("email") or None,
        "invoice_prefix": world.letters(8).upper(),
        "invoice_settings": _settings(world, given, id_),
        "livemode": False,
        "metadata": merged({}, given.get("metadata", {})),
        "name": given.get("name") or None,
        "next_invoice_sequence": 1,
        "phone": given.get("phone") or None,
        "preferred_locales": given.get("preferred_locales", []),
        "shipping": None,
        "tax_exempt": given.get("tax_exempt", "none"),
        "test_clock": clock,
    }
    world.add(made)
    world.emit("customer.created", made)
    return made


def update(world: World, given: Values, id_: str) -> Object:
    """POST /v1/customers/{id}."""
    found = world.find("customer", id_)
    fields = {
        name: given[name] or None
        for name in ("email", "name", "phone", "description", "address")
        if name in given
    }
    for name in ("preferred_locales", "tax_exempt"):
        if name in given:
            fields[name] = given[name]
    if "metadata" in given:
        fields["metadata"] = merged(found["metadata"], given["metadata"])
    if given.get("invoice_settings"):
        fields["invoice_settings"] = _settings(world, given, id_)
    return world.update(found, "customer.updated", **fields)


def _settings(world: World, given: Values, id_: str) -> Object:
    """How its invoices are to be paid; a test's method becomes one of the customer's own."""
    said = given.get("invoice_settings", {}).get("default_payment_method")
    method = (
        methods.resolve(world, said, "invoice_settings[default_payment_method]") if said else None
    )
    if method is not None and method["customer"] is None:
        world.update(method, "payment_method.attached", customer=id_)
    return {
        "custom_fields": None,
        "default_payment_method": None if method is None else method["id"],
        "footer": None,
        "rendering_options": None,
    }


def delete(world: World, _: Values, id_: str) -> Object:
    """DELETE /v1/customers/{id}."""
    found = world.find("customer", id_)
    world.emit("customer.deleted", found)
    found["deleted"] = True
    world.changed(found)
    return {"id": id_, "object": "customer", "deleted": True}


def create_clock(world: World, given: Values) -> Object:
    """POST /v1/test_helpers/test_clocks."""
    made: Object = {
        "id": world.new_id("clock"),
        "object": "test_helpers.test_clock",
        "created": world.now(),
        "deletes_after": world.now() + 30 * 86_400,
        "frozen_time": given["frozen_time"],
        "livemode": False,
        "name": given.get("name") or None,
        "status": "ready",
        "status_details": {},
    }
    return world.add(made)


def check_advance(clock: Object, to: int) -> None:
    """See whether a clock can go on to a moment.

    Raises:
        Refused: it cannot go back, nor on by more than two years.
    """
    if to <= clock["frozen_time"]:
        raise Refused("The clock can only be advanced forward.", param="frozen_time")
    if to > clock["frozen_time"] + _YEARS_2:
        raise Refused("The clock can be advanced by two years at most.", param="frozen_time")
