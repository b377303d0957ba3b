"""Which column means what, and from a record to an entry."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from comptoir.domains.credits.imports.model import (
    FIELDS,
    Entry,
    Fault,
    Form,
    Import,
    Record,
    Trouble,
    Verb,
)
from comptoir.domains.credits.imports.reading import shown
from comptoir.kit.amounts import parse_amount
from comptoir.kit.errors import Invalid
from comptoir.kit.limits import (
    CUSTOMER_LENGTH,
    NO_CONTROL,
    PRINTABLE,
    REASON_LENGTH,
    REFERENCE_LENGTH,
)

_CUSTOMER: Final = ("customer", "customer_id", "customerId", "user", "user_id", "userId")
_AMOUNT: Final = (
    "amount", "ai_credits", "aiCredits", "credits", "tokens", "token_balance", "tokenBalance",
)  # fmt: skip
_OBVIOUS: Final[Mapping[str, tuple[str, ...]]] = {
    "customer": _CUSTOMER,
    "amount": _AMOUNT,
    "kind": ("kind",),
}
"""What is understood without a word of the caller."""

_OBVIOUS_IN_HISTORY: Final[Mapping[str, tuple[str, ...]]] = _OBVIOUS | {
    "id": ("id",),
    "at": ("at", "happened_at", "created_at", "createdAt", "date"),
    "reason": ("reason", "description"),
    "reference": ("reference",),
    "balance": ("balance",),
}
_OF_FORM: Final[Mapping[Form, Mapping[str, tuple[str, ...]]]] = {
    Form.CSV: {},
    Form.JSONL: {},
    Form.REDIS: {"customer": ("key",), "kind": ()},
}
_REQUIRED: Final = ("customer", "amount")
_LISTED: Final = 20
_PLACES: Final = {
    "customer": (CUSTOMER_LENGTH, re.compile(PRINTABLE)),
    "id": (CUSTOMER_LENGTH, re.compile(PRINTABLE)),
    "reason": (REASON_LENGTH, re.compile(NO_CONTROL)),
    "reference": (REFERENCE_LENGTH, re.compile(NO_CONTROL)),
}
_HALF_A_CHARACTER: Final = re.compile(r"[\ud800-\udfff]")
_ZERO: Final = re.compile(r"-?0(\.0+)?", re.ASCII)
_MOMENT_LENGTH: Final = 40
_VERBS: Final = {verb.value: verb for verb in Verb}


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field is read.

    Attributes:
        names: for each field the columns that may have it; a line has at most one of them.
        read: for each field the column that the first line has.
        unread: the first line's columns that nothing is read from.
    """

    names: Mapping[str, tuple[str, ...]]
    read: Mapping[str, str]
    unread: tuple[str, ...]

    @property
    def is_history(self) -> bool:
        """Lines say what they do; otherwise each one opens a balance."""
        return "kind" in self.read

    def entry(self, record: Record, scale: int) -> Entry | Fault:
        """What a record says, if it makes sense.

        Args:
            record: the line.
            scale: the asset's decimals.
        """
        cells = record.cells
        customer: str | None = None
        try:
            customer = self._required(cells, "customer")
            verb = self._verb(cells)
            return Entry(
                record.line,
                verb,
                customer,
                _units(self._required(cells, "amount"), scale),
                None if verb is Verb.OPENING else self._text(cells, "id"),
                self._text(cells, "reason"),
                self._text(cells, "reference"),
                _moment(self._cell(cells, "at")),
                _final(self._cell(cells, "balance"), scale),
            )
        except Invalid as error:
            return Fault(record.line, Trouble.INVALID, error, customer)

    def _verb(self, cells: Mapping[str, object]) -> Verb:
        if not self.is_history:
            if "kind" in cells and "kind" in self.names:
                raise Invalid("import-kind-late")
            return Verb.OPENING
        said = self._required(cells, "kind")
        verb = _VERBS.get(said.lower())
        if verb is None:
            raise Invalid("import-kind", value=shown(said))
        return verb

    def _required(self, cells: Mapping[str, object], field: str) -> str:
        text = self._text(cells, field)
        if text is None:
            raise Invalid("import-cell-empty", column=self._column(field))
        return text

    def _text(self, cells: Mapping[str, object], field: str) -> str | None:
        text = self._cell(cells, field)
        if text is None or field not in _PLACES:
            return text
        longest, pattern = _PLACES[field]
        if len(text) > longest:
            raise Invalid("import-too-long", column=self._column(field), most=longest)
        if not pattern.fullmatch(text) or not (text.isascii() or _is_whole(text)):
            raise Invalid("import-not-printable", column=self._column(field))
        return text

    def _column(self, field: str) -> str:
        return shown(self.read.get(field, field))

    def _cell(self, cells: Mapping[str, object], field: str) -> str | None:
        """What stands there; None for nothing, which CSV writes as an empty text."""
        names = self.names.get(field, ())
        found = [name for name in names if cells.get(name) not in (None, "")]
        if not found:
            return None
        if len(found) > 1:
            raise Invalid("import-ambiguous", field=field, columns=_listed(found))
        text = cells[found[0]]
        if not isinstance(text, str):
            raise Invalid("import-not-text", column=shown(found[0]))
        return text


