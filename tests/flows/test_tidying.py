"""Tidying up takes away what has ended, and nothing else."""

from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest

from comptoir.flows import tidying
from comptoir.jobs.model import Job
from tests.support.guarding import Guarded, open_guarded
from tests.support.postgres import Database

pytestmark = pytest.mark.pg
JOB = Job(uuid4(), 1, tidying.TYPE, {}, 1)

# Of each, three rows: one that has ended long ago, one that has just ended, one that has not.
AGES = """(
    VALUES (1, interval '-500 days'), (2, interval '-1 minute'), (3, interval '1 day')
) AS t(n, age)"""
ROWS = {
    "idempotency": f"""
INSERT INTO comptoir.idempotency (book_id, id, mark, origin, result, expires_at)
SELECT 1, decode(md5(n::text), 'hex'), '', gen_random_uuid(), '1', now() + age FROM {AGES}""",
    "leases": f"""
INSERT INTO comptoir.leases (book_id, key, holder, expires_at)
SELECT 1, n::text, gen_random_uuid(), now() + age FROM {AGES}""",
    "rate_limits": f"""
INSERT INTO comptoir.rate_limits (book_id, key, last, slots, costs, expires_at)
SELECT 1, n::text, 0, '{{}}', '{{}}', now() + age FROM {AGES}""",
    "counted": f"""
INSERT INTO comptoir.counted (book_id, id, at)
SELECT 1, decode(md5(n::text), 'hex'), now() + age FROM {AGES}""",
    "usage": f"""
WITH c AS (INSERT INTO comptoir.customers (book_id, customer) VALUES (1, 'alice') RETURNING id)
INSERT INTO comptoir.usage (book_id, customer_id, metric, day)
SELECT 1, c.id, 'ai-calls', (now() + age)::date FROM c, {AGES}""",
    "usage_reservations": f"""
WITH c AS (INSERT INTO comptoir.customers (book_id, customer) VALUES (1, 'bob') RETURNING id)
INSERT INTO comptoir.usage_reservations
    (book_id, id, customer_id, metric, day, quantity, expires_at)
SELECT 1, gen_random_uuid(), c.id, 'ai-calls', (now() + age)::date, 1, now() + age
FROM c, {AGES}""",
    "portal_visits": f"""
WITH c AS (INSERT INTO comptoir.customers (book_id, customer) VALUES (1, 'carol') RETURNING id)
INSERT INTO comptoir.portal_visits (book_id, id, customer_id, hash, expires_at)
SELECT 1, gen_random_uuid(), c.id, sha256(n::text::bytea), now() + age FROM c, {AGES}""",
    "outbox": f"""
INSERT INTO comptoir.outbox (book_id, type, at, waits)
SELECT 1, 'purchase.paid', now() + age, false FROM {AGES}""",
}
LEFT = {"idempotency": 1, "rate_limits": 1}
"""Of those nothing is needed once they have ended; of the others what has just ended is kept."""


@pytest.fixture
async def guarded(database: Database) -> AsyncGenerator[Guarded]:
    async with open_guarded(database) as found:
        yield found


async def test_what_has_ended_goes(guarded: Guarded):
    for statement in ROWS.values():
        await guarded.run(statement)
    result = await tidying.tidy(guarded.pool, JOB)
    left = {table: await count(guarded, table) for table in ROWS}
    assert left == {table: LEFT.get(table, 2) for table in ROWS}
    assert result == {"gone": sum(3 - each for each in left.values())}
    assert await tidying.tidy(guarded.pool, JOB) == {"gone": 0}


async def test_what_old_events_said_goes_and_that_they_came_stays(guarded: Guarded):
    await guarded.run(f"""
INSERT INTO comptoir.inbox (book_id, source, event_id, type, object_id, livemode, occurred_at,
    received_at, via, state, due_at, body)
SELECT 1, 'stripe', n::text, 't', 'o', false, now(), now() + age, 'webhook', 'done', NULL, '{{}}'
FROM {AGES}""")
    assert await tidying.tidy(guarded.pool, JOB) == {"gone": 1}
    assert await count(guarded, "inbox") == 3
    assert await count(guarded, "inbox WHERE body IS NOT NULL") == 2


async def count(guarded: Guarded, table: str) -> int:
    async with guarded.pool.connection() as connection:
        cursor = await connection.execute(f"SELECT count(*) FROM comptoir.{table}".encode())
        row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def test_more_than_one_round(guarded: Guarded):
    await guarded.run("""
INSERT INTO comptoir.counted (book_id, id, at)
SELECT 1, decode(md5(n::text), 'hex'), now() - interval '31 days'
FROM generate_series(1, 2500) n""")
    assert await tidying.tidy(guarded.pool, JOB) == {"gone": 2_500}
