"""The race table of the research for stock: whatever comes first, nothing is sold twice.

Each test is one row, through the sandbox, with what it tells heard several times and shuffled.
"""

import asyncio
from typing import Any

import pytest

from comptoir.domains.payments.stripe import ProviderRefused
from comptoir.domains.stock.model import (
    InsufficientStock,
    OrderStatus,
)
from comptoir.flows import checkout, closing, reconciling
from comptoir.flows.auditing import Report
from comptoir.flows.charging import Page
from comptoir.flows.closing import Closed
from comptoir.kit.errors import Conflict, Unavailable
from tests.support import stall
from tests.support.shop import LIVE, Shop, together
from tests.support.stall import DECLINED, VISA

pytestmark = pytest.mark.pg
MINUTE = 60_000_000
DAY = 1440 * MINUTE
PAGE = Page("http://shop.test/thanks")
SEPA = "pm_success_sepaDebit"


async def test_success_after_the_hold_is_gone_buys_what_is_left(shop: Shop) -> None:
    await stall.put(shop, sizes={"M": 1})
    begun = await stall.order(shop)
    await stall.given_up(shop, begun)
    stall.pay(shop, begun)
    await shop.hear(times=4, seed=1)
    assert await stall.status(shop, begun) is OrderStatus.PAID
    assert await stall.figures(shop) == (0, 0, 0)
    assert stall.money_back(shop) == []
    await stall.agreed(shop)


async def test_success_after_somebody_else_has_it_goes_back(shop: Shop) -> None:
    await stall.put(shop, sizes={"M": 1})
    late = await stall.order(shop)
    await stall.given_up(shop, late)
    other = await stall.order(shop, customer="bob")
    stall.pay(shop, other)
    stall.pay(shop, late)
    await shop.hear(times=3, seed=2)
    assert await stall.status(shop, other) is OrderStatus.PAID
    assert await stall.jobs(shop) >= 1
    await shop.hear(times=2, seed=3)
    assert await stall.status(shop, late) is OrderStatus.REFUNDED
    assert stall.money_back(shop) == [2500]
    assert shop.cases() == ["late-payment"]
    assert (await stall.found(shop, other)).number == "ORD-2026-000001"
    assert (await stall.found(shop, late)).number is None
    await stall.agreed(shop)


async def test_a_refund_that_goes_by_itself_is_asked_again_when_its_job_is_lost(
    shop: Shop,
) -> None:
    await stall.put(shop, sizes={"M": 1})
    late = await stall.order(shop)
    await stall.given_up(shop, late)
    await stall.order(shop, customer="bob")
    stall.pay(shop, late)
    await shop.hear()
    shop.sql("DELETE FROM comptoir.procrastinate_jobs")
    report = Report()
    await reconciling.sweep(shop.till, report, quiet=-1.0)
    assert "refund-asked-again" in [each.code for each in report.findings]
    await stall.jobs(shop)
    assert stall.money_back(shop) == [2500]
    assert await stall.status(shop, late) is OrderStatus.REFUNDED
    await stall.agreed(shop)


async def test_payment_failed_then_the_retry_succeeds_on_the_same_intent(shop: Shop) -> None:
    await stall.put(shop, sizes={"M": 1})
    begun = await stall.order(shop)
    stall.pay(shop, begun, DECLINED)
    await shop.hear(times=3, seed=4)
    with pytest.raises(InsufficientStock):
        await stall.order(shop, customer="bob")
    stall.pay(shop, begun)
    await shop.hear(times=3, seed=5)
    order = await stall.found(shop, begun)
    assert (order.status, order.failures) == (OrderStatus.PAID, 1)
    await stall.agreed(shop)


async def test_failure_is_heard_after_success(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop)
    stall.pay(shop, begun, DECLINED)
    stall.pay(shop, begun)
    events = shop.events()
    await shop.keep([e for e in events if e["type"] == "payment_intent.succeeded"])
    await shop.work()
    await shop.keep(events)
    await shop.work()
    assert await stall.status(shop, begun) is OrderStatus.PAID
    await stall.agreed(shop)


async def test_duplicate_webhooks_sell_once(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop, ("TEE", "M", 2))
    stall.pay(shop, begun)
    await shop.hear(times=20, seed=6)
    assert await stall.figures(shop) == (3, 0, 3)
    await stall.agreed(shop)


