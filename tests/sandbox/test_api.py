"""The API itself: keys, forms, repeats, pages, expansion, and calls that fail on purpose."""

import threading
from pathlib import Path
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from comptoir_sandbox import forms
from comptoir_sandbox.refused import Refused
from comptoir_sandbox.sandbox import Options
from tests.support.sandbox import DAY, KEY, Provider, provider

EUR = {"amount": 500, "currency": "eur"}


def client(at: Provider, key: str = KEY, retries: int = 0) -> Any:  # noqa: ANN401
    return stripe.StripeClient(key, base_addresses={"api": at.base}, max_network_retries=retries).v1


@pytest.mark.parametrize("key", ["sk_live_1", "pk_test_1", "x"])
def test_keys_of_a_test_mode_only(shared: Provider, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError):
        client(shared, key).customers.list()
    bare = shared.http.get(f"{shared.base}/v1/customers")
    assert (bare.status_code, bare.json()["error"]["type"]) == (401, "invalid_request_error")


def test_its_own_keys_if_it_is_told() -> None:
    with provider(Options(keys=("sk_test_mine",))) as own:
        assert client(own, "sk_test_mine").customers.list().data == []
        with pytest.raises(stripe.AuthenticationError):
            client(own).customers.list()


def test_addresses_that_there_are_not(shared: Provider) -> None:
    said = {"authorization": f"Bearer {KEY}"}
    for path in ("/v1/nothing", "/v1/customers/cus_none", "/nothing"):
        answer = shared.http.get(shared.base + path, headers=said)
        assert answer.status_code == 404
        assert "error" in answer.json()


def test_a_repeat_gets_the_first_answer(own: Provider) -> None:
    key = {"idempotency_key": "order-1"}
    first = own.v1.payment_intents.create(EUR, key)
    again = own.v1.payment_intents.create({"currency": "eur", "amount": 500}, key)
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        own.v1.payment_intents.create(EUR | {"amount": 501}, key)
    with pytest.raises(stripe.IdempotencyError):
        own.v1.customers.create({}, key)
    own.turn("clock", advance=DAY + 1)
    assert own.v1.payment_intents.create(EUR, key).id != first.id


def test_a_no_of_a_card_is_repeated_and_a_wrong_request_is_not(own: Provider) -> None:
    made = own.v1.payment_intents.create(EUR)
    key = {"idempotency_key": "try-1"}
    said = {"payment_method": "pm_card_visa_chargeDeclined"}
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            own.v1.payment_intents.confirm(made.id, said, key)
    assert len(own.v1.charges.list({"payment_intent": made.id}).data) == 1
    wrong = {"idempotency_key": "try-2"}
    with pytest.raises(stripe.InvalidRequestError):
        own.v1.payment_intents.create({"amount": 500, "currency": "xxx"}, wrong)
    assert own.v1.payment_intents.create(EUR, wrong).amount == 500


