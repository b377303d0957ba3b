"""Plans that are subscribed to: their prices, what they give each period, what became of them.

No I/O.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

FREE: Final = "free"
PERIODS: Final = ("month", "year")
MONTHS: Final = {"month": 1, "year": 12}
"""What an allowance is multiplied by: it is said of a month."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LIVING: Final = frozenset({"active", "trialing", "past_due"})
_GONE: Final = frozenset({"canceled", "incomplete_expired"})
_RANK: Final = {
    "active": 0,
    "trialing": 0,
    "past_due": 1,
    "unpaid": 2,
    "paused": 2,
    "incomplete": 3,
}


@dataclass(frozen=True, slots=True)
class PlanPrice:
    """What a plan costs a period, in minor units."""

    plan: str
    period: str
    version: int
    amount: int
    currency: str
    tax_percent: Decimal | None
    tax_included: bool
    active: bool

    @property
    def item(self) -> str:
        """What it is called among all that is sold."""
        return f"plan:{self.plan}:{self.period}"

    @property
    def terms(self) -> tuple[object, ...]:
        """All that makes another version of it."""
        return self.amount, self.currency, self.tax_percent, self.tax_included, self.active


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a plan gives each month, in the asset's smallest unit.

    Attributes:
        rollover: what of it may be carried over into the next period at most.
    """

    plan: str
    asset: int
    version: int
    amount: int
    rollover: int


@dataclass(frozen=True, slots=True)
class ProviderPrice:
    """A price as the provider knows it."""

    price: str
    item: str
    amount: int
    currency: str
    product: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Given:
    """An allowance that an invoice has given."""

    invoice: str
    account: int
    version: int
    amount: int
    rollover: int
    expires_at: int
    carried: int | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A plan that somebody has subscribed to, as the provider last told us. Times in microseconds.

    Attributes:
        plan: None when nobody knows the price.
        told_at: when the provider was asked.
    """

    book: int
    provider_id: str
    customer: int
    livemode: bool
    plan: str | None
    period: str | None
    price: str
    status: str
    starts_at: int | None
    ends_at: int | None
    cancel_at: int | None
    trial_ends_at: int | None
    ended_at: int | None
    told_at: int
    created_at: int

    @property
    def lives(self) -> bool:
        """Whether it gives its plan: also while a failed payment is tried again."""
        return self.status in _LIVING

    @property
    def is_over(self) -> bool:
        """Whether nothing will become of it any more."""
        return self.status in _GONE


def in_force(subscriptions: Sequence[Subscription]) -> Subscription | None:
    """The subscription that counts, of several: a living one first, then the newest."""
    found = [each for each in subscriptions if not each.is_over]
    if not found:
        return None
    return min(found, key=lambda each: (_RANK.get(each.status, 3), -each.created_at))


def plan_of(subscriptions: Sequence[Subscription]) -> str | None:
    """The plan that a customer has by his subscriptions: None when only a human can tell."""
    living = [each for each in subscriptions if each.lives]
    if not living:
        return FREE
    newest = max(living, key=lambda each: each.created_at)
    return newest.plan


@dataclass(frozen=True, slots=True)
class Part:
    """A line of an invoice about a plan: for which part of its period, and in which direction."""

    plan: str
    period: str
    starts_at: int
    ends_at: int
    is_proration: bool
    is_credit: bool


def period_ending(ends: int, period: str, known: Sequence[int]) -> int:
    """How long a period is that ends then, by the calendar; all times in microseconds.

    Args:
        ends: its end.
        period: month or year.
        known: ends of other periods of the subscription. One on the 31st tells that a period which
            ends on the 28th of February began on the 31st of January.
    """
    end = _moment(ends)
    anchor = end.day
    if end.day == monthrange(end.year, end.month)[1]:
        anchor = max(end.day, *[_moment(each).day for each in known])
    year, month = divmod(end.year * 12 + end.month - 1 - MONTHS.get(period, 1), 12)
    day = min(anchor, monthrange(year, month + 1)[1])
    return (end - end.replace(year=year, month=month + 1, day=day)) // timedelta(microseconds=1)


def _moment(at: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at)


def allowed(allowance: int, part: Part, whole: int) -> int:
    """What a line of an invoice gives of a monthly allowance, rounded down.

    Args:
        allowance: what the plan gives a month.
        part: the line.
        whole: the length of the plan's whole period, in microseconds.
    """
    full = allowance * MONTHS.get(part.period, 1)
    if not part.is_proration or whole <= 0:
        return full
    given = full * min(part.ends_at - part.starts_at, whole) // whole
    return -given if part.is_credit else given
