"""Reconciling over HTTP: what was lost is found and mended, and the answer says so."""

import asyncio
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from comptoir.app import Urls, open_app
from comptoir.flows import stocking
from comptoir.web import words_payments
from tests.support.postgres import Database
from tests.support.sandbox import KEY, Provider, provider
from tests.support.site import Site, fresh, serving

pytestmark = pytest.mark.pg
PATH = "/api/admin/reconcile"


async def seed(at: Site, database: Database) -> None:
    async with open_app(at.app.settings, Urls(database.app_url, database.owner_url)) as app:
        await stocking.seed(app.till, 1, stocking.read())


def taking_money(database: Database, home: Path, base: str) -> AbstractContextManager[Site]:
    return serving(database, home, STRIPE_SECRET_KEY=KEY, STRIPE_API_BASE=base)


def paid(site: Site, stripe: Provider, customer: str) -> str:
    """A purchase that is paid, and of which nobody has told us."""
    body = {"customer": customer, "pack": "100"}
    begun = site.post("/api/credits/buy", body)
    assert begun.status_code == 201, begun.text
    session = begun.json()["checkout_url"].rpartition("/")[2]
    said = {"method": "pm_card_visa", "email": "buyer@example.com"}
    stripe.http.post(f"{stripe.base}/pay/{session}", data=said, follow_redirects=False)
    assert site.sql("SELECT count(*) FROM comptoir.inbox") == [(0,)]
    return begun.json()["purchase"]


def test_an_event_that_was_lost_is_found(database: Database, tmp_path: Path) -> None:
    with provider() as stripe, taking_money(database, tmp_path, stripe.base) as site:
        asyncio.run(seed(site, database))
        customer = fresh("customer")
        bought = paid(site, stripe, customer)
        for who, status in (("svc", 403), (None, 401)):
            assert site.post(PATH, {"fix": True}, who=who).status_code == status
        assert site.sql("SELECT count(*) FROM comptoir.inbox") == [(0,)]
        answer = site.post(PATH, {"fix": True}, who="op", headers={"Accept-Language": "fr"})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        kept = site.sql("SELECT event_id, type FROM comptoir.inbox")
        assert found["events"] == len(kept) == len(found["findings"]) > 0
        assert (found["objects"], found["payments"]) == (0, 1)
        assert {"payment_intent.succeeded", "checkout.session.completed"} <= {t for _, t in kept}
        assert {each["code"] for each in found["findings"]} == {"event-lost"}
        assert all(each["mended"] for each in found["findings"])
        told = [each["figures"] for each in found["findings"]]
        assert sorted((each["event"], each["type"]) for each in told) == sorted(kept)
        first = found["findings"][0]
        assert first["words"] == words_payments.finding(
            "event-lost", first["figures"], "fr", mended=True
        )
        shown = site.get(f"/api/credits/purchases/{bought}").json()
        assert (shown["status"], shown["balance"]["balance"]) == ("granted", "100")
        again = site.post(PATH, None, who="op").json()
        assert (again["findings"], again["payments"]) == ([], 1)
        assert site.balance(customer)["balance"] == "100"


def test_a_provider_that_is_away(database: Database, tmp_path: Path) -> None:
    with taking_money(database, tmp_path, "http://127.0.0.1:1") as site:
        down = site.post(PATH, {"fix": True}, who="op", headers={"Accept-Language": "fr"})
        assert (down.status_code, down.json()["code"]) == (503, "provider-down")
        assert down.headers["content-type"] == "application/problem+json"
        assert int(down.headers["retry-after"]) > 0
        assert site.sql("SELECT count(*) FROM comptoir.provider_cursors") == [(0,)]


def test_without_a_key_there_is_nobody_to_ask(site: Site) -> None:
    for language, title in (("en", "Payments not configured"), ("fr", "Paiements non configurés")):
        answer = site.post(PATH, {}, who="op", headers={"Accept-Language": language})
        assert (answer.status_code, answer.json()["code"]) == (503, "payments-not-configured")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["title"] == title
