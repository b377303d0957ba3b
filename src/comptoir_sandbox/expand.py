"""`expand[]=latest_charge.balance_transaction`: the object in the place of its id."""

from copy import deepcopy
from typing import Any, Final

from comptoir_sandbox import invoices, sessions
from comptoir_sandbox.objects import Object, is_list, is_object
from comptoir_sandbox.refused import Refused
from comptoir_sandbox.world import World

_DEPTH: Final = 4


def expanded(world: World, made: Object, paths: list[str]) -> Object:
    """A copy of an object with what the paths name in it.

    Raises:
        Refused: a path names nothing that can be expanded.
    """
    found = deepcopy(made)
    for path in paths:
        names = path.split(".")
        if len(names) > _DEPTH:
            raise Refused(f"You cannot expand more than {_DEPTH} levels deep: {path}")
        _expand(world, found, names, path)
    return found


def _expand(world: World, into: Any, names: list[str], path: str) -> None:  # noqa: ANN401  # JSON
    if is_list(into):
        for each in into:
            _expand(world, each, names, path)
        return
    if not is_object(into) or not names:
        return
    inner = into
    name, rest = names[0], names[1:]
    if name not in inner and not _add(world, inner, name):
        raise Refused(f"This property cannot be expanded ({path}).", param="expand")
    value = inner[name]
    if isinstance(value, str) and value in world.objects:
        inner[name] = value = deepcopy(world.objects[value])
    if not (value is None or is_object(value) or is_list(value)):
        raise Refused(f"This property cannot be expanded ({path}).", param="expand")
    _expand(world, value, rest, path)


def _add(world: World, into: Object, name: str) -> bool:
    """What is there only when somebody asks for it."""
    kind = into.get("object")
    if kind == "checkout.session" and name == "line_items":
        items = deepcopy(sessions.line_items(world, into))
        into[name] = {"object": "list", "data": items, "has_more": False,
                      "url": f"/v1/checkout/sessions/{into['id']}/line_items"}  # fmt: skip
        return True
    if kind == "charge" and name == "refunds":
        ids: list[str] = world.notes.get(into["id"], {}).get("refunds", [])
        shown = [deepcopy(world.objects[id_]) for id_ in reversed(ids)]
        into[name] = {"object": "list", "data": shown, "has_more": False,
                      "url": f"/v1/charges/{into['id']}/refunds"}  # fmt: skip
        return True
    if kind == "invoice" and name == "payments":
        found = invoices.payment_of(world, into)
        shown = [] if found is None else [deepcopy(found)]
        into[name] = {"object": "list", "data": shown, "has_more": False,
                      "url": "/v1/invoice_payments"}  # fmt: skip
        return True
    if kind == "invoice" and name == "confirmation_secret":
        into[name] = _secret(world, into)
        return True
    return False


def _secret(world: World, invoice: Object) -> Object | None:
    intent = invoices.intent_of(world, invoice)
    if intent is None:
        return None
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}
