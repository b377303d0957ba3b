"""What there is to read of payments."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.payments import sql
from comptoir.domains.payments.model import (
    FAULTS,
    Bought,
    Case,
    Dispute,
    Grant,
    Payment,
    Purpose,
    Refund,
    Status,
    Taking,
)
from comptoir.kit.errors import NotFound
from comptoir.store.pool import Pool, fetch

Given = Sequence[object] | Mapping[str, object]


def payment_of(row: Sequence[Any]) -> Payment:
    """A payment by its row."""
    values = list(row)
    values[3], values[8] = Purpose(values[3]), Status(values[8])
    return Payment(*values)


async def _one(tx: AsyncConnection, query: str, given: Given) -> tuple[Any, ...] | None:
    return await (await tx.execute(query.encode(), given, prepare=True)).fetchone()


async def find(tx: AsyncConnection, book: int, id_: UUID) -> Payment:
    """A payment.

    Raises:
        NotFound: the book has no such payment.
    """
    row = await _one(tx, sql.FIND, (book, id_))
    if row is None:
        raise NotFound("payment-not-found")
    return payment_of(row)


async def lock(tx: AsyncConnection, book: int, id_: UUID) -> Payment | None:
    """A payment that nobody else can change until the transaction ends."""
    row = await _one(tx, sql.LOCK, (book, id_))
    return None if row is None else payment_of(row)


async def lock_intent(tx: AsyncConnection, intent: str) -> Payment | None:
    """The payment that the provider knows as an intent, locked; of whichever book."""
    row = await _one(tx, sql.LOCK_INTENT, (intent,))
    return None if row is None else payment_of(row)


async def of_invoice(tx: AsyncConnection, book: int, invoice: str) -> list[Payment]:
    """The payments that an invoice was paid with, locked."""
    cursor = await tx.execute(sql.LOCK_OF_INVOICE, (invoice, book), prepare=True)
    return [payment_of(row) for row in await cursor.fetchall()]


async def lock_session(tx: AsyncConnection, session: str) -> Payment | None:
    """The payment that the provider knows as a session, locked; of whichever book."""
    row = await _one(tx, sql.LOCK_SESSION, (session,))
    return None if row is None else payment_of(row)


async def of_reference(tx: AsyncConnection, book: int, reference: str) -> Payment | None:
    """The payment of an obligation, if it is open or paid."""
    row = await _one(tx, sql.FIND_REFERENCE, (book, reference))
    return None if row is None else payment_of(row)


async def unfinished(tx: AsyncConnection, seconds: float) -> list[Payment]:
    """Payments of all books that nothing was heard of for so long, a hundred at most."""
    cursor = await tx.execute(sql.UNFINISHED, (seconds,))
    return [payment_of(row) for row in await cursor.fetchall()]


async def paid_since(
    tx: AsyncConnection, book: int, since: int, after: tuple[int, UUID]
) -> list[Payment]:
    """Payments that came since a time, the oldest first, 500 at most after the last one seen."""
    cursor = await tx.execute(sql.PAID_SINCE, (book, since, *after))
    return [payment_of(row) for row in await cursor.fetchall()]


async def by_intents(tx: AsyncConnection, intents: Sequence[str]) -> dict[str, Payment]:
    """The payments of some intents, whichever books they are in."""
    cursor = await tx.execute(sql.BY_INTENTS, (list(intents),))
    found = [payment_of(row) for row in await cursor.fetchall()]
    return {each.intent: each for each in found if each.intent is not None}


async def purchase(tx: AsyncConnection, book: int, id_: UUID) -> Bought | None:
    """What a payment has bought."""
    row = await _one(tx, sql.PURCHASE, (book, id_))
    return None if row is None else Bought(*row)


async def grants(tx: AsyncConnection, payment: Payment) -> list[Grant]:
    """What a payment has brought."""
    cursor = await tx.execute(sql.GRANTS, (payment.book, payment.id), prepare=True)
    return [Grant(*row) for row in await cursor.fetchall()]


async def is_moved(tx: AsyncConnection, payment: Payment) -> bool:
    """Whether anything ever went back of a payment, or was taken back for it."""
    row = await _one(tx, sql.IS_MOVED, {"book": payment.book, "payment": payment.id})
    return row is not None and row[0]


async def refunds(tx: AsyncConnection, payment: Payment) -> list[Refund]:
    """What went back of a payment, or is to."""
    cursor = await tx.execute(sql.REFUNDS, (payment.book, payment.id), prepare=True)
    return [Refund(*row) for row in await cursor.fetchall()]


async def refund(tx: AsyncConnection, book: int, id_: UUID) -> Refund | None:
    """A refund by our own id."""
    row = await _one(tx, sql.REFUND, (book, id_))
    return None if row is None else Refund(*row)


async def refund_of(tx: AsyncConnection, provider_id: str) -> Refund | None:
    """A refund by the provider's id, locked."""
    row = await _one(tx, sql.REFUND_BY_PROVIDER, (provider_id,))
    return None if row is None else Refund(*row)


async def unfinished_refunds(tx: AsyncConnection, seconds: float) -> list[tuple[int, Refund]]:
    """Refunds of all books that nothing was heard of for so long, with their books."""
    cursor = await tx.execute(sql.UNFINISHED_REFUNDS, (seconds,))
    return [(row[0], Refund(*row[1:])) for row in await cursor.fetchall()]


