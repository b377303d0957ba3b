"""What explains a balance: its figures at a moment, and the lots, holds and movements behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from comptoir.domains.credits.model import Balance
from comptoir.ledger.model import Held, Kind, Line, Lot


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a lot comes from: the movement that made it.

    Attributes:
        version, at: of that movement. reason, reference: its own; None once erased.
        expires_at: when the lot expires.
    """

    no: int
    source: str
    expires_at: int | None
    version: int
    at: int
    reason: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a hold is for, as whoever opened it said."""

    amount: int
    version: int
    at: int
    reason: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Undone:
    """The movement that a reversal undid."""

    version: int
    kind: Kind
    amount: int
    at: int
    reason: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the request that made a movement said.

    Attributes:
        op: the verb; None for an expiry, which nobody asked for.
        action, quantity: the entry of the price book that set the amount, and how often.
        late: the capture came after the hold's expiry.
        expires_at: until when a hold was opened or renewed.
        other: whose the other account is; None when it is open, or its owner was erased.
        has_other: the other account is somebody's.
    """

    reason: str | None = None
    reference: str | None = None
    action: str | None = None
    quantity: int = 1
    model: str | None = None
    op: str | None = None
    late: bool = False
    expires_at: int | None = None
    other: str | None = None
    has_other: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One movement with all that explains it.

    Attributes:
        held_before, debt_before: the account's figures before the line.
        lots: the lots that it changed, and by how much; at most LOTS_TOLD of them.
        hold: the hold that it is about, by its id in the line.
    """

    line: Line
    held_before: int
    debt_before: int
    asked: Asked
    lots: Sequence[tuple[Origin, int]]
    hold: Purpose | None
    undone: Undone | None

    @property
    def before(self) -> int:
        """The posted balance before the movement."""
        return self.line.posted - self.line.amount

    @property
    def freed(self) -> int:
        """What the movement gave back of what was held, or set aside when negative."""
        return self.held_before - self.line.held


@dataclass(frozen=True, slots=True)
class Explanation:
    """A balance as it was at a moment, and what makes it.

    Attributes:
        at: the moment, in microseconds; what happened at it is counted.
        zone: the name of the customer's time zone, in which days are told.
        lots: the open lots in burning order, each with its origin.
        holds: the open holds, the oldest first, at most HOLDS_TOLD of them.
        holds_left_out: how many more there are.
        movements: the newest first. Their amounts lead from `opening` to `closing`.
        more: there are older ones.
    """

    at: int
    zone: str
    balance: Balance
    lots: Sequence[tuple[Lot, Origin]]
    holds: Sequence[tuple[Held, Purpose]]
    holds_left_out: int
    movements: Sequence[Told]
    more: bool

    @property
    def closing(self) -> int:
        """The balance after the newest of the movements."""
        return self.movements[0].line.posted if self.movements else self.balance.posted

    @property
    def opening(self) -> int:
        """The balance before the oldest of the movements."""
        return self.movements[-1].before if self.movements else self.balance.posted
