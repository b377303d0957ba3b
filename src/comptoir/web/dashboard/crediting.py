"""Credits: what is about to expire, what has been held for long, what things cost, and packs."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from comptoir.domains.credits import margin, overview, packs, queries
from comptoir.domains.credits.commands import CREDITS
from comptoir.domains.credits.margin import ListPrice
from comptoir.domains.credits.overview import FIRST, Expiring, OpenHold
from comptoir.domains.credits.packs import Pack
from comptoir.kit.amounts import format_amount
from comptoir.kit.ids import hold_name, parse_hold
from comptoir.kit.limits import COST_SCALE, DAY
from comptoir.store.facts import Asset
from comptoir.store.pool import begin_brief
from comptoir.web.dashboard import tables
from comptoir.web.dashboard.accounts import codes_of
from comptoir.web.dashboard.holding import let_go
from comptoir.web.dashboard.visits import HOME, Visit, acting, reading
from comptoir.web.pages.forms import go
from comptoir.web.pages.tables import number_of
from comptoir.web.replies import Reply, write_moment, write_time

_CREDITS: Final = f"{HOME}/credits"
_AHEAD: Final = 30 * DAY
_PRICES: Final = 100
_LOOKED_AT: Final = 1_000
"""Holds that one page looks at: of them those of stock are left out, and it ends all the same."""

_LOTS: Final = (
    "customer", "asset", "left", "held", "granted", "source", "expires_at", "account", "lot",
)  # fmt: skip
_HOLDS: Final = (
    "hold", "customer", "asset", "amount", "since", "expires_at", "reason", "reference",
)  # fmt: skip
_PRICE_LIST: Final = (
    "action", "credits", "real_cost", "pack", "price", "currency", "margin_percent",
)  # fmt: skip
_PACKS: Final = (
    "pack", "name", "asset", "credits", "price_without_tax", "price_with_tax", "currency",
    "tax_percent",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Priced:
    """An action of the price list.

    Attributes:
        brings: what it brings with each pack, and the margin, if its cost is known.
    """

    action: str
    credits: int
    cost: Decimal | None
    brings: list[tuple[ListPrice, str | None]]


@dataclass(frozen=True, slots=True)
class Sold:
    """A pack with its price without tax and with it, in minor units, and of one credit."""

    pack: Pack
    name: str
    asset: Asset
    without: int
    with_tax: int
    each: str


async def listed(visit: Visit) -> Reply:
    """GET /dashboard/credits."""
    facts = await visit.call.app.directory.facts(visit.book)
    asset = facts.assets.get(visit.query.get("asset", CREDITS)) or facts.assets[CREDITS]
    wanted = visit.query.get("list") if tables.wants_file(visit) else None
    if wanted == "lots":
        lots, more = await _lots(visit)
        return tables.file(visit, "lots", _LOTS, (_lot_row(each) for each in lots), more)
    if wanted == "holds":
        holds, more = await _holds(visit)
        return tables.file(visit, "holds", _HOLDS, (_hold_row(each) for each in holds), more)
    sold = await packs_of(visit)
    if wanted == "packs":
        return tables.file(visit, "packs", _PACKS, (_pack_row(each) for each in sold), "")
    priced, more_prices = await price_list(visit, asset, sold)
    if wanted == "prices":
        rows = (row for each in priced for row in _price_rows(each, asset))
        return tables.file(visit, "prices", _PRICE_LIST, rows, more_prices)
    lots, more_lots = await _lots(visit)
    holds, more_holds = await _holds(visit)
    return visit.page(
        "credits.html", now=visit.call.now, lots=lots, more_lots=more_lots, more_holds=more_holds,
        holds=[(hold_name(each.id), each) for each in holds], priced=priced,
        more_prices=more_prices, sold=sold, asset=asset, assets=codes_of(facts.assets),
    )  # fmt: skip


async def _lots(visit: Visit) -> tuple[Sequence[Expiring], str]:
    after, limit = _numbers(visit.query.get("lots", "")), tables.rows_of(visit)
    place = (after[0], after[1], after[2]) if len(after) == len(FIRST) else FIRST
    until = visit.call.now + _AHEAD
    async with begin_brief(visit.call.app.pool) as tx:
        found = await overview.expiring(tx, visit.book, place, until, limit + 1)
    if len(found) <= limit:
        return found, ""
    last = found[limit - 1]
    return found[:limit], visit.here(lots=f"{last.at}.{last.account}.{last.no}")


async def _holds(visit: Visit) -> tuple[Sequence[OpenHold], str]:
    """Holds of customers' accounts: those of stock are in the orders that they are for."""
    at, _, name = visit.query.get("holds", "").partition(".")
    after = (number_of(at, 0), parse_hold(name) or b"")
    limit = tables.rows_of(visit)
    looked = max(limit, _LOOKED_AT)
    async with begin_brief(visit.call.app.pool) as tx:
        found = await overview.open_holds(tx, visit.book, after, looked)
    shown = [each for each in found if each.customer is not None]
    last = shown[limit - 1] if len(shown) > limit else found[-1] if len(found) == looked else None
    more = "" if last is None else visit.here(holds=f"{last.at}.{hold_name(last.id)}")
    return shown[:limit], more


