"""Everything that is kept about a person, in one document: whole, or not at all."""

import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from comptoir.app import EXPORTS
from comptoir.domains.credits import history
from comptoir.domains.payments import history as payments
from comptoir.domains.stock import queries as stock
from comptoir.web import spool
from comptoir.web.api import customers
from tests.support.postgres import Cluster
from tests.support.site import Site, fresh, serving


def exported(site: Site, customer: str, *, who: str = "svc") -> dict[str, Any]:
    found = site.get(f"/api/customers/{customer}/export", who=who)
    assert found.status_code == 200, found.text
    assert int(found.headers["content-length"]) == len(found.content)
    assert found.headers["cache-control"] == "no-store"
    return found.json()


def test_everything_is_there(site: Site) -> None:
    customer = fresh("customer")
    details = {"name": "Zoé", "email": "zoe@example.org", "metadata": {"campaign": "spring"}}
    made = site.call("PUT", f"/api/customers/{customer}", details).json()
    noted = {"reference": "order-1", "metadata": {"basket": "7"}}
    site.grant(customer, "100", **noted)
    site.call("PUT", "/api/credits/prices", {"action": "export.test", "amount": "5"})
    spent = site.post(
        "/api/credits/spend",
        {"customer": customer, "action": "export.test", "quantity": 2, "model": "large-2",
         "cost": "0.04"} | noted,
    ).json()  # fmt: skip
    body = {"customer": customer, "amount": "8", "ttl_seconds": 600, "on_excess": "cap"}
    hold = site.post("/api/credits/holds", body).json()["hold"]
    undo = {"movement": spent["movement"]["id"], "reason": "Given by mistake"}
    site.post("/api/credits/reverse", undo)
    site.grant(customer, 3, asset="tokens")
    found = exported(site, customer)
    assert (found["customer"], found["complete"]) == (made, True)
    coins, tokens = found["accounts"]
    assert coins["balance"] == site.balance(customer)
    assert tokens["balance"] == site.balance(customer, asset="tokens")
    assert [each["kind"] for each in coins["movements"]] == ["grant", "spend", "hold", "reversal"]
    grant, spend, held, reversal = coins["movements"]
    assert (grant["reason"], grant["reference"], grant["metadata"], grant["memo"]) == (
        "test", "order-1", {"basket": "7"}, None,
    )  # fmt: skip
    assert spend["memo"] == {
        "action": "export.test", "quantity": 2, "model": "large-2", "cost": "0.04",
    }  # fmt: skip
    assert (held["hold"], held["held"], reversal["reverses"]) == (
        hold["id"], "8", spent["movement"]["id"],
    )  # fmt: skip
    assert coins["lots"] == [
        {name: coins["lots"][0][name] for name in ("id", "expires_at")}
        | {"source": "grant", "granted": "100", "left": "100", "pinned": "8", "priority": 50,
           "reference": "order-1", "paid": None}
    ]  # fmt: skip
    assert coins["holds"] == [
        {name: hold[name] for name in ("id", "amount", "captured", "state", "expires_at", "group")}
        | {"on_excess": "cap", "opened_at": held["at"]}
    ]
    assert (len(tokens["movements"]), tokens["holds"]) == (1, [])


