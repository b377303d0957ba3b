"""Fingerprints: does a repeated key carry the same request, and if not, which field differs?

A fingerprint is a digest of the whole request followed by three bytes a field: its number and two
bytes of its checksum. The digest decides; the checksums only help to name the field. Nobody can
read a customer's name out of either.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Final
from zlib import crc32

FIELDS: Final = (
    "op",
    "customer",
    "account",
    "from",
    "to",
    "asset",
    "hold",
    "movement",
    "amount",
    "action",
    "quantity",
    "ttl_seconds",
    "on_excess",
    "final",
    "if_spent",
    "expires_at",
    "priority",
    "source",
    "paid",
    "kind",
    "reason",
    "reference",
    "model",
    "cost",
    "metadata",
    "product",
    "size",
    "type",
    "items",
    "minutes",
    "place",
)
"""Every field that a fingerprint knows, in the order in which a difference is named.

Stored fingerprints hold positions in this tuple: new fields are appended, none is ever moved.
"""

_NUMBER: Final = {name: number for number, name in enumerate(FIELDS)}
_DIGEST: Final = 16
_WIDTH: Final = 3
_PACK: Final = Struct(">BH").pack


def fingerprint(fields: Iterable[tuple[str, object]]) -> bytes:
    """The fingerprint of a parsed request; fields that are None are as good as absent.

    The same fields must come in the same order, and amounts as integers, so that `5`, `"5"` and
    `"5.00"` give one fingerprint.
    """
    values: list[bytes] = []
    parts: list[bytes] = []
    for name, value in fields:
        if value is not None:
            text, part = _field(name, value)
            values.append(text)
            parts.append(part)
    tail = b"".join(parts)
    # Unambiguous: the tail says how many values there are, and no value contains a NUL.
    values.append(tail)
    return blake2b(b"\0".join(values), digest_size=_DIGEST).digest() + tail


@lru_cache(maxsize=4096, typed=True)
def _field(name: str, value: object) -> tuple[bytes, bytes]:
    """A value as text, and its three bytes. Most requests share most of their fields.

    Remembered by type too: 1 and True are equal, and their texts are not.
    """
    text = str(value).encode()
    return text, _PACK(_NUMBER[name], crc32(text) & 0xFFFF)


def differing_field(stored: bytes, asked: bytes) -> str:
    """The first field in which two unequal fingerprints differ; "request" if none can be named."""
    before, now = _fields(stored), _fields(asked)
    for number, name in enumerate(FIELDS):
        if before.get(number) != now.get(number):
            return name
    return "request"


def _fields(mark: bytes) -> dict[int, bytes]:
    tail = mark[_DIGEST:]
    return {tail[i]: tail[i + 1 : i + _WIDTH] for i in range(0, len(tail), _WIDTH)}
