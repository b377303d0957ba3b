"""The names that callers give to what they guard: short, printable, and told apart by book."""

import re
from hashlib import blake2b
from typing import Final

from comptoir.kit.errors import Invalid
from comptoir.kit.limits import KEY_LENGTH, PRINTABLE

METRIC_LENGTH: Final = 64
_NAME: Final = re.compile(PRINTABLE)
_METRIC: Final = re.compile(r"^[a-z][a-z0-9_.:-]*\Z", re.ASCII)


def named(field: str, name: str) -> str:
    """The name, if it can be one: 1 to 255 printable characters.

    Raises:
        Invalid: it cannot.
    """
    if len(name) > KEY_LENGTH or not _NAME.match(name):
        raise Invalid("field-invalid", field=field)
    return name


def metric(name: str) -> str:
    """The name of a metric or a counter: lower case, as `ai-calls` or `quotes:created`.

    Raises:
        Invalid: it cannot be one.
    """
    if len(name) > METRIC_LENGTH or not _METRIC.match(name):
        raise Invalid("field-invalid", field="metric")
    return name


def lock_number(book: int, key: str) -> int:
    """The number of PostgreSQL's advisory lock for a key of a book."""
    digest = blake2b(key.encode(), digest_size=8, salt=book.to_bytes(8, "big"), person=b"lock")
    return int.from_bytes(digest.digest(), signed=True)
