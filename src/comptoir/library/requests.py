"""What may be asked of the ledger, as values: for the verbs, and for batches of them.

Amounts are exact: an `int`, a `Decimal`, or a decimal text; never a float. `customer` is the
caller's own id of a customer, or the name of a stock account such as `stock:TEE:M`.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct as Value

Amount = int | Decimal | str
OnExcess = Literal["refuse", "cap", "debt"]
IfSpent = Literal["refuse", "debt"]


class _Asked(Value, frozen=True, kw_only=True, gc=False):
    idempotency_key: str
    reason: str | None = None
    reference: str | None = None
    metadata: Mapping[str, str] | None = None


class Grant(_Asked, frozen=True, kw_only=True, gc=False):
    """Give, as a new lot. It is burnt before lots of a higher `priority` (default 50)."""

    customer: str
    amount: Amount
    asset: str | None = None
    expires_at: datetime | None = None
    priority: int | None = None


class Spend(_Asked, frozen=True, kw_only=True, gc=False):
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


class Hold(_Asked, frozen=True, kw_only=True, gc=False):
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


class Capture(_Asked, frozen=True, kw_only=True, gc=False):
    """Take what was set aside, all of it by default; the rest is freed unless not `final`."""

    hold: str
    amount: Amount | None = None
    final: bool = True
    model: str | None = None
    cost: Decimal | str | None = None


class Release(_Asked, frozen=True, kw_only=True, gc=False):
    """Give back what was set aside."""

    hold: str


class Renew(_Asked, frozen=True, kw_only=True, gc=False):
    """Keep it aside for `ttl_seconds` from now."""

    hold: str
    ttl_seconds: int


class Reverse(_Asked, frozen=True, kw_only=True, gc=False):
    """Undo a movement by a new one; `if_spent` says what to do about credits that are gone."""

    movement: str
    if_spent: IfSpent = "refuse"


class Transfer(_Asked, frozen=True, kw_only=True, gc=False):
    """Move from one customer to another, or between stock accounts."""

    source: str
    target: str
    amount: Amount
    asset: str | None = None


Request = Grant | Spend | Hold | Capture | Release | Renew | Reverse | Transfer
Batchable = Grant | Spend | Hold | Capture | Release | Transfer
"""What a batch may carry, as over HTTP."""