async def packs_of(visit: Visit) -> list[Sold]:
    """What is for sale, with and without tax, the cheapest first."""
    facts = await visit.call.app.directory.facts(visit.book)
    assets = {each.id: each for each in facts.assets.values()}
    async with begin_brief(visit.call.app.pool) as tx:
        found = await packs.packs(tx, visit.book)
    sold: list[Sold] = []
    for each in found:
        name = each.name.get(visit.look.language) or each.name.get("en") or each.id
        prices = packs.taxed(each.amount, each.tax_percent, included=each.tax_included)
        asset = assets[each.asset]
        one = packs.unit_price(each.amount, each.credits, asset.scale)
        sold.append(Sold(each, name, asset, *prices, one))
    return sold


async def price_list(visit: Visit, asset: Asset, sold: Sequence[Sold]) -> tuple[list[Priced], str]:
    """What each action costs and brings, and where the next ones are."""
    after = visit.query.get("prices", "")
    async with begin_brief(visit.call.app.pool) as tx:
        found = await queries.prices(tx, visit.book, asset, after, _PRICES + 1)
    prices = found[:_PRICES]
    more = visit.here(prices=prices[-1].action) if len(found) > _PRICES else ""
    own = [each for each in sold if each.pack.asset == asset.id]
    nets = {each.pack.id: each.without for each in own}
    brings: dict[str, list[tuple[ListPrice, str | None]]] = {each.action: [] for each in prices}
    for line in margin.at_list_price(prices, [each.pack for each in own], nets):
        brings[line.action].append((line, percent_of(line)))
    return [
        Priced(
            each.action, each.amount,
            None if each.real_cost is None else Decimal(each.real_cost).scaleb(-COST_SCALE),
            brings[each.action],
        )
        for each in prices
    ], more  # fmt: skip


def _numbers(said: str) -> list[int]:
    parts = said.split(".")
    return [number_of(part, 0) for part in parts]


def _lot_row(of: Expiring) -> list[object]:
    figures = (of.left, of.pinned, of.granted)
    return [
        of.customer, of.asset, *(format_amount(each, of.scale) for each in figures), of.source,
        write_time(of.at), of.account, of.no,
    ]  # fmt: skip


def _hold_row(of: OpenHold) -> list[object]:
    return [
        hold_name(of.id), of.customer, of.asset, format_amount(of.left, of.scale),
        write_time(of.at), write_moment(of.expires_at), of.reason, of.reference,
    ]  # fmt: skip


def _price_rows(of: Priced, asset: Asset) -> list[list[object]]:
    cost = None if of.cost is None else f"{of.cost.normalize():f}"
    begin = [of.action, format_amount(of.credits, asset.scale), cost]
    if not of.brings:
        return [[*begin, None, None, None, None]]
    return [
        [*begin, each.pack, f"{each.price.normalize():f}", each.currency, percent]
        for each, percent in of.brings
    ]


def percent_of(of: ListPrice) -> str | None:
    """The margin at a list price; None when nobody has said what it costs."""
    return None if of.cost is None else margin.percent(of.price, of.cost)


def _pack_row(of: Sold) -> list[object]:
    money = (f"{Decimal(each).scaleb(-2):f}" for each in (of.without, of.with_tax))
    tax = of.pack.tax_percent
    return [
        of.pack.id, of.name, of.asset.code, format_amount(of.pack.credits, of.asset.scale), *money,
        of.pack.currency, None if tax is None else f"{tax.normalize():f}",
    ]  # fmt: skip


async def release(visit: Visit) -> Reply:
    """POST /dashboard/credits/release: gives back what a hold of a customer's has set aside."""
    return await let_go(visit) or go(f"{_CREDITS}?done=released")


OPERATIONS: Final = (
    acting(f"{_CREDITS}/release", release),
    reading(_CREDITS, listed),
)
