"""The recipes that one finds in the field, each in its best form, in the schema `peer`.

Each has what a spend of ours has at least: a unique idempotency key, a movement with the balance
before and after, a gapless version, and the same indexes. None has lots, holds, a fingerprint or
a stored answer.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg.errors import UniqueViolation
from psycopg_pool import AsyncConnectionPool

from bench.database import connections
from bench.measure import ACCOUNTS, Spend
from comptoir.kit.ids import request_id

BOOK: Final = 1
POOL_SIZES: Final = (4, 16, 32, 64)
FILLED: Final = 10**12

_SCHEMA: Final = """
DROP SCHEMA IF EXISTS peer CASCADE;
CREATE SCHEMA peer;
CREATE TABLE peer.accounts (
    id bigint PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0),
    version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE TABLE peer.movements (
    account_id bigint NOT NULL,
    version bigint NOT NULL,
    request_id bytea NOT NULL UNIQUE,
    amount bigint NOT NULL,
    before bigint NOT NULL,
    after bigint NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, version)
);
"""

_LOCK: Final = "SELECT balance, version FROM peer.accounts WHERE id = %s FOR NO KEY UPDATE"
_CHANGE: Final = "UPDATE peer.accounts SET balance = %s, version = %s WHERE id = %s"
_ADD: Final = """
INSERT INTO peer.movements (account_id, version, request_id, amount, before, after, kind)
VALUES (%s, %s, %s, %s, %s, %s, 'spend')"""

_ONE_STATEMENT: Final = """
WITH spent AS (
    UPDATE peer.accounts SET balance = balance - %(amount)s, version = version + 1
    WHERE id = %(account)s AND balance >= %(amount)s RETURNING id, balance, version
)
INSERT INTO peer.movements (account_id, version, request_id, amount, before, after, kind)
SELECT id, version, %(request)s, -%(amount)s, balance + %(amount)s, balance, 'spend' FROM spent
RETURNING version, after"""


def seed(url: str) -> None:
    """Make the schema anew, with filled accounts."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA)
        connection.execute(
            "INSERT INTO peer.accounts (id, balance) SELECT n, %s FROM generate_series(0, %s) n",
            (FILLED, ACCOUNTS - 1),
        )
        connection.execute("VACUUM ANALYZE peer.accounts")


def check(url: str) -> None:
    """Fails when any balance is not what the movements say."""
    with psycopg.connect(url, autocommit=True) as connection:
        wrong = connection.execute(
            """SELECT count(*) FROM peer.accounts a LEFT JOIN (
                SELECT account_id, sum(amount) AS total, count(*) AS lines, max(version) AS last
                FROM peer.movements GROUP BY account_id) m ON m.account_id = a.id
            WHERE a.balance <> %s + coalesce(m.total, 0) OR a.version <> coalesce(m.lines, 0)
                OR a.version <> coalesce(m.last, 0)""",
            (FILLED,),
        ).fetchone()
    assert wrong == (0,), f"the peer's books do not balance: {wrong}"


def _locking(pool: AsyncConnectionPool) -> Spend:
    async def spend(account: int, key: str) -> bool:
        id_ = request_id(BOOK, key)
        async with pool.connection() as connection:
            cursor = connection.cursor()
            await cursor.execute("BEGIN")
            await cursor.execute(_LOCK, (account,), prepare=True)
            row = await cursor.fetchone()
            if row is None or row[0] < 1:
                await cursor.execute("ROLLBACK")
                return False
            before, version = row
            try:
                await cursor.execute(_CHANGE, (before - 1, version + 1, account), prepare=True)
                values = (account, version + 1, id_, -1, before, before - 1)
                await cursor.execute(_ADD, values, prepare=True)
            except UniqueViolation:
                await cursor.execute("ROLLBACK")
                return False
            await cursor.execute("COMMIT")
            return True

    return spend


def _locking_pipelined(pool: AsyncConnectionPool) -> Spend:
    """Two round trips instead of five: one to decide, one to write."""

    async def spend(account: int, key: str) -> bool:
        id_ = request_id(BOOK, key)
        async with pool.connection() as connection:
            async with connection.pipeline():
                await connection.execute("BEGIN")
                cursor = await connection.execute(_LOCK, (account,), prepare=True)
            row = await cursor.fetchone()
            if row is None or row[0] < 1:
                await connection.execute("ROLLBACK")
                return False
            before, version = row
            try:
                async with connection.pipeline():
                    await connection.execute(
                        _CHANGE, (before - 1, version + 1, account), prepare=True
                    )
                    values = (account, version + 1, id_, -1, before, before - 1)
                    await connection.execute(_ADD, values, prepare=True)
                    await connection.execute("COMMIT")
            except UniqueViolation:
                await connection.execute("ROLLBACK")
                return False
            return True

    return spend


def _one_statement(pool: AsyncConnectionPool) -> Spend:
    async def spend(account: int, key: str) -> bool:
        values = {"account": account, "amount": 1, "request": request_id(BOOK, key)}
        async with pool.connection() as connection:
            try:
                cursor = await connection.execute(_ONE_STATEMENT, values, prepare=True)
            except UniqueViolation:
                return False
            return await cursor.fetchone() is not None

    return spend


@dataclass(frozen=True, slots=True)
class Recipe:
    """One form of a peer: the code and the size of its pool."""

    name: str
    make: Callable[[AsyncConnectionPool], Spend]
    pool: int

    @property
    def form(self) -> str:
        return f"{self.make.__name__.strip('_').replace('_', ' ')}, pool of {self.pool}"

    def open(self, url: str) -> AbstractAsyncContextManager[Spend]:
        return _opened(url, self)


@asynccontextmanager
async def _opened(url: str, recipe: Recipe) -> AsyncIterator[Spend]:
    async with connections(url, recipe.pool) as pool:
        yield recipe.make(pool)


def for_update(sizes: Sequence[int]) -> list[Recipe]:
    """Every form of recipe (i), with every size of pool."""
    return [
        Recipe("FOR UPDATE", make, size)
        for make in (_locking, _locking_pipelined)
        for size in sizes
    ]


def one_statement(sizes: Sequence[int]) -> list[Recipe]:
    """Recipe (ii) with every size of pool."""
    return [Recipe("one statement", _one_statement, size) for size in sizes]


def make_forms(sizes: Sequence[int]) -> list[Recipe]:
    """Those of both."""
    return [*for_update(sizes), *one_statement(sizes)]


FOR_UPDATE: Final = for_update(POOL_SIZES)
ONE_STATEMENT: Final = one_statement(POOL_SIZES)
