"""The recipe for stock that one finds in the field, behind the same HTTP: a locked row.

Usage: python -m bench.stock_peers WORKERS PORT

`POST /bench/reservations/FORM` reads, checks and answers what `POST /api/stock/reservations` does,
with our middleware, keys and validation. It keeps a counter of what is set aside, an order and its
line, and the key in a unique index: no journal, no hold of its own, no fingerprint, no stored
refusal. Its row of stock has the price, so that there is nothing else to look up.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import psycopg
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg_pool import AsyncConnectionPool

from bench.database import connections
from bench.http_peers import assemble, main, operation
from bench.stock_load import SIZE
from comptoir import app as composition
from comptoir.domains.stock.model import InsufficientStock, Item
from comptoir.kit.ids import RANDOM_BYTES, uuid7
from comptoir.web import shapes_stock
from comptoir.web.api.reservations import ReserveStockBody
from comptoir.web.call import Call
from comptoir.web.replies import Reply, ok

POOLS: Final = (1, 4, 16, 64)
RESERVE: Final = "/bench/reservations/{form}"
_MINUTES: Final = 30

_SCHEMA: Final = """
DROP SCHEMA IF EXISTS peer CASCADE;
CREATE SCHEMA peer;
CREATE TABLE peer.stock (
    product text NOT NULL,
    size text NOT NULL,
    on_hand bigint NOT NULL,
    reserved bigint NOT NULL DEFAULT 0,
    amount bigint NOT NULL,
    currency text NOT NULL,
    PRIMARY KEY (product, size),
    CHECK (reserved BETWEEN 0 AND on_hand)
) WITH (fillfactor = 50);
CREATE TABLE peer.orders (
    id uuid PRIMARY KEY,
    key text NOT NULL UNIQUE,
    status text NOT NULL DEFAULT 'reserved',
    reference text,
    amount bigint NOT NULL,
    currency text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX ON peer.orders (expires_at) WHERE status = 'reserved';
CREATE TABLE peer.order_lines (
    order_id uuid NOT NULL REFERENCES peer.orders,
    no integer NOT NULL,
    product text NOT NULL,
    size text NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    unit_amount bigint NOT NULL,
    PRIMARY KEY (order_id, no)
);
"""

_STOCK: Final = """
INSERT INTO peer.stock (product, size, on_hand, amount, currency) VALUES (%s, %s, %s, 2500, 'eur')
"""
_LOCK: Final = """
SELECT on_hand - reserved, amount, currency FROM peer.stock
WHERE product = %s AND size = %s FOR UPDATE"""
_TAKE: Final = "UPDATE peer.stock SET reserved = reserved + %s WHERE product = %s AND size = %s"
_ORDER: Final = """
INSERT INTO peer.orders (id, key, reference, amount, currency, expires_at)
VALUES (%s, %s, %s, %s, %s, %s)"""
_LINE: Final = """
INSERT INTO peer.order_lines (order_id, no, product, size, quantity, unit_amount)
VALUES (%s, %s, %s, %s, %s, %s)"""
_DONE: Final = "SELECT id, expires_at FROM peer.orders WHERE key = %s"

_WRONG: Final = """
SELECT count(*) FROM peer.stock s WHERE s.reserved <> (
    SELECT coalesce(sum(l.quantity), 0) FROM peer.order_lines l
    WHERE l.product = s.product AND l.size = s.size)"""

Reserve = Callable[[str, ReserveStockBody], Awaitable[tuple[UUID, datetime]]]


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write it, with a pool of so many connections."""

    make: Callable[[AsyncConnectionPool], Reserve]
    pool: int

    @property
    def name(self) -> str:
        return f"{self.make.__name__.strip('_').replace('_', ' ')}, pool of {self.pool}"


def seed(url: str) -> None:
    """Make the schema anew."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA)


def put(url: str, product: str, units: int) -> None:
    """Sell so many units of a product."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_STOCK, (product, SIZE, units))


def check(url: str) -> None:
    """Fails when a counter is not what the orders say."""
    with psycopg.connect(url, autocommit=True) as connection:
        wrong = connection.execute(_WRONG).fetchone()
    assert wrong == (0,), f"the peer's stock is wrong: {wrong}"


def _new_id() -> UUID:
    return uuid7(composition.now(), composition.randomness(RANDOM_BYTES))


def _until() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=_MINUTES)


def _sorted(body: ReserveStockBody) -> list[Item]:
    items = [Item(each.product, each.size, each.quantity) for each in body.items]
    return sorted(items, key=lambda each: (each.product, each.size))


