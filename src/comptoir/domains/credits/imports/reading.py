"""From the bytes of a file to records: CSV, JSON lines, and objects of Redis as JSON lines.

A record is read in bounded memory, whatever the file holds. What makes all that follows doubtful,
such as quotes that are never closed, ends the reading; what concerns one line is that line's fault.
"""

import csv
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, cast

from comptoir.domains.credits.imports.model import Fault, Form, Record, Trouble
from comptoir.kit.errors import Invalid
from comptoir.kit.limits import IMPORT_COLUMNS, IMPORT_LINE_BYTES, IMPORT_LINES

_SHOWN: Final = 40
_DELIMITERS: Final = (",", ";", "\t")
_AROUND_KEYS: Final = frozenset(
    {"user", "users", "stats", "userstats", "user-stats", "user_stats", "tokens"}
)
"""What keys of users' objects have before or after the user: user:alice:stats."""


def shown(value: object) -> str:
    """A value from a file as it may be shown to a person: short, and without control characters."""
    text = str(value)
    cut = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return "".join(char if char.isprintable() else "?" for char in cut)


class Lines:
    """The lines of a file as texts.

    Attributes:
        number: of the last line.
        bytes_read: how far the file is read.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.number = 0
        self.bytes_read = 0
        self._stream = stream
        self._record = 0

    def begin_record(self) -> int:
        """A record ends, and another begins; returns the number of its first line."""
        self._record = 0
        return self.number + 1

    def __iter__(self) -> Iterator[str]:
        while True:  # bounded: the file ends, or has a line too many
            raw = self._stream.readline(IMPORT_LINE_BYTES + 1)
            if not raw:
                return
            self.number += 1
            self.bytes_read += len(raw)
            self._record += len(raw)
            if self._record > IMPORT_LINE_BYTES:
                raise Invalid("import-line-too-long", line=self.number, most=IMPORT_LINE_BYTES)
            yield self._text(raw)

    def _text(self, raw: bytes) -> str:
        try:
            text = raw.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise Invalid("import-encoding", line=self.number) from None
        if "\0" in text:
            raise Invalid("import-nul", line=self.number)
        return text


def records(lines: Lines, form: Form, most: int = IMPORT_LINES) -> Iterator[Record | Fault]:
    """The records of a file, in order; blank lines are none.

    Raises:
        Invalid: the file is empty, too long, or cannot be read beyond some line.
    """
    found = 0
    for record in _READERS[form](lines):
        found += 1
        if found > most:
            raise Invalid("import-too-many-lines", most=most)
        yield record
    if not found:
        raise Invalid("import-empty")


def _csv(lines: Lines) -> Iterator[Record | Fault]:
    texts = iter(lines)
    heading = next((text for text in texts if text.strip()), None)
    if heading is None:
        return
    delimiter = max(_DELIMITERS, key=heading.count)
    [(_, row)] = _rows(csv.reader([heading], delimiter=delimiter, strict=True), lines)
    names = _heading(row)
    for line, row in _rows(csv.reader(texts, delimiter=delimiter, strict=True), lines):
        if not any(row):
            continue
        if len(row) == len(names):
            yield Record(line, dict(zip(names, row, strict=True)))
            continue
        error = Invalid("import-cells", wanted=len(names), found=len(row))
        yield Fault(line, Trouble.INVALID, error)


def _rows(rows: Iterator[list[str]], lines: Lines) -> Iterator[tuple[int, list[str]]]:
    while True:  # bounded: the lines end
        line = lines.begin_record()
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            raise Invalid("import-quotes", line=line) from None
        yield line, row


def _heading(row: list[str]) -> list[str]:
    names = [name.strip() for name in row]
    if len(names) > IMPORT_COLUMNS:
        raise Invalid("import-too-many-columns", most=IMPORT_COLUMNS)
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise Invalid("import-column-twice", column=shown(twice))
    return names


def _jsonl(lines: Lines) -> Iterator[Record | Fault]:
    return _objects(lines, lambda found: found)


def _redis(lines: Lines) -> Iterator[Record | Fault]:
    return _objects(lines, _of_redis)


def _objects(
    lines: Lines, unpack: Callable[[dict[str, object]], dict[str, object]]
) -> Iterator[Record | Fault]:
    for text in lines:
        lines.begin_record()
        if not text.strip():
            continue
        try:
            cells = unpack(_object(text))
        except Invalid as error:
            yield Fault(lines.number, Trouble.INVALID, error)
        else:
            yield Record(lines.number, cells)


def _object(text: str) -> dict[str, object]:
    """A JSON object. Numbers stay as they are written, so that none is ever rounded."""
    try:
        found: object = _JSON.decode(text.strip())
    except (ValueError, RecursionError):
        raise Invalid("import-json") from None
    if not isinstance(found, dict):
        raise Invalid("import-json")
    cells = cast("dict[str, object]", found)
    if len(cells) > IMPORT_COLUMNS:
        raise Invalid("import-too-many-columns", most=IMPORT_COLUMNS)
    return cells


def _of_redis(dumped: dict[str, object]) -> dict[str, object]:
    """A user's object: {"key": "user:alice", "value": {...}}; the value may be JSON as a text."""
    key, value = dumped.get("key"), dumped.get("value")
    if isinstance(value, str):
        value = _object(value)
    if not isinstance(key, str) or not isinstance(value, dict):
        raise Invalid("import-redis")
    return {**cast("dict[str, object]", value), "key": _user(key)}


def _user(key: str) -> str:
    """The user whose object has that key."""
    parts = key.split(":")
    while len(parts) > 1 and parts[0].lower() in _AROUND_KEYS:
        parts.pop(0)
    while len(parts) > 1 and parts[-1].lower() in _AROUND_KEYS:
        parts.pop()
    return ":".join(parts)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _no_number(text: str) -> object:
    raise ValueError(text)


_JSON: Final = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=str, parse_int=str, parse_constant=_no_number
)
_READERS: Final = {Form.CSV: _csv, Form.JSONL: _jsonl, Form.REDIS: _redis}
