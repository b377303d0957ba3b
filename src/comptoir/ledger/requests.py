"""What callers ask of the ledger. Amounts are integers above zero, times are microseconds.

Requests are values: nothing changes one after it was made. They are not declared frozen because
making a frozen dataclass takes five times as long, and the hot path makes one for every spend.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from comptoir.ledger.model import Kind, Memo, Note

DEFAULT_PRIORITY: Final = 50


class OnExcess(StrEnum):
    """What a capture does with the part that its hold (or, when late, the account) cannot give."""

    REFUSE = "refuse"
    CAP = "cap"
    DEBT = "debt"


class IfSpent(StrEnum):
    """What a reversal does when the credits to take back are spent or held."""

    REFUSE = "refuse"
    DEBT = "debt"


@dataclass(slots=True)
class Grant:
    """Give `amount` to `account` from an open account, as a new lot or into an equal one."""

    op: ClassVar[str] = "grant"
    id: bytes
    mark: bytes
    account: int
    contra: int
    amount: int
    kind: Kind = Kind.GRANT
    source: str = "grant"
    priority: int = DEFAULT_PRIORITY
    expires_at: int | None = None
    paid: int = 0
    """What the whole grant was paid, in minor units of `currency`, tax included."""
    tax: int = 0
    currency: str | None = None
    note: Note | None = None


@dataclass(slots=True)
class Spend:
    """Take `amount` from `account` for good, to an open account."""

    op: ClassVar[str] = "spend"
    id: bytes
    mark: bytes
    account: int
    contra: int
    amount: int
    kind: Kind = Kind.SPEND
    note: Note | None = None
    memo: Memo | None = None


@dataclass(slots=True)
class Transfer:
    """Move `amount` between two bounded accounts; its lots keep their provenance and expiry."""

    op: ClassVar[str] = "transfer"
    id: bytes
    mark: bytes
    account: int
    target: int
    amount: int
    note: Note | None = None


@dataclass(slots=True)
class Hold:
    """Set `amount` aside until it is captured, released, or `ttl` has passed."""

    op: ClassVar[str] = "hold"
    id: bytes
    mark: bytes
    account: int
    contra: int
    amount: int
    ttl: int | None = None
    on_excess: OnExcess = OnExcess.REFUSE
    note: Note | None = None


@dataclass(slots=True)
class Capture:
    """Turn a hold, or part of it, into a movement.

    Without an amount every open hold of the group is captured whole. With an amount only the
    named hold is; `final` closes it and gives back what is left of it.
    """

    op: ClassVar[str] = "capture"
    id: bytes
    mark: bytes
    hold: bytes
    amount: int | None = None
    final: bool = True
    note: Note | None = None
    memo: Memo | None = None


@dataclass(slots=True)
class Release:
    """Give a hold, with all of its group, back."""

    op: ClassVar[str] = "release"
    id: bytes
    mark: bytes
    hold: bytes
    note: Note | None = None


@dataclass(slots=True)
class Renew:
    """Let a hold, with all of its group, live for `ttl` from now."""

    op: ClassVar[str] = "renew"
    id: bytes
    mark: bytes
    hold: bytes
    ttl: int
    note: Note | None = None


@dataclass(slots=True)
class Reverse:
    """Undo the movement `version` of `account` by a new one."""

    op: ClassVar[str] = "reverse"
    id: bytes
    mark: bytes
    account: int
    version: int
    if_spent: IfSpent = IfSpent.REFUSE
    note: Note | None = None


@dataclass(slots=True)
class Refund:
    """Take back `amount` of what the grant `version` of `account` brought: money went back for it.

    A reversal undoes a grant whole and once; refunds take parts of it, as often as there is
    something left to take. A refund that failed is undone by a reversal.
    """

    op: ClassVar[str] = "refund"
    id: bytes
    mark: bytes
    account: int
    version: int
    amount: int
    if_spent: IfSpent = IfSpent.REFUSE
    note: Note | None = None


@dataclass(slots=True)
class Settle:
    """Write the expiries of an account that are due. It has no id: repeating it is harmless."""

    op: ClassVar[str] = "settle"
    account: int


HoldVerb = Capture | Release | Renew
Request = Grant | Spend | Transfer | Hold | Capture | Release | Renew | Reverse | Refund
Chain = tuple[Request, ...]
"""Requests that happen all or not at all. A single request is a chain of one."""

Work = Chain | tuple[Settle]
"""What the store gives to `apply`: chains, or the settling of one account."""
