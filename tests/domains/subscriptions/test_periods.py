"""How long a period was of which only the end is known."""

from datetime import UTC, datetime

import pytest

from comptoir.domains.subscriptions.model import period_ending

DAY = 86_400_000_000


def micros(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("ends", "period", "known", "days"),
    [
        ((2026, 12, 22, 6), "month", (2027, 1, 22, 6), 30),
        ((2027, 1, 22, 6), "month", (2027, 2, 22, 6), 31),
        ((2027, 2, 28, 6), "month", (2027, 3, 31, 6), 28),
        ((2027, 2, 28, 6), "month", (2027, 3, 28, 6), 31),
        ((2027, 4, 30, 6), "month", (2027, 5, 31, 6), 30),
        ((2027, 4, 29, 6), "month", (2027, 5, 31, 6), 31),
        ((2028, 2, 29, 6), "year", (2029, 2, 28, 6), 366),
        ((2029, 2, 28, 6), "year", (2028, 2, 29, 6), 365),
        ((2028, 3, 1, 6), "year", (2029, 3, 1, 6), 366),
    ],
)
def test_the_calendar_tells(
    ends: tuple[int, ...], period: str, known: tuple[int, ...], days: int
) -> None:
    assert period_ending(micros(*ends), period, (micros(*known),)) == days * DAY
