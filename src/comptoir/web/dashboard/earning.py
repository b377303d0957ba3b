"""What was earned, as pages and the background need it: kept hours first, then what is new."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from comptoir.app import App
from comptoir.domains.credits import earnings, margin
from comptoir.domains.credits.commands import STOCK
from comptoir.domains.credits.margin import Earned, Span
from comptoir.domains.identity import queries
from comptoir.kit.limits import COST_SCALE
from comptoir.store.pool import TooLong, begin, begin_brief

HOURS: Final = 24
"""That are added up in one transaction."""

_ROUNDS: Final = 200
_MINOR: Final = 2


@dataclass(frozen=True, slots=True)
class Found:
    """What was earned in a span of time.

    Attributes:
        lines: the worst margin first.
        until: up to when it is complete, in microseconds; the end of the span when all of it is.
    """

    lines: list[Earned]
    until: int


def cost_of(line: Earned) -> Decimal:
    """What it has cost, in the major unit."""
    return Decimal(line.cost).scaleb(-COST_SCALE)


def percent_of(line: Earned) -> str | None:
    """The margin on what it has cost; None when it cost nothing, or came in several currencies."""
    if len(line.revenue) > 1:
        return None
    return margin.percent(Decimal(sum(line.revenue.values())).scaleb(-_MINOR), cost_of(line))


def total_of(lines: Iterable[Earned]) -> Earned:
    """All of it together."""
    total = Earned(None)
    for line in lines:
        total.times += line.times
        total.credits += line.credits
        total.unpaid += line.unpaid
        total.cost += line.cost
        for currency, revenue in line.revenue.items():
            total.revenue[currency] = total.revenue.get(currency, 0) + revenue
    return total


async def earned(app: App, span: Span, by: str) -> Found:
    """What was earned in a span that begins with an hour.

    What is new and takes longer than a quarter of a second is left out: `until` says so.

    Raises:
        TooLong: even what was added up before takes too long, or nothing was.
    """
    kept: dict[str | None, Earned] = {}
    since = span.since
    if by != "customer":
        async with begin_brief(app.pool) as tx:
            done = await earnings.until(tx, span.book, span.asset)
            since = min(max(span.since, done), span.until)
            before = Span(span.book, span.asset, span.since, since)
            kept = await earnings.kept(tx, before, by) if since > span.since else {}
    try:
        async with begin_brief(app.pool) as tx:
            new = Span(span.book, span.asset, since, span.until)
            lines, until = await earnings.rest(tx, new, by, kept), span.until
    except TooLong:
        if since <= span.since:
            raise
        lines, until = list(kept.values()), since
    return Found(sorted(lines, key=_worst), until)


def _worst(line: Earned) -> tuple[bool, Decimal, int]:
    percent = percent_of(line)
    return percent is None, Decimal(percent or 0), -line.credits


async def keep_up(app: App) -> None:
    """Add up the hours that are over, of all books: some at a time, so that nobody waits long.

    Raises:
        Unavailable: the database cannot be reached.
    """
    async with begin(app.pool) as tx:
        books = await queries.books(tx)
    for book in books.values():
        facts = await app.directory.facts(book)
        for asset in [each for code, each in facts.assets.items() if code != STOCK]:
            for _ in range(_ROUNDS):
                async with begin(app.pool) as tx:
                    done = await earnings.add_up(tx, book, asset.id, app.clock(), HOURS)
                if done < HOURS:
                    break
