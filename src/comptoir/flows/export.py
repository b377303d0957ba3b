"""Everything that is kept about a person, in one snapshot, a page in memory at a time."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from psycopg import AsyncConnection

from comptoir.domains.credits import history
from comptoir.domains.credits.history import Account, PastHold, PastLot, PastMovement
from comptoir.domains.identity import queries
from comptoir.domains.identity.model import Customer
from comptoir.domains.payments import history as paying
from comptoir.domains.payments.history import PastPayment
from comptoir.domains.stock import queries as stock
from comptoir.domains.stock.model import Line, Order
from comptoir.domains.subscriptions import queries as subscribing
from comptoir.domains.subscriptions.model import Subscription
from comptoir.store.directory import Directory
from comptoir.store.facts import Asset
from comptoir.store.pool import Pool, begin

_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_NOW: Final = "SELECT comptoir.micros(now())"

Paid = tuple[PastPayment, Asset | None]


@dataclass(frozen=True, slots=True)
class Export:
    """A person as he was at one moment; the lists are read from the same snapshot when asked for.

    Used by one task, while the block of `exporting` runs.

    Attributes:
        subscriptions: all that he ever had, the oldest first.
    """

    at: int
    customer: Customer
    accounts: Sequence[Account]
    subscriptions: Sequence[Subscription]
    book: int
    tx: AsyncConnection
    directory: Directory

    def lots(self, account: Account) -> AsyncIterator[Sequence[PastLot]]:
        """All lots of one of his accounts, oldest first, in pages."""
        return history.lots(self.tx, self.book, account)

    def holds(self, account: Account) -> AsyncIterator[Sequence[PastHold]]:
        """All holds of one of his accounts, oldest first, in pages."""
        return history.holds(self.tx, self.book, account)

    def movements(self, account: Account) -> AsyncIterator[Sequence[PastMovement]]:
        """All lines of one of his accounts, oldest first, in pages."""
        return history.movements(self.tx, self.book, account)

    async def payments(self) -> AsyncGenerator[Sequence[Paid]]:
        """All of his payments with the assets that they bought, oldest first, in pages."""
        async for page in paying.payments(self.tx, self.book, self.customer.id):
            yield [(each, await self._asset(each)) for each in page]

    def orders(self) -> AsyncIterator[Sequence[tuple[Order, Sequence[Line]]]]:
        """All of his orders with their lines, oldest first, in pages."""
        return stock.past(self.tx, self.book, self.customer.id)

    async def _asset(self, of: PastPayment) -> Asset | None:
        if of.bought is None:
            return None
        return await self.directory.asset_of(self.book, of.bought.asset)


@asynccontextmanager
async def exporting(
    pool: Pool, directory: Directory, book: int, customer: str
) -> AsyncGenerator[Export]:
    """Export a customer while the block runs, which holds a connection and its snapshot: be quick.

    Raises:
        NotFound: the book does not have him.
        Unavailable: the database cannot be reached.
    """
    async with begin(pool) as tx:
        await tx.execute(_SNAPSHOT)
        row = await (await tx.execute(_NOW)).fetchone()
        assert row is not None, "there is always a time"
        found = await queries.customer(tx, book, customer)
        accounts = await history.accounts(tx, book, directory, (found.id, found.customer))
        plans = await subscribing.of_customer(tx, book, found.id)
        yield Export(row[0], found, accounts, plans, book, tx, directory)
