"""What was lost on the way is found and mended, and said in words; a second look finds nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from comptoir.domains.credits.deciding import decide
from comptoir.domains.credits.model import Ask, Op
from comptoir.domains.payments import queries
from comptoir.flows import crediting, paying, reconciling, renewing
from comptoir.flows.auditing import Finding, Report
from comptoir.kit.limits import DAY
from comptoir.store.pool import begin
from comptoir.web import words_payments
from tests.support.reader import Reader, subscriber
from tests.support.sandbox import Provider, listening
from tests.support.shop import Shop

pytestmark = pytest.mark.pg
M = 1_000_000
_LATER = ("notes", "lots", "movements")


async def bought(shop: Shop, *, heard: bool = True) -> Any:  # noqa: ANN401
    begun = await shop.buy()
    shop.pay(begun)
    if heard:
        await shop.hear()
    return begun


async def look(shop: Shop, *, fix: bool = False, since: int | None = None) -> Report:
    """Reconcile, let what was fetched be worked off, and see that all of it is said in words."""
    report = await reconciling.reconcile(shop.till, fix=fix, since=since)
    await shop.work()
    for each in report.findings:
        english, french = (said(each, language) for language in ("en", "fr"))
        assert "?" not in english + french, (english, french)
        assert english != french
        assert english.endswith("It is mended." if each.mended else "--fix.")
        assert french.endswith("C'est réparé." if each.mended else "--fix.")
    return report


def said(of: Finding, language: str) -> str:
    return words_payments.finding(of.code, of.figures, language, mended=of.mended)


def found(report: Report) -> list[tuple[str, bool]]:
    return sorted((each.code, each.mended) for each in report.findings)


async def mended(shop: Shop, *codes: str) -> None:
    """One look says what is wrong, the next one mends it, and the one after finds nothing."""
    before = found(await look(shop))
    assert before == [(code, False) for code in sorted(codes)]
    assert found(await look(shop, fix=True)) == [(code, True) for code in sorted(codes)]
    assert found(await look(shop, fix=True)) == []


async def test_where_nothing_is_wrong_nothing_is_found(shop: Shop) -> None:
    begun = await bought(shop)
    shop.provider.v1.refunds.create(
        {"payment_intent": shop.sql("SELECT intent FROM comptoir.payments")[0][0], "amount": 700}
    )
    await shop.hear()
    report = await look(shop, fix=True)
    assert found(report) == []
    assert (report.payments, report.events > 0) == (1, True)
    assert await shop.status(begun) == "granted"
    assert shop.balance() == 100 * M - 36_842_105


async def test_a_deleted_inbox_row(shop: Shop) -> None:
    begun = await bought(shop)
    shop.sql("DELETE FROM comptoir.inbox WHERE type = 'payment_intent.succeeded'")
    assert found(await look(shop)) == [("event-lost", True)]
    assert found(await look(shop)) == []
    rows = shop.sql(
        "SELECT state, via, effects FROM comptoir.inbox WHERE type = 'payment_intent.succeeded'"
    )
    assert [(state, via, done[0]["effect"]) for state, via, done in rows] == [
        ("done", "events", "known")
    ]
    assert (await shop.status(begun), shop.journal()) == ("granted", [("purchase", 100)])


async def test_deliveries_that_were_dropped(shop: Shop) -> None:
    with listening() as heard:
        shop.provider.v1.webhook_endpoints.create({"url": heard.url, "enabled_events": ["*"]})
        shop.provider.turn("chaos", drop_percent=100)
        begun = await bought(shop, heard=False)
        assert heard.bodies == []
    assert await shop.status(begun) == "pending"
    report = Report()
    await reconciling.read_events(shop.till, report)
    assert {each.code for each in report.findings} == {"event-lost"}
    assert {each.figures["type"] for each in report.findings} >= {
        "payment_intent.succeeded", "checkout.session.completed",
    }  # fmt: skip
    await shop.work()
    assert (await shop.status(begun), shop.journal()) == ("granted", [("purchase", 100)])
    assert found(await look(shop, fix=True)) == []


async def test_an_event_that_the_provider_does_not_keep_any_more(shop: Shop) -> None:
    """After thirty days only its objects are left."""
    begun = await bought(shop, heard=False)
    forget_events(shop.provider)
    await mended(shop, "payment-lost")
    assert (await shop.status(begun), shop.journal()) == ("granted", [("purchase", 100)])


async def test_an_invoice_and_its_subscription_that_nobody_told_of(
    shop: Shop, reader: Reader
) -> None:
    """Of a change within a period; what it gives depends on the subscription."""
    await reader.change_half_way()
    forget_events(shop.provider)
    await mended(shop, "invoice-lost", "invoice-lost")
    assert await reader.allowance() == [400, 200]
    assert await reader.standing() == ("enterprise", "active")
    await shop.balanced()


async def test_an_invoice_that_has_brought_nothing(
    shop: Shop, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> None:
        return

    monkeypatch.setattr(renewing, "_allow", nothing)
    await reader.begin()
    await shop.hear()
    monkeypatch.undo()
    assert await reader.allowance() == []
    await mended(shop, "allowance-missing")
    assert await reader.allowance() == [200]
    [(intent, paid)] = shop.sql("SELECT intent, received FROM comptoir.payments")
    shop.provider.v1.refunds.create({"payment_intent": intent, "amount": paid})
    await shop.hear()
    assert shop.balance() == 0, "its payment answers for what was given later, too"
    await shop.balanced()


async def test_an_allowance_that_is_noted_no_more_is_not_given_twice(
    shop: Shop, reader: Reader
) -> None:
    await reader.begin()
    await shop.hear()
    shop.sql("DELETE FROM comptoir.allowances")
    await mended(shop, "allowance-missing")
    assert await reader.allowance() == [200]


async def test_of_a_period_that_is_over_nothing_is_owed(shop: Shop) -> None:
    reader = await subscriber(shop, days_ago=33)
    await reader.begin()
    await shop.hear()
    assert await reader.allowance() == []
    assert found(await look(shop)) == []


async def test_a_smaller_plan_is_owed_nothing(shop: Shop, reader: Reader) -> None:
    await reader.begin("enterprise")
    reader.switch("pro")
    await shop.hear()
    assert found(await look(shop)) == []


async def test_a_refund_and_a_dispute_of_which_nobody_told(shop: Shop) -> None:
    await bought(shop)
    intent = shop.sql("SELECT intent FROM comptoir.payments")[0][0]
    shop.provider.v1.refunds.create({"payment_intent": intent, "amount": 950})
    forget_events(shop.provider)
    await mended(shop, "refund-lost")
    assert shop.balance() == 50 * M
    shop.provider.turn("dispute", payment_intent=intent, amount=950)
    forget_events(shop.provider)
    await mended(shop, "dispute-lost")
    assert (shop.balance(), shop.cases()) == (0, ["dispute"])
    await shop.balanced()


async def test_what_is_not_finished_is_looked_at(shop: Shop) -> None:
    begun = await bought(shop, heard=False)
    forget_events(shop.provider)
    shop.sql("UPDATE comptoir.payments SET looked_at = now() - interval '1 hour'")
    codes = [code for code, is_mended in found(await look(shop)) if is_mended]
    assert codes == ["missed-granted", "missed-paid"]
    assert await shop.status(begun) == "granted"
    assert found(await look(shop, fix=True)) == []


async def test_a_grant_that_never_was(shop: Shop) -> None:
    """The payment is known, and what it pays for was never brought."""
    begun = await bought(shop, heard=False)
    shop.sql("UPDATE comptoir.payments SET status = 'paid', received = 1900, paid_at = now()")
    await shop.hear()
    assert (await shop.status(begun), shop.balance()) == ("paid", 0)
    await mended(shop, "grant-missing")
    assert (await shop.status(begun), shop.journal()) == ("granted", [("purchase", 100)])
    await shop.balanced()


async def test_a_grant_whose_every_trace_was_deleted(shop: Shop) -> None:
    await spent_before(shop)
    with undone(shop):
        await bought(shop)
        assert shop.balance() == 107 * M
    assert shop.balance() == 7 * M
    shop.sql("DELETE FROM comptoir.payment_grants")
    shop.sql("UPDATE comptoir.purchases SET granted_at = NULL")
    await mended(shop, "grant-missing")
    assert shop.journal() == [("grant", 10), ("spend", -3), ("purchase", 100)]
    await shop.balanced()


@pytest.mark.parametrize("goes_on", [False, True])
async def test_a_grant_that_is_gone_from_the_journal_alone(shop: Shop, *, goes_on: bool) -> None:
    """Payments believe that it was brought; what is left of it elsewhere does not mislead."""
    await spent_before(shop)
    with undone(shop, keeps_requests=True):
        begun = await bought(shop)
    if goes_on:
        await ask(shop, Op.SPEND, "in its place", 2)
    await mended(shop, "grant-missing")
    left = 5 if goes_on else 7
    assert shop.balance() == (100 + left) * M
    intent = shop.sql("SELECT intent FROM comptoir.payments")[0][0]
    shop.provider.v1.refunds.create({"payment_intent": intent, "amount": 1900})
    await shop.hear()
    assert (await shop.status(begun), shop.balance()) == ("refunded", left * M)


async def test_a_lot_that_its_payment_has_forgotten(shop: Shop) -> None:
    """Without the tie a refund would find nothing to take back."""
    begun = await bought(shop)
    shop.sql("DELETE FROM comptoir.payment_grants")
    shop.sql("UPDATE comptoir.purchases SET granted_at = NULL")
    await mended(shop, "grant-untied")
    assert (await shop.status(begun), shop.journal()) == ("granted", [("purchase", 100)])
    intent = shop.sql("SELECT intent FROM comptoir.payments")[0][0]
    shop.provider.v1.refunds.create({"payment_intent": intent, "amount": 950})
    await shop.hear()
    assert shop.balance() == 50 * M


@pytest.mark.parametrize("spent", [0, 150])
async def test_a_doubled_grant(shop: Shop, spent: int) -> None:
    begun = await bought(shop)
    await doubled(shop, begun.id, "twice")
    assert shop.balance() == 200 * M
    if spent:
        await spend(shop, spent)
    await mended(shop, "grant-doubled")
    assert shop.balance() == (100 - spent) * M
    granted = [each for each in shop.journal() if each[0] != "spend"]
    assert granted == [("purchase", 100), ("purchase", 100), ("reversal", -100)]
    await shop.balanced()


async def test_a_grant_that_is_there_three_times(shop: Shop) -> None:
    begun = await bought(shop)
    await doubled(shop, begun.id, "twice")
    await doubled(shop, begun.id, "thrice")
    await mended(shop, "grant-doubled", "grant-doubled")
    assert shop.balance() == 100 * M


async def test_two_purchases_of_one_customer_are_not_doubles(shop: Shop) -> None:
    await bought(shop)
    await bought(shop)
    assert found(await look(shop, fix=True)) == []
    assert shop.balance() == 200 * M


async def test_a_taking_that_was_never_made(shop: Shop) -> None:
    await bought(shop)
    [(book, payment, intent)] = shop.sql("SELECT book_id, id, intent FROM comptoir.payments")
    refund = shop.provider.v1.refunds.create({"payment_intent": intent, "amount": 950})
    shop.sql(
        "INSERT INTO comptoir.refunds (book_id, id, payment_id, provider_id, amount, status)"
        " VALUES (%s, gen_random_uuid(), %s, %s, 950, 'succeeded')",
        book, payment, refund.id,
    )  # fmt: skip
    forget_events(shop.provider)
    await mended(shop, "taking-wrong")
    assert shop.balance() == 50 * M


async def test_what_others_do_at_the_same_account_is_none_of_ours(shop: Shop) -> None:
    """Somebody else's payments, refunds, disputes and subscriptions are not found for ever."""
    await bought(shop)
    v1 = shop.provider.v1
    intent = shop.provider.paid()
    v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    shop.provider.paid("pm_card_createDispute")
    customer = v1.customers.create({})
    said = {"customer": customer.id, "default_payment_method": "pm_card_visa"}
    v1.subscriptions.create(said | {"items": [{"price": shop.provider.monthly().id}]})
    forget_events(shop.provider)
    assert found(await look(shop, fix=True)) == []
    assert shop.journal() == [("purchase", 100)]


