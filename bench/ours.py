"""Comptoir in the caller's process, with everything on: id, fingerprint, lots, stored answer.

Twice: the group commit itself, and the verb of the library that programs call.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import psycopg

from bench.measure import ACCOUNTS, Spend
from comptoir import Comptoir
from comptoir.kit.ids import request_id
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Grant
from comptoir.ledger.requests import Spend as SpendRequest
from comptoir.store.batch import Batch
from comptoir.store.directory import Directory
from comptoir.store.facts import Asset, Facts
from comptoir.store.migrate import migrate
from comptoir.store.pool import Limits, open_pool
from comptoir.store.verify import verify

BOOK: Final = 1
FILLED: Final = 10**12

_OPEN: Final = """
WITH who AS (
    INSERT INTO comptoir.customers (book_id, customer)
    SELECT %(book)s, 'customer-' || n FROM generate_series(0, %(last)s) n RETURNING id
)
SELECT comptoir.open_account(%(book)s, %(asset)s, who.id, NULL, true) FROM who"""


class Ours:
    """A seeded book."""

    def __init__(self, url: str, facts: Facts, asset: Asset, accounts: list[int]) -> None:
        self.url = url
        self.facts = facts
        self.asset = asset
        self.accounts = accounts

    @asynccontextmanager
    async def open(self, _url: str) -> AsyncIterator[Spend]:
        async with Batch(self.url, BOOK, self.facts, Limits()) as batch:
            yield self.spend(batch)

    def spend(self, batch: Batch) -> Spend:
        """One call as an application makes it: nothing is prepared outside of it."""
        accounts, revenue = self.accounts, self.asset.revenue

        async def spend(place: int, key: str) -> bool:
            mark = fingerprint(
                (
                    ("op", "spend"),
                    ("customer", f"customer-{place}"),
                    ("asset", "credits"),
                    ("amount", 1),
                )
            )
            request = SpendRequest(request_id(BOOK, key), mark, accounts[place], revenue, 1)
            [answer] = await batch.submit((request,))
            return answer.outcome is Outcome.CREATED

        return spend


@asynccontextmanager
async def verbs(url: str) -> AsyncIterator[Spend]:
    """The same through `Comptoir.credits.spend`: names, checks, and an answer with decimals."""
    async with Comptoir.open(url) as books:

        async def spend(place: int, key: str) -> bool:
            await books.credits.spend(f"customer-{place}", "0.000001", idempotency_key=key)
            return True

        yield spend


async def seed(url: str) -> Ours:
    """Make the schema anew, with 10,000 customers who each have one filled lot."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS comptoir CASCADE")
    migrate(url)
    async with open_pool(url, Limits()) as pool, Directory(pool) as directory:
        facts, asset = await directory.facts(BOOK), await directory.asset(BOOK, "credits")
    with psycopg.connect(url, autocommit=True) as connection:
        values = {"book": BOOK, "asset": asset.id, "last": ACCOUNTS - 1}
        accounts = sorted(row[0] for row in connection.execute(_OPEN, values))
    async with Batch(url, BOOK, facts, Limits()) as batch, asyncio.TaskGroup() as group:
        for account in accounts:
            id_ = request_id(BOOK, f"fill-{account}")
            grant = Grant(id_, b"seed" * 4, account, asset.issuer, FILLED)
            group.create_task(batch.submit((grant,)))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return Ours(url, facts, asset, accounts)


class Commits:
    """Counts the commits of ours: the lines of one commit share one time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._earlier = self._count()

    def count(self) -> int:
        """Since this object was made."""
        return self._count() - self._earlier

    def _count(self) -> int:
        with psycopg.connect(self._url, autocommit=True) as connection:
            row = connection.execute("SELECT count(DISTINCT at) FROM comptoir.movements").fetchone()
        assert row is not None, "an aggregate has one row"
        return row[0]


async def check(url: str, *, full: bool) -> None:
    """Fails when `comptoir verify` finds anything, from the beginning or since it last ran."""
    async with open_pool(url, Limits()) as pool:
        found = await verify(pool, None, full=full)
    assert found.balanced, f"our books do not balance: {found.drift[:3]}"
