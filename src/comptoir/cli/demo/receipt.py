"""The receipt: read back from the database on a fresh connection, never from what clients saw."""

from dataclasses import dataclass
from typing import Final, LiteralString

from psycopg import AsyncConnection

from comptoir.app import Urls
from comptoir.app.demo import Receipt
from comptoir.cli.demo.paying import DELIVERIES, PACKS, Repeats
from comptoir.cli.demo.race import Stampede
from comptoir.cli.demo.seed import BUYERS, FIRST, UNITS, Names
from comptoir.cli.throwaway import BOOK
from comptoir.store.pool import Limits, connect, open_pool
from comptoir.store.verify import stand_alone_sql, verify

_STOCK_LEFT: Final = """
SELECT count(*) FILTER (WHERE m.amount < 0),
    coalesce(-sum(m.amount) FILTER (WHERE m.amount < 0), 0),
    coalesce(sum(m.amount), 0)
FROM comptoir.accounts a
JOIN comptoir.movements m ON m.book_id = a.book_id AND m.account_id = a.id
WHERE a.book_id = %s AND a.name LIKE %s"""

_DECIDED: Final = """
SELECT count(*), count(*) FILTER (WHERE r.outcome = 'created') FROM comptoir.requests r
JOIN comptoir.accounts a ON a.book_id = r.book_id AND a.id = r.account_id
WHERE r.book_id = %s AND a.name LIKE %s AND r.op = 'hold'"""

_PAID: Final = """
SELECT count(DISTINCT o.id), count(DISTINCT o.number) FROM comptoir.orders o
JOIN comptoir.order_lines l ON l.book_id = o.book_id AND l.order_id = o.id
WHERE o.book_id = %s AND o.status = 'paid' AND l.product = %s"""

_GRANTS: Final = """
SELECT count(*) FROM comptoir.movements m
JOIN comptoir.accounts a ON a.book_id = m.book_id AND a.id = m.account_id
JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
WHERE m.book_id = %s AND c.customer = %s AND m.kind = 'purchase'"""


@dataclass(frozen=True, slots=True)
class Findings:
    """A receipt, and whatever does not fit: keys of texts with their figures."""

    receipt: Receipt
    faults: list[tuple[str, dict[str, object]]]


async def read_back(
    urls: Urls, stampede: Stampede, repeats: Repeats, names: Names = FIRST
) -> Findings:
    """Read the receipt of a race from the database, and compare it with what the clients saw.

    Raises:
        Unavailable: the database cannot be reached.
    """
    limits = Limits()
    connection = await connect(urls.owner, limits, lock=limits.lock)
    async with connection:
        lines, sold, left = await _row(connection, _STOCK_LEFT, (BOOK, names.stock))
        decided, took = await _row(connection, _DECIDED, (BOOK, names.stock))
        paid, numbers = await _row(connection, _PAID, (BOOK, names.product))
        (grants,) = await _row(connection, _GRANTS, (BOOK, names.once))
        (packs,) = await _row(connection, _GRANTS, (BOOK, names.regular))
        balanced = not await _drift(connection) and await _verified(urls)
    receipt = Receipt(
        int(decided), UNITS, int(sold), max(0, int(sold) - UNITS), DELIVERIES, grants, balanced
    )
    pairs = (
        ("demo.fault.sold", receipt.sold, UNITS),
        ("demo.fault.lines", lines, took),
        ("demo.fault.left", left, UNITS - receipt.sold),
        ("demo.fault.paid", paid, receipt.sold),
        ("demo.fault.numbers", numbers, paid),
        ("demo.fault.grants", grants, 1),
        ("demo.fault.decided", receipt.buyers, BUYERS),
        ("demo.fault.saw-bought", stampede.bought, receipt.sold),
        ("demo.fault.saw-refused", stampede.refused, BUYERS - receipt.sold),
        ("demo.fault.saw-answers", repeats.answered, DELIVERIES),
        ("demo.fault.saw-grants", repeats.grants, grants),
        ("demo.fault.packs", packs, PACKS),
        ("demo.fault.saw-packs", repeats.granted, packs),
        ("demo.fault.balanced", balanced, True),
    )
    faults: list[tuple[str, dict[str, object]]] = [
        (key, {"found": found, "wanted": wanted}) for key, found, wanted in pairs if found != wanted
    ]
    return Findings(receipt, faults)


async def _row(
    connection: AsyncConnection, query: LiteralString, parameters: tuple[object, ...]
) -> tuple[int, ...]:
    row = await (await connection.execute(query, parameters)).fetchone()
    assert row is not None, "an aggregate always has a row"
    return row


async def _drift(connection: AsyncConnection) -> bool:
    """Whether the query that needs none of our code names any row."""
    cursor = await connection.execute(stand_alone_sql())
    return await cursor.fetchone() is not None


async def _verified(urls: Urls) -> bool:
    async with open_pool(urls.owner, Limits()) as pool:
        return (await verify(pool, None, full=True)).balanced
