"""What pages show of operators: who is signed in, and what was done by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.identity import sql_operators as sql
from comptoir.domains.identity.operators import IDLE_SECONDS, Rank
from comptoir.kit.books import LIVE

LOOKED_AT: Final = 1_000
"""Lines that one page looks at where only some are wanted."""

LAST: Final = UUID(int=2**128 - 1)
FAR: Final = 2**52
"""Comes after every time, in microseconds."""


@dataclass(frozen=True, slots=True)
class Open:
    """A session that has not ended. Times are microseconds since 1970."""

    id: UUID
    name: str
    rank: Rank
    created_at: int
    seen_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the audit. `at` is in microseconds since 1970.

    Attributes:
        who: a name with its rank.
        reason: None where none was asked for, or it was forgotten with a person.
    """

    id: UUID
    at: int
    who: str
    action: str
    subject: str
    reason: str | None
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lines to list, the newest first.

    Attributes:
        before: time and id of the last line that the page before has looked at.
        limit: lines of one page.
    """

    who: str | None = None
    action: str | None = None
    before: tuple[int, UUID] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of one page.

    Attributes:
        looked: how many lines were looked at for it.
        last: the line after which the next page begins; None when this is the last.
    """

    lines: Sequence[Line]
    looked: int
    last: Line | None


async def sessions(tx: AsyncConnection, limit: int) -> list[Open]:
    """The sessions that open anything, the newest first."""
    cursor = await tx.execute(sql.OPEN, (LIVE, IDLE_SECONDS, limit))
    return [
        Open(id_, name, Rank(rank), *times) for id_, name, rank, *times in await cursor.fetchall()
    ]


async def lines(tx: AsyncConnection, book: int, sought: Sought) -> Page:
    """Lines of the audit. What is filtered are the LOOKED_AT lines before the page's first."""
    is_filtered = sought.who is not None or sought.action is not None
    most = max(LOOKED_AT, sought.limit + 1) if is_filtered else sought.limit + 1
    at, id_ = sought.before or (FAR, LAST)
    cursor = await tx.execute(sql.LINES, (book, at, id_, most))
    seen = [Line(*row) for row in await cursor.fetchall()]
    wanted = [
        each
        for each in seen
        if sought.who in (None, each.who) and sought.action in (None, each.action)
    ]
    shown = wanted[: sought.limit]
    last = None
    if len(wanted) > sought.limit:
        last = shown[-1]
    elif len(seen) == most:
        last = seen[-1]
    return Page(shown, len(seen), last)
