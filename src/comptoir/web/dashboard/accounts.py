"""Accounts: who has what, filtered by the address of the page."""

from collections.abc import Iterable, Sequence
from typing import Final

from comptoir.domains.credits import overview
from comptoir.domains.credits.commands import CREDITS, STOCK
from comptoir.domains.credits.overview import Standing
from comptoir.kit.amounts import format_amount
from comptoir.store.facts import Asset
from comptoir.store.pool import begin_brief
from comptoir.web.dashboard import tables
from comptoir.web.dashboard.visits import HOME, Visit, reading
from comptoir.web.pages.tables import number_of
from comptoir.web.replies import Reply, write_moment

_LOOKED_AT: Final = 1_000
"""Customers that one page looks at where only some are wanted: however rare they are, it ends."""

FLAGS: Final = ("low", "empty", "held", "debt")
_HEADINGS: Final = (
    "customer", "name", "plan", "asset", "available", "held", "balance", "debt", "changed_at",
)  # fmt: skip


async def accounts(visit: Visit) -> Reply:
    """GET /dashboard/accounts."""
    facts = await visit.call.app.directory.facts(visit.book)
    asset = facts.assets.get(visit.query.get("asset", CREDITS)) or facts.assets[CREDITS]
    looked, last = await _look(visit, asset)
    flag = visit.query.get("flag")
    shown = [each for each in looked if flag not in FLAGS or flag in each.flags]
    more = visit.here(after=last) if last else ""
    if tables.wants_file(visit):
        rows = (_row(each, asset) for each in shown)
        return tables.file(visit, "accounts", _HEADINGS, rows, more)
    return visit.page(
        "accounts.html", found=shown, asset=asset, assets=codes_of(facts.assets),
        flag=flag if flag in FLAGS else "", flags=FLAGS, looked=len(looked), more=more,
    )  # fmt: skip


async def _look(visit: Visit, asset: Asset) -> tuple[Sequence[Standing], str]:
    """The customers of one page, and after which of them the next one begins."""
    said, after = visit.query.get("q", "").strip(), visit.query.get("after", "")
    limit = tables.rows_of(visit)
    if visit.query.get("flag") in FLAGS:
        limit = max(limit, _LOOKED_AT)
    async with begin_brief(visit.call.app.pool) as tx:
        if said:
            place = (visit.book, asset.id)
            found = await overview.beginning_with(tx, place, said, after, limit + 1)
            last = found[limit - 1].customer if len(found) > limit else ""
        else:
            before = number_of(after, overview.EVERYONE)
            found = await overview.newest(tx, visit.book, asset.id, before, limit + 1)
            last = str(found[limit - 1].id) if len(found) > limit else ""
    return found[:limit], last


def codes_of(codes: Iterable[str]) -> list[str]:
    """The assets that customers have, credits first."""
    return sorted({*codes} - {STOCK}, key=lambda code: (code != CREDITS, code))


def _row(of: Standing, asset: Asset) -> list[object]:
    figures = (of.available, of.held, of.posted, of.debt)
    return [
        of.customer, of.name, of.plan, asset.code,
        *(format_amount(each, asset.scale) for each in figures), write_moment(of.at),
    ]  # fmt: skip


OPERATIONS: Final = (reading(f"{HOME}/accounts", accounts),)
