"""Every call that the sandbox knows, with the parameters that it takes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from comptoir_sandbox import (
    catalogue,
    clockwork,
    customers,
    disputes,
    endpoints,
    intents,
    invoices,
    items,
    methods,
    portal,
    refunds,
    sessions,
    subscriptions,
)
from comptoir_sandbox.grammar import Group, Values, boolean, group, integer, many, one_of, text
from comptoir_sandbox.lists import Listing, equal, paged
from comptoir_sandbox.objects import Object, name_in, part
from comptoir_sandbox.refused import Refused, by_url
from comptoir_sandbox.world import World

Handler = Callable[..., Object]
PLAIN: Final = group(expand=many(text, 20))
_PARTS: Final = re.compile(r"\{[a-z]+\}")


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        pattern: its path.
        handle: does it: with the world, the parameters and what stands in the path.
    """

    method: str
    path: str
    pattern: re.Pattern[str]
    grammar: Group
    handle: Handler


def _call(method: str, path: str, handle: Handler, grammar: Group = PLAIN) -> Call:
    pattern = re.compile(_PARTS.sub("([^/]+)", path))
    return Call(method, path, pattern, grammar, handle)


def _reads(path: str, kind: str) -> Call:
    def read(world: World, _: Values, id_: str) -> Object:
        return world.find(kind, id_)

    return _call("GET", path + "/{id}", read)


def _lists(listing: Listing) -> Call:
    return _call("GET", listing.url, listing.page, listing.grammar)


def _confirm(world: World, given: Values, id_: str) -> Object:
    try:
        made = intents.confirm(world, given, id_)
    except Refused:
        if id_ in world.objects:
            clockwork.decided(world, world.objects[id_])
        raise
    clockwork.decided(world, made)
    return made


def _advance(world: World, given: Values, id_: str) -> Object:
    clock = world.find("test_helpers.test_clock", id_)
    return clockwork.advance(world, clock, given["frozen_time"])


def _line_items(world: World, given: Values, id_: str) -> Object:
    session = world.find("checkout.session", id_)
    return paged(
        sessions.line_items(world, session), given, f"/v1/checkout/sessions/{id_}/line_items"
    )


def _methods_of(world: World, given: Values, id_: str) -> Object:
    world.find("customer", id_)
    return _METHODS.page(world, given | {"customer": id_})


def _delete_clock(world: World, _: Values, id_: str) -> Object:
    found = world.find("test_helpers.test_clock", id_)
    found["deleted"] = True
    world.changed(found)
    return {"id": id_, "object": "test_helpers.test_clock", "deleted": True}


def _account(world: World, _: Values) -> Object:
    del world
    return {
        "id": "acct_sandbox", "object": "account", "business_profile": {"name": "Sandbox"},
        "charges_enabled": True, "country": "FR", "default_currency": "eur",
        "details_submitted": True, "email": None, "metadata": {}, "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"}},
        "type": "standard",
    }  # fmt: skip


def _of_invoice(_: World, found: Object, id_: object) -> bool:
    return name_in(found, "parent", "subscription_details", "subscription") == id_


def _pays(_: World, found: Object, said: Values) -> bool:
    return found["payment"].get("payment_intent") == said.get("payment_intent")


def _has_price(_: World, found: Object, id_: object) -> bool:
    return any(item["price"]["id"] == id_ for item in found["items"]["data"])


def _is_recurring(_: World, found: Object, said: Values) -> bool:
    recurring = part(found, "recurring")
    return all(recurring.get(name) == value for name, value in said.items())


def _status(world: World, found: Object, status: object) -> bool:
    del world
    return status == "all" or found["status"] == status


def _delivered(world: World, found: Object, is_delivered: object) -> bool:
    undelivered = world.notes.get(found["id"], {}).get("undelivered", 0)
    return (undelivered == 0) is is_delivered


def _type_is(_: World, found: Object, types: list[str]) -> bool:
    return found["type"] in types


