"""Orders: reading them, cancelling what is not paid, sending them, taking goods back."""

import hmac
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from comptoir.domains.stock import queries
from comptoir.domains.stock.model import LINES, Line, Order, OrderStatus, Origin
from comptoir.flows import closing, returning
from comptoir.flows.checkout import pass_mark
from comptoir.flows.returning import Back, Wanted
from comptoir.kit.actor import Actor, Role
from comptoir.kit.errors import NotFound
from comptoir.store.pool import begin, fetch
from comptoir.web import shapes_stock as shapes
from comptoir.web import wire
from comptoir.web.api.reading import whose
from comptoir.web.api.selling import PART, PROVIDER_CODES, named
from comptoir.web.api.stock import ProductName, Quantity, SizeName
from comptoir.web.call import Call
from comptoir.web.cursors import read_cursor, write_cursor
from comptoir.web.replies import PRIVATE, REPLAYED, Reply, ok, write_moment, write_time
from comptoir.web.routing import EVERYBODY, OPERATORS, Operation
from comptoir.web.shapes import Listed

Pass = Annotated[
    str | None,
    wire.text(500),
    Field(description="Of the order's payment: a guest shows it to be let in."),
]


class OrdersQuery(wire.Page):
    """Whose, and which."""

    customer: wire.Customer | None = None
    status: (
        Literal["reserved", "paid", "fulfilled", "expired", "cancelled", "refunded", "disputed"]
        | None
    ) = None


class OrderQuery(wire.Wire):
    """What a guest shows."""

    client_secret: Pass = None


class CancelOrderBody(wire.Wire):
    """What a guest shows."""

    client_secret: Pass = None


class BackBody(wire.Wire):
    """So much of a size came back; damaged goods are not for sale again."""

    product: ProductName
    size: SizeName
    quantity: Quantity
    condition: Literal["sellable", "damaged"] = "sellable"


class ReturnBody(wire.Wire):
    """What came back, and whether the money for it goes back through Stripe."""

    lines: Annotated[list[BackBody], Field(min_length=1, max_length=LINES)]
    reason: Annotated[wire.Reason, Field(examples=["Too small"])]
    refund: bool = True


async def orders(call: Call, query: OrdersQuery) -> Reply:
    """GET /api/orders: the newest first."""
    app, book, name = call.app, call.actor.book, query.customer
    if call.actor.role is Role.CUSTOMER:
        name = await whose(call, name)
    of = f"orders\n{name}\n{query.status}"
    position: Any = read_cursor(call, of, query.cursor)
    customer = None if name is None else await app.directory.find_customer(book, name)
    if name is not None and customer is None:
        return ok({"items": [], "next_cursor": None}, PRIVATE)
    status = None if query.status is None else OrderStatus(query.status)
    before = UUID(str(position[0])) if position else None
    async with begin(app.pool) as tx:
        found = await queries.orders(
            tx, book, before, query.limit + 1, customer=customer, status=status
        )
    page = found[: query.limit]
    following = write_cursor(call, of, [str(page[-1].id)]) if len(found) > len(page) else None
    return ok({"items": await _shown(call, page), "next_cursor": following}, PRIVATE)


async def read_order(call: Call, query: OrderQuery) -> Reply:
    """GET /api/orders/{id}."""
    [shown] = await _shown(call, [await _visible(call, query.client_secret)])
    return ok(shown, PRIVATE)


async def cancel_order(call: Call, body: CancelOrderBody) -> Reply:
    """POST /api/orders/{id}/cancel: again changes nothing."""
    order = await _visible(call, body.client_secret)
    [shown] = await _shown(call, [await closing.cancel(call.app.till, order.book, order.id)])
    return ok(shown)


async def fulfil_order(call: Call) -> Reply:
    """POST /api/orders/{id}/fulfil: again changes nothing."""
    order = await _visible(call, None)
    [shown] = await _shown(call, [await returning.fulfil(call.app.till, order.book, order.id)])
    return ok(shown)


async def return_order(call: Call, body: ReturnBody) -> Reply:
    """POST /api/orders/{id}/return."""
    order = await _visible(call, None)
    goods = [
        Back(each.product, each.size, each.quantity, each.condition == "damaged")
        for each in body.lines
    ]
    wanted = Wanted(order.id, goods, body.reason, body.refund, call.key)
    done = await returning.take_back(call.app.till, order.book, wanted)
    content = {
        "order": str(done.order),
        "amount": done.amount,
        "currency": done.currency,
        "refund": done.refund,
        "status": done.status,
    }
    return ok(content, *((REPLAYED,) if done.replayed else ()), status=201)


