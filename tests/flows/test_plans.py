"""Plans by a test clock: what is allowed, for how long, and what a customer may do meanwhile."""

from datetime import datetime
from uuid import UUID, uuid4

import pytest

from comptoir.flows import reconciling, stocking, subscribing
from comptoir.flows.purchase import Begun
from comptoir.flows.telling import rendered
from comptoir.guards import quotas
from comptoir.kit.errors import Conflict
from comptoir.kit.limits import SECOND
from comptoir.store import outbox
from comptoir.store.pool import begin
from tests.support.reader import FAILS, Reader, price, spend
from tests.support.sandbox import DAY
from tests.support.shop import Shop

pytestmark = pytest.mark.pg
M = 1_000_000
CHANGED = "customer.subscription.updated"


async def on_the_page(reader: Reader, plan: str, period: str = "month", key: str = "s") -> str:
    wanted = subscribing.Wanted(reader.customer, plan, period, key)
    return (await subscribing.checkout(reader.shop.till, 1, wanted))[0]


async def test_somebody_subscribes(shop: Shop, reader: Reader) -> None:
    assert await reader.standing() == ("free", None)
    url = await on_the_page(reader, "pro")
    assert await on_the_page(reader, "pro") == url
    session = shop.pay(Begun(UUID(int=0), url, replayed=False))
    reader.subscription = session.subscription
    await shop.hear(times=3, seed=1)
    assert await reader.standing() == ("pro", "active")
    assert shop.journal() == [("allowance", 200)]
    assert shop.cases() == []
    with pytest.raises(Conflict, match="already-subscribed"):
        await on_the_page(reader, "enterprise", key="other")
    await shop.balanced()


async def test_quotas_follow_the_plan(shop: Shop, reader: Reader) -> None:
    async def limit() -> int:
        asked = quotas.Asked(uuid4(), "alice", "ai-calls")
        return (await quotas.reserve(shop.app.pool, 1, asked)).limit

    assert await limit() == 10
    await reader.begin("pro")
    await shop.hear()
    assert await limit() == 100
    reader.switch("enterprise")
    await shop.hear()
    assert await limit() == 1000
    reader.v1.subscriptions.cancel(reader.subscription)
    await shop.hear()
    assert await limit() == 10


