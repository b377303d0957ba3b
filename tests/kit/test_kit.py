"""Limits, errors and actors: one table of limits, errors that say their code and figures."""

import re
from pathlib import Path

import pytest

from comptoir.kit import errors, limits
from comptoir.kit.actor import Actor, Role
from comptoir.kit.amounts import format_amount
from comptoir.kit.clock import Clock

INT64 = 2**63 - 1
KINDS = [
    errors.Invalid,
    errors.NotFound,
    errors.Denied,
    errors.Conflict,
    errors.Unavailable,
    errors.OutcomeUnknown,
]


def test_balances_fit_a_database_integer_twice_over():
    assert 2 * limits.BALANCE_MAX <= INT64
    largest = limits.QUANTITY_MAX * 10**limits.SCALE_MAX + 10**limits.SCALE_MAX - 1
    assert limits.BALANCE_MAX + largest <= INT64


def test_the_grammar_spells_the_largest_amount_and_no_more():
    largest = format_amount(10**18 - 1, limits.SCALE_MAX)
    assert re.fullmatch(limits.AMOUNT_PATTERN, largest)
    assert len(largest) <= limits.AMOUNT_LENGTH
    assert re.fullmatch(limits.AMOUNT_PATTERN, str(limits.QUANTITY_MAX))
    assert not re.fullmatch(limits.AMOUNT_PATTERN, str(limits.QUANTITY_MAX + 1))


def test_a_day_is_a_day():
    assert limits.DAY == 24 * 60 * 60 * limits.SECOND
    assert limits.TTL_SECONDS_MAX * limits.SECOND == limits.DAY


def test_limits_are_the_contracts():
    assert (limits.OPEN_LOTS, limits.BATCH_REQUESTS, limits.REFUSAL_DAYS) == (1_000, 5_000, 30)
    assert (limits.LIST_DEFAULT, limits.LIST_MAX) == (20, 100)
    assert (limits.METADATA_ENTRIES, limits.METADATA_VALUE_LENGTH) == (20, 500)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_its_code_and_figures(kind: type[errors.ComptoirError]):
    error = kind("some-code", wanted=3)
    assert isinstance(error, errors.ComptoirError)
    assert (error.code, error.figures) == ("some-code", {"wanted": 3})
    assert "some-code" in str(error)


def test_what_is_unavailable_says_when_to_ask_again():
    assert errors.Unavailable("down").retry_after == 1
    assert errors.OutcomeUnknown("unknown", retry_after=7).retry_after == 7


def test_every_error_is_in_the_picture():
    drawn = errors.__doc__ or ""
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in drawn] == []


def test_an_actor_is_a_value():
    actor = Actor(Role.CUSTOMER, 1, "shop", customer=7)
    assert actor == Actor(Role.CUSTOMER, 1, "shop", 7)
    assert Actor(Role.OPERATOR, 1, "till").customer is None
    with pytest.raises(AttributeError):
        actor.role = Role.OPERATOR  # pyright: ignore[reportAttributeAccessIssue]


def test_a_clock_is_any_function_of_nothing():
    def noon() -> int:
        return 43_200 * limits.SECOND

    clock: Clock = noon
    assert clock() == 43_200 * limits.SECOND


def test_kit_imports_nothing_of_ours_but_kit():
    folder = Path(limits.__file__).parent
    for path in folder.glob("*.py"):
        for line in re.findall(r"^(?:from|import) (comptoir\S*)", path.read_text(), re.MULTILINE):
            assert line.startswith("comptoir.kit"), path
