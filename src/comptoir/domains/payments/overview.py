"""What pages show of money: what came today, and whose payment it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.payments import sql_overview as sql
from comptoir.domains.payments.model import Case


@dataclass(frozen=True, slots=True)
class Sum:
    """So much in a currency, in minor units, and how often."""

    currency: str
    times: int
    amount: int


async def paid(tx: AsyncConnection, book: int, since: int) -> list[Sum]:
    """What came in since a time in microseconds."""
    return [Sum(*row) for row in await (await tx.execute(sql.PAID, (book, since))).fetchall()]


async def refunded(tx: AsyncConnection, book: int, since: int) -> list[Sum]:
    """What went back since a time in microseconds."""
    first = UUID(bytes=(since // 1000).to_bytes(6, "big") + bytes(10))
    return [Sum(*row) for row in await (await tx.execute(sql.REFUNDED, (book, first))).fetchall()]


async def payer(tx: AsyncConnection, book: int, name: str) -> str | None:
    """Whose payment is called so: by our id or the provider's, or by the number of its order."""
    try:
        id_ = UUID(name)
    except ValueError:
        by_name: Mapping[str, object] = {"book": book, "name": name}
        for statement, given in (
            (sql.PAYER_BY_NAME, by_name),
            (sql.BUYER, (book, name)),
            (sql.AT_PROVIDER, (book, name)),
        ):
            found = await _first(tx, statement, given)
            if found is not None:
                return found
        return None
    return await _first(tx, sql.PAYER, {"book": book, "id": id_})


async def order_of(tx: AsyncConnection, book: int, name: str) -> UUID | None:
    """The order of that number, or whose payment, refund or dispute the provider calls so."""
    for statement in (sql.ORDER_NUMBERED, sql.ORDER_PAID_BY):
        row = await (await tx.execute(statement, {"book": book, "name": name})).fetchone()
        if row is not None:
            return row[0]
    return None


async def cases_about(
    tx: AsyncConnection, book: int, kinds: Sequence[str], subjects: Sequence[str], limit: int
) -> list[Case]:
    """Cases of some kinds about some things, closed ones too, the oldest first."""
    given = {"book": book, "kinds": list(kinds), "subjects": list(subjects), "limit": limit}
    return [Case(*row) for row in await (await tx.execute(sql.CASES_ABOUT, given)).fetchall()]


async def _first(
    tx: AsyncConnection, statement: str, given: Sequence[object] | Mapping[str, object]
) -> str | None:
    row = await (await tx.execute(statement.encode(), given)).fetchone()
    return None if row is None else row[0]
