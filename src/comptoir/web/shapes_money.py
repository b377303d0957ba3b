"""What goes out about money, for the OpenAPI document."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from comptoir.web.shapes import BalanceShape, CustomerShape, Figure, Moment, PastAccountShape

Currency = Annotated[str, Field(pattern="^[a-z]{3}$", examples=["eur"])]


class MoneyShape(BaseModel):
    """A sum, in minor units."""

    amount: Annotated[int, Field(examples=[1900])]
    currency: Currency


class TaxShape(BaseModel):
    """A price with and without its tax, in minor units; the provider may work out another one."""

    percent: Figure
    included: bool
    without_tax: int
    with_tax: int


class PackShape(BaseModel):
    """So many credits for so much money."""

    id: Annotated[str, Field(examples=["100"])]
    name: str
    asset: str
    credits: Figure
    price: MoneyShape
    unit_price: Figure
    tax: TaxShape | None


class PacksShape(BaseModel):
    """What is for sale."""

    items: list[PackShape]


class BegunShape(BaseModel):
    """A purchase that can be paid."""

    purchase: UUID
    checkout_url: str
    status: Annotated[str, Field(examples=["pending"])]


class PurchaseShape(BaseModel):
    """What has become of a purchase."""

    id: UUID
    status: Annotated[
        str, Field(examples=["granted"], description="pending, paid, granted, refunded, failed")
    ]
    customer: str | None
    pack: str
    asset: str
    credits: Figure
    price: MoneyShape
    created_at: Moment
    balance: BalanceShape | None = None


class TopUpShape(BaseModel):
    """Buying again by itself."""

    customer: str
    enabled: bool
    pack: str
    monthly_cap: int
    spent_this_month: int
    failed_at: Moment | None


class EarnedShape(BaseModel):
    """What was earned with one action, customer or model."""

    key: str | None
    times: int
    credits: Figure
    unpaid_credits: Figure
    revenue: list[MoneyShape]
    cost: Figure
    margin: Figure | None
    margin_percent: Figure | None


class ListedActionShape(BaseModel):
    """What an action brings at the price of a pack."""

    action: str
    pack: str
    credits: Figure
    price: Figure
    real_cost: Figure | None
    margin_percent: Figure | None
    currency: Currency


class MarginShape(BaseModel):
    """Revenue of the lots that were burnt, without tax; the provider's cost; the margin."""

    since: Moment
    until: Moment
    by: str
    items: list[EarnedShape]
    fees: list[MoneyShape]
    actions: list[ListedActionShape]


class PaymentMadeShape(BaseModel):
    """A payment that a browser can confirm."""

    payment: UUID
    client_secret: str
    status: str


class PaymentShape(BaseModel):
    """A payment."""

    id: UUID
    purpose: str
    reference: str | None
    customer: str | None
    price: MoneyShape
    status: str
    received: int | None
    tax: int
    refunded: int
    disputed: bool
    created_at: Moment
    paid_at: Moment | None


class RefundShape(BaseModel):
    """Money that goes back."""

    id: UUID
    payment: UUID
    amount: int
    currency: Currency
    status: Annotated[str, Field(examples=["succeeded"])]


class CheckoutShape(BaseModel):
    """Where a customer subscribes."""

    checkout_url: str


class PortalShape(BaseModel):
    """Where a customer changes or ends his subscription."""

    url: str


class PlanPriceShape(BaseModel):
    """What a plan costs."""

    interval: str
    price: MoneyShape
    tax: TaxShape | None


class AllowanceShape(BaseModel):
    """What a plan gives each month."""

    asset: str
    amount: Figure
    rollover: Figure


class PlanShape(BaseModel):
    """A plan."""

    plan: str
    quotas: dict[str, int]
    prices: list[PlanPriceShape]
    allowances: list[AllowanceShape]


class PlansShape(BaseModel):
    """The plans of a book."""

    items: list[PlanShape]


class PeriodShape(BaseModel):
    """From when until when."""

    start: Moment | None
    end: Moment | None
    interval: str | None


class SubscriptionShape(BaseModel):
    """What a customer has subscribed to."""

    customer: str
    plan: str
    status: Annotated[str, Field(examples=["active"], description="none for whoever has nothing")]
    period: PeriodShape | None
    cancel_at: Moment | None
    trial_ends_at: Moment | None


class ReceivedShape(BaseModel):
    """The event is kept."""

    received: bool


class InboxShape(BaseModel):
    """An event of a provider, and what it has done."""

    id: str
    type: str
    object: str
    livemode: bool
    via: str
    state: Annotated[
        str,
        Field(description="received, deferred, failed, done, ignored, orphan, dead"),
    ]
    attempts: int
    effect: str
    effects: list[dict[str, Any]]
    error: str | None
    occurred_at: Moment
    received_at: Moment
    due_at: Moment | None
    done_at: Moment | None


