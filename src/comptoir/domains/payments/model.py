"""What a payment is, what may become of it, and what of it is owed back. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

SOURCE: Final = "stripe"


class Purpose(StrEnum):
    """What a payment is for."""

    PACK = "pack"
    TOP_UP = "top-up"
    DIRECT = "direct"
    """What somebody asked us to collect, and knows by a reference of his own."""
    ORDER = "order"
    """Goods that are set aside: the order has the same id."""
    INVOICE = "invoice"
    """A subscription's: the provider collects it by himself."""


class Status(StrEnum):
    """What became of a payment."""

    NEW = "new"
    """Ours alone: the provider has not answered yet."""
    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    CANCELED = "canceled"
    EXPIRED = "expired"
    FAILED = "failed"
    """The provider would not have it."""


UNFINISHED: Final = frozenset({Status.NEW, Status.OPEN, Status.PROCESSING})
_LOST: Final = frozenset({"failed", "canceled"})
_OVER: Final = frozenset({"won", "warning_closed", "prevented"})
_GIVEN_UP: Final = "abandoned"
"""Of a refund that the provider has never heard of."""

_REFUND_RANK: Final = {
    "new": 0, _GIVEN_UP: 0, "pending": 1, "requires_action": 1, "succeeded": 2,
}  # fmt: skip
_DECIDED: Final = frozenset({"won", "lost", "warning_closed", "prevented"})
_LAST: Final = 3


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as it is kept. Money is in minor units.

    Attributes:
        amount: what is asked, without a tax that is added to it.
        received: what came, tax included; None until it is paid.
        tax: of what came.
        details: what was agreed when it was begun: see `flows.purchase`.
    """

    book: int
    id: UUID
    customer: int | None
    purpose: Purpose
    reference: str | None
    amount: int
    currency: str
    livemode: bool
    status: Status
    intent: str | None
    session: str | None
    invoice: str | None
    received: int | None
    tax: int
    details: Mapping[str, Any]
    error: str | None
    created_at: int
    paid_at: int | None

    @property
    def is_paid(self) -> bool:
        """Whether the money is here, whatever went back since."""
        return self.status is Status.PAID

    @property
    def adds_tax(self) -> bool:
        """Whether the provider adds a tax to the amount, which only its session says."""
        return bool(self.details.get("adds_tax"))


@dataclass(frozen=True, slots=True)
class Paid:
    """What a provider says has come.

    Attributes:
        subtotal: before a tax that was added; None when nobody says.
    """

    received: int
    currency: str
    livemode: bool
    tax: int = 0
    subtotal: int | None = None
    intent: str | None = None


LIVEMODE: Final = "livemode-differs"
FAULTS: Final = (LIVEMODE, "currency-differs", "amount-differs")
"""Why what came is not what was asked."""


def fault_of(payment: Payment, paid: Paid) -> str | None:
    """Why what came is not what was asked; None when it is. Nothing is granted for what differs."""
    if paid.livemode != payment.livemode:
        return LIVEMODE
    if paid.currency.lower() != payment.currency:
        return "currency-differs"
    asked = paid.subtotal if payment.adds_tax and paid.subtotal is not None else paid.received
    return "amount-differs" if asked != payment.amount else None


@dataclass(frozen=True, slots=True)
class Bought:
    """What a payment of a customer has bought.

    Attributes:
        credits: in the asset's smallest unit.
    """

    customer: int
    pack: str
    version: int
    asset: int
    credits: int
    granted_at: int | None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that goes back."""

    id: UUID
    payment: UUID
    provider_id: str | None
    amount: int
    status: str
    reason: str | None
    created_at: int

    @property
    def stands(self) -> bool:
        """Whether the money goes, or has gone."""
        return self.status not in _LOST and self.status != _GIVEN_UP


def gone(refunds: Sequence[Refund]) -> int:
    """What went back, and is not lost on the way."""
    return sum(each.amount for each in refunds if each.stands and each.status != "new")


@dataclass(frozen=True, slots=True)
class Dispute:
    """Money that a customer's bank has taken back, perhaps for a while."""

    provider_id: str
    payment: UUID
    amount: int
    status: str
    reason: str | None

    @property
    def stands(self) -> bool:
        """Whether the bank has the money. An inquiry leaves it where it is."""
        return self.status not in _OVER and not self.status.startswith("warning_")


def refund_status(before: str, told: str) -> str:
    """What a refund is now, in whatever order we are told: what is later in its life counts."""
    rank = _LAST if told in _LOST else _REFUND_RANK.get(told, 1)
    known = _LAST if before in _LOST else _REFUND_RANK.get(before, 1)
    return told if rank >= known else before


def dispute_status(before: str, told: str) -> str:
    """What a dispute is now: what was decided stays."""
    return before if before in _DECIDED else told


@dataclass(frozen=True, slots=True)
class Grant:
    """A lot that a payment has brought, by the line of the journal that brought it."""

    account: int
    version: int
    amount: int


@dataclass(frozen=True, slots=True)
class Taking:
    """What was taken back of a grant, and why.

    Attributes:
        cause: the provider's id of a refund or a dispute; REST for what is due once all is gone.
        amount: what had to be taken; `waived` of it was not.
        version: the line that took it; None when all was waived.
        ended: its cause is over: it was given back, if anything was taken.
    """

    no: int
    cause: str
    grant: tuple[int, int]
    amount: int
    waived: int
    version: int | None
    ended: bool


REST: Final = "rest"


@dataclass(frozen=True, slots=True)
class Balance:
    """What of a grant is to be taken back, and what has been.

    Attributes:
        end: takings whose cause is over.
        take: causes, with what is to be taken for each.
    """

    end: Sequence[Taking] = ()
    take: Sequence[tuple[str, int]] = ()


def balance(
    grant: Grant, received: int, causes: Sequence[tuple[str, int]], takings: Sequence[Taking]
) -> Balance:
    """What must happen for a grant to be what its payment still pays for.

    Each cause takes its share of the grant, rounded down, by itself, so that it does not matter in
    which order we hear of them. Once all of the money is gone what rounding has left is taken too.

    Args:
        grant: what the payment brought.
        received: what was paid for it.
        causes: refunds and disputes that stand, by the provider's ids, with the money that they
            took.
        takings: what was taken of this grant before.
    """
    standing = {taking.cause: taking for taking in takings if not taking.ended}
    wanted = shares(grant.amount, received, causes)
    end = [taking for cause, taking in standing.items() if wanted.get(cause, 0) != taking.amount]
    ended = {taking.cause for taking in end}
    take = [
        (cause, amount)
        for cause, amount in wanted.items()
        if amount and (cause not in standing or cause in ended)
    ]
    return Balance(end, take)


def shares(granted: int, received: int, causes: Sequence[tuple[str, int]]) -> dict[str, int]:
    """What each cause takes of a grant, in the order of their ids; never more than all of it."""
    if received <= 0:
        return {}
    left, found = granted, dict[str, int]()
    for cause, money in sorted(causes):
        part = min(granted * money // received, left)
        found[cause] = part
        left -= part
    if left and sum(money for _, money in causes) >= received:
        found[REST] = left
    return found


@dataclass(frozen=True, slots=True)
class Case:
    """Something that needs a human."""

    id: UUID
    kind: str
    subject: str
    figures: Mapping[str, Any]
    opened_at: int
    closed_at: int | None
    closed_by: str | None
    note: str | None


@dataclass(slots=True)
class Effects:
    """What handling an event has done, in codes and figures; pages say it in words."""

    done: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])

    def add(self, effect: str, **figures: object) -> None:
        """Something was done."""
        self.done.append({"effect": effect, **figures})
