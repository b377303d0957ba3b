"""The slice of a book that some requests may touch: loaded before, changed by apply, written after.

Every class here is changed in place by `apply` alone, within one task.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from comptoir.ledger.outcomes import Outcome


class Kind(StrEnum):
    """What a line of the journal is about."""

    GRANT = "grant"
    PURCHASE = "purchase"
    SPEND = "spend"
    CAPTURE = "capture"
    TRANSFER = "transfer"
    REFUND = "refund"
    EXPIRY = "expiry"
    REVERSAL = "reversal"
    ADJUSTMENT = "adjustment"
    ALLOWANCE = "allowance"
    HOLD = "hold"
    RELEASE = "release"
    RENEWAL = "renewal"
    HOLD_EXPIRY = "hold_expiry"


class HoldState(StrEnum):
    """The lifecycle of a hold. An expired hold may still be captured: late, never lost."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


class Level(IntEnum):
    """How full an account is, compared with what it had after its last grant."""

    NORMAL = 0
    LOW = 1
    """Less than a fifth is left."""
    EMPTY = 2


@dataclass(frozen=True, slots=True)
class Note:
    """Free text about a movement. It lives apart from the journal, where it can be erased."""

    reason: str | None = None
    reference: str | None = None
    metadata: str | None = None
    """A JSON object in canonical form."""


@dataclass(frozen=True, slots=True)
class Memo:
    """What a movement cost its seller: memo figures, never a balance."""

    price: int | None = None
    """The row of the price book that set the amount."""
    quantity: int = 1
    model: str | None = None
    cost: int | None = None
    """The provider's cost in billionths of the major unit."""


@dataclass(slots=True)
class Lot:
    """A part of a balance with one origin.

    Attributes:
        no: the lot's number within its account, from 1.
        granted: all that was ever put into it, in the asset's smallest unit.
        left: what is not yet spent, pinned or not.
        pinned: what open holds set aside of `left`.
        plain: nobody paid for it and nothing refers to it, so that equal ones may be merged.
        lapsed: its expiry has passed and only pinned credits are left in it.
        stored: the row exists in the database.
        changed: the row must be written.
    """

    no: int
    source: str
    priority: int
    expires_at: int | None
    granted: int
    left: int
    pinned: int = 0
    plain: bool = True
    lapsed: bool = False
    paid: int = 0
    tax: int = 0
    currency: str | None = None
    version: int = 0
    stored: bool = True
    changed: bool = False

    @property
    def free(self) -> int:
        """What may be spent or held now."""
        return self.left - self.pinned

    @property
    def rank(self) -> tuple[int, float, int]:
        """Spending burns the lowest rank first: priority, then earliest expiry, then age."""
        expiry = float("inf") if self.expires_at is None else self.expires_at
        return (self.priority, expiry, self.no)


@dataclass(slots=True)
class Held:
    """A hold: an amount set aside, with the lots that it pins.

    Attributes:
        pins: for each pinned lot, its number and the amount pinned in it, in burning order.
        group: the id of the first hold of its chain, when the chain had more than one.
        opened: the version of the account that the hold's own line has.
        closed: the version of the line that ended it.
        first: the pins as they were when it was made; None when nobody asked for them.
    """

    id: bytes
    account: int
    contra: int
    amount: int
    captured: int = 0
    state: HoldState = HoldState.OPEN
    on_excess: str = "refuse"
    expires_at: int | None = None
    group: bytes | None = None
    pins: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    opened: int = 0
    closed: int | None = None
    at: int = 0
    stored: bool = True
    changed: bool = False
    first: list[tuple[int, int]] | None = field(default=None, compare=False)

    @property
    def remaining(self) -> int:
        """What is not captured yet."""
        return self.amount - self.captured


@dataclass(slots=True)
class Account:
    """The holder of one asset.

    Attributes:
        floor: the lowest available amount that a spend may leave, at most 0.
        posted: the settled balance; negative only by debt or within the floor.
        held: what open holds set aside.
        debt: what is owed: `posted` is what the open lots have left, less this.
        filled: the balance right after the last grant; "low" is a fifth of it.
        version: the number of lines that the journal has for this account.
        next_expiry: the earliest expiry among its open holds and open lots.
        at: the time of its last line; no later line is ever older.
        anonymous: its customer was erased: no request can name it, and none leaves a note.
        level: how full it was at its last line; it takes a twentieth more to be fuller again.
        low_at: it is low when no more than this is available, as whoever sells it has said; None
            when "low" is a share of the last fill.
        lots: open lots in burning order; perhaps only the prefix that the requests can reach.
        due: its open holds whose expiry has passed, until they are settled.
        settled: nothing that was due by then is left to be written.
        stale_expiry: `next_expiry` must be computed anew by the database.
    """

    id: int
    asset: int
    posted: int = 0
    held: int = 0
    debt: int = 0
    floor: int = 0
    filled: int = 0
    version: int = 0
    lots_made: int = 0
    open_lots: int = 0
    next_expiry: int | None = None
    at: int = 0
    anonymous: bool = False
    level: Level = Level.NORMAL
    low_at: int | None = None
    lots: list[Lot] = field(default_factory=list[Lot])
    due: list[Held] = field(default_factory=list[Held])
    settled: int = -1
    stale_expiry: bool = False
    changed: bool = False

    @property
    def available(self) -> int:
        """What may be spent or held now."""
        return self.posted - self.held

    def affords(self, amount: int) -> bool:
        """Whether `amount` can go without passing the floor."""
        return self.posted - self.held - amount >= self.floor


