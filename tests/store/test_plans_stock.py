"""No statement about products and orders reads a whole table, however long a shop has been open."""

from collections.abc import Generator
from typing import Final

import psycopg
import pytest

from comptoir.domains.payments.sql_overview import ORDER_NUMBERED
from comptoir.domains.stock import sql, sql_counts, sql_orders, sql_overview
from tests.store.test_plans_money import PARTIAL
from tests.support.plans import plan, reads_as_a_whole, statements
from tests.support.postgres import Cluster

pytestmark = [pytest.mark.pg, pytest.mark.slow]
MANY: Final = 40_000

# Years of a shop with 10,000 sizes: nearly all that was ordered was sent, a little is reserved.
FILL: Final = """
SET session_replication_role = replica;
SET synchronous_commit = off;
CREATE TEMPORARY TABLE n AS
    SELECT n, md5(n::text)::uuid AS id, now() - n * interval '1 minute' AS at
    FROM generate_series(1, 40000) n;
INSERT INTO comptoir.products (book_id, product, name, amount, currency)
    SELECT 1, 'P' || n, 'p', 100, 'eur' FROM n WHERE n <= 2500;
INSERT INTO comptoir.accounts (book_id, asset_id, name, bounded, version, seal)
    SELECT 1, (SELECT min(id) FROM comptoir.assets WHERE book_id = 1 AND code = 'stock'),
        'stock:P' || n || ':' || s, true, 3, 0
    FROM n, generate_series(1, 4) s WHERE n <= 2500;
INSERT INTO comptoir.sizes (book_id, product, size, place, account_id)
    SELECT 1, split_part(name, ':', 2), split_part(name, ':', 3), 0, id
    FROM comptoir.accounts WHERE name LIKE 'stock:%';
INSERT INTO comptoir.movements (book_id, account_id, version, contra_id, amount, posted, held, debt,
        filled, kind, at, lots, parts, seal)
    SELECT 1, a.id, v, 1, 1, 1, 0, 0, 1, 'grant', now() - a.id * interval '1 minute', '{1}', '{1}',
        0
    FROM comptoir.accounts a, generate_series(1, 8) v WHERE a.name LIKE 'stock:%';
INSERT INTO comptoir.notes (book_id, account_id, version, reason)
    SELECT book_id, account_id, version, 'r' FROM comptoir.movements;
INSERT INTO comptoir.holds (book_id, id, account_id, contra_id, amount, captured, state, on_excess,
        pin_lots, pin_parts, opened, at, seal)
    SELECT 1, decode(md5(n::text), 'hex'), 100, 1, 1, 1, 'captured', 'refuse', '{1}', '{1}', n, at,
        0
    FROM n;
INSERT INTO comptoir.requests (book_id, id, mark, op, outcome, account_id, at, needed, seal)
    SELECT 1, decode(md5(n::text), 'hex'), '', 'hold', 'insufficient', 100, at, 1, 0 FROM n;
INSERT INTO comptoir.orders (book_id, id, origin, status, number, customer_id, amount, cart, hold,
        created_at, expires_at, ended_at, paid_at)
    SELECT 1, id, 'checkout', CASE WHEN n % 400 = 0 THEN 'reserved' ELSE 'paid' END,
        CASE WHEN n % 400 > 0 THEN 'ORD-' || n END, n / 4, 100, decode(md5('c' || n), 'hex'),
        decode(md5(n::text), 'hex'), at, at, CASE WHEN n % 400 > 0 THEN at END,
        CASE WHEN n % 400 > 0 THEN at END FROM n;
INSERT INTO comptoir.order_lines (book_id, order_id, no, product, size, account_id, quantity,
        unit_amount, on_refund)
    SELECT 1, id, l, 'P' || 1 + n % 2500, '1', 100 + n, 1, 100, 'keep'
    FROM n, generate_series(1, 2) l;
INSERT INTO comptoir.customers (book_id, customer) SELECT 1, 'c' || n FROM n WHERE n <= 10000;
INSERT INTO comptoir.payments (book_id, id, purpose, amount, currency, livemode, status, received,
        paid_at)
    SELECT 1, id, 'order', 100, 'eur', false, 'paid', 100, at FROM n;
INSERT INTO comptoir.order_series SELECT 1, y, 5 FROM generate_series(2000, 2030) y;
RESET session_replication_role;
ANALYZE
"""

STATEMENTS: Final = dict(
    found for module in (sql, sql_counts, sql_orders, sql_overview) for found in statements(module)
) | {"domains.payments.sql_overview.ORDER_NUMBERED": ORDER_NUMBERED}
FEW: Final = {"order_series", "customers"}
EVERY_SIZE: Final = {
    "domains.stock.sql.MOVEMENTS_OF_ALL",
    "domains.stock.sql.MOVEMENTS_OF_SIZES",
    "domains.stock.sql_overview.LOW",
}
"""They look at every size once, and say so."""

PARTS: Final = {"domains.stock.sql.NEWEST"}
"""What others are made of: they have no end of their own."""

LISTS: Final = {
    "domains.stock.sql.PRODUCTS",
    "domains.stock.sql_orders.LISTED",
    "domains.stock.sql_overview.LOOKED",
    "domains.stock.sql_overview.FUNNEL",
}
"""They go along an index of the book's from a place, and stop after a page."""


@pytest.fixture(scope="module")
def books(cluster: Cluster) -> Generator[psycopg.Connection]:
    with (
        cluster.database() as database,
        psycopg.connect(database.superuser_url, autocommit=True) as connection,
    ):
        connection.execute(FILL.encode())
        [(count,)] = connection.execute("SELECT count(*) FROM comptoir.orders")
        assert count == MANY
        yield connection


def test_all_statements_are_found() -> None:
    assert len(STATEMENTS) > 40
    assert {"domains.stock.sql_orders.DUE", "domains.stock.sql.FOR_SALE"} < set(STATEMENTS)
    assert set(STATEMENTS) > EVERY_SIZE | LISTS | PARTS


@pytest.mark.parametrize("name", sorted(set(STATEMENTS) - EVERY_SIZE - PARTS))
def test_no_table_is_read_as_a_whole(books: psycopg.Connection, name: str) -> None:
    partial = {row[0] for row in books.execute(PARTIAL, (MANY,))}
    wrong = [
        node
        for node in plan(books, STATEMENTS[name])
        if reads_as_a_whole(node)
        and node.get("Relation Name") not in FEW
        and node.get("Index Name") not in partial
        and not (name in LISTS and node["Node Type"] == "Index Scan")
    ]
    assert not wrong


@pytest.mark.parametrize("name", sorted(EVERY_SIZE))
def test_of_every_size_only_the_last_lines_are_read(books: psycopg.Connection, name: str) -> None:
    read = {
        node["Relation Name"]
        for node in plan(books, STATEMENTS[name])
        if reads_as_a_whole(node) and "Relation Name" in node
    }
    assert read <= {"sizes"}
