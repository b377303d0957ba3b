"""Traffic that goes on at a gentle pace: credits spent and held, packs bought, sizes sold.

What the sandbox tells of what was bought comes twice, as a provider's webhooks do on bad days.
"""

import asyncio
import itertools
from contextlib import suppress
from random import Random
from typing import Final

from comptoir.cli.demo.bank import Bank, insist, opened
from comptoir.cli.demo.caller import Body
from comptoir.cli.demo.paying import buy
from comptoir.cli.demo.race import CALM
from comptoir.cli.demo.scene import Scene
from comptoir.cli.demo.seed import CUSTOMERS, add_product, restock
from comptoir.cli.demo.traffic import Traffic
from comptoir.kit.errors import Unavailable

_STROLLERS: Final = 3
_STROLL_SECONDS: Final = 0.4
_SHOP_SECONDS: Final = 2.0
_ARTIST: Final = "demo-artist"
"""Has bought all that he has, so that what is done for him has earned something."""

_HIS_TURN: Final = 4
"""Every so many purchases one is his."""

_MUG: Final = ("DEMO-MUG", "Demo mug")
_SIZES: Final = ("S", "L")
_DELIVERED: Final = 40
"""Units of each size, whenever so many orders were made."""

_CREATED: Final = 201
_VISA: Final = "pm_card_visa"
_BAD_DAY: Final = {**CALM, "drop_percent": 0, "copies": 2}


class Strollers:
    """Customers who take their time. Used by one task; what they keep does not grow."""

    def __init__(self, scene: Scene, chance: Random) -> None:
        self._scene = scene
        self._chance = chance
        self._traffic = Traffic(scene.caller, chance, (_ARTIST,))
        self._number = itertools.count()

    async def stroll(self, stop: asyncio.Event) -> None:
        """Let them come and go until `stop`; what they began they finish."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._traffic.run(stop, _STROLLERS, _STROLL_SECONDS))
            tasks.create_task(self._shop(stop))

    async def _shop(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(Unavailable):  # a shop that is slow or full loses a sale, not the demo
                async with opened(self._scene.place) as bank:
                    await bank.turn(**_BAD_DAY)
                    await self._buy_until(stop, bank)
            await _rest(stop)

    async def _buy_until(self, stop: asyncio.Event, bank: Bank) -> None:
        while not stop.is_set():
            number = next(self._number)
            if number % _DELIVERED == 0:
                await self._receive(number)
            if number % 2:
                await self._order(bank, number)
            else:
                customer = self._chance.choice(CUSTOMERS) if number % _HIS_TURN else _ARTIST
                await buy(self._scene.caller, bank, customer, f"stroll-{number}")
            await _rest(stop)

    async def _receive(self, number: int) -> None:
        caller = self._scene.caller
        await add_product(caller, _MUG, _SIZES)
        for size in _SIZES:
            await restock(caller, (_MUG[0], size), _DELIVERED, f"stroll-{size}-{number}")

    async def _order(self, bank: Bank, number: int) -> None:
        line = {"product": _MUG[0], "size": self._chance.choice(_SIZES), "quantity": 1}
        cart: Body = {"customer": self._chance.choice(CUSTOMERS), "items": [line]}
        path = "/api/checkout/create-payment-intent"
        reply = await self._scene.caller.post(path, cart, f"stroll-{number}")
        insist(reply.status == _CREATED, f"{reply.status} {reply.code}")
        await bank.confirm(reply.body["payment_intent"], _VISA)


async def _rest(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_SHOP_SECONDS):
            await stop.wait()
