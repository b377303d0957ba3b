"""Operators who sign in by a one-time address, their sessions, and what each of them did.

Only hashes of secrets are kept. A secret has 256 random bits, so that a fast hash is enough.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b, sha256
from typing import Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from comptoir.domains.identity import sql_operators as sql
from comptoir.kit.books import LIVE
from comptoir.kit.errors import NotFound

LOGIN_SECONDS: Final = 30 * 60
IDLE_SECONDS: Final = 12 * 3600
SESSION_SECONDS: Final = 7 * 24 * 3600
SECRET_BYTES: Final = 32

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Rank(StrEnum):
    """What an operator may do in the pages."""

    VIEWER = "viewer"
    """Look."""
    SUPPORT = "support"
    """Act: grant, release, adjust, replay, close."""
    ADMIN = "admin"
    """All of it."""

    @property
    def may_act(self) -> bool:
        """Whether he may change anything."""
        return self is not Rank.VIEWER


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in.

    Attributes:
        book: which he looks at, by its number and its name.
        is_test: nothing in that book is real.
        rests: nobody has noted for a minute that he is here.
    """

    id: UUID
    name: str
    rank: Rank
    book: int
    book_name: str
    is_test: bool
    rests: bool


@dataclass(frozen=True, slots=True)
class Deed:
    """A line of the audit: what an operator did.

    Attributes:
        key: of the form: the same key is the same deed.
        subject: a surrogate name, never a person's.
        account: the account that it is about, so that its reason can go with its owner.
        figures: numbers and surrogate names.
    """

    book: int
    key: str
    who: str
    session: UUID | None
    action: str
    subject: str
    reason: str | None = None
    account: int | None = None
    figures: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def row(self) -> tuple[object, ...]:
        """Its values, in the order of the statement that adds it."""
        figures = msgspec.json.encode(self.figures).decode()
        return (
            self.book, deed_id(self.key), self.who, self.session, self.action, self.subject,
            self.account, self.reason, figures,
        )  # fmt: skip


def deed_id(key: str) -> UUID:
    """The id of the line that a form's key makes."""
    return UUID(bytes=blake2b(key.encode(), digest_size=16).digest())


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret."""
    return sha256(secret.encode()).digest()


def looks_like_secret(text: str) -> bool:
    """Whether it has the form of one at all."""
    return _SECRET.fullmatch(text) is not None


async def add_login(tx: AsyncConnection, id_: UUID, secret: str, name: str, rank: Rank) -> None:
    """Let somebody sign in once within half an hour, with an address that has this secret."""
    given = (LIVE, id_, hash_secret(secret), name, rank, LOGIN_SECONDS)
    await tx.execute(sql.ADD_LOGIN, given)


async def can_sign_in(tx: AsyncConnection, secret: str) -> bool:
    """Whether an address still signs somebody in; to ask does not use it up."""
    digest = hash_secret(secret)
    row = await (await tx.execute(sql.LOGIN, (digest,))).fetchone()
    return row is not None and hmac.compare_digest(row[0], digest)


async def sign_in(tx: AsyncConnection, secret: str, id_: UUID, token: str) -> tuple[str, Rank]:
    """Use an address up, and open a session whose cookie is `token`; returns who it is.

    Raises:
        NotFound: there is no such address, or it was used, or it is too old.
    """
    digest = hash_secret(secret)
    row = await (await tx.execute(sql.USE_LOGIN, (digest,))).fetchone()
    if row is None or not hmac.compare_digest(row[0], digest):
        raise NotFound("not-found")
    name, rank = row[1], Rank(row[2])
    given = (LIVE, id_, hash_secret(token), name, rank, LIVE, SESSION_SECONDS)
    await tx.execute(sql.ADD_SESSION, given)
    return name, rank


async def session(tx: AsyncConnection, token: str) -> Session | None:
    """Whose cookie it is; None when it is nobody's, or has ended."""
    digest = hash_secret(token)
    row = await (await tx.execute(sql.SESSION, (digest, IDLE_SECONDS), prepare=True)).fetchone()
    if row is None or not hmac.compare_digest(row[0], digest):
        return None
    _, id_, name, rank, book, book_name, is_test, rests = row
    return Session(id_, name, Rank(rank), book, book_name, is_test, rests)


async def note_seen(tx: AsyncConnection, id_: UUID) -> None:
    """Remember that somebody is here."""
    await tx.execute(sql.SEEN, (LIVE, id_))


async def show_book(tx: AsyncConnection, id_: UUID, book: str) -> None:
    """Let a session look at another book.

    Raises:
        NotFound: there is no such book.
    """
    if await (await tx.execute(sql.SHOW_BOOK, (LIVE, id_, book))).fetchone() is None:
        raise NotFound("not-found")


async def end(tx: AsyncConnection, id_: UUID) -> bool:
    """Let a session open nothing any more; False when it had ended, or there is none."""
    return await (await tx.execute(sql.END, (LIVE, id_))).fetchone() is not None


async def note(tx: AsyncConnection, deed: Deed) -> bool:
    """Add a line to the audit; False when the same form has added it before."""
    columns = [[value] for value in deed.row]
    return await (await tx.execute(sql.NOTE, columns)).fetchone() is not None


async def forget_reasons(tx: AsyncConnection, book: int, customer: int) -> None:
    """Forget what was said in the audit about the accounts of somebody who is erased."""
    await tx.execute(sql.FORGET_REASONS, (book, book, customer))