_CUSTOMERS: Final = Listing("customer", "/v1/customers", {"email": equal("email")})
_PRODUCTS: Final = Listing("product", "/v1/products", {
    "active": (boolean, lambda _, found, value: found["active"] is value),
    "ids": (many(text, 100), lambda _, found, ids: found["id"] in ids),
})  # fmt: skip
_PRICES: Final = Listing("price", "/v1/prices", {
    "active": (boolean, lambda _, found, value: found["active"] is value),
    "product": equal("product"),
    "currency": equal("currency"),
    "type": equal("type"),
    "lookup_keys": (many(text, 10), lambda _, found, keys: found["lookup_key"] in keys),
    "recurring": (group(interval=text, usage_type=text), _is_recurring),
})  # fmt: skip
_METHODS: Final = Listing(
    "payment_method",
    "/v1/payment_methods",
    {"customer": equal("customer"), "type": equal("type")},
    has_times=False,
)
_INTENTS: Final = Listing("payment_intent", "/v1/payment_intents", {"customer": equal("customer")})
_CHARGES: Final = Listing("charge", "/v1/charges", {
    "customer": equal("customer"), "payment_intent": equal("payment_intent"),
})  # fmt: skip
_REFUNDS: Final = Listing("refund", "/v1/refunds", {
    "charge": equal("charge"), "payment_intent": equal("payment_intent"),
})  # fmt: skip
_DISPUTES: Final = Listing("dispute", "/v1/disputes", {
    "charge": equal("charge"), "payment_intent": equal("payment_intent"),
})  # fmt: skip
_SESSIONS: Final = Listing("checkout.session", "/v1/checkout/sessions", {
    "customer": equal("customer"), "payment_intent": equal("payment_intent"),
    "subscription": equal("subscription"),
    "status": (one_of("complete", "expired", "open"), _status),
})  # fmt: skip
_SUBSCRIPTIONS: Final = Listing("subscription", "/v1/subscriptions", {
    "customer": equal("customer"),
    "price": (text, _has_price),
    "status": (text, _status),
    "test_clock": equal("test_clock"),
})  # fmt: skip
_INVOICES: Final = Listing("invoice", "/v1/invoices", {
    "customer": equal("customer"), "status": equal("status"),
    "subscription": (text, _of_invoice),
})  # fmt: skip
_ITEMS: Final = Listing("invoiceitem", "/v1/invoiceitems", {
    "customer": equal("customer"), "invoice": equal("invoice"),
})  # fmt: skip
_PAYMENTS: Final = Listing("invoice_payment", "/v1/invoice_payments", {
    "invoice": equal("invoice"), "status": equal("status"),
    "payment": (group("type", type=text, payment_intent=text), _pays),
})  # fmt: skip
_EVENTS: Final = Listing("event", "/v1/events", {
    "type": equal("type"),
    "types": (many(text, 20), _type_is),
    "delivery_success": (boolean, _delivered),
})  # fmt: skip
_ENDPOINTS: Final = Listing("webhook_endpoint", "/v1/webhook_endpoints", has_times=False)
_CLOCKS: Final = Listing("test_helpers.test_clock", "/v1/test_helpers/test_clocks", has_times=False)
_BALANCES: Final = Listing("balance_transaction", "/v1/balance_transactions", {
    "source": equal("source"), "type": equal("type"),
})  # fmt: skip

