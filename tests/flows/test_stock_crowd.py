"""A crowd at the shelf: what everybody asks at once is asked once, and found by its own key."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager

import psycopg
import pytest
from psycopg import AsyncConnection

from comptoir.domains.stock import queries, sql_orders
from comptoir.domains.stock.model import InsufficientStock, Item
from comptoir.domains.stock.queries import ForSale
from comptoir.flows import reserving
from comptoir.flows.reserving import Wanted
from comptoir.store.directory import Directory
from comptoir.store.pool import Limits, open_pool
from tests.support import stall
from tests.support.plans import plan, reads_as_a_whole
from tests.support.postgres import Database
from tests.support.shop import LIVE, Shop

pytestmark = pytest.mark.pg
CROWD = 40

# What PostgreSQL asks for every line of an order, in its own words.
OF_A_LINE = """
SELECT 1 FROM ONLY comptoir.orders x WHERE book_id = %s AND id = %s FOR KEY SHARE OF x"""


async def reserve(shop: Shop, number: int) -> bool:
    wanted = Wanted([Item("TEE", "M", 1)], f"buyer-{number}", None, f"crowd-{number}")
    try:
        await reserving.reserve(shop.till, LIVE, wanted)
    except InsufficientStock:
        return False
    return True


async def crowd(shop: Shop, first: int) -> int:
    async with asyncio.TaskGroup() as group:
        buyers = [group.create_task(reserve(shop, first + each)) for each in range(CROWD)]
    return sum(buyer.result() for buyer in buyers)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many places each question about prices was for."""
    found: list[int] = []
    for_sale = queries.for_sale

    async def counted(tx: AsyncConnection, places: Sequence[queries.Place]) -> list[ForSale | None]:
        found.append(len(places))
        return await for_sale(tx, places)

    monkeypatch.setattr(queries, "for_sale", counted)
    return found


async def test_a_crowd_asks_for_a_price_once(shop: Shop, asked: list[int]) -> None:
    await stall.put(shop, sizes={"M": 7})
    shop.till.shelf.forget()
    assert await crowd(shop, 0) == 7
    assert await stall.figures(shop) == (7, 7, 0)
    assert len(asked) <= 3
    assert set(asked) == {1}
    await stall.agreed(shop)


async def test_a_new_price_is_what_the_next_one_pays(shop: Shop, asked: list[int]) -> None:
    """Also when somebody was still looking the old one up."""
    await stall.put(shop, amount=2500)
    await asyncio.gather(crowd(shop, 0), stall.put(shop, sizes={"M": 0}, amount=3000))
    begun = await shop.till.shelf.cart(LIVE, [Item("TEE", "M", 2)])
    assert [line.unit_amount for line in begun.lines] == [3000]
    assert asked


@pytest.fixture
async def directory(database: Database) -> AsyncGenerator[Directory]:
    async with open_pool(database.url, Limits()) as pool, Directory(pool) as found:
        yield found


async def test_a_crowd_at_a_new_process_shares_the_assets_that_are_loaded(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []
    connection = directory._pool.connection

    def counted(timeout: float | None = None) -> AbstractAsyncContextManager[AsyncConnection]:
        loads.append("once")
        return connection(timeout)

    monkeypatch.setattr(directory._pool, "connection", counted)
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(directory.asset(1, "stock")) for _ in range(CROWD)]
    assert len({each.result().id for each in asking}) == 1
    assert 1 <= len(loads) <= 2


@pytest.mark.parametrize(
    "statement", [OF_A_LINE, sql_orders.ADD_ORDERS, sql_orders.FIND, sql_orders.BY_HOLD]
)
def test_orders_are_found_by_their_own_keys_before_there_are_statistics(
    statement: str, database: Database
) -> None:
    """Prepared on the first day, used on the day of the sale: no plan reads a whole book."""
    with psycopg.connect(database.owner_url) as connection:
        nodes = plan(connection, statement)
    assert [node for node in nodes if reads_as_a_whole(node)] == []
