"""How full an account is, line by line: what crosses a line, and what comes back over it."""

import pytest

from comptoir.ledger.levels import level_after
from comptoir.ledger.model import Account, Kind, Level, Line


def line(kind: Kind, amount: int) -> Line:
    return Line(1, 1, -1, amount, 0, 0, 0, 0, kind, 0, None, [], [])


def after(
    available: int,
    before: Level = Level.NORMAL,
    *,
    filled: int = 100,
    low_at: int | None = None,
    of: tuple[Kind, int] = (Kind.SPEND, -1),
) -> Level:
    account = Account(1, 1, posted=available + 7, held=7, filled=filled, level=before)
    account.low_at = low_at
    return level_after(account, line(*of))


@pytest.mark.parametrize(
    ("available", "level"),
    [(100, Level.NORMAL), (20, Level.NORMAL), (19, Level.LOW), (1, Level.LOW), (0, Level.EMPTY)],
)
def test_a_fifth_of_the_last_fill_is_the_line(available: int, level: Level):
    assert after(available) is level


def test_whoever_hovers_about_the_line_crosses_it_once():
    assert [after(each, Level.LOW) for each in (20, 24, 25)] == [
        Level.LOW, Level.LOW, Level.NORMAL,
    ]  # fmt: skip


def test_empty_becomes_low_with_a_twentieth_more():
    assert [after(each, Level.EMPTY) for each in (1, 5, 6, 24, 25)] == [
        Level.EMPTY, Level.EMPTY, Level.LOW, Level.LOW, Level.NORMAL,
    ]  # fmt: skip


def test_a_new_grant_counts_at_once():
    assert after(20, Level.EMPTY, of=(Kind.GRANT, 20)) is Level.NORMAL
    assert after(19, Level.EMPTY, of=(Kind.PURCHASE, 19)) is Level.LOW
    assert after(20, Level.EMPTY, of=(Kind.GRANT, -20)) is Level.LOW  # taken back: no fill


def test_who_never_had_anything_has_not_run_out():
    assert after(-5, filled=0) is Level.NORMAL
    assert after(-5, Level.LOW, filled=-3) is Level.NORMAL


def test_a_number_that_the_seller_has_said_is_the_line():
    assert after(11, low_at=10) is Level.NORMAL
    assert after(10, low_at=10) is Level.LOW
    assert after(0, low_at=10) is Level.LOW
