"""Nobody opens what is another customer's: a matrix of all routes, made from the routes themselves.

What a route may name is sorted by field: what belongs to somebody, and what does not. A field or an
id that is not sorted fails here, and so does a page that is not.
"""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx2
import pytest

from comptoir.kit.actor import Role
from comptoir.web.dashboard import pages as operators
from comptoir.web.portal import pages as portal
from comptoir.web.routing import PUBLIC, Operation
from comptoir.web.server import DOCUMENTED, create_app
from tests.support.counter import put
from tests.support.site import Site, fresh
from tests.support.visitors import Customer, link, token

pytestmark = pytest.mark.pg
REFUSED: Final = {401, 403, 404}

OWNED: Final = {
    "claim", "customer", "event", "from", "hold", "id", "lease", "lock", "movement",
    "order_number", "reference", "requests", "reservation", "subject", "to", "unique",
}  # fmt: skip
"""Fields by which a route may be told of something that is somebody's."""

FREE: Final = {
    "action", "amount", "asset", "at", "atomic", "book", "by", "cancel_url", "client_secret",
    "code", "cost", "counters", "currency", "cursor", "dry_run", "email", "enabled", "error",
    "expires_at", "final", "fix", "full", "generation", "group", "if_spent", "interval", "items",
    "key", "kind", "lease_seconds", "limit", "limits", "lines", "locale", "metadata", "metric",
    "metrics", "minutes", "model", "monthly_cap", "name", "note", "on_excess",
    "on_payment_failed", "on_refund", "overlap_seconds", "pack", "pattern", "payload", "plan",
    "price", "priority", "product", "quantity", "queue", "real_cost", "reason", "refund",
    "result", "return_url", "role", "run_at", "said", "scale", "scope", "since", "size", "sizes",
    "state", "status", "store", "success_url", "time_zone", "troubles", "ttl_seconds", "type",
    "types", "url", "value", "wait_seconds", "when_down",
}  # fmt: skip
"""Fields that name nobody and nothing of anybody's."""

OPEN: Final = {
    "/docs", "/docs/style.css", "/embed.d.ts", "/embed.js", "/embed.json", "/health/live",
    "/health/ready", "/metrics", "/openapi.json", "/problems", "/problems/{code}",
    "/static/{digest}/{name}", "/custom-elements.json", "/docs/guide",
    "/docs/guide/{section}/{name}",
}  # fmt: skip
"""What says the same to everybody."""


@dataclass(frozen=True, slots=True)
class Bea:
    """A customer, and what is hers.

    Attributes:
        things: what a path may name, by what comes before it.
        marks: what only she may read.
    """

    name: str
    hold: str
    movement: str
    things: dict[str, str]
    marks: tuple[str, ...]

    def of(self, operation: Operation, field: str) -> object:
        """What of hers a field of a route names."""
        if field == "id":
            before = operation.path.partition("{id}")[0]
            assert before in self.things, f"{operation.path}: what is an id there? Sort it."
            return self.things[before]
        usual: dict[str, object] = {
            "customer": self.name, "from": self.name, "hold": self.hold, "to": "someone",
            "movement": self.movement, "subject": self.name, "event": self.things["/api/hooks/"],
            "reservation": self.things["/api/stock/reservations/"], "reference": "bea-reference",
            "lock": "lock_" + "0" * 32, "claim": f"claim_{'0' * 32}_1", "unique": "bea",
            "lease": "0" * 32, "order_number": "ORD-2026-000001",
            "requests": [{"op": "spend", "idempotency_key": "k", "customer": self.name,
                          "amount": "1"}],
        }  # fmt: skip
        return usual[field]


@pytest.fixture(scope="module")
def site(market: Site) -> Site:
    return market