async def test_webhook_before_the_order_row(shop: Shop) -> None:
    """Only a restored backup has this: the row commits before the provider hears of it."""
    await stall.put(shop)
    begun = await stall.order(shop)
    stall.pay(shop, begun)
    shop.sql("CREATE TABLE gone AS TABLE comptoir.payments")
    shop.sql("DELETE FROM comptoir.payments")
    await shop.keep(shop.events())
    await shop.clerk.work_off()
    assert shop.states()["deferred"] >= 1
    shop.sql("INSERT INTO comptoir.payments TABLE gone")
    await shop.work()
    assert await stall.status(shop, begun) is OrderStatus.PAID
    await stall.agreed(shop)


async def test_paid_at_the_deadline_is_sold(shop: Shop) -> None:
    """The money came, its event did not: the provider's answer to the cancelling decides."""
    await stall.put(shop, sizes={"M": 1})
    begun = await stall.order(shop)
    stall.pay(shop, begun)
    shop.ahead[0] = 31 * MINUTE
    cleaned = await closing.clean(shop.till)
    assert (cleaned.examined, cleaned.captured) == (1, 1)
    assert await stall.status(shop, begun) is OrderStatus.PAID
    await shop.hear(times=2, seed=7)
    assert await stall.figures(shop) == (0, 0, 0)
    await stall.agreed(shop)


async def test_many_close_one_order_at_once(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop)
    shop.ahead[0] = 31 * MINUTE
    closed = await together(*(closing.close(shop.till, LIVE, begun.order) for _ in range(5)))
    assert set(closed) == {Closed.RELEASED}
    assert await stall.figures(shop) == (5, 0, 5)
    await stall.agreed(shop)


async def test_a_bank_that_takes_its_time_keeps_the_goods(shop: Shop) -> None:
    await stall.put(shop, sizes={"M": 1})
    begun = await stall.order(shop)
    stall.pay(shop, begun, SEPA)
    shop.ahead[0] = 31 * MINUTE
    assert (await closing.clean(shop.till)).kept == 1
    assert await stall.status(shop, begun) is OrderStatus.RESERVED
    shop.ahead[0] = 2 * DAY
    assert (await closing.clean(shop.till)).examined == 0
    shop.provider.turn("clock", advance=5)
    await shop.hear(times=2, seed=8)
    assert await stall.status(shop, begun) is OrderStatus.PAID
    await stall.agreed(shop)


async def test_a_bank_that_refuses_in_the_end_frees_them_at_the_deadline(shop: Shop) -> None:
    await stall.put(shop, sizes={"M": 1})
    begun = await stall.order(shop)
    stall.pay(shop, begun, "pm_failed_sepaDebit")
    await shop.hear()
    shop.provider.turn("clock", advance=5)
    await shop.hear(times=2, seed=9)
    assert await stall.status(shop, begun) is OrderStatus.RESERVED
    shop.ahead[0] = 15 * DAY
    assert (await closing.clean(shop.till)).released == 1
    assert await stall.figures(shop) == (1, 0, 1)
    await stall.agreed(shop)


@pytest.mark.parametrize("method", [VISA, SEPA])
async def test_a_page_is_paid(shop: Shop, method: str) -> None:
    await stall.put(shop)
    begun = await stall.order(shop, ("TEE", "M", 2), page=PAGE)
    assert stall.pay(shop, begun, method).amount_total == 5000
    shop.provider.turn("clock", advance=5)
    await shop.hear(times=3, seed=10)
    assert await stall.status(shop, begun) is OrderStatus.PAID
    assert await stall.figures(shop) == (3, 0, 3)
    await stall.agreed(shop)


async def test_a_page_that_expires_frees_the_goods(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop, page=PAGE)
    session = (begun.checkout_url or "").rpartition("/")[2]
    shop.provider.v1.checkout.sessions.expire(session)
    await shop.hear(times=2, seed=11)
    assert await stall.status(shop, begun) is OrderStatus.CANCELLED
    assert await stall.figures(shop) == (5, 0, 5)
    await stall.agreed(shop)


async def test_the_deadline_ends_a_page(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop, page=PAGE)
    shop.ahead[0] = 31 * MINUTE
    assert (await closing.clean(shop.till)).released == 1
    session = (begun.checkout_url or "").rpartition("/")[2]
    assert shop.provider.v1.checkout.sessions.retrieve(session).status == "expired"
    await shop.hear()
    await stall.agreed(shop)


