"""Outgoing webhooks: where others hear of what happens, and how they know that it was we.

Signed as Standard Webhooks has it (https://www.standardwebhooks.com): the id, the time and the
body, joined by points, under a secret that only the two of us know. It is not kept: it is derived
from the server's own, so that a stolen database signs nothing.
"""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.notifications import sql_hooks as sql
from comptoir.kit.errors import Conflict, Invalid, NotFound
from comptoir.kit.limits import SECOND

MOST: Final = 20
"""Places of a book where others hear."""

PAUSES: Final = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds between tries, as Standard Webhooks advises: three days in all."""

OVERLAP: Final = 86_400 * SECOND
"""How long an old secret signs beside its successor."""

URL_LENGTH: Final = 500
_PREFIX: Final = "whsec_"


@dataclass(frozen=True, slots=True)
class Hook:
    """A place where others hear.

    Attributes:
        types: of what they want to hear; `*` for all.
        secret_no: which secret it is, of those that were ever in force.
    """

    id: UUID
    url: str
    types: Sequence[str]
    secret_no: int
    rolled_at: int | None
    created_at: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of telling one thing to one place."""

    event: UUID
    type: str
    state: str
    attempts: int
    status: int | None
    error: str | None
    due_at: int | None
    done_at: int | None
    at: int


def check_url(url: str, *, must_be_safe: bool) -> None:
    """See whether somebody can hear there.

    Raises:
        Invalid: it is no web address, or one that anybody could listen in on.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # read only now, and may be none
    except ValueError:
        raise Invalid("url-invalid", field="url") from None
    wanted = {"https"} if must_be_safe else {"https", "http"}
    is_fit = (
        len(url) <= URL_LENGTH and parts.scheme in wanted and parts.hostname and not parts.username
    )
    if not is_fit or not url.isprintable() or " " in url:
        raise Invalid("url-invalid", field="url")


def secret_of(key: bytes, book: int, hook: UUID, number: int) -> str:
    """A secret of a place, as its owner keeps it."""
    raw = hmac.digest(key, f"hook:{book}:{hook}:{number}".encode(), "sha256")
    return _PREFIX + base64.b64encode(raw).decode()


def secrets_of(key: bytes, book: int, hook: Hook, now: int) -> list[str]:
    """The secrets that sign now: the newest, and for a day the one before."""
    numbers = [hook.secret_no]
    if hook.rolled_at is not None and now - hook.rolled_at < OVERLAP:
        numbers.append(hook.secret_no - 1)
    return [secret_of(key, book, hook.id, number) for number in numbers]


def sign(secret: str, id_: str, at: int, body: bytes) -> str:
    """A signature; `at` is in seconds."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    mark = hmac.digest(key, f"{id_}.{at}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(mark).decode()


async def add(tx: AsyncConnection, book: int, id_: UUID, url: str, types: Sequence[str]) -> None:
    """Let others hear somewhere.

    Raises:
        Conflict: there are too many places already.
    """
    row = await (await tx.execute(sql.COUNT, (book,))).fetchone()
    if row is not None and row[0] >= MOST:
        raise Conflict("too-many-hooks", most=MOST)
    await tx.execute(sql.ADD, (book, id_, url, list(types)))


async def listed(tx: AsyncConnection, book: int) -> list[Hook]:
    """The places of a book."""
    return [Hook(*row) for row in await (await tx.execute(sql.LIST, (book,))).fetchall()]


async def find(tx: AsyncConnection, book: int, id_: UUID) -> Hook:
    """A place.

    Raises:
        NotFound: the book has none of that id.
    """
    row = await (await tx.execute(sql.FIND, (book, id_))).fetchone()
    if row is None:
        raise NotFound("hook-not-found")
    return Hook(*row)


async def remove(tx: AsyncConnection, book: int, id_: UUID) -> None:
    """Tell nothing there any more.

    Raises:
        NotFound: the book has none of that id.
    """
    if await (await tx.execute(sql.REMOVE, (book, id_))).fetchone() is None:
        raise NotFound("hook-not-found")


async def roll(tx: AsyncConnection, book: int, id_: UUID) -> int:
    """Give a place another secret; the old one signs for a day yet.

    Raises:
        NotFound: the book has none of that id.
    """
    row = await (await tx.execute(sql.ROLL, (book, id_))).fetchone()
    if row is None:
        raise NotFound("hook-not-found")
    return row[0]


async def deliveries(
    tx: AsyncConnection, book: int, hook: UUID, before: tuple[int, UUID] | None, limit: int
) -> list[Delivery]:
    """What was told to a place, the newest first."""
    at, id_ = before or (2**52, UUID(int=0))
    rows = await (await tx.execute(sql.DELIVERIES, (book, hook, at, id_, limit))).fetchall()
    return [Delivery(*row) for row in rows]


async def unheard(tx: AsyncConnection, book: int, most: int) -> dict[UUID, tuple[int, int]]:
    """What each place has still to hear, and what it never heard; at most so many are counted."""
    cursor = await tx.execute(sql.UNHEARD, {"book": book, "most": most})
    return {id_: (waiting, dead) for id_, waiting, dead in await cursor.fetchall()}


async def wanting(tx: AsyncConnection, book: int, type_: str) -> list[UUID]:
    """The places that want to hear of something."""
    rows = await (await tx.execute(sql.WANTING, (book, type_))).fetchall()
    return [row[0] for row in rows]


async def replay(tx: AsyncConnection, book: int, hook: UUID, event: UUID) -> None:
    """Tell something to a place once more."""
    await tx.execute(sql.REPLAY, (book, hook, event))


async def one(tx: AsyncConnection, query: str, *given: object) -> tuple[Any, ...] | None:
    """The one row that a statement finds."""
    return await (await tx.execute(query.encode(), given)).fetchone()
