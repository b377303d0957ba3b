"""Everything that is kept about an account, from its beginning, page by page."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

from psycopg import AsyncConnection

from comptoir.domains.credits import sql
from comptoir.domains.credits.model import Balance, HoldView, LotView, Movement
from comptoir.ledger.model import HoldState, Kind
from comptoir.store.directory import Directory
from comptoir.store.facts import Asset

PAGE: Final = 1_000
"""Rows that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Memo:
    """What a movement cost: `cost` in billionths of the major unit, `action` of the price book."""

    action: str | None
    quantity: int
    model: str | None
    cost: int | None


@dataclass(frozen=True, slots=True)
class PastLot:
    """A lot, used up or not, with what was paid for it in minor units of its currency."""

    lot: LotView
    paid: int
    tax: int
    currency: str | None


@dataclass(frozen=True, slots=True)
class PastHold:
    """A hold, ended or not, as its row says: time alone may have ended it since."""

    hold: HoldView
    on_excess: str
    at: int


@dataclass(frozen=True, slots=True)
class PastMovement:
    """A line of the journal with everything that was written down about it.

    Attributes:
        held, debt: the account's after the line.
        reverses: the version that the line undoes.
    """

    movement: Movement
    metadata: dict[str, str] | None
    held: int
    debt: int
    hold: bytes | None
    reverses: int | None
    memo: Memo | None


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a customer: its surrogate id and what it has."""

    id: int
    balance: Balance


async def accounts(
    tx: AsyncConnection, book: int, directory: Directory, customer: tuple[int, str]
) -> list[Account]:
    """The accounts of a customer, given by his surrogate id and his own, as their rows say."""
    cursor = await tx.execute(sql.STANDINGS, (book, customer[0]))
    return [
        Account(id_, Balance(customer[1], await directory.asset(book, code), *figures))
        for id_, code, *figures in await cursor.fetchall()
    ]


async def lots(
    tx: AsyncConnection, book: int, account: Account
) -> AsyncGenerator[Sequence[PastLot]]:
    """All lots of an account, oldest first."""
    asset = account.balance.asset
    async for page in _pages(tx, sql.LOT_HISTORY, (book, account.id)):
        yield [PastLot(LotView(account.id, row[0], asset, *row[1:8]), *row[8:]) for row in page]


async def holds(
    tx: AsyncConnection, book: int, account: Account
) -> AsyncGenerator[Sequence[PastHold]]:
    """All holds of an account, oldest first."""
    asset = account.balance.asset
    async for page in _pages(tx, sql.HOLD_HISTORY, (book, account.id)):
        yield [_hold(asset, row) for row in page]


def _hold(asset: Asset, row: Sequence[Any]) -> PastHold:
    _, id_, amount, captured, state, on_excess, at, expires_at, group = row
    view = HoldView(id_, asset, amount, captured, HoldState(state), expires_at, group=group)
    return PastHold(view, on_excess, at)


async def movements(
    tx: AsyncConnection, book: int, account: Account
) -> AsyncGenerator[Sequence[PastMovement]]:
    """All lines of an account, oldest first."""
    async for page in _pages(tx, sql.LINE_HISTORY, (book, account.id)):
        yield [_movement(account, row) for row in page]


def _movement(account: Account, row: Sequence[Any]) -> PastMovement:
    version, kind, amount, after, at, reason, reference, *rest = row
    metadata, held, debt, hold, reverses, quantity, action, model, cost = rest
    movement = Movement(
        account.id, version, account.balance.asset, Kind(kind), amount, after, at, reason, reference
    )
    memo = None if quantity is None else Memo(action, quantity, model, cost)
    return PastMovement(movement, metadata, held, debt, hold, reverses, memo)


async def _pages(
    tx: AsyncConnection, query: LiteralString, place: tuple[int, int]
) -> AsyncGenerator[list[tuple[Any, ...]]]:
    """Rows in the order of their first column."""
    after = 0
    while True:  # bounded by the rows of the account in one snapshot
        cursor = await tx.execute(query, (*place, after, PAGE))
        rows = await cursor.fetchall()
        if rows:
            yield rows
            after = rows[-1][0]
        if len(rows) < PAGE:
            return
