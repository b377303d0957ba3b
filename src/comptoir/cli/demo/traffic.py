"""Simulated customers: spends, holds and captures, grants, batches, and some that ask too much."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Final

from comptoir.cli.demo.caller import Body, Caller, Reply
from comptoir.cli.demo.seed import ACTION, CUSTOMERS
from comptoir.kit.amounts import parse_amount

_SCALE: Final = 6
_BATCH: Final = 20
_AMOUNTS: Final = ("0.25", "0.5", "1", "1.75", "3")
_GRANTED: Final = "40"
_HELD: Final = "8"
_USED: Final = "5.5"
_TOO_MUCH: Final = 1_000_000


class Traffic:
    """Customers who come and go. One task each; they share a caller and a source of chance."""

    def __init__(self, caller: Caller, chance: Random, actors: Sequence[str] = CUSTOMERS) -> None:
        """Let them come; `actors` are those who have priced things done."""
        self._caller = caller
        self._actors = actors
        self._chance = chance
        self._number = itertools.count(1)
        self._visits: tuple[tuple[Callable[[str], Awaitable[None]], int], ...] = (
            (self._spend, 44),
            (self._act, 10),
            (self._hold_and_capture, 14),
            (self._hold_and_leave, 4),
            (self._grant, 16),
            (self._ask_too_much, 6),
            (self._batch, 6),
        )

    async def run(self, stop: asyncio.Event, visitors: int, pause: float = 0.0) -> None:
        """Let `visitors` come at a time until `stop`, each resting `pause` seconds in between."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(visitors):
                tasks.create_task(self._visit(stop, pause))

    async def _visit(self, stop: asyncio.Event, pause: float) -> None:
        visits, weights = zip(*self._visits, strict=True)
        while not stop.is_set():
            visit = self._chance.choices(visits, weights)[0]
            await visit(self._chance.choice(CUSTOMERS))
            if pause:
                await asyncio.sleep(pause * self._chance.uniform(0.5, 1.5))

    async def _spend(self, customer: str) -> None:
        amount = self._chance.choice(_AMOUNTS)
        await self._post("spend", {"customer": customer, "amount": amount, "reason": "demo"})

    async def _act(self, _: str) -> None:
        actor = self._chance.choice(self._actors)
        body: Body = {"customer": actor, "action": ACTION, "model": "demo-1", "cost": "0.0312"}
        await self._post("spend", body)

    async def _grant(self, customer: str) -> None:
        await self._post("grant", {"customer": customer, "amount": _GRANTED, "reason": "demo"})

    async def _ask_too_much(self, customer: str) -> None:
        await self._post("spend", {"customer": customer, "amount": _TOO_MUCH})

    async def _hold_and_capture(self, customer: str) -> None:
        reply = await self._hold(customer)
        if reply.code is None and reply.status:
            await self._post(f"holds/{reply.body['hold']['id']}/capture", {"amount": _USED})

    async def _hold_and_leave(self, customer: str) -> None:
        await self._hold(customer)

    async def _hold(self, customer: str) -> Reply:
        seconds = self._chance.randint(2, 6)
        return await self._post(
            "holds", {"customer": customer, "amount": _HELD, "ttl_seconds": seconds}
        )

    async def _batch(self, _: str) -> None:
        requests: list[Body] = [
            {
                "op": "spend",
                "idempotency_key": self._key(),
                "customer": self._chance.choice(CUSTOMERS),
                "amount": self._chance.choice(_AMOUNTS),
            }
            for _ in range(_BATCH)
        ]
        reply = await self._caller.post(
            "/api/ledger/batch", {"requests": requests, "atomic": False}
        )
        for request, result in zip(requests, reply.body.get("results", ()), strict=False):
            self._note(request["customer"], result)

    async def _post(self, verb: str, body: Body) -> Reply:
        reply = await self._caller.post(f"/api/credits/{verb}", body, self._key())
        self._note(body.get("customer"), reply.body)
        return reply

    def _key(self) -> str:
        return f"traffic-{next(self._number)}"

    def _note(self, customer: str | None, body: Body) -> None:
        movement, balance = body.get("movement"), body.get("balance")
        if movement is None or balance is None:
            return
        tally = self._caller.tally
        owner = customer or balance["customer"]
        tally.lines.append((movement["kind"], owner, movement["amount"], balance["balance"]))
        if movement["amount"].startswith("-"):
            tally.spent += parse_amount(movement["amount"][1:], _SCALE)
