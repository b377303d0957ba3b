"""The margin: what the lots that were burnt had been paid, less what it cost the seller.

The revenue of a burn is its share of what its lot was paid, without tax: the difference of
cumulative rounded shares, so that the shares of a lot sum to its price.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple, TypeVar

from psycopg import AsyncConnection

from comptoir.domains.credits import sql_margin as sql
from comptoir.domains.credits.model import Price
from comptoir.domains.credits.packs import Pack
from comptoir.kit.limits import COST_SCALE
from comptoir.ledger.lots import share

BY: Final = ("action", "customer", "model")
_MINOR: Final = 2


@dataclass(slots=True)
class Earned:
    """What was earned with one action, customer or model.

    Attributes:
        times: how often; credits: in the asset's smallest unit.
        revenue: in minor units, by currency. cost: in billionths of the major unit.
        unpaid: credits for which nobody has paid, of them.
    """

    key: str | None
    times: int = 0
    credits: int = 0
    unpaid: int = 0
    cost: int = 0
    revenue: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Span:
    """Of which book, asset and time, in microseconds."""

    book: int
    asset: int
    since: int
    until: int


K = TypeVar("K", bound=Hashable)


class Burn(NamedTuple):
    """A part of a lot that a line of the journal has burnt, or given back."""

    account: int
    version: int
    kind: str
    no: int | None
    part: int
    action: str | None
    quantity: int | None
    model: str | None
    cost: int | None
    customer: str | None
    amount: int


@dataclass(frozen=True, slots=True)
class Burnt:
    """What was burnt in a span of time, and the paid lots that it was burnt of."""

    burns: Sequence[Burn]
    lots: Mapping[tuple[int, int], "_Lot"]


async def burnt(tx: AsyncConnection, span: Span) -> Burnt:
    """What was burnt in a span of time."""
    given = {
        "book": span.book, "asset": span.asset, "since": span.since, "until": span.until,
    }  # fmt: skip
    await tx.execute(sql.PLANNED)
    rows = await (await tx.execute(sql.BURNT, given)).fetchall()
    burns = [Burn(*row) for row in rows]
    return Burnt(burns, await _lots(tx, span.book, burns) if burns else {})


async def earned(tx: AsyncConnection, span: Span, by: str) -> list[Earned]:
    """What was earned in a span of time, by action, customer or model; the most burnt first."""
    found = summed(await burnt(tx, span), lambda burn: getattr(burn, by))
    for key, line in found.items():
        line.key = key
    return sorted(found.values(), key=lambda each: -each.credits)


def summed(of: Burnt, key_of: Callable[[Burn], K]) -> dict[K, Earned]:
    """What was burnt, added up by something. Of each `Burnt` once: its lots are used up by it."""
    found: dict[K, Earned] = {}
    seen: set[tuple[int, int]] = set()
    for burn in of.burns:
        line = found.setdefault(key_of(burn), Earned(None))
        sign = -1 if burn.kind == "reversal" else 1
        if (burn.account, burn.version) not in seen:
            seen.add((burn.account, burn.version))
            line.times += sign * (burn.quantity or 1)
            line.credits += burn.amount
            line.cost += sign * (burn.cost or 0)
        if burn.no is not None:
            _add_share(line, of.lots.get((burn.account, burn.no)), burn.part)
    return found


@dataclass(slots=True)
class _Lot:
    granted: int
    net: int
    currency: str
    used: int


async def _lots(
    tx: AsyncConnection, book: int, rows: Sequence[Burn]
) -> dict[tuple[int, int], _Lot]:
    """The paid lots that were burnt, with what was gone of each before the first burn."""
    first: dict[tuple[int, int], int] = {}
    for account, version, _, no, *_ in rows:
        if no is not None:
            first.setdefault((account, no), version)
    given = {
        "book": book,
        "accounts": [account for account, _ in first],
        "numbers": [no for _, no in first],
        "before": list(first.values()),
    }
    paid = await (await tx.execute(sql.LOTS, given)).fetchall()
    used = {
        (row[0], row[1]): row[2] for row in await (await tx.execute(sql.USED, given)).fetchall()
    }
    return {
        (account, no): _Lot(granted, paid_ - tax, currency or "", used.get((account, no), 0))
        for account, no, granted, paid_, tax, currency in paid
    }


def _add_share(line: Earned, lot: _Lot | None, part: int) -> None:
    if lot is None:
        line.unpaid += part
        return
    if part >= 0:
        worth = share(lot.net, lot.granted, lot.used, part)
    else:
        worth = -share(lot.net, lot.granted, lot.used + part, -part)
    lot.used += part
    line.revenue[lot.currency] = line.revenue.get(lot.currency, 0) + worth


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What an action brings at a pack's price, before anybody has bought it.

    Attributes:
        price: what the customer has paid for it, tax apart, in the major unit.
    """

    action: str
    pack: str
    credits: int
    price: Decimal
    cost: Decimal | None
    currency: str


def at_list_price(
    prices: Iterable[Price], packs: Iterable[Pack], nets: Mapping[str, int]
) -> list[ListPrice]:
    """What each action brings with each pack.

    Args:
        prices: of actions.
        packs: that are for sale.
        nets: what each pack costs without its tax, in minor units.
    """
    packs = list(packs)
    found: list[ListPrice] = []
    for price in prices:
        for pack in packs:
            each = Decimal(nets[pack.id]).scaleb(-_MINOR) * price.amount / pack.credits
            cost = None if price.real_cost is None else Decimal(price.real_cost).scaleb(-COST_SCALE)
            found.append(ListPrice(price.action, pack.id, price.amount, each, cost, pack.currency))
    return found


def percent(revenue: Decimal, cost: Decimal) -> str | None:
    """The margin on what something costs: earning 0.95 with 0.04 is 2275 %."""
    if cost <= 0:
        return None
    found = (revenue - cost) / cost * 100
    text = f"{found.quantize(Decimal('0.1'), ROUND_HALF_UP):f}"
    return text.removesuffix(".0")
