"""Saying things in the language of the reader."""

from dataclasses import dataclass
from typing import Final

from comptoir.cli.texts import TEXTS
from comptoir.web.languages import pick

_NO_BREAK: Final = "\u202f"


@dataclass(frozen=True, slots=True)
class Say:
    """Texts in one language.

    Attributes:
        locale: "en" or "fr".
    """

    locale: str

    def __call__(self, key: str, /, **figures: object) -> str:
        """The text of that key, with its figures filled in."""
        return pick(TEXTS[key], self.locale).format(**figures)

    def number(self, value: int) -> str:
        """A whole number as the language groups its digits."""
        return f"{value:,}".replace(",", _NO_BREAK if self.locale == "fr" else ",")
