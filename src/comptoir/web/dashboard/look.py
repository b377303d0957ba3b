"""How a page looks to an operator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from comptoir.web.call import Call
from comptoir.web.dashboard.texts import TEXTS
from comptoir.web.pages import look


@dataclass(frozen=True, slots=True)
class Look(look.Look):
    """How a page looks to an operator."""

    TEXTS: ClassVar = TEXTS
    PACKAGE: ClassVar = "comptoir.web.dashboard"
    OF: ClassVar = " · Comptoir"


def look_of(call: Call, cookies: Mapping[str, str]) -> Look:
    """How pages look to whoever sends a request."""
    return Look(*look.chosen(call, cookies))
