"""Which of the two languages a reader wants."""

from functools import lru_cache
from typing import Final

LANGUAGES: Final = ("en", "fr")
_LONGEST: Final = 1_000
"""Characters of an Accept-Language header that are worth reading."""

Texts = tuple[str, str]
"""A text in English and in French, in the order of LANGUAGES."""


def pick(texts: Texts, language: str) -> str:
    """The text in one of the languages."""
    return texts[1] if language == "fr" else texts[0]


@lru_cache(maxsize=1_024)
def negotiate(header: str, default: str) -> str:
    """The best language for an Accept-Language header; `default` when it says nothing of use.

    Among equals the one that stands first wins, as readers write their favourite first.
    """
    best, best_quality = default, 0.0
    if len(header) > _LONGEST:
        return default
    for part in header.split(","):
        tag, _, parameters = part.partition(";")
        language = tag.strip().lower().split("-")[0]
        quality = _quality(parameters)
        if language == "*":
            language = default
        if language in LANGUAGES and quality > best_quality:
            best, best_quality = language, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
