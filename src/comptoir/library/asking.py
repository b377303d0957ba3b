"""From the values of Python to what the ledger is asked, under the very limits of HTTP."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, cast
from uuid import UUID

from msgspec.structs import astuple

from comptoir.domains.credits.commands import canonical, place
from comptoir.domains.credits.model import Ask, Op
from comptoir.kit import limits
from comptoir.kit.errors import Invalid, NotFound
from comptoir.library import requests

Check = Callable[[object], Any]
Plan = tuple[tuple[str, Check], ...]

_OPS: Final[dict[type[requests.Request], Op]] = {
    requests.Grant: Op.GRANT,
    requests.Spend: Op.SPEND,
    requests.Hold: Op.HOLD,
    requests.Capture: Op.CAPTURE,
    requests.Release: Op.RELEASE,
    requests.Renew: Op.RENEW,
    requests.Reverse: Op.REVERSE,
    requests.Transfer: Op.TRANSFER,
}
_NO_CONTROL: Final = re.compile(limits.NO_CONTROL)
_PRINTABLE: Final = re.compile(limits.PRINTABLE)
_ASSET: Final = re.compile(limits.ASSET_PATTERN, re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_HANDLE: Final = 100
_PLAN_LENGTH: Final = 50
_LOCALE_LENGTH: Final = 6
_PACK_LENGTH: Final = 50
_MONEY_MAX: Final = 10**12
_URL: Final = (2_000, re.compile(r"^https?://[^\s]+$"))

_TEXTS: Final = {
    "key": (limits.KEY_LENGTH, _PRINTABLE),
    "customer": (limits.CUSTOMER_LENGTH, _PRINTABLE),
    "target": (limits.CUSTOMER_LENGTH, _PRINTABLE),
    "asset": (50, _ASSET),
    "action": (limits.ACTION_LENGTH, _PRINTABLE),
    "model": (limits.MODEL_LENGTH, _NO_CONTROL),
    "reason": (limits.REASON_LENGTH, _NO_CONTROL),
    "reference": (limits.REFERENCE_LENGTH, _NO_CONTROL),
    "plan": (_PLAN_LENGTH, re.compile(limits.PRINTABLE)),
    "locale": (_LOCALE_LENGTH, re.compile(limits.LOCALE_PATTERN, re.ASCII)),
    "email": (limits.EMAIL_LENGTH, re.compile(limits.EMAIL_PATTERN, re.ASCII)),
    "name": (limits.NAME_LENGTH, _NO_CONTROL),
    "hold": (_HANDLE, _NO_CONTROL),
    "movement": (_HANDLE, _NO_CONTROL),
    "pack": (_PACK_LENGTH, _NO_CONTROL),
    "currency": (3, re.compile("[a-z]{3}")),
    "success_url": _URL,
    "cancel_url": _URL,
    "return_url": _URL,
}
_WHOLES: Final = {
    "quantity": (1, limits.QUANTITY_MAX),
    "ttl_seconds": (1, limits.TTL_SECONDS_MAX),
    "priority": (0, limits.PRIORITY_MAX),
}
_CHOICES: Final = {
    "on_excess": ("refuse", "cap", "debt"),
    "if_spent": ("refuse", "debt"),
    "interval": ("month", "year"),
}
_RENAMED: Final = {"idempotency_key": "key", "source": "customer"}
"""Fields that the ledger's domain calls otherwise; a transfer's source is its customer."""


def asked(request: requests.Request) -> Ask:
    """What a request asks; a stock account's name may stand where a customer's id does.

    Raises:
        Invalid: a field is not what it must be; `figures["field"]` names it.
    """
    op, plan = _PLANS[type(request)]
    given = {
        name: check(value)
        for (name, check), value in zip(plan, astuple(request), strict=True)
        if value is not None
    }
    if op is not Op.TRANSFER and "customer" in given:
        given["customer"], given["account"] = place(given["customer"], given.get("asset"))
    return Ask(op=op, **given)


def check_text(name: str, value: object) -> str:
    """A text within the limits of the field that it is for.

    Raises:
        Invalid: it is not.
    """
    longest, pattern = _TEXTS[name]
    return _text(name, value, longest, pattern)


def amount_text(value: object, name: str = "amount") -> str | int:
    """An amount in the grammar of the API, which the ledger's own parser checks further.

    Raises:
        Invalid: it is a float, or no number at all.
    """
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Invalid("amount-invalid", field=name)
    return value


def micros(value: object, name: str = "expires_at") -> int:
    """Microseconds since 1970 of a time that says its zone.

    Raises:
        Invalid: it is no datetime, says no zone, or lies outside of the years 1 to 9998.
    """
    if not isinstance(value, datetime) or value.tzinfo is None or not _FIRST <= value < _LAST:
        raise Invalid("time-invalid", field=name)
    return (value - _EPOCH) // _MICROSECOND


def metadata_text(value: object) -> str | None:
    """Metadata as the ledger keeps and compares it.

    Raises:
        Invalid: it is no mapping of short texts to texts.
    """
    return canonical(check_metadata(value))


def check_metadata(value: object) -> dict[str, str]:
    """At most 20 texts by short names.

    Raises:
        Invalid: it is not.
    """
    if not isinstance(value, Mapping):
        raise Invalid("field-invalid", field="metadata")
    given = cast("Mapping[object, object]", value)
    if len(given) > limits.METADATA_ENTRIES:
        raise Invalid("field-invalid", field="metadata")
    return {
        _text("metadata", key, limits.METADATA_KEY_LENGTH, _PRINTABLE): _metadata_value(text)
        for key, text in given.items()
    }


def _metadata_value(value: object) -> str:
    if value == "":
        return ""
    return _text("metadata", value, limits.METADATA_VALUE_LENGTH, _NO_CONTROL)


def _text(name: str, value: object, longest: int, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise Invalid("field-invalid", field=name)
    # fullmatch, for $ would let a last line end through; lone surrogates have no UTF-8.
    if pattern.fullmatch(value) is None or not (value.isascii() or _has_utf8(value)):
        raise Invalid("field-invalid", field=name)
    return value


def _has_utf8(value: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def check_choice(name: str, value: object) -> str:
    """One of the words that a field may have.

    Raises:
        Invalid: it is none of them.
    """
    if not isinstance(value, str) or value not in _CHOICES[name]:
        raise Invalid("field-invalid", field=name)
    return value


def _whole(name: str, value: object) -> int:
    least, most = _WHOLES[name]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Invalid("field-invalid", field=name)
    return value


def check_money(name: str, value: object) -> int:
    """A sum in minor units, above zero.

    Raises:
        Invalid: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MONEY_MAX:
        raise Invalid("field-invalid", field=name)
    return value


