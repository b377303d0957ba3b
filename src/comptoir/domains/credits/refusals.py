"""The stable code of every refusal of the ledger: the same over HTTP, in Python and on the CLI."""

from typing import Final

from comptoir.ledger.outcomes import STICKY, Outcome

CODES: Final[dict[Outcome, str | None]] = {
    Outcome.CREATED: None,
    Outcome.EXISTS: None,
    Outcome.EXISTS_DIFFERENT: "idempotency-key-reused",
    Outcome.CHAIN_BROKEN: "chain-broken",
    Outcome.ACCOUNT_NOT_FOUND: "account-not-found",
    Outcome.ASSET_MISMATCH: "asset-mismatch",
    Outcome.SAME_ACCOUNT: "same-account",
    Outcome.HOLD_NOT_FOUND: "hold-not-found",
    Outcome.MOVEMENT_NOT_FOUND: "movement-not-found",
    Outcome.NOT_REVERSIBLE: "not-reversible",
    Outcome.EXPIRED: "expired",
    Outcome.HOLD_NOT_OPEN: "hold-not-open",
    Outcome.ALREADY_REVERSED: "already-reversed",
    Outcome.EXCEEDS_HOLD: "exceeds-hold",
    Outcome.EXCEEDS_MOVEMENT: "exceeds-movement",
    Outcome.PARTLY_SPENT: "partly-spent",
    Outcome.INSUFFICIENT: "insufficient-credits",
    Outcome.TOO_MANY_LOTS: "too-many-lots",
    Outcome.BALANCE_LIMIT: "balance-limit",
}
"""The code of every outcome; None for success."""

_INSUFFICIENT: Final = {"tokens": "insufficient-tokens", "stock": "insufficient-stock"}


def code_of(outcome: Outcome, asset: str) -> str | None:
    """The code of a refusal; None for success. Each asset has its own word for not enough."""
    if outcome is Outcome.INSUFFICIENT and asset in _INSUFFICIENT:
        return _INSUFFICIENT[asset]
    return CODES[outcome]


def is_kept(outcome: Outcome) -> bool:
    """Whether a refusal is stored under its key, so that only a new key can change the answer."""
    return outcome in STICKY and outcome is not Outcome.CREATED
