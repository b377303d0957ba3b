"""Emptying the test book: all of it, only it, while its servers go on."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from comptoir.store.verify import stand_alone_sql
from tests.support.postgres import Cluster, Database
from tests.support.site import TEST, Site, fresh, serving
from tests.web.rows import money

KEPT = {
    "books", "keys", "assets", "prices", "answers", "plans", "plan_quotas", "packs", "plan_prices",
    "plan_allowances", "provider_prices", "provider_cursors", "hooks", "operator_logins",
    "operator_sessions", "audit",
}  # fmt: skip
"""Tables whose rows of the test book stay; of accounts the open ones do."""


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    with cluster.database() as made:
        yield made


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:
    with serving(database, tmp_path / "home") as up:
        yield up


def fill(site: Site, who: str) -> str:
    """Everything that a book can hold, by an operator; returns a customer."""
    site.call("PUT", "/api/credits/prices", {"action": "a", "amount": "1"}, who=who)
    customer, other = site.rich("100", who=who), site.rich("5", who=who)
    site.post("/api/credits/grant", {"customer": "stock:TEE", "amount": 3, "reason": "x"}, who=who)
    site.post("/api/credits/spend", {"customer": customer, "action": "a", "model": "m"}, who=who)
    site.post("/api/credits/spend", {"customer": other, "amount": "500"}, who=who)
    body = {"customer": customer, "amount": "2", "ttl_seconds": 600}
    site.post("/api/credits/holds", body, who=who)
    site.post("/api/ledger/transfer", {"from": customer, "to": other, "amount": 1}, who=who)
    verified = site.get("/api/ledger/verify", who=who)
    assert verified.json()["balanced"]
    guard(site, who)
    money(site, who)
    gone = fresh("gone")
    site.grant(gone, "5", who=who)
    site.call("POST", f"/api/customers/{gone}/erase", who=who, key=fresh("key"))
    return customer


def guard(site: Site, who: str) -> None:
    """Everything that guards and jobs keep of a book."""
    site.call("POST", "/api/locks", {"key": "k"}, who=who)
    site.call("POST", "/api/counters/a", {"id": "1"}, who=who)
    site.call("POST", "/api/quotas/ai-calls/reserve", {"customer": fresh("customer")}, who=who)
    job = site.call("POST", "/api/jobs", {"type": "t"}, who=who).json()
    site.call("POST", f"/api/jobs/{job['id']}/cancel", who=who)
    book = TEST if who.startswith("test") else 1
    made = "decode(md5(random()::text), 'hex')"
    for statement in (
        f"""INSERT INTO comptoir.rate_limits VALUES
            ({book}, 'k', 0, '{{}}', '{{}}', now())""",
        f"""INSERT INTO comptoir.idempotency (book_id, id, mark, origin, lease_until)
            VALUES ({book}, {made}, '', gen_random_uuid(), now())""",
    ):
        site.sql(f"{statement} RETURNING book_id")


def counts(site: Site, book: int) -> dict[str, int]:
    tables = site.sql(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'comptoir' AND column_name = 'book_id'"
    )
    return {
        table: site.sql(f"SELECT count(*) FROM comptoir.{table} WHERE book_id = {book}")[0][0]
        for (table,) in tables
    }


def assert_balanced(site: Site) -> None:
    for who in ("op", "test_op"):
        verified = site.get("/api/ledger/verify?full=true", who=who).json()
        assert verified["balanced"], verified["drift"]
    assert site.sql(stand_alone_sql()) == []


def test_everything_goes_but_what_is_set_up(site: Site) -> None:
    fill(site, "test_op")
    fill(site, "op")
    assert_balanced(site)
    before, live = counts(site, TEST), counts(site, 1)
    assert all(before.values()), f"every table holds something, or this says nothing: {before}"
    done = site.post("/api/books/test/reset", who="test_op")
    assert done.status_code == 200, done.text
    after = counts(site, TEST)
    opened = after.pop("accounts")
    assert opened == 4 * after["assets"]
    assert {table for table, count in after.items() if count} == KEPT - {"books"}
    assert {table: count for table, count in after.items() if count} == {
        table: before[table] for table in KEPT - {"books", "answers"}
    } | {"answers": before["answers"] + 1}
    assert counts(site, 1) == live
    assert done.json() | {"reset_at": None} == {
        "book": "test", "reset_at": None, "customers": before["customers"],
        "accounts": before["accounts"] - opened, "movements": before["movements"],
    }  # fmt: skip
    assert_balanced(site)


def test_no_table_is_forgotten(site: Site) -> None:
    """A new table of rows by book must be emptied, or be listed as kept."""
    [(text,)] = site.sql("SELECT pg_get_functiondef('comptoir.reset_book'::regproc)")
    [(emptied,)] = site.sql("SELECT comptoir.emptied()")
    for table in counts(site, TEST):
        goes = table in emptied or f"DELETE FROM comptoir.{table} " in text
        assert goes != (table in KEPT), table


def test_names_mean_somebody_new(site: Site) -> None:
    """The server has all of them in memory."""
    customer = fill(site, "test_op")
    site.post("/api/books/test/reset", who="test_op")
    assert site.balance(customer, who="test_op")["version"] == 0
    refused = site.post("/api/credits/spend", {"customer": customer, "amount": 1}, who="test_svc")
    assert (refused.status_code, refused.json()["available"]) == (402, "0")
    assert site.grant(customer, "7", who="test_op")["balance"]["version"] == 1
    units = {"customer": "stock:TEE", "amount": 2, "reason": "x"}
    filled = site.post("/api/credits/grant", units, who="test_svc").json()
    assert filled["balance"]["balance"] == "2"
    moved = {"from": customer, "to": fresh("other"), "amount": 3}
    assert site.post("/api/ledger/transfer", moved, who="test_svc").status_code == 200
    assert_balanced(site)


@pytest.mark.parametrize("atomic", [False, True], ids=["each", "whole"])
def test_batches_find_their_names_anew(site: Site, atomic: bool) -> None:  # noqa: FBT001
    names = [site.rich("9", who="test_op") for _ in range(3)]
    site.post("/api/books/test/reset", who="test_op")
    requests = [
        {"op": "grant", "idempotency_key": fresh("key"), "customer": name, "amount": "4"}
        for name in names
    ]
    done = site.post("/api/ledger/batch", {"requests": requests, "atomic": atomic}, who="test_op")
    assert [each["outcome"] for each in done.json()["results"]] == ["created"] * 3
    assert [site.balance(name, who="test_op")["balance"] for name in names] == ["4"] * 3
    assert_balanced(site)


def test_keys_of_requests_are_free_again(site: Site) -> None:
    key, body = fresh("key"), {"customer": "alice", "amount": "5", "reason": "x"}
    first = site.post("/api/credits/grant", body, key=key, who="test_op")
    site.post("/api/books/test/reset", who="test_op")
    again = site.post("/api/credits/grant", body, key=key, who="test_op")
    assert "idempotent-replayed" not in again.headers
    assert again.json()["movement"]["id"] != first.json()["movement"]["id"]


def test_what_named_a_movement_or_a_hold_finds_nothing(site: Site) -> None:
    granted = site.grant("alice", "5", who="test_op")["movement"]["id"]
    body = {"customer": "alice", "amount": 1, "ttl_seconds": 60}
    hold = site.post("/api/credits/holds", body, who="test_op").json()["hold"]["id"]
    token = site.post("/api/customer-tokens", {"customer": "alice"}, who="test_svc").json()["token"]
    site.post("/api/books/test/reset", who="test_op")
    undo = {"movement": granted, "reason": "x"}
    for path, sent in (("reverse", undo), (f"holds/{hold}/capture", {})):
        assert site.post(f"/api/credits/{path}", sent, who="test_op").status_code == 404
    assert site.get("/api/credits/balance", who=token).status_code == 404


def test_a_key_makes_it_repeatable(site: Site) -> None:
    key = fresh("key")
    first = site.post("/api/books/test/reset", key=key, who="test_op")
    site.grant("alice", "5", who="test_op")
    again = site.post("/api/books/test/reset", key=key, who="op")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert site.balance("alice", who="test_op")["balance"] == "5"


@pytest.mark.parametrize(
    ("book", "who", "status", "code"),
    [
        ("live", "op", 409, "not-a-test-book"),
        ("live", "test_op", 403, "forbidden"),
        ("other", "op", 404, "unknown-book"),
        ("test", "test_svc", 403, "forbidden"),
        ("test", "svc", 403, "forbidden"),
    ],
)
def test_what_is_refused(site: Site, book: str, who: str, status: int, code: str) -> None:
    customers = [site.rich("5", who=each) for each in ("op", "test_op")]
    refused = site.post(f"/api/books/{book}/reset", who=who)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    for customer, each in zip(customers, ("op", "test_op"), strict=True):
        assert site.balance(customer, who=each)["balance"] == "5"


def test_a_live_operator_may_reset_the_test_book(site: Site) -> None:
    customer = site.rich("5", who="test_op")
    assert site.post("/api/books/test/reset", who="op").status_code == 200
    assert site.balance(customer, who="test_op")["version"] == 0


def test_rows_of_the_live_book_never_go(site: Site, database: Database) -> None:
    """Not even by the owner of the tables, and of the test book only by the function."""
    fill(site, "op")
    fill(site, "test_op")
    tables = ("movements", "lots", "holds", "accounts", "requests")
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        for table in tables:
            for marker, book in (("", 1), ("", 2), ("1", 1), ("2", 1), ("1", 2)):
                owner.execute("SELECT set_config('comptoir.reset', %s, false)", (marker,))
                with pytest.raises(psycopg.errors.RestrictViolation):
                    owner.execute(f"DELETE FROM comptoir.{table} WHERE book_id = {book}".encode())
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute("SELECT comptoir.reset_book(1)")
        for table in tables:
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(f"TRUNCATE comptoir.{table} CASCADE".encode())
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute("UPDATE comptoir.movements SET amount = 0 WHERE book_id = 2")


def test_the_application_may_not_delete_by_itself(site: Site, database: Database) -> None:
    fill(site, "test_op")
    with psycopg.connect(database.app_url, autocommit=True) as app:
        app.execute("SELECT set_config('comptoir.reset', '2', false)")
        for table in ("movements", "lots", "holds", "accounts", "customers", "checkpoints",
                      "memos", "answers"):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(f"DELETE FROM comptoir.{table} WHERE book_id = 2".encode())
        with pytest.raises(psycopg.errors.RestrictViolation):
            app.execute("SELECT comptoir.reset_book(1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("UPDATE comptoir.books SET is_test = true")