class InboxEventShape(InboxShape):
    """The same, with its body."""

    payload: Any


class ReplayShape(BaseModel):
    """What a replay has done, or would do."""

    id: str
    state: str
    effect: str


class FindingShape(BaseModel):
    """Something that was not as it should be."""

    code: str
    words: str
    mended: bool
    figures: dict[str, Any]


class ReconciledShape(BaseModel):
    """What a reconciliation has looked at, and found."""

    events: int
    objects: int
    payments: int
    findings: list[FindingShape]


class CaseShape(BaseModel):
    """Something that needs a human."""

    id: UUID
    kind: str
    words: str
    subject: str
    figures: dict[str, Any]
    opened_at: Moment
    closed_at: Moment | None
    closed_by: str | None
    note: str | None


class HookShape(BaseModel):
    """A place where others hear of what happens."""

    id: UUID
    url: str
    types: list[str]
    created_at: Moment


class NewHookShape(HookShape):
    """The same, with the secret that signs."""

    secret: str


class HooksShape(BaseModel):
    """All of them."""

    items: list[HookShape]


class RolledShape(BaseModel):
    """A new secret; the one before signs beside it for a day."""

    secret: str


class RemovedShape(BaseModel):
    """It is told nothing any more."""

    removed: bool


class DeliveryShape(BaseModel):
    """What became of telling one thing to one place."""

    event: str
    type: str
    state: Annotated[str, Field(description="waiting, sent, dead")]
    attempts: int
    status: int | None
    error: str | None
    due_at: Moment | None
    done_at: Moment | None


class ToldShape(BaseModel):
    """It is told once more."""

    event: str
    state: str


class HappeningShape(BaseModel):
    """Something that has happened, as others are told of it."""

    id: str
    type: str
    timestamp: Moment
    told: dict[str, Any] = Field(alias="data")


class CurrentPeriodShape(BaseModel):
    """The month that runs, in the customer's time zone."""

    start: Moment
    end: Moment
    spent: int
    generations: int
    billed: MoneyShape


class MonthShape(BaseModel):
    """What was spent in a month."""

    month: Annotated[str, Field(examples=["2026-11"])]
    spent: int
    generations: int


class TokenStatsShape(BaseModel):
    """What a customer has done with tokens."""

    customer: str
    token_balance: int
    tokens_spent: int
    generations: int
    current_period: CurrentPeriodShape
    history: list[MonthShape]


class StatementShape(BaseModel):
    """What was spent in a month that has ended, and what it costs."""

    id: UUID
    month: Annotated[str, Field(examples=["2026-10"])]
    start: Moment
    end: Moment
    spent: int
    generations: int
    unit_price: Figure
    billed: MoneyShape
    billing: str
    invoice: str | None
    made_at: Moment


class PastPurchaseShape(BaseModel):
    """What a payment has bought."""

    pack: str
    asset: str
    credits: Figure
    granted_at: Moment | None


class PastPaymentShape(BaseModel):
    """A payment of a customer, with the provider's names for it."""

    id: UUID
    purpose: str
    reference: str | None
    price: MoneyShape
    status: str
    received: int | None
    tax: int
    refunded: int
    disputed: bool
    purchase: PastPurchaseShape | None
    intent: str | None
    invoice: str | None
    created_at: Moment
    paid_at: Moment | None


class PastOrderLineShape(BaseModel):
    """A line of an order, for the price of when it was made."""

    product: str
    size: str
    quantity: int
    unit_amount: int
    returned: int


class PastOrderShape(BaseModel):
    """An order of a customer's, whatever became of it."""

    id: UUID
    order_number: str | None
    status: str
    email: str | None
    items: list[PastOrderLineShape]
    amount: int
    currency: str | None
    created_at: Moment
    paid_at: Moment | None
    fulfilled_at: Moment | None


class PastSubscriptionShape(BaseModel):
    """A plan that a customer has, or had."""

    id: str
    plan: str | None
    status: str
    period: PeriodShape
    cancel_at: Moment | None
    trial_ends_at: Moment | None
    ended_at: Moment | None
    created_at: Moment


class ExportShape(BaseModel):
    """Everything that is kept about a customer, as of one moment."""

    exported_at: Moment
    customer: CustomerShape
    accounts: list[PastAccountShape]
    payments: list[PastPaymentShape]
    orders: list[PastOrderShape]
    subscriptions: list[PastSubscriptionShape]
    complete: Literal[True]
