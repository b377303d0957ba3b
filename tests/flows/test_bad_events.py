"""Events that are none, or say something else than what was sold; days on which much fails."""

import copy
import json
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg import AsyncConnection

from comptoir.domains.payments.signature import sign
from comptoir.flows import reconciling, settling
from comptoir.flows.receiving import BadSignature
from comptoir.flows.till import Deferred, Look
from comptoir.kit.errors import ComptoirError, Invalid, Unavailable
from tests.support.postgres import Database
from tests.support.sandbox import Provider, listening
from tests.support.shop import Shop
from tests.support.shop import shop as opened

pytestmark = pytest.mark.pg
M = 1_000_000
SUCCEEDED = "payment_intent.succeeded"
COMPLETED = "checkout.session.completed"
SECRET = "whsec_test"  # a test's


def written(event: dict[str, Any]) -> bytes:
    return json.dumps(event, default=str).encode()


async def paid(shop: Shop) -> tuple[Any, dict[str, dict[str, Any]]]:
    """A purchase that is paid, and its events, of which nobody has heard."""
    begun = await shop.buy()
    shop.pay(begun)
    return begun, {each["type"]: copy.deepcopy(each) for each in shop.events()}


async def tell(shop: Shop, *events: dict[str, Any]) -> None:
    await shop.keep(events)
    await shop.work()


async def test_only_what_is_signed_is_kept(shop: Shop) -> None:
    _, events = await paid(shop)
    body, now = written(events[SUCCEEDED]), int(time.time())
    good = sign(body, SECRET, now)
    refused = [
        (body, "", "missing"), (body, "nonsense", "malformed"), (body + b" ", good, "wrong"),
        (body.replace(b"1900", b"2900"), good, "wrong"), (body, sign(body, "other", now), "wrong"),
        (body, sign(body, SECRET, now - 301), "old"),
        (body, sign(body, SECRET, now + 301), "future"),
    ]  # fmt: skip
    for each, header, fault in refused:
        with pytest.raises(BadSignature) as error:
            await shop.app.desk.receive(each, header, now)
        assert error.value.figures["fault"] == fault
    assert shop.states() == {}
    assert (await shop.app.desk.receive(body, good, now)).is_new
    assert not (await shop.app.desk.receive(body, sign(body, SECRET, now + 7), now)).is_new
    await shop.work()
    assert shop.balance() == 100 * M


NO_EVENTS = [
    b"", b"{", b"[]", b"1", b"null", b'"evt"', b"{}", b'{"id": "evt_1"}', b"\xff\xfe", b"[" * 5000,
    b'{"id": "evt_1", "type": "a", "created": "now", "data": {"object": {"id": "x"}}}',
    b'{"id": 7, "type": "a", "created": 1, "data": {"object": {"id": "x"}}}',
    b'{"id": "evt_1", "type": "a", "created": 1, "data": {"object": "x"}}',
    b'{"id": "evt_1", "type": "a", "created": 1, "data": []}',
    b'{"id": "evt_1", "type": "a", "created": 99999999999999999999, "data": {"object": {"a": 1}}}',
    b'{"id": "evt_1", "type": "a", "created": 99999999999999, "data": {"object": {"a": 1}}}',
    b'{"id": "evt_\\u0000", "type": "a", "created": 1, "data": {"object": {"id": "x"}}}',
    b'{"id": "evt_\\ud800", "type": "a", "created": 1, "data": {"object": {"id": "x"}}}',
]  # fmt: skip


async def test_what_is_no_event_is_refused(shop: Shop) -> None:
    now, taken = int(time.time()), list[tuple[bytes, str]]()
    for body in NO_EVENTS:
        try:
            await shop.app.desk.receive(body, sign(body, SECRET, now), now)
        except Invalid:
            continue
        except Exception as error:  # noqa: BLE001  # what it is, is what is to be seen
            taken.append((body[:70], repr(error)))
        else:
            taken.append((body[:70], "kept"))
    assert taken == []
    assert shop.states() == {}