def test_lists_longer_than_a_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is lost or shown twice where pages meet, whatever the last page holds."""
    monkeypatch.setattr(history, "PAGE", 4)
    for extra in range(5):
        customer = site.rich("100", reference="one")
        requests = [
            {"op": "spend", "idempotency_key": fresh("key"), "customer": customer, "amount": "1"}
            for _ in range(6 + extra)
        ]
        site.post("/api/ledger/batch", {"requests": requests})
        for n in range(extra):
            site.grant(customer, "1", reference=f"r{n}")
        [account] = exported(site, customer)["accounts"]
        lines = account["movements"]
        assert [each["seq"] for each in lines] == list(range(1, 8 + 2 * extra))
        assert len(account["lots"]) == 1 + extra
        assert lines[-1]["after"] == account["balance"]["balance"]


PAID = """
WITH c AS (SELECT id FROM comptoir.customers WHERE book_id = %(book)s AND customer = %(customer)s),
    a AS (SELECT id FROM comptoir.assets WHERE book_id = %(book)s AND code = 'credits'),
    k AS (INSERT INTO comptoir.packs (book_id, pack, version, name, asset_id, credits, amount,
            currency)
        SELECT %(book)s, %(name)s, 1, '{}', a.id, 100000000, 1900, 'eur' FROM a
        RETURNING pack, asset_id),
    p AS (INSERT INTO comptoir.payments (book_id, id, customer_id, purpose, reference, amount,
            currency, livemode, status, intent, received, tax, created_at, paid_at)
        SELECT %(book)s, gen_random_uuid(), c.id, CASE WHEN n = 1 THEN 'pack' ELSE 'direct' END,
            %(name)s || n, 1900, 'eur', false, CASE WHEN n = 1 THEN 'paid' ELSE 'open' END,
            %(name)s || 'pi' || n, CASE WHEN n = 1 THEN 1900 END, 0, '2026-01-02', CASE WHEN n = 1
            THEN '2026-01-03'::timestamptz END
        FROM c, generate_series(1, %(times)s) n RETURNING id, purpose),
    u AS (INSERT INTO comptoir.purchases
        SELECT %(book)s, p.id, c.id, k.pack, 1, k.asset_id, 100000000, '2026-01-03'
        FROM p, c, k WHERE p.purpose = 'pack'),
    r AS (INSERT INTO comptoir.refunds (book_id, id, payment_id, provider_id, amount, status)
        SELECT %(book)s, gen_random_uuid(), p.id, %(name)s || x.amount, x.amount, x.status
        FROM p, (VALUES (500, 'succeeded'), (700, 'failed')) x(amount, status)
        WHERE p.purpose = 'pack')
INSERT INTO comptoir.subscriptions (book_id, provider_id, customer_id, livemode, plan, period,
        price, status, starts_at, ends_at, told_at, created_at)
    SELECT %(book)s, %(name)s, c.id, false, 'pro', 'month', 'p', 'active', '2026-01-02',
        '2026-02-02', '2026-01-02', '2026-01-02' FROM c"""


def paying(site: Site, customer: str, name: str, *, book: int = 1, times: int = 1) -> None:
    """Payments of a customer: the first one for a pack, a part of which went back; and a plan."""
    with psycopg.connect(site.owner_url, autocommit=True) as connection:
        given = {"customer": customer, "name": name, "book": book, "times": times}
        connection.execute(PAID.encode(), given)


def test_his_payments_and_plans_and_nobody_elses(site: Site) -> None:
    customer, other, name = fresh("customer"), fresh("customer"), fresh("name")
    for each in (customer, other):
        site.call("PUT", f"/api/customers/{each}", {})
    site.call("PUT", f"/api/customers/{customer}", {}, who="test_svc")
    paying(site, customer, name, times=2)
    paying(site, other, fresh("name"))
    paying(site, customer, fresh("name"), book=2)
    found = exported(site, customer)
    assert list(found)[-3:] == ["orders", "subscriptions", "complete"]
    by = {each["reference"]: each for each in found["payments"]}
    assert len(by) == len(found["payments"]) == 2
    assert by[f"{name}1"] == {
        "id": by[f"{name}1"]["id"], "purpose": "pack", "reference": f"{name}1",
        "price": {"amount": 1900, "currency": "eur"}, "status": "paid", "received": 1900, "tax": 0,
        "refunded": 500, "disputed": False, "intent": f"{name}pi1", "invoice": None,
        "purchase": {"pack": name, "asset": "credits", "credits": "100",
                     "granted_at": "2026-01-03T00:00:00.000000Z"},
        "created_at": "2026-01-02T00:00:00.000000Z", "paid_at": "2026-01-03T00:00:00.000000Z",
    }  # fmt: skip
    asked = by[f"{name}2"]
    assert (asked["status"], asked["received"], asked["refunded"]) == ("open", None, 0)
    assert (asked["purchase"], asked["paid_at"]) == (None, None)
    [plan] = found["subscriptions"]
    assert (plan["id"], plan["plan"], plan["status"]) == (name, "pro", "active")
    assert plan["period"] == {
        "start": "2026-01-02T00:00:00.000000Z", "end": "2026-02-02T00:00:00.000000Z",
        "interval": "month",
    }  # fmt: skip
    shown = site.get(f"/api/payments/{by[f'{name}1']['id']}", who="op").json()
    same = set(shown) - {"customer"}
    assert {key: shown[key] for key in same} == {key: by[f"{name}1"][key] for key in same}


@pytest.mark.parametrize("count", [3, 4, 5, 8])
def test_more_payments_than_a_page(site: Site, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(payments, "PAGE", 4)
    customer, name = fresh("customer"), fresh("name")
    site.call("PUT", f"/api/customers/{customer}", {})
    paying(site, customer, name, times=count)
    found = exported(site, customer)["payments"]
    assert sorted(each["reference"] for each in found) == [f"{name}{n + 1}" for n in range(count)]
    assert sum(each["refunded"] for each in found) == 500


def test_a_customer_without_accounts(site: Site) -> None:
    customer = fresh("customer")
    site.call("PUT", f"/api/customers/{customer}", {})
    found = exported(site, customer)
    assert (found["accounts"], found["payments"], found["subscriptions"]) == ([], [], [])


def test_who_may_export_whom(site: Site) -> None:
    customer = site.rich()
    exported(site, customer, who="op")
    unknown = site.get(f"/api/customers/{customer}/export", who="test_op")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-customer")
    mine = site.post("/api/customer-tokens", {"customer": customer}).json()["token"]
    assert site.get(f"/api/customers/{customer}/export", who=mine).status_code == 403


@pytest.fixture
def lone(cluster: Cluster, tmp_path: Path) -> Iterator[Site]:
    """A server whose slots and limits are the test's own."""
    with cluster.database() as database, serving(database, tmp_path / "home") as up:
        yield up


