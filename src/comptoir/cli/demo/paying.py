"""Try to break it: packs are bought at the sandbox, and their webhooks come again and again."""

import asyncio
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from comptoir.app.sandbox import Place
from comptoir.cli.demo.bank import Bank, insist, opened
from comptoir.cli.demo.caller import Caller, Reply
from comptoir.cli.demo.together import all_at_once
from comptoir.domains.payments.signature import sign

DELIVERIES: Final = 50
"""Of the one webhook, at once."""

ONCE: Final = "demo-customer-once"
"""Buys one pack, whose webhook comes that often."""

REGULAR: Final = "demo-customer-regular"
PACKS: Final = 6
"""That the regular buys while the sandbox copies and shuffles what it tells of them."""

PACK: Final = "100"
CREDITS: Final = 100
"""In a pack."""

_CHAOS: Final = {"copies": 5, "shuffle": 100, "delay_ms": 200, "together": True}
_SUCCEEDED: Final = "payment_intent.succeeded"
_WEBHOOKS: Final = "/api/webhooks/stripe"
_WAIT: Final = 15
_PAUSE: Final = 0.05
_TRIES: Final = 400
_OK: Final = 200
_CREATED: Final = 201
_GOES_ON: Final = 303


@dataclass(frozen=True, slots=True)
class Repeats:
    """What the clients saw.

    Attributes:
        answered: deliveries of the one webhook that were answered.
        grants: packs that its customer then had.
        granted: packs that the regular had, of those that he bought.
    """

    answered: int
    grants: int
    granted: int


async def deliveries(caller: Caller, place: Place) -> Repeats:
    """One webhook, delivered 50 times at once; then packs whose webhooks come in chaos.

    Raises:
        Unavailable: nothing can be bought here.
    """
    async with opened(place) as bank:
        await bank.turn(drop_percent=100)
        bought = await _buy(caller, bank, ONCE, 0)
        await bank.still()  # all that it said of this was lost
        body = await bank.event()
        signed = sign(body, place.secret, int(time.time()))  # noqa: TID251  # as a provider would
        replies = await all_at_once(
            DELIVERIES, lambda _: caller.tell(_WEBHOOKS, body, {"Stripe-Signature": signed})
        )
        await _granted(caller, bought)
        await bank.turn(drop_percent=0, **_CHAOS)
        async with asyncio.TaskGroup() as tasks:
            for number in range(PACKS):
                tasks.create_task(_buy_and_wait(caller, bank, number))
        await bank.still()
    answered = sum(reply.status == _OK for reply in replies)
    return Repeats(answered, await _packs(caller, ONCE), await _packs(caller, REGULAR))


async def _buy_and_wait(caller: Caller, bank: Bank, number: int) -> None:
    await _granted(caller, await _buy(caller, bank, REGULAR, number))


async def _buy(caller: Caller, bank: Bank, customer: str, number: int) -> str:
    """Buy a pack and pay for it; the id of the purchase."""
    wish = {"customer": customer, "pack": PACK}
    reply = await caller.post("/api/credits/buy", wish, f"demo-{customer}-{number}")
    insist(reply.status == _CREATED, f"{reply.status} {reply.code}")
    await bank.pay(reply.body["checkout_url"])
    return reply.body["purchase"]


async def _granted(caller: Caller, purchase: str) -> Reply:
    """Wait until its credits are here; if they never come, the receipt says so."""
    return await caller.get(f"/api/credits/purchases/{purchase}?wait_seconds={_WAIT}")


async def _packs(caller: Caller, customer: str) -> int:
    reply = await caller.get(f"/api/credits/balance?customer={customer}")
    return int(Decimal(reply.body.get("balance", "0"))) // CREDITS
