"""Try to break it: packs are bought at the sandbox, and their webhooks come again and again."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from comptoir.app.sandbox import Place
from comptoir.cli.demo.bank import Bank, insist, opened
from comptoir.cli.demo.caller import Caller, Reply
from comptoir.cli.demo.race import CALM
from comptoir.cli.demo.seed import FIRST, Names
from comptoir.cli.demo.together import all_at_once
from comptoir.domains.payments.signature import sign

DELIVERIES: Final = 50
"""Of the one webhook, at once."""

PACKS: Final = 6
"""That the regular buys while the sandbox copies and shuffles what it tells of them."""

PACK: Final = "100"
CREDITS: Final = 100
"""In a pack."""

_CHAOS: Final = {"copies": 5, "shuffle": 100, "delay_ms": 200, "together": True}
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
        event: the id of the one webhook.
    """

    answered: int
    grants: int
    granted: int
    event: str = ""


def _nobody(_: str) -> None:
    """Whom nobody tells which event it is."""


async def deliveries(
    caller: Caller, place: Place, names: Names = FIRST, told: Callable[[str], None] = _nobody
) -> Repeats:
    """One webhook, delivered 50 times at once; then packs whose webhooks come in chaos.

    Args:
        caller: the shop's server.
        place: where the sandbox is.
        names: of this race.
        told: is told the id of the webhook as soon as there is one.

    Raises:
        Unavailable: nothing can be bought here.
    """
    async with opened(place) as bank:
        await bank.turn(drop_percent=100)
        bought = await buy(caller, bank, names.once, "0")
        await bank.still()  # all that it said of this was lost
        body = await bank.event(bought)
        event = json.loads(body)["id"]
        told(event)
        signed = sign(body, place.secret, int(time.time()))  # noqa: TID251  # as a provider would
        replies = await all_at_once(
            DELIVERIES, lambda _: caller.tell(_WEBHOOKS, body, {"Stripe-Signature": signed})
        )
        await _granted(caller, bought)
        await bank.turn(drop_percent=0, **_CHAOS)
        async with asyncio.TaskGroup() as tasks:
            for number in range(PACKS):
                tasks.create_task(_buy_and_wait(caller, bank, names.regular, number))
        await bank.still()
        await bank.turn(**CALM)
    answered = sum(reply.status == _OK for reply in replies)
    once, regular = await _packs(caller, names.once), await _packs(caller, names.regular)
    return Repeats(answered, once, regular, event)


async def _buy_and_wait(caller: Caller, bank: Bank, customer: str, number: int) -> None:
    await _granted(caller, await buy(caller, bank, customer, str(number)))


async def buy(caller: Caller, bank: Bank, customer: str, number: str) -> str:
    """Buy a pack and pay for it; the id of the purchase.

    Raises:
        Unavailable: it cannot be bought.
    """
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
