"""Calls that share a round trip."""

import asyncio
from collections.abc import Sequence

import pytest

from comptoir.kit.errors import Unavailable
from comptoir.kit.gathering import Gathering


class Teller:
    """Answers with the double of a number, once it is let."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.open = asyncio.Event()

    async def answer(self, questions: Sequence[int]) -> list[int]:
        self.asked.append(list(questions))
        await self.open.wait()
        if 13 in questions:
            raise LookupError("13")
        return [2 * question for question in questions]


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_gathers_meanwhile_goes_together():
    teller = Teller()
    async with Gathering(teller.answer, most=3) as gathering, asyncio.TaskGroup() as group:
        asked = [group.create_task(gathering.ask(n)) for n in range(6)]
        await turns()
        assert teller.asked == [[0, 1, 2]], "whoever comes first is asked for at once"
        teller.open.set()
        assert [await each for each in asked] == [0, 2, 4, 6, 8, 10]
        assert await gathering.ask(7) == 14
    assert teller.asked == [[0, 1, 2], [3, 4, 5], [7]]


async def test_an_error_is_for_those_whom_it_concerns():
    teller = Teller()
    teller.open.set()
    async with Gathering(teller.answer, most=2) as gathering:
        asked = [gathering.ask(n) for n in (1, 13, 2, 3)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(each, LookupError) for each in answers] == [True, True, False, False]
    assert answers[2:] == [4, 6]


async def test_who_goes_away_takes_nothing_from_the_others():
    teller = Teller()
    async with Gathering(teller.answer, most=10) as gathering, asyncio.TaskGroup() as group:
        asked = [group.create_task(gathering.ask(n)) for n in range(3)]
        await turns()
        asked[0].cancel()
        await turns()
        teller.open.set()
    assert [each.cancelled() for each in asked] == [True, False, False]
    assert [each.result() for each in asked[1:]] == [2, 4]


async def test_only_so_many_wait():
    teller = Teller()
    async with Gathering(teller.answer, most=1, room=2) as gathering, asyncio.TaskGroup() as group:
        asked = [group.create_task(gathering.ask(n)) for n in range(2)]
        await turns()
        asked.append(group.create_task(gathering.ask(2)))
        await turns()
        with pytest.raises(Unavailable, match="overloaded"):
            await gathering.ask(9)
        teller.open.set()
    assert [each.result() for each in asked] == [0, 2, 4]


async def test_leaving_waits_for_what_was_asked():
    teller = Teller()
    async with asyncio.TaskGroup() as group:
        async with Gathering(teller.answer, most=1) as gathering:
            asked = [group.create_task(gathering.ask(n)) for n in range(3)]
            await turns()
            teller.open.set()
        assert [await each for each in asked] == [0, 2, 4]


async def test_a_cancelled_owner_leaves_nobody_waiting():
    teller = Teller()
    asked: list[asyncio.Task[int]] = []

    async def own() -> None:
        async with Gathering(teller.answer, most=1) as gathering:
            asked.extend(group.create_task(gathering.ask(n)) for n in range(3))
            await turns()

    async with asyncio.TaskGroup() as group:
        owner = group.create_task(own())
        while len(teller.asked) < 1:
            await turns()
        await turns()
        owner.cancel()
    assert owner.cancelled()
    assert [each.cancelled() for each in asked] == [True] * 3


async def test_the_error_of_the_block_stays_what_it_is():
    with pytest.raises(LookupError):
        async with Gathering(Teller().answer, most=1):
            raise LookupError
