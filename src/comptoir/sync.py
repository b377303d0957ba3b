"""The library for programs without async: Django, Flask, Celery, scripts.

The verbs, their arguments, answers and errors are those of `comptoir.Comptoir`; callers wait for
them. Requests of all threads of a process share commits, as those of all tasks do there.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import psycopg

from comptoir.kit.errors import OutcomeUnknown, Unavailable
from comptoir.library import blocking_guards as guards
from comptoir.library import entry
from comptoir.library.blocking import (
    Billing,
    Credits,
    Customers,
    Holding,
    Ledger,
    Orders,
    Payments,
    Prices,
    Stock,
    Tokens,
)
from comptoir.library.joining import BlockingTransaction as Transaction
from comptoir.library.joining import blocking_connection_of, join_blocking
from comptoir.library.portal import Portal
from comptoir.store.joined import is_conflict
from comptoir.store.pool import begin_for_blocking_caller, open_blocking_pool

__all__ = ["Comptoir", "Credits", "Holding", "Ledger", "Transaction"]

T = TypeVar("T")

_TRIES: Final = 4


class Comptoir:
    """The books of one seller, for callers who wait.

    Shared by all threads of one process, never by forked ones: whoever forks (gunicorn, Celery)
    opens one in each child. Close it, or use it as a context manager: that settles what holds are
    left and flushes the rest.
    """

    def __init__(self, portal: Portal, of: entry.Comptoir, leave: Callable[[], None]) -> None:
        self._portal = portal
        self._of = of
        self._leave = leave
        self._pool = open_blocking_pool(of.app.urls.app, of.app.limits)
        self._pool.announce = of.app.announcer.touched_by_thread
        self._pool.open()
        self.credits = Credits(portal, of.credits)
        self.tokens = Tokens(portal, of.tokens)
        self.payments = Payments(portal, of.payments)
        self.billing = Billing(portal, of.billing)
        self.stock = Stock(portal, of.stock)
        self.orders = Orders(portal, of.orders)
        self.customers = Customers(portal, of.customers)
        self.prices = Prices(portal, of.prices)
        self.ledger = Ledger(portal, of.ledger)
        self.jobs = guards.JobQueue(portal, of.jobs)
        self.quotas = guards.Quotas(portal, of.quotas)
        self.limits = guards.Limits(portal, of.limits)
        self.guards = guards.Guarding(portal, of.guards, of.book)
        self.lease = self.guards.lease
        self.counters = guards.Counters(portal, of.counters)
        self.cache = guards.Cache(portal, of.cache)

    @classmethod
    def open(
        cls,
        database_url: str | None = None,
        *,
        home: Path | str | None = None,
        book: str = "live",
    ) -> Self:
        """Open the books: arguments and errors are those of `comptoir.Comptoir.open`."""
        portal = Portal()
        try:
            of, leave = portal.keep_open(entry.Comptoir.open(database_url, home=home, book=book))
        except BaseException:
            portal.close()
            raise
        return cls(portal, of, leave)

    def close(self) -> None:
        """Settle what holds are left, flush the rest, and close; again does nothing."""
        leave, self._leave = self._leave, _nothing
        if leave is _nothing:
            return
        self._pool.close()
        try:
            leave()
        finally:
            self._portal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        """A transaction for rows of the caller's own and of the ledger, all or nothing.

        Raises:
            Unavailable: no connection could be had in time.
            OutcomeUnknown: the connection was lost at COMMIT. Ask again with the same keys.
        """
        cache = guards.JoinedCache(self.cache, is_ours=True)
        try:
            with begin_for_blocking_caller(self._pool) as connection:
                yield join_blocking(self._of.app, self._of.book, connection, self._portal, cache)
        except OutcomeUnknown:
            cache.committed()  # it may have
            raise
        cache.committed()

    @contextmanager
    def lock(self, key: str) -> Generator[Transaction]:
        """Hold a key while the block runs, in a transaction that ends with it.

        Raises:
            Conflict: somebody holds it; `code` is operation-in-progress.
            Invalid: the key cannot be.
            Unavailable, OutcomeUnknown: as `transaction`.
        """
        with self.transaction() as tx:
            tx.guards.lock(key)
            yield tx

    def adopt(self, connection: object) -> Transaction:
        """The verbs, inside of a transaction that the caller has opened and will commit himself.

        Args:
            connection: psycopg's Connection, SQLAlchemy's Session or Connection, or
                `django.db.connection`, all on psycopg 3, of a database that has the ledger's
                schema.

        Raises:
            Misuse: it is none of these, no transaction is open on it, or one that is not READ
                COMMITTED.
        """
        found = blocking_connection_of(connection)
        cache = guards.JoinedCache(self.cache, is_ours=False)
        return join_blocking(self._of.app, self._of.book, found, self._portal, cache)

    def commit(self, work: Callable[[Transaction], T]) -> T:
        """Run work in a transaction, again when it meets another's: up to four times.

        Raises:
            Unavailable: as `transaction`, or it has met others every time.
        """
        last: psycopg.Error | None = None
        for _ in range(_TRIES):
            try:
                with self.transaction() as tx:
                    return work(tx)
            except psycopg.Error as error:
                if not is_conflict(error):
                    raise
                last = error
        raise Unavailable("overloaded") from last


def _nothing() -> None:
    """How to leave what is closed already."""
