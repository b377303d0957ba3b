"""What pages show of stock: what is low, and what is set aside for whom until when."""

from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.stock import sql_overview as sql
from comptoir.domains.stock.model import Size


async def low(tx: AsyncConnection, book: int, limit: int) -> list[Size]:
    """Sizes of which there are no more than whoever sells them called low."""
    return [Size(*row) for row in await (await tx.execute(sql.LOW, (book, limit))).fetchall()]


@dataclass(frozen=True, slots=True)
class Reserved:
    """A line of what is set aside. Times are in microseconds."""

    order: UUID
    product: str
    size: str
    quantity: int
    customer: str | None
    created_at: int
    expires_at: int
    origin: str


async def reserved(
    tx: AsyncConnection, book: int, product: str | None, limit: int
) -> list[Reserved]:
    """What is set aside, of all or of a product; what ends first comes first."""
    given = {"book": book, "product": product, "limit": limit}
    return [Reserved(*row) for row in await (await tx.execute(sql.RESERVED, given)).fetchall()]
