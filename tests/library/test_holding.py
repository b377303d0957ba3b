"""A hold around work ends once, with what was used, however the work ends."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from decimal import Decimal

import anyio
import pytest

from comptoir import (
    Captured,
    Comptoir,
    Holding,
    HoldMade,
    HoldState,
    IdempotencyKeyReused,
    Insufficient,
    Invalid,
    Misuse,
)
from tests.support.batches import until
from tests.support.postgres import Database

STREAMS = 500
PIECES = 4
RICH = 1_000_000


@pytest.fixture
async def rich(database: Database) -> AsyncIterator[Comptoir]:
    async with Comptoir.open(database.url) as books:
        await books.credits.grant("alice", RICH, reason="test", idempotency_key="rich")
        yield books


def holding(books: Comptoir, key: str = "work", amount: int = 10) -> Holding:
    return books.credits.holding("alice", amount, ttl_seconds=3600, idempotency_key=key)


async def test_what_was_reported_last_is_captured(rich: Comptoir) -> None:
    async with holding(rich) as hold:
        assert (hold.hold.state, hold.made.balance.held) == (HoldState.OPEN, 10)
        hold.report(2)
        hold.report("3.5", model="large", cost="0.02")
    assert isinstance(hold.settled, Captured)
    assert hold.settled.movement.amount == Decimal("-3.5")
    assert hold.settled.balance.held == 0


@pytest.mark.parametrize("used", [None, 0, "0"], ids=["nothing", "0", "text 0"])
async def test_what_was_not_used_is_given_back(rich: Comptoir, used: int | str | None) -> None:
    async with holding(rich) as hold:
        if used is not None:
            hold.report(5)
            hold.report(used)
    assert isinstance(hold.settled, HoldMade)
    assert (await rich.credits.balance("alice")).available == RICH


async def test_an_exception_goes_on_and_what_was_used_is_charged(rich: Comptoir) -> None:
    with pytest.raises(ZeroDivisionError):
        await _fail_with(holding(rich))
    assert (await rich.credits.balance("alice")).balance == RICH - 4


async def _fail_with(hold: Holding) -> None:
    async with hold:
        hold.report(4)
        raise ZeroDivisionError


async def test_a_refused_hold_never_begins(rich: Comptoir) -> None:
    with pytest.raises(Insufficient):
        async with holding(rich, amount=RICH + 1):
            pytest.fail("the block must not run")
    assert (await rich.credits.balance("alice")).held == 0


@pytest.mark.parametrize("used", [-1, 0.5, "x", Decimal("NaN"), "1.0000001", True])
async def test_a_report_that_cannot_be_is_refused_at_once(
    rich: Comptoir, used: int | str | Decimal
) -> None:
    async with holding(rich) as hold:
        hold.report(3)
        with pytest.raises(Invalid):
            hold.report(used)
        assert hold.used == 3
    assert (await rich.credits.balance("alice")).balance == RICH - 3


async def test_work_that_is_done_is_never_refused(database: Database) -> None:
    async with Comptoir.open(database.url) as books:
        await books.credits.grant("alice", 10, reason="test", idempotency_key="ten")
        async with holding(books, amount=8) as hold:
            hold.report(50)
        assert (await books.credits.balance("alice")).balance == 2
        owing = books.credits.holding(
            "bob", 5, ttl_seconds=60, idempotency_key="owing", on_excess="debt"
        )
        await books.credits.grant("bob", 5, reason="test", idempotency_key="five")
        async with owing as hold:
            hold.report(7)
        assert (await books.credits.balance("bob")).debt == 2


async def test_a_repeat_of_finished_work_is_told(rich: Comptoir) -> None:
    async with holding(rich) as hold:
        hold.report(4)
    async with holding(rich) as again:
        assert again.made.replayed
        again.report(4)
    assert isinstance(again.settled, Captured)
    assert again.settled.replayed
    with pytest.raises(IdempotencyKeyReused):
        async with holding(rich) as other:
            other.report(5)
    assert (await rich.credits.balance("alice")).balance == RICH - 4


async def test_a_holding_serves_one_block(rich: Comptoir) -> None:
    hold = holding(rich)
    with pytest.raises(Misuse):
        hold.report(1)
    async with hold:
        pass
    with pytest.raises(Misuse):
        await hold.__aenter__()


async def test_renewing(rich: Comptoir) -> None:
    async with holding(rich) as hold:
        first = await hold.renew(7200)
        again = await hold.renew(7200)
        assert (first.replayed, again.replayed) == (False, False)


async def words(books: Comptoir, key: str, reported: dict[str, int]) -> AsyncGenerator[int]:
    """What a streamed answer is: a generator with a hold around it."""
    async with holding(books, key) as hold:
        for number in range(PIECES):
            reported[key] = number + 1
            hold.report(number + 1)
            await asyncio.sleep(0)
            yield number
            if number == PIECES - 1 and key.endswith("raises"):
                raise ZeroDivisionError


async def finishes(books: Comptoir, key: str, reported: dict[str, int]) -> None:
    async for _ in words(books, key, reported):
        pass


async def raises(books: Comptoir, key: str, reported: dict[str, int]) -> None:
    with suppress(ZeroDivisionError):
        async for _ in words(books, key, reported):
            pass


async def is_closed(books: Comptoir, key: str, reported: dict[str, int]) -> None:
    stream = words(books, key, reported)
    async for number in stream:
        if number == 1:
            break
    await stream.aclose()


async def is_dropped(books: Comptoir, key: str, reported: dict[str, int]) -> None:
    """Nobody closes the generator but the event loop, once nothing refers to it any more."""
    stream = words(books, key, reported)
    await anext(stream)
    del stream


async def is_cancelled(books: Comptoir, key: str, reported: dict[str, int]) -> None:
    """Cancelled anywhere: before the hold is made, in the work, or while it is settled."""
    chance = random.Random(key)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(finishes(books, key, reported))
        for _ in range(chance.randrange(60)):
            await asyncio.sleep(0)
        task.cancel()


async def loses_client(books: Comptoir, key: str, reported: dict[str, int]) -> None:
    """As frameworks end a response whose client has gone: every await after that is cancelled."""
    chance = random.Random(key)
    async with anyio.create_task_group() as group:
        group.start_soon(finishes, books, key, reported)
        for _ in range(chance.randrange(60)):
            await asyncio.sleep(0)
        group.cancel_scope.cancel()


WAYS = {
    each.__name__: each
    for each in (finishes, raises, is_closed, is_dropped, is_cancelled, loses_client)
}


@pytest.mark.race
@pytest.mark.slow
async def test_five_hundred_streams_leave_no_hold_behind(
    database: Database, seed_of_run: int
) -> None:
    """Each ends in a way of its own; every hold takes what was reported, and nothing else."""
    chance = random.Random(seed_of_run)
    reported: dict[str, int] = {}
    keys = [f"{number}-{chance.choice(list(WAYS))}" for number in range(STREAMS)]
    async with Comptoir.open(database.url) as books:
        await books.credits.grant("alice", RICH, reason="test", idempotency_key="rich")
        async with asyncio.TaskGroup() as tasks:
            for key in keys:
                tasks.create_task(WAYS[key.partition("-")[2]](books, key, reported))
    async with Comptoir.open(database.url) as books:
        balance = await books.credits.balance("alice")
        assert balance.held == 0
        assert balance.balance == RICH - sum(reported.values())
        assert (await books.ledger.verify(full=True)).balanced
    assert {key.partition("-")[2] for key in keys} == set(WAYS)
    assert len(reported) > STREAMS // 2


async def test_leaving_the_books_settles_what_is_left(database: Database) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(_left_in_the_middle(database))
        await until(lambda: task.done() or bool(_BEGUN))
        task.cancel()
    async with Comptoir.open(database.url) as books:
        balance = await books.credits.balance("alice")
    assert (balance.held, balance.balance) == (0, RICH - 2)


_BEGUN: list[str] = []


async def _left_in_the_middle(database: Database) -> None:
    """The whole program is cancelled, books and all."""
    async with Comptoir.open(database.url) as books:
        await books.credits.grant("alice", RICH, reason="test", idempotency_key="rich")
        async with holding(books) as hold:
            hold.report(2)
            _BEGUN.append(hold.id)
            await asyncio.Event().wait()