def long_life(site: Site, customer: str, lines: int) -> None:
    """So many lines, made behind the ledger's back."""
    site.rich("1")
    site.grant(customer, "1")
    site.sql(
        """INSERT INTO comptoir.movements
        SELECT m.book_id, m.account_id, n, m.contra_id, 0, m.posted, m.held, m.debt, m.filled,
            m.kind, m.at, NULL, '{}', '{}', NULL, NULL, 0
        FROM comptoir.movements m JOIN comptoir.accounts a ON a.id = m.account_id
        JOIN comptoir.customers c ON c.id = a.customer_id AND c.customer = %s
        CROSS JOIN generate_series(2, %s) n WHERE m.version = 1""",
        customer, lines,
    )  # fmt: skip
    site.sql(
        "INSERT INTO comptoir.notes SELECT book_id, account_id, version, 'reason ' || version"
        " FROM comptoir.movements WHERE version > 1"
    )


@pytest.mark.slow
def test_a_hundred_thousand_movements_take_little_memory(lone: Site) -> None:
    from resource import RUSAGE_SELF, getrusage  # noqa: PLC0415

    long_life(lone, "long", 100_000)
    before = getrusage(RUSAGE_SELF).ru_maxrss
    size = 0
    last = b""
    headers = {"Authorization": f"Bearer {lone.keys['svc']}"}
    path = f"{lone.url}/api/customers/long/export"
    with lone.http.stream("GET", path, headers=headers) as answer:
        for piece in answer.iter_raw():
            size, last = size + len(piece), (last + piece)[-100:]
    grown = getrusage(RUSAGE_SELF).ru_maxrss - before
    assert size > 20_000_000
    assert last.endswith(b'"complete":true}')
    assert grown < size / 1024 / 2, f"{grown} KiB for an answer of {size} bytes"


