"""The race table of the research, row by row: whatever comes first, the end is the same."""

import json
from typing import Any

import pytest

from comptoir.domains.payments.stripe import ProviderRefused
from comptoir.flows import refunding
from comptoir.flows.refunding import Wanted
from comptoir.kit.errors import Invalid, Unavailable
from tests.support.shop import Shop, together

pytestmark = pytest.mark.pg
M = 1_000_000


async def bought(shop: Shop, customer: str = "alice", pack: str = "100") -> Any:  # noqa: ANN401
    begun = await shop.buy(customer, pack)
    shop.pay(begun)
    await shop.hear()
    return begun


async def give_back(shop: Shop, begun: Any, amount: int | None = None, key: str = "r") -> Any:  # noqa: ANN401
    wanted = Wanted(begun.id, amount, "requested_by_customer", key)
    return await refunding.refund(shop.till, 1, wanted)


async def test_a_purchase(shop: Shop) -> None:
    begun = await shop.buy()
    assert await shop.status(begun) == "pending"
    assert shop.pay(begun).payment_status == "paid"
    await shop.hear(times=4, seed=1)
    assert await shop.status(begun) == "granted"
    assert shop.balance() == 100 * M
    assert shop.journal() == [("purchase", 100)]
    [(reference, granted, left)] = shop.lots()
    assert (reference or "").startswith("pi_")
    assert (granted, left) == (100 * M, 100 * M)
    assert shop.sql("SELECT paid, currency FROM comptoir.lots") == [(1900, "eur")]
    assert shop.cases() == []
    await shop.balanced()


async def test_retry_succeeds_after_payment_failed(shop: Shop) -> None:
    begun = await shop.buy()
    shop.pay(begun, "pm_card_visa_chargeDeclined")
    await shop.hear()
    assert await shop.status(begun) == "pending"
    shop.pay(begun)
    await shop.hear(seed=2)
    assert await shop.status(begun) == "granted"
    assert shop.journal() == [("purchase", 100)]


async def test_failure_is_heard_after_success(shop: Shop) -> None:
    begun = await shop.buy()
    shop.pay(begun, "pm_card_visa_chargeDeclined")
    shop.pay(begun)
    events = shop.events()
    await shop.keep([e for e in events if e["type"] == "payment_intent.succeeded"])
    await shop.work()
    await shop.keep(events)
    await shop.work()
    assert await shop.status(begun) == "granted"


async def test_success_after_session_expiry(shop: Shop) -> None:
    begun = await shop.buy()
    shop.pay(begun, "pm_success_sepaDebit")
    await shop.hear()
    [(session,)] = shop.sql("SELECT session FROM comptoir.payments")
    expired = {
        "id": "evt_expired", "object": "event", "type": "checkout.session.expired",
        "created": 1, "livemode": False, "api_version": "2026-10-28.endive",
        "data": {"object": shop.provider.v1.checkout.sessions.retrieve(session).to_dict()},
    }  # fmt: skip
    shop.sql("UPDATE comptoir.payments SET status = 'open'")
    await shop.keep([json.loads(json.dumps(expired, default=str))])
    await shop.work()
    assert await shop.status(begun) == "failed"
    shop.provider.turn("clock", advance=5)
    await shop.hear()
    assert await shop.status(begun) == "granted"
    assert shop.balance() == 100 * M


async def test_webhook_before_our_row(shop: Shop) -> None:
    """Only a restored backup has this: the row commits before Stripe hears of it."""
    begun = await shop.buy()
    shop.pay(begun)
    shop.sql("CREATE TABLE gone_p AS TABLE comptoir.payments")
    shop.sql("CREATE TABLE gone AS TABLE comptoir.purchases")
    shop.sql("DELETE FROM comptoir.purchases")
    shop.sql("DELETE FROM comptoir.payments")
    await shop.keep(shop.events())
    await shop.clerk.work_off()
    assert shop.states()["deferred"] >= 1
    assert shop.balance() == 0
    shop.sql("INSERT INTO comptoir.payments TABLE gone_p")
    shop.sql("INSERT INTO comptoir.purchases TABLE gone")
    await shop.work()
    assert await shop.status(begun) == "granted"
    assert shop.balance() == 100 * M


@pytest.mark.parametrize("status", [500, 0])
async def test_answer_lost_after_stripe_did_it(shop: Shop, status: int) -> None:
    """The work is done, and the answer is a 500 that its key keeps for a day, or breaks off."""
    shop.provider.turn("chaos", fail=1, fail_after=True, fail_status=status, only="checkout")
    begun = await shop.buy(key="once")
    assert len(shop.provider.v1.checkout.sessions.list().data) == 1
    again = await shop.buy(key="once")
    assert (again.id, again.checkout_url, again.replayed) == (begun.id, begun.checkout_url, True)
    shop.pay(begun)
    await shop.hear()
    assert shop.journal() == [("purchase", 100)]


async def test_two_identical_buys(shop: Shop) -> None:
    one, two = await together(shop.buy(key="same"), shop.buy(key="same"))
    assert (one.id, one.checkout_url) == (two.id, two.checkout_url)
    assert sorted([one.replayed, two.replayed]) == [False, True]
    assert len(shop.provider.v1.checkout.sessions.list().data) == 1
    other = await shop.buy()
    assert other.id != one.id
    for each in (one, other):
        shop.pay(each)
    await shop.hear(times=2, seed=3)
    assert shop.balance() == 200 * M


