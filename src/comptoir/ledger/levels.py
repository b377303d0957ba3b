"""Low and empty: when an account crosses the line, and when it has come back.

An account that hovers about the line crosses it once: to count as fuller again it needs a twentieth
of its last fill more, or a new grant. Where whoever sells it has said at what number it is low, it
is low at that number and below.
"""

from typing import Final

from comptoir.ledger.model import Account, Kind, Level, Line

LOW_SHARE: Final = 5
"""A balance is low below a fifth (20 %) of what it was right after the last grant."""

_MARGIN_SHARE: Final = 20
_FILLING: Final = frozenset({Kind.GRANT, Kind.PURCHASE, Kind.ALLOWANCE})


def level_after(account: Account, line: Line) -> Level:
    """How full an account is once a line has changed it."""
    available, filled = account.posted - account.held, account.filled
    if account.low_at is not None:
        return Level.LOW if available <= account.low_at else Level.NORMAL
    if available * LOW_SHARE >= filled and account.level is Level.NORMAL:
        return Level.NORMAL  # nearly always
    if filled <= 0:
        return Level.NORMAL
    level = _level(available, filled)
    if level >= account.level or (line.kind in _FILLING and line.amount > 0):
        return level
    return min(account.level, _level(available - filled // _MARGIN_SHARE, filled))


def _level(available: int, filled: int) -> Level:
    if available <= 0:
        return Level.EMPTY
    return Level.LOW if available < filled // LOW_SHARE else Level.NORMAL