async def test_all_at_once_on_a_bad_day(shop: Shop) -> None:
    first, second, third = [await bought(shop) for _ in range(3)]
    lost = await bought(shop, heard=False)
    await doubled(shop, first.id, "twice")
    shop.sql("DELETE FROM comptoir.inbox WHERE type = 'checkout.session.completed'")
    shop.sql("DELETE FROM comptoir.payment_grants WHERE payment_id = %s", second.id)
    report = await look(shop, fix=True)
    codes = {each.code for each in report.findings}
    # The lost payment's own event has brought it back before anybody could miss it.
    assert codes == {"event-lost", "grant-doubled", "grant-untied"}
    assert all(each.mended for each in report.findings)
    assert found(await look(shop, fix=True)) == []
    assert [await shop.status(each) for each in (first, second, third, lost)] == ["granted"] * 4
    assert shop.balance() == 400 * M
    await shop.balanced()


async def test_an_audit_looks_no_further_back_than_it_is_told(shop: Shop) -> None:
    await bought(shop)
    await doubled(shop, shop.sql("SELECT id FROM comptoir.payments")[0][0], "twice")
    shop.sql("UPDATE comptoir.payments SET paid_at = now() - interval '40 days'")
    assert found(await look(shop)) == []
    async with begin(shop.app.pool) as tx:
        since = await queries.now(tx) - 50 * DAY
    assert found(await look(shop, since=since, fix=True)) == [("grant-doubled", True)]


