"""A line of the table of findings: how bad it is, what it is called, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from comptoir.web.languages import Texts


class State(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes:
        state: how bad it is.
        found: what it is.
        fix: what to do about it; empty when there is nothing to do.
    """

    state: State
    found: Texts
    fix: Texts = ("", "")


def ok(english: str, french: str) -> Line:
    """All is well."""
    return Line(State.OK, (english, french))


def warning(found: Texts, fix: Texts) -> Line:
    """It works, and should be better."""
    return Line(State.WARNING, found, fix)


def failed(found: Texts, fix: Texts) -> Line:
    """Money or service is in danger."""
    return Line(State.FAILED, found, fix)