async def test_three_failures_and_a_success_while_fifty_others_want_it(shop: Shop) -> None:
    await stall.put(shop, sizes={"M": 1})
    begun = await stall.order(shop)
    for _ in range(3):
        stall.pay(shop, begun, DECLINED)
        await shop.hear(times=2, seed=12)
        wishes = (stall.order(shop, customer=f"other-{n}") for n in range(17))
        refused = await asyncio.gather(*wishes, return_exceptions=True)
        assert all(isinstance(each, InsufficientStock) for each in refused)
    stall.pay(shop, begun)
    await shop.hear(times=2, seed=13)
    order = await stall.found(shop, begun)
    assert (order.status, order.failures) == (OrderStatus.PAID, 3)
    await stall.agreed(shop)


async def test_after_the_deadline_somebody_else_gets_it_and_he_is_never_charged(
    shop: Shop,
) -> None:
    await stall.put(shop, sizes={"M": 1})
    slow = await stall.order(shop)
    for _ in range(3):
        stall.pay(shop, slow, DECLINED)
    shop.ahead[0] = 31 * MINUTE
    await closing.clean(shop.till)
    other = await stall.order(shop, customer="bob")
    with pytest.raises(Exception, match="canceled"):
        stall.pay(shop, slow)
    stall.pay(shop, other)
    await shop.hear(times=2, seed=14)
    assert await stall.status(shop, other) is OrderStatus.PAID
    assert await stall.status(shop, slow) is OrderStatus.EXPIRED
    intent = shop.provider.v1.payment_intents.retrieve(slow.intent)
    assert (intent.status, intent.amount_received) == ("canceled", 0)
    await stall.agreed(shop)


async def test_a_buyer_cancels(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop)
    for _ in range(2):
        order = await closing.cancel(shop.till, LIVE, begun.order)
        assert order.status is OrderStatus.CANCELLED
    assert await stall.figures(shop) == (5, 0, 5)
    with pytest.raises(Exception, match="canceled"):
        stall.pay(shop, begun)
    await shop.hear()
    await stall.agreed(shop)


async def test_whoever_has_paid_cannot_cancel(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop)
    stall.pay(shop, begun)
    with pytest.raises(Conflict, match="order-paid"):
        await closing.cancel(shop.till, LIVE, begun.order)
    assert await stall.status(shop, begun) is OrderStatus.PAID
    waits = await stall.order(shop)
    stall.pay(shop, waits, SEPA)
    with pytest.raises(Conflict, match="order-processing"):
        await closing.cancel(shop.till, LIVE, waits.order)
    await stall.agreed(shop)


async def test_a_failed_payment_ends_it_where_that_was_asked(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop, cancels=True)
    stall.pay(shop, begun, DECLINED)
    await shop.hear(times=3, seed=15)
    await stall.jobs(shop)
    assert shop.provider.v1.payment_intents.retrieve(begun.intent).status == "canceled"
    assert await stall.status(shop, begun) is OrderStatus.CANCELLED
    assert await stall.figures(shop) == (5, 0, 5)
    await stall.agreed(shop)


@pytest.mark.parametrize("status", [500, 0])
@pytest.mark.parametrize("page", [None, PAGE])
async def test_answer_lost_after_the_provider_did_it(
    shop: Shop, status: int, page: Page | None
) -> None:
    await stall.put(shop)
    what = "payment_intents" if page is None else "checkout"
    shop.provider.turn("chaos", fail=1, fail_after=True, fail_status=status, only=what)
    begun = await stall.order(shop, page=page, key="once")
    made: Any = shop.provider.v1
    made = made.payment_intents if page is None else made.checkout.sessions
    assert len(made.list().data) == 1
    again = await stall.order(shop, page=page, key="once")
    assert (again.order, again.replayed) == (begun.order, True)
    await stall.agreed(shop)


async def test_the_provider_is_down_when_an_order_begins(shop: Shop) -> None:
    await stall.put(shop)
    shop.provider.turn("chaos", fail=30, fail_status=503)
    with pytest.raises(Unavailable):
        await stall.order(shop, key="mine")
    with pytest.raises(Unavailable):
        await checkout.start(
            shop.till, LIVE, checkout.Wanted(items=[stall.Item("TEE", "M", 1)], key=None)
        )
    assert (await stall.figures(shop))[1] == 1, "a guest without a key cannot come back"
    shop.provider.turn("chaos", fail=0)
    shop.till.provider.circuit.answered()
    begun = await stall.order(shop, key="mine")
    stall.pay(shop, begun)
    await shop.hear()
    assert await stall.status(shop, begun) is OrderStatus.PAID
    assert await stall.figures(shop) == (4, 0, 4)
    await stall.agreed(shop)