@dataclass(slots=True)
class Line:
    """One immutable line of the journal: the movement of one bounded account.

    Attributes:
        amount: what was added to the posted balance; 0 for lines that only hold or release.
        posted, held, debt, filled: the account's figures after the line.
        contra: the other account; when it is bounded too, it has a mirrored line of its own.
        request: the id of the request; None for an expiry, which nobody asked for.
        lots, parts: the lots that the line changed and by how much. The parts sum to `amount`
            plus the change of `debt`.
        hold: the hold that the line is about.
        reverses: the version that this line undoes: whole, or a part of it when it is a refund.
    """

    account: int
    version: int
    contra: int
    amount: int
    posted: int
    held: int
    debt: int
    filled: int
    kind: Kind
    at: int
    request: bytes | None
    lots: list[int]
    parts: list[int]
    hold: bytes | None = None
    reverses: int | None = None
    note: Note | None = None
    memo: Memo | None = None


@dataclass(slots=True)
class Answer:
    """What became of one request, with the figures that an answer shows.

    Attributes:
        replayed: the figures are those stored when the request was first decided.
        line: the movement that the request made.
        mirror: the line of the other side, when that is bounded too.
        hold: the hold after the request, for verbs on holds.
        amount, expires_at, captured: the hold's figures at that moment, which a replay repeats.
        late: the capture came after the hold's expiry.
        needed, available: for a refusal, what was asked and what there was.
        field: for EXISTS_DIFFERENT, the field that differs.
    """

    id: bytes
    mark: bytes
    op: str
    outcome: Outcome
    account: int | None = None
    at: int = 0
    line: Line | None = None
    mirror: Line | None = None
    hold: bytes | None = None
    amount: int | None = None
    expires_at: int | None = None
    captured: int | None = None
    late: bool = False
    needed: int | None = None
    available: int | None = None
    field: str | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """An account became low, or empty, by a line of the journal."""

    account: int
    version: int
    level: Level


@dataclass(slots=True)
class Target:
    """A movement that a reversal names.

    Attributes:
        lots: the lots that it changed, open or not, by number.
        reversed: a reversal has undone it.
        taken: the lines that took something of it back, as far as they stand themselves.
    """

    line: Line
    lots: dict[int, Lot]
    reversed: bool
    taken: list[Line] = field(default_factory=list[Line])

    @property
    def left(self) -> int:
        """What is not taken back of what it gave."""
        return self.line.amount + sum(line.amount for line in self.taken)


@dataclass(slots=True)
class Book:
    """Everything that some requests may touch.

    Attributes:
        accounts: the bounded accounts, by id.
        assets: the asset of each open account.
        breakage: for each asset, the open account to which expired amounts go.
        holds: the holds that requests name, their groups, and those that are due.
        groups: the members of each loaded group, in any order.
        known: the stored answers of ids that were seen before.
        targets: the movements that reversals name, by account and version.
        lines: what apply adds to the journal.
        answers: what apply wants stored.
        signals: which accounts became low or empty.
        dirty_accounts, dirty_lots, dirty_holds: what apply has changed; lots with their account.
        undo: how to take back the changes of the chain under way; None outside of one.
    """

    accounts: dict[int, Account] = field(default_factory=dict[int, Account])
    assets: dict[int, int] = field(default_factory=dict[int, int])
    breakage: dict[int, int] = field(default_factory=dict[int, int])
    holds: dict[bytes, Held] = field(default_factory=dict[bytes, Held])
    groups: dict[bytes, list[Held]] = field(default_factory=dict[bytes, list[Held]])
    known: dict[bytes, Answer] = field(default_factory=dict[bytes, Answer])
    targets: dict[tuple[int, int], Target] = field(default_factory=dict[tuple[int, int], Target])
    lines: list[Line] = field(default_factory=list[Line])
    answers: list[Answer] = field(default_factory=list[Answer])
    signals: list[Signal] = field(default_factory=list[Signal])
    dirty_accounts: list[Account] = field(default_factory=list[Account])
    dirty_lots: list[tuple[int, Lot]] = field(default_factory=list[tuple[int, Lot]])
    dirty_holds: list[Held] = field(default_factory=list[Held])
    undo: list[Callable[[], None]] | None = None
