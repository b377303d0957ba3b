"""The doctor looks at Stripe: the key, the endpoint, its events, the secret, prices, what came."""

import psycopg
import pytest

from comptoir.flows.settling import EVENTS
from comptoir.web.catalogue import Exit
from tests.cli.conftest import Inside
from tests.cli.test_doctor import LONG, seen
from tests.support.postgres import Database
from tests.support.sandbox import Provider, provider

pytestmark = pytest.mark.pg
URL = "https://shop.example.com"
TEST_KEY = "sk_test_mine"
PRODUCTION = {"COMPTOIR_ENV": "production", "COMPTOIR_SECRET": LONG, "METRICS_TOKEN": LONG}
MINE = ("stripe", "signing", "endpoint", "events", "prices", "heard")


def found(run: Inside, **more: str) -> list[str | None]:
    said = seen(run, **more)
    return [said.get(check) for check in MINE]


def at(stripe: Provider, **more: str) -> dict[str, str]:
    """Settings that name a Stripe which is no sandbox as far as they say."""
    usual = {"STRIPE_SECRET_KEY": TEST_KEY, "STRIPE_WEBHOOK_SECRET": "whsec_x"}
    return usual | {"STRIPE_API_BASE": stripe.base, "COMPTOIR_PUBLIC_URL": URL} | more


def endpoint(stripe: Provider, *events: str, url: str = f"{URL}/api/webhooks/stripe") -> str:
    said = {"url": url, "enabled_events": list(events)}
    return stripe.v1.webhook_endpoints.create(said).id


def test_keys_that_do_not_fit(inside: Inside):
    assert found(inside)[0] == "stripe-later"
    assert found(inside, **PRODUCTION)[0] == "stripe-none"
    assert found(inside, STRIPE_SECRET_KEY="pk_test_x")[:2] == ["stripe-no-key", "signing-none"]
    assert found(inside, STRIPE_SECRET_KEY="sk_live_x")[0] == "stripe-live-here"
    away = {"STRIPE_SECRET_KEY": "rk_live_hush", "STRIPE_API_BASE": "http://127.0.0.1:1"}
    assert found(inside, **PRODUCTION, **away)[0] == "stripe-away"
    assert "hush" not in inside("doctor", **PRODUCTION, **away).out


def test_in_production_a_secret_that_is_missing_fails(inside: Inside):
    """People would pay, and no credits would ever come of it: no deployment may go on."""
    with provider() as stripe:
        endpoint(stripe, *EVENTS)
        said = at(stripe, **PRODUCTION)
        assert found(inside, **said)[1] == "signing"
        del said["STRIPE_WEBHOOK_SECRET"]
        told = inside("doctor", "--json", **said)
        [signing] = [each for each in told.json["checks"] if each["check"] == "signing"]
        assert (signing["code"], signing["state"]) == ("signing-none", "failed")
        for language, words in (
            ("en", ("STRIPE_WEBHOOK_SECRET is unset: no webhook is accepted", "Set it to the")),
            ("fr", ("STRIPE_WEBHOOK_SECRET n'est pas indiqué : aucun webhook", "Mettez-y le")),
        ):
            ended = inside("doctor", COMPTOIR_LOCALE=language, **said)
            assert ended.code == told.code == Exit.DEPENDENCY
            assert [each for each in words if each not in ended.out] == []


def test_where_stripe_sends_what(inside: Inside):
    with provider() as stripe:
        assert found(inside, **at(stripe))[:3] == ["stripe", "signing", "endpoint-none-here"]
        production = found(inside, **at(stripe, **PRODUCTION))
        assert production[:3] == ["stripe-test-in-production", "signing", "endpoint-none"]
        endpoint(stripe, "*", url="https://elsewhere.example.com/api/webhooks/stripe")
        assert found(inside, **at(stripe))[2] == "endpoint-elsewhere"
        ours = endpoint(stripe, *EVENTS[1:])
        assert found(inside, **at(stripe))[2:4] == ["endpoint", "events-missing"]
        assert f"does not send: {EVENTS[0]}." in inside("doctor", **at(stripe)).out
        stripe.v1.webhook_endpoints.update(ours, {"enabled_events": list(EVENTS)})
        assert found(inside, **at(stripe))[2:4] == ["endpoint", "events"]
        stripe.v1.webhook_endpoints.update(ours, {"disabled": True})
        assert found(inside, **at(stripe))[2] == "endpoint-off"
        odd = found(inside, **at(stripe, STRIPE_WEBHOOK_SECRET="whsec_a, hush"))
        assert odd[1] == "signing-odd"


def test_prices_and_what_has_come(inside: Inside, database: Database):
    with provider() as stripe:
        said = at(stripe)
        assert found(inside, **said)[4:] == ["prices-none", "heard-nothing"]
        inside("pack", "seed")
        assert found(inside, **said)[4] == "prices-missing"
        pushed = inside("pack", "push", "--json", **said).json["items"]
        assert found(inside, **said)[4] == "prices"
        monthly = next(each for each in pushed if each["item"] == "plan:pro:month")
        stripe.v1.prices.update(monthly["provider_price"], {"active": False})
        assert found(inside, **said)[4] == "prices-differ"
        assert "archived: plan:pro:month." in inside("doctor", **said).out
        wrong = found(inside, **said, STRIPE_PRICE_CREDITS_100="price_nobody")
        assert wrong[4] == "prices-differ"
        receive(database, "done", "NULL")
        assert found(inside, **said)[5] == "heard"
        receive(database, "failed", "now()")
        assert found(inside, **said)[5] == "heard-late"
        receive(database, "dead", "NULL")
        assert found(inside, **said)[5] == "heard-dead"


def receive(database: Database, state: str, due: str) -> None:
    """An event that came half an hour ago."""
    statement = (
        "INSERT INTO comptoir.inbox (book_id, source, event_id, type, object_id, livemode,"
        " occurred_at, via, body, received_at, state, due_at) VALUES (1, 'stripe', %s,"
        " 'invoice.paid', 'in_1', false, now(), 'webhook', '{}', now() - interval '30 minutes',"
        f" %s, {due})"
    )
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(statement.encode(), (f"evt_{state}", state))