async def test_the_provider_is_down_when_an_order_is_closed(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop)
    shop.ahead[0] = 31 * MINUTE
    shop.provider.turn("chaos", fail=30, fail_status=503)
    assert (await closing.clean(shop.till)).kept == 1
    assert await stall.figures(shop) == (5, 1, 4)
    with pytest.raises(Unavailable):
        await closing.cancel(shop.till, LIVE, begun.order)
    shop.provider.turn("chaos", fail=0)
    shop.till.provider.circuit.answered()
    assert (await closing.clean(shop.till)).examined == 0, "somebody has just tried"
    shop.ahead[0] = 33 * MINUTE
    assert (await closing.clean(shop.till)).released == 1
    await shop.hear()
    await stall.agreed(shop)


async def test_what_the_provider_refuses_frees_the_goods(shop: Shop) -> None:
    await stall.put(shop, amount=10)
    with pytest.raises(ProviderRefused):
        await stall.order(shop)
    assert await stall.figures(shop) == (5, 0, 5)
    await stall.agreed(shop)


async def test_an_order_of_which_the_provider_never_heard(shop: Shop) -> None:
    await stall.put(shop)
    shop.provider.turn("chaos", fail=30, fail_status=503)
    with pytest.raises(Unavailable):
        await stall.order(shop)
    shop.provider.turn("chaos", fail=0)
    shop.till.provider.circuit.answered()
    shop.ahead[0] = DAY
    assert (await closing.clean(shop.till)).released == 1
    assert await stall.figures(shop) == (5, 0, 5)
    assert shop.provider.v1.payment_intents.list().data == []
    await stall.agreed(shop)


async def test_another_sum_goes_back_and_so_do_the_goods(shop: Shop) -> None:
    """Somebody has changed the intent in the dashboard: a partial payment buys nothing."""
    await stall.put(shop)
    begun = await stall.order(shop, ("TEE", "M", 2))
    shop.provider.v1.payment_intents.update(begun.intent, {"amount": 2500})
    stall.pay(shop, begun)
    await shop.hear(times=3, seed=16)
    assert await stall.figures(shop) == (5, 0, 5)
    await stall.jobs(shop)
    await shop.hear()
    assert stall.money_back(shop) == [2500]
    assert await stall.status(shop, begun) is OrderStatus.REFUNDED
    assert shop.cases() == ["amount-differs", "wrong-payment"]
    await stall.agreed(shop)


async def test_a_worker_that_was_dead_for_a_day(shop: Shop) -> None:
    """Safety does not hang on the job being on time; only what can be sold does."""
    await stall.put(shop, sizes={"M": 3})
    paid, open_, page = [
        await stall.order(shop, customer=f"c{n}", page=PAGE if n == 2 else None) for n in range(3)
    ]
    stall.pay(shop, paid)
    shop.ahead[0] = DAY
    with pytest.raises(InsufficientStock):
        await stall.order(shop, customer="new")
    cleaned = await closing.clean(shop.till)
    assert (cleaned.released, cleaned.captured, cleaned.kept) == (2, 1, 0)
    assert await stall.figures(shop) == (2, 0, 2)
    await shop.hear(times=2, seed=17)
    assert await stall.status(shop, open_) is OrderStatus.EXPIRED
    assert await stall.status(shop, page) is OrderStatus.EXPIRED
    await stall.agreed(shop)


@pytest.mark.parametrize("won", [True, False])
async def test_disputes(shop: Shop, *, won: bool) -> None:
    await stall.put(shop)
    begun = await stall.order(shop)
    stall.pay(shop, begun)
    await shop.hear()
    dispute = shop.provider.turn("dispute", payment_intent=begun.intent)
    await shop.hear(times=2, seed=23)
    assert await stall.status(shop, begun) is OrderStatus.DISPUTED
    shop.provider.turn("decide", dispute=dispute["id"], won=won)
    await shop.hear(times=2, seed=24)
    expected = OrderStatus.PAID if won else OrderStatus.DISPUTED
    assert await stall.status(shop, begun) is expected
    assert await stall.figures(shop) == (4, 0, 4)
    await stall.agreed(shop)


async def test_a_lost_event_and_a_lost_sale_are_found(shop: Shop) -> None:
    await stall.put(shop)
    begun = await stall.order(shop)
    stall.pay(shop, begun)
    shop.carried |= {each["id"] for each in shop.events()}
    report = await reconciling.reconcile(shop.till, fix=False)
    assert "event-lost" in [each.code for each in report.findings]
    assert await stall.status(shop, begun) is OrderStatus.PAID
    await stall.agreed(shop)
