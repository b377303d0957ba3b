"""Signatures of webhooks, as Stripe makes them: HMAC-SHA256 of the time, a point, and the body.

https://docs.stripe.com/webhooks/signature: the header names the time and one signature for each
secret that is valid. Stripe's own library accepts times that lie in the future; here both sides of
the tolerance are refused, for a stolen body with a late time could be played again for years.
"""

import hmac
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

TOLERANCE: Final = 300
"""Seconds by which the time of a signature may differ from ours."""

_HEADER_LENGTH: Final = 4_096
_MOST: Final = 20


class Fault(StrEnum):
    """Why a signature is refused."""

    MISSING = "missing"
    MALFORMED = "malformed"
    WRONG = "wrong"
    OLD = "old"
    FUTURE = "future"


def fault_of(body: bytes, header: str, secrets: Sequence[str], now: int) -> Fault | None:
    """What is wrong with a signature; None when it is good.

    Args:
        body: exactly as it came.
        header: of the name Stripe-Signature.
        secrets: any of them may have signed; during a roll there are two.
        now: seconds since 1970.
    """
    if not header:
        return Fault.MISSING
    at, marks = _read(header)
    if at is None or not marks:
        return Fault.MALFORMED
    signed = f"{at}.".encode() + body
    expected = [hmac.digest(secret.encode(), signed, "sha256").hex() for secret in secrets]
    # Each with each, however early one fits: the time says nothing about which.
    fits = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in marks]
    if not any(fits):
        return Fault.WRONG
    if at < now - TOLERANCE:
        return Fault.OLD
    return Fault.FUTURE if at > now + TOLERANCE else None


def sign(body: bytes, secret: str, now: int) -> str:
    """The header with which Stripe would send a body."""
    mark = hmac.digest(secret.encode(), f"{now}.".encode() + body, "sha256").hex()
    return f"t={now},v1={mark}"


def _read(header: str) -> tuple[int | None, list[str]]:
    if len(header) > _HEADER_LENGTH or not header.isascii():
        return None, []
    at: int | None = None
    marks: list[str] = []
    for part in header.split(",")[:_MOST]:
        name, _, value = part.strip().partition("=")
        if name == "t" and value.isdigit() and len(value) < _MOST:
            at = int(value)
        elif name == "v1":
            marks.append(value)
    return at, marks
