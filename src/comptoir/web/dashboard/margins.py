"""The margin: what was burnt, what had been paid for it and what it has cost, the worst first."""

from decimal import Decimal
from typing import Final

from comptoir.domains.credits.commands import CREDITS
from comptoir.domains.credits.margin import BY, Earned, Span
from comptoir.kit.amounts import format_amount
from comptoir.kit.limits import DAY
from comptoir.store.facts import Asset
from comptoir.store.pool import TooLong
from comptoir.web.dashboard import tables
from comptoir.web.dashboard.accounts import codes_of
from comptoir.web.dashboard.crediting import packs_of, price_list
from comptoir.web.dashboard.earning import Found, cost_of, earned, percent_of, total_of
from comptoir.web.dashboard.visits import HOME, Visit, reading
from comptoir.web.pages.tables import number_of
from comptoir.web.replies import Reply, write_time

WINDOWS: Final = (1, 7, 30, 90, 365)
"""Days, today among them."""

_USUAL: Final = 30
_SHOWN: Final = 200
_HEADINGS: Final = (
    "key", "times", "credits", "unpaid_credits", "revenue", "cost", "margin_percent", "since",
    "until",
)  # fmt: skip


async def margins(visit: Visit) -> Reply:
    """GET /dashboard/margin."""
    facts = await visit.call.app.directory.facts(visit.book)
    asset = facts.assets.get(visit.query.get("asset", CREDITS)) or facts.assets[CREDITS]
    by = visit.query.get("by", BY[0])
    by = by if by in BY else BY[0]
    days = number_of(visit.query.get("days"), _USUAL)
    days = days if days in WINDOWS else _USUAL
    span = span_of(visit, asset, days)
    try:
        found = await earned(visit.call.app, span, by)
    except TooLong:
        found = None
    if tables.wants_file(visit):
        return _file(visit, asset, span, found)
    priced, _ = await price_list(visit, asset, await packs_of(visit))
    return visit.page(
        "margin.html", found=found, asset=asset, assets=codes_of(facts.assets), by=by, ways=BY,
        days=days, windows=WINDOWS, span=span, priced=priced, shown=_SHOWN,
        total=total_of(found.lines) if found else None, cost_of=cost_of, percent_of=percent_of,
    )  # fmt: skip


def span_of(visit: Visit, asset: Asset, days: int) -> Span:
    """So many days, with today until now: each begins at midnight UTC."""
    now = visit.call.now
    return Span(visit.book, asset.id, now - now % DAY - (days - 1) * DAY, now)


def _file(visit: Visit, asset: Asset, span: Span, found: Found | None) -> Reply:
    if found is None:
        raise TooLong("overloaded")
    ends = (write_time(span.since), write_time(found.until))
    rows = [[*_row(each, asset), *ends] for each in found.lines]
    return tables.file(visit, "margin", _HEADINGS, rows, "")


def _row(of: Earned, asset: Asset) -> list[object]:
    revenue = " ".join(
        f"{Decimal(sum_).scaleb(-2):f} {name}" for name, sum_ in sorted(of.revenue.items())
    )
    figures = (format_amount(each, asset.scale) for each in (of.credits, of.unpaid))
    return [of.key, of.times, *figures, revenue, f"{cost_of(of).normalize():f}", percent_of(of)]


OPERATIONS: Final = (reading(f"{HOME}/margin", margins),)
