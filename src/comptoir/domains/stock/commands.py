"""What changes products and orders, in the caller's open transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.stock import sql, sql_counts, sql_orders
from comptoir.domains.stock.model import (
    Line,
    OnRefund,
    Order,
    OrderStatus,
    Origin,
    account_name,
    number_of,
)
from comptoir.kit.ids import request_id
from comptoir.store.commit import Companion

REST: Final = 45.0
"""Seconds for which nobody else closes an order that somebody has begun to close."""


@dataclass(frozen=True, slots=True)
class SizeTerms:
    """A size that is to be sold, and at what number it is low."""

    size: str
    low_at: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What a product is to be."""

    product: str
    name: str
    amount: int
    currency: str
    on_refund: OnRefund
    sizes: Sequence[SizeTerms]


async def put_product(tx: AsyncConnection, book: int, asset: int, terms: Terms) -> None:
    """Sell a product on these terms from now on; sizes that are not named are sold no more."""
    given = {
        "book": book, "product": terms.product, "name": terms.name, "amount": terms.amount,
        "currency": terms.currency, "on_refund": terms.on_refund,
    }  # fmt: skip
    await tx.execute(sql.PUT_PRODUCT, given)
    low: list[tuple[int, int]] = []
    for place, each in enumerate(terms.sizes):
        low.append((await _put_size(tx, book, asset, terms.product, (place, each)), each.low_at))
    # Locked in the order in which the ledger locks them, so that neither waits for the other.
    for account, low_at in sorted(low):
        await tx.execute(sql.SET_LOW, (low_at, low_at, book, account, low_at))
    await tx.execute(sql.REMOVE_SIZES, (book, terms.product, [each.size for each in terms.sizes]))


async def lock_product(tx: AsyncConnection, book: int, product: str) -> None:
    """Let nobody else change the terms of a product until the transaction ends."""
    await tx.execute(sql.LOCK_PRODUCT, (book, product), prepare=False)


async def add_to_product(tx: AsyncConnection, book: int, asset: int, terms: Terms) -> None:
    """Sell a product on these terms; sizes that are not named stay as they are."""
    given = {
        "book": book, "product": terms.product, "name": terms.name, "amount": terms.amount,
        "currency": terms.currency, "on_refund": terms.on_refund,
    }  # fmt: skip
    await tx.execute(sql.PUT_PRODUCT, given, prepare=False)
    low: list[tuple[int, int]] = []
    for each in terms.sizes:
        size = {
            "book": book, "product": terms.product, "size": each.size, "asset": asset,
            "name": account_name(terms.product, each.size),
        }  # fmt: skip
        # Planned anew: a plan made for an empty table would scan all the sizes that have come.
        row = await (await tx.execute(sql_counts.ADD_SIZE, size, prepare=False)).fetchone()
        assert row is not None, "it is added or changed"
        low.append((row[0], each.low_at))
    # Locked in the order in which the ledger locks them, so that neither waits for the other.
    for account, low_at in sorted(low):
        said = (low_at, low_at, book, account, low_at)
        await tx.execute(sql.SET_LOW, said, prepare=False)


