"""Periods of subscriptions: months are those of the calendar, from the day on which it began."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

_DAY = 86_400
_MONTHS = {"month": 1, "year": 12}


def after(anchor: int, interval: str, count: int, number: int) -> int:
    """The moment at which the period after so many others begins.

    A day that a month does not have is its last one; the month after that has it again.
    """
    if interval in {"day", "week"}:
        days = count * number * (7 if interval == "week" else 1)
        return anchor + days * _DAY
    began = datetime.fromtimestamp(anchor, UTC)
    months = began.year * 12 + began.month - 1 + _MONTHS[interval] * count * number
    year, month = divmod(months, 12)
    last = monthrange(year, month + 1)[1]
    moved = began.replace(day=1, year=year, month=month + 1)
    return int((moved + timedelta(days=min(began.day, last) - 1)).timestamp())


def next_end(anchor: int, interval: str, count: int, at: int) -> int:
    """The end of the period in which a moment lies: the first one that is after it."""
    number = 1
    while after(anchor, interval, count, number) <= at:
        number += 1
    return after(anchor, interval, count, number)
