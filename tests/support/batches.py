"""A book on PostgreSQL with the group commit beside it, for tests at the library door."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg
from psycopg.abc import QueryNoTemplate

from comptoir.kit.errors import Unavailable
from comptoir.kit.ids import request_id
from comptoir.kit.limits import SECOND
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.model import Answer
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Capture, Chain, Grant, Hold, Spend, Transfer
from comptoir.store.batch import Batch
from comptoir.store.directory import Directory
from comptoir.store.facts import Asset, Facts
from comptoir.store.ledger import Clock, database_time
from comptoir.store.pool import Limits, open_pool
from comptoir.store.verify import stand_alone_sql, verify
from tests.support.postgres import Database

DEADLINE: Final = 30.0
"""Seconds after which a test that waits for something gives up."""

LIMITS: Final = Limits(pool=2, connect=10, lock=10, in_flight=10)

_LEAKED_HOLDS: Final = """
SELECT h.id FROM comptoir.holds h
LEFT JOIN comptoir.requests r ON (r.book_id, r.id) = (h.book_id, h.id)
WHERE r.op IS DISTINCT FROM 'hold' OR r.outcome <> 'created' OR h.expires_at IS NULL"""

_CONNECTIONS: Final = """
SELECT pid, state, query FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'comptoir'"""

_LOCKS: Final = """
SELECT l.pid, l.locktype, l.mode, a.query FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE a.datname = current_database() AND a.application_name = 'comptoir'"""


@dataclass(frozen=True, slots=True)
class Shop:
    """Accounts of one asset, requests about them, and what the database says of them."""

    database: Database
    book: int
    facts: Facts
    directory: Directory
    asset: Asset

    @property
    def url(self) -> str:
        """Where the database is, for the application."""
        return self.database.app_url

    def id(self, key: str) -> bytes:
        """The id of the request with a key."""
        return request_id(self.book, key)

    async def account(self, name: str, amount: int = 0) -> int:
        """The account of a customer, with `amount` granted under the key `open-NAME`."""
        id_ = await self.directory.account(self.book, self.asset, name)
        if amount:
            async with self.batch() as batch:
                await batch.submit(self.grant(f"open-{name}", id_, amount))
        return id_

    async def accounts(self, names: Iterable[str], amount: int) -> list[int]:
        """Accounts of several customers, each with `amount`, granted in one commit."""
        ids = [await self.directory.account(self.book, self.asset, name) for name in names]
        async with self.batch() as batch, asyncio.TaskGroup() as group:
            for id_ in ids:
                group.create_task(batch.submit(self.grant(f"open-{id_}", id_, amount)))
        return ids

    def batch(self, limits: Limits = LIMITS, url: str = "", clock: Clock = database_time) -> Batch:
        """A group commit of this book, not yet open."""
        return Batch(url or self.url, self.book, self.facts, limits, clock)

    def grant(self, key: str, account: int, amount: int) -> Chain:
        mark = _mark("grant", account, amount)
        return (Grant(self.id(key), mark, account, self.asset.issuer, amount),)

    def spend(self, key: str, account: int, amount: int = 1) -> Chain:
        mark = _mark("spend", account, amount)
        return (Spend(self.id(key), mark, account, self.asset.revenue, amount),)

    def hold(self, key: str, account: int, amount: int = 1, ttl: int | None = 60) -> Chain:
        mark = _mark("hold", account, amount)
        micros = None if ttl is None else ttl * SECOND
        return (Hold(self.id(key), mark, account, self.asset.revenue, amount, micros),)

    def capture(self, key: str, hold: str) -> Chain:
        mark = fingerprint((("op", "capture"), ("hold", hold)))
        return (Capture(self.id(key), mark, self.id(hold)),)

    def transfer(self, key: str, source: int, target: int, amount: int = 1) -> Chain:
        mark = fingerprint((("op", "transfer"), ("from", source), ("to", target), ("amount", 1)))
        return (Transfer(self.id(key), mark, source, target, amount),)

    def rows(self, query: QueryNoTemplate, *values: object) -> list[tuple[Any, ...]]:
        """What a statement selects, on a fresh connection of the superuser."""
        return rows(self.database.superuser_url, query, *values)

    def run(self, script: str) -> None:
        """Run statements of the superuser; everybody may use the tables that they make."""
        with psycopg.connect(self.database.superuser_url, autocommit=True) as connection:
            connection.execute(script.encode())
            connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO public")

    def balance(self, account: int) -> tuple[int, int]:
        """What an account has posted, and what is held of that."""
        query = "SELECT posted, held FROM comptoir.accounts WHERE book_id = %s AND id = %s"
        [row] = self.rows(query, self.book, account)
        return (row[0], row[1])

    def effects(self, *keys: str) -> int:
        """How many lines of the journal the requests with these keys have made."""
        ids = [self.id(key) for key in keys]
        query = """SELECT count(*) FROM comptoir.movements
            WHERE book_id = %s AND request_id = ANY(%s)"""
        [row] = self.rows(query, self.book, ids)
        return row[0]

    def lock(self, account: int) -> psycopg.Connection:
        """A foreign connection that keeps the row of an account locked until it is closed."""
        foreign = psycopg.connect(self.url)
        foreign.execute(
            "SELECT 1 FROM comptoir.accounts WHERE book_id = %s AND id = %s FOR UPDATE",
            (self.book, account),
        )
        return foreign


def rows(url: str, query: QueryNoTemplate, *values: object) -> list[tuple[Any, ...]]:
    """What a statement selects, on a fresh connection."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query, values).fetchall()


