"""Writers that never give up, and the judge of what they were told.

A writer repeats a request with the same key until it is answered. What it was told is kept in the
memory of the test alone; the judge compares that with what the database holds.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import psycopg

from comptoir.kit.ids import hold_name, request_id
from tests.support.batches import until
from tests.support.servers import LIVE, Body, Crowd, Reply

WRITERS: Final = 64
SHARED: Final = 4
"""Customers whom all writers ask for; the others have a writer of their own."""

UNIT: Final = 1_000_000
"""One credit in the smallest unit."""

_DOWN: Final = (aiohttp.ClientError, ConnectionError, TimeoutError)
_ANSWERS: Final = frozenset({200, 201, 402})
_PATIENCE: Final = 0.02
LONG: Final = 300.0
"""Seconds after which writers count as stuck."""


@dataclass(slots=True)
class Asked:
    """A request, and what became of it as far as its writer knows.

    Attributes:
        moves: what success adds to the posted balance.
        holds: what success adds to the held balance.
        reply: the answer, once there was one.
        tries: how often it was sent.
    """

    key: str
    path: str
    body: Body
    customer: str
    moves: int
    holds: int = 0
    reply: Reply | None = None
    tries: int = 0

    @property
    def id(self) -> bytes:
        return request_id(LIVE, self.key)

    @property
    def done(self) -> bool:
        """Whether it was answered with success."""
        return self.reply is not None and self.reply.status in {200, 201}


@dataclass(slots=True)
class Load:
    """Writers over HTTP.

    Attributes:
        up: set while there is a server to ask.
        asked: every request that was sent, in order.
        acknowledged: how many were answered.
        failures: answers that were no answer, by status and code.
    """

    clients: Crowd
    seed: int
    up: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[Asked] = field(default_factory=list[Asked])
    acknowledged: int = 0
    failures: Counter[tuple[int, str | None]] = field(
        default_factory=Counter[tuple[int, str | None]]
    )
    under_way: int = 0
    found_done: int = 0
    """Repeats that found their request done: the answer was lost, not the effect."""

    async def write(self, writer: int) -> None:
        """Work until told to stop, and finish the request that is under way."""
        draw, n = random.Random(self.seed * WRITERS + writer), 0
        while not self.stop.is_set():
            n += 1
            customer = f"writer-{writer}" if draw.random() < 0.5 else f"all-{writer % SHARED}"
            for asked in _job(draw, f"{self.seed}-{writer}-{n}", customer):
                self.asked.append(asked)
                await self.insist(asked)
                if not asked.done:
                    break

    async def insist(self, asked: Asked) -> None:
        """Send a request until it is answered."""
        while asked.reply is None:
            await self.up.wait()
            asked.tries += 1
            self.under_way += 1
            try:
                reply = await self.clients.post(asked.path, asked.body, asked.key)
            except _DOWN:
                await asyncio.sleep(_PATIENCE)
                continue
            finally:
                self.under_way -= 1
            if reply.status not in _ANSWERS:
                self.failures[reply.status, reply.code] += 1
                await asyncio.sleep(_PATIENCE)
                continue
            asked.reply = reply
            self.acknowledged += 1
            self.found_done += reply.replayed

    async def wait_for(self, more: int) -> None:
        """Wait until so many more requests are acknowledged."""
        goal = self.acknowledged + more
        await until(lambda: self.acknowledged >= goal, LONG)

    async def wait_for_failures(self, more: int) -> None:
        """Wait until so many more requests were told that they cannot be answered now."""
        goal = self.failures.total() + more
        await until(lambda: self.failures.total() >= goal, LONG)

    async def repeat_all(self, at_once: int = 100) -> None:
        """Ask everything again: the answers must be those that were given."""
        room = asyncio.Semaphore(at_once)

        async def repeat(asked: Asked) -> None:
            async with room:
                again = await self.clients.post(asked.path, asked.body, asked.key)
            assert asked.reply is not None
            assert again.replayed, asked
            assert (again.status, again.body) == (asked.reply.status, asked.reply.body), asked

        async with asyncio.TaskGroup() as group:
            for asked in self.asked:
                group.create_task(repeat(asked))


def _job(draw: random.Random, name: str, customer: str) -> Sequence[Asked]:
    """One job: a grant, a spend, or a hold that is captured in part, wholly, or not at all."""
    amount = draw.randint(1, 9)
    units = amount * UNIT
    body: Body = {"customer": customer, "amount": str(amount), "reason": name}
    kind = draw.random()
    if kind < 0.2:
        return [Asked(f"{name}-g", "/api/credits/grant", body, customer, units)]
    if kind < 0.6:
        return [Asked(f"{name}-s", "/api/credits/spend", body, customer, -units)]
    key = f"{name}-h"
    hold = Asked(key, "/api/credits/holds", body | {"ttl_seconds": 3600}, customer, 0, units)
    if kind < 0.7:
        return [hold]
    part = draw.randint(1, amount)
    path = f"/api/credits/holds/{hold_name(request_id(LIVE, key))}/capture"
    taken: Body = {"amount": str(part)}
    return [hold, Asked(f"{name}-c", path, taken, customer, -part * UNIT, -units)]


_REQUESTS: Final = """
SELECT r.id, r.op, r.outcome, count(m.version) FROM comptoir.requests r
LEFT JOIN comptoir.movements m ON m.book_id = r.book_id AND m.request_id = r.id
WHERE r.book_id = 1 GROUP BY r.book_id, r.id, r.op, r.outcome"""

_BALANCES: Final = """
SELECT c.customer, a.posted, a.held FROM comptoir.accounts a
JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
WHERE a.book_id = 1"""

_HOLDS: Final = "SELECT id, state, captured, expires_at IS NOT NULL FROM comptoir.holds"
_UNASKED: Final = """
SELECT count(*) FROM comptoir.movements WHERE book_id = 1 AND request_id IS NULL"""
"""The test book has movements from the start."""


def judge(url: str, asked: Sequence[Asked]) -> None:
    """Every acknowledged request exists exactly once, and nothing else does."""
    with psycopg.connect(url) as connection:
        found = {id_: row for id_, *row in connection.execute(_REQUESTS)}
        balances = {name: (posted, held) for name, posted, held in connection.execute(_BALANCES)}
        holds = {id_: row for id_, *row in connection.execute(_HOLDS)}
        assert connection.execute(_UNASKED).fetchone() == (0,), "no hold was left to expire"
    assert all(each.reply is not None for each in asked), "writers do not give up"
    assert set(found) == {each.id for each in asked}
    for each in asked:
        _, outcome, lines = found[each.id]
        expected = ("created", 1) if each.done else ("insufficient", 0)
        assert (outcome, lines) == expected, each
    assert balances == _expected(asked)
    assert holds == _expected_holds(asked)


def _expected(asked: Sequence[Asked]) -> dict[str, tuple[int, int]]:
    """What every customer has, by the answers alone."""
    sums: dict[str, tuple[int, int]] = {each.customer: (0, 0) for each in asked}
    for each in asked:
        if each.done:
            posted, held = sums[each.customer]
            sums[each.customer] = (posted + each.moves, held + each.holds)
    return sums


def _expected_holds(asked: Sequence[Asked]) -> dict[bytes, list[Any]]:
    """Every hold that was acknowledged, captured if that was acknowledged too."""
    captures = {each.path.split("/")[-2]: each for each in asked if each.path.endswith("/capture")}
    holds: dict[bytes, list[Any]] = {}
    for each in asked:
        if not each.path.endswith("/holds") or not each.done:
            continue
        capture = captures.get(hold_name(each.id))
        if capture is not None and capture.done:
            holds[each.id] = ["captured", -capture.moves, True]
        else:
            holds[each.id] = ["open", 0, True]
    return holds


async def work(
    clients: Crowd, seed: int, disturb: Callable[[Load], Awaitable[None]], writers: int = WRITERS
) -> Load:
    """Let writers write while `disturb` does its worst; returns once all of them are answered."""
    load = Load(clients, seed)
    load.up.set()
    async with asyncio.TaskGroup() as group:
        for writer in range(writers):
            group.create_task(load.write(writer))
        await disturb(load)
        load.up.set()
        load.stop.set()
    return load
