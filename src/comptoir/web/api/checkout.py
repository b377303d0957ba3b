"""Checkout: a cart is set aside and can be paid; by strangers too, where the seller admits them."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from comptoir.flows import checkout
from comptoir.flows.charging import Page
from comptoir.flows.checkout import Begun, Wanted
from comptoir.kit.actor import Role
from comptoir.kit.errors import Invalid
from comptoir.kit.limits import EMAIL_LENGTH, EMAIL_PATTERN
from comptoir.web import shapes_stock as shapes
from comptoir.web import wire
from comptoir.web.api.reading import whose
from comptoir.web.api.reservations import Items, read_items
from comptoir.web.api.selling import PROVIDER_CODES, ReturnUrl
from comptoir.web.auth import Unauthorized
from comptoir.web.call import Call
from comptoir.web.replies import REPLAYED, Reply, ok, write_time
from comptoir.web.routing import EVERYBODY, Operation

Email = Annotated[
    str,
    StringConstraints(max_length=EMAIL_LENGTH, pattern=EMAIL_PATTERN),
    Field(examples=["alice@example.com"]),
]


class CartBody(wire.Wire):
    """What is bought, by whom. Its price is what the products say."""

    items: Items
    customer: Annotated[
        wire.Customer | None, Field(description="With one, an Idempotency-Key must come along.")
    ] = None
    email: Email | None = None
    on_payment_failed: Annotated[
        Literal["keep", "cancel"],
        Field(description="keep: another card may be tried until the time is over."),
    ] = "keep"


class CartPageBody(CartBody):
    """The same, paid on Stripe's page."""

    success_url: ReturnUrl | None = None
    cancel_url: ReturnUrl | None = None


async def create_payment_intent(call: Call, body: CartBody) -> Reply:
    """POST /api/checkout/create-payment-intent."""
    begun = await _start(call, body, None)
    paid_by = {"payment_intent": begun.intent, "client_secret": begun.client_secret}
    return _begun(begun, paid_by)


async def create_session(call: Call, body: CartPageBody) -> Reply:
    """POST /api/checkout/create-session."""
    begun = await _start(call, body, Page(body.success_url, body.cancel_url))
    return _begun(begun, {"checkout_url": begun.checkout_url})


async def _start(call: Call, body: CartBody, page: Page | None) -> Begun:
    customer = await _buyer(call, body.customer)
    if customer is not None and not call.key:
        raise Invalid("idempotency-key-missing")
    wanted = Wanted(
        items=read_items(body.items),
        customer=customer,
        email=body.email,
        key=call.key or None,
        scope=_scope(call),
        cancels=body.on_payment_failed == "cancel",
        page=page,
    )
    return await checkout.start(call.app.till, call.actor.book, wanted)


async def _buyer(call: Call, name: str | None) -> str | None:
    """Who buys; None for whoever is not known.

    Raises:
        Unauthorized: a guest names somebody, or nobody wants guests.
        NotFound: a customer token names another customer.
    """
    if call.actor.role is Role.CUSTOMER:
        return await whose(call, name)
    is_guest = call.actor.role is Role.GUEST
    if is_guest and (name is not None or not call.app.till.terms.admits_guests):
        raise Unauthorized
    return name


def _scope(call: Call) -> str:
    """Whose idempotency keys: strangers' never meet those of the seller's own servers."""
    if call.actor.role is Role.CUSTOMER:
        return f"checkout:{call.actor.customer}"
    return "checkout:guest" if call.actor.role is Role.GUEST else ""


def _begun(of: Begun, paid_by: dict[str, Any]) -> Reply:
    content = {
        "order": str(of.order),
        "order_number": None,
        **paid_by,
        "amount": of.amount,
        "currency": of.currency,
        "expires_at": write_time(of.expires_at),
    }
    return ok(content, *((REPLAYED,) if of.replayed else ()), status=201)


_CODES: Final = (
    "insufficient-stock",
    "order-closed",
    "request-in-flight",
    "account-busy",
    *PROVIDER_CODES,
)
_REPLAY: Final = {"Idempotent-Replayed": "true when the answer is a stored one"}
_CART: Final[dict[str, Any]] = {
    "items": [{"product": "TEE", "size": "M", "quantity": 1}],
    "customer": "alice@example.com",
}

OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/checkout/create-payment-intent",
        handler=create_payment_intent,
        may_be_keyed=True,
        summary=("Set a cart aside and begin its payment", "Réserver un panier et le payer"),
        tag="checkout",
        roles=EVERYBODY,
        guests=True,
        body=CartBody,
        status=201,
        answer=shapes.IntentShape,
        codes=_CODES,
        headers=_REPLAY,
        ask=_CART,
    ),
    Operation(
        method="POST",
        path="/api/checkout/create-session",
        handler=create_session,
        may_be_keyed=True,
        summary=("The same, to be paid on Stripe's page", "De même, payé sur la page de Stripe"),
        tag="checkout",
        roles=EVERYBODY,
        guests=True,
        body=CartPageBody,
        status=201,
        answer=shapes.SessionShape,
        codes=_CODES,
        headers=_REPLAY,
        ask=_CART | {"success_url": "https://shop.example.com/thanks"},
    ),
)
