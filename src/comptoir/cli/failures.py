"""Whatever may go wrong, as one line in plain words with the fix, and as an exit code."""

from collections.abc import Mapping
from typing import Final, cast

import psycopg
from pydantic import ValidationError

from comptoir.cli.desk import Exit
from comptoir.cli.say import Say
from comptoir.cli.texts import TEXTS
from comptoir.kit.errors import ComptoirError
from comptoir.web.catalogue import PROBLEMS
from comptoir.web.complaints import FIELDS, Unfit, complaints
from comptoir.web.problems import detail

EXPLAINED: Final = (ComptoirError, Unfit, ValidationError, psycopg.Error, OSError)
"""What a command may end with. Anything else is a bug of ours and shows its traceback."""

Explained = ComptoirError | Unfit | ValidationError | psycopg.Error | OSError


def explain(say: Say, error: Explained) -> tuple[str, Exit]:
    """The line to show, and the code to end with."""
    if isinstance(error, ComptoirError):
        return explain_code(say, error.code, error.figures)
    if isinstance(error, Unfit):
        wrong = [
            f"{each['field']} {each['message']}" for each in complaints(error.errors, say.locale)
        ]
        return say("error.fields", fields="; ".join(wrong)), PROBLEMS["validation-failed"].exit
    if isinstance(error, ValidationError):
        variables = ", ".join(str(each["loc"][0]) for each in error.errors() if each["loc"])
        return say("error.settings", variables=variables), Exit.USAGE
    if isinstance(error, OSError):
        return say("error.system", reason=_first_line(error)), Exit.DEPENDENCY
    return say("error.database", reason=_first_line(error)), Exit.DEPENDENCY


def explain_code(say: Say, code: str, figures: Mapping[str, object]) -> tuple[str, Exit]:
    """The same for a code: in the words of the HTTP API where it has it, else in our own."""
    if f"error.{code}" in TEXTS:
        return say(f"error.{code}", **figures), Exit.DEPENDENCY
    if code in PROBLEMS:
        return detail(code, say.locale, figures), PROBLEMS[code].exit
    if code in FIELDS and "field" in figures:
        error = Unfit.field(str(figures["field"]), code)
        return explain(say, error)
    return say("error.unknown", code=code), Exit.DEPENDENCY


def first_cause(error: Exception) -> Exception:
    """What went wrong first in tasks that ran side by side."""
    if not isinstance(error, ExceptionGroup):
        return error
    group = cast("ExceptionGroup[Exception]", error)
    return first_cause(group.exceptions[0])


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