async def test_a_thin_event_is_refused(shop: Shop) -> None:
    """Nobody asks for those; one that names its object only must not be taken for a snapshot."""
    thin = {
        "id": "evt_thin", "object": "v2.core.event", "type": "v1.billing.meter.error_report",
        "livemode": False, "created": "2026-11-01T00:00:00.000Z",
        "related_object": {"id": "pi_1", "type": "payment_intent", "url": "/v1/x"},
    }  # fmt: skip
    now = int(time.time())
    with pytest.raises(Invalid, match="event-unreadable"):
        await shop.app.desk.receive(written(thin), sign(written(thin), SECRET, now), now)


async def test_what_nobody_wants_to_know_is_ignored(shop: Shop) -> None:
    _, events = await paid(shop)
    other = events[SUCCEEDED] | {"id": "evt_other", "type": "payment_intent.never_heard_of"}
    await tell(shop, other)
    assert shop.states() == {"ignored": 1}
    assert shop.balance() == 0


DIFFERENT = [
    (SUCCEEDED, {"livemode": True}, "livemode-differs"),
    (SUCCEEDED, {"currency": "usd"}, "currency-differs"),
    (SUCCEEDED, {"amount_received": 1899}, "amount-differs"),
    (SUCCEEDED, {"amount_received": 190_000}, "amount-differs"),
    (SUCCEEDED, {"amount_received": 0}, "amount-differs"),
    (COMPLETED, {"livemode": True}, "livemode-differs"),
    (COMPLETED, {"currency": "jpy"}, "currency-differs"),
    (COMPLETED, {"amount_total": 1}, "amount-differs"),
]


async def test_another_sum_than_was_asked_is_a_case(shop: Shop) -> None:
    for number, (type_, other, kind) in enumerate(DIFFERENT, 1):
        begun, events = await paid(shop)
        shop.carried |= {each["id"] for each in events.values()}
        events[type_]["data"]["object"] |= other
        await tell(shop, events[type_], events[type_] | {"id": f"evt_again_{number}"})
        assert len(shop.cases()) == number
        assert kind in shop.cases()
        assert (shop.balance(), await shop.status(begun)) == (0, "pending"), other
    told = {t for (t,) in shop.sql("SELECT type FROM comptoir.outbox")}
    assert (shop.journal(), told) == ([], {"case.opened"})


async def test_what_a_human_must_see_is_not_mended_by_itself(shop: Shop) -> None:
    """The price at Stripe is not what the pack costs: every look finds it, and none grants."""
    dear = shop.provider.price(2500)
    shop.till.terms.prices[dear.id] = "pack:100"  # pyright: ignore[reportIndexIssue]
    begun = await shop.buy()
    assert shop.pay(begun).amount_total == 2500
    await shop.hear(times=2, seed=1)
    assert (shop.cases(), shop.balance()) == (["amount-differs"], 0)
    for _ in range(2):
        report = await reconciling.reconcile(shop.till, fix=True)
        assert report.findings == []
    assert (shop.cases(), shop.balance()) == (["amount-differs"], 0)


@pytest.mark.parametrize("type_", [SUCCEEDED, COMPLETED])
async def test_metadata_that_was_stripped(shop: Shop, type_: str) -> None:
    """The provider's own names lead to the purchase as well."""
    begun, events = await paid(shop)
    for each in events.values():
        if "metadata" in each["data"]["object"]:
            each["data"]["object"]["metadata"] = {}
    for each in shop.provider.sandbox.world.objects.values():
        if each["object"] in {"payment_intent", "checkout.session"}:
            each["metadata"] = {}
    await tell(shop, events[type_])
    assert (await shop.status(begun), shop.balance()) == ("granted", 100 * M)


