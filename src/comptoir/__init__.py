"""Comptoir: the back office that answers at once, exactly once, and can prove it.

Owns the public library door. Does not decide anything: every rule lives below.
"""

from comptoir.kit.errors import (
    ComptoirError,
    Conflict,
    Invalid,
    Misuse,
    NotFound,
    OutcomeUnknown,
    Unavailable,
)
from comptoir.ledger.model import HoldState, Kind
from comptoir.library.answers import (
    Balance,
    Captured,
    Customer,
    ExplainedHold,
    ExplainedLot,
    ExplainedMovement,
    Explanation,
    HoldMade,
    Lot,
    LotPart,
    Moved,
    Movement,
    Price,
    Transferred,
)
from comptoir.library.entry import Comptoir
from comptoir.library.holding import Holding
from comptoir.library.joining import Transaction
from comptoir.library.ledger import Result
from comptoir.library.refusals import (
    AccountNotFound,
    AlreadyReversed,
    AssetMismatch,
    BalanceLimit,
    ChainBroken,
    ExceedsHold,
    Expired,
    HoldNotFound,
    HoldNotOpen,
    IdempotencyKeyReused,
    Insufficient,
    MovementNotFound,
    NotReversible,
    PartlySpent,
    Refused,
    SameAccount,
    TooManyLots,
)
from comptoir.library.requests import Capture, Grant, Hold, Release, Spend, Transfer

__version__ = "0.1.0.dev0"

__all__ = [
    "AccountNotFound",
    "AlreadyReversed",
    "AssetMismatch",
    "Balance",
    "BalanceLimit",
    "Capture",
    "Captured",
    "ChainBroken",
    "Comptoir",
    "ComptoirError",
    "Conflict",
    "Customer",
    "ExceedsHold",
    "Expired",
    "ExplainedHold",
    "ExplainedLot",
    "ExplainedMovement",
    "Explanation",
    "Grant",
    "Hold",
    "HoldMade",
    "HoldNotFound",
    "HoldNotOpen",
    "HoldState",
    "Holding",
    "IdempotencyKeyReused",
    "Insufficient",
    "Invalid",
    "Kind",
    "Lot",
    "LotPart",
    "Misuse",
    "Moved",
    "Movement",
    "MovementNotFound",
    "NotFound",
    "NotReversible",
    "OutcomeUnknown",
    "PartlySpent",
    "Price",
    "Refused",
    "Release",
    "Result",
    "SameAccount",
    "Spend",
    "TooManyLots",
    "Transaction",
    "Transfer",
    "Transferred",
    "Unavailable",
    "__version__",
]
