"""Time as an argument."""

from typing import Protocol


class Clock(Protocol):
    """Says what time it is, in microseconds since 1970 UTC.

    The ledger itself takes its time from the database; this clock serves what is not money:
    token lifetimes, cache ages, log lines.
    """

    def __call__(self) -> int:
        """Microseconds since 1970 UTC."""
        ...
