"""Money in the library: packs, purchases, refunds, plans, against a pretend Stripe."""

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from comptoir import (
    Comptoir,
    Conflict,
    Insufficient,
    Invalid,
    Kind,
    Money,
    NotFound,
    PurchaseBegun,
    Tax,
    Unavailable,
)
from comptoir import sync as waiting
from comptoir.flows import purchase, stocking
from tests.support.postgres import Database
from tests.support.sandbox import KEY, Provider, provider
from tests.support.shop import LIVE, Shop
from tests.support.shop import shop as opened
from tests.support.site import serving

pytestmark = pytest.mark.pg


@pytest.fixture
def stripe_here() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
async def seller(database: Database, tmp_path: Path, stripe_here: Provider) -> AsyncIterator[Shop]:
    async with opened(database, tmp_path, stripe_here) as found:
        yield found


@pytest.fixture
async def till(seller: Shop) -> AsyncIterator[Comptoir]:
    """The seller's live book in the library."""
    async with Comptoir.on(seller.app, LIVE) as found:
        yield found


async def paid(till: Comptoir, seller: Shop, key: str = "buy") -> PurchaseBegun:
    """Credits that alice has bought."""
    begun = await till.credits.buy("alice", "100", idempotency_key=key)
    seller.provider.http.post(
        begun.checkout_url, data={"method": "pm_card_visa", "email": "buyer@example.com"}
    )
    await seller.hear()
    return begun


async def test_packs_are_shown_with_names_and_taxes(till: Comptoir, seller: Shop) -> None:
    packs = await till.credits.packs()
    assert [each.id for each in packs] == ["100", "500", "1000"]
    assert packs[0].credits == 100
    assert packs[0].price == Money(1900, "eur")
    assert packs[1].unit_price == Decimal("0.158")
    french = await till.credits.packs(locale="fr")
    assert french[0].name != packs[0].name
    assert packs[0].tax is None
    seller.sql("UPDATE comptoir.packs SET tax_percent = 20, tax_included = true")
    tax = (await till.credits.packs())[0].tax
    assert tax == Tax(Decimal(20), included=True, without_tax=1583, with_tax=1900)


async def test_credits_are_bought_spent_and_paid_back(till: Comptoir, seller: Shop) -> None:
    begun = await till.credits.buy("alice", "100", idempotency_key="buy")
    again = await till.credits.buy("alice", "100", idempotency_key="buy")
    assert (begun.status, begun.replayed, again.replayed) == ("pending", False, True)
    assert (again.purchase, again.checkout_url) == (begun.purchase, begun.checkout_url)
    assert (await till.credits.purchase(begun.purchase)).balance == (
        await till.credits.balance("alice")
    )
    assert (await paid(till, seller)).purchase == begun.purchase
    bought = await till.credits.purchase(str(begun.purchase), wait_seconds=5)
    assert (bought.status, bought.customer, bought.pack) == ("granted", "alice", "100")
    assert (bought.credits, bought.price) == (Decimal(100), Money(1900, "eur"))
    assert bought.balance is not None
    assert bought.balance.available == 100

    charged = await till.credits.charge("ai.generate", customer="alice", idempotency_key="c")
    assert (charged.movement.amount, charged.balance.available) == (-5, 95)
    back = await till.payments.refund(
        begun.purchase, 950, reason="requested_by_customer", idempotency_key="back"
    )
    assert (back.amount, back.currency, back.payment) == (950, "eur", begun.purchase)
    payment = await till.payments.get(begun.purchase)
    assert (payment.purpose, payment.received, payment.refunded) == ("pack", 1900, 950)
    assert payment.customer == "alice"
    movements = await till.credits.movements("alice")
    assert [each.kind for each in movements] == [Kind.REFUND, Kind.SPEND, Kind.PURCHASE]
    assert (await till.credits.balance("alice")).available == 45
    rest = await till.payments.refund(begun.purchase, reason="all", idempotency_key="rest")
    repeat = await till.payments.refund(begun.purchase, reason="all", idempotency_key="rest")
    assert (rest.amount, rest.replayed, repeat.replayed) == (950, False, True)
    assert repeat.id == rest.id
    assert (await till.credits.purchase(begun.purchase)).status == "refunded"
    with pytest.raises(Conflict, match="already-refunded"):
        await till.payments.refund(begun.purchase, reason="all", idempotency_key="more")


