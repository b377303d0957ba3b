"""Try to break it: a stampede on ten units, paid for at the sandbox by whoever gets one."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

from comptoir.app.sandbox import Place
from comptoir.cli.demo.bank import Bank, opened
from comptoir.cli.demo.caller import Body, Caller, Reply
from comptoir.cli.demo.seed import BUYERS, FIRST, SIZES, Names, buyer
from comptoir.cli.demo.together import all_at_once

_CREATED: Final = 201
_REFUSED: Final = 400
_WAIT: Final = 20
_DECLINED: Final = "pm_card_visa_chargeDeclined"
_VISA: Final = "pm_card_visa"
_CHAOS: Final = {"copies": 3, "shuffle": 100, "delay_ms": 100, "together": True}
CALM: Final = {"copies": 1, "shuffle": 0, "delay_ms": 0, "together": False}


@dataclass(frozen=True, slots=True)
class Stampede:
    """What the buyers saw: how many paid for a unit, were refused, or never heard."""

    bought: int
    refused: int
    unheard: int


async def stampede(caller: Caller, place: Place, names: Names = FIRST) -> Stampede:
    """500 buyers at once, each with one unit in his cart; whoever gets one pays for it.

    Every other one is declined once before; what the sandbox tells comes three times, in any order.

    Raises:
        Unavailable: nothing can be bought here.
    """
    async with opened(place) as bank:
        await bank.turn(**_CHAOS)
        replies = await all_at_once(BUYERS, lambda number: _order(caller, number, names))
        begun = [reply.body for reply in replies if reply.status == _CREATED]
        async with asyncio.TaskGroup() as tasks:
            paying = [
                tasks.create_task(_pay(caller, bank, number, each))
                for number, each in enumerate(begun)
            ]
        await bank.still()
        await bank.turn(**CALM)
    seen = Counter(reply.status for reply in replies)
    bought = sum(task.result() for task in paying)
    unheard = BUYERS - seen[_REFUSED] - bought
    return Stampede(bought, seen[_REFUSED], unheard)


async def _order(caller: Caller, number: int, names: Names) -> Reply:
    size = list(SIZES)[number % len(SIZES)]
    cart: Body = {
        "customer": buyer(number),
        "items": [{"product": names.product, "size": size, "quantity": 1}],
    }
    key = names.key(f"race-{number:03d}")
    return await caller.post("/api/checkout/create-payment-intent", cart, key)


async def _pay(caller: Caller, bank: Bank, number: int, begun: Body) -> bool:
    """Pay as a browser does, and look whether it counts."""
    if number % 2:
        await bank.confirm(begun["payment_intent"], _DECLINED)
    await bank.confirm(begun["payment_intent"], _VISA)
    reply = await caller.get(f"/api/orders/{begun['order']}?wait_seconds={_WAIT}")
    return reply.body.get("status") == "paid"
