"""Somebody who reads the paper: a subscriber by a test clock."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from comptoir.domains.credits.deciding import decide
from comptoir.domains.credits.model import Ask, Op
from comptoir.flows import stocking, subscribing
from comptoir.jobs.model import Job
from tests.support.sandbox import DAY
from tests.support.shop import Shop

M = 1_000_000
FAILS = "pm_card_chargeCustomerFail"


@dataclass(slots=True)
class Reader:
    """Somebody at the provider whose time a test moves."""

    shop: Shop
    clock: str
    id: str
    customer: str = "alice"
    subscription: str = ""

    @property
    def v1(self) -> Any:  # noqa: ANN401
        return self.shop.provider.v1

    @property
    def now(self) -> int:
        return self.v1.test_helpers.test_clocks.retrieve(self.clock).frozen_time

    @property
    def item(self) -> str:
        return self.v1.subscriptions.retrieve(self.subscription)["items"].data[0].id

    def go_on(self, days: float) -> None:
        to = {"frozen_time": self.now + int(days * DAY)}
        self.v1.test_helpers.test_clocks.advance(self.clock, to)

    def go_to_end(self, seconds: int = 5) -> None:
        """To the end of the period, and a little more."""
        item = self.v1.subscriptions.retrieve(self.subscription)["items"].data[0]
        self.go_on((item.current_period_end - self.now + seconds) / DAY)

    def change(self, **said: Any) -> None:  # noqa: ANN401
        self.v1.subscriptions.update(self.subscription, said)

    def switch(self, plan: str, period: str = "month") -> None:
        item = {"id": self.item, "price": price(self.shop, plan, period)}
        self.change(items=[item], proration_behavior="always_invoice")

    async def standing(self) -> tuple[str, str | None]:
        """The plan, and what the subscription is."""
        found = await subscribing.standing(self.shop.till, 1, self.customer)
        return found.plan, None if found.subscription is None else found.subscription.status

    async def begin(self, plan: str = "pro", period: str = "month", **more: Any) -> None:  # noqa: ANN401
        """Subscribe without a page; `more` is said to the provider."""
        [(id_,)] = self.shop.sql("SELECT customer_id FROM comptoir.provider_customers")
        said = {
            "customer": self.id, "items": [{"price": price(self.shop, plan, period)}],
            "default_payment_method": "pm_card_visa",
            "metadata": {"comptoir_book": "1", "comptoir_customer": str(id_)},
        }  # fmt: skip
        wanted = {name: value for name, value in (said | more).items() if value is not None}
        self.subscription = self.v1.subscriptions.create(wanted).id

    async def change_half_way(self) -> None:
        """Subscribe, and change to a bigger plan for the second half of the first month."""
        await self.begin()
        item = self.v1.subscriptions.retrieve(self.subscription)["items"].data[0]
        self.go_on((item.current_period_end - item.current_period_start) / DAY / 2)
        self.switch("enterprise")

    async def allowance(self) -> list[int]:
        """What is granted by invoices and carried over, the oldest first, in credits."""
        rows = self.shop.sql(
            "SELECT l.granted / 1000000 FROM comptoir.lots l WHERE l.source IN ('plan', 'rollover')"
            " ORDER BY l.no"
        )
        return [row[0] for row in rows]


def price(shop: Shop, plan: str, period: str = "month") -> str:
    item = f"plan:{plan}:{period}"
    return shop.sql("SELECT price FROM comptoir.provider_prices WHERE item = %s", item)[0][0]


async def subscriber(shop: Shop, days_ago: int = 0) -> Reader:
    await stocking.push(shop.till, 1)
    v1 = shop.provider.v1
    begins = int(time.time()) - days_ago * DAY
    clock = v1.test_helpers.test_clocks.create({"frozen_time": begins})
    id_ = v1.customers.create({"test_clock": clock.id}).id
    customer = await shop.till.directory.customer(1, "alice")
    shop.sql("INSERT INTO comptoir.provider_customers VALUES (1, false, %s, %s)", customer, id_)
    return Reader(shop, clock.id, id_)


def jobs(shop: Shop, type_: str) -> list[Job]:
    rows = shop.sql(
        "SELECT args FROM comptoir.procrastinate_jobs WHERE task_name = %s ORDER BY id", type_
    )
    return [Job(UUID(a["job"]), a["book"], type_, a["payload"], 1) for (a,) in rows]


async def spend(shop: Shop, amount: int, key: str = "spend") -> None:
    async def priced(*_: object) -> Any:  # noqa: ANN401
        raise AssertionError

    door = await shop.app.door(1)
    await decide(door, priced, Ask(op=Op.SPEND, key=key, customer="alice", amount=amount))
