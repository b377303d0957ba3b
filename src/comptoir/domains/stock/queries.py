"""What there is to read of products, movements and orders."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.stock import sql, sql_orders
from comptoir.domains.stock.model import (
    Line,
    Movement,
    OnRefund,
    Order,
    OrderStatus,
    Origin,
    Product,
    Size,
    type_of,
)
from comptoir.kit.errors import NotFound
from comptoir.ledger.model import Kind

Given = Sequence[object] | Mapping[str, object]

LAST: Final = UUID(int=2**128 - 1)
"""Comes after every order."""

_FAR: Final = 2**52
_MOST: Final = 2**62


async def _one(tx: AsyncConnection, query: str, given: Given) -> tuple[Any, ...] | None:
    return await (await tx.execute(query.encode(), given, prepare=True)).fetchone()


async def _all(tx: AsyncConnection, query: str, given: Given) -> list[tuple[Any, ...]]:
    return await (await tx.execute(query.encode(), given, prepare=True)).fetchall()


async def products(tx: AsyncConnection, book: int, after: str, limit: int) -> list[Product]:
    """Products by name, after one."""
    found = await _all(tx, sql.PRODUCTS, (book, after, limit))
    sizes = await _sizes(tx, book, [row[0] for row in found])
    return [_product(row, sizes.get(row[0], [])) for row in found]


async def product(tx: AsyncConnection, book: int, name: str) -> Product:
    """A product.

    Raises:
        NotFound: the book has no such product.
    """
    row = await _one(tx, sql.PRODUCT, (book, name))
    if row is None:
        raise NotFound("unknown-product", product=name)
    return _product(row, (await _sizes(tx, book, [name])).get(name, []))


async def size(tx: AsyncConnection, book: int, product_: str, size_: str) -> Size:
    """A size of a product, be it sold any more or not.

    Raises:
        NotFound: the book has no such product, or it no such size.
    """
    row = await _one(tx, sql.SIZE, (book, product_, size_))
    if row is None:
        await product(tx, book, product_)
        raise NotFound("unknown-size", product=product_, size=size_)
    return Size(*row)


async def at_line(tx: AsyncConnection, book: int, account: int, version: int) -> Size | None:
    """A size as it was right after a line of its journal; None when the account is of none."""
    row = await _one(tx, sql.AT_LINE, (book, account, version))
    return None if row is None else Size(row[0], row[1], account, row[2], row[3], row[4])


async def _sizes(tx: AsyncConnection, book: int, names: Sequence[str]) -> dict[str, list[Size]]:
    found: dict[str, list[Size]] = {}
    for row in await _all(tx, sql.SIZES, (book, list(names))):
        found.setdefault(row[0], []).append(Size(*row))
    return found


def _product(row: Sequence[Any], sizes: Sequence[Size]) -> Product:
    name, title, amount, currency, on_refund = row
    return Product(name, title, amount, currency, OnRefund(on_refund), sizes)


@dataclass(frozen=True, slots=True)
class ForSale:
    """A size that can be sold: its account, and the price of one."""

    account: int
    amount: int
    currency: str
    on_refund: OnRefund


Place = tuple[int, str, str]
"""A book, a product of it, and a size of that."""


async def for_sale(tx: AsyncConnection, places: Sequence[Place]) -> list[ForSale | None]:
    """What is sold of some sizes, in their order; None for what is not."""
    books, products_, sizes = (list(column) for column in zip(*places, strict=True))
    found = {
        row[0]: ForSale(row[1], row[2], row[3], OnRefund(row[4]))
        for row in await _all(tx, sql.FOR_SALE, (books, products_, sizes))
    }
    return [found.get(no) for no in range(1, len(places) + 1)]


async def movements(
    tx: AsyncConnection,
    book: int,
    of: tuple[str | None, str | None],
    before: tuple[int, int, int] | None,
    limit: int,
) -> list[Movement]:
    """Movements, the newest first: of all, of a product, or of a size of it.

    Args:
        tx: an open transaction.
        book: whose.
        of: product and size.
        before: time, account and version of the last one that was seen.
        limit: how many at most.
    """
    at, account, version = before or (_FAR, _MOST, _MOST)
    given = {
        "book": book, "product": of[0], "size": of[1], "at": at, "account": account,
        "version": version, "limit": limit,
    }  # fmt: skip
    query = sql.MOVEMENTS_OF_ALL if of[1] is None else sql.MOVEMENTS_OF_SIZES
    if of[0] is not None:
        query = sql.MOVEMENTS_OF_PRODUCT if of[1] is None else sql.MOVEMENTS_OF_SIZE
    return [_movement(row) for row in await _all(tx, query, given)]


async def movement(tx: AsyncConnection, book: int, account: int, version: int) -> Movement:
    """A movement of stock.

    Raises:
        NotFound: there is none.
    """
    row = await _one(tx, sql.MOVEMENT, (book, account, version))
    if row is None:
        raise NotFound("movement-not-found")
    return _movement(row)


def _movement(row: Sequence[Any]) -> Movement:
    account, version, product_, size_, kind, amount, posted, reason, reference = row[:9]
    type_, order, at = row[9:]
    return Movement(
        account, version, product_, size_, type_of(Kind(kind), amount, type_), amount,
        posted - amount, posted, reason, reference, order, at,
    )  # fmt: skip


def _order(row: Sequence[Any]) -> Order:
    values = list(row)
    values[2], values[3] = Origin(values[2]), OrderStatus(values[3])
    return Order(*values)


async def order(tx: AsyncConnection, book: int, id_: UUID) -> Order:
    """An order.

    Raises:
        NotFound: the book has no such order.
    """
    row = await _one(tx, sql_orders.FIND, (book, id_))
    if row is None:
        raise NotFound("order-not-found")
    return _order(row)


async def lock(tx: AsyncConnection, book: int, id_: UUID) -> Order:
    """An order that nobody else can change until the transaction ends.

    Raises:
        NotFound: the book has no such order.
    """
    row = await _one(tx, sql_orders.LOCK, (book, id_))
    if row is None:
        raise NotFound("order-not-found")
    return _order(row)


async def by_hold(tx: AsyncConnection, book: int, hold: bytes) -> Order | None:
    """The order whose first hold this is."""
    row = await _one(tx, sql_orders.BY_HOLD, (book, hold))
    return None if row is None else _order(row)


async def of_cart(tx: AsyncConnection, book: int, customer: int, cart: bytes) -> Order | None:
    """What a customer has had set aside of the same things for the same prices."""
    row = await _one(tx, sql_orders.OF_CART, (book, customer, cart))
    return None if row is None else _order(row)


async def in_the_way(
    tx: AsyncConnection, book: int, customer: int, accounts: Sequence[int]
) -> list[Order]:
    """What a customer has had set aside before of some sizes, and has not paid for."""
    found = await _all(tx, sql_orders.IN_THE_WAY, (book, customer, list(accounts)))
    return [_order(row) for row in found]


async def lines(tx: AsyncConnection, book: int, ids: Sequence[UUID]) -> dict[UUID, list[Line]]:
    """The lines of some orders."""
    found: dict[UUID, list[Line]] = {}
    for id_, *rest in await _all(tx, sql_orders.LINES, (book, list(ids))):
        no, product_, size_, account, quantity, unit_amount, on_refund, returned = rest
        line = Line(
            no, product_, size_, account, quantity, unit_amount, OnRefund(on_refund), returned
        )
        found.setdefault(id_, []).append(line)
    return found


async def lines_of(tx: AsyncConnection, of: Order) -> list[Line]:
    """The lines of an order."""
    return (await lines(tx, of.book, [of.id])).get(of.id, [])


async def orders(
    tx: AsyncConnection,
    book: int,
    before: UUID | None,
    limit: int,
    *,
    customer: int | None = None,
    status: OrderStatus | None = None,
) -> list[Order]:
    """Orders that we are paid for, the newest first."""
    given = {
        "book": book, "before": before or LAST, "limit": limit, "customer": customer,
        "status": status,
    }  # fmt: skip
    return [_order(row) for row in await _all(tx, sql_orders.LISTED, given)]


PAGE: Final = 500
"""Orders of a customer that are in memory at a time."""


async def past(
    tx: AsyncConnection, book: int, customer: int
) -> AsyncGenerator[Sequence[tuple[Order, Sequence[Line]]]]:
    """All orders of a customer with their lines, oldest first, in pages."""
    after = UUID(int=0)
    while True:  # bounded by the orders of the customer in one snapshot
        found = [
            _order(row) for row in await _all(tx, sql_orders.PAST, (book, customer, after, PAGE))
        ]
        if found:
            beside = await lines(tx, book, [each.id for each in found])
            yield [(each, beside.get(each.id, [])) for each in found]
            after = found[-1].id
        if len(found) < PAGE:
            return


@dataclass(frozen=True, slots=True)
class Active:
    """What is set aside now.

    Attributes:
        oldest: when the oldest of it was, in microseconds.
        by_size: product, size, reservations and units.
    """

    reservations: int
    oldest: int | None
    by_size: Sequence[tuple[str, str, int, int]]


async def active(tx: AsyncConnection, book: int) -> Active:
    """What is set aside now in a book."""
    row = await _one(tx, sql_orders.ACTIVE, (book,))
    assert row is not None, "an aggregate has a row"
    by_size = await _all(tx, sql_orders.ACTIVE_BY_SIZE, (book,))
    return Active(row[0], row[1], [(a, b, c, d) for a, b, c, d in by_size])


async def standing(tx: AsyncConnection) -> dict[int, tuple[int, float]]:
    """By the number of the book: what is set aside now, and the seconds since the oldest was."""
    found = await _all(tx, sql_orders.STANDING, ())
    return {book: (count, seconds) for book, count, seconds in found}


async def units(tx: AsyncConnection, most: int) -> dict[tuple[int, str], int]:
    """Units that are set aside, by book and product: of so many products a book at most."""
    found = await _all(tx, sql_orders.UNITS, (most,))
    return {(book, product_): count for book, product_, count in found}
