"""Amounts: what a caller may write, exactly, and never as a float."""

import ast
import re
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import comptoir.kit.amounts
from comptoir.kit.amounts import format_amount, parse_amount, parse_cost
from comptoir.kit.errors import Invalid
from comptoir.kit.limits import COST_SCALE, QUANTITY_MAX, SCALE_MAX

SCALES = st.integers(0, SCALE_MAX)
AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?")
LARGEST = 10**12 * 10**SCALE_MAX - 1


@given(st.integers(1, LARGEST), SCALES)
def test_what_is_formatted_parses_back(units: int, scale: int):
    text = format_amount(units, scale)
    if units < 10 ** (12 + scale):
        assert parse_amount(text, scale) == units


@given(st.integers(-LARGEST, LARGEST), SCALES)
def test_formatting_is_exact_and_short(units: int, scale: int):
    text = format_amount(units, scale)
    assert Decimal(text).scaleb(scale) == units
    assert text == text.strip()
    assert "." not in text or not text.endswith("0")
    assert text not in {"-0", ""}
    assert "e" not in text.lower()


@given(st.integers(1, QUANTITY_MAX), SCALES)
def test_integers_and_their_text_are_the_same(whole: int, scale: int):
    spellings: list[str | int] = [whole, str(whole), f"{whole}.0", f"{whole}.000000"]
    assert {parse_amount(each, scale) for each in spellings} == {whole * 10**scale}


@given(st.decimals("0.000001", "999999999999.999999", places=6), SCALES)
def test_decimals_mean_what_they_say_or_are_too_precise(value: Decimal, scale: int):
    text = f"{value:f}"
    shifted = value.scaleb(scale)
    if shifted == shifted.to_integral_value():
        assert parse_amount(text, scale) == int(shifted)
    else:
        with pytest.raises(Invalid, match="amount-too-precise") as caught:
            parse_amount(text, scale)
        assert caught.value.figures == {"field": "amount", "scale": scale}


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_invalid(text: str):
    units = 0
    with suppress(Invalid):
        units = parse_amount(text, 6)
    fits = AMOUNT.fullmatch(text) is not None
    assert (units > 0) == (fits and any(digit in "123456789" for digit in text))


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "0", "0.0", "0.000000", "-1", "+1", "-0", "1e3", "1E3", "NaN", "inf", "Infinity",
        "01", "00.1", ".5", "5.", "1,5", "1 000", "1_000", "0x10", " 1", "1 ", "1\n", "1\x00",
        "1.0000001", "1000000000000", "12345678901234567890", "1234567890123456789012",
        "٣", "\uff11",
        "1.٣", "½", "1.5.2", "true", "None", "0.0000001",
    ],
)  # fmt: skip
def test_these_are_no_amounts(text: str):
    with pytest.raises(Invalid, match="amount-invalid") as caught:
        parse_amount(text, 6, field="price")
    assert caught.value.figures == {"field": "price"}


@pytest.mark.parametrize("whole", [0, -1, QUANTITY_MAX + 1, 10**30, True, False])
def test_these_whole_numbers_are_no_amounts(whole: int):
    with pytest.raises(Invalid, match="amount-invalid"):
        parse_amount(whole, 6)


@pytest.mark.parametrize("text", ["1.5", "0.1", "1.000001"])
def test_what_is_counted_in_pieces_has_no_decimals(text: str):
    with pytest.raises(Invalid, match="amount-too-precise"):
        parse_amount(text, 0)


@pytest.mark.parametrize(
    ("units", "scale", "text"),
    [
        (95_000_000, 6, "95"),
        (250_000, 6, "0.25"),
        (1, 6, "0.000001"),
        (-1_500_000, 6, "-1.5"),
        (-1, 6, "-0.000001"),
        (0, 6, "0"),
        (0, 0, "0"),
        (-7, 0, "-7"),
        (100, 0, "100"),
        (10, 1, "1"),
        (4 * 10**18, 6, "4000000000000"),
    ],
)
def test_formatted(units: int, scale: int, text: str):
    assert format_amount(units, scale) == text


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("0", 0),
        ("0.000000001", 1),
        ("0.158", 158_000_000),
        ("1", 10**COST_SCALE),
        ("999999999.999999999", 10**18 - 1),
    ],
)
def test_costs_are_billionths(text: str, units: int):
    assert parse_cost(text) == units


@pytest.mark.parametrize(
    "text", ["", "-1", "1.0000000001", "1000000000", "1e-3", "01", ".1", "9" * 21, "٣", "1\n"]
)
def test_these_are_no_costs(text: str):
    with pytest.raises(Invalid, match="cost-invalid") as caught:
        parse_cost(text)
    assert caught.value.figures == {"field": "cost"}


def test_no_float_and_no_true_division_anywhere_near_an_amount():
    tree = ast.parse(Path(comptoir.kit.amounts.__file__).read_text())
    found: list[Any] = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Div)
        or (isinstance(node, ast.Name) and node.id in {"float", "Decimal", "round"})
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]
    assert not found
