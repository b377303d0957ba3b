"""The provider's side of an order: a payment that can be confirmed, or a page to pay on.

It is asked for under a key made of the order's id, so that whoever asks again finds the same.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from comptoir.domains.payments import commands as payments
from comptoir.domains.payments import compat, queries
from comptoir.domains.payments.model import Effects, Payment, Status
from comptoir.domains.payments.stripe import Object, ProviderRefused
from comptoir.domains.stock import queries as stock
from comptoir.domains.stock.model import Order
from comptoir.flows import fulfilling
from comptoir.flows.till import Till
from comptoir.kit.limits import SECOND
from comptoir.store.pool import begin

RETURN_PATH: Final = "/return"
SHOWN_SESSION: Final = "session={CHECKOUT_SESSION_ID}"
"""What the provider fills in when somebody has paid: it shows whoever comes back to be the one."""

PAGE_SECONDS: Final = 3_600
"""How much longer a page lives than its goods are set aside: the provider wants half an hour from
when it is made, which may be later than the order. We end it ourselves when its time is over."""

_PAGE_MOST: Final = 86_000
_PAYABLE: Final = frozenset(
    {"requires_payment_method", "requires_confirmation", "requires_action", "open"}
)
_LANGUAGES: Final = frozenset({"en", "fr"})


class NotPayable(Exception):
    """What there is of an order's payment cannot be paid: it is paid, or over, or another kind."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where somebody comes back to from the provider's page; to our own pages by default."""

    success_url: str | None = None
    cancel_url: str | None = None


@dataclass(frozen=True, slots=True)
class Payable:
    """What there is at the provider to pay an order with.

    Attributes:
        client_secret: lets a browser confirm an intent.
        url: of a page.
    """

    intent: str | None
    session: str | None
    client_secret: str | None
    url: str | None


async def payable(till: Till, order: Order, page: Page | None) -> Payable:
    """What an order is paid with: what there is already, or what is made now.

    Raises:
        NotPayable: there is something else already.
        Conflict: the provider would not have it; the order is given up.
        Unavailable: the provider, or the database, cannot be reached.
    """
    async with begin(till.pool) as tx:
        payment = await queries.find(tx, order.book, order.id)
    if payment.intent is None and payment.session is None:
        return await _made(till, order, payment, page)
    if page is None and payment.session is None and payment.intent is not None:
        return _checked(await till.provider.intent(payment.intent))
    if page is not None and payment.session is not None:
        return _checked(await till.provider.session(payment.session))
    raise NotPayable


def _checked(told: Object) -> Payable:
    if told.get("status") not in _PAYABLE:
        raise NotPayable
    return _read(told)


def _read(told: Object) -> Payable:
    if told.get("object") == "checkout.session":
        return Payable(None, str(told["id"]), None, str(told["url"]))
    return Payable(str(told["id"]), None, str(told["client_secret"]), None)


async def _made(till: Till, order: Order, payment: Payment, page: Page | None) -> Payable:
    provider = till.provider
    since = {"created": {"gte": order.created_at // SECOND - 60}}
    try:
        if page is None:
            params = await _intent(till, order)
            return _read(await provider.make_intent(params, f"{order.id}:intent", since))
        params = await _session(till, order, page)
        return _read(await provider.make_session(params, f"{order.id}:session", since))
    except ProviderRefused as error:
        await _given_up(till, payment, str(error.figures["provider_code"]))
        raise


async def _intent(till: Till, order: Order) -> dict[str, Any]:
    params: dict[str, Any] = {
        "amount": order.amount, "currency": order.currency, "metadata": _marks(order),
    }  # fmt: skip
    return params | await _whom(till, order, "receipt_email")


async def _session(till: Till, order: Order, page: Page) -> dict[str, Any]:
    async with begin(till.pool) as tx:
        lines = await stock.lines_of(tx, order)
        names = {each.product: each.product for each in lines}
        for name in names:
            names[name] = (await stock.product(tx, order.book, name)).name
    back = f"{till.terms.public_url}{RETURN_PATH}?order={quote(str(order.id))}"
    seconds = (order.expires_at - order.created_at) // SECOND + PAGE_SECONDS
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": [
            {
                "quantity": each.quantity,
                "price_data": {
                    "currency": order.currency,
                    "unit_amount": each.unit_amount,
                    "product_data": {"name": f"{names[each.product]} ({each.size})"},
                },
            }
            for each in lines
        ],
        "client_reference_id": str(order.id),
        "metadata": _marks(order),
        "payment_intent_data": {"metadata": _marks(order)},
        "success_url": page.success_url or f"{back}&{SHOWN_SESSION}",
        "cancel_url": page.cancel_url or f"{back}&canceled=1",
        "expires_at": order.created_at // SECOND + min(seconds, _PAGE_MOST),
    }
    if order.customer is not None:
        async with begin(till.pool) as tx:
            locale = (await queries.customer(tx, order.book, order.customer))[1]
        if locale[:2] in _LANGUAGES:
            params["locale"] = locale[:2]
    return params | await _whom(till, order, "customer_email")


def _marks(order: Order) -> dict[str, str]:
    return {compat.BOOK: str(order.book), compat.PAYMENT: str(order.id)}


async def _whom(till: Till, order: Order, email_field: str) -> dict[str, Any]:
    """Who pays: whom the provider knows, or an address."""
    email = order.email
    if order.customer is not None:
        async with begin(till.pool) as tx:
            known = await queries.provider_customer(
                tx, order.book, till.provider.livemode, order.customer
            )
            email = email or (await queries.customer(tx, order.book, order.customer))[2]
        if known is not None:
            return {"customer": known}
    return {} if email is None else {email_field: email}


async def _given_up(till: Till, payment: Payment, why: str) -> None:
    """The provider would not have it: nobody will pay, so the goods are free."""
    async with begin(till.pool) as tx:
        locked = await queries.lock(tx, payment.book, payment.id)
        assert locked is not None, "payments never go"
        await payments.change(tx, locked, Status.FAILED, why)
        await fulfilling.ended(tx, till, locked, Effects())
