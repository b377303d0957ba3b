"""What the library answers about stock and orders: quantities are whole, sums in minor units."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct as Value

from comptoir.domains.stock.model import MovementType, OnRefund, OrderStatus
from comptoir.library.answers_money import Money


class StockSize(Value, frozen=True, gc=False):
    """A size of a product, as of the last commit.

    Attributes:
        stock: how many there are, set aside or not.
        reserved: how many of them are set aside.
        available: what can be sold now.
        is_low: no more than `low_stock_threshold` are available.
    """

    size: str
    stock: int
    reserved: int
    available: int
    low_stock_threshold: int
    is_low: bool


class Product(Value, frozen=True, gc=False):
    """What is sold in sizes.

    Attributes:
        price: of one.
        on_refund: what becomes of its goods when their money goes back before they were sent:
            for sale again (restock), or not (keep).
        replayed: it was said before, under the same idempotency key.
    """

    product: str
    name: str
    price: Money
    on_refund: OnRefund
    sizes: tuple[StockSize, ...]
    replayed: bool = False


class StockMovement(Value, frozen=True, gc=False):
    """A movement of stock: what there was before, and after.

    Attributes:
        quantity: signed: a sale is below zero.
        order_reference: the number of the order that it belongs to.
        replayed: it was done before, under the same idempotency key.
    """

    id: str
    product: str
    size: str
    type: MovementType
    quantity: int
    stock_before: int
    stock_after: int
    reason: str | None
    reference: str | None
    order_reference: str | None
    at: datetime
    replayed: bool = False


class Reservation(Value, frozen=True, gc=False):
    """What is set aside for a caller, who says later whether it was sold."""

    id: UUID
    expires_at: datetime
    replayed: bool


class OrderLine(Value, frozen=True, gc=False):
    """A line of an order; the price of one is what it was when the order was made.

    Attributes:
        returned: how many came back.
    """

    product: str
    size: str
    quantity: int
    unit_amount: int
    returned: int


class Order(Value, frozen=True, gc=False):
    """An order, or what a caller has had reserved.

    Attributes:
        order_number: given when it is paid, as ORD-2026-000001; a caller's own may be anything.
        reference: a caller's own, of a reservation.
        customer: None for a guest, and once he was erased.
        payment_intent: the provider's; None when it is paid on the provider's page.
        expires_at: until when its goods are set aside, while it is reserved.
    """

    id: UUID
    order_number: str | None
    status: OrderStatus
    reference: str | None
    customer: str | None
    email: str | None
    items: tuple[OrderLine, ...]
    amount: int
    currency: str | None
    payment_intent: str | None
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    fulfilled_at: datetime | None


class OrderBegun(Value, frozen=True, gc=False):
    """An order that can be paid.

    Attributes:
        payment_intent: with `client_secret`, for a page of the caller's own; None with a page.
        client_secret: lets a browser confirm this payment alone.
        checkout_url: the provider's page, if it was asked for.
        amount: what it costs, in minor units.
        expires_at: until when its goods are set aside.
        replayed: it was begun before, under the same idempotency key.
    """

    order: UUID
    payment_intent: str | None
    client_secret: str | None
    checkout_url: str | None
    amount: int
    currency: str
    expires_at: datetime
    replayed: bool


class Returned(Value, frozen=True, gc=False):
    """Goods that came back, and what goes back for them.

    Attributes:
        amount: the price of the goods, in minor units.
        refund: None when no money was to go back.
        status: the provider's word for the refund.
    """

    order: UUID
    amount: int
    currency: str
    refund: UUID | None
    status: str | None
    replayed: bool


class Cleaned(Value, frozen=True, gc=False):
    """What became of orders whose time was over.

    Attributes:
        examined: all of them.
        released: their goods are for sale again.
        captured: they were paid meanwhile, and are sold.
        kept: nobody can tell yet; they are looked at again.
    """

    examined: int
    released: int
    captured: int
    kept: int
