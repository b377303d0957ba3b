"""What the environment may say, for pages that tell people: never what it does say."""

from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from comptoir.config import Settings


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment.

    Attributes:
        default: as one would write it; None where nothing is set, empty for an empty text.
        form, least, most: what a value must match, and its limits, where it has any.
        is_secret: its value is shown nowhere.
    """

    name: str
    default: str | None
    form: str | None
    least: str | None
    most: str | None
    is_secret: bool


def variables() -> tuple[Variable, ...]:
    """All of them, in the order in which the settings have them."""
    return tuple(_variable(field) for field in Settings.model_fields.values())


def _variable(field: Any) -> Variable:  # noqa: ANN401  # pydantic's
    default = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return Variable(
        str(field.alias),
        None if default is None else str(default),
        _limit(field, "pattern"),
        _limit(field, "ge"),
        _limit(field, "le"),
        SecretStr in getattr(field.annotation, "__args__", ()),
    )


def _limit(field: Any, of: str) -> str | None:  # noqa: ANN401  # pydantic's
    found = (getattr(each, of, None) for each in field.metadata)
    return next((str(each) for each in found if each is not None), None)
