"""What operators do about an order: cancel it, send money back, say it was sent, take goods back.

These journeys have commits of their own, and ask the provider between them. So the line of the
audit comes first, and says what was asked for; where it is plain that it cannot be done there is
none. A form that is sent again goes on where it was: it acts once.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.credits.commands import CREDITS
from comptoir.domains.identity import operators
from comptoir.domains.payments import queries as paid
from comptoir.domains.stock import queries
from comptoir.domains.stock.model import Order, OrderStatus, Origin
from comptoir.flows import closing, refunding, reserving, returning
from comptoir.flows.returning import Back
from comptoir.kit.errors import Conflict, Invalid
from comptoir.store.pool import begin, begin_brief
from comptoir.web.api.orders import ReturnBody
from comptoir.web.api.payments import RefundBody
from comptoir.web.api.selling import named
from comptoir.web.complaints import Unfit
from comptoir.web.dashboard.deeds import ReasonForm, deed, fit
from comptoir.web.dashboard.orders import (
    MISSING,
    ORDERS,
    address_of,
    buyer_of,
    left_of,
    payment_of,
)
from comptoir.web.dashboard.visits import Visit, acting
from comptoir.web.pages.forms import go
from comptoir.web.replies import Reply

_MONEY: Final = re.compile(r"([0-9]{1,10})(?:[.,]([0-9]{1,2}))?", re.ASCII)
_QUANTITY: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_NOTHING: Final[Mapping[str, object]] = {}
_SENT: Final = frozenset({OrderStatus.PAID, OrderStatus.FULFILLED})
_OPEN: Final = frozenset({OrderStatus.RESERVED, OrderStatus.CANCELLED, OrderStatus.EXPIRED})

Check = Callable[[AsyncConnection, Order], Awaitable[None]]


async def _begin(
    visit: Visit, action: str, reason: str, check: Check, said: Mapping[str, object] = _NOTHING
) -> Order:
    """Write the line of a form down, unless it cannot be done anyway.

    Raises:
        NotFound: the book has no such order.
        ComptoirError: whatever `check` has against it; there is no line then.
    """
    id_ = named(visit.call.part("id"), MISSING)
    account = await _account(visit, id_)
    line = deed(visit, action, f"order:{id_}", reason, account=account, said=said)
    async with begin(visit.call.app.pool) as tx:
        order = await queries.order(tx, visit.book, id_)
        if await operators.note(tx, line):
            await check(tx, order)
    return order


async def _account(visit: Visit, id_: UUID) -> int | None:
    """An account of the buyer's, so that what is said of his order is forgotten with him."""
    app, book = visit.call.app, visit.book
    async with begin_brief(app.pool) as tx:
        name = await buyer_of(tx, await queries.order(tx, book, id_))
    if name is None:
        return None
    return await app.directory.account(book, await app.directory.asset(book, CREDITS), name)


def _reason(visit: Visit) -> str:
    return fit(ReasonForm, {"reason": visit.form.get("reason", "")}).reason


async def cancel(visit: Visit) -> Reply:
    """POST /dashboard/orders/{id}/cancel: what is set aside is given back."""

    async def check(_: AsyncConnection, of: Order) -> None:
        if of.status not in _OPEN:
            raise Conflict("order-paid", order_number=of.number)

    order = await _begin(visit, "cancel-order", _reason(visit), check)
    if order.origin is Origin.CALLER:
        await reserving.release(visit.call.app.till, order.book, order.id)
    else:
        await closing.cancel(visit.call.app.till, order.book, order.id)
    return go(f"{address_of(order.id)}?done=cancelled")


async def deliver(visit: Visit) -> Reply:
    """POST /dashboard/orders/{id}/deliver: its goods were sent."""

    async def check(_: AsyncConnection, of: Order) -> None:
        if of.status not in _SENT or of.origin is not Origin.CHECKOUT:
            raise Conflict("order-not-paid", state=of.status.value)

    order = await _begin(visit, "deliver-order", _reason(visit), check)
    await returning.fulfil(visit.call.app.till, order.book, order.id)
    return go(f"{address_of(order.id)}?done=delivered")


async def refund(visit: Visit) -> Reply:
    """POST /dashboard/orders/{id}/refund: all that is left, or so much of it."""
    said = visit.form.get("amount", "").strip()
    body = fit(
        RefundBody,
        {"amount": minor_of(said) if said else None, "reason": visit.form.get("reason", "")},
    )

    async def check(tx: AsyncConnection, of: Order) -> None:
        payment = await payment_of(tx, of)
        if payment is None or payment.received is None:
            raise Conflict("payment-not-paid", state=of.status.value)
        left = left_of(payment, await paid.refunds(tx, payment))
        if left <= 0:
            raise Conflict("already-refunded")
        if body.amount is not None and body.amount > left:
            raise Invalid("refund-exceeds-payment", field="amount", left=left)

    _ = visit.call.app.till.provider
    order = await _begin(visit, "refund-order", body.reason, check, {"amount": body.amount})
    wanted = refunding.Wanted(order.id, body.amount, body.reason, visit.key)
    await refunding.refund(visit.call.app.till, order.book, wanted)
    return go(f"{address_of(order.id)}?done=refunded")


def minor_of(said: str) -> int:
    """A sum as people write it, in minor units.

    Raises:
        Unfit: it is none.
    """
    found = _MONEY.fullmatch(said)
    if found is None:
        raise Unfit.field("amount", "amount-invalid")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


async def take_back(visit: Visit) -> Reply:
    """POST /dashboard/orders/{id}/return: line by line, for sale again or not."""
    async with begin(visit.call.app.pool) as tx:
        order = await queries.order(tx, visit.book, named(visit.call.part("id"), MISSING))
        lines = await queries.lines_of(tx, order)
    goods: list[dict[str, Any]] = []
    for each in lines:
        said = visit.form.get(f"quantity-{each.no}", "").strip()
        if said in {"", "0"}:
            continue
        if not _QUANTITY.fullmatch(said):
            raise Unfit.field("quantity", "field-invalid")
        condition = visit.form.get(f"condition-{each.no}", "")
        goods.append(
            {
                "product": each.product, "size": each.size, "quantity": int(said),
                "condition": condition,
            }
        )  # fmt: skip
    is_paid_back = visit.form.get("refund") == "yes"
    body = fit(
        ReturnBody,
        {"lines": goods, "reason": visit.form.get("reason", ""), "refund": is_paid_back},
    )

    async def check(_: AsyncConnection, of: Order) -> None:
        if of.origin is not Origin.CHECKOUT or of.number is None:
            raise Conflict("order-not-paid", state=of.status.value)

    if body.refund:
        _ = visit.call.app.till.provider
    figures = {"units": sum(each.quantity for each in body.lines), "refund": body.refund}
    await _begin(visit, "return-order", body.reason, check, figures)
    back = [
        Back(each.product, each.size, each.quantity, each.condition == "damaged")
        for each in body.lines
    ]
    wanted = returning.Wanted(order.id, back, body.reason, body.refund, visit.key)
    await returning.take_back(visit.call.app.till, order.book, wanted)
    return go(f"{address_of(order.id)}?done=returned")


OPERATIONS: Final = (
    acting(f"{ORDERS}/{{id}}/cancel", cancel),
    acting(f"{ORDERS}/{{id}}/deliver", deliver),
    acting(f"{ORDERS}/{{id}}/refund", refund),
    acting(f"{ORDERS}/{{id}}/return", take_back),
)
