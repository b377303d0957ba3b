"""Products and their prices."""

from decimal import Decimal

from comptoir_sandbox.grammar import (
    Values,
    boolean,
    currency,
    decimal,
    group,
    integer,
    many,
    metadata,
    one_of,
    text,
    url,
)
from comptoir_sandbox.objects import Object
from comptoir_sandbox.refused import Refused, missing
from comptoir_sandbox.world import World, merged

_RECURRING = group(
    "interval",
    interval=one_of("day", "week", "month", "year"),
    interval_count=integer,
    usage_type=one_of("licensed", "metered"),
    trial_period_days=integer,
)
_TAX = one_of("exclusive", "inclusive", "unspecified")
_PRODUCT = {
    "active": boolean,
    "description": text,
    "images": many(url, 8),
    "metadata": metadata,
    "name": text,
    "tax_code": text,
    "unit_label": text,
    "url": url,
    "statement_descriptor": text,
    "shippable": boolean,
    "expand": many(text, 20),
}
CREATE_PRODUCT = group("name", **_PRODUCT, id=text, type=one_of("good", "service"))
UPDATE_PRODUCT = group(**_PRODUCT, default_price=text)
CREATE_PRICE = group(
    "currency",
    active=boolean,
    currency=currency,
    lookup_key=text,
    transfer_lookup_key=boolean,
    metadata=metadata,
    nickname=text,
    product=text,
    product_data=group("name", name=text, metadata=metadata, tax_code=text),
    recurring=_RECURRING,
    tax_behavior=_TAX,
    unit_amount=integer,
    unit_amount_decimal=decimal,
    expand=many(text, 20),
)
UPDATE_PRICE = group(
    active=boolean,
    lookup_key=text,
    transfer_lookup_key=boolean,
    metadata=metadata,
    nickname=text,
    tax_behavior=_TAX,
    expand=many(text, 20),
)
PRICE_INLINE = group(
    "currency",
    currency=currency,
    product=text,
    product_data=group(
        "name", name=text, description=text, metadata=metadata, tax_code=text, images=many(url, 8)
    ),
    recurring=_RECURRING,
    tax_behavior=_TAX,
    unit_amount=integer,
    unit_amount_decimal=decimal,
)


def create_product(world: World, given: Values) -> Object:
    """POST /v1/products."""
    id_ = given.get("id") or world.new_id("prod")
    if id_ in world.objects:
        raise Refused(f"Product already exists: {id_}.", "resource_already_exists", param="id")
    made: Object = {
        "id": id_,
        "object": "product",
        "active": given.get("active", True),
        "created": world.now(),
        "default_price": None,
        "description": given.get("description") or None,
        "images": given.get("images", []),
        "livemode": False,
        "marketing_features": [],
        "metadata": merged({}, given.get("metadata", {})),
        "name": given["name"],
        "package_dimensions": None,
        "shippable": given.get("shippable"),
        "statement_descriptor": given.get("statement_descriptor") or None,
        "tax_code": given.get("tax_code") or None,
        "type": given.get("type", "service"),
        "unit_label": given.get("unit_label") or None,
        "updated": world.now(),
        "url": given.get("url"),
    }
    world.add(made)
    world.emit("product.created", made)
    return made


def update_product(world: World, given: Values, id_: str) -> Object:
    """POST /v1/products/{id}."""
    found = world.find("product", id_)
    names = ("active", "description", "images", "name", "tax_code", "unit_label", "url",
             "statement_descriptor", "shippable", "default_price")  # fmt: skip
    fields = {name: given[name] for name in names if name in given}
    if "metadata" in given:
        fields["metadata"] = merged(found["metadata"], given["metadata"])
    return world.update(found, "product.updated", **fields, updated=world.now())


def delete_product(world: World, _: Values, id_: str) -> Object:
    """DELETE /v1/products/{id}: only one that has no prices."""
    found = world.find("product", id_)
    if any(price["product"] == id_ for price in world.all("price")):
        raise Refused("This product cannot be deleted because it has one or more user-created"
                      " prices.")  # fmt: skip
    world.emit("product.deleted", found)
    found["deleted"] = True
    world.changed(found)
    return {"id": id_, "object": "product", "deleted": True}


def create_price(world: World, given: Values) -> Object:
    """POST /v1/prices."""
    made = world.add(price_of(world, given))
    if made["lookup_key"] is not None:
        _take_key(world, made, moves=given.get("transfer_lookup_key", False))
    world.emit("price.created", made)
    return made


def price_of(world: World, given: Values) -> Object:
    """A price as it would be; not in the world yet.

    Raises:
        Refused: it has no amount, or no product.
    """
    if given.get("product"):
        world.find("product", given["product"], "product")
        product = given["product"]
    elif given.get("product_data"):
        product = create_product(world, given["product_data"])["id"]
    else:
        raise missing("product")
    exact = given.get("unit_amount_decimal", str(given.get("unit_amount", "")))
    if not exact:
        raise missing("unit_amount")
    if Decimal(exact) < 0:
        raise Refused("Invalid non-negative integer", "parameter_invalid_integer",
                      param="unit_amount")  # fmt: skip
    whole = int(Decimal(exact)) if Decimal(exact) == int(Decimal(exact)) else None
    recurring = given.get("recurring")
    return {
        "id": world.new_id("price"),
        "object": "price",
        "active": given.get("active", True),
        "billing_scheme": "per_unit",
        "created": world.now(),
        "currency": given["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": given.get("lookup_key") or None,
        "metadata": merged({}, given.get("metadata", {})),
        "nickname": given.get("nickname") or None,
        "product": product,
        "recurring": None
        if not recurring
        else {
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count", 1),
            "meter": None,
            "trial_period_days": recurring.get("trial_period_days"),
            "usage_type": recurring.get("usage_type", "licensed"),
        },
        "tax_behavior": given.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": whole,
        "unit_amount_decimal": exact,
    }


def update_price(world: World, given: Values, id_: str) -> Object:
    """POST /v1/prices/{id}: its amount cannot be changed."""
    found = world.find("price", id_)
    fields = {name: given[name] for name in ("active", "nickname") if name in given}
    if "metadata" in given:
        fields["metadata"] = merged(found["metadata"], given["metadata"])
    behavior = given.get("tax_behavior")
    if behavior is not None:
        if found["tax_behavior"] not in {"unspecified", behavior}:
            raise Refused("You cannot change the tax behavior of a price once it is set.",
                          param="tax_behavior")  # fmt: skip
        fields["tax_behavior"] = behavior
    if given.get("lookup_key"):
        _take_key(world, found | {"lookup_key": given["lookup_key"]},
                  moves=given.get("transfer_lookup_key", False))  # fmt: skip
        fields["lookup_key"] = given["lookup_key"]
    return world.update(found, "price.updated", **fields)


def _take_key(world: World, price: Object, *, moves: bool) -> None:
    """One price has a lookup key; it moves only when that is said."""
    key = price["lookup_key"]
    others = [each for each in world.all("price") if each["lookup_key"] == key]
    for other in others:
        if other["id"] == price["id"]:
            continue
        if not moves:
            if price["id"] in world.objects:
                world.objects.pop(price["id"])
                world.kinds["price"].pop(price["id"])
                world.dirty.pop(price["id"], None)
            raise Refused(
                f"A price (`{other['id']}`) already uses that lookup key.",
                "resource_already_exists",
                param="lookup_key",
            )
        world.update(other, "price.updated", lookup_key=None)
