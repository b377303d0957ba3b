"""Counters: once with an id, once a batch without one, however often it is written."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from uuid import uuid4

import psycopg
import pytest

from comptoir.guards import counters as module
from comptoir.guards.counters import add
from comptoir.kit.errors import Invalid, Unavailable
from comptoir.store.pool import begin
from tests.support.batches import until
from tests.support.guarding import LIVE, TEST, Guarded, open_guarded
from tests.support.postgres import Cluster, Database

pytestmark = pytest.mark.pg


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    """Tests share a database; each has counters of its own."""
    with cluster.database() as made:
        yield made


@pytest.fixture
async def guarded(database: Database) -> AsyncGenerator[Guarded]:
    async with open_guarded(database) as found:
        yield found


@pytest.fixture
def name() -> str:
    return f"quotes:created:{uuid4().hex}"


async def test_an_event_counts_once(guarded: Guarded, name: str):
    async with guarded.counters() as counters:
        assert await counters.add(name, id="quote-1") == 1
        assert await counters.add(name, 5, id="quote-2") == 6
        assert await counters.add(name, id="quote-1") is None
        assert await counters.add(f"{name}.other", id="quote-1") == 1, "ids are those of a counter"
        assert await counters.read([name, f"{name}.none"]) == {name: 6, f"{name}.none": 0}


async def test_twenty_at_once_of_one_event_count_once(guarded: Guarded, name: str):
    async with guarded.counters() as counters:
        found = await asyncio.gather(*(counters.add(name, id="it") for _ in range(20)))
    assert [value for value in found if value is not None] == [1]


async def test_what_is_undone_was_not_counted(guarded: Guarded, name: str):
    async with begin(guarded.pool) as tx:
        assert await add(tx, LIVE, name, 1, "it") == 1
        raise psycopg.Rollback
    async with begin(guarded.pool) as tx:
        assert await add(tx, LIVE, name, 1, "it") == 1


async def test_what_gathers_is_written_together(guarded: Guarded, name: str):
    async with guarded.counters() as counters:
        for _ in range(10_000):
            counters.count(name)
        counters.count(f"{name}.b", 7)
        counters.count(name, -1)
        assert await counters.read([name]) == {name: 0}
        await counters.flush()
        assert await counters.read([name, f"{name}.b"]) == {name: 9_999, f"{name}.b": 7}
        await counters.flush()
        counters.count(name)
    async with guarded.counters() as counters:
        assert await counters.read([name]) == {name: 10_000}, "leaving writes the rest"


async def test_it_is_written_by_itself(guarded: Guarded, name: str):
    async with guarded.counters(every=0.02) as counters:
        counters.count(name)

        async def is_written() -> bool:
            return (await counters.read([name]))[name] == 1

        await until(is_written)


async def test_a_batch_whose_answer_was_lost_counts_once(
    guarded: Guarded, name: str, monkeypatch: pytest.MonkeyPatch
):
    lost = 0
    usual = module.begin

    def losing(pool: object) -> object:
        nonlocal lost
        lost += 1
        if lost != 1:
            return usual(pool)  # pyright: ignore[reportArgumentType]

        class Lost:
            async def __aenter__(self) -> object:
                self.inner = usual(pool)  # pyright: ignore[reportArgumentType]
                return await self.inner.__aenter__()

            async def __aexit__(self, *error: object) -> None:
                await self.inner.__aexit__(None, None, None)
                raise Unavailable("database-down")

        return Lost()

    monkeypatch.setattr(module, "begin", losing)
    async with guarded.counters() as counters:
        counters.count(name, 3)
        with pytest.raises(Unavailable):
            await counters.flush()
        counters.count(name, 4)
        await counters.flush()
        assert await counters.read([name]) == {name: 7}


async def test_there_is_only_so_much_room(guarded: Guarded, name: str):
    async with guarded.counters() as counters:
        for n in range(10_005):
            counters.count(f"{name}.{n}")
        assert counters.dropped == 5


async def test_books_have_their_own(guarded: Guarded, name: str):
    async with guarded.counters() as live, guarded.counters(TEST) as test:
        await live.add(name, id="it")
        assert await test.add(name, id="it") == 1
        assert await test.read([name]) == {name: 1}


@pytest.mark.parametrize("bad", ["", "A", "a b", "a" * 65, "é", "a\n"])
async def test_a_counter_has_a_name(bad: str, guarded: Guarded):
    async with guarded.counters() as counters:
        with pytest.raises(Invalid):
            counters.count(bad)
        with pytest.raises(Invalid):
            await counters.add(bad, id="x")
        with pytest.raises(Invalid):
            await counters.read([bad])


@pytest.mark.parametrize("amount", [10**12, -(10**12)])
async def test_an_amount_has_bounds(amount: int, guarded: Guarded, name: str):
    async with guarded.counters() as counters:
        with pytest.raises(Invalid):
            counters.count(name, amount)
        with pytest.raises(Invalid):
            await counters.add(name, amount, id="x")
