"""What objects of Stripe say, in either generation of their shapes.

An event is written in the version of its endpoint, which is not that of the SDK. What has moved
with 2025-03-31.basil: where a subscription keeps its period, and where an invoice names its
subscription, its intent, its prices and whether a line is a proration. Values that nobody foresaw
pass as texts: enums are open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

Object = Mapping[str, Any]

SECOND: Final = 1_000_000
_LATEST: Final = 2**52
_BOOK_DIGITS: Final = 9
_NUL: Final = "\0"
"""No text of the database can have it."""

BOOK: Final = "comptoir_book"
PAYMENT: Final = "comptoir_payment"
CUSTOMER: Final = "comptoir_customer"
REFUND: Final = "comptoir_refund"
STATEMENT: Final = "comptoir_statement"


class Unreadable(Exception):
    """An object lacks what every object of its kind has."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event.

    Attributes:
        at: microseconds since 1970.
        of: the object that it is about.
        version: of the API, in whose shapes it is written.
    """

    id: str
    type: str
    at: int
    livemode: bool
    of: Object
    version: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """A PaymentIntent."""

    id: str
    status: str
    amount: int
    received: int
    currency: str
    livemode: bool
    metadata: Mapping[str, str]
    error: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """A Checkout Session."""

    id: str
    mode: str
    status: str
    payment_status: str
    subtotal: int
    total: int
    tax: int
    currency: str
    livemode: bool
    intent: str | None
    subscription: str | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that goes back."""

    id: str
    intent: str | None
    amount: int
    currency: str
    status: str
    reason: str | None
    metadata: Mapping[str, str]
    at: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payment that a customer's bank has taken back."""

    id: str
    intent: str | None
    amount: int
    status: str
    reason: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription. Times are in microseconds; `cancel_at` is when it ends, if it is to."""

    id: str
    customer: str
    status: str
    price: str
    starts_at: int | None
    ends_at: int | None
    cancel_at: int | None
    trial_ends_at: int | None
    ended_at: int | None
    created_at: int
    livemode: bool
    metadata: Mapping[str, str]
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice; `amount` is without a tax that is added."""

    price: str | None
    amount: int
    starts_at: int
    ends_at: int
    is_proration: bool
    tax: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice. `intent` is what older versions say; newer ones have invoice payments."""

    id: str
    customer: str
    subscription: str | None
    status: str
    reason: str
    amount_paid: int
    currency: str
    livemode: bool
    paid_at: int
    intent: str | None
    lines: Sequence[Line]
    has_more: bool
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_prorated(self) -> bool:
        """Whether any line is for a part of a period."""
        return any(line.is_proration for line in self.lines)


@dataclass(frozen=True, slots=True)
class Unpaid:
    """A try to collect an invoice: its number, what was due, and when the next one is, if any."""

    attempt: int
    due: int
    next_at: int | None


@dataclass(frozen=True, slots=True)
class InvoicePayment:
    """What pays an invoice, or a part of it."""

    invoice: str
    intent: str | None
    status: str
    amount: int
    currency: str
    livemode: bool


def event(of: Object) -> Told:
    """An event.

    Raises:
        Unreadable: it is none.
    """
    content = _part(of, "data")
    about = _part(content, "object")
    if not about:
        raise Unreadable("event")
    at = _whole(of, "created") * SECOND
    if not 0 <= at <= _LATEST:
        raise Unreadable("created")
    version = str(of.get("api_version") or "")
    return Told(_text(of, "id"), _text(of, "type"), at, _truth(of, "livemode"), about, version)


def object_of(told: Told) -> str:
    """The thing whose events go one after the other: a payment, a subscription, or the object."""
    of = told.of
    kind = of.get("object")
    if kind == "payment_intent":
        return _text(of, "id")
    if kind == "subscription":
        return _text(of, "id")
    if kind == "invoice":
        return _subscription_of(of) or _text(of, "id")
    if kind == "invoice_payment":
        return name(of.get("invoice")) or _text(of, "id")
    found = name(of.get("payment_intent")) or name(of.get("subscription"))
    return found or name(of.get("charge")) or name(of) or told.id


def book_of(told: Told) -> int | None:
    """The book that an object belongs to, as far as it says so itself."""
    said = _metadata(told.of).get(BOOK) or _parent(told.of)[1].get(BOOK, "")
    is_number = said.isascii() and said.isdigit() and len(said) <= _BOOK_DIGITS
    return int(said) if is_number else None


def intent(of: Object) -> Intent:
    """A PaymentIntent."""
    error = _part(of, "last_payment_error")
    return Intent(
        _text(of, "id"),
        _text(of, "status"),
        _whole(of, "amount"),
        _whole(of, "amount_received", 0),
        _text(of, "currency"),
        _truth(of, "livemode"),
        _metadata(of),
        name(error.get("code")),
    )


def session(of: Object) -> Session:
    """A Checkout Session."""
    totals = _part(of, "total_details")
    return Session(
        _text(of, "id"),
        _text(of, "mode"),
        str(of.get("status") or ""),
        str(of.get("payment_status") or ""),
        _whole(of, "amount_subtotal", 0),
        _whole(of, "amount_total", 0),
        _whole(totals, "amount_tax", 0),
        str(of.get("currency") or ""),
        _truth(of, "livemode"),
        name(of.get("payment_intent")),
        name(of.get("subscription")),
        _metadata(of),
    )


def refund(of: Object) -> Refund:
    """A refund."""
    return Refund(
        _text(of, "id"),
        name(of.get("payment_intent")),
        _whole(of, "amount"),
        _text(of, "currency"),
        str(of.get("status") or "pending"),
        name(of.get("reason")),
        _metadata(of),
        _whole(of, "created") * SECOND,
    )


def dispute(of: Object) -> Dispute:
    """A dispute."""
    return Dispute(
        _text(of, "id"),
        name(of.get("payment_intent")),
        _whole(of, "amount"),
        _text(of, "status"),
        name(of.get("reason")),
        _whole(of, "created") * SECOND,
    )


def subscription(of: Object) -> Subscription:
    """A subscription: its period is that of its first item, or its own in older versions."""
    items = _list(_part(of, "items"))
    if not items:
        raise Unreadable("subscription without items")
    first = items[0]
    ends = _moment(first, "current_period_end") or _moment(of, "current_period_end")
    cancel_at = _moment(of, "cancel_at")
    if cancel_at is None and of.get("cancel_at_period_end"):
        cancel_at = ends
    price = name(first.get("price")) or name(first.get("plan"))
    return Subscription(
        _text(of, "id"),
        name(of.get("customer")) or "",
        _text(of, "status"),
        price or "",
        _moment(first, "current_period_start") or _moment(of, "current_period_start"),
        ends,
        cancel_at,
        _moment(of, "trial_end"),
        _moment(of, "ended_at"),
        _whole(of, "created") * SECOND,
        _truth(of, "livemode"),
        _metadata(of),
        bool(_part(of, "pause_collection")),
    )


def invoice(of: Object) -> Invoice:
    """An invoice."""
    transitions = _part(of, "status_transitions")
    paid_at = transitions.get("paid_at") or of.get("created") or 0
    lines = _part(of, "lines")
    return Invoice(
        _text(of, "id"),
        name(of.get("customer")) or "",
        _subscription_of(of),
        str(of.get("status") or ""),
        str(of.get("billing_reason") or ""),
        _whole(of, "amount_paid", 0),
        _text(of, "currency"),
        _truth(of, "livemode"),
        int(paid_at) * SECOND,
        name(of.get("payment_intent")) or _first_intent(of),
        [_line(each) for each in _list(lines)],
        bool(lines.get("has_more")),
        _parent(of)[1],
    )


def unpaid(of: Object) -> Unpaid:
    """What an invoice says that somebody has tried to collect."""
    return Unpaid(
        _whole(of, "attempt_count", 0),
        _whole(of, "amount_due", 0),
        _whole(of, "next_payment_attempt", 0) * SECOND or None,
    )


def invoice_payment(of: Object) -> InvoicePayment:
    """What pays an invoice."""
    return InvoicePayment(
        name(of.get("invoice")) or "",
        name(_part(of, "payment").get("payment_intent")),
        str(of.get("status") or ""),
        _whole(of, "amount_paid", 0),
        _text(of, "currency"),
        _truth(of, "livemode"),
    )


def name(value: object) -> str | None:
    """The id of what is named or written out in full; None for nothing."""
    found = cast("Object", value).get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) and found and _NUL not in found else None


def items(of: Object) -> list[Object]:
    """What a list has."""
    return _list(of)


def _line(of: Object) -> Line:
    details = _part(_part(of, "parent"), "subscription_item_details") or _part(
        _part(of, "parent"), "invoice_item_details"
    )
    price = name(_part(_part(of, "pricing"), "price_details").get("price")) or name(of.get("price"))
    period = _part(of, "period")
    taxes = _whole_list(of.get("taxes")) or _whole_list(of.get("tax_amounts"))
    return Line(
        price,
        _whole(of, "amount", 0),
        _whole(period, "start", 0) * SECOND,
        _whole(period, "end", 0) * SECOND,
        bool(details.get("proration") or of.get("proration")),
        sum(taxes),
    )


def _whole_list(value: object) -> list[int]:
    if not isinstance(value, list):
        return []
    found = cast("list[Object]", value)
    return [_whole(each, "amount", 0) for each in found]


def _subscription_of(of: Object) -> str | None:
    return name(of.get("subscription")) or _parent(of)[0]


def _parent(of: Object) -> tuple[str | None, Mapping[str, str]]:
    """The subscription of an invoice, and what was said when that began."""
    details = _part(_part(of, "parent"), "subscription_details") or _part(
        of, "subscription_details"
    )
    return name(details.get("subscription")), _metadata(details)


def _first_intent(of: Object) -> str | None:
    for each in _list(_part(of, "payments")):
        found = name(_part(each, "payment").get("payment_intent"))
        if found is not None:
            return found
    return None


def _metadata(of: Object) -> Mapping[str, str]:
    found = _part(of, "metadata")
    return {str(key): str(value) for key, value in found.items()}


def _part(of: Object, key: str) -> Object:
    found = of.get(key)
    return cast("Object", found) if isinstance(found, Mapping) else {}


def _list(of: Object) -> list[Object]:
    found = of.get("data")
    if not isinstance(found, list):
        return []
    return [cast("Object", each) for each in cast("list[object]", found) if isinstance(each, dict)]


def _text(of: Object, key: str) -> str:
    found = of.get(key)
    if not isinstance(found, str) or not found or _NUL in found:
        raise Unreadable(key)
    return found


def _whole(of: Object, key: str, otherwise: int | None = None) -> int:
    found = of.get(key)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    if otherwise is None:
        raise Unreadable(key)
    return otherwise


def _truth(of: Object, key: str) -> bool:
    return of.get(key) is True


def _moment(of: Object, key: str) -> int | None:
    found = of.get(key)
    if isinstance(found, int) and not isinstance(found, bool):
        return found * SECOND
    return None
