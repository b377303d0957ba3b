"""What the library answers: frozen values with exact decimals and times in UTC."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct as Value

from comptoir.ledger.model import HoldState, Kind


class Balance(Value, frozen=True, gc=False):
    """What somebody has of one asset, as of `version`.

    Attributes:
        owner: the customer's own id, or the name of a stock account; None once erased.
        asset: the code of the asset.
        balance: the settled balance. held: what open holds set aside of it.
        available: what may be spent or held now: balance less held.
        debt: what is owed and repaid by the next grant.
        low: less is available than `low_threshold`, a fifth of the balance after the last grant.
        version: the number of journal lines.
        updated_at: the time of the last one; None when there is none.
    """

    owner: str | None
    asset: str
    balance: Decimal
    held: Decimal
    available: Decimal
    debt: Decimal
    low: bool
    low_threshold: Decimal
    version: int
    updated_at: datetime | None


class Movement(Value, frozen=True, gc=False):
    """One line of the journal; `amount` is signed, `seq` is its number within the account."""

    id: str
    seq: int
    kind: Kind
    amount: Decimal
    before: Decimal
    after: Decimal
    reason: str | None
    reference: str | None
    at: datetime


class Hold(Value, frozen=True, gc=False):
    """A hold.

    Attributes:
        group: the first hold of its atomic batch, when that had several.
        expires_at: when it frees itself; None for one that something else ends.
    """

    id: str
    asset: str
    owner: str | None
    amount: Decimal
    captured: Decimal
    state: HoldState
    expires_at: datetime | None
    group: str | None


class Moved(Value, frozen=True, gc=False):
    """The movement that a request made, and the balance right after it.

    Attributes:
        replayed: it was made by an earlier request with the same idempotency key.
    """

    movement: Movement
    balance: Balance
    replayed: bool


class Captured(Moved, frozen=True, gc=False):
    """The same for a capture; `late` says that the hold had expired before."""

    late: bool


class Transferred(Value, frozen=True, gc=False):
    """The movement on the giving side, and the balances of both sides after it."""

    movement: Movement
    source: Balance
    target: Balance
    replayed: bool


class HoldMade(Value, frozen=True, gc=False):
    """A hold as a request left it, and the balance right after."""

    hold: Hold
    balance: Balance
    replayed: bool


class Lot(Value, frozen=True, gc=False):
    """A part of a balance with one origin; `pinned` is what open holds set aside of `left`."""

    id: str
    source: str
    granted: Decimal
    left: Decimal
    pinned: Decimal
    priority: int
    expires_at: datetime | None
    reference: str | None


class Price(Value, frozen=True, gc=False):
    """What an action costs, and what it costs the seller in the major unit of money."""

    action: str
    asset: str
    amount: Decimal
    real_cost: Decimal | None
    version: int
    created_at: datetime


class Customer(Value, frozen=True, gc=False):
    """A customer with his personal fields."""

    customer: str
    time_zone: str
    locale: str
    email: str | None
    name: str | None
    metadata: dict[str, str]
    created_at: datetime
    plan: str


class ExplainedLot(Lot, frozen=True, gc=False):
    """An open lot, with the movement that made it; its texts are None once erased."""

    reason: str | None
    movement: str
    at: datetime


class ExplainedHold(Value, frozen=True, gc=False):
    """An open hold; `movement` opened it at `at`."""

    id: str
    amount: Decimal
    captured: Decimal
    expires_at: datetime | None
    reason: str | None
    reference: str | None
    movement: str
    at: datetime


class LotPart(Value, frozen=True, gc=False):
    """A lot that a movement changed by `amount`, with the movement that made the lot."""

    lot: str
    source: str
    amount: Decimal
    reason: str | None
    reference: str | None
    movement: str
    at: datetime


class ExplainedMovement(Movement, frozen=True, gc=False):
    """A movement in words, and what it names.

    Attributes:
        text: a sentence in the language that was asked for.
        held, debt: what was set aside and owed after it.
        request: the verb; None for an expiry, which nobody asked for.
        action, model: of the price book, and what did the work.
        other: the other side of a transfer; None once erased.
        hold: the hold that it is about. late: a capture after the hold's expiry.
        reverses: the movement that it undid.
        lots: what it changed; at most 50. lots_left_out: how many more.
    """

    text: str
    held: Decimal
    debt: Decimal
    request: str | None
    action: str | None
    model: str | None
    other: str | None
    hold: str | None
    late: bool
    reverses: str | None
    lots: tuple[LotPart, ...]
    lots_left_out: int


class Explanation(Value, frozen=True, gc=False):
    """A balance as it was at a moment, and what makes it.

    Attributes:
        at: the moment; what happened at that very moment is counted.
        lots: the open lots in burning order.
        holds: the open holds, the oldest first, at most 1,000. holds_left_out: how many more.
        movements: the newest first; their amounts lead from `opening` to `closing`.
        more: there are older ones: ask again with `before` the last one's `seq`, and this `at`.
    """

    at: datetime
    balance: Balance
    lots: tuple[ExplainedLot, ...]
    holds: tuple[ExplainedHold, ...]
    holds_left_out: int
    movements: tuple[ExplainedMovement, ...]
    opening: Decimal
    closing: Decimal
    more: bool


class PastLot(Lot, frozen=True, gc=False):
    """A lot, used up or not; `paid` and `tax` in minor units of `currency`, None if not bought."""

    paid: int
    tax: int
    currency: str | None


class PastHold(Hold, frozen=True, gc=False):
    """A hold, ended or not, as it is written: time alone may have ended it since."""

    on_excess: str
    opened_at: datetime


class PastMovement(Movement, frozen=True, gc=False):
    """A movement with everything that was written down about it.

    Attributes:
        metadata: what the request carried.
        held, debt: the account's after it.
        hold: the hold that it is about. reverses: the movement that it undoes.
        action, quantity: of the price book. model, cost: what did the work, in the major unit.
    """

    metadata: dict[str, str] | None
    held: Decimal
    debt: Decimal
    hold: str | None
    reverses: str | None
    action: str | None
    quantity: int | None
    model: str | None
    cost: Decimal | None


class PastAccount(Value, frozen=True, gc=False):
    """One account of a customer from its beginning; everything is oldest first."""

    balance: Balance
    lots: tuple[PastLot, ...]
    holds: tuple[PastHold, ...]
    movements: tuple[PastMovement, ...]


class PortalLink(Value, frozen=True, gc=False):
    """A link that opens a customer's own pages, once.

    Attributes:
        url: to be shown to him alone.
        expires_at: until when it opens them.
    """

    url: str
    expires_at: datetime


class Erased(Value, frozen=True, gc=False):
    """What an erasure did.

    Attributes:
        at: when.
        movements: lines of the journal that stay, without a name.
        notes: texts that are gone.
        left: what the anonymous accounts hold, by the asset's code.
        replayed: it was done before, under the same key.
    """

    at: datetime
    movements: int
    notes: int
    left: dict[str, Decimal]
    replayed: bool