def identified(value: UUID | str, missing: str) -> UUID:
    """An id, as a value or as a text.

    Raises:
        NotFound: nothing has such an id; `missing` is the code.
    """
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise NotFound(missing) from None


def cost_text(value: object, name: str = "cost") -> str:
    """A provider's cost in the grammar of the API.

    Raises:
        Invalid: it is a float, or no number at all.
    """
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if not isinstance(value, str):
        raise Invalid("cost-invalid", field=name)
    return value


def _final(value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid("field-invalid", field="final")
    return value


_CHECKS: Final[dict[str, Check]] = {
    **{name: partial(check_text, name) for name in _TEXTS},
    **{name: partial(_whole, name) for name in _WHOLES},
    **{name: partial(check_choice, name) for name in _CHOICES},
    "amount": amount_text,
    "expires_at": micros,
    "metadata": metadata_text,
    "cost": cost_text,
    "final": _final,
}


def _plan(kind: type[requests.Request]) -> Plan:
    """How the fields of a request are called by the ledger's domain, and what each must be."""
    names = [_RENAMED.get(name, name) for name in kind.__struct_fields__]
    return tuple((name, _CHECKS[name]) for name in names)


_PLANS: Final = {kind: (op, _plan(kind)) for kind, op in _OPS.items()}