CALLS: Final = (
    _call("GET", "/v1/account", _account),
    _lists(_CUSTOMERS),
    _call("POST", "/v1/customers", customers.create, customers.CREATE),
    _reads("/v1/customers", "customer"),
    _call("POST", "/v1/customers/{id}", customers.update, customers.UPDATE),
    _call("DELETE", "/v1/customers/{id}", customers.delete),
    _call("GET", "/v1/customers/{id}/payment_methods", _methods_of, _METHODS.grammar),
    _lists(_PRODUCTS),
    _call("POST", "/v1/products", catalogue.create_product, catalogue.CREATE_PRODUCT),
    _reads("/v1/products", "product"),
    _call("POST", "/v1/products/{id}", catalogue.update_product, catalogue.UPDATE_PRODUCT),
    _call("DELETE", "/v1/products/{id}", catalogue.delete_product),
    _lists(_PRICES),
    _call("POST", "/v1/prices", catalogue.create_price, catalogue.CREATE_PRICE),
    _reads("/v1/prices", "price"),
    _call("POST", "/v1/prices/{id}", catalogue.update_price, catalogue.UPDATE_PRICE),
    _lists(_METHODS),
    _call("POST", "/v1/payment_methods", methods.create, methods.CREATE),
    _reads("/v1/payment_methods", "payment_method"),
    _call("POST", "/v1/payment_methods/{id}/attach", methods.attach, methods.ATTACH),
    _call("POST", "/v1/payment_methods/{id}/detach", methods.detach, methods.DETACH),
    _lists(_INTENTS),
    _call("POST", "/v1/payment_intents", intents.create, intents.CREATE),
    _reads("/v1/payment_intents", "payment_intent"),
    _call("POST", "/v1/payment_intents/{id}", intents.update, intents.UPDATE),
    _call("POST", "/v1/payment_intents/{id}/confirm", _confirm, intents.CONFIRM),
    _call("POST", "/v1/payment_intents/{id}/capture", intents.capture, intents.CAPTURE),
    _call("POST", "/v1/payment_intents/{id}/cancel", intents.cancel, intents.CANCEL),
    _lists(_CHARGES),
    _reads("/v1/charges", "charge"),
    _lists(_REFUNDS),
    _call("POST", "/v1/refunds", refunds.create, refunds.CREATE),
    _reads("/v1/refunds", "refund"),
    _call("POST", "/v1/refunds/{id}", refunds.update, refunds.UPDATE),
    _call("POST", "/v1/refunds/{id}/cancel", refunds.cancel, refunds.CANCEL),
    _lists(_DISPUTES),
    _reads("/v1/disputes", "dispute"),
    _call("POST", "/v1/disputes/{id}", disputes.update, disputes.UPDATE),
    _call("POST", "/v1/disputes/{id}/close", disputes.close, disputes.CLOSE),
    _lists(_SESSIONS),
    _call("POST", "/v1/checkout/sessions", sessions.create, sessions.CREATE),
    _reads("/v1/checkout/sessions", "checkout.session"),
    _call("POST", "/v1/checkout/sessions/{id}", sessions.update, sessions.UPDATE),
    _call("POST", "/v1/checkout/sessions/{id}/expire", sessions.expire, sessions.EXPIRE),
    _call("GET", "/v1/checkout/sessions/{id}/line_items", _line_items, group(
        limit=integer, starting_after=text, ending_before=text, expand=many(text, 20),
    )),
    _lists(_SUBSCRIPTIONS),
    _call("POST", "/v1/subscriptions", subscriptions.create, subscriptions.CREATE),
    _reads("/v1/subscriptions", "subscription"),
    _call("POST", "/v1/subscriptions/{id}", subscriptions.update, subscriptions.UPDATE),
    _call("DELETE", "/v1/subscriptions/{id}", subscriptions.cancel, subscriptions.CANCEL),
    _call("POST", "/v1/subscriptions/{id}/resume", subscriptions.resume, subscriptions.RESUME),
    _lists(_INVOICES),
    _call("POST", "/v1/invoices", invoices.create, invoices.CREATE),
    _reads("/v1/invoices", "invoice"),
    _call("POST", "/v1/invoices/{id}", invoices.update, invoices.UPDATE),
    _call("DELETE", "/v1/invoices/{id}", invoices.delete),
    _call("POST", "/v1/invoices/{id}/finalize", invoices.finalize, invoices.FINALIZE),
    _call("POST", "/v1/invoices/{id}/pay", invoices.pay, invoices.PAY),
    _call("POST", "/v1/invoices/{id}/void", invoices.void, invoices.VOID),
    _call("POST", "/v1/invoices/{id}/mark_uncollectible", invoices.mark_uncollectible,
          invoices.VOID),
    _lists(_ITEMS),
    _call("POST", "/v1/invoiceitems", items.create_item, items.CREATE_ITEM),
    _reads("/v1/invoiceitems", "invoiceitem"),
    _lists(_PAYMENTS),
    _reads("/v1/invoice_payments", "invoice_payment"),
    _call("POST", "/v1/billing_portal/sessions", portal.create, portal.CREATE),
    _lists(_EVENTS),
    _reads("/v1/events", "event"),
    _lists(_ENDPOINTS),
    _call("POST", "/v1/webhook_endpoints", endpoints.create, endpoints.CREATE),
    _reads("/v1/webhook_endpoints", "webhook_endpoint"),
    _call("POST", "/v1/webhook_endpoints/{id}", endpoints.update, endpoints.UPDATE),
    _call("DELETE", "/v1/webhook_endpoints/{id}", endpoints.delete),
    _lists(_CLOCKS),
    _call("POST", "/v1/test_helpers/test_clocks", customers.create_clock, customers.CLOCK),
    _reads("/v1/test_helpers/test_clocks", "test_helpers.test_clock"),
    _call("POST", "/v1/test_helpers/test_clocks/{id}/advance", _advance, customers.ADVANCE),
    _call("DELETE", "/v1/test_helpers/test_clocks/{id}", _delete_clock),
    _lists(_BALANCES),
    _reads("/v1/balance_transactions", "balance_transaction"),
)  # fmt: skip


def find(method: str, path: str) -> tuple[Call, tuple[str, ...]]:
    """The call of a path, and what stands in it.

    Raises:
        Refused: there is none.
    """
    for call in CALLS:
        found = call.pattern.fullmatch(path) if call.method == method else None
        if found is not None:
            return call, found.groups()
    raise by_url(method, path)
