"""Identifiers: made from what the caller said, or time-ordered and random; never from sequences.

A request's id is a digest of its book and its idempotency key, so that one key of one book is one
row, wherever it comes in. Provider keys and documents use UUIDv7 (RFC 9562), whose randomness
keeps a restored backup from meeting another row's key.
"""

import re
from hashlib import blake2b
from typing import Final
from uuid import UUID

ID_BYTES: Final = 16
RANDOM_BYTES: Final = 10
"""What `uuid7` wants of randomness."""

_HOLD: Final = re.compile(r"hold_([0-9a-f]{32})", re.ASCII)
_MOVEMENT: Final = re.compile(r"mv_([1-9][0-9]{0,17})_([1-9][0-9]{0,17})", re.ASCII)


def request_id(book: int, key: str) -> bytes:
    """The 16-byte id of the request that `key` names in `book`."""
    return blake2b(key.encode(), digest_size=ID_BYTES, salt=book.to_bytes(8, "big")).digest()


def scoped_key(customer: int, key: str) -> str:
    """A key that a customer token sent: it cannot meet the keys of anybody else in the book.

    The separator is a control character, which no caller's key may contain.
    """
    return f"{customer}\x1f{key}"


def uuid7(now_us: int, randomness: bytes) -> UUID:
    """A UUIDv7 of a moment in microseconds since 1970 and ten random bytes."""
    assert len(randomness) == RANDOM_BYTES, "seventy-four bits are used of eighty"
    stamp = (now_us // 1000).to_bytes(6, "big")
    raw = bytearray(stamp + randomness)
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return UUID(bytes=bytes(raw))


def hold_name(hold: bytes) -> str:
    """How a hold is written outside of the ledger."""
    return f"hold_{hold.hex()}"


def parse_hold(name: str) -> bytes | None:
    """The hold that `name` writes, or None when it cannot be one."""
    found = _HOLD.fullmatch(name)
    return bytes.fromhex(found[1]) if found else None


def movement_name(account: int, version: int) -> str:
    """How a movement is written outside of the ledger: its account and its version there."""
    return f"mv_{account}_{version}"


def parse_movement(name: str) -> tuple[int, int] | None:
    """The account and version that `name` writes, or None when it cannot be a movement."""
    found = _MOVEMENT.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None
