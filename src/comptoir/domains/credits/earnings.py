"""What was earned, quickly however long the time: whole hours are added up once and kept.

An hour is added up when it has been over for ten minutes. A line that is committed later than that
with a time of that hour (a caller's own transaction that stayed open so long) is in the journal
and in the margin that the API tells, but not in what is kept here.
"""

import asyncio
from dataclasses import replace
from typing import Final

from psycopg import AsyncConnection

from comptoir.domains.credits import margin
from comptoir.domains.credits import sql_earnings as sql
from comptoir.domains.credits.margin import Burn, Earned, Span
from comptoir.kit.limits import SECOND

HOUR: Final = 3_600 * SECOND
OVER_FOR: Final = 600 * SECOND
"""How long an hour is over before it is added up: by then what was under way is committed."""

_ALONE: Final = 0x6561726E
"""The first half of an advisory lock: "earn" in ASCII."""

Row = tuple[int, str, str, str, int, int, int, int, int]


async def until(tx: AsyncConnection, book: int, asset: int) -> int:
    """Up to when whole hours were added up, in microseconds; 0 when none was."""
    row = await (await tx.execute(sql.UNTIL, (book, asset))).fetchone()
    return 0 if row is None else row[0]


async def add_up(tx: AsyncConnection, book: int, asset: int, now: int, hours: int) -> int:
    """Add up the next hours that are over; says how many. 0 also when somebody else is at it.

    Args:
        tx: an open transaction, which is best committed soon.
        book: of which book.
        asset: of which asset.
        now: in microseconds.
        hours: at most so many.
    """
    row = await (await tx.execute(sql.ALONE, (_ALONE, asset))).fetchone()
    if row is None or not row[0]:
        return 0
    given = {"book": book, "asset": asset}
    row = await (await tx.execute(sql.BEGIN, given)).fetchone()
    if row is None:
        return 0
    since = row[0]
    last = min(since + hours * HOUR, (now - OVER_FOR) // HOUR * HOUR)
    if last <= since:
        return 0
    rows: list[Row] = []
    for hour in range(since, last, HOUR):
        found = await margin.burnt(tx, Span(book, asset, hour, hour + HOUR))
        # Beside the event loop, which others wait for: an hour may have many thousand lines.
        rows += await asyncio.to_thread(_rows, hour, found) if found.burns else []
    if rows:
        await tx.execute(sql.ADD, (book, asset, *(list(column) for column in zip(*rows))))  # noqa: B905  # rows are of one type
    await tx.execute(sql.GO_ON, (last, book, asset))
    return (last - since) // HOUR


def _rows(hour: int, of: margin.Burnt) -> list[Row]:
    found = margin.summed(of, _action_and_model)
    rows: list[Row] = []
    for (action, model), line in found.items():
        counts = (line.times, line.credits, line.unpaid, line.cost)
        rows.append((hour, action, model, "", *counts, 0))
        rows += [
            (hour, action, model, currency or "?", 0, 0, 0, 0, revenue)
            for currency, revenue in line.revenue.items()
        ]
    return rows


def _action_and_model(burn: Burn) -> tuple[str, str]:
    return burn.action or "", burn.model or ""


async def kept(tx: AsyncConnection, span: Span, by: str) -> dict[str | None, Earned]:
    """What was earned in hours that were added up, by action or model."""
    given = {
        "book": span.book, "asset": span.asset, "since": span.since, "until": span.until, "by": by,
    }  # fmt: skip
    found: dict[str | None, Earned] = {}
    for name, currency, times, credits_, unpaid, cost, revenue in await (
        await tx.execute(sql.SUM, given)
    ).fetchall():
        key = name or None
        line = found.setdefault(key, Earned(key))
        line.times += times
        line.credits += credits_
        line.unpaid += unpaid
        line.cost += cost
        if currency:
            line.revenue[currency] = line.revenue.get(currency, 0) + revenue
    return found


async def rest(
    tx: AsyncConnection, span: Span, by: str, before: dict[str | None, Earned]
) -> list[Earned]:
    """What was earned before, and in a span of time of which nothing was added up yet."""
    found = {key: replace(line, revenue=dict(line.revenue)) for key, line in before.items()}
    for each in await margin.earned(tx, span, by):
        line = found.setdefault(each.key, Earned(each.key))
        line.times += each.times
        line.credits += each.credits
        line.unpaid += each.unpaid
        line.cost += each.cost
        for currency, revenue in each.revenue.items():
            line.revenue[currency] = line.revenue.get(currency, 0) + revenue
    return list(found.values())
