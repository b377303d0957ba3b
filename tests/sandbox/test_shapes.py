"""What goes out has the shape, and what comes in the names, that the SDK's own types say."""

import inspect
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
import stripe

from comptoir_sandbox import routes
from comptoir_sandbox.grammar import Group
from tests.support.sandbox import Provider

KINDS: dict[str, Any] = {
    "customer": stripe.Customer, "product": stripe.Product, "price": stripe.Price,
    "payment_method": stripe.PaymentMethod, "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge, "balance_transaction": stripe.BalanceTransaction,
    "refund": stripe.Refund, "dispute": stripe.Dispute,
    "checkout.session": stripe.checkout.Session, "subscription": stripe.Subscription,
    "invoice": stripe.Invoice, "invoice_payment": stripe.InvoicePayment,
    "invoiceitem": stripe.InvoiceItem, "event": stripe.Event,
    "webhook_endpoint": stripe.WebhookEndpoint,
    "billing_portal.session": stripe.billing_portal.Session,
    "test_helpers.test_clock": stripe.test_helpers.TestClock,
    # These stand within others only.
    "subscription_item": stripe.SubscriptionItem, "plan": stripe.Plan,
    "line_item": stripe.InvoiceLineItem, "item": stripe.LineItem,
}  # fmt: skip
WITHIN = {"subscription_item", "plan", "line_item", "item"}


def fields(of: Any) -> Mapping[str, Any]:  # noqa: ANN401
    return {
        name: kind
        for each in reversed(of.__mro__)
        if issubclass(each, stripe.StripeObject) and each is not stripe.StripeObject
        for name, kind in vars(each).get("__annotations__", {}).items()
        if not name.startswith("_") and get_origin(kind) is not typing.ClassVar
    }


def may_be_absent(kind: Any) -> bool:  # noqa: ANN401
    return get_origin(kind) is Union and type(None) in get_args(kind)


def inner(kind: Any) -> Any:  # noqa: ANN401
    """The class of what a field holds, if it is one of the SDK's."""
    for each in (kind, *get_args(kind)):
        if inspect.isclass(each) and issubclass(each, stripe.StripeObject):
            return each
    return None


def faults(of: dict[str, Any], kind: Any, path: str) -> Iterator[str]:  # noqa: ANN401
    known = fields(kind)
    if not known:
        return
    yield from (f"{path}.{name} is no field" for name in of.keys() - known.keys())
    for name, each in known.items():
        if name not in of and not may_be_absent(each):
            yield f"{path}.{name} is missing"
        value, below = of.get(name), inner(each)
        if value is None and name in of and not may_be_absent(each):
            yield f"{path}.{name} may not be null"
        yield from faults_within(value, below, f"{path}.{name}")


def faults_within(value: Any, below: Any, path: str) -> Iterator[str]:  # noqa: ANN401
    """What is wrong with what a field holds: an object, a list of them, or neither."""
    if isinstance(value, list):
        for each in value:
            yield from faults_within(each, below, f"{path}[]")
    if not isinstance(value, dict):
        return
    named = value.get("object")
    if named == "list":
        yield from faults_within(value["data"], None, path)
    elif isinstance(named, str):
        yield from faults(value, KINDS[named], path)
    elif below is not None:
        yield from faults(value, below, path)


@pytest.fixture
def lived(own: Provider) -> Provider:
    """A sandbox with something of everything."""
    customer = own.v1.customers.create({"email": "a@b.fr", "invoice_settings": {
        "default_payment_method": "pm_card_visa"}})  # fmt: skip
    intent = own.paid(customer=customer.id)
    own.v1.refunds.create({"payment_intent": intent.id, "amount": 1})
    own.paid("pm_card_createDispute")
    own.paid("pm_success_sepaDebit")
    own.paid("pm_card_authenticationRequired")
    price = own.monthly()
    own.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    said = {"mode": "payment", "success_url": "http://shop.test/"}
    session = own.v1.checkout.sessions.create(said | {"line_items": [{"price": own.price().id}]})
    own.http.post(f"{own.base}/pay/{session.id}", data={"method": "pm_card_visa"})
    own.v1.billing_portal.sessions.create({"customer": customer.id})
    own.v1.invoice_items.create({"customer": customer.id, "amount": 5, "currency": "eur"})
    own.v1.webhook_endpoints.create({"url": "http://127.0.0.1:1/", "enabled_events": ["*"]})
    own.v1.test_helpers.test_clocks.create({"frozen_time": 1})
    return own


def test_every_object_has_the_shape_that_the_sdk_knows(lived: Provider) -> None:
    world = lived.sandbox.world
    assert set(world.kinds) == set(KINDS) - WITHIN
    found = {
        fault for each in list(world.objects.values())
        for fault in faults(each, KINDS[each["object"]], each["object"])
    }  # fmt: skip
    assert found == set()
    for session in world.all("checkout.session"):
        for item in lived.sandbox.world.notes[session["id"]]["items"]:
            assert list(faults(item, KINDS["item"], "item")) == []


def test_a_wrong_shape_is_noticed() -> None:
    found = list(faults({"id": "re_1", "object": "refund", "colour": 1}, stripe.Refund, "refund"))
    assert "refund.colour is no field" in found
    assert "refund.amount is missing" in found


