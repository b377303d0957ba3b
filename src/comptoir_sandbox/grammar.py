"""What parameters a call takes: unknown, missing and wrong ones are refused as Stripe does."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from comptoir_sandbox.objects import is_list, is_object
from comptoir_sandbox.refused import Refused, missing, unknown

METADATA_KEYS: Final = 50
METADATA_KEY: Final = 40
METADATA_VALUE: Final = 500
TEXT: Final = 5_000
INTEGER: Final = 99_999_999
CURRENCIES: Final = frozenset({
    "aud", "cad", "chf", "czk", "dkk", "eur", "gbp", "jpy", "nok", "nzd", "pln", "sek", "usd",
})  # fmt: skip

_TRUE: Final = {"true": True, "false": False}
_DIGITS: Final = re.compile(r"-?[0-9]{1,18}")
_GONE: Final = frozenset({"payment_method_types"})
"""No longer writable since 2026-09-30.endive."""

Values = dict[str, Any]
Check = Callable[[str, Any], Any]


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters within brackets, or those of a call.

    Attributes:
        fields: what each must be.
        required: those that must be there.
    """

    fields: Mapping[str, "Check | Group"]
    required: Sequence[str] = field(default=())

    def __call__(self, name: str, value: object) -> Values:
        """The values of a tree.

        Raises:
            Refused: one is unknown, missing, or not what it must be.
        """
        if value == "":
            return {}
        if not is_object(value):
            raise Refused(f"Invalid object: {name}", "parameter_invalid_object", param=name)
        found: Values = {}
        for key, inner in value.items():
            full = f"{name}[{key}]" if name else key
            if key in _GONE and not name:
                raise Refused(
                    "The payment_method_types parameter is no longer supported.",
                    "payment_method_types_no_longer_supported",
                    param=key,
                )
            check = self.fields.get(key)
            if check is None:
                raise unknown(full)
            found[key] = check(full, inner)
        for key in self.required:
            if found.get(key) is None or found[key] == "":
                raise missing(f"{name}[{key}]" if name else key)
        return found


def group(*required: str, **fields: "Check | Group") -> Group:
    """Parameters, with the names of those that must be there."""
    return Group(fields, required)


def text(name: str, value: object) -> str:
    """Any text of a decent length."""
    if not isinstance(value, str):
        raise Refused(f"Invalid string: {name}", "parameter_invalid_string", param=name)
    if len(value) > TEXT:
        raise Refused(f"Invalid string: {name} is too long", "parameter_invalid_string", param=name)
    return value


def integer(name: str, value: object) -> int:
    """A whole number."""
    said = text(name, value)
    if not _DIGITS.fullmatch(said):
        raise Refused(f"Invalid integer: {said}", "parameter_invalid_integer", param=name)
    return int(said)


def amount(name: str, value: object) -> int:
    """Minor units, above zero."""
    found = integer(name, value)
    if found < 1:
        raise Refused("This value must be greater than or equal to 1.", "parameter_invalid_integer",
                      param=name)  # fmt: skip
    if found > INTEGER:
        raise Refused(f"{name} must be no more than 999999.99", "amount_too_large", param=name)
    return found


def decimal(name: str, value: object) -> str:
    """A decimal number, as it was said."""
    said = text(name, value)
    try:
        Decimal(said)
    except InvalidOperation:
        raise Refused(f"Invalid decimal: {said}", "parameter_invalid_string", param=name) from None
    return said


def boolean(name: str, value: object) -> bool:
    """True or false, in words."""
    said = text(name, value)
    if said not in _TRUE:
        raise Refused(f"Invalid boolean: {said}", "parameter_invalid_boolean", param=name)
    return _TRUE[said]


def currency(name: str, value: object) -> str:
    """A currency that there is."""
    said = text(name, value).lower()
    if said not in CURRENCIES:
        raise Refused(f"Invalid currency: {said}.", "invalid_currency", param=name)
    return said


def url(name: str, value: object) -> str:
    """An address with its scheme."""
    said = text(name, value)
    if not said.startswith(("http://", "https://")):
        raise Refused("Not a valid URL", "url_invalid", param=name)
    return said


def one_of(*choices: str) -> Check:
    """One of a few words."""

    def check(name: str, value: object) -> str:
        said = text(name, value)
        if said not in choices:
            words = ", ".join(choices)
            raise Refused(f"Invalid {name}: must be one of {words}", "parameter_invalid_enum",
                          param=name)  # fmt: skip
        return said

    return check


def metadata(name: str, value: object) -> dict[str, str]:
    """Texts by name; an empty one unsets its name.

    Raises:
        Refused: too many, too long, or no texts.
    """
    if value == "":
        return {}
    if not is_object(value):
        raise Refused("Metadata must be a hash", "parameter_invalid_object", param=name)
    if len(value) > METADATA_KEYS:
        raise Refused(f"You can only set up to {METADATA_KEYS} metadata keys", param=name)
    for key, each in value.items():
        if not isinstance(each, str) or len(each) > METADATA_VALUE or len(key) > METADATA_KEY:
            raise Refused(f"Metadata values can have up to {METADATA_VALUE} characters",
                          param=f"{name}[{key}]")  # fmt: skip
    return dict(value)


def many(check: "Check | Group", most: int = 100) -> Check:
    """A list; an empty text is an empty one."""

    def check_all(name: str, value: object) -> list[Any]:
        if value == "":
            return []
        if not is_list(value) or len(value) > most:
            raise Refused(f"Invalid array: {name}", "parameter_invalid_array", param=name)
        return [check(f"{name}[{number}]", each) for number, each in enumerate(value)]

    return check_all


def moment_range(name: str, value: object) -> dict[str, int]:
    """A moment, or bounds of one, as lists are filtered by."""
    if isinstance(value, str):
        exact = integer(name, value)
        return {"gte": exact, "lte": exact}
    bounds = Group(dict.fromkeys(("gt", "gte", "lt", "lte"), integer))
    return bounds(name, value)


ADDRESS: Final = group(
    city=text, country=text, line1=text, line2=text, postal_code=text, state=text
)
