"""Subscriptions by a test clock: renewals, failures, changes, trials, pauses, ends."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from comptoir_sandbox.periods import after, next_end
from tests.support.sandbox import DAY, Provider

JANUARY_31 = int(datetime(2026, 1, 31, 10, tzinfo=UTC).timestamp())
FAILS = "pm_card_chargeCustomerFail"


def begun(at: Provider, method: str | None = "pm_card_visa", **more: Any) -> tuple[Any, Any]:  # noqa: ANN401
    clock = at.v1.test_helpers.test_clocks.create({"frozen_time": JANUARY_31})
    customer = at.v1.customers.create({"test_clock": clock.id})
    said: dict[str, Any] = {"customer": customer.id}
    if "items" not in more:
        said["items"] = [{"price": at.monthly().id}]
    if method is not None:
        said["default_payment_method"] = method
    return clock, at.v1.subscriptions.create(said | more)


def go_on(at: Provider, clock: Any, days: float) -> None:  # noqa: ANN401
    now = at.v1.test_helpers.test_clocks.retrieve(clock.id).frozen_time
    to = {"frozen_time": now + int(days * DAY)}
    assert at.v1.test_helpers.test_clocks.advance(clock.id, to).status == "ready"


def invoices(at: Provider, subscription: Any) -> list[Any]:  # noqa: ANN401
    """The oldest first."""
    return at.v1.invoices.list({"subscription": subscription.id, "limit": 100}).data[::-1]


def status(at: Provider, subscription: Any) -> str:  # noqa: ANN401
    return at.v1.subscriptions.retrieve(subscription.id).status


def test_a_month_is_one_of_the_calendar(shared: Provider) -> None:
    clock, made = begun(shared)
    go_on(shared, clock, 90)
    found = invoices(shared, made)
    starts = [
        datetime.fromtimestamp(each.lines.data[-1].period.start, UTC).date().isoformat()
        for each in found
    ]
    assert starts == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
    assert {(each.status, each.amount_paid) for each in found} == {("paid", 2900)}
    assert [each.billing_reason for each in found] == [
        "subscription_create", *["subscription_cycle"] * 3,
    ]  # fmt: skip
    item = shared.v1.subscriptions.retrieve(made.id)["items"].data[0]
    assert datetime.fromtimestamp(item.current_period_end, UTC).date().isoformat() == "2026-05-31"


@given(
    st.integers(0, 2**31),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 12),
    st.integers(0, 40),
)
def test_periods_follow_each_other(anchor: int, interval: str, count: int, number: int) -> None:
    begins = after(anchor, interval, count, number)
    ends = after(anchor, interval, count, number + 1)
    assert begins < ends
    assert next_end(anchor, interval, count, begins) == ends
    assert next_end(anchor, interval, count, ends - 1) == ends


def test_who_does_not_pay_is_asked_again_and_ends(shared: Provider) -> None:
    clock, made = begun(shared)
    shared.v1.subscriptions.update(made.id, {"default_payment_method": FAILS})
    go_on(shared, clock, 29)
    assert status(shared, made) == "past_due"
    failed = invoices(shared, made)[-1]
    assert (failed.status, failed.attempt_count) == ("open", 1)
    go_on(shared, clock, 4)
    assert invoices(shared, made)[1].attempt_count == 2
    shared.v1.subscriptions.update(made.id, {"default_payment_method": "pm_card_visa"})
    go_on(shared, clock, 6)
    assert (status(shared, made), invoices(shared, made)[1].status) == ("active", "paid")
    shared.v1.subscriptions.update(made.id, {"default_payment_method": FAILS})
    go_on(shared, clock, 60)
    ended = shared.v1.subscriptions.retrieve(made.id)
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert invoices(shared, made)[-1].status == "void"


def test_the_first_payment_decides(shared: Provider) -> None:
    clock, made = begun(shared, FAILS)
    assert made.status == "incomplete"
    go_on(shared, clock, 1)
    assert status(shared, made) == "incomplete_expired"
    with pytest.raises(stripe.CardError):
        begun(shared, FAILS, payment_behavior="error_if_incomplete")
    _, waits = begun(shared, None, payment_behavior="default_incomplete")
    path = {"expand": ["latest_invoice.confirmation_secret", "latest_invoice.payments"]}
    found = shared.v1.subscriptions.retrieve(waits.id, path)
    intent = found.latest_invoice.payments.data[0].payment.payment_intent
    assert found.latest_invoice.confirmation_secret.client_secret.startswith(intent)
    shared.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    assert status(shared, waits) == "active"


def test_a_change_in_the_middle_costs_the_difference(shared: Provider) -> None:
    clock, made = begun(shared, items=[{"price": shared.monthly(3100).id}])
    go_on(shared, clock, 14)  # half of the 28 days until the end of February
    large = shared.monthly(9300)
    said = {"items": [{"id": made["items"].data[0].id, "price": large.id}]}
    changed = shared.v1.subscriptions.update(
        made.id, said | {"proration_behavior": "always_invoice"}
    )
    assert changed["items"].data[0].price.id == large.id
    last = invoices(shared, made)[-1]
    assert (last.total, last.status, last.billing_reason) == (3100, "paid", "subscription_update")
    assert [line.amount for line in last.lines.data] == [-1550, 4650]
    assert all(line.parent.invoice_item_details.proration for line in last.lines.data)
    go_on(shared, clock, 15)
    assert invoices(shared, made)[-1].total == 9300


def test_a_change_that_waits_for_the_next_invoice_or_costs_nothing(shared: Provider) -> None:
    for behavior, total in (("create_prorations", 9300 + 3100), ("none", 9300)):
        clock, made = begun(shared, items=[{"price": shared.monthly(3100).id}])
        go_on(shared, clock, 14)
        item = {"id": made["items"].data[0].id, "price": shared.monthly(9300).id}
        shared.v1.subscriptions.update(made.id, {"items": [item], "proration_behavior": behavior})
        assert len(invoices(shared, made)) == 1
        go_on(shared, clock, 15)
        assert invoices(shared, made)[-1].total == total


def test_a_year_instead_of_a_month_begins_at_once(shared: Provider) -> None:
    clock, made = begun(shared)
    go_on(shared, clock, 14)
    yearly = shared.price(29_000, recurring={"interval": "year"})
    item = {"id": made["items"].data[0].id, "price": yearly.id}
    changed = shared.v1.subscriptions.update(made.id, {"items": [item]})
    period = changed["items"].data[0]
    assert period.current_period_start == JANUARY_31 + 14 * DAY
    assert period.current_period_end == int(datetime(2027, 2, 14, 10, tzinfo=UTC).timestamp())
    assert invoices(shared, made)[-1].total == 29_000 - 1450


def test_a_trial_is_paid_when_it_ends(shared: Provider) -> None:
    clock, made = begun(shared, trial_period_days=7)
    assert (made.status, invoices(shared, made)[0].total) == ("trialing", 0)
    go_on(shared, clock, 8)
    assert status(shared, made) == "active"
    assert invoices(shared, made)[-1].amount_paid == 2900


@pytest.mark.parametrize(("behavior", "then"), [("pause", "paused"), ("cancel", "canceled")])
def test_a_trial_without_a_card(shared: Provider, behavior: str, then: str) -> None:
    ends = {"end_behavior": {"missing_payment_method": behavior}}
    clock, made = begun(shared, None, trial_period_days=7, trial_settings=ends)
    go_on(shared, clock, 8)
    assert status(shared, made) == then
    if then == "paused":
        shared.v1.subscriptions.update(made.id, {"default_payment_method": "pm_card_visa"})
        assert shared.v1.subscriptions.resume(made.id).status == "active"
        assert invoices(shared, made)[-1].amount_paid == 2900


def test_collection_is_paused(shared: Provider) -> None:
    clock, made = begun(shared)
    shared.v1.subscriptions.update(made.id, {"pause_collection": {"behavior": "void"}})
    go_on(shared, clock, 29)
    assert (status(shared, made), invoices(shared, made)[-1].status) == ("active", "void")
    shared.v1.subscriptions.update(made.id, {"pause_collection": ""})
    go_on(shared, clock, 31)
    assert invoices(shared, made)[-1].status == "paid"


def test_ended_now_or_with_its_period(shared: Provider) -> None:
    _, now = begun(shared)
    assert shared.v1.subscriptions.cancel(now.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        shared.v1.subscriptions.cancel(now.id)
    with pytest.raises(stripe.InvalidRequestError):
        shared.v1.subscriptions.update(now.id, {"metadata": {"a": "b"}})
    clock, later = begun(shared)
    said = shared.v1.subscriptions.update(later.id, {"cancel_at_period_end": True})
    assert (said.status, said.cancel_at) == ("active", said["items"].data[0].current_period_end)
    go_on(shared, clock, 29)
    assert status(shared, later) == "canceled"
    assert len(invoices(shared, later)) == 1


def test_an_invoice_of_its_own(shared: Provider) -> None:
    customer = shared.v1.customers.create({
        "email": "ada@example.com",
        "invoice_settings": {"default_payment_method": "pm_card_visa"},
    })  # fmt: skip
    for amount in (500, 700):
        shared.v1.invoice_items.create(
            {"customer": customer.id, "amount": amount, "currency": "eur", "description": "Tokens"}
        )
    said = {"customer": customer.id, "pending_invoice_items_behavior": "include"}
    made = shared.v1.invoices.create(said)
    assert (made.status, made.total) == ("draft", 1200)
    opened = shared.v1.invoices.finalize_invoice(made.id)
    assert (opened.status, opened.number.endswith("-0001")) == ("open", True)
    paid = shared.v1.invoices.pay(made.id)
    assert (paid.status, paid.amount_paid) == ("paid", 1200)
    with pytest.raises(stripe.InvalidRequestError):
        shared.v1.invoices.pay(made.id)
    [payment] = shared.v1.invoice_payments.list({"invoice": made.id}).data
    assert (payment.status, payment.amount_paid) == ("paid", 1200)
    other = shared.v1.invoices.create({"customer": customer.id})
    shared.v1.invoice_items.create(
        {"customer": customer.id, "amount": 10, "currency": "eur", "invoice": other.id}
    )
    shared.v1.invoices.finalize_invoice(other.id)
    assert shared.v1.invoices.void_invoice(other.id).status == "void"


def test_clocks_go_forward_only(shared: Provider) -> None:
    clock, _ = begun(shared)
    for to in (JANUARY_31, JANUARY_31 + 3 * 366 * DAY):
        with pytest.raises(stripe.InvalidRequestError):
            shared.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": to})