@pytest.mark.parametrize(
    "said", ["nonsense", "", "0", "7f" * 40, "00000000-0000-0000-0000-000000000000"]
)
async def test_metadata_that_names_nothing(shop: Shop, said: str) -> None:
    begun, events = await paid(shop)
    events[SUCCEEDED]["data"]["object"]["metadata"] = {
        "comptoir_payment": said, "comptoir_book": said or "9" * 30,
    }  # fmt: skip
    await tell(shop, events[SUCCEEDED])
    assert (await shop.status(begun), shop.balance()) == ("granted", 100 * M)


async def test_a_subscription_of_nobody(shop: Shop) -> None:
    v1 = shop.provider.v1
    customer = v1.customers.create({})
    said = {"customer": customer.id, "default_payment_method": "pm_card_visa"}
    v1.subscriptions.create(said | {"items": [{"price": shop.provider.monthly().id}]})
    await shop.hear()
    assert set(shop.cases()) == {"orphan-event"}
    assert set(shop.states()) <= {"orphan", "ignored"}
    assert shop.sql("SELECT count(*) FROM comptoir.subscriptions") == [(0,)]
    assert shop.sql("SELECT count(*) FROM comptoir.lots") == [(0,)]


async def test_a_pack_that_is_not_sold_any_more(shop: Shop) -> None:
    """What was paid for is brought, in the version in which it was bought."""
    begun, _ = await paid(shop)
    await withdraw(shop)
    await shop.hear()
    assert (await shop.status(begun), shop.balance()) == ("granted", 100 * M)
    with pytest.raises(ComptoirError, match="pack"):
        await shop.buy()


async def withdraw(shop: Shop) -> None:
    from comptoir.flows import stocking  # noqa: PLC0415

    catalogue = stocking.read()
    catalogue.version += 1
    catalogue.packs[0].active = False
    catalogue.packs[0].credits = "90"
    await stocking.seed(shop.till, 1, catalogue)


async def test_both_generations_of_payloads_say_the_same(shop: Shop) -> None:
    """An endpoint of an older version is sent older shapes; the balance is the same."""
    with listening() as heard:
        shop.provider.v1.webhook_endpoints.create(
            {"url": heard.url, "enabled_events": ["*"], "api_version": "2024-06-20"}
        )
        begun = await shop.buy()
        session = shop.pay(begun)
        shop.provider.v1.refunds.create({"payment_intent": session.payment_intent, "amount": 950})
        await until(lambda: "charge.refunded" in heard.types)
    assert {each["api_version"] for each in heard.events} == {"2024-06-20"}
    await tell(shop, *heard.events)
    assert (await shop.status(begun), shop.balance()) == ("granted", 50 * M)
    assert shop.journal() == [("purchase", 100), ("refund", -50)]


async def until(is_so: Callable[[], bool]) -> None:
    import asyncio  # noqa: PLC0415

    for _ in range(500):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


async def test_an_event_that_says_when_it_was_by_a_wrong_clock(shop: Shop) -> None:
    """Order is the provider's, whose clock is not ours: nothing waits for a time to come."""
    begun, events = await paid(shop)
    for number, each in enumerate(events.values()):
        each["created"] += 86_400 * (-1 if number % 2 else 1)
    await tell(shop, *events.values())
    assert (await shop.status(begun), shop.balance()) == ("granted", 100 * M)


