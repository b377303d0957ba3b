"""A shop with something on every page: ordinary figures, and the longest that may come."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote
from uuid import UUID

from comptoir.app import App, Urls, open_app
from comptoir.domains.identity.operators import hash_secret
from comptoir.flows import stocking
from comptoir.kit.ids import request_id
from comptoir.ledger.model import Kind
from comptoir.ledger.requests import Grant
from tests.support.counter import RESERVATIONS, buy, cart, move, pay, put
from tests.support.jobs import job
from tests.support.operators import new_id
from tests.support.sandbox import Provider
from tests.support.site import Site, fresh

ANN = "ann@example.com"
LOW = "ben@example.com"
NEW = "carl@example.com"
LONG = "a-customer-with-a-name-that-is-far-too-long-for-any-column@" + "x" * 60 + ".example"
GOES_ON = "A reason that goes on and on " * 8
_HOME = "/dashboard"


def furnish(site: Site, stripe: Provider) -> dict[str, str]:
    """Something of everything, as a small shop has it; the pages on which it is, by their names."""
    _beside(_stocked(site))
    site.grant(ANN, "1250.5", reason="Welcome gift", reference="order-1842")
    site.grant(LOW, "100", reason="Trial")
    for customer, amount in ((ANN, "12.25"), (LOW, "95")):
        _done(site, "credits/spend", {"customer": customer, "amount": amount, "reason": "Picture"})
    for customer, action in ((ANN, "ai.generate"), (ANN, "3d.render-highres")):
        _done(site, "credits/spend", {"customer": customer, "action": action})
    held = {"customer": ANN, "amount": "8", "ttl_seconds": 600, "reason": "Render"}
    _done(site, "credits/holds", held)
    [(soon,)] = site.sql(
        "SELECT to_char(now() + interval '9 days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    )
    site.grant(ANN, "20", reason="For a friend", expires_at=soon)
    shirt = put(site, 120, name="T-shirt", low=10)
    mug = put(site, 2, name="Mug", low=5)
    assert move(site, shirt, -2, "adjustment").status_code == 201
    aside = {**cart(shirt, 2), "reference": "cart-1842", "minutes": 20}
    reserved = _done(site, RESERVATIONS.removeprefix("/api/"), aside)["reservation"]
    sold = buy(site, shirt, 2, customer=ANN, email=ANN)
    pay(site, stripe, sold)
    _done(site, f"payments/{sold['order']}/refund", {"amount": 1250, "reason": "A stain"})
    waiting = buy(site, shirt, 1, customer=LOW, email=LOW)
    _arrived(site, "evt_1QmXdead", "dead", "charge.refunded", "Timeout")
    _arrived(site, "evt_1QmXdone", "done", "payment_intent.succeeded", None)
    _opened(site, "dispute", "du_1QmX")
    dead = job(site, "reports.monthly", payload={"month": "2026-10"}, error="TimeoutError")
    for each in ("pending", "running", "succeeded", "failed", "cancelled"):
        job(site, f"pdf.{each}", each, payload={"quote": "q-1842"}, error="TimeoutError")
    site.post("/api/hooks", {"url": "https://shop.example/hooks", "types": ["*"]})
    return {
        "overview": _HOME, "accounts": f"{_HOME}/accounts", "account": f"{_HOME}/accounts/{ANN}",
        "credits": f"{_HOME}/credits", "stock": f"{_HOME}/stock",
        "product": f"{_HOME}/stock/{shirt}", "product-low": f"{_HOME}/stock/{mug}",
        "reservations": f"{_HOME}/reservations", "reservation": f"{_HOME}/orders/{reserved}",
        "orders": f"{_HOME}/orders", "order": f"{_HOME}/orders/{sold['order']}",
        "order-open": f"{_HOME}/orders/{waiting['order']}", "jobs": f"{_HOME}/jobs",
        "job": f"{_HOME}/jobs/{dead}", "webhooks": f"{_HOME}/webhooks",
        "webhook": f"{_HOME}/webhooks/evt_1QmXdead", "cases": f"{_HOME}/cases",
        "margin": f"{_HOME}/margin?days=30", "settings": f"{_HOME}/settings",
        "audit": f"{_HOME}/settings/audit",
    }  # fmt: skip


def overfill(site: Site, stripe: Provider) -> dict[str, str]:
    """What is too long, too large, or not there; the pages that show it best."""
    site.grant(LONG, "123456789012", reason=GOES_ON, reference="r" * 90)
    site.call("PUT", f"/api/customers/{quote(LONG, safe='')}", {"name": "N" * 90})
    _done(site, "credits/holds", {"customer": LONG, "amount": "12.25", "ttl_seconds": 900})
    [(soon,)] = site.sql(
        "SELECT to_char(now() + interval '3 days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    )
    site.grant(LONG, "12345678.5", reason="Ends soon", expires_at=soon)
    action = {"action": "3d.render-in-a-very-high-resolution", "amount": "5"}
    assert site.call("PUT", "/api/credits/prices", action).status_code in {200, 201}
    _done(site, "credits/spend", {"customer": LONG, "action": action["action"]})
    site.sql(
        "INSERT INTO comptoir.packs (book_id, pack, version, name, asset_id, credits, amount,"
        " currency, tax_percent, tax_included, active) SELECT 1, 'big', 1,"
        ' \'{"en": "A pack with a long name, for teams"}\', min(id), 1000 * 10 ^ min(scale),'
        " 1234567890, 'eur', 20, true, true FROM comptoir.assets"
        " WHERE book_id = 1 AND code = 'credits'"
    )
    price = {"amount": 11_100, "currency": "eur"}
    heavy = put(site, 987_654, price=price, name="T-shirt of organic cotton, heavy, unbleached")
    both = {"items": [*cart(heavy, 9_000)["items"], *cart(put(site, 50), 3)["items"]]}
    wanted = both | {"customer": LONG, "email": "somebody@example.com"}
    large = site.post("/api/checkout/create-payment-intent", wanted, who="svc")
    assert large.status_code == 201, large.text
    sold = buy(site, heavy, 2, customer=LONG, email="ann.other@example.com")
    pay(site, stripe, sold)
    _done(site, f"payments/{sold['order']}/refund", {"amount": 1, "reason": GOES_ON})
    _opened(site, "late-payment", sold["order"])
    _arrived(site, "evt_" + "9" * 60, "done", "a." * 30, None)
    _done(site, "stock/reservations", {**cart(heavy), "reference": "c" * 90, "minutes": 9_000})
    link = "https://shop.example/" + "x" * 90
    long_job = job(
        site, "a-very-long-type.of-a-job-indeed", payload={"url": link, "n": 10**15},
        error="Unreachable" * 12,
    )  # fmt: skip
    site.post("/api/hooks", {"url": link, "types": ["*"]})
    return {
        "long-account": f"{_HOME}/accounts/{LONG}", "long-product": f"{_HOME}/stock/{heavy}",
        "long-order": f"{_HOME}/orders/{sold['order']}",
        "large-order": f"{_HOME}/orders/{large.json()['order']}",
        "long-job": f"{_HOME}/jobs/{long_job}", "no-jobs": f"{_HOME}/jobs?state=dead&type=nothing",
        "no-orders": f"{_HOME}/orders?customer=nobody",
        "no-margin": f"{_HOME}/margin?days=1&model=none",
        "no-events": f"{_HOME}/webhooks?type=nothing", "missing": f"{_HOME}/accounts/nobody",
    }  # fmt: skip


def _done(site: Site, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = site.post(f"/api/{path}", body)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


def _arrived(site: Site, id_: str, state: str, type_: str, error: str | None) -> None:
    site.sql(
        "INSERT INTO comptoir.inbox (book_id, source, event_id, type, object_id, livemode,"
        " occurred_at, via, body, state, attempts, due_at, error) VALUES (1, 'stripe', %s, %s,"
        " 'pi_3QmX', false, now(), 'webhook', %s, %s, 12, NULL, %s)",
        id_, type_, '{"id":"evt_1","data":{"object":{"id":"' + "x" * 90 + '"}}}', state, error,
    )  # fmt: skip


def _opened(site: Site, kind: str, subject: str) -> None:
    site.sql(
        "INSERT INTO comptoir.cases (book_id, id, kind, subject, figures) VALUES"
        " (1, %s, %s, %s, '{\"amount\": 7900, \"currency\": \"eur\"}')", new_id(), kind, subject,
    )  # fmt: skip


async def _stocked(site: Site) -> None:
    """Packs and prices of the file that a shop begins with, and credits that somebody has paid."""
    urls = Urls(site.app.urls.app, site.app.urls.owner)
    async with open_app(site.app.settings, urls) as app:
        await stocking.seed(app.till, 1, stocking.read())
        await _paid(app, ANN)


async def _paid(app: App, customer: str) -> None:
    asset = await app.directory.asset(1, "credits")
    account = await app.directory.account(1, asset, customer)
    batch = await app.batch(1)
    await batch.submit((
        Grant(
            request_id(1, fresh("paid")), b"paid" * 4, account, asset.issuer, 100 * 10**asset.scale,
            kind=Kind.PURCHASE, source="payment", paid=1900, tax=0, currency="eur",
        ),
    ))  # fmt: skip


def _beside(work: Coroutine[Any, Any, None]) -> None:
    """Run something in a loop of its own: a browser's is in the way of others in this thread."""
    with ThreadPoolExecutor(1) as beside:
        beside.submit(asyncio.run, work).result()


def session(site: Site) -> str:
    """The cookie of an operator who has signed in."""
    token = fresh("t").ljust(43, "t")
    site.sql(
        "INSERT INTO comptoir.operator_sessions (book_id, id, hash, name, role, shown_book,"
        " expires_at) VALUES (1, %s, %s, 'Ann', 'admin', 1, now() + interval '1 hour')",
        UUID(int=new_id().int + 10**6), hash_secret(token),
    )  # fmt: skip
    return token
