"""What a case is about: its figures in the reader's words."""

from collections.abc import Mapping
from typing import Any, Final

from comptoir.web.dashboard.look import Look

_SUMS: Final = {"amount": "currency", "asked": "currency_asked", "came": "currency_came"}
"""Sums in minor units, each with what says its currency."""


def facts(look: Look, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The name and the value of each figure; a sum is told together with its currency."""
    sums = {name: figures[of] for name, of in _SUMS.items() if _is_sum(figures, name, of)}
    told = {_SUMS[name] for name in sums}
    return [
        (_name(look, name), look.money(value, sums[name]) if name in sums else _value(look, value))
        for name, value in figures.items()
        if name not in told
    ]


def _is_sum(figures: Mapping[str, Any], name: str, of: str) -> bool:
    return isinstance(figures.get(name), int) and isinstance(figures.get(of), str)


def _name(look: Look, name: str) -> str:
    key = f"fact.{name}"
    return look.t(key) if look.has(key) else name


def _value(look: Look, value: object) -> str:
    if isinstance(value, bool):
        return look.t("fact.yes" if value else "fact.no")
    return "—" if value is None else str(value)
