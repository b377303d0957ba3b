"""Checkout Sessions and their page: paid, declined, abandoned, expired, asked for, paid later."""

from typing import Any

import pytest
import stripe

from tests.support.sandbox import DAY, Provider

OK = "http://shop.test/ok?session={CHECKOUT_SESSION_ID}"
BACK = "http://shop.test/back"
WORKS = "pm_card_visa"


def opened(at: Provider, **more: Any) -> Any:  # noqa: ANN401
    said: dict[str, Any] = {
        "mode": "payment",
        "success_url": OK,
        "cancel_url": BACK,
        "client_reference_id": "p-1",
    }
    if "line_items" not in more:
        said["line_items"] = [{"price": at.price().id, "quantity": 2}]
    return at.v1.checkout.sessions.create(said | more)


def page(at: Provider, session: Any, **more: str) -> str:  # noqa: ANN401
    return at.http.get(f"{at.base}/pay/{session.id}", headers=more).text


def pay(at: Provider, session: Any, method: str = WORKS, **more: str) -> Any:  # noqa: ANN401
    said = {"method": method, "email": "ada@example.com"} | more
    return at.http.post(f"{at.base}/pay/{session.id}", data=said, follow_redirects=False)


def found(at: Provider, session: Any) -> Any:  # noqa: ANN401
    return at.v1.checkout.sessions.retrieve(session.id)


def test_a_page_is_paid(shared: Provider) -> None:
    said = {"metadata": {"purchase": "p-1"}}
    session = opened(shared, **said, payment_intent_data=said)
    assert (session.amount_total, session.status, session.payment_intent) == (3800, "open", None)
    assert (session.url, session.payment_status) == (f"{shared.base}/pay/{session.id}", "unpaid")
    text = page(shared, session)
    assert "2 × Pack" in text
    assert "38.00 EUR" in text
    assert "this is a sandbox" in text.lower()
    french = page(shared, session, **{"accept-language": "fr-FR"})
    assert "bac à sable" in french
    assert "38,00 EUR" in french
    done = pay(shared, session)
    assert (done.status_code, done.headers["location"]) == (303, OK.format(
        CHECKOUT_SESSION_ID=session.id))  # fmt: skip
    paid = found(shared, session)
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.customer_details.email == "ada@example.com"
    assert paid.client_reference_id == "p-1"
    intent = shared.v1.payment_intents.retrieve(paid.payment_intent)
    assert (intent.amount_received, intent.metadata["purchase"]) == (3800, "p-1")
    assert "This is paid" in page(shared, session)
    assert pay(shared, session).status_code == 400, "once"
    items = shared.v1.checkout.sessions.line_items.list(session.id).data
    assert [(each.quantity, each.amount_total) for each in items] == [(2, 3800)]


def test_declined_and_paid_with_another_card(shared: Provider) -> None:
    session = opened(shared)
    said = pay(shared, session, "pm_card_visa_chargeDeclined")
    assert said.status_code == 200
    assert "Your card was declined." in said.text
    before = found(shared, session)
    assert before.status == "open"
    assert pay(shared, session).status_code == 303
    after = found(shared, session)
    assert after.payment_intent == before.payment_intent
    with pytest.raises(stripe.InvalidRequestError, match="Expire the session"):
        shared.v1.payment_intents.cancel(opened_intent(shared))


def opened_intent(at: Provider) -> str:
    session = opened(at)
    pay(at, session, "pm_card_visa_chargeDeclined")
    return found(at, session).payment_intent


def test_expired_by_its_seller_or_by_time(own: Provider) -> None:
    first, second = opened(own), opened(own, expires_at=int(own.sandbox.world.now()) + 1_900)
    gone = own.v1.checkout.sessions.expire(first.id)
    assert (gone.status, gone.url) == ("expired", None)
    assert "has expired" in page(own, first)
    assert pay(own, first).status_code == 400
    with pytest.raises(stripe.InvalidRequestError):
        own.v1.checkout.sessions.expire(first.id)
    own.turn("clock", advance=1_901)
    assert found(own, second).status == "expired"
    types = [each.type for each in own.v1.events.list({"type": "checkout.session.expired"}).data]
    assert len(types) == 2


def test_an_intent_ends_with_its_session(shared: Provider) -> None:
    session = opened(shared)
    pay(shared, session, "pm_card_visa_chargeDeclined")
    shared.v1.checkout.sessions.expire(session.id)
    intent = shared.v1.payment_intents.retrieve(found(shared, session).payment_intent)
    assert intent.status == "canceled"


def test_the_bank_asks(shared: Provider) -> None:
    session = opened(shared)
    asked = pay(shared, session, "pm_card_authenticationRequired")
    url = asked.headers["location"]
    assert "/authenticate/" in url
    no = shared.http.post(url, data={"agree": "no"}, follow_redirects=False)
    assert no.headers["location"] == f"/pay/{session.id}"
    assert found(shared, session).status == "open"
    url = pay(shared, session, "pm_card_authenticationRequired").headers["location"]
    yes = shared.http.post(url, data={"agree": "yes"}, follow_redirects=False)
    assert yes.headers["location"].startswith("http://shop.test/ok")
    assert found(shared, session).payment_status == "paid"


@pytest.mark.parametrize(("method", "event"), [
    ("pm_success_sepaDebit", "checkout.session.async_payment_succeeded"),
    ("pm_failed_sepaDebit", "checkout.session.async_payment_failed"),
])  # fmt: skip
def test_paid_later_or_never(own: Provider, method: str, event: str) -> None:
    session = opened(own)
    assert pay(own, session, method).status_code == 303
    assert (found(own, session).status, found(own, session).payment_status) == (
        "complete",
        "unpaid",
    )
    own.turn("clock", advance=3)
    is_paid = event.endswith("succeeded")
    assert found(own, session).payment_status == ("paid" if is_paid else "unpaid")
    types = [each.type for each in own.v1.events.list({"limit": 20}).data]
    assert types[0] == event
    assert "checkout.session.completed" in types


