"""PaymentIntents, refunds and disputes, as Stripe's own SDK finds them."""

import asyncio
from typing import Any

import pytest
import stripe

from tests.support.sandbox import KEY, Provider

ASKS = "pm_card_authenticationRequired"


def test_declined_and_tried_again_on_the_same_one(shared: Provider) -> None:
    made = shared.v1.payment_intents.create({"amount": 1900, "currency": "eur"})
    assert made.status == "requires_payment_method"
    for method, code in (
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ):
        with pytest.raises(stripe.CardError) as refused:
            shared.v1.payment_intents.confirm(made.id, {"payment_method": method})
        error: Any = refused.value.error
        assert (refused.value.code, error.decline_code) == ("card_declined", code)
        assert error.payment_intent.status == "requires_payment_method"
    done = shared.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa"})
    assert (done.status, done.amount_received, done.last_payment_error) == ("succeeded", 1900, None)
    charges = shared.v1.charges.list({"payment_intent": made.id}).data
    assert [each.status for each in charges] == ["succeeded", "failed", "failed"]
    with pytest.raises(stripe.InvalidRequestError) as late:
        shared.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa"})
    assert late.value.code == "payment_intent_unexpected_state"


def answer(shared: Provider, made: Any, agree: str) -> Any:  # noqa: ANN401
    url = made.next_action.redirect_to_url.url
    assert b"Do you agree" in shared.http.get(url).content
    said = shared.http.post(url, data={"agree": agree}, follow_redirects=False)
    assert (said.status_code, said.headers["location"]) == (303, "http://shop.test/")
    return shared.v1.payment_intents.retrieve(made.id)


def test_the_owner_of_a_card_is_asked(shared: Provider) -> None:
    made = shared.paid(ASKS)
    assert made.status == "requires_action"
    assert answer(shared, made, "yes").status == "succeeded"
    refused = answer(shared, shared.paid(ASKS), "no")
    assert refused.status == "requires_payment_method"
    assert refused.last_payment_error.code == "payment_intent_authentication_failure"
    with pytest.raises(stripe.CardError) as absent:
        shared.paid(ASKS, off_session=True)
    assert absent.value.code == "authentication_required"


def test_a_debit_comes_later_or_fails(own: Provider) -> None:
    comes, fails = own.paid("pm_success_sepaDebit"), own.paid("pm_failed_sepaDebit")
    assert {comes.status, fails.status} == {"processing"}
    with pytest.raises(stripe.InvalidRequestError):
        own.v1.payment_intents.cancel(comes.id)
    own.turn("clock", advance=3)
    assert own.v1.payment_intents.retrieve(comes.id).status == "succeeded"
    assert own.v1.payment_intents.retrieve(fails.id).status == "requires_payment_method"


