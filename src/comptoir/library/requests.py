"""What may be asked of the ledger, as values: for the verbs, and for batches of them.

Amounts are exact: an `int`, a `Decimal`, or a decimal text; never a float. `customer` is the
caller's own id of a customer, or the name of a stock account such as `stock:TEE:M`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

Amount = int | Decimal | str
OnExcess = Literal["refuse", "cap", "debt"]
IfSpent = Literal["refuse", "debt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    idempotency_key: str
    reason: str | None = None
    reference: str | None = None
    metadata: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(_Asked):
    """Give, as a new lot. It is burnt before lots of a higher `priority` (default 50)."""

    customer: str
    amount: Amount
    asset: str | None = None
    expires_at: datetime | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend(_Asked):
    """Take for good: an amount, or what an action of the price book costs.

    Attributes:
        model, cost: what the provider was, and what he charges in the major unit of money.
    """

    customer: str
    amount: Amount | None = None
    action: str | None = None
    quantity: int | None = None
    asset: str | None = None
    model: str | None = None
    cost: Decimal | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(_Asked):
    """Set aside for `ttl_seconds`: an amount, or what an action of the price book costs.

    Attributes:
        on_excess: what a capture of more than was set aside does: it is refused, takes what is
            available at most, or leaves a debt that the next grant repays.
    """

    customer: str
    ttl_seconds: int
    amount: Amount | None = None
    action: str | None = None
    quantity: int | None = None
    on_excess: OnExcess = "refuse"
    asset: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture(_Asked):
    """Take what was set aside, all of it by default; the rest is freed unless not `final`."""

    hold: str
    amount: Amount | None = None
    final: bool = True
    model: str | None = None
    cost: Decimal | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(_Asked):
    """Give back what was set aside."""

    hold: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew(_Asked):
    """Keep it aside for `ttl_seconds` from now."""

    hold: str
    ttl_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse(_Asked):
    """Undo a movement by a new one; `if_spent` says what to do about credits that are gone."""

    movement: str
    if_spent: IfSpent = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(_Asked):
    """Move from one customer to another, or between stock accounts."""

    source: str
    target: str
    amount: Amount
    asset: str | None = None


Request = Grant | Spend | Hold | Capture | Release | Renew | Reverse | Transfer
Batchable = Grant | Spend | Hold | Capture | Release | Transfer
"""What a batch may carry, as over HTTP."""