async def _put_size(
    tx: AsyncConnection, book: int, asset: int, product: str, placed: tuple[int, SizeTerms]
) -> int:
    place, terms = placed
    name = account_name(product, terms.size)
    given = (book, product, terms.size, place, book, asset, name)
    row = await (await tx.execute(sql.PUT_SIZE, given)).fetchone()
    assert row is not None, "it is added or changed"
    return row[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An order that is about to be made, with what it sets aside.

    Attributes:
        key: names its holds: the same again is the same order.
        seconds: for how long its goods are set aside.
    """

    book: int
    id: UUID
    origin: Origin
    lines: Sequence[Line]
    key: str
    seconds: float
    reference: str | None = None
    customer: int | None = None
    email: str | None = None
    currency: str | None = None
    cart: bytes | None = None
    cancels: bool = False

    @property
    def hold(self) -> bytes:
        """The first of its holds, by which all of them go."""
        return request_id(self.book, self.key)

    @property
    def amount(self) -> int:
        """What it costs, in minor units."""
        return sum(each.amount for each in self.lines)


def companions(draft: Draft) -> list[Companion]:
    """The rows of an order, for the commit of its holds."""
    order = Companion(
        sql_orders.ADD_ORDERS,
        (
            draft.book, draft.id, draft.origin.value, draft.reference, draft.customer,
            draft.email, draft.amount, draft.currency, draft.cart, draft.hold, draft.cancels,
            draft.seconds,
        ),
    )  # fmt: skip
    lines = [
        Companion(
            sql_orders.ADD_LINES,
            (
                draft.book, draft.id, each.no, each.product, each.size, each.account,
                each.quantity, each.unit_amount, each.on_refund.value,
            ),
        )
        for each in draft.lines
    ]  # fmt: skip
    return [order, *lines]


async def try_to_close(tx: AsyncConnection, order: Order, now: int) -> int:
    """Note that somebody begins to close an order; says how often that was."""
    row = await (await tx.execute(sql_orders.TRY, (now, order.book, order.id))).fetchone()
    assert row is not None, "orders never go"
    return row[0]


async def take_due(
    tx: AsyncConnection, now: int, limit: int, book: int | None = None
) -> list[tuple[int, UUID]]:
    """Lock orders whose time is over and that nobody is closing, and say which they are."""
    given = {"now": now, "limit": limit, "book": book, "rest": REST}
    found = await (await tx.execute(sql_orders.DUE, given)).fetchall()
    for book_, id_ in found:
        await tx.execute(sql_orders.TRY, (now, book_, id_))
    return [(row[0], row[1]) for row in found]


async def extend(tx: AsyncConnection, order: Order, until: int) -> None:
    """Set the goods of an order aside for longer; never for less long."""
    await tx.execute(sql_orders.EXTEND, (until, order.book, order.id))


async def end(tx: AsyncConnection, order: Order, status: OrderStatus, now: int) -> None:
    """Say how an order has ended without being sold."""
    await tx.execute(sql_orders.END, (status, now, order.book, order.id))


async def next_number(tx: AsyncConnection, book: int, at: int) -> str:
    """The next number of the year, in UTC; others wait until this commits, so that none is lost."""
    row = await (await tx.execute(sql_orders.NUMBER, {"book": book, "at": at})).fetchone()
    assert row is not None, "it is added or changed"
    return number_of(*row)


async def sell(tx: AsyncConnection, order: Order, number: str, at: int) -> None:
    """Say that an order is sold, under a number."""
    given = {"number": number, "at": at, "book": order.book, "id": order.id}
    await tx.execute(sql_orders.SELL, given)


async def restate(tx: AsyncConnection, order: Order, status: OrderStatus) -> None:
    """Say what an order is that was sold before."""
    await tx.execute(sql_orders.RESTATE, (status, order.book, order.id))


async def fulfil(tx: AsyncConnection, order: Order, at: int) -> None:
    """Say that the goods of an order were sent."""
    await tx.execute(sql_orders.FULFIL, (at, order.book, order.id))


async def note_failure(tx: AsyncConnection, order: Order) -> None:
    """Note that a payment of an order has failed: another one may still succeed."""
    await tx.execute(sql_orders.FAILED, (order.book, order.id))


async def set_pass(tx: AsyncConnection, order: Order, guest_pass: bytes) -> None:
    """Keep a digest of what lets a guest see his order."""
    await tx.execute(sql_orders.LET_IN, (guest_pass, order.book, order.id))


async def note_return(tx: AsyncConnection, order: Order, line: Line, quantity: int) -> None:
    """Note how much of a line came back."""
    await tx.execute(sql_orders.RETURNED, (quantity, order.book, order.id, line.no))


async def forget_customer(tx: AsyncConnection, book: int, customer: int) -> None:
    """Forget where somebody was written to about his orders."""
    await tx.execute(sql_orders.FORGET_CUSTOMER, (book, customer))
