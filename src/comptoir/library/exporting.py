"""A person's export as the library answers it: as a whole, so that it has a limit."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar

from msgspec.structs import asdict

from comptoir.domains.credits import history
from comptoir.flows.export import Export
from comptoir.kit.errors import Misuse
from comptoir.kit.ids import hold_name, movement_name
from comptoir.kit.limits import COST_SCALE
from comptoir.library import answers, showing
from comptoir.library.showing import decimal, moment

T = TypeVar("T")
Shown = TypeVar("Shown")

ROWS: Final = 200_000
"""Lots, holds and movements of one customer that are given out as one value."""


async def gathered(export: Export, limit: int = ROWS) -> answers.Export:
    """Everything of an open export.

    Raises:
        Misuse: it has more rows than the limit.
    """
    room = _Room(limit)
    accounts = [await _account(export, each, room) for each in export.accounts]
    return answers.Export(moment(export.at), showing.customer(export.customer), tuple(accounts))


class _Room:
    """How many more rows fit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit

    async def all(
        self, pages: AsyncIterator[Sequence[T]], show: Callable[[T], Shown]
    ) -> tuple[Shown, ...]:
        """Every row of the pages."""
        shown: list[Shown] = []
        async for page in pages:
            self._left -= len(page)
            if self._left < 0:
                raise Misuse(
                    "export-too-large",
                    limit=self._limit,
                    fix="`comptoir customer export` writes one of any size to a file",
                )
            shown += map(show, page)
        return tuple(shown)


async def _account(export: Export, of: history.Account, room: _Room) -> answers.PastAccount:
    return answers.PastAccount(
        balance=showing.balance(of.balance.owner, of.balance.asset, of.balance),
        lots=await room.all(export.lots(of), _lot),
        holds=await room.all(export.holds(of), _hold),
        movements=await room.all(export.movements(of), _movement),
    )


def _lot(of: history.PastLot) -> answers.PastLot:
    return answers.PastLot(
        **asdict(showing.lot(of.lot)), paid=of.paid, tax=of.tax, currency=of.currency
    )


def _hold(of: history.PastHold) -> answers.PastHold:
    return answers.PastHold(
        **asdict(showing.hold(of.hold)), on_excess=of.on_excess, opened_at=moment(of.at)
    )


def _movement(of: history.PastMovement) -> answers.PastMovement:
    line, memo = of.movement, of.memo
    scale = line.asset.scale
    return answers.PastMovement(
        **asdict(showing.movement(line)),
        metadata=of.metadata,
        held=decimal(of.held, scale),
        debt=decimal(of.debt, scale),
        hold=hold_name(of.hold) if of.hold else None,
        reverses=movement_name(line.account, of.reverses) if of.reverses else None,
        action=memo.action if memo else None,
        quantity=memo.quantity if memo else None,
        model=memo.model if memo else None,
        cost=decimal(memo.cost, COST_SCALE) if memo and memo.cost is not None else None,
    )