def test_a_subscription_is_there_when_its_page_was_paid(shared: Provider) -> None:
    price = shared.monthly()
    items = [{"price": price.id, "quantity": 1}]
    said = {"metadata": {"customer": "ada"}}
    session = opened(shared, mode="subscription", line_items=items, subscription_data=said)
    assert pay(shared, session, "pm_card_visa_chargeDeclined").status_code == 200
    assert found(shared, session).subscription is None
    assert pay(shared, session).status_code == 303
    paid = found(shared, session)
    subscription = shared.v1.subscriptions.retrieve(paid.subscription)
    assert (subscription.status, subscription.metadata["customer"]) == ("active", "ada")
    assert (paid.payment_status, paid.invoice) == ("paid", subscription.latest_invoice)
    assert shared.v1.customers.retrieve(paid.customer).email == "ada@example.com"


def test_a_subscription_whose_bank_asks(shared: Provider) -> None:
    items = [{"price": shared.monthly().id}]
    session = opened(shared, mode="subscription", line_items=items)
    asked = pay(shared, session, "pm_card_authenticationRequired")
    assert asked.headers["location"] == f"/pay/{session.id}"
    assert "Do you agree" in page(shared, session)
    url = f"{shared.base}/pay/{session.id}"
    shared.http.post(url, data={"agree": "yes"}, follow_redirects=False)
    assert found(shared, session).payment_status == "paid"


def test_tax_within_and_on_top(shared: Provider) -> None:
    for behavior, total, tax in (("exclusive", 2280, 380), ("inclusive", 1900, 317)):
        price = shared.price(tax_behavior=behavior)
        session = opened(shared, line_items=[{"price": price.id}], automatic_tax={"enabled": True})
        assert (session.amount_total, session.total_details.amount_tax) == (total, tax)
        pay(shared, session)
        intent = shared.v1.payment_intents.retrieve(found(shared, session).payment_intent)
        assert intent.amount == total


def test_what_costs_nothing_is_paid_at_once(shared: Provider) -> None:
    price = shared.price(0)
    session = opened(shared, line_items=[{"price": price.id}])
    assert session.payment_status == "no_payment_required"
    pay(shared, session)
    done = found(shared, session)
    assert (done.status, done.payment_status, done.payment_intent) == (
        "complete", "no_payment_required", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"line_items": []}, "line_items"),
        ({"line_items": [{"price": "price_none"}]}, "line_items[0][price]"),
        ({"line_items": [{"quantity": 1}]}, "line_items[0][price]"),
        ({"expires_at": 60}, "expires_at"),
        ({"expires_at": 2**31}, "expires_at"),
        ({"success_url": ""}, "success_url"),
        ({"customer": "cus_none"}, "customer"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"mode": "donation"}, "mode"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_what_cannot_be_is_refused(shared: Provider, more: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        opened(shared, **more)
    assert refused.value.param == param


def test_prices_that_do_not_fit_or_are_inactive(shared: Provider) -> None:
    monthly, once = shared.monthly(), shared.price()
    for mode, price in (("payment", monthly), ("subscription", once)):
        with pytest.raises(stripe.InvalidRequestError):
            opened(shared, mode=mode, line_items=[{"price": price.id}])
    shared.v1.prices.update(once.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError) as inactive:
        opened(shared, line_items=[{"price": once.id}])
    assert inactive.value.code == "price_inactive"


def test_a_form_of_another_page_is_refused(shared: Provider) -> None:
    session = opened(shared)
    url, said = f"{shared.base}/pay/{session.id}", {"method": WORKS}
    for origin, status in (("http://evil.test", 403), (shared.base, 303)):
        answer = shared.http.post(
            url, data=said, headers={"origin": origin}, follow_redirects=False
        )
        assert answer.status_code == status


def test_names_are_shown_as_they_are(shared: Provider) -> None:
    product = shared.v1.products.create({"name": "<script>alert(1)</script>"})
    price = shared.v1.prices.create({"product": product.id, "currency": "eur", "unit_amount": 1})
    answer = shared.http.get(
        f"{shared.base}/pay/{opened(shared, line_items=[{'price': price.id}]).id}"
    )
    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_portal_changes_and_ends_a_subscription(own: Provider) -> None:
    customer = own.v1.customers.create({"email": "ada@example.com"})
    small, large = own.monthly(2900), own.monthly(9900)
    made = own.v1.subscriptions.create({
        "customer": customer.id, "items": [{"price": small.id}], "default_payment_method": WORKS,
    })  # fmt: skip
    session = own.v1.billing_portal.sessions.create({"customer": customer.id, "return_url": BACK})
    assert "29.00 EUR" in own.http.get(session.url).text
    for said, check in (
        (large.id, lambda each: each["items"].data[0].price.id == large.id),
        ("cancel", lambda each: each.cancel_at_period_end and each.cancel_at),
        ("keep", lambda each: not each.cancel_at_period_end),
        ("cancel", lambda each: each.cancel_at_period_end),
    ):
        own.http.post(session.url, data={"subscription": made.id, "do": said})
        assert check(own.v1.subscriptions.retrieve(made.id))
    own.turn("clock", advance=32 * DAY)
    assert own.v1.subscriptions.retrieve(made.id).status == "canceled"
    assert "There is no subscription" in own.http.get(session.url).text
    foreign = own.http.post(session.url, data={"subscription": "sub_none", "do": "cancel"})
    assert foreign.status_code == 404
