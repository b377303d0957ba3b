"""What callers ask of balances, and what they are shown. Amounts here are in the smallest unit."""

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from comptoir.ledger.levels import LOW_SHARE
from comptoir.ledger.model import HoldState, Kind
from comptoir.store.facts import Asset


class Op(StrEnum):
    """What may be asked of the ledger by name."""

    GRANT = "grant"
    SPEND = "spend"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    RENEW = "renew"
    REVERSE = "reverse"
    TRANSFER = "transfer"


class Ask(Struct, frozen=True, kw_only=True, gc=False):
    """A request as a caller wrote it, with its names not yet looked up.

    Not a dataclass: making a frozen one takes ten times as long, and every spend makes one.

    Attributes:
        op: what is asked.
        key: the idempotency key; for a customer token already scoped to its customer.
        customer, account: whose account: a customer's own id, or a name such as stock:TEE:M.
        asset: the code of the asset; None means credits, or stock for a stock account.
        amount: an exact decimal as text, or a whole number; None where the verb has a default.
        action, quantity: an entry of the price book in place of an amount.
        hold, movement: what the verb is about, as written outside.
        target: for a transfer, the other account: a customer's id or a stock account's name.
        ttl_seconds: a hold's lifetime.
        expires_at: when a grant expires, in microseconds since 1970.
        metadata: a JSON object in canonical form, of strings only.
    """

    op: Op
    key: str
    customer: str | None = None
    account: str | None = None
    asset: str | None = None
    amount: str | int | None = None
    action: str | None = None
    quantity: int | None = None
    hold: str | None = None
    movement: str | None = None
    target: str | None = None
    ttl_seconds: int | None = None
    on_excess: str | None = None
    final: bool = True
    if_spent: str | None = None
    expires_at: int | None = None
    priority: int | None = None
    reason: str | None = None
    reference: str | None = None
    model: str | None = None
    cost: str | None = None
    metadata: str | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What somebody has of one asset, as of `version`.

    Attributes:
        owner: the customer's own id, or the account's name; None once a customer was erased.
        posted: the settled balance. held: what open holds set aside of it.
        debt: what is owed and repaid by the next grant.
        filled: the balance right after the last grant.
        version: the number of journal lines; at: the time of the last one, in microseconds.
    """

    owner: str | None
    asset: Asset
    posted: int
    held: int
    debt: int
    filled: int
    version: int
    at: int

    @property
    def available(self) -> int:
        """What may be spent or held now."""
        return self.posted - self.held

    @property
    def low_threshold(self) -> int:
        """Below this the balance is low."""
        return self.filled // LOW_SHARE

    @property
    def low(self) -> bool:
        """Less than a fifth is left of what there was after the last grant."""
        return self.available < self.low_threshold


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the journal, as it is shown."""

    account: int
    version: int
    asset: Asset
    kind: Kind
    amount: int
    after: int
    at: int
    reason: str | None
    reference: str | None

    @property
    def before(self) -> int:
        """The posted balance before the movement."""
        return self.after - self.amount


@dataclass(frozen=True, slots=True)
class HoldView:
    """A hold, as it is shown."""

    id: bytes
    asset: Asset
    amount: int
    captured: int
    state: HoldState
    expires_at: int | None
    owner: str | None = None
    customer: int | None = None
    group: bytes | None = None


@dataclass(frozen=True, slots=True)
class LotView:
    """A lot, as it is shown."""

    account: int
    no: int
    asset: Asset
    source: str
    granted: int
    left: int
    pinned: int
    priority: int
    expires_at: int | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Price:
    """What an action costs.

    Attributes:
        amount: what the customer pays, in the asset's smallest unit.
        real_cost: what the seller pays, in billionths of the major unit.
    """

    id: int
    action: str
    version: int
    amount: int
    real_cost: int | None
    created_at: int
