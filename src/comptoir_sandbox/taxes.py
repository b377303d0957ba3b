"""Automatic tax as the sandbox has it: one rate, within the price or on top of it."""

from dataclasses import dataclass
from typing import Final

RATE_PERCENT: Final = 20


@dataclass(frozen=True, slots=True)
class Taxed:
    """An amount with its tax.

    Attributes:
        subtotal: as the price says it; total: what is to be paid.
    """

    subtotal: int
    tax: int
    total: int


def taxed(amount: int, behavior: str, *, is_enabled: bool) -> Taxed:
    """The tax of an amount; none when nobody has asked for it."""
    if not is_enabled:
        return Taxed(amount, 0, amount)
    if behavior == "inclusive":
        net = round(amount * 100 / (100 + RATE_PERCENT))
        return Taxed(amount, amount - net, amount)
    tax = round(amount * RATE_PERCENT / 100)
    return Taxed(amount, tax, amount + tax)
