"""No statement and no function of the guards, or of the queue, reads a whole table."""

from collections.abc import Generator
from typing import Final

import psycopg
import pytest

from comptoir.guards import sql as guards_sql
from comptoir.guards.limits import sql as limits_sql
from comptoir.jobs import sql as jobs_sql
from comptoir.jobs import sql_leases, sql_overview
from tests.support.plans import plan, reads_as_a_whole, statements
from tests.support.postgres import Cluster

pytestmark = [pytest.mark.pg, pytest.mark.slow]
MANY: Final = 100_000

# Most jobs have ended; of the others most wait, in two books.
FILL: Final = """
SET session_replication_role = replica;
SET synchronous_commit = off;
INSERT INTO comptoir.customers (book_id, customer)
    SELECT 1, 'customer-' || n FROM generate_series(1, 100000) n;
INSERT INTO comptoir.usage (book_id, customer_id, metric, day, used, reserved)
    SELECT 1, id, 'ai-calls', current_date - (id % 30)::integer, 5, 1 FROM comptoir.customers;
INSERT INTO comptoir.usage_reservations (book_id, id, customer_id, metric, day, quantity, state,
        expires_at)
    SELECT 1, gen_random_uuid(), id, 'ai-calls', current_date - (id % 30)::integer, 1,
        (ARRAY['open', 'settled'])[1 + id % 2], now() + (id % 1000) * interval '1 minute'
    FROM comptoir.customers;
INSERT INTO comptoir.leases (book_id, key, holder, expires_at)
    SELECT 1, 'lease-' || n, gen_random_uuid(), now() + (n - 50000) * interval '1 second'
    FROM generate_series(1, 100000) n;
INSERT INTO comptoir.idempotency (book_id, id, mark, origin, result, expires_at)
    SELECT 1, decode(md5(n::text), 'hex'), '\\x00', gen_random_uuid(), '{}',
        CASE WHEN n % 2 = 0 THEN now() + n * interval '1 second' END
    FROM generate_series(1, 100000) n;
INSERT INTO comptoir.counters (book_id, name, value)
    SELECT 1, 'counter-' || n, n FROM generate_series(1, 100000) n;
INSERT INTO comptoir.counted (book_id, id, at)
    SELECT 1, decode(md5(n::text), 'hex'), now() - n * interval '1 minute'
    FROM generate_series(1, 100000) n;
INSERT INTO comptoir.rate_limits (book_id, key, last, slots, costs, expires_at)
    SELECT 1, 'limit-' || n, 0, '{}', '{}', now() + (n - 50000) * interval '1 second'
    FROM generate_series(1, 100000) n;
INSERT INTO comptoir.procrastinate_workers (last_heartbeat)
    SELECT now() - n * interval '1 second' FROM generate_series(1, 20) n;
INSERT INTO comptoir.procrastinate_jobs (queue_name, task_name, priority, args, status,
        scheduled_at, attempts, worker_id)
    SELECT 'pdf/pdf.t' || n % 50, 'pdf.t' || n % 50, n % 3,
        jsonb_build_object('book', 1 + n % 2, 'job', gen_random_uuid(), 'payload', '{}'::jsonb,
            'unique', '1:t:' || n),
        (CASE WHEN n % 10 < 6 THEN 'succeeded' WHEN n % 10 < 9 THEN 'todo'
            WHEN n % 1000 = 9 THEN 'doing' ELSE 'failed' END)
            ::comptoir.procrastinate_job_status,
        CASE WHEN n % 4 = 0 THEN now() + n * interval '1 second' END, 0,
        CASE WHEN n % 1000 = 9 THEN 1 + n % 20 END
    FROM generate_series(1, 100000) n;
INSERT INTO comptoir.job_results (book_id, job, at)
    SELECT (args->>'book')::integer, (args->>'job')::uuid, now() - id * interval '1 minute'
    FROM comptoir.procrastinate_jobs WHERE status IN ('succeeded', 'failed');
INSERT INTO comptoir.procrastinate_events (job_id, type)
    SELECT id, 'deferred' FROM comptoir.procrastinate_jobs;
INSERT INTO comptoir.job_leases (job_id, lease, expires_at)
    SELECT id, gen_random_uuid(), now() FROM comptoir.procrastinate_jobs WHERE status = 'doing';
INSERT INTO comptoir.job_slots (task, slot)
    SELECT 'task-' || n % 10, now() - n * interval '1 minute' FROM generate_series(1, 100000) n;
RESET session_replication_role;
ANALYZE
"""

STATEMENTS: Final = dict(
    found
    for module in (guards_sql, limits_sql, jobs_sql, sql_leases, sql_overview)
    for found in statements(module)
)

FEW: Final = {
    "procrastinate_workers", "job_leases", "plan_quotas",
    "procrastinate_jobs_lock_idx_v1", "idx_procrastinate_jobs_worker_not_null",
}  # fmt: skip
"""What is at work, and what plans allow: a page or two. The indexes have running jobs alone."""