def choose(found: Sequence[str], wanted: Import) -> Columns:
    """Which columns to read, by those of the first line.

    Raises:
        Invalid: a column that the caller names is not there, none has a required field, or several
            could have the same.
    """
    said = _said(found, wanted.columns)
    obvious = _obvious(found, said, wanted.form)
    names = {
        field: (said[field],) if field in said else _left(obvious.get(field, ()), said)
        for field in FIELDS
    }
    names = {field: columns for field, columns in names.items() if columns}
    read = {field: _one(field, columns, found) for field, columns in names.items()}
    read = {field: column for field, column in read.items() if column}
    for field in _REQUIRED:
        if field not in read:
            raise Invalid("import-no-column", field=field, columns=_listed(found))
    if wanted.form is Form.CSV:
        names = {field: (column,) for field, column in read.items()}
    unread = tuple(name for name in found if name and name not in read.values())
    return Columns(names, read, unread)


def _said(found: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """The column of each field that the caller names."""
    said: dict[str, str] = {}
    for column, field in columns.items():
        if field not in FIELDS:
            raise Invalid("import-no-field", field=shown(field), fields=", ".join(FIELDS))
        if field in said:
            raise Invalid("import-ambiguous", field=field, columns=_listed([said[field], column]))
        if column not in found:
            raise Invalid("import-column", column=shown(column), columns=_listed(found))
        said[field] = column
    return said


def _obvious(
    found: Sequence[str], said: Mapping[str, str], form: Form
) -> Mapping[str, tuple[str, ...]]:
    """The names to look for. An `id` is the customer's where nothing else can be."""
    free = [name for name in found if name not in said.values()]
    is_history = form is not Form.REDIS and ("kind" in said or "kind" in free)
    names = dict(_OBVIOUS_IN_HISTORY if is_history else _OBVIOUS)
    has_customer = "customer" in said or any(name in free for name in _CUSTOMER)
    if not has_customer and not is_history:
        names["customer"] = ("id",)
    has_amount = "amount" in said or any(name in free for name in _AMOUNT)
    if not has_amount and not is_history:
        names["amount"] = ("balance",)
    return names | _OF_FORM[form]


def _left(names: tuple[str, ...], said: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in said.values())


def _one(field: str, names: tuple[str, ...], found: Sequence[str]) -> str | None:
    there = [name for name in names if name in found]
    if len(there) > 1:
        raise Invalid("import-ambiguous", field=field, columns=_listed(there))
    return there[0] if there else None


def _listed(names: Sequence[str]) -> str:
    more = ["…"] if len(names) > _LISTED else []
    return ", ".join([shown(name) for name in names[:_LISTED]] + more)


def _is_whole(text: str) -> bool:
    """Whether no character is half of one, which JSON can write."""
    return _HALF_A_CHARACTER.search(text) is None


def _units(text: str, scale: int) -> int:
    """The amount in the asset's smallest unit; zero is an amount here, and moves nothing."""
    if _ZERO.fullmatch(text):
        return 0
    if text.startswith("-"):
        raise Invalid("import-negative", value=shown(text))
    try:
        return parse_amount(text, scale)
    except Invalid as error:
        if error.code == "amount-too-precise":
            raise
        raise Invalid("import-amount", value=shown(text)) from None


def _final(text: str | None, scale: int) -> int | None:
    return None if text is None else _units(text, scale)


def _moment(text: str | None) -> str | None:
    """A time in UTC, in the form of RFC 3339. One without an offset counts as UTC."""
    if text is None:
        return None
    if len(text) > _MOMENT_LENGTH:
        raise Invalid("import-time", value=shown(text))
    try:
        moment = datetime.fromisoformat(text)
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("import-time", value=shown(text)) from None
    return aware.isoformat().replace("+00:00", "Z")