async def test_each_period_has_its_allowance(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    for _ in range(2):
        reader.go_to_end()
    await shop.hear(times=2, seed=2)
    assert await reader.allowance() == [200, 200, 200]
    ends = shop.sql("SELECT expires_at FROM comptoir.lots WHERE source = 'plan' ORDER BY no")
    paid_for = shop.sql("SELECT ends_at FROM comptoir.invoices ORDER BY ends_at")
    assert sorted(ends) == paid_for
    assert len(set(ends)) == 3


async def test_a_year_gives_twelve_months_at_once(shop: Shop, reader: Reader) -> None:
    await reader.begin("enterprise", "year")
    await shop.hear()
    assert await reader.allowance() == [12_000]


async def test_a_paid_invoice_is_one_effect_however_it_is_told(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    told = ("invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid")
    found = shop.events(*told)
    assert {each["type"] for each in found} == set(told)
    await shop.keep([each for each in found if each["type"] == "invoice.payment_succeeded"])
    await shop.work()
    assert shop.journal() == [("allowance", 200)]
    again = [each | {"id": f"{each['id']}x"} for each in found]
    await shop.keep([*found, *again])
    await shop.work()
    assert shop.journal() == [("allowance", 200)]
    assert shop.sql("SELECT count(*) FROM comptoir.payments") == [(1,)]


async def test_updated_before_created(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    reader.change(cancel_at_period_end=True)
    found = shop.events()
    await shop.keep([each for each in found if each["type"] == CHANGED])
    await shop.work()
    assert await reader.standing() == ("pro", "active")
    await shop.keep(reversed(found))
    await shop.work()
    assert await reader.standing() == ("pro", "active")
    assert shop.sql("SELECT cancel_at IS NOT NULL FROM comptoir.subscriptions") == [(True,)]
    assert shop.journal() == [("allowance", 200)]


async def test_an_old_update_does_not_bring_back_what_has_ended(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    reader.v1.subscriptions.cancel(reader.subscription)
    found = shop.events()
    for each in reversed(found):
        await shop.keep([each])
        await shop.work()
    assert await reader.standing() == ("free", None)


async def test_a_change_in_the_middle_gives_the_difference(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    await shop.hear()
    [(starts, ends)] = shop.sql("SELECT starts_at, ends_at FROM comptoir.subscriptions")
    reader.go_on((ends - starts).total_seconds() / DAY / 2)
    reader.switch("enterprise")
    await shop.hear(times=2, seed=3)
    assert await reader.standing() == ("enterprise", "active")
    assert await reader.allowance() == [200, 400]
    lots = shop.sql("SELECT DISTINCT expires_at FROM comptoir.lots WHERE source = 'plan'")
    assert lots == [(ends,)]


@pytest.mark.parametrize("heard_of", [True, False])
async def test_a_change_that_is_paid_before_its_subscription_is_heard_of(
    shop: Shop, reader: Reader, *, heard_of: bool
) -> None:
    await reader.change_half_way()
    events = shop.events()
    paid = [each for each in events if each["type"] == "invoice.paid"]
    await shop.keep(paid[-1:])
    await shop.clerk.work_off()
    assert shop.sql("SELECT state, error FROM comptoir.inbox") == [
        ("deferred", "subscription-unknown")
    ]
    assert shop.sql("SELECT count(*) FROM comptoir.invoices") == [(0,)]
    if heard_of:
        await shop.keep(each for each in events if each["type"].startswith("customer.subscr"))
        await shop.clerk.work_off()  # what waits is woken: nobody's pause is over yet
    else:
        await shop.work()
    assert await reader.allowance() == [400]
    await shop.keep(events)
    await shop.work()
    assert await reader.allowance() == [400, 200]
    assert shop.cases() == []
    await shop.balanced()


async def test_a_smaller_plan_in_the_middle_takes_nothing_back(shop: Shop, reader: Reader) -> None:
    await reader.begin("enterprise")
    reader.go_on(10)
    reader.switch("pro")
    await shop.hear()
    assert await reader.standing() == ("pro", "active")
    assert await reader.allowance() == [1000]
    reader.go_to_end()
    await shop.hear()
    assert await reader.allowance() == [1000, 200]


async def test_a_year_in_the_middle_of_a_month(shop: Shop, reader: Reader) -> None:
    """The month's rest is credited by the month's length, not by the year's."""
    await reader.begin()
    await shop.hear()
    [(starts, ends)] = shop.sql("SELECT starts_at, ends_at FROM comptoir.subscriptions")
    reader.go_on((ends - starts).total_seconds() / DAY / 2)
    reader.switch("pro", "year")
    await shop.hear(seed=4)
    assert await reader.allowance() == [200, 2400 - 100]


async def test_prorations_that_wait_for_the_next_invoice(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    await shop.hear()
    [(starts, ends)] = shop.sql("SELECT starts_at, ends_at FROM comptoir.subscriptions")
    reader.go_on((ends - starts).total_seconds() / DAY / 2)
    item = {"id": reader.item, "price": price(shop, "enterprise")}
    reader.change(items=[item], proration_behavior="create_prorations")
    reader.go_to_end()
    await shop.hear()
    assert await reader.allowance() == [200, 1000 + 400]


async def test_an_allowance_ends_with_its_period(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    await shop.hear()
    reader.v1.subscriptions.cancel(reader.subscription)
    await shop.hear()
    shop.ahead[0] = 32 * DAY * SECOND
    await spend(shop, 1, "refused")
    assert shop.balance() == 0
    assert shop.journal() == [("allowance", 200), ("expiry", -200)]


async def test_a_trial(shop: Shop, reader: Reader) -> None:
    await reader.begin(trial_period_days=7)
    await shop.hear()
    assert await reader.standing() == ("pro", "trialing")
    assert sum(await reader.allowance()) <= 200
    reader.go_on(8)
    await shop.hear(times=2, seed=5)
    assert await reader.standing() == ("pro", "active")
    assert (await reader.allowance())[-1] == 200
    [(paid,)] = shop.sql("SELECT sum(received) FROM comptoir.payments")
    assert paid == 2900


@pytest.mark.parametrize(("behavior", "then"), [("pause", "paused"), ("cancel", None)])
async def test_a_trial_without_a_card(
    shop: Shop, reader: Reader, behavior: str, then: str | None
) -> None:
    ends = {"end_behavior": {"missing_payment_method": behavior}}
    await reader.begin(trial_period_days=7, trial_settings=ends, default_payment_method=None)
    await shop.hear()
    reader.go_on(8)
    await shop.hear()
    assert await reader.standing() == ("free", then)
    if then == "paused":
        reader.change(default_payment_method="pm_card_visa")
        reader.v1.subscriptions.resume(reader.subscription)
        await shop.hear(seed=6)
        assert await reader.standing() == ("pro", "active")


async def test_who_does_not_pay_falls_behind_and_ends(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    reader.change(default_payment_method=FAILS)
    reader.go_to_end()
    await shop.hear()
    assert await reader.standing() == ("pro", "past_due")
    assert await reader.allowance() == [200]
    reader.go_on(60)
    await shop.hear()
    assert await reader.standing() == ("free", None)
    assert await reader.allowance() == [200]
    types = [t for (t,) in shop.sql("SELECT type FROM comptoir.outbox")]
    assert types.count("subscription.changed") >= 2


def told_unpaid(shop: Shop) -> list[tuple[int, str]]:
    """What others are told of invoices that could not be collected: the try, and why."""
    rows = shop.sql("SELECT figures FROM comptoir.outbox WHERE type = 'subscription.unpaid'")
    return sorted((each["attempt"], each["reason"]) for (each,) in rows)


async def test_others_are_told_once_of_each_try_to_collect(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    reader.change(default_payment_method=FAILS)
    reader.go_to_end()
    await shop.hear(times=3, seed=11)
    assert told_unpaid(shop) == [(1, "failed")]
    [(event, figures)] = shop.sql(
        "SELECT id, figures FROM comptoir.outbox WHERE type = 'subscription.unpaid'"
    )
    async with begin(shop.app.pool) as tx:
        happening = await outbox.find(tx, 1, event)
        assert happening is not None
        said = await rendered(tx, happening)
    invoice = reader.v1.invoices.list({"subscription": reader.subscription}).data[0]
    assert said["data"] == figures | {"customer": "alice"}
    assert figures == {
        "subscription": reader.subscription, "invoice": invoice.id, "attempt": 1,
        "reason": "failed", "amount": 2900, "currency": "eur",
        "next_attempt_at": figures["next_attempt_at"],
    }  # fmt: skip
    moment = datetime.fromisoformat(figures["next_attempt_at"])
    assert moment.timestamp() == invoice.next_payment_attempt
    reader.go_on(60)
    failed = shop.events("invoice.payment_failed")
    await shop.keep([*failed, *(each | {"id": f"{each['id']}x"} for each in failed)])
    await shop.work()
    tries = [1, *(each["data"]["object"]["attempt_count"] for each in failed)]
    assert told_unpaid(shop) == [(number, "failed") for number in tries]
    assert tries == list(range(1, len(tries) + 1))
    assert len(tries) > 2


async def test_who_has_paid_meanwhile_is_not_said_to_owe(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    reader.change(default_payment_method=FAILS)
    reader.go_to_end()
    reader.change(default_payment_method="pm_card_visa")
    reader.go_on(6)
    late = shop.events("invoice.payment_failed")
    await shop.hear(*{each["type"] for each in shop.events()} - {"invoice.payment_failed"})
    await shop.keep(late)
    await shop.work()
    assert len(late) == 1
    assert told_unpaid(shop) == []


async def test_a_card_that_wants_to_be_confirmed_is_told(shop: Shop, reader: Reader) -> None:
    """The provider says of one try both that it failed and what would help."""
    await reader.begin()
    reader.change(default_payment_method=FAILS)
    reader.go_to_end()
    [failed] = shop.events("invoice.payment_failed")
    asked = failed | {"id": "evt_asked", "type": "invoice.payment_action_required"}
    for each in (asked, failed, asked | {"id": "evt_again"}):
        await shop.keep([each])
        await shop.work()
    assert told_unpaid(shop) == [(1, "action-required"), (1, "failed")]


async def test_an_invoice_of_nobody_we_know_tells_nobody(shop: Shop, reader: Reader) -> None:
    await reader.begin(metadata={})
    await shop.hear()
    shop.sql("DELETE FROM comptoir.provider_customers")
    reader.change(default_payment_method=FAILS)
    reader.go_to_end()
    [failed] = shop.events("invoice.payment_failed")
    await shop.keep([failed])
    await shop.work()
    assert told_unpaid(shop) == []
    assert shop.sql("SELECT state FROM comptoir.inbox WHERE event_id = %s", failed["id"]) == [
        ("orphan",)
    ]
    alone = failed["data"]["object"] | {"id": "in_alone", "parent": None, "subscription": None}
    await shop.keep([failed | {"id": "evt_alone", "data": {"object": alone}}])
    await shop.work()
    assert shop.sql("SELECT state FROM comptoir.inbox WHERE event_id = 'evt_alone'") == [
        ("ignored",)
    ]


async def test_who_pays_late_has_his_allowance_late(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    reader.change(default_payment_method=FAILS)
    reader.go_to_end()
    reader.change(default_payment_method="pm_card_visa")
    reader.go_on(6)
    await shop.hear(seed=7)
    assert await reader.standing() == ("pro", "active")
    assert await reader.allowance() == [200, 200]


@pytest.mark.parametrize("status", ["unpaid", "incomplete"])
async def test_a_plan_that_is_not_paid_is_not_had(shop: Shop, reader: Reader, status: str) -> None:
    await reader.begin()
    await shop.hear()
    reader.shop.provider.sandbox.world.objects[reader.subscription]["status"] = status
    reader.change(metadata={"a": "b"})
    await shop.hear()
    assert await reader.standing() == ("free", status)


async def test_a_first_payment_that_fails(shop: Shop, reader: Reader) -> None:
    await reader.begin(default_payment_method=FAILS)
    await shop.hear()
    assert await reader.standing() == ("free", "incomplete")
    reader.go_on(1)
    await shop.hear()
    assert await reader.standing() == ("free", None)
    assert shop.journal() == []


async def test_an_unknown_price_is_a_case_and_not_free(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    await shop.hear()
    other = shop.provider.monthly(700)
    reader.change(items=[{"id": reader.item, "price": other.id}])
    reader.go_to_end()
    await shop.hear(times=2, seed=8)
    assert await reader.standing() == ("pro", "active")
    assert shop.cases() == ["unknown-price"]
    assert await reader.allowance() == [200]


async def test_an_unknown_price_from_the_start(shop: Shop, reader: Reader) -> None:
    other = shop.provider.monthly(700)
    await reader.begin(items=[{"price": other.id}])
    await shop.hear()
    assert shop.cases() == ["unknown-price"]
    assert shop.journal() == []
    assert shop.sql("SELECT plan, price FROM comptoir.subscriptions") == [(None, other.id)]


async def test_a_price_that_settings_name(shop: Shop, reader: Reader) -> None:
    made = shop.provider.monthly(2500)
    shop.till.terms.prices[made.id] = "plan:pro:month"  # pyright: ignore[reportIndexIssue]
    url = await on_the_page(reader, "pro")
    session = shop.pay(Begun(UUID(int=0), url, replayed=False))
    assert session.amount_total == 2500
    await shop.hear()
    assert (shop.cases(), await reader.standing()) == ([], ("pro", "active"))
    assert await reader.allowance() == [200]


async def test_a_price_of_before_stays_known(shop: Shop, reader: Reader) -> None:
    """Whoever has subscribed for less keeps his plan when it costs more."""
    await reader.begin()
    catalogue = stocking.read()
    catalogue.version += 1
    catalogue.plans[0].month = 3900
    await stocking.seed(shop.till, 1, catalogue)
    pushed = await stocking.push(shop.till, 1)
    assert [each.item for each in pushed if each.is_new] == ["plan:pro:month"]
    reader.go_to_end()
    await shop.hear()
    assert (shop.cases(), await reader.standing()) == ([], ("pro", "active"))
    assert await reader.allowance() == [200, 200]


async def test_a_renewal_that_is_paid_back_takes_its_allowance(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    await shop.hear()
    [(intent,)] = shop.sql("SELECT intent FROM comptoir.payments")
    reader.v1.refunds.create({"payment_intent": intent})
    await shop.hear(times=2, seed=9)
    assert shop.journal() == [("allowance", 200), ("refund", -200)]


async def test_renewals_of_which_nobody_told(shop: Shop, reader: Reader) -> None:
    await reader.begin()
    await shop.hear()
    reader.go_to_end()
    world = shop.provider.sandbox.world
    for id_ in world.kinds["event"]:
        world.objects[id_]["created"] -= 31 * DAY
    report = await reconciling.reconcile(shop.till, fix=True)
    assert {each.code for each in report.findings} == {"invoice-lost"}
    assert await reader.allowance() == [200, 200]
    report = await reconciling.reconcile(shop.till, fix=True)
    assert report.findings == []
