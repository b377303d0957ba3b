"""The front door of the library."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import psycopg

from comptoir.app import App, open_books, read_settings
from comptoir.domains.identity import queries
from comptoir.kit.errors import NotFound, OutcomeUnknown, Unavailable
from comptoir.library.billing import Billing
from comptoir.library.caching import Cache, JoinedCache
from comptoir.library.counting import Counters
from comptoir.library.credits import Credits
from comptoir.library.engine import Engine
from comptoir.library.guarding import Guarding, Limits, Quotas
from comptoir.library.jobs import JobQueue, Jobs
from comptoir.library.joining import Transaction, connection_of, join
from comptoir.library.ledger import Ledger
from comptoir.library.orders import Orders
from comptoir.library.payments import Payments
from comptoir.library.people import Customers
from comptoir.library.prices import Prices
from comptoir.library.settling import Settling
from comptoir.library.stock import Stock
from comptoir.library.tokens import Tokens
from comptoir.store.door import Door
from comptoir.store.joined import is_conflict
from comptoir.store.pool import begin, begin_for_caller, fetch

T = TypeVar("T")

_TRIES: Final = 4
_PATIENCE: Final = 60.0
"""Seconds for which a hold is tried to be settled when nobody can decide."""


class Comptoir:
    """The books of one seller, in the caller's own process, on the same database as any server.

    Shared by all tasks of one event loop; `comptoir.sync` is for programs without one. Requests
    of all tasks share commits, so that a busy account costs each of them little.

    Attributes:
        credits: balances of customers, in credits or in any other asset, and packs of them.
        tokens: what customers have generated with tokens, month by month.
        payments: money that comes in for what is no pack, and money that goes back.
        billing: plans that are subscribed to.
        stock: what is sold in sizes, what moves it, and what is set aside of it.
        orders: carts that are set aside and paid, then sent.
        customers: who they are.
        prices: what an action costs.
        ledger: batches, transfers, assets, and the proof that the books balance.
        jobs: what is to be done later; `working` does it.
        quotas: what a customer's plan allows in a day.
        limits: how often something may be done.
        guards: leases, calls that are made once.
        lease: as `guards.lease`.
        counters: what is counted, to be shown.
        cache: what need not be worked out again.
    """

    def __init__(self, app: App, book: int, settling: Settling) -> None:
        self._app = app
        self._book = book
        engine = Engine(app, book, self._door, self._fetch)
        self.credits = Credits(engine, settling)
        self.tokens = Tokens(engine)
        self.payments = Payments(engine)
        self.billing = Billing(engine)
        self.stock = Stock(engine)
        self.orders = Orders(engine)
        self.customers = Customers(engine)
        self.prices = Prices(engine)
        self.ledger = Ledger(engine)
        self.jobs = JobQueue(app, book)
        self.quotas = Quotas(app, book)
        self.limits = Limits(app, book)
        self.guards = Guarding(app, book)
        self.cache = Cache(app, book)
        self.counters = Counters(app, book)
        self.lease = self.guards.lease

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        database_url: str | None = None,
        *,
        home: Path | str | None = None,
        book: str = "live",
    ) -> AsyncGenerator[Self]:
        """Open the books; leaving the block settles what holds are left and flushes the rest.

        Args:
            database_url: PostgreSQL; DATABASE_URL by default; without either the embedded one.
            home: where the embedded one lives; COMPTOIR_HOME by default, or `./.comptoir`.
            book: live or test.

        Raises:
            ComptoirError: the embedded database is refused here, or the books have moved elsewhere.
            Misuse: this library does not work on the revision of the database.
            NotFound: there is no such book.
            Unavailable: the database cannot be reached, or the books are moving.
        """
        settings = read_settings(database_url, None if home is None else Path(home))
        async with open_books(settings) as app, cls.on(app, await _book(app, book)) as books:
            yield books

    @classmethod
    @asynccontextmanager
    async def on(cls, app: App, book: int) -> AsyncGenerator[Self]:
        """The books on what is open already: for our own servers, no part of the public library."""
        async with Settling(_PATIENCE, app.randomness) as settling:
            yield cls(app, book, settling)

    @asynccontextmanager
    async def working(
        self,
        jobs: Jobs,
        *,
        concurrency: int = 10,
        failed: Callable[[Exception], None] = lambda _: None,
    ) -> AsyncGenerator[None]:
        """Do jobs in this process, while the block runs; `comptoir worker` has one of its own.

        Leaving the block lets jobs that are being done end, for up to twenty seconds.

        Args:
            jobs: what can be done; jobs of other types are left to other workers.
            concurrency: jobs that are done at a time.
            failed: told of what the worker itself meets, when its database is away; it comes back.
        """
        # Loaded when needed: the queue's own code takes longer to load than all of ours.
        from comptoir.jobs.worker import Pace, nobody  # noqa: PLC0415  # slow to load
        from comptoir.library.working import at_work  # noqa: PLC0415  # slow to load

        duties = self._app.duties.plus(jobs.bound(self, self._book))
        async with at_work(self._app, duties, Pace(concurrency=concurrency), nobody, failed):
            yield

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """A transaction for rows of the caller's own and of the ledger, all or nothing.

        Raises:
            Unavailable: no connection could be had in time.
            OutcomeUnknown: the connection was lost at COMMIT. Ask again with the same keys.
        """
        cache = JoinedCache(self.cache, is_ours=True)
        try:
            async with begin_for_caller(self._app.pool) as connection:
                yield await join(self._app, self._book, connection, cache)
        except OutcomeUnknown:
            await cache.committed()  # it may have
            raise
        await cache.committed()

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncGenerator[Transaction]:
        """Hold a key while the block runs, in a transaction that ends with it.

        Keep the network out of it; `guards.lease` is for what takes longer.

        Raises:
            Conflict: somebody holds it; `code` is operation-in-progress.
            Invalid: the key cannot be.
            Unavailable, OutcomeUnknown: as `transaction`.
        """
        async with self.transaction() as tx:
            await tx.guards.lock(key)
            yield tx

    async def adopt(self, connection: object) -> Transaction:
        """The verbs, inside of a transaction that the caller has opened and will commit himself.

        Args:
            connection: psycopg's AsyncConnection, or SQLAlchemy's AsyncSession or AsyncConnection
                on psycopg, of a database that has the ledger's schema.

        Raises:
            Misuse: it is none of these, no transaction is open on it, or one that is not READ
                COMMITTED.
        """
        cache = JoinedCache(self.cache, is_ours=False)
        return await join(self._app, self._book, await connection_of(connection), cache)

    async def commit(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run work in a transaction, again when it meets another's: up to four times.

        Raises:
            Unavailable: as `transaction`, or it has met others every time.
        """
        last: psycopg.Error | None = None
        for _ in range(_TRIES):
            try:
                async with self.transaction() as tx:
                    return await work(tx)
            except psycopg.Error as error:
                if not is_conflict(error):
                    raise
                last = error
        raise Unavailable("overloaded") from last

    @property
    def app(self) -> App:
        """What the verbs run on: for `comptoir.sync`, and no part of the public library."""
        return self._app

    @property
    def book(self) -> int:
        """The surrogate id of the book."""
        return self._book

    async def _door(self) -> Door:
        return await self._app.door(self._book)

    async def _fetch(self, query: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        return await fetch(self._app.pool, query, parameters)


async def _book(app: App, name: str) -> int:
    async with begin(app.pool) as tx:
        books = await queries.books(tx)
    if name not in books:
        raise NotFound("unknown-book", book=name, books=", ".join(books))
    return books[name]
