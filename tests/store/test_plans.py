"""No hot statement reads a whole table: plans at a million rows, without any planner setting."""

from collections.abc import Generator
from typing import Final

import psycopg
import pytest

from comptoir.domains.credits import sql as credits_sql
from comptoir.domains.credits import sql_earnings, sql_overview
from comptoir.domains.identity import sql as identity_sql
from comptoir.store import directory, live, past, sql, sweep
from tests.support.plans import plan, reads_as_a_whole, statements
from tests.support.postgres import Cluster

pytestmark = [pytest.mark.pg, pytest.mark.slow]
MILLION: Final = 1_000_000
# A customer in ten has holds, one in five an expiring lot; ten movements each, no transfer among
# them, so that the planner takes mirrored lines for few and at the journal's beginning.
FILL: Final = """
SET session_replication_role = replica;
SET synchronous_commit = off;
INSERT INTO comptoir.customers (book_id, customer)
    SELECT 1, 'customer-' || n FROM generate_series(1, 100000) n;
INSERT INTO comptoir.accounts (book_id, asset_id, customer_id, bounded, posted, held, filled,
        version, lots_made, open_lots, next_expiry, at, seal)
    SELECT 1, 1 + c.id % 2, c.id, true, 1000, 0, 1000, 10, 2, 2,
        CASE WHEN c.id % 5 = 0 THEN now() + c.id * interval '1 second' END, now(), 0
    FROM comptoir.customers c;
INSERT INTO comptoir.movements (book_id, account_id, version, contra_id, amount, posted, held, debt,
        filled, kind, at, request_id, lots, parts, hold_id, reverses, seal)
    SELECT 1, a.id, v, 1, 100, v * 100, 0, 0,
        v * 100, 'grant', now() + v * interval '1 second',
        decode(md5(a.id || '-' || v), 'hex'), ARRAY[1], ARRAY[100], NULL,
        CASE WHEN v = 10 THEN 1 END, 0
    FROM comptoir.accounts a, generate_series(1, 10) v WHERE a.bounded;
INSERT INTO comptoir.requests (book_id, id, mark, op, outcome, account_id, version, mirror_version,
        at, seal)
    SELECT 1, request_id, '\\x00112233445566778899aabbccddeeff', kind, 'created', account_id,
        version, NULL, at, 0
    FROM comptoir.movements ORDER BY request_id;
INSERT INTO comptoir.lots (book_id, account_id, no, source, priority, expires_at, granted,
        remaining, pinned, plain, lapsed, open, paid, tax, version, seal)
    SELECT 1, a.id, no, 'grant', 50, CASE WHEN no = 2 THEN now() + interval '1 day' END, 500,
        500 * (1 - no / 3), 0, true, false, no < 3, 0, 0, no, 0
    FROM comptoir.accounts a, generate_series(1, 3) no WHERE a.bounded;
INSERT INTO comptoir.holds (book_id, id, account_id, contra_id, amount, captured, state, on_excess,
        expires_at, group_id, pin_lots, pin_parts, opened, at, seal)
    SELECT 1, request_id, account_id, 2, 100, 0,
        (ARRAY['open', 'captured', 'released', 'expired'])[1 + version % 4], 'refuse',
        now() + interval '1 hour', CASE WHEN version = 1 THEN request_id END, ARRAY[1], ARRAY[100],
        version, at, 0
    FROM comptoir.movements WHERE account_id % 10 = 0;
INSERT INTO comptoir.notes (book_id, account_id, version, reason)
    SELECT book_id, account_id, version, 'a reason' FROM comptoir.movements WHERE version < 4;
INSERT INTO comptoir.memos (book_id, account_id, version, quantity)
    SELECT book_id, account_id, version, 1 FROM comptoir.movements WHERE version < 3;
INSERT INTO comptoir.prices (book_id, asset_id, action, version, amount)
    SELECT 1, 1, 'action-' || n, v, 5 FROM generate_series(1, 1000) n, generate_series(1, 5) v;
INSERT INTO comptoir.keys (book_id, id, role, name, hash, hint)
    SELECT 1, gen_random_uuid(), 'service', 'key', decode(md5(n::text), 'hex'), 'hint'
    FROM generate_series(1, 5000) n;
INSERT INTO comptoir.earnings (book_id, asset_id, hour, action, model, currency, times, credits,
        unpaid, cost, revenue)
    SELECT 1, 1, now() - n * interval '1 hour', 'action-' || a, '', '', 1, 1, 1, 1, 1
    FROM generate_series(1, 8760) n, generate_series(1, 5) a;
RESET session_replication_role;
ANALYZE
"""


MODULES: Final = (
    sql, credits_sql, sql_overview, sql_earnings, identity_sql, directory, sweep, past, live,
)  # fmt: skip
STATEMENTS: Final = dict(
    found
    for module in MODULES
    for found in statements(module)
    if found[0] != "domains.credits.sql_overview.RECENT"
)
"""RECENT goes by the values it is given: tests/web/test_dashboard.py has its plan."""


@pytest.fixture(scope="module")
def books(cluster: Cluster) -> Generator[psycopg.Connection]:
    """A connection to a database with a million movements and as many requests."""
    with (
        cluster.database() as database,
        psycopg.connect(database.superuser_url, autocommit=True) as connection,
    ):
        connection.execute(FILL.encode())
        [(movements,)] = connection.execute("SELECT count(*) FROM comptoir.movements")
        assert movements == MILLION
        connection.execute("DISCARD ALL")
        yield connection


def test_all_statements_are_found() -> None:
    assert len(STATEMENTS) > 45
    assert {"store.sql.LOCK_FREE", "domains.credits.sql.HOLDS"} < set(STATEMENTS)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM comptoir.movements WHERE book_id = %s AND contra_id = %s",
        "SELECT * FROM comptoir.accounts WHERE book_id = %s ORDER BY id LIMIT 10",
        "SELECT count(*) FROM comptoir.requests",
    ],
)
def test_a_plan_that_reads_a_table_is_recognised(text: str, books: psycopg.Connection) -> None:
    assert any(reads_as_a_whole(node) for node in plan(books, text))


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_table_is_read_as_a_whole(name: str, books: psycopg.Connection) -> None:
    assert [node for node in plan(books, STATEMENTS[name]) if reads_as_a_whole(node)] == []
