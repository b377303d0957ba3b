"""A signature made here is good for Stripe's own library, and the reverse."""

import json

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from comptoir.domains.payments import signature
from comptoir.domains.payments.signature import TOLERANCE, Fault, fault_of, sign

NOW = 1_800_000_000
SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=1
)
EVENTS = st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=5)
theirs = stripe.WebhookSignature


def body_of(said: dict[str, object]) -> bytes:
    whole = {"object": "event", "id": "evt_1", "type": "a", "data": {"object": said}}
    return json.dumps(whole, ensure_ascii=False).encode(errors="replace")


def made_by_them(body: bytes, secret: str, at: int) -> str:
    mark = theirs._compute_signature(f"{at}.{body.decode()}", secret)  # nothing public signs
    return f"t={at},{theirs.EXPECTED_SCHEME}={mark}"


@given(EVENTS, SECRETS)
def test_ours_is_good_for_them(said: dict[str, object], secret: str) -> None:
    body = body_of(said)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: float(NOW))
        event = stripe.Webhook.construct_event(body, sign(body, secret, NOW), secret)
    assert event.id == "evt_1"


@given(EVENTS, SECRETS)
def test_theirs_is_good_for_us(said: dict[str, object], secret: str) -> None:
    body = body_of(said)
    header = made_by_them(body, secret, NOW)
    assert fault_of(body, header, [secret], NOW) is None
    assert header == sign(body, secret, NOW)


@given(EVENTS, SECRETS, st.data())
def test_a_changed_byte_is_noticed_by_both(
    said: dict[str, object], secret: str, choose: st.DataObject
) -> None:
    body = body_of(said)
    header = sign(body, secret, NOW)
    at = choose.draw(st.integers(0, len(body) - 1))
    changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    assert fault_of(changed, header, [secret], NOW) is Fault.WRONG
    with pytest.raises((stripe.SignatureVerificationError, UnicodeDecodeError)):
        theirs.verify_header(changed.decode(), header, secret)


@given(SECRETS, SECRETS)
def test_while_a_secret_is_rolled_either_fits(old: str, new: str) -> None:
    body = b"{}"
    both = sign(body, old, NOW) + "," + sign(body, new, NOW).partition(",")[2]
    assert fault_of(body, both, [new], NOW) is None
    assert theirs.verify_header("{}", both, old)
    assert fault_of(body, sign(body, old, NOW), [new, old], NOW) is None
    expected = None if old == new else Fault.WRONG
    assert fault_of(body, sign(body, old, NOW), [new], NOW) is expected


@pytest.mark.parametrize(
    ("off", "fault"),
    [
        (0, None), (-TOLERANCE, None), (TOLERANCE, None), (-TOLERANCE - 1, Fault.OLD),
        (TOLERANCE + 1, Fault.FUTURE), (10**9, Fault.FUTURE), (-NOW, Fault.OLD),
    ],
)  # fmt: skip
def test_only_so_far_from_now(off: int, fault: Fault | None) -> None:
    assert fault_of(b"{}", sign(b"{}", "s", NOW + off), ["s"], NOW) is fault


@pytest.mark.parametrize(
    "header",
    [
        "t=1800000000", "v1=ab", "t=,v1=ab", "t=x,v1=ab", "t=-1,v1=ab", "t=1e9,v1=ab", "é", ",,,",
        "t=1800000000,v0=ab", "t" * 5000, "t=" + "9" * 30 + ",v1=ab", "t=\u0661,v1=ab",
    ],
)  # fmt: skip
def test_what_is_no_signature(header: str) -> None:
    assert fault_of(b"{}", header, ["s"], NOW) is Fault.MALFORMED


def test_none_at_all() -> None:
    assert fault_of(b"{}", "", ["s"], NOW) is Fault.MISSING
    assert fault_of(b"{}", sign(b"{}", "s", NOW), [], NOW) is Fault.WRONG


@given(st.text(max_size=200), st.binary(max_size=50))
def test_nothing_that_is_sent_breaks_it(header: str, body: bytes) -> None:
    assert signature.fault_of(body, header, ["s"], NOW) is not None