def assert_verified(database: Database) -> None:
    """The stand-alone SQL, which uses none of our code, finds nothing to complain about."""
    assert rows(database.owner_url, stand_alone_sql().encode()) == []


def leaked_holds(database: Database) -> list[tuple[Any, ...]]:
    """Holds that no stored request has asked for, or that would never end."""
    return rows(database.superuser_url, _LEAKED_HOLDS)


def connections(database: Database) -> list[tuple[Any, ...]]:
    """The connections that Comptoir has open to this database."""
    return rows(database.superuser_url, _CONNECTIONS)


def locks(database: Database) -> list[tuple[Any, ...]]:
    """The locks that Comptoir holds in this database, of whatever kind."""
    return rows(database.superuser_url, _LOCKS)


async def until(holds: Callable[[], bool | Awaitable[bool]], seconds: float = DEADLINE) -> None:
    """Wait until something holds; fails when it does not in time."""
    async with asyncio.timeout(seconds):
        while True:  # bounded by the timeout
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)


async def gather(batch: Batch, chains: Iterable[Chain]) -> list[list[Answer]]:
    """Submit chains at the same moment."""
    return await asyncio.gather(*(batch.submit(chain) for chain in chains))


def outcomes(answers: Iterable[Sequence[Answer]]) -> list[Outcome]:
    """What became of single requests."""
    return [answer.outcome for [answer] in answers]


async def insist(batch: Batch, chain: Chain) -> list[Answer]:
    """Submit a chain again and again, as a caller does to whom it was said that nobody knows."""
    async with asyncio.timeout(DEADLINE):
        while True:  # bounded by the timeout
            try:
                return await batch.submit(chain)
            except Unavailable:
                await asyncio.sleep(0.02)


def smaller(**changes: float) -> Limits:
    """The limits of these tests with some of them made smaller."""
    return replace(LIMITS, **changes)


_NEW_BOOK: Final = """
WITH made AS (
    INSERT INTO comptoir.books (id, name) SELECT max(id) + 1, 'book-' || max(id) + 1
    FROM comptoir.books RETURNING id
) SELECT id FROM made"""
_OPEN_ASSET: Final = "SELECT comptoir.open_asset(%s, 'credits', 6::smallint)"


@asynccontextmanager
async def open_shop(database: Database) -> AsyncGenerator[Shop]:
    """A new book of a migrated database, whose figures must be right at the end."""
    [(book,)] = rows(database.superuser_url, _NEW_BOOK)
    rows(database.superuser_url, _OPEN_ASSET, book)
    async with shop_of(database, book) as shop:
        yield shop
    async with open_pool(database.app_url, LIMITS) as pool:
        verified = await verify(pool, book, full=True)
    assert verified.drift == []


@asynccontextmanager
async def shop_of(database: Database, book: int) -> AsyncGenerator[Shop]:
    """A book that is there."""
    async with open_pool(database.app_url, LIMITS) as pool, Directory(pool) as directory:
        facts = await directory.facts(book)
        yield Shop(database, book, facts, directory, await directory.asset(book, "credits"))


def _mark(op: str, account: int, amount: int) -> bytes:
    return fingerprint((("op", op), ("account", account), ("amount", amount)))