async def test_refund_before_grant(shop: Shop) -> None:
    begun = await shop.buy()
    session = shop.pay(begun)
    shop.provider.v1.refunds.create({"payment_intent": session.payment_intent, "amount": 950})
    refunds = [e for e in shop.events() if e["type"].startswith("refund.")]
    await shop.keep(refunds)
    await shop.clerk.work_off()
    assert shop.balance() == 0
    await shop.hear(seed=4)
    assert shop.balance() == 50 * M
    assert shop.journal() == [("purchase", 100), ("refund", -50)]
    await shop.balanced()


async def test_partial_refunds(shop: Shop) -> None:
    begun = await bought(shop)
    await bought(shop)
    done = await give_back(shop, begun, 700, "r1")
    assert (done.status, done.amount) == ("succeeded", 700)
    assert shop.balance() == 200 * M - 36_842_105
    again = await give_back(shop, begun, 700, "r1")
    assert (again.id, again.replayed) == (done.id, True)
    with pytest.raises(Invalid, match="refund-exceeds-payment"):
        await give_back(shop, begun, 1201, "r2")
    await give_back(shop, begun, None, "r3")
    assert shop.balance() == 100 * M
    await shop.hear(times=3, seed=5)
    assert shop.balance() == 100 * M
    assert await shop.status(begun) == "refunded"
    assert sorted(left for _, _, left in shop.lots()) == [0, 100 * M]
    await shop.balanced()


async def test_a_refund_of_what_is_spent_is_owed(shop: Shop) -> None:
    begun = await bought(shop)
    door = await shop.app.door(1)
    from comptoir.domains.credits.deciding import decide  # noqa: PLC0415
    from comptoir.domains.credits.model import Ask, Op  # noqa: PLC0415

    async def priced(*_: object) -> Any:  # noqa: ANN401
        raise AssertionError

    await decide(door, priced, Ask(op=Op.SPEND, key="s", customer="alice", amount=80))
    await give_back(shop, begun)
    assert shop.balance() == -80 * M
    assert shop.journal() == [("purchase", 100), ("spend", -80), ("refund", -100)]


async def test_a_refund_that_fails_gives_back(shop: Shop) -> None:
    begun = await shop.buy()
    shop.pay(begun, "pm_card_refundFail")
    await shop.hear()
    await give_back(shop, begun, 1900)
    assert shop.balance() == 0
    shop.provider.turn("clock", advance=5)
    await shop.hear(times=2, seed=6)
    assert shop.balance() == 100 * M
    assert await shop.status(begun) == "granted"
    assert shop.journal() == [("purchase", 100), ("refund", -100), ("reversal", 100)]


@pytest.mark.parametrize("won", [True, False])
async def test_dispute_won_and_lost(shop: Shop, *, won: bool) -> None:
    begun = await bought(shop)
    [(intent,)] = shop.sql("SELECT intent FROM comptoir.payments")
    dispute = shop.provider.turn("dispute", payment_intent=intent)
    await shop.hear(times=2, seed=7)
    assert shop.balance() == 0
    assert shop.cases() == ["dispute"]
    shop.provider.turn("decide", dispute=dispute["id"], won=won)
    await shop.hear(times=2, seed=8)
    assert shop.balance() == (100 * M if won else 0)
    types = [t for (t,) in shop.sql("SELECT type FROM comptoir.outbox ORDER BY at")]
    assert types.count("dispute.closed") == 1
    assert await shop.status(begun) == "granted"
    await shop.balanced()


async def test_a_decision_is_heard_before_its_dispute(shop: Shop) -> None:
    await bought(shop)
    [(intent,)] = shop.sql("SELECT intent FROM comptoir.payments")
    dispute = shop.provider.turn("dispute", payment_intent=intent)
    shop.provider.turn("decide", dispute=dispute["id"], won=True)
    for event in reversed(shop.events()):
        await shop.keep([event])
        await shop.work()
    assert shop.balance() == 100 * M
    assert shop.sql("SELECT status FROM comptoir.disputes") == [("won",)]


async def test_an_event_for_nobody(shop: Shop) -> None:
    """A payment that somebody has made in the dashboard: deferred, then a case, never a grant."""
    shop.provider.paid()
    await shop.hear("payment_intent.succeeded")
    assert shop.states() == {"orphan": 1}
    assert shop.cases() == ["orphan-event"]


async def test_stripe_is_down_and_nothing_is_sold(shop: Shop) -> None:
    shop.provider.turn("chaos", fail=20, fail_status=503)
    with pytest.raises(Unavailable):
        await shop.buy(key="k")
    shop.provider.turn("chaos", fail=0)
    assert shop.sql("SELECT status FROM comptoir.payments") == [("new",)]
    begun = await shop.buy(key="k")
    assert len(shop.provider.v1.checkout.sessions.list().data) == 1
    assert shop.sql("SELECT count(*) FROM comptoir.payments") == [(1,)]
    shop.pay(begun)
    await shop.hear()
    assert shop.journal() == [("purchase", 100)]


async def test_a_price_that_is_gone(shop: Shop) -> None:
    price = shop.provider.price()
    shop.provider.v1.prices.update(price.id, {"active": False})
    shop.till.terms.prices[price.id] = "pack:100"  # pyright: ignore[reportIndexIssue]
    with pytest.raises(ProviderRefused, match="price_inactive"):
        await shop.buy()
    assert shop.sql("SELECT status, error FROM comptoir.payments") == [("failed", "price_inactive")]