async def disputes(tx: AsyncConnection, payment: Payment) -> list[Dispute]:
    """What banks took back of a payment."""
    cursor = await tx.execute(sql.DISPUTES, (payment.book, payment.id), prepare=True)
    return [Dispute(*row) for row in await cursor.fetchall()]


async def dispute(tx: AsyncConnection, provider_id: str) -> Dispute | None:
    """A dispute, locked."""
    row = await _one(tx, sql.DISPUTE, (provider_id,))
    return None if row is None else Dispute(*row)


async def takings(tx: AsyncConnection, payment: Payment) -> list[Taking]:
    """What was taken back of what a payment has brought."""
    cursor = await tx.execute(sql.TAKINGS, (payment.book, payment.id), prepare=True)
    return [
        Taking(no, cause, (account, version), amount, waived, line, ended)
        for no, cause, account, version, amount, waived, line, ended in await cursor.fetchall()
    ]


async def cases(
    tx: AsyncConnection, book: int, after: tuple[int, UUID] | None, limit: int
) -> list[Case]:
    """What needs a human, the oldest first."""
    at, id_ = after or (0, UUID(int=0))
    cursor = await tx.execute(sql.CASES, (book, at, id_, limit))
    return [Case(*row) for row in await cursor.fetchall()]


async def differs(tx: AsyncConnection, payment: Payment) -> bool:
    """Whether a human was told that something else has come for it than was asked."""
    row = await _one(tx, sql.HAS_CASE, (payment.book, list(FAULTS), str(payment.id)))
    return row is not None


async def count_cases(tx: AsyncConnection, book: int) -> int:
    """How much needs a human."""
    row = await _one(tx, sql.COUNT_CASES, (book,))
    return row[0] if row else 0


async def open_cases(pool: Pool) -> dict[tuple[int, str], int]:
    """How much needs a human, of all books by their number, by its kind: 10,000 at most.

    Raises:
        Unavailable: the database is down.
    """
    return {(book, kind): count for book, kind, count in await fetch(pool, sql.OPEN_CASES, ())}


async def provider_customer(
    tx: AsyncConnection,
    book: int,
    livemode: bool,  # noqa: FBT001  # part of the key
    customer: int,
) -> str | None:
    """Who a customer is at the provider."""
    row = await _one(tx, sql.PROVIDER_CUSTOMER, (book, livemode, customer))
    return None if row is None else row[0]


async def customer_of(tx: AsyncConnection, provider_id: str) -> tuple[int, int] | None:
    """The book and the customer whom the provider knows by an id."""
    row = await _one(tx, sql.CUSTOMER_OF, (provider_id,))
    return None if row is None else (row[0], row[1])


async def customer(tx: AsyncConnection, book: int, id_: int) -> tuple[str | None, str, str | None]:
    """A customer's own id, language and address; None for the first once he was erased."""
    row = await _one(tx, sql.CUSTOMER, (book, id_))
    return (None, "en", None) if row is None else (row[0], row[1], row[2])


async def cursor(tx: AsyncConnection, book: int, source: str) -> int | None:
    """How far the provider's events have been read, in microseconds."""
    row = await _one(tx, sql.CURSOR, (book, source))
    return None if row is None else row[0]


async def now(tx: AsyncConnection) -> int:
    """The database's time."""
    row = await _one(tx, sql.NOW, ())
    assert row is not None, "there is always a time"
    return row[0]


async def oldest(tx: AsyncConnection, book: int) -> int | None:
    """When the first payment of a book was begun, in microseconds."""
    row = await _one(tx, sql.OLDEST, (book,))
    return None if row is None else row[0]


async def known_refunds(tx: AsyncConnection, ids: Sequence[str]) -> dict[str, str]:
    """Which of some refunds we know, with their statuses."""
    return dict(await (await tx.execute(sql.KNOWN_REFUNDS, (list(ids),))).fetchall())


async def known_disputes(tx: AsyncConnection, ids: Sequence[str]) -> dict[str, str]:
    """Which of some disputes we know, with their statuses."""
    return dict(await (await tx.execute(sql.KNOWN_DISPUTES, (list(ids),))).fetchall())


async def open_disputes(tx: AsyncConnection) -> list[str]:
    """Disputes of all books that are not decided."""
    return [row[0] for row in await (await tx.execute(sql.OPEN_DISPUTES)).fetchall()]


async def line(
    tx: AsyncConnection, book: int, account: int, version: int
) -> tuple[int, str] | None:
    """The amount and the kind of a line of the journal."""
    row = await _one(tx, sql.LINE, (book, account, version))
    return None if row is None else (row[0], row[1])


async def brought(
    tx: AsyncConnection, book: int, bought: Bought, names: Sequence[str]
) -> list[Grant]:
    """The lots of a customer that carry a payment's name, and are not reversed."""
    given = (book, bought.customer, bought.asset, list(names))
    return [Grant(*row) for row in await (await tx.execute(sql.BROUGHT, given)).fetchall()]


async def without_fee(tx: AsyncConnection) -> list[Payment]:
    """Payments of all books whose fee nobody has asked for yet, a hundred at most."""
    cursor = await tx.execute(sql.WITHOUT_FEE)
    return [payment_of(row) for row in await cursor.fetchall()]


async def fees(tx: AsyncConnection, book: int, since: int, until: int) -> list[tuple[str, int]]:
    """What the provider has kept of payments, by currency, in minor units."""
    cursor = await tx.execute(sql.FEES, (book, since, until))
    return [(row[0], row[1]) for row in await cursor.fetchall()]