def test_an_export_that_takes_too_long_is_a_problem(
    lone: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(_: object) -> AsyncIterator[bytes]:
        yield b"{"
        raise TimeoutError

    customer = lone.rich()
    with monkeypatch.context() as patch:
        patch.setattr(customers, "pieces", slow)
        for _ in range(5):  # and gives its slot back
            refused = lone.get(f"/api/customers/{customer}/export")
            assert (refused.status_code, refused.json()["code"]) == (503, "export-too-long")
            assert refused.headers["content-type"] == "application/problem+json"
    assert exported(lone, customer)["complete"]


def unread(site: Site, customer: str) -> socket.socket:
    """A client that asks for an export and takes none of it."""
    host, port = site.url.removeprefix("http://").split(":")
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((host, int(port)))
    made.sendall(
        f"GET /api/customers/{customer}/export HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {site.keys['svc']}\r\n\r\n".encode()
    )
    return made


def until(what: Any, seconds: float = 20.0) -> None:  # noqa: ANN401  # a condition
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_client_that_does_not_read_is_left(lone: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds a slot for a while, never a connection of the pool, and gets no silent end."""
    long_life(lone, "long", 50_000)
    monkeypatch.setattr(customers, "SpooledReply", _impatient)
    clients = [unread(lone, "long") for _ in range(2)]
    try:
        until(lone.app.exports.locked)
        until(lambda: lone.app.pool.get_stats().get("pool_available", 0) > 0)
        busy = lone.get("/api/customers/long/export")
        if busy.status_code == 503:
            assert busy.json()["code"] == "overloaded"
            assert int(busy.headers["retry-after"]) > 0
        until(lambda: lone.app.exports._value == EXPORTS)  # both: one that is left goes on
        got = b""
        clients[0].settimeout(20)
        while piece := clients[0].recv(1 << 20):
            got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        assert b"content-length" in head
        assert not body.endswith(b'"complete":true}')
    finally:
        for client in clients:
            client.close()
    assert json.loads(lone.get("/api/customers/long/export").content)["complete"]


def _impatient(**more: Any) -> spool.SpooledReply:  # noqa: ANN401  # the fields of the reply
    return spool.SpooledReply(**more, stall=0.5)


ORDERED = """
WITH c AS (SELECT id FROM comptoir.customers WHERE book_id = 1 AND customer = %(customer)s),
o AS (
    INSERT INTO comptoir.orders (book_id, id, origin, customer_id, email, amount, currency, hold,
        status, created_at, expires_at, ended_at)
    SELECT 1, gen_random_uuid(), 'checkout', c.id, 'a@example.com', 5000, 'eur',
        decode(md5(%(name)s || n), 'hex'), 'cancelled', '2026-01-02Z', '2026-01-02 00:30Z', now()
    FROM c, generate_series(1, %(times)s) AS n RETURNING id
)
INSERT INTO comptoir.order_lines (book_id, order_id, no, product, size, account_id, quantity,
    unit_amount, on_refund) SELECT 1, o.id, 1, 'TEE', 'M', 1, 2, 2500, 'keep' FROM o"""


@pytest.mark.parametrize("count", [1, 2, 5])
def test_his_orders_and_nobody_elses(
    site: Site, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(stock, "PAGE", 2)
    customer, other = fresh("customer"), fresh("customer")
    for each in (customer, other):
        site.call("PUT", f"/api/customers/{each}", {})
        with psycopg.connect(site.owner_url, autocommit=True) as connection:
            given = {"customer": each, "name": fresh("name"), "times": count}
            connection.execute(ORDERED.encode(), given)
    found = exported(site, customer)["orders"]
    assert len({each["id"] for each in found}) == count
    assert found[0] == {
        "id": found[0]["id"], "order_number": None, "status": "cancelled",
        "email": "a@example.com",
        "items": [{"product": "TEE", "size": "M", "quantity": 2, "unit_amount": 2500,
                   "returned": 0}],
        "amount": 5000, "currency": "eur", "created_at": "2026-01-02T00:00:00.000000Z",
        "paid_at": None, "fulfilled_at": None,
    }  # fmt: skip
    site.call("POST", f"/api/customers/{customer}/erase", {})
    with psycopg.connect(site.owner_url, autocommit=True) as connection:
        left = connection.execute(
            "SELECT count(*) FROM comptoir.orders WHERE id = ANY(%s) AND email IS NOT NULL",
            ([each["id"] for each in found],),
        ).fetchone()
    assert left == (0,)
