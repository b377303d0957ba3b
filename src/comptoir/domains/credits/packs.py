"""Packs: so many credits for so much money. One is never changed: a new version takes its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from comptoir.domains.credits import sql_packs as sql
from comptoir.kit.errors import NotFound

DIGITS: Final = 6
"""Decimals of a unit price at most."""


@dataclass(frozen=True, slots=True)
class Pack:
    """So many credits for so much money.

    Attributes:
        name: in English and French.
        credits: in the asset's smallest unit.
        amount: the price in minor units; with the tax when that is included.
    """

    id: str
    version: int
    name: Mapping[str, str]
    asset: int
    credits: int
    amount: int
    currency: str
    tax_percent: Decimal | None
    tax_included: bool
    active: bool

    @property
    def terms(self) -> tuple[object, ...]:
        """All that makes another version of it."""
        return (
            dict(self.name), self.asset, self.credits, self.amount, self.currency,
            self.tax_percent, self.tax_included, self.active,
        )  # fmt: skip


def taxed(amount: int, percent: Decimal | None, *, included: bool) -> tuple[int, int]:
    """What a price is without its tax and with it, in minor units, rounded half up."""
    if percent is None:
        return amount, amount
    factor = 1 + percent / 100
    if included:
        return int((amount / factor).quantize(Decimal(1), ROUND_HALF_UP)), amount
    return amount, int((amount * factor).quantize(Decimal(1), ROUND_HALF_UP))


def unit_price(amount: int, credits_: int, scale: int, decimals: int = 2) -> str:
    """What one credit costs, in the major unit: an exact decimal, or six digits of it."""
    each = Decimal(amount).scaleb(-decimals) / Decimal(credits_).scaleb(-scale)
    text = f"{each.quantize(Decimal(1).scaleb(-DIGITS), ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".")


async def packs(tx: AsyncConnection, book: int) -> list[Pack]:
    """The packs that are for sale, the cheapest first."""
    rows = await (await tx.execute(sql.NEWEST, (book,))).fetchall()
    found = [_pack(row) for row in rows]
    return sorted((each for each in found if each.active), key=lambda each: each.amount)


async def pack(tx: AsyncConnection, book: int, id_: str) -> Pack:
    """A pack that is for sale.

    Raises:
        NotFound: there is none of that id, or not any more.
    """
    row = await (await tx.execute(sql.FIND, (book, id_))).fetchone()
    found = None if row is None else _pack(row)
    if found is None or not found.active:
        raise NotFound("unknown-pack", pack=id_)
    return found


async def put(tx: AsyncConnection, book: int, wanted: Pack) -> bool:
    """Sell a pack on these terms from now on; False when that is so already."""
    row = await (await tx.execute(sql.FIND, (book, wanted.id))).fetchone()
    if row is not None and _pack(row).terms == wanted.terms:
        return False
    given = {
        "book": book, "pack": wanted.id, "name": Jsonb(dict(wanted.name)), "asset": wanted.asset,
        "credits": wanted.credits, "amount": wanted.amount, "currency": wanted.currency,
        "tax_percent": wanted.tax_percent, "tax_included": wanted.tax_included,
        "active": wanted.active,
    }  # fmt: skip
    await tx.execute(sql.ADD, given)
    return True


def _pack(row: tuple[Any, ...]) -> Pack:
    return Pack(*row)