async def _visible(call: Call, client_secret: str | None) -> Order:
    """The order that the path names.

    Raises:
        NotFound: there is none in this book, or it is somebody else's.
    """
    id_ = named(call.part("id"), _MISSING)
    async with begin(call.app.pool) as tx:
        found = await queries.order(tx, call.actor.book, id_)
    if found.origin is not Origin.CHECKOUT or not _may_see(call.actor, found, client_secret):
        raise NotFound(_MISSING)
    return found


def _may_see(actor: Actor, order: Order, client_secret: str | None) -> bool:
    if actor.role is Role.CUSTOMER:
        return order.customer == actor.customer
    if actor.role is not Role.GUEST:
        return True
    if client_secret is None or order.guest_pass is None:
        return False
    return hmac.compare_digest(pass_mark(client_secret), order.guest_pass)


_BESIDE: Final = """
SELECT o.id, c.customer, p.intent FROM comptoir.orders o
LEFT JOIN comptoir.customers c ON c.book_id = o.book_id AND c.id = o.customer_id
LEFT JOIN comptoir.payments p ON p.book_id = o.book_id AND p.id = o.id
WHERE o.book_id = %s AND o.id = ANY(%s)"""


async def _shown(call: Call, found: Sequence[Order]) -> list[dict[str, Any]]:
    book, ids = call.actor.book, [each.id for each in found]
    async with begin(call.app.pool) as tx:
        lines = await queries.lines(tx, book, ids)
    rows = await fetch(call.app.pool, _BESIDE, (book, ids))
    beside = {id_: (customer, intent) for id_, customer, intent in rows}
    is_guest = call.actor.role is Role.GUEST
    return [
        _order(each, lines.get(each.id, []), beside[each.id])
        | ({"email": None} if is_guest else {})
        for each in found
    ]


def _order(
    of: Order, lines: Sequence[Line], beside: tuple[str | None, str | None]
) -> dict[str, Any]:
    customer, intent = beside
    return {
        "id": str(of.id),
        "order_number": of.number,
        "status": of.status.value,
        "customer": customer,
        "email": of.email,
        "items": [
            {
                "product": each.product,
                "size": each.size,
                "quantity": each.quantity,
                "unit_amount": each.unit_amount,
                "amount": each.amount,
                "returned": each.returned,
            }
            for each in lines
        ],
        "amount": of.amount,
        "currency": of.currency,
        "payment_intent": intent,
        "created_at": write_time(of.created_at),
        "expires_at": write_time(of.expires_at),
        "paid_at": write_moment(of.paid_at),
        "fulfilled_at": write_moment(of.fulfilled_at),
    }


_MISSING: Final = "order-not-found"

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/orders",
        handler=orders,
        summary=("List orders", "Lister les commandes"),
        tag="checkout",
        roles=EVERYBODY,
        query=OrdersQuery,
        answer=Listed[shapes.OrderShape],
        codes=("cursor-invalid", "unknown-customer"),
    ),
    Operation(
        method="GET",
        path="/api/orders/{id}",
        handler=read_order,
        summary=("Read an order", "Lire une commande"),
        tag="checkout",
        roles=EVERYBODY,
        guests=True,
        query=OrderQuery,
        parts=PART,
        answer=shapes.OrderShape,
        codes=(_MISSING,),
    ),
    Operation(
        method="POST",
        path="/api/orders/{id}/cancel",
        handler=cancel_order,
        summary=("Cancel an order that is not paid", "Annuler une commande non payée"),
        tag="checkout",
        roles=EVERYBODY,
        guests=True,
        body=CancelOrderBody,
        body_optional=True,
        parts=PART,
        answer=shapes.OrderShape,
        codes=(_MISSING, "order-paid", "order-processing", *PROVIDER_CODES),
        ask={"client_secret": "pi_1_secret_2"},
    ),
    Operation(
        method="POST",
        path="/api/orders/{id}/fulfil",
        handler=fulfil_order,
        summary=("Say that an order was sent", "Marquer une commande comme expédiée"),
        tag="checkout",
        roles=OPERATORS,
        parts=PART,
        answer=shapes.OrderShape,
        codes=(_MISSING, "order-not-paid"),
    ),
    Operation(
        method="POST",
        path="/api/orders/{id}/return",
        handler=return_order,
        keyed=True,
        summary=("Take goods of an order back", "Reprendre des articles d'une commande"),
        tag="checkout",
        roles=OPERATORS,
        body=ReturnBody,
        status=201,
        parts=PART,
        answer=shapes.ReturnedShape,
        codes=(_MISSING, "order-not-paid", "refund-exceeds-left", *PROVIDER_CODES),
        headers={"Idempotent-Replayed": "true when the answer is a stored one"},
        ask={
            "lines": [{"product": "TEE", "size": "M", "quantity": 1, "condition": "sellable"}],
            "reason": "Too small", "refund": True,
        },
    ),
)  # fmt: skip
