"""Comptoir: the back office that answers at once, exactly once, and can prove it.

Owns the public library door. Does not decide anything: every rule lives below.
"""

from comptoir.domains.notifications.model import Email
from comptoir.guards.once import Claim
from comptoir.guards.quotas import QuotaReached, Usage
from comptoir.jobs.model import GiveUp, Job
from comptoir.jobs.model import Status as JobStatus
from comptoir.jobs.schedule import Missed
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
    Erased,
    ExplainedHold,
    ExplainedLot,
    ExplainedMovement,
    Explanation,
    Export,
    HoldMade,
    Lot,
    LotPart,
    Moved,
    Movement,
    PastAccount,
    PastHold,
    PastLot,
    PastMovement,
    Price,
    Transferred,
)
from comptoir.library.entry import Comptoir
from comptoir.library.guarding import Decision, RateLimit
from comptoir.library.holding import Holding
from comptoir.library.jobs import Jobs
from comptoir.library.joining import Transaction
from comptoir.library.ledger import Result
from comptoir.library.refusals import (
    AccountNotFound,
    AlreadyReversed,
    AssetMismatch,
    BalanceLimit,
    ChainBroken,
    ExceedsHold,
    ExceedsMovement,
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
    "Claim",
    "Comptoir",
    "ComptoirError",
    "Conflict",
    "Customer",
    "Decision",
    "Email",
    "Erased",
    "ExceedsHold",
    "ExceedsMovement",
    "Expired",
    "ExplainedHold",
    "ExplainedLot",
    "ExplainedMovement",
    "Explanation",
    "Export",
    "GiveUp",
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
    "Job",
    "JobStatus",
    "Jobs",
    "Kind",
    "Lot",
    "LotPart",
    "Missed",
    "Misuse",
    "Moved",
    "Movement",
    "MovementNotFound",
    "NotFound",
    "NotReversible",
    "OutcomeUnknown",
    "PartlySpent",
    "PastAccount",
    "PastHold",
    "PastLot",
    "PastMovement",
    "Price",
    "QuotaReached",
    "RateLimit",
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
    "Usage",
    "__version__",
]
