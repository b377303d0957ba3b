"""Who may do what, in which book; how keys and tokens end."""

from collections.abc import Callable
from typing import Any

import pytest

from comptoir.domains.identity.model import CustomerToken, write_token
from comptoir.kit.actor import Actor, Role
from comptoir.kit.limits import SECOND
from comptoir.web.auth import Doorman, Found, Unauthorized
from comptoir.web.routing import EVERYBODY, OPERATORS, PUBLIC, Operation
from comptoir.web.server import DOCUMENTED
from tests.support.site import LIVE, Site, fresh

HOLD = "hold_" + "0" * 32


def address(operation: Operation) -> str:
    parts = {
        "hold": HOLD, "customer": "nobody", "id": "00000000-0000-7000-8000-000000000000",
        "book": "test", "lock": "lock_" + "0" * 32, "claim": f"claim_{'0' * 32}_1",
        "metric": "ai-calls", "name": "quotes", "product": "TEE",
    }  # fmt: skip
    return operation.path.format_map(parts)


def token(site: Site, customer: str, **more: object) -> str:
    made = site.post("/api/customer-tokens", {"customer": customer} | more, who="svc")
    assert made.status_code == 201, made.text
    return made.json()["token"]


def name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


GUARDED = tuple(each for each in DOCUMENTED if each.roles != PUBLIC)


def test_what_everybody_may_call() -> None:
    """Only what carries a signature of its own: Stripe's deliveries."""
    assert {name(each) for each in DOCUMENTED if each.roles == PUBLIC} == {
        "POST /api/webhooks/stripe", "POST /api/billing/webhooks", "POST /api/checkout/webhook",
    }  # fmt: skip


@pytest.mark.parametrize("operation", GUARDED, ids=name)
def test_every_route_asks_who_calls(site: Site, operation: Operation) -> None:
    for authorization in (
        "", "Bearer", "Bearer nonsense", "Basic b3A6b3A=", "Bearer ck_live_op_short",
        "Bearer ck_live_op_" + "A" * 43, "Bearer ct_1.1.99999999999.AAAA", "Bearer ct_",
        "Bearer ct_x.y.z.w", site.keys["op"], "Bearer é",
    ):  # fmt: skip
        sent = {"Authorization": authorization.encode()}
        refused = site.call(operation.method, address(operation), who=None, headers=sent)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
        assert refused.headers["www-authenticate"] == 'Bearer realm="comptoir"'
        assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("operation", GUARDED, ids=name)
def test_roles(site: Site, operation: Operation) -> None:
    callers = {"svc": Role.SERVICE, token(site, fresh()): Role.CUSTOMER}
    for who, role in callers.items():
        done = site.call(operation.method, address(operation), {}, who=who)
        if role in operation.roles:
            assert done.status_code not in (401, 403), done.text
        else:
            assert (done.status_code, done.json()["code"]) == (403, "forbidden")


def test_what_only_operators_may() -> None:
    only = {name(each) for each in DOCUMENTED if each.roles == OPERATORS}
    assert only == {
        "POST /api/credits/reverse", "PUT /api/credits/prices", "GET /api/ledger/verify",
        "POST /api/assets", "POST /api/keys", "GET /api/keys", "DELETE /api/keys/{id}",
        "POST /api/keys/{id}/rotate", "POST /api/customers/{customer}/erase",
        "POST /api/books/{book}/reset", "POST /api/jobs/{id}/retry",
        "POST /api/jobs/{id}/cancel", "GET /api/cron/process-pdf",
        "GET /api/admin/stats", "POST /api/cache/sweep",
        "POST /api/payments/{id}/refund", "GET /api/credits/margin",
        "POST /api/tokens/{customer}/reset", "POST /api/hooks", "GET /api/hooks",
        "DELETE /api/hooks/{id}", "POST /api/hooks/{id}/roll", "POST /api/hooks/{id}/replay",
        "GET /api/hooks/{id}/deliveries", "GET /api/events", "GET /api/admin/webhooks",
        "GET /api/admin/webhooks/{id}", "POST /api/admin/webhooks/{id}/replay",
        "POST /api/admin/reconcile", "GET /api/admin/cases", "POST /api/admin/cases/{id}/close",
        "PUT /api/stock/products/{product}", "POST /api/stock/movements",
        "GET /api/stock/movements", "GET /api/admin/clean-expired-reservations",
        "POST /api/admin/clean-expired-reservations", "POST /api/orders/{id}/fulfil",
        "POST /api/orders/{id}/return", "GET /api/stream/changes",
    }  # fmt: skip


