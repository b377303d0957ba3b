"""Who sells is killed at every step of an order; afterwards each order has come to an end.

It is paid, with its movement and its number; or its goods are free again and nobody can pay for
them; or its money has gone back, and somebody was told. None is in between.
"""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from comptoir.domains.stock.model import OrderStatus
from comptoir.flows import closing, reconciling, returning
from comptoir.flows.auditing import Report
from comptoir.flows.returning import Back
from tests.crash.saga_walker import SCENARIOS
from tests.support import stall
from tests.support.postgres import Database
from tests.support.sandbox import provider
from tests.support.shop import LIVE, Shop
from tests.support.shop import shop as opened

pytestmark = [pytest.mark.pg, pytest.mark.crash]
ROOT = Path(__file__).resolve().parents[2]
MINUTE = 60_000_000
UNITS = 2
MOST = 200
FORGET = (
    "UPDATE comptoir.idempotency SET lease_until = now() WHERE lease_until IS NOT NULL",
    "UPDATE comptoir.orders SET tried_at = NULL WHERE tried_at IS NOT NULL",
)
"""What the time would do that a test does not wait for: the dead hold nothing for long."""


class Walker:
    """Walks, and is killed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def walk(self, scenario: str, step: int, product: str) -> bool:
        """Whether it was killed; False when there is no such step."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{scenario} {step} {product}\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline().split()
        assert said in (["killed"], ["done", "0"]), said
        return said == ["killed"]


@contextmanager
def walker(shop: Shop, home: Path) -> Iterator[Walker]:
    said = [shop.database.app_url, str(home), shop.provider.base]
    command = [sys.executable, "-m", "tests.crash.saga_walker", *said]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Walker(process)
        finally:
            process.kill()


async def recover(shop: Shop, scenario: str, product: str) -> None:
    """What others do after him: events come, minutes pass, whoever asked asks again."""
    for statement in FORGET:
        shop.sql(statement)
    await shop.hear(times=2, seed=1)
    shop.ahead[0] = 32 * MINUTE
    await closing.clean(shop.till)
    shop.ahead[0] = 0
    await reconciling.sweep(shop.till, Report(), quiet=-1.0)
    await stall.jobs(shop)
    await shop.hear()
    orders = shop.sql("SELECT id FROM comptoir.orders o WHERE EXISTS (SELECT FROM"
        " comptoir.order_lines l WHERE l.order_id = o.id AND l.product = %s)"
        " AND o.number IS NOT NULL", product)  # fmt: skip
    if scenario == "returned" and orders:
        goods = (Back(product, "M", 1), Back(product, "M", 1, is_damaged=True))
        wanted = returning.Wanted(orders[0][0], goods, "torn", refunds=True, key=product)
        back = await returning.take_back(shop.till, LIVE, wanted)
        assert back.amount == UNITS * 2500
        await shop.hear()


def judge(shop: Shop, scenario: str, product: str) -> None:
    rows = shop.sql(
        """SELECT o.status, o.number, p.intent, p.received, a.posted, a.held,
            EXISTS (SELECT FROM comptoir.cases c WHERE c.subject = o.id::text)
        FROM comptoir.orders o
        JOIN comptoir.order_lines l ON l.book_id = o.book_id AND l.order_id = o.id
        JOIN comptoir.payments p ON p.book_id = o.book_id AND p.id = o.id
        JOIN comptoir.accounts a ON a.book_id = l.book_id AND a.id = l.account_id
        WHERE l.product = %s""",
        product,
    )
    for status, number, intent, received, _, held, has_case in rows:
        assert held == 0
        there: Any = None if intent is None else shop.provider.v1.payment_intents.retrieve(intent)
        match status:
            case OrderStatus.PAID:
                assert number is not None
                assert there.status == "succeeded"
            case OrderStatus.EXPIRED | OrderStatus.CANCELLED:
                assert number is None
                assert received is None
                assert there is None or there.status == "canceled"
            case OrderStatus.REFUNDED:
                charge = shop.provider.v1.charges.retrieve(there.latest_charge)
                assert charge.amount_refunded == received
                assert has_case or scenario == "returned"
            case _:
                raise AssertionError(status)
    if scenario == "returned" and rows and rows[0][1] is not None:
        assert (rows[0][0], rows[0][4]) == (OrderStatus.REFUNDED, UNITS - 1)
    open_ = shop.provider.v1.payment_intents.list({"limit": 100}).auto_paging_iter()
    assert {each.status for each in open_} <= {"succeeded", "canceled"}


async def killed_everywhere(database: Database, home: Path, scenario: str, share: float) -> None:
    dice = random.Random(scenario)
    with provider() as sandbox:
        async with opened(database, home, sandbox) as shop:
            with walker(shop, home) as walking:
                await stall.put(shop, "P0", {"M": UNITS})
                assert not walking.walk(scenario, MOST, "P0"), "it has fewer steps than that"
                for step in range(1, MOST):
                    if dice.random() > share:
                        continue
                    product = f"P{step}"
                    await stall.put(shop, product, {"M": UNITS})
                    was_killed = walking.walk(scenario, step, product)
                    await recover(shop, scenario, product)
                    judge(shop, scenario, product)
                    if not was_killed:
                        break
                await stall.agreed(shop)
                assert step > 20, "a saga has many steps"


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_killed_at_some_steps(database: Database, tmp_path: Path, scenario: str) -> None:
    await killed_everywhere(database, tmp_path, scenario, 0.1)


@pytest.mark.soak
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_killed_at_every_step(database: Database, tmp_path: Path, scenario: str) -> None:
    await killed_everywhere(database, tmp_path, scenario, 1.0)
