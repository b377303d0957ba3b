"""Buying on one's own pages, and coming back: once, to the right person, and not for ever."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from comptoir.web.portal.waiting import LATE, PAUSES
from tests.support.counter import put
from tests.support.sandbox import Provider
from tests.support.site import Site
from tests.support.visitors import Customer, pay

pytestmark = pytest.mark.pg


@pytest.fixture(scope="module")
def site(market: Site) -> Site:
    return market


def test_three_submits_make_one_checkout(site: Site, ada: Customer) -> None:
    ada.enter(site.rich())
    form = ada.form()
    before = site.sql("SELECT count(*) FROM comptoir.purchases")[0][0]
    pages_ = {ada.send("/portal/buy", form | {"pack": "100"}).headers["location"] for _ in "123"}
    assert len(pages_) == 1
    assert site.sql("SELECT count(*) FROM comptoir.purchases")[0][0] == before + 1
    # Whoever goes back and takes another pack gets that one.
    other = ada.send("/portal/buy", form | {"pack": "500"}).headers["location"]
    assert other not in pages_
    # And one that is paid is not paid again.
    back = pay(pages_.pop())
    assert ada.state(f"{back}&look=2") == "done"
    again = ada.send("/portal/buy", form | {"pack": "100"})
    assert again.headers["location"].startswith("/return?purchase=")


def test_two_customers_with_one_key(site: Site, ada: Customer, bob: Customer) -> None:
    ada.enter(site.rich())
    bob.enter(site.rich())
    key = {"pack": "100", "key": "k" * 24}
    one = ada.send("/portal/buy", ada.form() | key)
    other = bob.send("/portal/buy", bob.form() | key)
    assert (one.status_code, other.status_code) == (303, 303)
    assert one.headers["location"] != other.headers["location"]


def test_paid_though_the_event_was_lost(site: Site, ada: Customer, bob: Customer) -> None:
    """Nobody delivers events here: the page asks the provider, and the balance moves."""
    customer = site.rich("5")
    ada.enter(customer)
    back = pay(ada.buy())
    page = ada.get(back)
    assert re.findall(r'data-state="(\w+)"', page.text) == ["waiting"]
    [(pause, following)] = re.findall(
        r'http-equiv="refresh" content="(\d+);url=([^"]+)"', page.text
    )
    assert (int(pause), page.text.count("<noscript>")) == (PAUSES[0], 1)
    stranger = f"/return?purchase={parse_qs(urlsplit(back).query)['purchase'][0]}"
    assert bob.state(stranger) == "thanks"
    assert ada.state(unescape(following)) == "waiting"
    assert site.balance(customer)["balance"] == "5"
    done = ada.get(f"{back}&look=2").text
    assert "100 credits were added: your balance is 105 credits." in done
    assert "noscript" not in done
    assert site.balance(customer)["balance"] == "105"
    assert "Bought" in ada.get("/portal/history").text
    for look in range(len(PAUSES) + 1):
        page = bob.get(f"{stranger}&look={look}").text
        assert "105" not in page
        assert 'data-state="thanks"' in page
        assert "refresh" not in page


def test_whom_the_provider_sends_needs_no_session(site: Site, ada: Customer, bob: Customer) -> None:
    ada.enter(site.rich("5"))
    back = pay(ada.buy("500"))
    assert "your balance is 505 credits" in bob.get(f"{back}&look=2").text
    parts = urlsplit(back)
    session = parse_qs(parts.query)["session"][0]
    wrong = f"{back.replace(session, session[:-1])}&look=2"
    assert bob.state(wrong) == "thanks"
    bob.enter(site.rich("9"))  # of another customer
    assert bob.state(wrong) == "thanks"
    assert ada.state(wrong) == "done"  # his own session says so


def test_longer_than_usual_and_never_for_ever(site: Site, ada: Customer) -> None:
    ada.enter(site.rich())
    address = ada.buy()
    [(id_,)] = site.sql("SELECT id FROM comptoir.payments ORDER BY created_at DESC LIMIT 1")
    back = f"/return?purchase={id_}"
    assert sum(PAUSES[:LATE]) == 20
    for look in range(1, len(PAUSES) + 1):
        page = ada.get(f"{back}&look={look}").text
        assert ("Taking longer than usual" in page) == (look >= LATE), look
        assert ("<progress" in page) == (look < LATE), look
        assert ("refresh" in page) == (look < len(PAUSES)), look
        assert str(id_) in page
        assert "Look again" in page
    assert site.http.get(f"{site.url}{back}&look={len(PAUSES) + 1}").status_code == 422
    french = ada.get(f"{back}&look={LATE}", **{"Accept-Language": "fr"}).text
    assert "long que d&#39;habitude" in french
    pay(address)
    assert ada.state(f"{back}&look={len(PAUSES)}") == "done"


def test_a_provider_that_does_not_answer(site: Site, ada: Customer, stripe_here: Provider) -> None:
    ada.enter(site.rich())
    back = pay(ada.buy())
    stripe_here.turn("chaos", fail=10_000, fail_status=503, only="")
    try:
        assert ada.state(f"{back}&look=3") == "waiting"
    finally:
        stripe_here.turn("chaos", fail=0)
    assert ada.state(f"{back}&look=3") == "done"


def test_a_payment_that_failed_was_left_or_paid_back(
    site: Site, ada: Customer, stripe_here: Provider
) -> None:
    ada.enter(site.rich())
    address = ada.buy()
    [(id_, session)] = site.sql(
        "SELECT id, session FROM comptoir.payments ORDER BY created_at DESC LIMIT 1"
    )
    left = ada.get(f"/return?purchase={id_}&canceled=1").text
    assert "Nothing was charged" in left
    assert "refresh" not in left
    stripe_here.v1.checkout.sessions.expire(session)
    assert ada.state(f"/return?purchase={id_}&look=2") == "failed"
    assert address
    back = pay(ada.buy())
    assert ada.state(f"{back}&look=2") == "done"
    bought = parse_qs(urlsplit(back).query)["purchase"][0]
    refunded = site.post(f"/api/payments/{bought}/refund", {"reason": "asked"})
    assert refunded.status_code in {200, 201, 202}, refunded.text
    site.post("/api/admin/reconcile", {})
    assert ada.state(back) in {"refunded", "done"}


def test_a_guests_order(site: Site, bob: Customer, stripe_here: Provider) -> None:
    body = {"items": [{"product": put(site, 5), "size": "M", "quantity": 1}], "email": "g@x.test"}
    begun = site.post("/api/checkout/create-session", body, who=None).json()
    back = pay(begun["checkout_url"])
    assert bob.state(f"/return?order={begun['order']}&look=2") == "thanks"
    assert bob.state(back) == "waiting"
    page = bob.get(f"{back}&look=2").text
    assert re.search(r"Your order ORD-\d{4}-\d{6} is paid", page)
    by_intent = site.post("/api/checkout/create-payment-intent", body, who=None).json()
    said = {"payment_method": "pm_card_visa", "return_url": "http://shop.test/"}
    stripe_here.v1.payment_intents.confirm(by_intent["payment_intent"], said)
    address = f"/return?order={by_intent['order']}&look=2"
    shown = f"&payment_intent={by_intent['payment_intent']}&redirect_status=succeeded"
    secret = f"&payment_intent_client_secret={by_intent['client_secret']}"
    assert bob.state(address + shown) == "thanks"
    assert bob.state(address + shown + secret + "x") == "thanks"
    assert bob.state(address + shown + secret) == "done"


def test_a_plan_is_waited_for_by_whoever_has_a_session(
    site: Site, ada: Customer, bob: Customer
) -> None:
    ada.enter(site.rich())
    assert ada.state("/return?plan=pro") == "waiting"
    assert bob.state("/return?plan=pro") == "thanks"
