"""What may become of a request: one enum, ordered by precedence."""

from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """What became of a request. The first member that applies wins.

    The order follows the idea of TigerBeetle's list of transfer statuses: identity first, then
    what the request names, then the state of what it names, then amounts.
    """

    CREATED = "created"
    EXISTS = "exists"
    """The same request was done before; the answer is the stored one."""
    EXISTS_DIFFERENT = "exists_different"
    """The id was used by another request: the caller has a bug."""
    CHAIN_BROKEN = "chain_broken"
    """Another request of the same chain was refused, so nothing of the chain happened."""
    ACCOUNT_NOT_FOUND = "account_not_found"
    ASSET_MISMATCH = "asset_mismatch"
    SAME_ACCOUNT = "same_account"
    HOLD_NOT_FOUND = "hold_not_found"
    MOVEMENT_NOT_FOUND = "movement_not_found"
    NOT_REVERSIBLE = "not_reversible"
    """Only grants, spends, captures and refunds are undone by a reversal."""
    EXPIRED = "expired"
    """The expiry that the request asks for has passed already."""
    HOLD_NOT_OPEN = "hold_not_open"
    ALREADY_REVERSED = "already_reversed"
    EXCEEDS_HOLD = "exceeds_hold"
    EXCEEDS_MOVEMENT = "exceeds_movement"
    """A refund wants more back than what is left of the grant."""
    PARTLY_SPENT = "partly_spent"
    """The credits that a reversal would take back are spent or held, and debt was not allowed."""
    INSUFFICIENT = "insufficient"
    TOO_MANY_LOTS = "too_many_lots"
    BALANCE_LIMIT = "balance_limit"


STICKY: Final = frozenset(
    {
        Outcome.CREATED,
        Outcome.HOLD_NOT_OPEN,
        Outcome.ALREADY_REVERSED,
        Outcome.PARTLY_SPENT,
        Outcome.INSUFFICIENT,
    }
)
"""Outcomes that are stored under the request's id: success for ever, refusals for a time.

The others name something wrong or missing in the request itself; the same id may be used again
once that is mended.
"""
