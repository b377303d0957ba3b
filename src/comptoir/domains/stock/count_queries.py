"""What counts and deliveries that come as files read of the books."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from comptoir.domains.stock import sql_counts
from comptoir.domains.stock.counts.model import Known, There
from comptoir.domains.stock.model import OnRefund


async def stocked(tx: AsyncConnection, book: int, names: Sequence[str]) -> dict[str, Known]:
    """Some products, with all sizes that they ever had; none that the book does not have."""
    sizes: dict[str, dict[str, There]] = {}
    for name, size_, *there in await _planned(tx, sql_counts.SIZES, (book, list(names))):
        sizes.setdefault(name, {})[size_] = There(*there)
    return {
        name: Known(title, amount, currency, OnRefund(on_refund), sizes.get(name, {}))
        for name, title, amount, currency, on_refund in await _planned(
            tx, sql_counts.PRODUCTS, (book, list(names))
        )
    }


async def lock_counts(
    tx: AsyncConnection, book: int, accounts: Sequence[int]
) -> dict[int, tuple[int, int, int]]:
    """Stock, what is reserved of it, and the version of accounts, until the transaction ends."""
    found = await _planned(tx, sql_counts.LOCK, (book, list(accounts)))
    return {row[0]: (row[1], row[2], row[3]) for row in found}


async def decided(tx: AsyncConnection, book: int, ids: Sequence[bytes]) -> set[bytes]:
    """Those requests of some that have happened."""
    return {row[0] for row in await _planned(tx, sql_counts.DECIDED, (book, list(ids)))}


async def _planned(
    tx: AsyncConnection, query: str, given: Sequence[object]
) -> list[tuple[Any, ...]]:
    """For what is asked while rows come: a plan made for an empty table would scan them all."""
    return await (await tx.execute(query.encode(), given, prepare=False)).fetchall()
