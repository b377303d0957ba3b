"""No statement about payments, plans, tokens or outgoing webhooks reads a whole table."""

from collections.abc import Generator
from typing import Final

import psycopg
import pytest

from comptoir.domains.credits import (
    sql_margin,
    sql_packs,
    sql_statement,
    sql_tokens,
    sql_top_ups,
)
from comptoir.domains.identity import sql_visitors
from comptoir.domains.notifications import sql_hooks
from comptoir.domains.payments import sql as payments_sql
from comptoir.domains.payments import sql_overview as payments_pages
from comptoir.domains.subscriptions import sql as subscriptions_sql
from comptoir.store import outbox, sql_inbox
from tests.support.plans import plan, reads_as_a_whole, statements
from tests.support.postgres import Cluster

pytestmark = [pytest.mark.pg, pytest.mark.slow]
MANY: Final = 40_000

# Years of a shop: nearly everything has ended, and a little is under way.
FILL: Final = """
SET session_replication_role = replica;
SET synchronous_commit = off;
CREATE TEMPORARY TABLE n AS SELECT n, md5(n::text)::uuid AS id,
    now() - n * interval '1 minute' * (CASE WHEN n % 1000 = 0 THEN 9 ELSE 1 END) AS at,
    'x_' || n AS name
    FROM generate_series(1, 40000) n;
INSERT INTO comptoir.customers (book_id, customer) SELECT 1, name FROM n;
INSERT INTO comptoir.accounts (book_id, asset_id, customer_id, bounded, version, seal)
    SELECT 1, (SELECT min(id) FROM comptoir.assets WHERE book_id = 1), c.id, true, 1, 0
    FROM comptoir.customers c WHERE book_id = 1;
INSERT INTO comptoir.movements (book_id, account_id, version, contra_id, amount, posted, held, debt,
        filled, kind, reverses, at, lots, parts, seal)
    SELECT 1, a.id, v, 1, 1, 1, 0, 0, 1, CASE v WHEN 3 THEN 'reversal' ELSE 'spend' END,
        CASE v WHEN 3 THEN 2 END, now() - a.id * interval '1 minute', '{1}', '{1}', 0
    FROM comptoir.accounts a, generate_series(1, 3) v WHERE a.customer_id IS NOT NULL;
INSERT INTO comptoir.lots (book_id, account_id, no, source, priority, granted, remaining, pinned,
        plain, lapsed, open, paid, tax, version, seal)
    SELECT 1, id, 1, 'payment', 0, 1, 1, 0, true, false, true, 1, 0, 1, 0
    FROM comptoir.accounts WHERE customer_id IS NOT NULL;
INSERT INTO comptoir.notes (book_id, account_id, version, reference)
    SELECT 1, id, 1, 'pi_' || id FROM comptoir.accounts WHERE customer_id IS NOT NULL;
INSERT INTO comptoir.memos (book_id, account_id, version, quantity)
    SELECT 1, id, 1, 1 FROM comptoir.accounts WHERE customer_id IS NOT NULL;
INSERT INTO comptoir.inbox (book_id, source, event_id, type, object_id, livemode, occurred_at,
        received_at, via, state, due_at, body)
    SELECT 1, 'stripe', name, 'a', 'pi_' || n / 3, true, at, at, 'webhook',
        CASE WHEN n % 400 = 0 THEN 'received' WHEN n % 401 = 0 THEN 'dead' ELSE 'done' END,
        CASE WHEN n % 400 = 0 THEN at END, CASE WHEN n < 13000 THEN '{}' END FROM n;
INSERT INTO comptoir.provider_customers (book_id, livemode, customer_id, provider_id)
    SELECT 1, true, n, 'cus_' || n FROM n;
INSERT INTO comptoir.payments (book_id, id, customer_id, purpose, reference, amount, currency,
        livemode, status, intent, session, invoice, received, fee, created_at, paid_at, looked_at)
    SELECT 1, id, n, 'pack', 'order-' || n, 1900, 'eur', true,
        CASE WHEN n % 300 = 0 THEN 'open' ELSE 'paid' END, 'pi_' || n, 'cs_' || n, 'in_' || n,
        CASE WHEN n % 300 > 0 THEN 1900 END, CASE WHEN n % 500 > 0 THEN 30 END, at,
        CASE WHEN n % 300 > 0 THEN at END, at FROM n;
INSERT INTO comptoir.orders (book_id, id, origin, status, number, customer_id, amount, hold,
        created_at, expires_at, ended_at, paid_at)
    SELECT 1, id, 'checkout', 'paid', 'ORD-' || n, n, 100, decode(md5(n::text), 'hex'), at, at, at,
        at FROM n;
INSERT INTO comptoir.purchases (book_id, id, customer_id, pack, pack_version, asset_id, credits)
    SELECT 1, id, n, '100', 1, 1, 1 FROM n;
INSERT INTO comptoir.payment_grants SELECT 1, id, n, 1, 1 FROM n;
INSERT INTO comptoir.refunds (book_id, id, payment_id, provider_id, amount, status, changed_at)
    SELECT 1, id, id, 're_' || n, 1, CASE WHEN n % 300 = 0 THEN 'pending' ELSE 'succeeded' END, at
    FROM n;
INSERT INTO comptoir.disputes (book_id, provider_id, payment_id, amount, status)
    SELECT 1, 'du_' || n, id, 1, CASE WHEN n % 300 = 0 THEN 'needs_response' ELSE 'lost' END FROM n;
INSERT INTO comptoir.takings (book_id, payment_id, no, cause, account_id, grant_version, amount)
    SELECT 1, id, 1, 're_' || n, n, 1, 1 FROM n;
INSERT INTO comptoir.subscriptions (book_id, provider_id, customer_id, livemode, price, status,
        told_at, created_at)
    SELECT 1, 'sub_' || n, n, true, 'p', CASE WHEN n % 3 = 0 THEN 'active' ELSE 'canceled' END, at,
        at FROM n;
INSERT INTO comptoir.invoices (book_id, provider_id, subscription, customer_id, reason, amount,
        currency, starts_at, ends_at, paid_at)
    SELECT 1, 'in_' || n, 'sub_' || n / 4, n, 'a', 1, 'eur', at, at, at FROM n;
INSERT INTO comptoir.allowances (book_id, invoice, asset_id, account_id, version, amount,
        expires_at)
    SELECT 1, 'in_' || n, 1, n, 1, 1, at FROM n;
INSERT INTO comptoir.cases (book_id, id, kind, subject, opened_at, closed_at)
    SELECT 1, id, 'dispute', name, at, CASE WHEN n % 400 > 0 THEN at END FROM n;
INSERT INTO comptoir.outbox (book_id, id, type, customer_id, at, waits)
    SELECT 1, id, 'a', n, at, n % 400 = 0 FROM n;
INSERT INTO comptoir.hooks (book_id, id, url, types)
    SELECT 1, id, 'https://a.test', '{a}' FROM n WHERE n <= 20;
INSERT INTO comptoir.hook_deliveries (book_id, hook_id, event_id, state, due_at)
    SELECT 1, h.id, n.id, CASE WHEN n % 400 = 0 THEN 'waiting' ELSE 'sent' END,
        CASE WHEN n % 400 = 0 THEN n.at END
    FROM n, (SELECT id FROM comptoir.hooks LIMIT 2) h;
INSERT INTO comptoir.top_ups (book_id, customer_id, pack, enabled, monthly_cap)
    SELECT 1, n, '100', true, 1 FROM n;
INSERT INTO comptoir.token_tallies SELECT 1, n, '2026-01-01', 1, 1, 1 FROM n;
INSERT INTO comptoir.token_resets (book_id, account_id, version) SELECT 1, n, 1 FROM n;
INSERT INTO comptoir.statements (book_id, account_id, month, id, customer_id, starts_at, ends_at,
        spent, generations, unit_price, currency, amount, billing, invoice)
    SELECT 1, n, '2026-01-01', id, n, at, at, 1, 1, 1, 'eur', 1, 'stripe_invoice',
        CASE WHEN n % 400 > 0 THEN 'in' END FROM n;
INSERT INTO comptoir.holds (book_id, id, account_id, contra_id, amount, captured, state, on_excess,
        pin_lots, pin_parts, opened, at, seal)
    SELECT 1, sha256(name::bytea), n, 1, 1, 1, 'captured', 'refuse', '{}', '{}', 1, at, 0 FROM n;
INSERT INTO comptoir.portal_visits (book_id, id, customer_id, hash, expires_at)
    SELECT 1, id, n, sha256(name::bytea), at FROM n;
RESET session_replication_role;
ANALYZE
"""