PARAMS: dict[str, str] = {
    "POST /v1/customers": "CustomerCreateParams",
    "POST /v1/customers/{id}": "CustomerModifyParams",
    "POST /v1/products": "ProductCreateParams",
    "POST /v1/products/{id}": "ProductModifyParams",
    "POST /v1/prices": "PriceCreateParams",
    "POST /v1/prices/{id}": "PriceModifyParams",
    "POST /v1/payment_methods": "PaymentMethodCreateParams",
    "POST /v1/payment_methods/{id}/attach": "PaymentMethodAttachParams",
    "POST /v1/payment_methods/{id}/detach": "PaymentMethodDetachParams",
    "POST /v1/payment_intents": "PaymentIntentCreateParams",
    "POST /v1/payment_intents/{id}": "PaymentIntentModifyParams",
    "POST /v1/payment_intents/{id}/confirm": "PaymentIntentConfirmParams",
    "POST /v1/payment_intents/{id}/capture": "PaymentIntentCaptureParams",
    "POST /v1/payment_intents/{id}/cancel": "PaymentIntentCancelParams",
    "POST /v1/refunds": "RefundCreateParams",
    "POST /v1/refunds/{id}": "RefundModifyParams",
    "POST /v1/refunds/{id}/cancel": "RefundCancelParams",
    "POST /v1/disputes/{id}": "DisputeModifyParams",
    "POST /v1/disputes/{id}/close": "DisputeCloseParams",
    "POST /v1/checkout/sessions": "checkout.SessionCreateParams",
    "POST /v1/checkout/sessions/{id}": "checkout.SessionModifyParams",
    "POST /v1/checkout/sessions/{id}/expire": "checkout.SessionExpireParams",
    "POST /v1/subscriptions": "SubscriptionCreateParams",
    "POST /v1/subscriptions/{id}": "SubscriptionModifyParams",
    "DELETE /v1/subscriptions/{id}": "SubscriptionCancelParams",
    "POST /v1/subscriptions/{id}/resume": "SubscriptionResumeParams",
    "POST /v1/invoices": "InvoiceCreateParams",
    "POST /v1/invoices/{id}": "InvoiceModifyParams",
    "POST /v1/invoices/{id}/finalize": "InvoiceFinalizeInvoiceParams",
    "POST /v1/invoices/{id}/pay": "InvoicePayParams",
    "POST /v1/invoices/{id}/void": "InvoiceVoidInvoiceParams",
    "POST /v1/invoices/{id}/mark_uncollectible": "InvoiceMarkUncollectibleParams",
    "POST /v1/invoiceitems": "InvoiceItemCreateParams",
    "POST /v1/billing_portal/sessions": "billing_portal.SessionCreateParams",
    "POST /v1/webhook_endpoints": "WebhookEndpointCreateParams",
    "POST /v1/webhook_endpoints/{id}": "WebhookEndpointModifyParams",
    "POST /v1/test_helpers/test_clocks": "test_helpers.TestClockCreateParams",
    "POST /v1/test_helpers/test_clocks/{id}/advance": "test_helpers.TestClockAdvanceParams",
    "GET /v1/customers": "CustomerListParams",
    "GET /v1/products": "ProductListParams",
    "GET /v1/prices": "PriceListParams",
    "GET /v1/payment_methods": "PaymentMethodListParams",
    "GET /v1/payment_intents": "PaymentIntentListParams",
    "GET /v1/charges": "ChargeListParams",
    "GET /v1/refunds": "RefundListParams",
    "GET /v1/disputes": "DisputeListParams",
    "GET /v1/checkout/sessions": "checkout.SessionListParams",
    "GET /v1/subscriptions": "SubscriptionListParams",
    "GET /v1/invoices": "InvoiceListParams",
    "GET /v1/invoiceitems": "InvoiceItemListParams",
    "GET /v1/invoice_payments": "InvoicePaymentListParams",
    "GET /v1/events": "EventListParams",
    "GET /v1/webhook_endpoints": "WebhookEndpointListParams",
    "GET /v1/test_helpers/test_clocks": "test_helpers.TestClockListParams",
    "GET /v1/balance_transactions": "BalanceTransactionListParams",
}


def hints(name: str) -> Mapping[str, Any]:
    found: Any = stripe.params
    for each in name.split("."):
        found = getattr(found, each)
    return hints_of(found)


def hints_of(kind: Any) -> Mapping[str, Any]:  # noqa: ANN401
    # Names that its modules do not have themselves.
    return get_type_hints(
        kind, vars(inspect.getmodule(kind)) | {"StripeContext": str, "Mapping": Mapping}
    )


def groups_in(kind: Any) -> Iterator[Any]:  # noqa: ANN401
    """The groups of parameters that a parameter may be."""
    if typing.is_typeddict(kind) or (inspect.isclass(kind) and hasattr(kind, "__total__")):
        yield kind
    for each in get_args(kind):
        yield from groups_in(each)


def unknown(grammar: Group, known: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, check in grammar.fields.items():
        if name not in known:
            yield f"{path}[{name}]"
        elif isinstance(check, Group):
            below = [hints_of(each)
                     for each in groups_in(known[name])]  # fmt: skip
            if below:
                together = {key: kind for each in below for key, kind in each.items()}
                yield from unknown(check, together, f"{path}[{name}]")


@pytest.mark.parametrize("name", PARAMS)
def test_every_parameter_is_one_that_the_sdk_has(name: str) -> None:
    [call] = [each for each in routes.CALLS if f"{each.method} {each.path}" == name]
    assert list(unknown(call.grammar, hints(PARAMS[name]), name)) == []


def test_all_calls_that_take_anything_are_compared() -> None:
    taking = {
        f"{each.method} {each.path}"
        for each in routes.CALLS
        if set(each.grammar.fields) > {"expand"}
    }
    rest = taking - set(PARAMS)
    assert rest == {
        "GET /v1/customers/{id}/payment_methods", "GET /v1/checkout/sessions/{id}/line_items",
    }  # fmt: skip


def test_a_parameter_that_nobody_has_is_noticed() -> None:
    wrong = Group({"amount": str, "colour": str})  # type: ignore[dict-item]
    assert list(unknown(wrong, hints("RefundCreateParams"), "x")) == ["x[colour]"]
