"""All payments of a customer, page by page, with what they bought and what went back of them."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.payments import sql
from comptoir.domains.payments.model import Bought, Dispute, Payment, Refund, gone
from comptoir.domains.payments.queries import payment_of

PAGE: Final = 500
"""Payments that are in memory at a time."""

_BOUGHT: Final = 6
_FIRST: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class PastPayment:
    """A payment, whatever became of it.

    Attributes:
        refunded: what went back of it, and is not lost on the way.
        disputed: a bank has taken it back.
        bought: the pack that it is for, if it is for one.
    """

    payment: Payment
    refunded: int
    disputed: bool
    bought: Bought | None


async def payments(
    tx: AsyncConnection, book: int, customer: int
) -> AsyncGenerator[Sequence[PastPayment]]:
    """All payments of a customer, oldest first."""
    after = _FIRST
    while True:  # bounded by the payments of the customer in one snapshot
        cursor = await tx.execute(sql.PAST, (book, customer, after, PAGE))
        rows = await cursor.fetchall()
        if rows:
            yield await _page(tx, book, rows)
            after = rows[-1][1]
        if len(rows) < PAGE:
            return


async def _page(
    tx: AsyncConnection, book: int, rows: Sequence[tuple[Any, ...]]
) -> list[PastPayment]:
    named = (book, [row[1] for row in rows])
    back: defaultdict[UUID, list[Refund]] = defaultdict(list)
    for row in await (await tx.execute(sql.REFUNDS_OF, named)).fetchall():
        back[row[1]].append(Refund(*row))
    taken: defaultdict[UUID, list[Dispute]] = defaultdict(list)
    for row in await (await tx.execute(sql.DISPUTES_OF, named)).fetchall():
        taken[row[1]].append(Dispute(*row))
    return [
        PastPayment(
            payment_of(row[:-_BOUGHT]),
            gone(back[row[1]]),
            any(each.stands for each in taken[row[1]]),
            None if row[-_BOUGHT] is None else Bought(*row[-_BOUGHT:]),
        )
        for row in rows
    ]