def test_only_what_is_open_can_be_canceled(shared: Provider) -> None:
    made = shared.v1.payment_intents.create({"amount": 1900, "currency": "eur"})
    gone = shared.v1.payment_intents.cancel(made.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    for id_ in (made.id, shared.paid().id):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            shared.v1.payment_intents.cancel(id_)
        assert refused.value.code == "payment_intent_unexpected_state"


def test_what_is_reserved_is_captured_once(shared: Provider) -> None:
    made = shared.paid(capture_method="manual")
    assert (made.status, made.amount_capturable) == ("requires_capture", 1900)
    with pytest.raises(stripe.InvalidRequestError):
        shared.v1.payment_intents.capture(made.id, {"amount_to_capture": 2000})
    done = shared.v1.payment_intents.capture(made.id, {"amount_to_capture": 900})
    assert (done.status, done.amount_received) == ("succeeded", 900)
    with pytest.raises(stripe.InvalidRequestError):
        shared.v1.payment_intents.capture(made.id)


def test_too_little_is_never_charged(shared: Provider) -> None:
    for amount, currency in ((49, "eur"), (29, "gbp")):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            shared.v1.payment_intents.create({"amount": amount, "currency": currency})
        assert caught.value.code == "amount_too_small"
    made = shared.v1.payment_intents.create({"amount": 50, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError):
        shared.v1.payment_intents.update(made.id, {"amount": 49})
    assert shared.v1.payment_intents.retrieve(made.id).amount == 50


def test_never_more_is_refunded_than_was_charged(shared: Provider) -> None:
    made = shared.paid()
    first = shared.v1.refunds.create({"payment_intent": made.id, "amount": 900})
    assert (first.status, first.amount) == ("succeeded", 900)
    for amount in (1001, 1900):
        with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
            shared.v1.refunds.create({"payment_intent": made.id, "amount": amount})
    rest = shared.v1.refunds.create({"charge": made.latest_charge})
    assert rest.amount == 1000
    with pytest.raises(stripe.InvalidRequestError) as again:
        shared.v1.refunds.create({"payment_intent": made.id})
    assert again.value.code == "charge_already_refunded"
    charge = shared.v1.charges.retrieve(made.latest_charge, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded, len(charge.refunds.data)) == (1900, True, 2)
    unpaid = shared.v1.payment_intents.create({"amount": 100, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError):
        shared.v1.refunds.create({"payment_intent": unpaid.id})


def test_refunds_that_take_their_time_or_fail(own: Provider) -> None:
    fails, waits = own.paid("pm_card_refundFail"), own.paid("pm_card_pendingRefund")
    made = [own.v1.refunds.create({"payment_intent": each.id}) for each in (fails, waits)]
    assert [each.status for each in made] == ["succeeded", "pending"]
    own.turn("clock", advance=3)
    found = [own.v1.refunds.retrieve(each.id) for each in made]
    assert [each.status for each in found] == ["failed", "succeeded"]
    assert own.v1.charges.retrieve(fails.latest_charge).amount_refunded == 0
    types = [each.type for each in own.v1.events.list({"types": ["refund.failed"]}).data]
    assert types == ["refund.failed"]


@pytest.mark.parametrize(
    ("said", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")]
)
def test_disputes_are_won_and_lost(shared: Provider, said: str, status: str) -> None:
    made = shared.paid("pm_card_createDispute")
    [found] = shared.v1.disputes.list({"payment_intent": made.id}).data
    assert (found.status, found.amount) == ("needs_response", 1900)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shared.v1.refunds.create({"payment_intent": made.id})
    assert refused.value.code == "charge_disputed"
    ended = shared.v1.disputes.update(found.id, {"evidence": {"uncategorized_text": said}})
    assert ended.status == status
    with pytest.raises(stripe.InvalidRequestError):
        shared.v1.disputes.close(found.id)
    assert len(ended.balance_transactions) == (2 if status == "won" else 1)


def test_a_dispute_is_opened_and_decided_when_asked_for(shared: Provider) -> None:
    made = shared.paid()
    found = shared.turn("dispute", payment_intent=made.id, amount=500)
    assert shared.turn("decide", dispute=found["id"], won=True)["status"] == "won"
    again = shared.http.post(f"{shared.base}/_sandbox/dispute", json={"payment_intent": made.id})
    assert again.status_code == 400


def test_cards_that_cannot_be_kept(shared: Provider) -> None:
    customer = shared.v1.customers.create({"email": "a@example.com"})
    kept = shared.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    assert (kept.customer, kept.card.last4) == (customer.id, "4242")
    with pytest.raises(stripe.CardError):
        shared.v1.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": customer.id})
    said = {
        "type": "card",
        "card": {"number": "4111111111111111", "exp_month": 1, "exp_year": 2030},
    }
    with pytest.raises(stripe.CardError) as wrong:
        shared.v1.payment_methods.create(said)
    assert wrong.value.code == "incorrect_number"
    later = shared.paid(kept.id, customer=customer.id, off_session=True)
    assert later.status == "succeeded"
    found = shared.v1.customers.payment_methods.list(customer.id).data
    assert [each.id for each in found] == [kept.id]


def test_the_fee_is_in_the_balance(shared: Provider) -> None:
    made = shared.paid()
    path = {"expand": ["latest_charge.balance_transaction"]}
    found = shared.v1.payment_intents.retrieve(made.id, path).latest_charge.balance_transaction
    assert (found.amount, found.fee, found.net) == (1900, 53, 1847)


async def test_the_same_without_waiting(shared: Provider) -> None:
    session = stripe.AIOHTTPClient()
    client = stripe.StripeClient(
        KEY, base_addresses={"api": shared.base}, http_client=session, max_network_retries=0
    )
    v1: Any = client.v1
    said = {"amount": 500, "currency": "eur"}
    made = await asyncio.gather(*(v1.payment_intents.create_async(said) for _ in range(5)))
    assert len({each.id for each in made}) == 5
    with pytest.raises(stripe.CardError):
        await v1.payment_intents.confirm_async(
            made[0].id, {"payment_method": "pm_card_visa_chargeDeclined"}
        )
    done = await v1.payment_intents.confirm_async(made[0].id, {"payment_method": "pm_card_visa"})
    refund = await v1.refunds.create_async({"payment_intent": done.id})
    assert refund.status == "succeeded"
    await session.close_async()
