"""How a problem is shown: its title, its detail and its document, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from comptoir.web.catalogue import PROBLEMS
from comptoir.web.languages import pick


class _Figures(dict[str, object]):
    def __missing__(self, name: str) -> str:
        return "?"


def title(code: str, language: str) -> str:
    """The title of a problem."""
    return pick(PROBLEMS[code].title, language)


def detail(code: str, language: str, figures: Mapping[str, object]) -> str:
    """What happened, with its figures."""
    return pick(PROBLEMS[code].detail, language).format_map(_Figures(figures))


def document(
    code: str, language: str, figures: Mapping[str, object], instance: str
) -> dict[str, Any]:
    """The problem document (RFC 9457) of one occurrence; unknown codes are internal errors."""
    if code not in PROBLEMS:
        code, figures = "internal", {}
    return {
        "type": f"/problems/{code}",
        "title": title(code, language),
        "status": PROBLEMS[code].status,
        "code": code,
        "detail": detail(code, language, figures),
        "instance": instance,
        **figures,
    }