@pytest.fixture(scope="module")
def bea(site: Site) -> Bea:
    name = "bea-of-somewhere"
    granted = site.grant(name, "7654321", reason="bea-reason", reference="bea-reference")
    site.call("PUT", f"/api/customers/{name}", {"email": "bea@private.test", "name": "Bea Private"})
    held = {"customer": name, "amount": "4321987", "ttl_seconds": 3600}
    hold = site.post("/api/credits/holds", held).json()["hold"]["id"]
    bought = site.post("/api/credits/buy", {"customer": name, "pack": "500"}).json()["purchase"]
    product = put(site, 50)
    line = {"product": product, "size": "M", "quantity": 7}
    ordered = {"items": [line], "customer": name, "email": "bea@private.test"}
    order = site.post("/api/checkout/create-payment-intent", ordered).json()["order"]
    body = {"items": [line], "reference": "bea-cart"}
    reserved = site.post("/api/stock/reservations", body).json()["reservation"]
    paying = {"reference": "bea-invoice", "amount": 4711987, "currency": "eur", "customer": name}
    payment = site.post("/api/payments/create", paying).json()["payment"]
    job = site.post("/api/jobs", {"type": "t", "payload": {"bea": "bea-payload"}}).json()["id"]
    key = site.get("/api/keys").json()["items"][0]["id"]
    nothing = "00000000-0000-7000-8000-000000000000"
    things = {
        "/api/credits/purchases/": bought, "/api/orders/": order, "/api/payments/": payment,
        "/api/stock/reservations/": reserved, "/api/jobs/": job, "/api/keys/": key,
        "/api/hooks/": nothing, "/api/admin/webhooks/": "evt_1", "/api/admin/cases/": nothing,
        "/api/counters/{name}": "event-1", "/api/usage": "event-1",
    }  # fmt: skip
    figures = ("7654321", "7,654,321", "3332334", "3,332,334", "4321987", "4711987")
    texts = ("bea-reason", "bea-reference", "bea@private.test", "Bea Private", "bea-payload")
    marks = (*figures, *texts, bought, order, payment, hold)
    return Bea(name, hold, granted["movement"]["id"], things, marks)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is not Bea."""

    who: str | None
    cookies: dict[str, str]


@pytest.fixture(scope="module")
def callers(site: Site) -> dict[str, Caller]:
    mine = fresh("adam")
    site.grant(mine, "5")
    with httpx2.Client(timeout=60) as http:
        kept = dict(Customer(site, http).enter(mine).http.cookies)
    secret = link(site, mine).partition("token=")[2]
    return {
        "customer": Caller(token(site, mine), {}),
        "customer of the other book": Caller(token(site, mine, "test_svc"), {}),
        "guest": Caller(None, {}),
        "portal session": Caller(None, kept),
        "portal session as a key": Caller(kept["comptoir-portal"], {}),
        "portal link as a key": Caller(secret, {}),
    }


def fields_of(operation: Operation) -> set[str]:
    found = set(re.findall(r"\{(\w+)\}", operation.path))
    for model in (operation.query, operation.body):
        if model is not None and model.__name__ != "Anything":
            found |= {each.alias or name for name, each in model.model_fields.items()}
    return found


def named(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def call(
    site: Site, operation: Operation, caller: Caller, said: dict[str, object]
) -> httpx2.Response:
    """Ask a route of something, with whatever else it wants as its documentation has it."""
    parts = {
        "book": "test", "metric": "ai-calls", "name": "quotes", "product": "TEE", "lock": "l",
        "claim": "c", "id": "x", "customer": "x", "hold": "x",
    }  # fmt: skip
    path = operation.path.format_map(
        {name: quote(str(value), safe="") for name, value in (parts | said).items()}
    )
    left = {name: value for name, value in said.items() if f"{{{name}}}" not in operation.path}
    query = {k: v for k, v in left.items() if k in _aliases(operation.query)}
    if query:
        path += "?" + urlencode(query)
    body: Any = None
    if operation.body is not None:
        asked = operation.ask if isinstance(operation.ask, dict) else {}
        body = {k: v for k, v in asked.items() if k not in OWNED}
        body |= {k: v for k, v in left.items() if k in _aliases(operation.body)}
    headers: dict[str, str | bytes] = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in caller.cookies.items()),
        "Origin": site.url, "Sec-Fetch-Site": "same-origin",
    }  # fmt: skip
    return site.call(operation.method, path, body, who=caller.who, headers=headers)


def _aliases(model: Any) -> set[str]:  # noqa: ANN401  # a class of pydantic's, or None
    if model is None:
        return set()
    return {each.alias or name for name, each in model.model_fields.items()}


def hers(site: Site) -> list[tuple[Any, ...]]:
    """What nobody else may change."""
    return site.sql(
        "SELECT a.posted, a.held, a.version, c.plan, c.email, c.erased_at,"
        " (SELECT count(*) FROM comptoir.purchases p WHERE p.customer_id = c.id),"
        " (SELECT string_agg(o.status, ',') FROM comptoir.orders o),"
        " (SELECT string_agg(p.status, ',' ORDER BY p.id) FROM comptoir.payments p"
        "  WHERE p.customer_id = c.id),"
        " (SELECT count(*) FROM comptoir.keys WHERE revoked_at IS NOT NULL),"
        " (SELECT count(*) FROM comptoir.top_ups t WHERE t.customer_id = c.id)"
        " FROM comptoir.customers c JOIN comptoir.accounts a ON a.customer_id = c.id"
        " WHERE c.customer = 'bea-of-somewhere' AND c.book_id = 1 AND a.book_id = 1"
    )


def test_every_field_and_every_page_is_sorted() -> None:
    """Whoever adds a route sorts what it may name, so that the matrix knows what to try."""
    assert not OWNED & FREE
    found = [(named(each), fields_of(each)) for each in DOCUMENTED]
    assert [(name, said - OWNED - FREE) for name, said in found if said - OWNED - FREE] == []
    assert (OWNED | FREE) - set().union(*(said for _, said in found)) == set()

    async def nobody() -> None:
        """An application that is never opened."""

    served = {route.path for route in create_app(nobody).router.routes}  # type: ignore[arg-type]
    known = {each.path for each in (*DOCUMENTED, *operators.OPERATIONS, *portal.OPERATIONS)}
    known = {path.replace("{customer}", "{customer:path}") for path in known}
    assert {path for path in served if isinstance(path, str)} - known == OPEN


@pytest.mark.parametrize("operation", DOCUMENTED, ids=named)
def test_nothing_of_hers_is_opened(
    site: Site, bea: Bea, callers: dict[str, Caller], operation: Operation
) -> None:
    before = hers(site)
    owned = fields_of(operation) & OWNED
    if operation.path != "/api/ledger/transfer":
        owned -= {"from", "to"}  # times, elsewhere
    for who, caller in callers.items():
        for field in sorted(owned):
            said = {field: bea.of(operation, field)}
            reply = call(site, operation, caller, said)
            where = (named(operation), who, field, reply.status_code, reply.text)
            if operation.roles == PUBLIC:  # Stripe's deliveries: a signature opens them, no caller
                assert reply.status_code == 400, where
                continue
            assert reply.status_code in REFUSED, where
            if field == "customer" and who == "customer" and Role.CUSTOMER in operation.roles:
                assert reply.json()["code"] == "unknown-customer", where
            assert_hers_is_hers(bea, reply, said)
        if "{" not in operation.path and operation.roles != PUBLIC:
            assert_hers_is_hers(bea, call(site, operation, caller, {}), {})
    assert hers(site) == before


def assert_hers_is_hers(bea: Bea, reply: httpx2.Response, said: dict[str, object]) -> None:
    """Nothing of hers is read but what the caller has said himself, which a refusal repeats."""
    for mark in bea.marks:
        if mark not in str(said):
            assert mark not in reply.text, (mark, reply.text)
            assert mark not in str(reply.headers)


@pytest.mark.parametrize("operation", operators.OPERATIONS, ids=named)
def test_pages_of_operators(
    site: Site, bea: Bea, callers: dict[str, Caller], operation: Operation
) -> None:
    before = hers(site)
    for who, caller in callers.items():
        stolen = {"comptoir-operator": caller.cookies.get("comptoir-portal", "")}
        for each in (caller, Caller(caller.who, caller.cookies | stolen)):
            path = operation.path.replace("{customer}", bea.name)
            path = re.sub(r"\{\w+\}", "x", path)
            reply = page(site, operation.method, path, each, bea)
            assert reply.status_code in REFUSED, (path, who, reply.status_code)
            assert_hers_is_hers(bea, reply, {})
    assert hers(site) == before


@pytest.mark.parametrize("operation", portal.OPERATIONS, ids=named)
def test_pages_of_customers(
    site: Site, bea: Bea, callers: dict[str, Caller], operation: Operation
) -> None:
    before = hers(site)
    names = {
        "customer": bea.name, "account": bea.name, "hold": bea.hold, "id": bea.name,
        "movement": bea.movement, "token": bea.name, "asset": "credits", "below": "99999",
        "purchase": bea.things["/api/credits/purchases/"], "order": bea.things["/api/orders/"],
        "payment": bea.things["/api/payments/"], "session": "cs_test_1", "plan": "pro",
    }  # fmt: skip
    for who, caller in callers.items():
        is_open = operation.path == "/return"
        tried = names if is_open or (caller.cookies and operation.method == "GET") else {}
        for name, value in ({"": "", "customer": bea.name} | tried).items():
            path = operation.path + (f"?{urlencode({name: value})}" if name else "")
            reply = page(site, operation.method, path, caller, bea)
            assert reply.status_code < 500, (path, who)
            assert_hers_is_hers(bea, reply, {name: value})
            if not is_open and not caller.cookies:
                assert reply.status_code in REFUSED, (path, who, reply.status_code)
    assert hers(site) == before


def page(site: Site, method: str, path: str, caller: Caller, bea: Bea) -> httpx2.Response:
    """Ask for a page, or send a form to it that names her wherever it can."""
    headers = {
        "Origin": site.url, "Sec-Fetch-Site": "same-origin",
        "Cookie": "; ".join(f"{name}={value}" for name, value in caller.cookies.items()),
    } | ({"Authorization": f"Bearer {caller.who}"} if caller.who else {})  # fmt: skip
    form = {"customer": bea.name, "token": bea.name, "pack": "100", "key": "k" * 20, "csrf": "x",
            "hold": bea.hold, "amount": "1", "reason": "why", "book": "test"}  # fmt: skip
    more: dict[str, Any] = {"data": form} if method == "POST" else {}
    return site.http.request(method, site.url + path, headers=headers, **more)


def test_a_form_of_ones_own_that_names_her(site: Site, bea: Bea) -> None:
    """With all that makes it his own: what it names besides is not read."""
    before, mine = hers(site), fresh("adam")
    site.grant(mine, "5")
    with httpx2.Client(timeout=60) as http:
        adam = Customer(site, http).enter(mine)
        form = adam.form() | {"customer": bea.name, "account": bea.name, "id": bea.name}
        done = adam.send("/portal/buy", form | {"pack": "100"})
        assert done.status_code == 303
        adam.send("/portal/subscription", form)
    assert hers(site) == before
    [(name,)] = site.sql(
        "SELECT c.customer FROM comptoir.purchases p"
        " JOIN comptoir.customers c ON c.book_id = p.book_id AND c.id = p.customer_id"
        " ORDER BY p.id DESC LIMIT 1"
    )
    assert name == mine


def test_the_matrix_finds_what_is_open(site: Site, bea: Bea) -> None:
    """Her own token opens all of it: else the matrix would be content with anything."""
    own = Caller(token(site, bea.name), {})
    found = 0
    for operation in DOCUMENTED:
        if operation.method != "GET" or Role.CUSTOMER not in operation.roles:
            continue
        fields = fields_of(operation) & {"customer", "hold", "id"}
        said = {field: bea.of(operation, field) for field in fields}
        reply = call(site, operation, own, said)
        found += reply.status_code == 200 and any(mark in reply.text for mark in bea.marks)
    assert found >= 7
