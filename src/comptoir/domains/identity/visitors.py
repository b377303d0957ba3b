"""Customers who look at their own pages: links that work once, and sessions that can be ended.

Only hashes of secrets are kept. A link becomes the session that it opens: its own secret is good
for nothing from then on.
"""

import hmac
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.identity import sql_visitors as sql
from comptoir.domains.identity.model import read_signed, sign_text
from comptoir.domains.identity.operators import hash_secret, looks_like_secret
from comptoir.kit.errors import NotFound

LINK_SECONDS: Final = 15 * 60
LINK_SECONDS_MAX: Final = 7 * 24 * 3600
SESSION_SECONDS: Final = 3600
SECRET_BYTES: Final = 32
_PURPOSE: Final = "portal-link\n"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A customer who looks at his own pages.

    Attributes:
        id: of the session.
        book: his, by its number and its name.
        customer: his surrogate id; `named` is what his seller calls him.
        name: his own, if it is known.
    """

    id: UUID
    book: int
    book_name: str
    is_test: bool
    customer: int
    named: str
    name: str | None
    locale: str
    time_zone: str
    plan: str


@dataclass(frozen=True, slots=True)
class Pass:
    """A link or a session that is about to be added; only a hash of its secret is kept."""

    book: int
    id: UUID
    customer: int
    secret: str
    seconds: int

    @property
    def row(self) -> tuple[object, ...]:
        """Its values, in the order of the statements that add it."""
        return self.book, self.id, self.customer, hash_secret(self.secret), self.seconds


def write_link(public_url: str, key: bytes, secret: str) -> str:
    """The address of a link, signed with a server's key: what is not is asked about nowhere."""
    return f"{public_url}/portal?token={sign_text(key, _PURPOSE, secret)}"


def read_link(key: bytes, text: str) -> str | None:
    """The secret of a link's token; None when it is none of ours."""
    secret = read_signed(key, _PURPOSE, text) if text.isascii() else None
    return secret if secret is not None and looks_like_secret(secret) else None


async def add_link(tx: AsyncConnection, of: Pass) -> int:
    """Let whoever has the secret open a session, once; returns until when, in microseconds."""
    row = await (await tx.execute(sql.ADD_LINK, of.row)).fetchone()
    assert row is not None, "an insert returns its row"
    return row[0]


async def add_session(tx: AsyncConnection, of: Pass) -> None:
    """Open a session whose cookie is the secret."""
    await tx.execute(sql.ADD_SESSION, of.row)


async def can_open(tx: AsyncConnection, secret: str) -> bool:
    """Whether a link still opens a session; to ask does not use it up."""
    digest = hash_secret(secret)
    row = await (await tx.execute(sql.LINK, (digest,))).fetchone()
    return row is not None and hmac.compare_digest(row[0], digest)


async def open_link(tx: AsyncConnection, secret: str, cookie: str) -> None:
    """Use a link up, and let its session have this cookie.

    Raises:
        NotFound: there is no such link, or it was used, or it is too old.
    """
    given = {
        "link": hash_secret(secret),
        "session": hash_secret(cookie),
        "seconds": SESSION_SECONDS,
    }
    if await (await tx.execute(sql.OPEN, given)).fetchone() is None:
        raise NotFound("not-found")


async def visitor(tx: AsyncConnection, cookie: str) -> Visitor | None:
    """Whose cookie it is; None when it is nobody's, has ended, or his owner was erased."""
    digest = hash_secret(cookie)
    row = await (await tx.execute(sql.SESSION, (digest,), prepare=True)).fetchone()
    if row is None or not hmac.compare_digest(row[0], digest):
        return None
    return Visitor(*row[1:])


async def end(tx: AsyncConnection, of: Visitor) -> None:
    """Let a session open nothing any more."""
    await tx.execute(sql.END, (of.book, of.id))


async def end_all(tx: AsyncConnection, book: int, customer: int) -> None:
    """Let no link and no session of a customer open anything any more."""
    await tx.execute(sql.END_ALL, (book, customer))