MODULES: Final = (
    sql_inbox, outbox, payments_sql, subscriptions_sql, sql_packs, sql_top_ups, sql_tokens,
    sql_margin, sql_hooks, payments_pages, sql_statement, sql_visitors,
)  # fmt: skip
STATEMENTS: Final = dict(found for module in MODULES for found in statements(module))

FEW: Final = {
    "packs", "plan_prices", "plan_allowances", "plan_quotas", "provider_prices", "settings",
    "provider_cursors", "prices", "hooks",
}  # fmt: skip
"""What is sold, and who is told: a page or two, however long a shop has been open."""

FIRST: Final = {"store.sql_inbox.LAST", "domains.payments.sql.OLDEST"}
"""They stop at the first row that an index has of a book."""

PARTIAL: Final = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indpred IS NOT NULL AND c.relnamespace = 'comptoir'::regnamespace AND c.reltuples < %s"""
"""Indexes that have what is under way alone: reading one of them is reading what there is to do."""


@pytest.fixture(scope="module")
def books(cluster: Cluster) -> Generator[psycopg.Connection]:
    with (
        cluster.database() as database,
        psycopg.connect(database.superuser_url, autocommit=True) as connection,
    ):
        connection.execute(FILL.encode())
        [(count,)] = connection.execute("SELECT count(*) FROM comptoir.hook_deliveries")
        assert count == 2 * MANY
        yield connection


def test_all_statements_are_found() -> None:
    assert len(STATEMENTS) > 110
    assert {
        "store.sql_inbox.CLAIM", "store.outbox.CLAIM", "domains.payments.sql.LOCK_INTENT",
        "domains.subscriptions.sql.PERIOD_ENDING", "domains.notifications.sql_hooks.LEASE",
        "domains.credits.sql_top_ups.BEGIN", "domains.credits.sql_margin.BURNT",
    } < set(STATEMENTS)  # fmt: skip
    assert set(STATEMENTS) > FIRST


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_no_table_is_read_as_a_whole(module: object, books: psycopg.Connection) -> None:
    rows = books.execute(PARTIAL.encode(), (MANY / 20,)).fetchall()
    few = FEW | {index for (index,) in rows}
    found: dict[str, list[str]] = {}
    for name, text in statements(module):  # pyright: ignore[reportArgumentType]
        nodes = [node for node in plan(books, text) if reads_as_a_whole(node)]
        large = [
            f"{node['Node Type']} {node.get('Relation Name')} {node.get('Index Name')}"
            for node in nodes
            if not {node.get("Relation Name"), node.get("Index Name")} & few
        ]
        if large and name not in FIRST:
            found[name] = large
    assert found == {}


def test_a_statement_that_reads_a_whole_table_is_noticed(books: psycopg.Connection) -> None:
    text = "SELECT 1 FROM comptoir.payments WHERE book_id = %s AND currency = %s"
    assert [node for node in plan(books, text) if reads_as_a_whole(node)]