async def test_whoever_waits_has_the_provider_asked(
    till: Comptoir, seller: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its event is lost: what was paid is found all the same."""
    begun = await till.credits.buy("alice", "100")
    seller.provider.http.post(
        begun.checkout_url, data={"method": "pm_card_visa", "email": "buyer@example.com"}
    )
    assert (await till.credits.purchase(begun.purchase, wait_seconds=0.01)).status == "pending"
    await seller.work()
    assert (await till.credits.purchase(begun.purchase)).status == "pending"
    monkeypatch.setattr(purchase, "LOOK_AFTER", 0)
    await till.credits.purchase(begun.purchase, wait_seconds=0.01)
    await seller.work()
    assert (await till.credits.purchase(begun.purchase)).status == "granted"


async def test_what_cannot_be_bought_is_refused(till: Comptoir) -> None:
    with pytest.raises(NotFound, match="unknown-pack"):
        await till.credits.buy("alice", "7")
    with pytest.raises(Invalid, match="success_url"):
        await till.credits.buy("alice", "100", success_url="javascript:alert(1)")
    await till.credits.buy("alice", "100", idempotency_key="once")
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        await till.credits.buy("alice", "500", idempotency_key="once")
    for unknown in (uuid4(), "no id", ""):
        with pytest.raises(NotFound, match="purchase-not-found"):
            await till.credits.purchase(unknown)
        with pytest.raises(NotFound, match="payment-not-found"):
            await till.payments.get(unknown)
    with pytest.raises(Invalid, match="wait_seconds"):
        await till.credits.purchase(uuid4(), wait_seconds=21)
    with pytest.raises(NotFound, match="unknown-action"):
        await till.credits.charge("ai.fly", customer="alice", idempotency_key="fly")
    with pytest.raises(Insufficient, match="insufficient-credits"):
        await till.credits.charge("ai.generate", customer="alice", idempotency_key="poor")


async def test_a_charge_commits_with_the_callers_rows(till: Comptoir) -> None:
    await till.credits.grant("alice", 20, reason="gift", idempotency_key="gift")
    with pytest.raises(OSError, match="broken"):
        await _fail_after_charging(till)
    async with till.transaction() as tx:
        await tx.credits.charge("ai.generate", customer="alice", quantity=2, idempotency_key="done")
    assert (await till.credits.balance("alice")).available == 10


async def _fail_after_charging(till: Comptoir) -> None:
    async with till.transaction() as tx:
        await tx.credits.charge("ai.generate", customer="alice", idempotency_key="undone")
        raise OSError("broken")


async def test_a_payment_for_an_obligation_of_ones_own(till: Comptoir, seller: Shop) -> None:
    made = await till.payments.create("F-1", 1900, "eur", idempotency_key="a", customer="alice")
    same = await till.payments.create("F-1", 1900, "eur", idempotency_key="b", customer="alice")
    assert (same.payment, same.client_secret) == (made.payment, made.client_secret)
    assert made.client_secret.startswith("pi_")
    with pytest.raises(Conflict, match="amount-differs"):
        await till.payments.create("F-1", 2000, "eur", idempotency_key="c")
    with pytest.raises(Conflict, match="payment-not-paid"):
        await till.payments.refund(made.payment, reason="no", idempotency_key="d")
    intent = made.client_secret.partition("_secret")[0]
    seller.provider.v1.payment_intents.confirm(
        intent, {"payment_method": "pm_card_visa", "return_url": "http://shop.test/"}
    )
    await seller.hear()
    found = await till.payments.get(made.payment)
    assert (found.status, found.reference, found.customer) == ("paid", "F-1", "alice")
    assert found.paid_at is not None
    with pytest.raises(Conflict, match="already-paid"):
        await till.payments.create("F-1", 1900, "eur", idempotency_key="e")
    for amount in (0, -1, True, 1.5):
        with pytest.raises(Invalid, match="amount"):
            await till.payments.create("F-2", amount, "eur", idempotency_key="f")  # pyright: ignore[reportArgumentType]
    with pytest.raises(Invalid, match="currency"):
        await till.payments.create("F-2", 1, "EUR", idempotency_key="f")


async def test_a_plan_is_subscribed_to(till: Comptoir, seller: Shop) -> None:
    plans = {each.plan: each for each in await till.billing.plans()}
    assert plans["pro"].quotas["ai-calls"] == 100
    assert {each.interval for each in plans["pro"].prices} == {"month", "year"}
    assert not plans["free"].prices
    nothing = await till.billing.subscription("alice")
    assert (nothing.plan, nothing.status, nothing.period) == ("free", "none", None)
    with pytest.raises(NotFound, match="nothing-subscribed"):
        await till.billing.portal("alice")
    with pytest.raises(NotFound, match="plan-not-for-sale"):
        await till.billing.checkout("alice", "golden", "month")
    with pytest.raises(Invalid, match="interval"):
        await till.billing.checkout("alice", "pro", "week")
    await stocking.push(seller.till, LIVE)
    begun = await till.billing.checkout("alice", "pro", "month", idempotency_key="sub")
    again = await till.billing.checkout("alice", "pro", "month", idempotency_key="sub")
    assert again.checkout_url == begun.checkout_url
    assert again.replayed
    seller.provider.http.post(
        begun.checkout_url, data={"method": "pm_card_visa", "email": "buyer@example.com"}
    )
    await seller.hear()
    now = await till.billing.subscription("alice")
    assert (now.plan, now.status) == ("pro", "active")
    assert now.period is not None
    assert now.period.interval == "month"
    assert now.period.end is not None
    assert (await till.billing.portal("alice")).startswith("http")
    with pytest.raises(Conflict, match="already-subscribed"):
        await till.billing.checkout("alice", "enterprise", "month")


async def test_buying_again_by_oneself(till: Comptoir) -> None:
    with pytest.raises(NotFound, match="no-top-up"):
        await till.credits.top_up("alice")
    said = await till.credits.set_top_up("alice", enabled=True, pack="100", monthly_cap=5700)
    assert (said.enabled, said.pack, said.monthly_cap, said.spent_this_month) == (
        True, "100", 5700, 0,
    )  # fmt: skip
    assert await till.credits.top_up("alice") == said
    with pytest.raises(NotFound, match="unknown-pack"):
        await till.credits.set_top_up("alice", enabled=True, pack="7", monthly_cap=1)


async def test_without_a_provider_nothing_is_begun(books: Comptoir) -> None:
    with pytest.raises(Unavailable, match="payments-not-configured"):
        await books.credits.buy("alice", "100")
    with pytest.raises(Unavailable, match="payments-not-configured"):
        await books.payments.create("F-1", 1, "eur", idempotency_key="a")


def test_the_same_without_async_and_over_http(
    database: Database, tmp_path: Path, stripe_here: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A purchase that HTTP has begun is the very one that the library repeats."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    monkeypatch.setenv("STRIPE_API_BASE", stripe_here.base)
    monkeypatch.setenv("COMPTOIR_HOME", str(tmp_path))
    with (
        serving(
            database, tmp_path, STRIPE_SECRET_KEY=KEY, STRIPE_API_BASE=stripe_here.base
        ) as site,
        waiting.Comptoir.open(database.app_url) as it,
    ):
        site.sql(
            "INSERT INTO comptoir.packs (book_id, pack, version, name, asset_id, credits, amount,"
            " currency, tax_included, active) SELECT book_id, '100', 1, '{}', id, 100000000, 1900,"
            " 'eur', true, true FROM comptoir.assets WHERE book_id = 1 AND code = 'credits'"
        )
        wanted = {"customer": "alice", "pack": "100"}
        sent = site.post("/api/credits/buy", wanted, key="one").json()
        begun = it.credits.buy("alice", "100", idempotency_key="one")
        assert (begun.purchase, begun.replayed) == (UUID(sent["purchase"]), True)
        there = site.get(f"/api/credits/purchases/{begun.purchase}").json()
        here = it.credits.purchase(begun.purchase)
        assert (here.status, here.customer) == (there["status"], there["customer"])
        assert it.billing.subscription("alice").plan == "free"
        money = {"reference": "F-1", "amount": 500, "currency": "eur"}
        over_http = site.post("/api/payments/create", money, key="pay").json()
        made = it.payments.create("F-1", 500, "eur", idempotency_key="pay")
        assert (str(made.payment), made.replayed) == (over_http["payment"], True)
