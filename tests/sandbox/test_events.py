"""Events: signed, delivered, tried again; duplicated, shuffled, dropped, delayed on demand."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe

from comptoir_sandbox.sandbox import Options
from tests.support.sandbox import Heard, Provider, listening, provider

DEADLINE = 10.0
QUICK = (0.02,) * 6


@pytest.fixture
def heard() -> Iterator[Heard]:
    with listening() as found:
        yield found


@pytest.fixture
def own() -> Iterator[Provider]:
    with provider(Options(retries=QUICK)) as running:
        yield running


def until(done: Callable[[], bool], what: Callable[[], object] = lambda: "") -> None:
    deadline = time.monotonic() + DEADLINE
    while not done():
        assert time.monotonic() < deadline, what()
        time.sleep(0.005)


def still(at: Provider) -> None:
    """Wait until the postman has nothing left."""
    until(lambda: at.http.get(f"{at.base}/_sandbox").json()["waiting"] == 0)


def listen(at: Provider, heard: Heard, *events: str, **more: Any) -> Any:  # noqa: ANN401
    said = {"url": heard.url, "enabled_events": list(events) or ["*"]}
    return at.v1.webhook_endpoints.create(said | more)


def verified(heard: Heard, secret: str) -> list[Any]:
    return [
        stripe.Webhook.construct_event(body, signature, secret) for body, signature in heard.bodies
    ]


def test_signed_as_the_sdk_verifies_it(own: Provider, heard: Heard) -> None:
    endpoint = listen(own, heard, "payment_intent.succeeded", "charge.succeeded")
    assert endpoint.secret.startswith("whsec_")
    assert "secret" not in own.v1.webhook_endpoints.retrieve(endpoint.id)
    made = own.paid(metadata={"purchase": "p-1"})
    until(lambda: len(heard.bodies) == 2)
    assert heard.types == ["charge.succeeded", "payment_intent.succeeded"]
    found = verified(heard, endpoint.secret)[1]
    assert found.data.object.id == made.id
    assert found.data.object.metadata["purchase"] == "p-1"
    assert (found.livemode, found.api_version) == (False, "2026-10-28.endive")
    with pytest.raises(stripe.SignatureVerificationError):
        verified(heard, "whsec_other")
    secret = own.turn("roll", endpoint=endpoint.id)["secret"]
    own.paid()
    until(lambda: len(heard.bodies) == 4)
    heard.bodies = heard.bodies[2:]
    assert len(verified(heard, secret)) == len(verified(heard, endpoint.secret)) == 2


def test_tried_again_until_it_is_taken(own: Provider, heard: Heard) -> None:
    heard.answers = [500, 503, 302, 200]
    listen(own, heard, "payment_intent.succeeded")
    own.paid()
    until(lambda: len(heard.bodies) == 4)
    still(own)
    assert len({each["id"] for each in heard.events}) == 1
    [event] = own.v1.events.list({"type": "payment_intent.succeeded"}).data
    assert event.pending_webhooks == 0


def test_given_up_and_found_by_whoever_asks(own: Provider, heard: Heard) -> None:
    heard.answers = [500] * 7
    listen(own, heard, "payment_intent.succeeded")
    own.paid()
    until(lambda: len(heard.bodies) == 7)
    still(own)
    lost = own.v1.events.list({"delivery_success": False}).data
    assert [each.type for each in lost] == ["payment_intent.succeeded"]
    assert own.turn("deliver", event=lost[0].id, times=2) == {"deliveries": 2}
    until(lambda: len(heard.bodies) == 9)
    assert own.v1.events.list({"delivery_success": False}).data == []


def test_duplicated_shuffled_and_delayed(own: Provider, heard: Heard) -> None:
    endpoint = listen(own, heard)
    own.turn("chaos", copies=5, shuffle=200, delay_ms=50, together=True)
    for _ in range(10):
        own.paid()
    still(own)
    ids = [each["id"] for each in heard.events]
    assert len(set(ids)) == 30, "three of each payment"
    assert 60 < len(ids) <= 150
    created = own.v1.events.list({"limit": 100}).data[::-1]
    assert [id_ for n, id_ in enumerate(ids) if id_ not in ids[:n]] != [each.id for each in created]
    assert len(verified(heard, endpoint.secret)) == len(ids)


def test_dropped(own: Provider, heard: Heard) -> None:
    listen(own, heard, "payment_intent.succeeded")
    own.turn("chaos", drop_percent=50)
    for _ in range(40):
        own.paid()
    still(own)
    assert 5 < len(heard.bodies) < 35
    lost = own.v1.events.list({"delivery_success": False, "limit": 100}).data
    assert len(lost) == 40 - len(heard.bodies)


def test_delivered_before_the_call_is_answered(own: Provider, heard: Heard) -> None:
    listen(own, heard, "payment_intent.succeeded")
    own.turn("chaos", before_answer=True)
    made = own.paid()
    assert heard.events[0]["data"]["object"]["id"] == made.id


def test_an_older_endpoint_gets_the_older_shape(own: Provider, heard: Heard) -> None:
    listen(own, heard, "customer.subscription.created", "invoice.paid", api_version="2023-10-16")
    customer = own.v1.customers.create({"email": "a@b.fr"})
    made = own.v1.subscriptions.create({
        "customer": customer.id, "items": [{"price": own.monthly().id}],
        "default_payment_method": "pm_card_visa",
    })  # fmt: skip
    until(lambda: len(heard.bodies) == 2)
    by_type = {each["type"]: each for each in heard.events}
    subscription = by_type["customer.subscription.created"]["data"]["object"]
    assert "current_period_end" not in subscription["items"]["data"][0]
    assert subscription["current_period_end"] == made["items"].data[0].current_period_end
    invoice = by_type["invoice.paid"]["data"]["object"]
    assert (invoice["subscription"], invoice["paid"]) == (made.id, True)
    assert invoice["payment_intent"].startswith("pi_")
    assert invoice["lines"]["data"][0]["price"]["unit_amount"] == 2900
    assert "parent" not in invoice


def test_filters_and_pages(own: Provider) -> None:
    for _ in range(5):
        own.paid()
    types = ["payment_intent.succeeded", "charge.succeeded"]
    found = list(own.v1.events.list({"types": types, "limit": 3}).auto_paging_iter())
    assert len(found) == 10
    assert [each.id for each in found] == sorted(
        (each.id for each in found), key=[each.id for each in found].index
    )
    oldest = found[-1]
    page = own.v1.events.list({"types": types, "ending_before": oldest.id, "limit": 3})
    after = list(page.auto_paging_iter())
    assert [each.id for each in after] == [each.id for each in found[:-1]][::-1]
    now = own.sandbox.world.now()
    assert own.v1.events.list({"created": {"gt": now + 10}}).data == []
    assert own.v1.events.retrieve(oldest.id).data.object.object in {"charge", "payment_intent"}


@pytest.mark.parametrize(
    "said",
    [{"enabled_events": []}, {"url": "shop.test"}, {"enabled_events": ["Nonsense !"]}, {"x": 1}],
)
def test_what_is_no_endpoint_is_refused(own: Provider, said: dict[str, Any]) -> None:
    usual = {"url": "http://shop.test/", "enabled_events": ["*"]}
    with pytest.raises(stripe.InvalidRequestError):
        own.v1.webhook_endpoints.create(usual | said)


def test_an_endpoint_that_is_off_or_gone_hears_nothing(own: Provider, heard: Heard) -> None:
    first, second = listen(own, heard), listen(own, heard)
    own.v1.webhook_endpoints.update(first.id, {"disabled": True})
    own.v1.webhook_endpoints.delete(second.id)
    own.paid()
    still(own)
    assert heard.bodies == []


def test_knobs_that_there_are_not(own: Provider) -> None:
    for said in ({"noise": 1}, {"copies": "many"}, {"copies": -1}, {"together": 1}, []):
        refused = own.http.post(f"{own.base}/_sandbox/chaos", json=said)
        assert refused.status_code == 400
    form = own.http.post(f"{own.base}/_sandbox/chaos", data={"copies": 3})
    assert form.status_code == 415, "what a page from elsewhere could send"
    assert json.loads(own.http.get(f"{own.base}/_sandbox").text)["chaos"]["copies"] == 1
