"""Amounts: exact decimals outside, integers of the asset's smallest unit inside; never floats."""

import re
from functools import lru_cache
from typing import Final

from comptoir.kit.errors import Invalid
from comptoir.kit.limits import (
    AMOUNT_LENGTH,
    AMOUNT_PATTERN,
    COST_PATTERN,
    COST_SCALE,
    QUANTITY_MAX,
)

_AMOUNT: Final = re.compile(AMOUNT_PATTERN, re.ASCII)
_COST: Final = re.compile(COST_PATTERN, re.ASCII)


def parse_amount(text: str | int, scale: int, *, field: str = "amount") -> int:
    """The amount that a caller wrote, in the smallest unit of an asset with `scale` decimals.

    Raises:
        Invalid: `text` is outside of the grammar, has more decimals than the asset, or is zero.
    """
    if isinstance(text, int):
        if isinstance(text, bool) or not 0 < text <= QUANTITY_MAX:
            raise Invalid("amount-invalid", field=field)
        return text * 10**scale
    if len(text) > AMOUNT_LENGTH or _AMOUNT.fullmatch(text) is None:
        raise Invalid("amount-invalid", field=field)
    units = _shift(text, scale)
    if units is None:
        raise Invalid("amount-too-precise", field=field, scale=scale)
    if units == 0:
        raise Invalid("amount-invalid", field=field)
    return units


def parse_cost(text: str, *, field: str = "cost") -> int:
    """A provider's cost in billionths of the major unit; zero is allowed, for free models.

    Raises:
        Invalid: `text` is outside of the grammar of costs.
    """
    if len(text) > AMOUNT_LENGTH or _COST.fullmatch(text) is None:
        raise Invalid("cost-invalid", field=field)
    units = _shift(text, COST_SCALE)
    assert units is not None, "the grammar allows as many decimals as the scale"
    return units


@lru_cache(maxsize=4096)
def format_amount(units: int, scale: int) -> str:
    """The exact decimal of `units`, without trailing zeros: 95000000 at scale 6 is "95"."""
    if scale == 0 or units == 0:
        return str(units)
    sign, digits = ("-", str(-units)) if units < 0 else ("", str(units))
    digits = digits.zfill(scale + 1)
    part = digits[-scale:].rstrip("0")
    whole = sign + digits[:-scale]
    return f"{whole}.{part}" if part else whole


def _shift(text: str, scale: int) -> int | None:
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    if len(decimals) > scale:
        return None
    return int(whole + decimals.ljust(scale, "0"))