async def test_the_provider_is_away_while_it_must_be_asked(shop: Shop) -> None:
    """An event that does not say enough waits, and no attempt is lost to an outage."""
    v1 = shop.provider.v1
    begun, events = await paid(shop)
    world = shop.provider.sandbox.world
    customer = v1.customers.create({"metadata": {}})
    id_ = await shop.till.directory.customer(1, "alice")
    shop.sql("INSERT INTO comptoir.provider_customers VALUES (1, false, %s, %s)", id_, customer.id)
    price = shop.provider.monthly().id
    shop.till.terms.prices[price] = "plan:pro:month"  # pyright: ignore[reportIndexIssue]
    said = {"customer": customer.id, "default_payment_method": "pm_card_visa"}
    v1.subscriptions.create(said | {"items": [{"price": price}]})
    told = shop.events("customer.subscription.created")
    shop.provider.turn("chaos", fail=10_000, fail_status=503)
    await shop.keep([*told, events[SUCCEEDED]])
    for _ in range(15):
        await shop.clerk.work_off()
        shop.sql("UPDATE comptoir.inbox SET due_at = now() WHERE due_at IS NOT NULL")
    assert await shop.status(begun) == "granted", "it needs nobody"
    assert shop.states() == {"done": 1, "failed": 1}
    shop.provider.turn("chaos", fail=0)
    assert shop.till.stripe is not None
    shop.till.stripe.circuit.answered()
    await shop.work()
    assert shop.states() == {"done": 2}
    assert shop.sql("SELECT plan FROM comptoir.customers WHERE id = %s", id_) == [("pro",)]
    assert world is not None


@pytest.mark.parametrize("status", [429, 503])
async def test_an_answer_that_promises_nothing(shop: Shop, status: int) -> None:
    """The SDK tries again by itself; whoever is still refused may ask again under his key."""
    shop.provider.turn("chaos", fail=50, fail_status=status, only="checkout")
    with pytest.raises(Unavailable):
        await shop.buy(key="k")
    shop.provider.turn("chaos", fail=0)
    assert shop.till.stripe is not None
    shop.till.stripe.circuit.answered()
    begun = await shop.buy(key="k")
    assert len(shop.provider.v1.checkout.sessions.list().data) == 1
    shop.pay(begun)
    await shop.hear()
    assert shop.journal() == [("purchase", 100)]


async def test_a_slow_provider(shop: Shop) -> None:
    shop.provider.turn("chaos", slow_ms=300, only="checkout")
    begun = await shop.buy(key="k")
    again = await shop.buy(key="k")
    assert (again.id, again.replayed) == (begun.id, True)
    assert len(shop.provider.v1.checkout.sessions.list().data) == 1


@pytest.fixture
async def rolled(
    database: Database,
    tmp_path: Path,
    stripe_here: Provider,
) -> AsyncGenerator[Shop]:
    said = {"STRIPE_WEBHOOK_SECRET": "whsec_new, whsec_old"}
    async with opened(database, tmp_path, stripe_here, **said) as found:
        yield found


async def test_while_secrets_are_rolled_both_are_good(rolled: Shop) -> None:
    _, events = await paid(rolled)
    now = int(time.time())
    for secret, type_ in (("whsec_old", SUCCEEDED), ("whsec_new", COMPLETED)):
        body = written(events[type_])
        assert (await rolled.app.desk.receive(body, sign(body, secret, now), now)).is_new
    body = written(events[SUCCEEDED])
    with pytest.raises(BadSignature):
        await rolled.app.desk.receive(body, sign(body, "whsec_new, whsec_old", now), now)
    await rolled.work()
    assert rolled.balance() == 100 * M


@pytest.mark.parametrize("why", [Deferred("nobody-knows"), Look("nobody")])
async def test_who_is_put_off_leaves_nothing_behind(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, why: Exception
) -> None:
    """Whatever was done of an event goes when it has to wait, or a repeat would find it done."""

    async def half_done(tx: AsyncConnection, now: settling.Situation) -> None:
        await now.till.open_case(tx, 1, "dispute", "half-done", dispute="half-done")
        raise why

    _, events = await paid(shop)
    monkeypatch.setattr(settling, "_HANDLERS", {SUCCEEDED: half_done})
    await shop.keep([events[SUCCEEDED]])
    await shop.clerk.work_off()
    assert shop.states() == {"deferred": 1}
    assert shop.cases() == []
    monkeypatch.undo()
    await shop.work()
    assert (shop.states(), shop.balance()) == ({"done": 1}, 100 * M)
