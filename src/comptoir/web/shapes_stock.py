"""What goes out about stock and orders, for the OpenAPI document."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from comptoir.web.shapes import Moment
from comptoir.web.shapes_money import Currency, MoneyShape

Status = Annotated[
    str,
    Field(
        examples=["paid"],
        description="reserved, paid, fulfilled, expired, cancelled, refunded, disputed",
    ),
]
Number = Annotated[
    str | None, Field(examples=["ORD-2026-000001"], description="Null until it is paid.")
]
ProductName = Annotated[str, Field(examples=["TEE"])]
SizeName = Annotated[str, Field(examples=["M"])]


class SizeShape(BaseModel):
    """A size of a product. It is low when no more are available than its threshold says."""

    size: SizeName
    stock: int
    reserved_stock: int
    available_stock: int
    low_stock_threshold: int
    is_low_stock: bool


class ProductShape(BaseModel):
    """A product, with its sizes as of the last commit."""

    product: ProductName
    name: str
    price: MoneyShape
    on_refund: Annotated[str, Field(examples=["restock"], description="restock, keep")]
    sizes: list[SizeShape]


class StockMovementShape(BaseModel):
    """A movement of stock: below zero for a sale."""

    id: Annotated[str, Field(examples=["mv_7_3"])]
    product: ProductName
    size: SizeName
    type: Annotated[str, Field(examples=["sale"], description="sale, restock, return, adjustment")]
    quantity: Annotated[int, Field(examples=[-1])]
    stock_before: int
    stock_after: int
    reason: Annotated[str | None, Field(examples=["Vente - Commande ORD-2026-000001"])]
    reference: str | None
    order_reference: str | None
    date: Moment


class StockMovedShape(BaseModel):
    """The movement that was made."""

    movement: StockMovementShape


class ReservedShape(BaseModel):
    """What was set aside, and until when."""

    reservation: UUID
    expires_at: Moment


class ItemShape(BaseModel):
    """So much of a size."""

    product: ProductName
    size: SizeName
    quantity: int


class ReservationShape(BaseModel):
    """What a caller has had set aside, and what has become of it."""

    reservation: UUID
    status: Status
    reference: str | None
    items: list[ItemShape]
    expires_at: Moment
    order_number: Number


class IntentShape(BaseModel):
    """An order that a browser can pay."""

    order: UUID
    order_number: Number
    payment_intent: str
    client_secret: str
    amount: int
    currency: Currency
    expires_at: Moment


class SessionShape(BaseModel):
    """An order that is paid on Stripe's page."""

    order: UUID
    order_number: Number
    checkout_url: str
    amount: int
    currency: Currency
    expires_at: Moment


class OrderLineShape(BaseModel):
    """A line of an order, for the price of when it was made."""

    product: ProductName
    size: SizeName
    quantity: int
    unit_amount: int
    amount: int
    returned: Annotated[int, Field(description="How many came back.")]


class OrderShape(BaseModel):
    """An order."""

    id: UUID
    order_number: Number
    status: Status
    customer: str | None
    email: Annotated[str | None, Field(description="Null for a guest.")]
    items: list[OrderLineShape]
    amount: int
    currency: Currency | None
    payment_intent: str | None
    created_at: Moment
    expires_at: Moment
    paid_at: Moment | None
    fulfilled_at: Moment | None


class ReturnedShape(BaseModel):
    """Goods that came back, and what goes back for them."""

    order: UUID
    amount: int
    currency: Currency
    refund: Annotated[UUID | None, Field(description="Null when no money was to go back.")]
    status: Annotated[str | None, Field(examples=["succeeded"])]


class ActiveSizeShape(BaseModel):
    """What is set aside of a size."""

    product: ProductName
    size: SizeName
    reservations: int
    quantity: int


class ActiveShape(BaseModel):
    """What is set aside now; the sizes of which most is, a thousand at most."""

    active: int
    oldest: Moment | None
    by_product: list[ActiveSizeShape]


class CleanedShape(BaseModel):
    """What became of reservations whose time was over."""

    examined: int
    released: int
    captured: Annotated[int, Field(description="Paid meanwhile.")]
    kept: Annotated[int, Field(description="Being paid, or Stripe does not say.")]