# A part of other statements.
PARTS: Final = {"jobs.sql.SEEN"}

# A list for people; what it filters by is in no index, and its pages are small.
LISTS: Final = {"jobs.sql.LIST"}
# What waits, runs or is dead is counted: as much as there is of it.
COUNTS: Final = {"jobs.sql.DEPTHS"}

CALLS: Final = {
    "reserve": """
SELECT comptoir.reserve_quota(1, gen_random_uuid(), 'customer-{n}', 'ai-calls', 1, 60)""",
    "count": "SELECT comptoir.count_usage(1, 'customer-{n}', 'quotes', 1)",
    "settle": """
SELECT comptoir.settle_quota(1, id, 1) FROM comptoir.usage_reservations
WHERE book_id = 1 AND customer_id = {n} AND metric = 'ai-calls' AND day = current_date
    AND state = 'open'""",
    "reap": "SELECT comptoir.reap_usage(1, {n}, 'ai-calls', current_date, now())",
    "leases": """
SELECT comptoir.ask_leases(1, ARRAY[gen_random_uuid()], ARRAY['lease-{n}', 'new-{n}'],
    ARRAY[gen_random_uuid(), gen_random_uuid()], ARRAY[30, 30]::float8[], ARRAY[gen_random_uuid()],
    ARRAY[30]::float8[], ARRAY[gen_random_uuid()])""",
    "enqueue": """
SELECT comptoir.enqueue(1, gen_random_uuid(), 'default', 't', '{{}}', 'u-{n}', 0, NULL)""",
}
BIG: Final = [
    "usage", "usage_reservations", "leases", "customers", "procrastinate_jobs",
]  # fmt: skip


@pytest.fixture(scope="module")
def books(cluster: Cluster) -> Generator[psycopg.Connection]:
    with (
        cluster.database() as database,
        psycopg.connect(database.superuser_url, autocommit=True) as connection,
    ):
        # Functions keep the plans that they made of their statements while nothing was there.
        for text in CALLS.values():
            for n in range(MANY + 1, MANY + 11):
                connection.execute(text.format(n=n).encode())
        connection.execute(FILL.encode())
        [(jobs,)] = connection.execute("SELECT count(*) FROM comptoir.procrastinate_jobs")
        assert jobs >= MANY
        yield connection


def test_all_statements_are_found() -> None:
    assert len(STATEMENTS) > 30
    assert {
        "guards.sql.CLAIM",
        "guards.sql.TIDY.0",
        "jobs.sql.FETCH",
        "jobs.sql_leases.TAKE",
    } < set(STATEMENTS)
    assert set(STATEMENTS) > LISTS | COUNTS


def whole(books: psycopg.Connection, name: str) -> list[str]:
    """The tables or indexes that a statement reads as a whole."""
    found = [node for node in plan(books, STATEMENTS[name]) if reads_as_a_whole(node)]
    names = [str(node.get("Relation Name", node.get("Index Name"))) for node in found]
    return [each for each in names if each not in FEW]


@pytest.mark.parametrize("name", sorted(set(STATEMENTS) - LISTS - COUNTS - PARTS))
def test_no_table_is_read_as_a_whole(name: str, books: psycopg.Connection) -> None:
    assert whole(books, name) == []


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_what_is_counted_is_what_has_not_ended(name: str, books: psycopg.Connection) -> None:
    assert "procrastinate_events" not in whole(books, name)


@pytest.mark.parametrize(("name", "sorts"), [("LOOK", 1), ("COUNT", 0)])
def test_a_page_of_jobs_is_read_in_the_order_of_its_index(
    name: str, sorts: int, books: psycopg.Connection
) -> None:
    nodes = plan(books, STATEMENTS[f"jobs.sql_overview.{name}"])
    [scan] = [node for node in nodes if node.get("Relation Name") == "procrastinate_jobs"]
    assert scan.get("Index Name") == "jobs_of_book", nodes
    assert "Filter" not in scan, scan
    # What is found of each state is put in order; to find it nothing is.
    assert [node["Node Type"] for node in nodes].count("Sort") == sorts, nodes


def read(connection: psycopg.Connection) -> dict[str, int]:
    """How often each of the large tables was read as a whole."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    connection.execute("SELECT pg_stat_clear_snapshot()")
    rows = connection.execute(
        "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY(%s)", (BIG,)
    )
    return dict(rows.fetchall())


@pytest.mark.parametrize("name", CALLS)
def test_no_function_reads_a_table_as_a_whole(name: str, books: psycopg.Connection) -> None:
    before = read(books)
    assert set(before) == set(BIG)
    for n in range(30, 1530, 30):
        books.execute(CALLS[name].format(n=n).encode())
    assert read(books) == before


def test_a_table_that_is_read_as_a_whole_is_noticed(books: psycopg.Connection) -> None:
    before = read(books)
    books.execute("SELECT count(*) FROM comptoir.usage WHERE used = 7")
    assert read(books)["usage"] > before["usage"]
