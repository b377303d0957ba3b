"""A season of a shop at the sandbox: purchases, refunds, disputes, plans that renew and change.

Everything happens at the provider, as by hand of customers and of whoever looks at its dashboard;
what the shop hears of it is up to the test.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from comptoir.flows import stocking
from comptoir.flows.purchase import Begun
from tests.support.sandbox import DAY
from tests.support.shop import Shop

PACKS = ("100", "500")
PLANS = ("pro", "enterprise")
DECLINED = "pm_card_visa_chargeDeclined"


@dataclass(slots=True)
class Subscriber:
    """Somebody with a plan."""

    customer: int
    provider_id: str
    subscription: str = ""


@dataclass(slots=True)
class Season:
    """What is going to happen.

    Attributes:
        bought: purchases that were begun; nothing is paid yet.
        subscribers: known to the provider; they have no plan yet.
    """

    bought: list[Begun]
    subscribers: list[Subscriber]
    clock: str
    dice: random.Random

    def steps(self, shop: Shop) -> Iterator[Callable[[], None]]:
        """What happens, one after the other."""
        yield lambda: self._pay(shop)
        yield lambda: self._subscribe(shop)
        yield lambda: self._regret(shop)
        yield lambda: self._go_on(shop, 32)
        yield lambda: self._change(shop)
        yield lambda: self._go_on(shop, 64)

    def _pay(self, shop: Shop) -> None:
        for begun in self.bought:
            chance = self.dice.random()
            if chance < 0.1:
                session = begun.checkout_url.rpartition("/")[2]
                shop.provider.v1.checkout.sessions.expire(session)
                continue
            if chance < 0.25:
                shop.pay(begun, DECLINED)
            shop.pay(begun)

    def _regret(self, shop: Shop) -> None:
        v1 = shop.provider.v1
        paid = v1.payment_intents.list({"limit": 100}).auto_paging_iter()
        for intent in [each for each in paid if each.status == "succeeded"]:
            chance = self.dice.random()
            if chance < 0.1:
                v1.refunds.create({"payment_intent": intent.id})
            elif chance < 0.25:
                for _ in range(self.dice.randint(1, 3)):
                    share = intent.amount // self.dice.randint(3, 9)
                    v1.refunds.create({"payment_intent": intent.id, "amount": share})
            elif chance < 0.35:
                dispute = shop.provider.turn("dispute", payment_intent=intent.id)
                if self.dice.random() < 0.8:
                    won = self.dice.random() < 0.5
                    shop.provider.turn("decide", dispute=dispute["id"], won=won)

    def _subscribe(self, shop: Shop) -> None:
        for each in self.subscribers:
            made = shop.provider.v1.subscriptions.create(
                {
                    "customer": each.provider_id,
                    "items": [{"price": price(shop, self.dice.choice(PLANS))}],
                    "default_payment_method": "pm_card_visa",
                    "metadata": {
                        "comptoir_book": "1", "comptoir_customer": str(each.customer),
                    },
                }
            )  # fmt: skip
            each.subscription = made.id

    def _change(self, shop: Shop) -> None:
        v1 = shop.provider.v1
        for each in self.subscribers:
            chance = self.dice.random()
            if chance < 0.2:
                v1.subscriptions.cancel(each.subscription)
            elif chance < 0.5:
                item = v1.subscriptions.retrieve(each.subscription)["items"].data[0]
                wanted = {"id": item.id, "price": price(shop, self.dice.choice(PLANS))}
                said: dict[str, Any] = {"items": [wanted], "proration_behavior": "always_invoice"}
                v1.subscriptions.update(each.subscription, said)

    def _go_on(self, shop: Shop, days: int) -> None:
        clocks = shop.provider.v1.test_helpers.test_clocks
        now = clocks.retrieve(self.clock).frozen_time
        clocks.advance(self.clock, {"frozen_time": now + days * DAY})


def price(shop: Shop, plan: str) -> str:
    item = f"plan:{plan}:month"
    [(found,)] = shop.sql("SELECT price FROM comptoir.provider_prices WHERE item = %s", item)
    return found


async def begin(shop: Shop, purchases: int, dice: random.Random) -> Season:
    """Everybody stands at the till; a tenth as many people want a plan.

    Months are long and short, and end on the 28th: the day on which plans begin is any of a year.
    """
    await stocking.push(shop.till, 1)
    v1 = shop.provider.v1
    day = int(time.time()) + dice.randrange(366) * DAY
    clock = v1.test_helpers.test_clocks.create({"frozen_time": day})
    bought = [
        await shop.buy(f"buyer-{number // 2}", dice.choice(PACKS), key=f"buy-{number}")
        for number in range(purchases)
    ]
    subscribers: list[Subscriber] = []
    for number in range(purchases // 10):
        id_ = v1.customers.create({"test_clock": clock.id}).id
        customer = await shop.till.directory.customer(1, f"reader-{number}")
        shop.sql("INSERT INTO comptoir.provider_customers VALUES (1, false, %s, %s)", customer, id_)
        subscribers.append(Subscriber(customer, id_))
    return Season(bought, subscribers, clock.id, dice)


_OF = "comptoir.payments p ON p.book_id = t.book_id AND p.id = t.payment_id"
_NAME = "coalesce(p.intent, p.session)"
_ACCOUNT = """comptoir.accounts a ON a.book_id = t.book_id AND a.id = t.account_id
    JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id"""
STATES = {
    "payments": f"SELECT {_NAME}, status, received, purpose FROM comptoir.payments p",
    "purchases": "SELECT id::text, granted_at IS NOT NULL FROM comptoir.purchases",
    "granted": f"""SELECT {_NAME}, c.customer, a.asset_id, sum(t.amount)
        FROM comptoir.payment_grants t JOIN {_OF} JOIN {_ACCOUNT} GROUP BY 1, 2, 3""",
    "refunds": f"""SELECT t.provider_id, {_NAME}, t.amount, t.status
        FROM comptoir.refunds t JOIN {_OF}""",
    "disputes": f"""SELECT t.provider_id, {_NAME}, t.amount, t.status
        FROM comptoir.disputes t JOIN {_OF}""",
    "taken back": f"""SELECT {_NAME}, c.customer, sum(t.amount), sum(t.waived)
        FROM comptoir.takings t JOIN {_OF} JOIN {_ACCOUNT}
        WHERE t.given_back IS NULL GROUP BY 1, 2""",
    "subscriptions": """SELECT provider_id, plan, period, status, starts_at, ends_at
        FROM comptoir.subscriptions""",
    "invoices": """SELECT provider_id, subscription, amount, starts_at, ends_at
        FROM comptoir.invoices""",
    "allowances": "SELECT invoice, asset_id, amount, rollover, expires_at FROM comptoir.allowances",
    "lots": f"""SELECT c.customer, a.asset_id, t.source, n.reference, t.granted, t.remaining,
            t.paid, t.expires_at
        FROM comptoir.lots t JOIN {_ACCOUNT} LEFT JOIN comptoir.notes n ON n.book_id = t.book_id
            AND n.account_id = t.account_id AND n.version = t.version WHERE t.book_id = 1""",
    "balances": """SELECT c.customer, a.asset_id, a.posted, a.held, a.debt
        FROM comptoir.accounts a
        JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
        WHERE a.book_id = 1 AND a.version > 0""",
    "cases": "SELECT kind, subject FROM comptoir.cases WHERE kind <> 'orphan-event'",
}
"""What must be the same however events came. That somebody had to wait too long is none of it."""


def state(shop: Shop) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(shop.sql(query), key=repr) for name, query in STATES.items()}
