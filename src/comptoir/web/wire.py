"""What may come in: strict types for every field, with the limits of kit/limits.py.

Nothing is converted silently: a number is a number, a text is a text, unknown fields are refused.
Patterns are written so that Rust's, Python's and JavaScript's engines read them alike, for the
OpenAPI document shows the very same ones.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from comptoir.kit import limits
from comptoir.kit.limits import NO_CONTROL, PRINTABLE

_AMOUNT: Final = re.compile(limits.AMOUNT_PATTERN, re.ASCII)
_AMOUNT_LENGTH: Final = 19
_ZERO: Final = re.compile(r"^0(\.0+)?$", re.ASCII)
_COST: Final = re.compile(limits.COST_PATTERN, re.ASCII)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def _amount(value: object) -> str | int:
    if isinstance(value, bool):
        raise PydanticCustomError("amount-invalid", "not an amount")
    if isinstance(value, int) and 0 < value <= limits.QUANTITY_MAX:
        return value
    if isinstance(value, str) and _AMOUNT.fullmatch(value) and not _ZERO.fullmatch(value):
        return value
    raise PydanticCustomError("amount-invalid", "not an amount")


def _cost(value: object) -> str:
    if isinstance(value, str) and _COST.fullmatch(value):
        return value
    raise PydanticCustomError("cost-invalid", "not a cost")


def parse_time(value: object) -> int:
    """Microseconds since 1970 of an RFC 3339 time with an offset.

    Raises:
        PydanticCustomError: it is none, or lies outside of the years 1 to 9998.
    """
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError("time-invalid", "not a time")
    day, clock, fraction, offset = found.groups()
    micros = (fraction or "").ljust(6, "0")[:6]
    zone = "+00:00" if offset in "Zz" else offset
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{micros}{zone}")
        units = (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise PydanticCustomError("time-invalid", "not a time") from None
    if not _FIRST <= moment < _LAST:
        raise PydanticCustomError("time-invalid", "not a time")
    return units


def _not_null(value: object) -> object:
    if value is None:
        raise PydanticCustomError("null", "must not be null")
    return value


def text(longest: int) -> Any:  # noqa: ANN401  # an annotation's own type
    """The type of a name of so many characters at most."""
    return _text(longest, PRINTABLE)


def url(longest: int) -> Any:  # noqa: ANN401  # an annotation's own type
    """The type of a web address of so many characters at most, spelled as it is sent."""
    return StringConstraints(min_length=8, max_length=longest, pattern="^https?://[!-~]+$")


def _text(longest: int, pattern: str = NO_CONTROL) -> Any:  # noqa: ANN401  # an annotation's own type
    return StringConstraints(min_length=1, max_length=longest, pattern=pattern)


Amount = Annotated[
    str | int,
    PlainValidator(_amount),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": limits.QUANTITY_MAX},
                {
                    "type": "string",
                    "pattern": r"^(?!0(\.0+)?$)" + limits.AMOUNT_PATTERN[1:],
                    "maxLength": _AMOUNT_LENGTH,
                },
            ],
            "examples": ["5", "0.25", 5],
        }
    ),
]
Cost = Annotated[
    str,
    PlainValidator(_cost),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": limits.COST_PATTERN,
            "maxLength": _AMOUNT_LENGTH,
            "examples": ["0.04"],
        }
    ),
]
Time = Annotated[
    int,
    PlainValidator(parse_time),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2030-01-01T00:00:00Z"]}),
]
NotNull = BeforeValidator(_not_null)
Customer = Annotated[
    str, _text(limits.CUSTOMER_LENGTH, PRINTABLE), Field(examples=["alice@example.com"])
]
Account = Annotated[
    str,
    _text(limits.CUSTOMER_LENGTH, PRINTABLE),
    Field(examples=["stock:TEE:M"]),
]
Key = Annotated[str, _text(limits.KEY_LENGTH, PRINTABLE), Field(examples=["order-1842-credits"])]
Reason = Annotated[str, _text(limits.REASON_LENGTH), Field(examples=["Welcome gift"])]
Reference = Annotated[str, _text(limits.REFERENCE_LENGTH), Field(examples=["order-1842"])]
Name = Annotated[str, _text(limits.NAME_LENGTH), Field(examples=["Web shop"])]
Action = Annotated[str, _text(limits.ACTION_LENGTH, PRINTABLE), Field(examples=["ai.generate"])]
Model = Annotated[str, _text(limits.MODEL_LENGTH), Field(examples=["large-2"])]
AssetCode = Annotated[
    str, StringConstraints(pattern=limits.ASSET_PATTERN), Field(examples=["credits"])
]
_VALUE: Final = NO_CONTROL.replace("+$", "*$")
Metadata = Annotated[
    dict[
        Annotated[str, _text(limits.METADATA_KEY_LENGTH, PRINTABLE)],
        Annotated[str, StringConstraints(max_length=limits.METADATA_VALUE_LENGTH, pattern=_VALUE)],
    ],
    Field(max_length=limits.METADATA_ENTRIES),
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": limits.METADATA_ENTRIES,
            "propertyNames": {
                "type": "string",
                "minLength": 1,
                "maxLength": limits.METADATA_KEY_LENGTH,
                "pattern": PRINTABLE,
            },
            "additionalProperties": {
                "type": "string",
                "maxLength": limits.METADATA_VALUE_LENGTH,
                "pattern": _VALUE,
            },
            "examples": [{"campaign": "spring"}],
        }
    ),
]

Seconds = Annotated[int, Field(ge=1, le=limits.TTL_SECONDS_MAX, examples=[600])]
Priority = Annotated[int, Field(ge=0, le=limits.PRIORITY_MAX, examples=[50])]
Quantity = Annotated[int, Field(ge=1, le=limits.QUANTITY_MAX, examples=[1])]


class Wire(BaseModel):
    """A body: strict, closed to unknown fields, never echoed in errors."""

    model_config = ConfigDict(
        extra="forbid", strict=True, hide_input_in_errors=True, regex_engine="rust-regex"
    )


_WHOLE: Final = re.compile(r"-?[0-9]{1,9}", re.ASCII)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value


WHOLE: Final = BeforeValidator(_whole)
"""A number of a query, which comes as a text."""


def _truth(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


Limit = Annotated[
    int,
    Field(ge=1, le=limits.LIST_MAX),
    BeforeValidator(_whole),
    WithJsonSchema(
        {
            "type": "integer",
            "minimum": 1,
            "maximum": limits.LIST_MAX,
            "examples": [limits.LIST_DEFAULT],
        }
    ),
]
Flag = Annotated[bool, BeforeValidator(_truth, json_schema_input_type=bool)]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=limits.CURSOR_LENGTH)]


class Page(Wire):
    """The query of every list."""

    limit: Limit = limits.LIST_DEFAULT
    cursor: Cursor | None = None