def forget_events(provider: Provider) -> None:
    """The provider keeps its events for thirty days only."""
    world = provider.sandbox.world
    for id_ in list(world.kinds["event"]):
        world.objects[id_]["created"] -= 31 * 86_400


async def doubled(shop: Shop, payment: UUID, key: str) -> None:
    """The very same lot once more, by a request of one's own."""
    async with begin(shop.app.pool) as tx:
        known = await queries.find(tx, 1, payment)
        wanted = await queries.purchase(tx, 1, payment)
        assert wanted is not None
        made = await crediting.give(tx, shop.till, 1, paying.gift_of(known, wanted, again=key))
        assert not isinstance(made, str)


async def ask(shop: Shop, op: Op, key: str, amount: int) -> None:
    async def priced(*_: object) -> Any:  # noqa: ANN401
        raise AssertionError

    door = await shop.app.door(1)
    await decide(door, priced, Ask(op=op, key=key, customer="alice", amount=amount))


async def spend(shop: Shop, amount: int) -> None:
    await ask(shop, Op.SPEND, "spend", amount)


async def spent_before(shop: Shop) -> None:
    """An account with a past that must stay."""
    await ask(shop, Op.GRANT, "grant", 10)
    await spend(shop, 3)


@contextmanager
def undone(shop: Shop, *, keeps_requests: bool = False) -> Iterator[None]:
    """What the block does to the ledger is deleted again by hand, behind the triggers."""
    shop.sql("CREATE TABLE before AS TABLE comptoir.accounts")
    shop.sql("CREATE TABLE asked AS SELECT id FROM comptoir.requests")
    yield
    columns = ", ".join(
        f"{name} = b.{name}"
        for (name,) in shop.sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'comptoir.accounts'::regclass"
            " AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('book_id', 'id')"
        )
    )
    for table in (*_LATER, "requests", "accounts"):
        shop.sql(f"ALTER TABLE comptoir.{table} DISABLE TRIGGER USER")
    for table in _LATER:
        shop.sql(
            f"DELETE FROM comptoir.{table} x USING before b"
            " WHERE x.book_id = b.book_id AND x.account_id = b.id AND x.version > b.version"
        )
    if not keeps_requests:
        shop.sql("DELETE FROM comptoir.requests WHERE id NOT IN (SELECT id FROM asked)")
    shop.sql(
        f"UPDATE comptoir.accounts x SET {columns} FROM before b"
        " WHERE x.book_id = b.book_id AND x.id = b.id"
    )
    for table in (*_LATER, "requests", "accounts"):
        shop.sql(f"ALTER TABLE comptoir.{table} ENABLE TRIGGER USER")
