"""Where Stripe tells us what happens, over HTTP: what is kept, and what is sent away."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from comptoir.domains.payments.signature import sign
from tests.support.postgres import Cluster
from tests.support.site import Site, fresh, serving

pytestmark = pytest.mark.pg
PATHS = ("/api/webhooks/stripe", "/api/checkout/webhook", "/api/billing/webhooks")
SECRET = "whsec_test"


@pytest.fixture(scope="module")
def shop(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home: Path = tmp_path_factory.mktemp("home")
    with (
        cluster.database() as database,
        serving(
            database, home, STRIPE_SECRET_KEY="sk_test_sandbox", STRIPE_WEBHOOK_SECRET=SECRET
        ) as up,
    ):
        yield up


def event(id_: str, filler: int = 0) -> bytes:
    of = f'{{"id": "pi_1", "object": "payment_intent", "filler": "{"x" * filler}"}}'
    return f'{{"id": "{id_}", "type": "any", "created": 1, "data": {{"object": {of}}}}}'.encode()


def post(
    at: Site, body: bytes, header: str | bytes | None, path: str = PATHS[0]
) -> tuple[int, str]:
    headers = {} if header is None else {"Stripe-Signature": header}
    answer = at.call("POST", path, who=None, headers=headers, content=body)
    said = answer.json()
    return answer.status_code, said.get("code", "")


def kept(at: Site, id_: str) -> bool:
    return bool(at.sql("SELECT 1 FROM comptoir.inbox WHERE event_id = %s", id_))


@pytest.mark.parametrize("path", PATHS)
def test_a_signed_event_is_kept_at_each_address(shop: Site, path: str) -> None:
    id_ = fresh("evt")
    for _ in range(2):
        assert post(shop, event(id_), sign(event(id_), SECRET, int(time.time())), path) == (200, "")
    assert kept(shop, id_)


def test_who_has_not_signed_is_sent_away(shop: Site) -> None:
    id_, now = fresh("evt"), int(time.time())
    body = event(id_)
    for header in (
        None, "", "t=1", b"\xe9", sign(body, "other", now), sign(body, SECRET, now - 3_600),
        sign(body, SECRET, now + 3_600), sign(body + b" ", SECRET, now),
    ):  # fmt: skip
        assert post(shop, body, header) == (400, "bad-signature"), header
    assert not kept(shop, id_)


def test_an_event_of_two_megabytes(shop: Site) -> None:
    id_ = fresh("evt")
    body = event(id_, 2 * 1024 * 1024)
    assert post(shop, body, sign(body, SECRET, int(time.time()))) == (413, "event-too-large")
    smaller = event(id_, 200_000)
    assert post(shop, smaller, sign(smaller, SECRET, int(time.time()))) == (200, "")


def test_what_is_signed_and_no_event(shop: Site) -> None:
    for body in (b"", b"{", b"[]", b"{}", b"[" * 5000, b"\xff"):
        code = post(shop, body, sign(body, SECRET, int(time.time())))
        assert code == (422, "validation-failed"), body[:20]


def test_without_a_secret_nothing_is_believed(site: Site) -> None:
    """Also in production: whoever forgets the secret takes no event from anybody."""
    body = event(fresh("evt"))
    for header in (None, sign(body, "", int(time.time()))):
        assert post(site, body, header) == (503, "payments-not-configured")