def test_what_customers_may() -> None:
    own = {name(each) for each in DOCUMENTED if each.roles == EVERYBODY}
    assert own == {
        "GET /api/credits/balance", "GET /api/credits/lots", "GET /api/credits/transactions",
        "GET /api/credits/holds", "GET /api/credits/holds/{hold}", "GET /api/credits/packs",
        "POST /api/credits/buy", "GET /api/credits/purchases/{id}", "GET /api/credits/top-up",
        "GET /api/billing/plans", "GET /api/billing/subscription", "POST /api/billing/checkout",
        "POST /api/billing/portal", "GET /api/tokens/{customer}/stats",
        "GET /api/tokens/{customer}/statements", "GET /api/stock/products",
        "GET /api/stock/products/{product}", "POST /api/checkout/create-payment-intent",
        "POST /api/checkout/create-session", "GET /api/orders", "GET /api/orders/{id}",
        "POST /api/orders/{id}/cancel", "GET /api/stream",
    }  # fmt: skip


def test_what_guests_may() -> None:
    """What a shop's page does for a stranger; all else asks who calls."""
    assert {name(each) for each in DOCUMENTED if each.guests} == {
        "GET /api/stock/products", "GET /api/stock/products/{product}",
        "POST /api/checkout/create-payment-intent", "POST /api/checkout/create-session",
        "GET /api/orders/{id}", "POST /api/orders/{id}/cancel",
    }  # fmt: skip


@pytest.mark.parametrize("operation", GUARDED, ids=name)
def test_who_sends_no_key_at_all(site: Site, operation: Operation) -> None:
    done = site.call(operation.method, address(operation), {}, who=None)
    if operation.guests:
        assert done.status_code in (200, 404, 422), done.text
    else:
        assert (done.status_code, done.json()["code"]) == (401, "unauthorized")


def test_a_customer_reads_his_own(site: Site) -> None:
    customer = site.rich("7")
    body = {"customer": customer, "amount": 1, "ttl_seconds": 60}
    hold = site.post("/api/credits/holds", body).json()["hold"]
    mine = token(site, customer)
    for query in ("", f"?customer={customer}"):
        assert site.get(f"/api/credits/balance{query}", who=mine).json()["balance"] == "7"
        for listed in ("lots", "transactions", "holds"):
            found = site.get(f"/api/credits/{listed}{query}", who=mine).json()
            assert len(found["items"]) == 1
    assert site.get(f"/api/credits/holds/{hold['id']}", who=mine).json() == hold


def test_a_customer_does_not_read_anybody_else(site: Site) -> None:
    other = site.rich("7")
    body = {"customer": other, "amount": 1, "ttl_seconds": 60}
    hold = site.post("/api/credits/holds", body).json()["hold"]["id"]
    mine = token(site, site.rich("5"))
    for path in ("balance", "lots", "transactions", "holds"):
        refused = site.get(f"/api/credits/{path}?customer={other}", who=mine)
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown-customer")
    refused = site.get(f"/api/credits/holds/{hold}", who=mine)
    assert (refused.status_code, refused.json()["code"]) == (404, "hold-not-found")


def test_a_token_of_one_book_is_nothing_in_the_other(site: Site) -> None:
    customer = site.rich("7")
    made = site.post("/api/customer-tokens", {"customer": customer}, who="test_svc").json()
    assert site.get("/api/credits/balance", who=made["token"]).json()["balance"] == "0"


def test_tokens_end(site: Site) -> None:
    now, customer = site.app.clock(), fresh()
    site.call("PUT", f"/api/customers/{customer}", {})
    [(id_,)] = site.sql("SELECT id FROM comptoir.customers WHERE customer = %s", customer)
    for left, status in ((3600, 200), (-1, 401)):
        until = now + left * SECOND
        text = write_token(site.app.secret, CustomerToken(LIVE, id_, until))
        assert site.get("/api/credits/balance", who=text).status_code == status


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t.replace("ct_1.", "ct_2.")], ids=["shorter", "book"]
)
def test_changed_tokens(site: Site, change: Callable[[str], str]) -> None:
    text = change(token(site, fresh()))
    assert site.get("/api/credits/balance", who=text).status_code == 401


def test_books_are_apart(site: Site) -> None:
    customer = site.rich("7")
    body = {"customer": customer, "amount": 1, "ttl_seconds": 60}
    hold = site.post("/api/credits/holds", body).json()["hold"]["id"]
    movement = site.grant(customer)["movement"]["id"]
    assert site.balance(customer, who="test_op")["balance"] == "0"
    for verb in ("capture", "release"):
        done = site.post(f"/api/credits/holds/{hold}/{verb}", {}, who="test_op")
        assert (done.status_code, done.json()["code"]) == (404, "hold-not-found")
    assert site.get(f"/api/credits/holds/{hold}", who="test_op").status_code == 404
    undo = {"movement": movement, "reason": "x"}
    assert site.post("/api/credits/reverse", undo, who="test_op").status_code == 404
    assert site.get(f"/api/customers/{customer}", who="test_op").status_code == 404


