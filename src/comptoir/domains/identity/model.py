"""Customers, keys and customer tokens. The rules only: no I/O, no clock, no randomness."""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from comptoir.kit.actor import Role
from comptoir.kit.limits import SECOND

_BOOK_WORD: Final = {1: "live", 2: "test"}
_ROLE_WORD: Final = {Role.OPERATOR: "op", Role.SERVICE: "svc"}
_KEY: Final = re.compile(r"ck_(live|test)_(op|svc)_[A-Za-z0-9_-]{43}", re.ASCII)
_SECRET_BYTES: Final = 32
_TOKEN_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer, by his own id (`customer`) and the surrogate one (`id`)."""

    id: int
    customer: str
    time_zone: str
    locale: str
    email: str | None
    name: str | None
    metadata: dict[str, str]
    created_at: int
    plan: str


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its secret. Times are microseconds since 1970."""

    id: UUID
    book: int
    role: Role
    name: str
    hint: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None

    def is_usable(self, now: int) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def write_key(book: int, role: Role, randomness: bytes) -> str:
    """The text of a new key. Books other than live and test share the form of live.

    Args:
        book: the key's book.
        role: operator or service.
        randomness: 32 random bytes.
    """
    assert len(randomness) == _SECRET_BYTES, "256 bits need no slow hash"
    secret = urlsafe_b64encode(randomness).rstrip(b"=").decode()
    return f"ck_{_BOOK_WORD.get(book, 'live')}_{_ROLE_WORD[role]}_{secret}"


def looks_like_key(text: str) -> bool:
    """Whether `text` has the form of a key at all."""
    return _KEY.fullmatch(text) is not None


def hash_key(key: str) -> bytes:
    """What is stored of a key."""
    return sha256(key.encode()).digest()


def hint_of(key: str) -> str:
    """What lists show of a key: its kind and its last four characters."""
    return f"{key[:11]}…{key[-4:]}"


@dataclass(frozen=True, slots=True)
class CustomerToken:
    """What a customer token says: one customer of one book, until a time in microseconds."""

    book: int
    customer: int
    expires_at: int


def write_token(secret: bytes, token: CustomerToken) -> str:
    """The text of a token, signed with `secret`."""
    body = f"{token.book}.{token.customer}.{token.expires_at // SECOND}"
    return f"ct_{body}.{_sign(secret, body)}"


def read_token(secret: bytes, text: str, now: int) -> CustomerToken | None:
    """What a token says, or None when it is not ours, was changed, or has expired."""
    parts = text.removeprefix("ct_").split(".")
    if not text.startswith("ct_") or len(parts) != _TOKEN_PARTS:
        return None
    body = ".".join(parts[:3])
    if not hmac.compare_digest(_sign(secret, body).encode(), parts[3].encode()):
        return None
    book, customer, expires = (int(part) for part in parts[:3])
    if expires * SECOND <= now:
        return None
    return CustomerToken(book, customer, expires * SECOND)


def sign_text(secret: bytes, purpose: str, text: str) -> str:
    """`text`, readable by anybody who decodes it, changed by nobody without `secret`."""
    body = urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
    return f"{body}.{_sign(secret, purpose + body)}"


def read_signed(secret: bytes, purpose: str, signed: str) -> str | None:
    """What `sign_text` signed for the same purpose, or None."""
    body, _, signature = signed.partition(".")
    if not hmac.compare_digest(_sign(secret, purpose + body).encode(), signature.encode()):
        return None
    return urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()


def _sign(secret: bytes, body: str) -> str:
    digest = hmac.digest(secret, body.encode(), "sha256")[:16]
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
