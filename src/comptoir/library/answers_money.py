"""What the library answers about money: sums are integers in minor units."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct as Value

from comptoir.library.answers import Balance, Customer, PastAccount


class Money(Value, frozen=True, gc=False):
    """A sum: 1900 of eur is 19 EUR."""

    amount: int
    currency: str


class Tax(Value, frozen=True, gc=False):
    """A price with and without its tax, in minor units; the provider may work out another one."""

    percent: Decimal
    included: bool
    without_tax: int
    with_tax: int


class Pack(Value, frozen=True, gc=False):
    """So many credits for so much money.

    Attributes:
        unit_price: of one credit, in the major unit, six decimals at most.
        tax: None where nobody has said one.
    """

    id: str
    name: str
    asset: str
    credits: Decimal
    price: Money
    unit_price: Decimal
    tax: Tax | None


class PurchaseBegun(Value, frozen=True, gc=False):
    """A purchase that can be paid at `checkout_url`.

    Attributes:
        replayed: it was begun by an earlier request with the same idempotency key.
    """

    purchase: UUID
    checkout_url: str
    status: str
    replayed: bool


class Purchase(Value, frozen=True, gc=False):
    """What has become of a purchase.

    Attributes:
        status: pending, paid, granted, refunded or failed; there may be more one day.
        customer, balance: None once he was erased.
    """

    id: UUID
    status: str
    customer: str | None
    pack: str
    asset: str
    credits: Decimal
    price: Money
    created_at: datetime
    balance: Balance | None


class TopUp(Value, frozen=True, gc=False):
    """Whether, with which pack and up to how much a month somebody buys again by himself.

    Attributes:
        monthly_cap, spent_this_month: in minor units of the pack's currency.
        failed_at: his card would not; it is tried again after a day.
    """

    customer: str
    enabled: bool
    pack: str
    monthly_cap: int
    spent_this_month: int
    failed_at: datetime | None


class PaymentMade(Value, frozen=True, gc=False):
    """A payment that can be confirmed in the customer's browser.

    Attributes:
        client_secret: lets a browser confirm this payment alone.
        replayed: it was made by an earlier request with the same idempotency key.
    """

    payment: UUID
    client_secret: str
    status: str
    replayed: bool


class Payment(Value, frozen=True, gc=False):
    """A payment.

    Attributes:
        purpose: what it is for, as pack or direct.
        received: what was paid, in minor units; None before.
        tax, refunded: parts of it.
    """

    id: UUID
    purpose: str
    reference: str | None
    customer: str | None
    price: Money
    status: str
    received: int | None
    tax: int
    refunded: int
    disputed: bool
    created_at: datetime
    paid_at: datetime | None


class Refund(Value, frozen=True, gc=False):
    """Money that goes back.

    Attributes:
        replayed: it was asked for by an earlier request with the same idempotency key.
    """

    id: UUID
    payment: UUID
    amount: int
    currency: str
    status: str
    replayed: bool


class Checkout(Value, frozen=True, gc=False):
    """The page on which a plan is subscribed to."""

    checkout_url: str
    replayed: bool


class PlanPrice(Value, frozen=True, gc=False):
    """What a plan costs a month or a year."""

    interval: str
    price: Money
    tax: Tax | None


class Allowance(Value, frozen=True, gc=False):
    """What a plan gives each month; at most `rollover` of it is carried over."""

    asset: str
    amount: Decimal
    rollover: Decimal


class Plan(Value, frozen=True, gc=False):
    """A plan: its daily quotas, what it costs, what it gives."""

    plan: str
    quotas: Mapping[str, int]
    prices: tuple[PlanPrice, ...]
    allowances: tuple[Allowance, ...]


class Period(Value, frozen=True, gc=False):
    """From when until when a subscription is paid, and how long its periods are."""

    start: datetime | None
    end: datetime | None
    interval: str | None


class Subscription(Value, frozen=True, gc=False):
    """What a customer has subscribed to.

    Attributes:
        plan: what he has now, whatever he has subscribed to.
        status: the provider's word for it, as active or past_due; none for nothing.
        period: None for nothing.
    """

    customer: str
    plan: str
    status: str
    period: Period | None
    cancel_at: datetime | None
    trial_ends_at: datetime | None


class TokenPeriod(Value, frozen=True, gc=False):
    """The month that runs in the customer's time zone; `billed` is what it costs so far."""

    start: datetime
    end: datetime
    spent: int
    generations: int
    billed: Money


class TokenMonth(Value, frozen=True, gc=False):
    """What was spent in a month, written as 2026-11."""

    month: str
    spent: int
    generations: int


class TokenStats(Value, frozen=True, gc=False):
    """What a customer has done with tokens.

    Attributes:
        tokens_spent, generations: since counting began, or began anew.
        history: months, the newest first; a reset leaves them as they were.
        replayed: what made it was done by an earlier request with the same idempotency key.
    """

    customer: str
    token_balance: int
    tokens_spent: int
    generations: int
    current_period: TokenPeriod
    history: tuple[TokenMonth, ...]
    replayed: bool = False


class Statement(Value, frozen=True, gc=False):
    """What was spent in a month that has ended, and what it costs.

    Attributes:
        month: as 2026-11.
        unit_price: of one token, in the major unit.
        billing: none, or stripe_invoice; then `invoice` is the provider's, once it was sent.
    """

    id: UUID
    month: str
    start: datetime
    end: datetime
    spent: int
    generations: int
    unit_price: Decimal
    billed: Money
    billing: str
    invoice: str | None
    made_at: datetime


class PastPurchase(Value, frozen=True, gc=False):
    """What a payment has bought."""

    pack: str
    asset: str
    credits: Decimal
    granted_at: datetime | None


class PastPayment(Value, frozen=True, gc=False):
    """A payment of a customer, whatever became of it.

    Attributes:
        purpose, price, received, tax, refunded: as `Payment` has them.
        purchase: of a pack. intent, invoice: what the provider calls it.
    """

    id: UUID
    purpose: str
    reference: str | None
    price: Money
    status: str
    received: int | None
    tax: int
    refunded: int
    disputed: bool
    purchase: PastPurchase | None
    intent: str | None
    invoice: str | None
    created_at: datetime
    paid_at: datetime | None


class PastOrderLine(Value, frozen=True, gc=False):
    """A line of an order, for the price of when it was made."""

    product: str
    size: str
    quantity: int
    unit_amount: int
    returned: int


class PastOrder(Value, frozen=True, gc=False):
    """An order of a customer's, whatever became of it."""

    id: UUID
    order_number: str | None
    status: str
    email: str | None
    items: tuple[PastOrderLine, ...]
    amount: int
    currency: str | None
    created_at: datetime
    paid_at: datetime | None
    fulfilled_at: datetime | None


class PastSubscription(Value, frozen=True, gc=False):
    """A plan that a customer has, or had, as the provider told of it last."""

    id: str
    plan: str | None
    status: str
    period: Period
    cancel_at: datetime | None
    trial_ends_at: datetime | None
    ended_at: datetime | None
    created_at: datetime


class Export(Value, frozen=True, gc=False):
    """Everything that is kept about a customer, as of one moment."""

    at: datetime
    customer: Customer
    accounts: tuple[PastAccount, ...]
    payments: tuple[PastPayment, ...]
    orders: tuple[PastOrder, ...]
    subscriptions: tuple[PastSubscription, ...]
