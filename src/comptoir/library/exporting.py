"""A person's export as the library answers it: as a whole, so that it has a limit."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from msgspec.structs import asdict

from comptoir.domains.credits import history
from comptoir.domains.stock.model import Line, Order
from comptoir.domains.subscriptions.model import Subscription
from comptoir.flows.export import Export, Paid
from comptoir.kit.errors import Misuse
from comptoir.kit.ids import hold_name, movement_name
from comptoir.kit.limits import COST_SCALE
from comptoir.library import answers, answers_money, showing
from comptoir.library.showing import decimal, moment

T = TypeVar("T")
Shown = TypeVar("Shown")

ROWS: Final = 200_000
"""Lots, holds, movements, payments and orders of one customer that are given out as one value."""


async def gathered(export: Export, limit: int = ROWS) -> answers_money.Export:
    """Everything of an open export.

    Raises:
        Misuse: it has more rows than the limit.
    """
    room = _Room(limit)
    accounts = [await _account(export, each, room) for each in export.accounts]
    return answers_money.Export(
        moment(export.at),
        showing.customer(export.customer),
        tuple(accounts),
        await room.all(export.payments(), _payment),
        await room.all(export.orders(), _order),
        tuple(_subscription(each) for each in export.subscriptions),
    )


def _order(of: tuple[Order, Sequence[Line]]) -> answers_money.PastOrder:
    order, lines = of
    return answers_money.PastOrder(
        id=order.id,
        order_number=order.number,
        status=order.status.value,
        email=order.email,
        items=tuple(
            answers_money.PastOrderLine(
                each.product, each.size, each.quantity, each.unit_amount, each.returned
            )
            for each in lines
        ),
        amount=order.amount,
        currency=order.currency,
        created_at=moment(order.created_at),
        paid_at=showing.moment_or_none(order.paid_at),
        fulfilled_at=showing.moment_or_none(order.fulfilled_at),
    )


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


def _payment(of: Paid) -> answers_money.PastPayment:
    (past, asset), bought = of, of[0].bought
    paid, pack = past.payment, None
    if bought is not None and asset is not None:
        pack = answers_money.PastPurchase(
            bought.pack, asset.code, decimal(bought.credits, asset.scale), _when(bought.granted_at)
        )
    return answers_money.PastPayment(
        id=paid.id,
        purpose=paid.purpose.value,
        reference=paid.reference,
        price=answers_money.Money(paid.amount, paid.currency),
        status=paid.status.value,
        received=paid.received,
        tax=paid.tax,
        refunded=past.refunded,
        disputed=past.disputed,
        created_at=moment(paid.created_at),
        paid_at=_when(paid.paid_at),
        purchase=pack,
        intent=paid.intent,
        invoice=paid.invoice,
    )


def _subscription(of: Subscription) -> answers_money.PastSubscription:
    return answers_money.PastSubscription(
        id=of.provider_id,
        plan=of.plan,
        status=of.status,
        period=answers_money.Period(_when(of.starts_at), _when(of.ends_at), of.period),
        cancel_at=_when(of.cancel_at),
        trial_ends_at=_when(of.trial_ends_at),
        ended_at=_when(of.ended_at),
        created_at=moment(of.created_at),
    )


def _when(at: int | None) -> datetime | None:
    return None if at is None else moment(at)