def test_a_revoked_key_ends_at_once_where_it_was_revoked(site: Site) -> None:
    made = site.post("/api/keys", {"role": "service", "name": "Shop"}).json()
    assert site.get("/api/customers", who=made["key"]).status_code == 200
    gone = site.call("DELETE", f"/api/keys/{made['id']}")
    assert (gone.status_code, gone.json()["revoked_at"] is None) == (200, False)
    assert site.get("/api/customers", who=made["key"]).status_code == 401
    again = site.call("DELETE", f"/api/keys/{made['id']}")
    assert again.json() == gone.json()


def test_an_expired_key(site: Site) -> None:
    text = site.add_key(LIVE, Role.OPERATOR, expires_at=site.app.clock() - SECOND)
    assert site.get("/api/customers", who=text).status_code == 401
    text = site.add_key(LIVE, Role.OPERATOR, expires_at=site.app.clock() + 60 * SECOND)
    assert site.get("/api/customers", who=text).status_code == 200


class _Frozen:
    """An App whose clock the test sets."""

    def __init__(self, site: Site) -> None:
        self.pool, self.secret, self.settings = site.app.pool, site.app.secret, site.app.settings
        self.now = site.app.clock()

    def clock(self) -> int:
        return self.now


class _Asked(Doorman):
    """Counts how often the database is asked."""

    asked = 0
    answer: Any = None

    async def _look_up(self, text: str, digest: bytes) -> Found:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        found = (self._app.clock(), *self.answer)
        self._known[digest] = found
        return found


class _Key:
    def __init__(self) -> None:
        self.id, self.book, self.usable = "id", LIVE, True

    def is_usable(self, _now: int) -> bool:
        return self.usable


async def test_a_key_is_believed_for_two_seconds(site: Site) -> None:
    app: Any = _Frozen(site)
    doorman, key = _Asked(app), _Key()
    actor = Actor(Role.SERVICE, LIVE, "x")
    doorman.answer = (key, actor)
    sent = b"Bearer ck_live_svc_" + b"A" * 43
    for step, asked in ((0, 1), (1_999_999, 1), (1, 2), (1_999_999, 2)):
        app.now += step
        assert await doorman.identify(sent, "/api") is actor
        assert doorman.asked == asked
    key.usable = False
    with pytest.raises(Unauthorized):
        await doorman.identify(sent, "/api")


async def test_the_admin_token_opens_its_own_paths_only(site: Site) -> None:
    app: Any = _Frozen(site)
    app.settings = site.app.settings.model_validate({"ADMIN_API_TOKEN": "s3cret"})
    doorman = Doorman(app)
    for path in ("/api/admin/stats", "/api/cron/process-pdf"):
        actor = await doorman.identify(b"Bearer s3cret", path)
        assert actor.role is Role.OPERATOR
        with pytest.raises(Unauthorized):
            await doorman.identify(b"Bearer s3cre", path)
    with pytest.raises(Unauthorized):
        await doorman.identify(b"Bearer s3cret", "/api/credits/spend")


async def test_last_use_is_noted_once_a_minute(site: Site) -> None:
    made = site.post("/api/keys", {"role": "service", "name": "Shop"}).json()
    assert made["last_used_at"] is None
    site.get("/api/customers", who=made["key"])
    last = "SELECT last_used_at FROM comptoir.keys WHERE id = %s"
    assert site.sql(last, made["id"]) == [(None,)]
    found = site.get("/api/keys?limit=100").json()["items"]
    assert made["id"] in [each["id"] for each in found]


async def test_noting_uses(site: Site) -> None:
    made = site.post("/api/keys", {"role": "service", "name": "Shop"}).json()
    # A doorman of this test's own loop, on a pool of its own.
    from comptoir.app import open_app  # noqa: PLC0415

    async with open_app(site.app.settings, site.app.urls) as app:
        doorman = Doorman(app)
        sent = f"Bearer {made['key']}".encode()
        await doorman.identify(sent, "/api")
        await doorman.note_uses()
        last = "SELECT comptoir.micros(last_used_at) FROM comptoir.keys WHERE id = %s"
        [[first]] = site.sql(last, made["id"])
        assert first is not None
        await doorman.identify(sent, "/api")
        await doorman.note_uses()
        assert site.sql(last, made["id"]) == [(first,)]
