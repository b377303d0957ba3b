"""Every refusal of the ledger as an error of its own: what a Python caller catches."""

from typing import Final

from comptoir.domains.credits.refusals import code_of, is_kept
from comptoir.kit.amounts import format_amount
from comptoir.kit.errors import ComptoirError, NotFound
from comptoir.ledger.model import Answer
from comptoir.ledger.outcomes import Outcome
from comptoir.store.facts import Asset


class Refused(ComptoirError):
    """The ledger refused a request, and nothing of it happened.

    Attributes:
        code: the stable code, the same as over HTTP.
        kept: the refusal is stored under its key for 30 days: only a new key can change the answer.
        replayed: it is the stored answer of an earlier request with the same key.
    """

    kept = False
    replayed = False


class Insufficient(Refused):
    """There is less than what was asked for; `figures` has `needed` and `available`."""


class IdempotencyKeyReused(Refused):
    """Another request had this key before: a bug of the caller; `figures["field"]` differs."""


class ChainBroken(Refused):
    """Another request of the same atomic batch was refused, so nothing of the batch happened."""


class AccountNotFound(Refused):
    """The account is not there."""


class AssetMismatch(Refused):
    """The request names accounts or a hold of different assets."""


class SameAccount(Refused):
    """A transfer to where it comes from."""


class HoldNotFound(Refused, NotFound):
    """The book has no such hold."""


class HoldNotOpen(Refused):
    """The hold was captured or released already."""


class ExceedsHold(Refused):
    """More than was set aside, on a hold that refuses excess."""


class ExceedsMovement(Refused):
    """More than is left of the movement to take back."""


class MovementNotFound(Refused, NotFound):
    """The book has no such movement."""


class NotReversible(Refused):
    """Only grants, spends and captures can be reversed."""


class AlreadyReversed(Refused):
    """The movement was reversed before."""


class PartlySpent(Refused):
    """What a reversal would take back is spent or held, and debt was not allowed."""


class Expired(Refused):
    """The expiry that the request asks for has passed already."""


class TooManyLots(Refused):
    """The account has 1,000 open lots."""


class BalanceLimit(Refused):
    """The balance would be larger than a balance can be."""


ERRORS: Final[dict[Outcome, type[Refused] | None]] = {
    Outcome.CREATED: None,
    Outcome.EXISTS: None,
    Outcome.EXISTS_DIFFERENT: IdempotencyKeyReused,
    Outcome.CHAIN_BROKEN: ChainBroken,
    Outcome.ACCOUNT_NOT_FOUND: AccountNotFound,
    Outcome.ASSET_MISMATCH: AssetMismatch,
    Outcome.SAME_ACCOUNT: SameAccount,
    Outcome.HOLD_NOT_FOUND: HoldNotFound,
    Outcome.MOVEMENT_NOT_FOUND: MovementNotFound,
    Outcome.NOT_REVERSIBLE: NotReversible,
    Outcome.EXPIRED: Expired,
    Outcome.HOLD_NOT_OPEN: HoldNotOpen,
    Outcome.ALREADY_REVERSED: AlreadyReversed,
    Outcome.EXCEEDS_HOLD: ExceedsHold,
    Outcome.EXCEEDS_MOVEMENT: ExceedsMovement,
    Outcome.PARTLY_SPENT: PartlySpent,
    Outcome.INSUFFICIENT: Insufficient,
    Outcome.TOO_MANY_LOTS: TooManyLots,
    Outcome.BALANCE_LIMIT: BalanceLimit,
}
"""The error of every outcome; None for success."""

_MISSING: Final = {"hold-not-found": HoldNotFound, "movement-not-found": MovementNotFound}


def refused(answer: Answer, asset: Asset) -> Refused:
    """The error that an answer without a movement is."""
    kind, code = ERRORS[answer.outcome], code_of(answer.outcome, asset.code)
    assert kind is not None, "success has a line"
    assert code is not None, "and a refusal has a code"
    figures: dict[str, object] = {}
    if answer.needed is not None:
        figures["needed"] = format_amount(answer.needed, asset.scale)
    if answer.available is not None:
        figures["available"] = format_amount(answer.available, asset.scale)
    if answer.field is not None:
        figures["field"] = answer.field
    error = kind(code, **figures)
    error.kept = is_kept(answer.outcome)
    error.replayed = answer.replayed
    return error


def missed(error: ComptoirError) -> ComptoirError:
    """The same error, as the one that the ledger's own outcome has."""
    kind = _MISSING.get(error.code)
    return error if kind is None else kind(error.code, **error.figures)
