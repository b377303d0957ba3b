"""What is wrong with a body or a query, field by field, in the reader's language."""

from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from comptoir.domains.credits.model import Op
from comptoir.web.catalogue import PROBLEMS
from comptoir.web.languages import Texts, pick

SHOWN: Final = 20
"""Errors that one answer lists; a body of thousands of requests can have more."""

FIELDS: Final[dict[str, tuple[str, Texts]]] = {
    "missing": ("required", ("is required", "est obligatoire")),
    "extra_forbidden": ("unknown-field", ("is not known here", "n'est pas connu ici")),
    "null": ("null", ("must not be null; leave it out", "ne doit pas être null ; omettez-le")),
    "repeated": ("repeated", ("stands there twice", "apparaît deux fois")),
    "time-invalid": (
        "time-invalid",
        (
            "must be a time with an offset such as 2030-01-01T00:00:00Z",
            "doit être une date avec décalage comme 2030-01-01T00:00:00Z",
        ),
    ),
    "field-invalid": ("invalid", ("is not valid", "n'est pas valide")),
    "payload-invalid": (
        "payload-invalid",
        ("must be JSON without NUL characters", "doit être du JSON sans caractère NUL"),
    ),
    "string_type": ("text-expected", ("must be a text", "doit être un texte")),
    "string_too_short": ("too-short", ("must not be empty", "ne doit pas être vide")),
    "string_too_long": (
        "too-long",
        ("may have at most {max_length} characters", "peut avoir au plus {max_length} caractères"),
    ),
    "string_pattern_mismatch": (
        "not-printable",
        (
            "does not have the required form, or contains characters that cannot be printed",
            "n'a pas la forme requise ou contient des caractères non imprimables",
        ),
    ),
    "int_type": ("integer-expected", ("must be a whole number", "doit être un nombre entier")),
    "bool_type": ("boolean-expected", ("must be true or false", "doit être true ou false")),
    "greater_than_equal": ("too-small", ("must be at least {ge}", "doit être au moins {ge}")),
    "less_than_equal": ("too-large", ("must be at most {le}", "doit être au plus {le}")),
    "literal_error": ("unknown-value", ("must be one of {expected}", "doit être {expected}")),
    "union_tag_invalid": (
        "unknown-value",
        ("must be one of {expected_tags}", "doit être l'un de {expected_tags}"),
    ),
    "union_tag_not_found": ("required", ("op is required", "op est obligatoire")),
    "too_long": (
        "too-many",
        ("may have at most {max_length} entries", "peut avoir au plus {max_length} entrées"),
    ),
    "too_short": ("too-few", ("must not be empty", "ne doit pas être vide")),
    "dict_type": ("object-expected", ("must be an object", "doit être un objet")),
    "list_type": ("list-expected", ("must be a list", "doit être une liste")),
    "model_type": ("object-expected", ("must be an object", "doit être un objet")),
    "model_attributes_type": ("object-expected", ("must be an object", "doit être un objet")),
}
_OTHER: Final = ("invalid", ("is not valid", "n'est pas valide"))
_BODY: Final = "body"
_TAGS: Final = frozenset(Op)
"""What pydantic adds to a path where the kind of a request was chosen by its op."""


class Unfit(Exception):
    """A request whose fields are not what they must be: 422 validation-failed.

    Attributes:
        errors: for each field its name, the kind of error, and the figures of its text.
    """

    def __init__(self, errors: Sequence[tuple[str, str, dict[str, object]]]) -> None:
        super().__init__(errors)
        self.errors = errors

    @classmethod
    def of(cls, error: ValidationError) -> "Unfit":
        """The same in our words."""
        found = error.errors(include_url=False, include_input=False)
        return cls([_told(each) for each in found[:SHOWN]])

    @classmethod
    def field(cls, name: str, kind: str, **figures: object) -> "Unfit":
        """One field that is wrong."""
        return cls([(name, kind, figures)])


def _told(error: ErrorDetails) -> tuple[str, str, dict[str, object]]:
    return _path(error["loc"]), error["type"], dict(error.get("ctx", {}))


def _path(loc: tuple[int | str, ...]) -> str:
    """`requests[3].amount`; the tag that chose among kinds of requests is left out."""
    path = ""
    after_index = False
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (after_index and part in _TAGS):
            path += f".{part}" if path else part
        after_index = isinstance(part, int)
    return path or _BODY


def complaints(
    errors: Sequence[tuple[str, str, dict[str, object]]], language: str
) -> list[dict[str, str]]:
    """What the answer lists: the field, a stable code, and a text."""
    return [_complaint(*each, language) for each in errors]


def _complaint(field: str, kind: str, figures: dict[str, object], language: str) -> dict[str, str]:
    if kind in PROBLEMS:
        code, texts = kind, PROBLEMS[kind].detail
    else:
        code, texts = FIELDS.get(kind, _OTHER)
    return {"field": field, "code": code, "message": pick(texts, language).format_map(figures)}