def _for_update(pool: AsyncConnectionPool) -> Reserve:
    """As it is written: a round trip for every statement."""

    async def reserve(key: str, body: ReserveStockBody) -> tuple[UUID, datetime]:
        id_, until, items = _new_id(), _until(), _sorted(body)
        async with pool.connection() as connection:
            try:
                async with connection.transaction():
                    await _write(connection, (id_, key, body.reference, until), items)
            except UniqueViolation:
                return await _before(connection, key)
        return id_, until

    return reserve


async def _write(
    connection: AsyncConnection, order: tuple[UUID, str, str, datetime], items: list[Item]
) -> None:
    id_, key, reference, until = order
    prices: list[int] = []
    currency = ""
    for each in items:
        cursor = await connection.execute(_LOCK, (each.product, each.size), prepare=True)
        row = await cursor.fetchone()
        if row is None or row[0] < each.quantity:
            raise InsufficientStock(each, 0 if row is None else row[0])
        prices.append(row[1])
        currency = row[2]
        given = (each.quantity, each.product, each.size)
        await connection.execute(_TAKE, given, prepare=True)
    total = sum(price * each.quantity for price, each in zip(prices, items, strict=True))
    await connection.execute(_ORDER, (id_, key, reference, total, currency, until), prepare=True)
    for no, (price, each) in enumerate(zip(prices, items, strict=True), 1):
        line = (id_, no, each.product, each.size, each.quantity, price)
        await connection.execute(_LINE, line, prepare=True)


def _for_update_pipelined(pool: AsyncConnectionPool) -> Reserve:
    """Two round trips instead of six, for a cart of one line: to lock and decide, and to write."""

    async def reserve(key: str, body: ReserveStockBody) -> tuple[UUID, datetime]:
        id_, until, [item] = _new_id(), _until(), _sorted(body)
        async with pool.connection() as connection:
            async with connection.pipeline():
                await connection.execute("BEGIN")
                cursor = await connection.execute(_LOCK, (item.product, item.size), prepare=True)
            row = await cursor.fetchone()
            if row is None or row[0] < item.quantity:
                await connection.execute("ROLLBACK")
                raise InsufficientStock(item, 0 if row is None else row[0])
            try:
                async with connection.pipeline():
                    taken = (item.quantity, item.product, item.size)
                    await connection.execute(_TAKE, taken, prepare=True)
                    order = (id_, key, body.reference, row[1] * item.quantity, row[2], until)
                    await connection.execute(_ORDER, order, prepare=True)
                    line = (id_, 1, item.product, item.size, item.quantity, row[1])
                    await connection.execute(_LINE, line, prepare=True)
                    await connection.execute("COMMIT")
            except UniqueViolation:
                await connection.execute("ROLLBACK")
                return await _before(connection, key)
        return id_, until

    return reserve


async def _before(connection: AsyncConnection, key: str) -> tuple[UUID, datetime]:
    row = await (await connection.execute(_DONE, (key,), prepare=True)).fetchone()
    assert row is not None, "the key was there a moment ago"
    return row[0], row[1]


FORMS: Final = [Form(make, pool) for make in (_for_update, _for_update_pipelined) for pool in POOLS]


class Stall:
    """The forms of this process. Only the one that was asked for last keeps its pool."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: dict[str, Reserve] = {}
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()

    async def reserve(self, call: Call, body: ReserveStockBody) -> Reply:
        """Set aside by the form that the path names."""
        form = call.part("form")
        reserve = self._open.get(form) or await self._change(form)
        id_, until = await reserve(call.key, body)
        shown = until.isoformat(timespec="microseconds").replace("+00:00", "Z")
        return ok({"reservation": str(id_), "expires_at": shown}, status=201)

    async def close(self) -> None:
        await self._stack.aclose()

    async def _change(self, form: str) -> Reserve:
        async with self._opening:
            if form not in self._open:
                self._open.clear()
                await self._stack.aclose()
                chosen = FORMS[int(form)]
                pool = await self._stack.enter_async_context(connections(self._url, chosen.pool))
                self._open[form] = chosen.make(pool)
        return self._open[form]


def build() -> FastAPI:
    """The application with every form of the recipe."""
    settings = composition.read_settings()
    assert settings.database_url is not None, "the bench names the database"
    stall = Stall(settings.database_url.get_secret_value())
    shape = shapes_stock.ReservedStockShape
    served = (operation(RESERVE, stall.reserve, ReserveStockBody, shape),)
    return assemble(settings, served, stall.close)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), "bench.stock_peers:build")