@pytest.mark.parametrize(
    ("said", "code", "param"),
    [
        ({"currency": "eur"}, "parameter_missing", "amount"),
        ({"amount": "five", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": 0, "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": 10**9, "currency": "eur"}, "amount_too_large", "amount"),
        (EUR | {"colour": "red"}, "parameter_unknown", "colour"),
        (EUR | {"shipping": {"colour": "red"}}, "parameter_unknown", "shipping[colour]"),
        (EUR | {"confirm": "perhaps"}, "parameter_invalid_boolean", "confirm"),
        (EUR | {"capture_method": "soon"}, "parameter_invalid_enum", "capture_method"),
        (EUR | {"metadata": "x"}, "parameter_invalid_object", "metadata"),
        (EUR | {"metadata": {"a": "x" * 501}}, None, "metadata[a]"),
        (EUR | {"customer": "cus_none"}, "resource_missing", "customer"),
        (EUR | {"payment_method_types": ["card"]}, "payment_method_types_no_longer_supported",
         "payment_method_types"),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be(
    shared: Provider, said: dict[str, Any], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shared.v1.payment_intents.create(said)
    assert (refused.value.code, refused.value.param) == (code, param)


def test_what_cannot_be_expanded(shared: Provider) -> None:
    made = shared.paid()
    for path in ("amount.x", "nothing", "latest_charge.a.b.c.d"):
        with pytest.raises(stripe.InvalidRequestError):
            shared.v1.payment_intents.retrieve(made.id, {"expand": [path]})
    with pytest.raises(stripe.InvalidRequestError):
        shared.v1.events.list({"limit": 101})
    with pytest.raises(stripe.InvalidRequestError):
        shared.v1.events.list({"starting_after": "evt_none"})


@pytest.mark.parametrize(
    ("status", "error"), [(429, stripe.RateLimitError), (500, stripe.APIError)]
)
def test_calls_that_fail_before_their_work(
    own: Provider, status: int, error: type[Exception]
) -> None:
    own.turn("chaos", fail=1, fail_status=status, only="payment_intents")
    own.v1.customers.create({})
    with pytest.raises(error):
        own.v1.payment_intents.create(EUR, {"idempotency_key": "a"})
    assert own.v1.payment_intents.list().data == []
    assert own.v1.payment_intents.create(EUR, {"idempotency_key": "a"}).amount == 500


def test_a_call_that_fails_after_its_work_is_repeated_as_failed(own: Provider) -> None:
    """As at the real one: the first answer is the answer, also when it was a 500."""
    own.turn("chaos", fail=1, fail_after=True)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            own.v1.payment_intents.create(EUR, {"idempotency_key": "a"})
    assert len(own.v1.payment_intents.list().data) == 1


def test_an_answer_that_is_lost_is_found_by_its_key(own: Provider) -> None:
    own.turn("chaos", fail=1, fail_after=True, fail_status=0)
    with pytest.raises(stripe.APIConnectionError):
        own.v1.payment_intents.create(EUR, {"idempotency_key": "a"})
    [made] = own.v1.payment_intents.list().data
    assert own.v1.payment_intents.create(EUR, {"idempotency_key": "a"}).id == made.id


def test_the_sdk_tries_again_by_itself(own: Provider) -> None:
    own.turn("chaos", fail=2, fail_status=503)
    assert client(own, retries=2).payment_intents.create(EUR).amount == 500


def test_a_slow_call_does_not_keep_the_others(own: Provider) -> None:
    own.turn("chaos", slow_ms=300, only="refunds")
    slow = threading.Thread(target=own.v1.refunds.list)
    slow.start()
    client(own).customers.create({})
    assert slow.is_alive()
    slow.join()


def test_started_again_it_knows_everything(tmp_path: Path) -> None:
    options = Options(file=tmp_path / "sandbox.db")
    with provider(options) as own:
        made = own.paid("pm_success_sepaDebit")
        price = own.monthly()
        first = own.v1.customers.create({"email": "a@b.fr"}, {"idempotency_key": "a"})
        draft = own.v1.invoices.create({"customer": first.id})
        item = {"customer": first.id, "amount": 10, "currency": "eur", "invoice": draft.id}
        own.v1.invoice_items.create(item)
        own.turn("clock", advance=1)
    with provider(options) as again:
        assert again.sandbox.world.shift == 1
        assert (
            again.v1.customers.create({"email": "a@b.fr"}, {"idempotency_key": "a"}).id == first.id
        )
        assert again.v1.prices.retrieve(price.id).unit_amount == 2900
        again.v1.invoice_items.create(item)
        assert again.v1.invoices.retrieve(draft.id).total == 20
        again.turn("clock", advance=5)
        assert again.v1.payment_intents.retrieve(made.id).status == "succeeded"
        assert len(again.v1.events.list({"limit": 100}).data) > 5


TREES = st.recursive(
    st.text(max_size=8),
    lambda inner: st.one_of(
        st.dictionaries(
            st.from_regex(r"[a-z_]{1,6}", fullmatch=True), inner, min_size=1, max_size=3
        ),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,6}", fullmatch=True), TREES, max_size=4))
def test_a_form_is_read_as_the_sdk_writes_it(tree: dict[str, Any]) -> None:
    from urllib.parse import urlencode  # noqa: PLC0415

    from stripe._encode import _api_encode  # noqa: PLC0415  # the SDK's own writer

    text = urlencode(list(_api_encode(tree)))
    try:
        assert forms.decode(text) == tree
    except Refused:
        assert text.count("%5B") >= forms.DEPTH - 1


@pytest.mark.parametrize("text", ["a[b=1", "a=1&a[b]=2", "a[b]=1&a=2", "%ff=1", "[a]=1"])
def test_what_is_no_form_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        forms.decode(text)


def test_a_body_that_is_too_large(shared: Provider) -> None:
    said = {"authorization": f"Bearer {KEY}", "content-type": "application/x-www-form-urlencoded"}
    answer = shared.http.post(f"{shared.base}/v1/customers", content=b"a" * 2_000_000, headers=said)
    assert answer.status_code == 413
