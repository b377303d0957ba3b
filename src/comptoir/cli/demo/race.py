"""Try to break it: a stampede on ten units."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from comptoir.cli.demo.caller import Body, Caller, Reply
from comptoir.cli.demo.seed import BUYERS, STOCK, UNIT_PRICE, buyer

_OK: Final = 200


def unit_key(number: int) -> str:
    """The idempotency key with which a buyer takes a unit."""
    return f"race-{number:03d}-unit"


def price_key(number: int) -> str:
    """The idempotency key with which he pays for it."""
    return f"race-{number:03d}-price"


@dataclass(frozen=True, slots=True)
class Stampede:
    """What the buyers saw: how many got a unit, were refused, or never heard."""

    bought: int
    refused: int
    unheard: int


async def stampede(caller: Caller) -> Stampede:
    """500 buyers at once, each with one atomic batch: a unit, and its price in credits."""
    replies = await all_at_once(BUYERS, lambda number: _buy(caller, number))
    seen = Counter(_bought(reply) for reply in replies)
    return Stampede(seen[True], seen[False], seen[None])


def _buy(caller: Caller, number: int) -> Awaitable[Reply]:
    customer = buyer(number)
    requests: list[Body] = [
        {
            "op": "spend",
            "idempotency_key": unit_key(number),
            "account": STOCK,
            "amount": 1,
            "reference": customer,
        },
        {
            "op": "spend",
            "idempotency_key": price_key(number),
            "customer": customer,
            "amount": UNIT_PRICE,
            "reference": STOCK,
        },
    ]
    return caller.post("/api/ledger/batch", {"requests": requests, "atomic": True})


def _bought(reply: Reply) -> bool | None:
    if reply.status != _OK:
        return None
    return all(result["outcome"] in {"created", "exists"} for result in reply.body["results"])


async def all_at_once(many: int, call: Callable[[int], Awaitable[Reply]]) -> list[Reply]:
    """So many calls, none of which sets out before all are ready."""
    gate = asyncio.Event()

    async def wait_and_call(number: int) -> Reply:
        await gate.wait()
        return await call(number)

    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(wait_and_call(number)) for number in range(many)]
        await asyncio.sleep(0)
        gate.set()
    return [task.result() for task in waiting]
