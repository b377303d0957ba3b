"""Walks through the saga of an order, and is killed at a step of it.

Usage: python -m tests.crash.saga_walker URL HOME BASE

It reads lines `SCENARIO STEP PRODUCT`. For each it forks a process that walks, and that kills
itself at the step: before or after a commit, or before or after the provider has done something.
Then it prints `killed`, or `done` when there was no such step.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import psycopg
import stripe  # noqa: F401  # loaded once, not in every fork

from comptoir.app import App, Urls, open_app
from comptoir.config import Settings
from comptoir.domains.payments.stripe import Stripe
from comptoir.domains.stock import queries
from comptoir.domains.stock.model import Item, OrderStatus
from comptoir.flows import checkout, closing, reserving, returning
from comptoir.flows.inbox_work import Clerk
from comptoir.flows.receiving import Via
from comptoir.flows.returning import Back
from comptoir.jobs.worker import Crew, Worker
from comptoir.store.commit import Commit
from comptoir.store.pool import begin
from tests.support.sandbox import KEY

LIVE = 1
MINUTE = 60_000_000


class Steps:
    """Counts steps, and ends this process at one of them."""

    def __init__(self) -> None:
        self.last = 10**9
        self.done = 0

    def step(self) -> None:
        self.done += 1
        if self.done == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def counted(*args: Any, **more: Any) -> Any:  # noqa: ANN401  # whatever it is
            self.step()
            result = await work(*args, **more)
            self.step()
            return result

        return counted


STEPS = Steps()
AHEAD = [0]


def count_steps() -> None:
    """Commits of transactions and of groups, and calls of the provider, are steps."""
    Stripe._do = STEPS.around(Stripe._do)  # type: ignore[method-assign]  # to be killed there
    Commit._finish = STEPS.around(Commit._finish)  # type: ignore[method-assign]  # the same
    psycopg.AsyncTransaction.__aexit__ = STEPS.around(psycopg.AsyncTransaction.__aexit__)  # type: ignore[method-assign]


class Walk:
    """One order on its way."""

    def __init__(self, app: App, base: str, product: str) -> None:
        self.app = app
        self.base = base
        self.product = product
        self.http = httpx2.AsyncClient(timeout=30, headers={"authorization": f"Bearer {KEY}"})

    async def order(self, customer: str = "alice", quantity: int = 1) -> checkout.Begun:
        name = f"{customer}-{self.product}"
        said = checkout.Wanted(items=[Item(self.product, "M", quantity)], customer=name, key=name)
        return await checkout.start(self.app.till, LIVE, said)

    async def pay(self, begun: checkout.Begun, method: str = "pm_card_visa") -> None:
        url = f"{self.base}/v1/payment_intents/{begun.intent}/confirm"
        said = {"payment_method": method, "return_url": "http://shop.test/"}
        await self.http.post(url, data=said)

    async def hear(self) -> None:
        found = (await self.http.get(f"{self.base}/v1/events", params={"limit": 30})).json()
        for event in reversed(found["data"]):
            await self.app.desk.keep(json.dumps(event).encode(), Via.WEBHOOK)
        await Clerk(self.app.till).work_off(200)

    async def jobs(self) -> None:
        worker = Worker(
            self.app.worker_url, self.app.pool, Crew(self.app.duties, chance=self.app.chance)
        )
        await worker.work_off("default", 20)

    async def give_up(self, order: UUID) -> None:
        async with begin(self.app.pool) as tx:
            lost = await queries.lock(tx, LIVE, order)
            await reserving.give_up(tx, self.app.till, lost, OrderStatus.EXPIRED)


async def bought(walk: Walk) -> None:
    begun = await walk.order(quantity=2)
    await walk.pay(begun, "pm_card_visa_chargeDeclined")
    await walk.pay(begun)
    await walk.hear()


async def expired(walk: Walk) -> None:
    begun = await walk.order()
    await walk.pay(begun, "pm_card_visa_chargeDeclined")
    AHEAD[0] = 31 * MINUTE
    await closing.clean(walk.app.till)


async def late(walk: Walk) -> None:
    """All is sold to somebody else; then the money of the first comes."""
    begun = await walk.order(quantity=2)
    await walk.give_up(begun.order)
    other = await walk.order("bob", 2)
    await walk.pay(other)
    await walk.pay(begun)
    await walk.hear()
    await walk.jobs()


async def returned(walk: Walk) -> None:
    begun = await walk.order(quantity=2)
    await walk.pay(begun)
    await walk.hear()
    goods = (Back(walk.product, "M", 1), Back(walk.product, "M", 1, is_damaged=True))
    wanted = returning.Wanted(begun.order, goods, "torn", refunds=True, key=walk.product)
    await returning.take_back(walk.app.till, LIVE, wanted)


SCENARIOS = {each.__name__: each for each in (bought, expired, late, returned)}


async def walk(settings: Settings, urls: Urls, scenario: str, product: str) -> None:
    async with open_app(settings, urls, ledger_clock=lambda at: at + AHEAD[0]) as app:
        count_steps()
        await SCENARIOS[scenario](Walk(app, settings.stripe_api_base or "", product))


def main(url: str, home: str, base: str) -> None:
    settings = Settings.model_validate(
        {
            "DATABASE_URL": url, "COMPTOIR_HOME": Path(home), "STRIPE_SECRET_KEY": KEY,
            "STRIPE_API_BASE": base, "STRIPE_WEBHOOK_SECRET": "whsec_test",
        }
    )  # fmt: skip
    for line in sys.stdin:
        scenario, step, product = line.split()
        child = os.fork()
        if not child:
            STEPS.last = int(step)
            asyncio.run(walk(settings, Urls(url, url), scenario, product))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write("killed\n" if os.WIFSIGNALED(status) else f"done {status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
