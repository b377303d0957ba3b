"""Every statement of the guards that PostgreSQL keeps."""

from typing import Final

LOOK: Final = """
SELECT i.id, i.mark, i.result IS NOT NULL, i.result, i.lease_until > clock_timestamp()
FROM comptoir.idempotency i
WHERE i.book_id = %s AND i.id = ANY(%s::bytea[])
    AND (i.expires_at IS NULL OR i.expires_at > clock_timestamp())"""

_DEAD: Final = "coalesce(i.expires_at <= clock_timestamp(), false)"

CLAIM: Final = f"""
INSERT INTO comptoir.idempotency AS i (book_id, id, mark, origin, lease_until)
SELECT %s::integer, %s::bytea, %s::bytea, %s::uuid, clock_timestamp() + make_interval(secs => %s)
FROM (SELECT set_config('lock_timeout', %s, true) AS said) patience WHERE said IS NOT NULL
ON CONFLICT (book_id, id) DO UPDATE SET
    mark = excluded.mark,
    origin = CASE WHEN {_DEAD} THEN excluded.origin ELSE i.origin END,
    steps = CASE WHEN {_DEAD} THEN '{{}}' ELSE i.steps END,
    attempt = i.attempt + 1, lease_until = excluded.lease_until, result = NULL, expires_at = NULL
WHERE {_DEAD} OR (i.lease_until <= clock_timestamp() AND i.mark = excluded.mark)
RETURNING i.attempt, i.origin, i.steps"""
"""A call that was never made, one whose result has expired, or one whose caller has gone.

It waits, for so long as it is told, for a transaction that is making the same call."""

RENEW_CLAIM: Final = """
UPDATE comptoir.idempotency SET lease_until = clock_timestamp() + make_interval(secs => %s)
WHERE book_id = %s AND id = %s AND attempt = %s AND result IS NULL RETURNING 1"""

KEEP_STEP: Final = """
UPDATE comptoir.idempotency SET steps = steps || jsonb_build_object(%s::text, %s::jsonb)
WHERE book_id = %s AND id = %s AND attempt = %s AND result IS NULL RETURNING 1"""

FINISH: Final = """
UPDATE comptoir.idempotency SET result = %s::jsonb, lease_until = NULL, steps = '{}',
    expires_at = clock_timestamp() + make_interval(secs => %s::double precision)
WHERE book_id = %s AND id = %s AND attempt = %s AND result IS NULL RETURNING 1"""

GIVE_BACK_CLAIM: Final = """
WITH gone AS (
    DELETE FROM comptoir.idempotency
    WHERE book_id = %(book)s AND id = %(id)s AND attempt = %(attempt)s AND result IS NULL
        AND steps = '{}' AND NOT %(asked)s RETURNING 1
)
UPDATE comptoir.idempotency SET lease_until = clock_timestamp()
WHERE book_id = %(book)s AND id = %(id)s AND attempt = %(attempt)s AND result IS NULL
    AND (steps <> '{}' OR %(asked)s)"""
"""What has done no step and asked no provider is as if it had never begun; else whoever comes next
goes on from there, under the same names for providers: one may have done what he did not answer."""

RESERVE: Final = """
SELECT outcome, most, so_far, resets_at FROM comptoir.reserve_quota(%s, %s, %s, %s, %s, %s)"""

SETTLE: Final = "SELECT outcome, late FROM comptoir.settle_quota(%s, %s, %s)"

COUNT_USAGE: Final = "SELECT total FROM comptoir.count_usage(%s, %s, %s, %s)"

# What is reserved no longer is taken off in passing; nothing is written.
USAGE: Final = """
WITH person AS (
    SELECT id, time_zone, plan, (clock_timestamp() AT TIME ZONE time_zone)::date AS day
    FROM comptoir.customers WHERE book_id = %(book)s AND customer = %(customer)s
)
SELECT want.metric, coalesce(u.used, 0),
    coalesce(u.reserved, 0) - coalesce((
        SELECT sum(r.quantity) FROM comptoir.usage_reservations r
        WHERE r.book_id = u.book_id AND r.customer_id = u.customer_id AND r.metric = u.metric
            AND r.day = u.day AND r.state = 'open' AND r.expires_at <= clock_timestamp()
    ), 0)::bigint,
    q.daily, (coalesce(p.day, (clock_timestamp() AT TIME ZONE 'UTC')::date) + 1)::timestamp
        AT TIME ZONE coalesce(p.time_zone, 'UTC'),
    EXISTS (SELECT FROM comptoir.plan_quotas k
        WHERE k.book_id = %(book)s AND k.metric = want.metric)
FROM unnest(%(metrics)s::text[]) WITH ORDINALITY AS want(metric, no)
LEFT JOIN person p ON true
LEFT JOIN comptoir.usage u ON u.book_id = %(book)s AND u.customer_id = p.id
    AND u.metric = want.metric AND u.day = p.day
LEFT JOIN comptoir.plan_quotas q ON q.book_id = %(book)s AND q.plan = coalesce(p.plan, 'free')
    AND q.metric = want.metric
ORDER BY want.no"""

ASK_LEASES: Final = """
SELECT deed, lease, who, fence, until FROM comptoir.ask_leases(
    %s, %s::uuid[], %s::text[], %s::uuid[], %s::double precision[], %s::uuid[],
    %s::double precision[], %s::uuid[])"""

FENCE: Final = """
SELECT 1 FROM comptoir.leases
WHERE book_id = %s AND key = %s AND token = %s AND expires_at > clock_timestamp()
FOR KEY SHARE"""

TRY_LOCK: Final = "SELECT pg_try_advisory_xact_lock(%s::bigint)"

ADD: Final = """
INSERT INTO comptoir.counters AS c (book_id, name, value)
SELECT %s::integer, t.name, t.amount FROM unnest(%s::text[], %s::bigint[]) AS t(name, amount)
ORDER BY t.name
ON CONFLICT (book_id, name) DO UPDATE SET value = c.value + excluded.value
RETURNING c.name, c.value"""

COUNT_ONCE: Final = """
INSERT INTO comptoir.counted (book_id, id) VALUES (%s, %s)
ON CONFLICT DO NOTHING RETURNING 1"""

COUNTERS: Final = """
SELECT name, value FROM comptoir.counters WHERE book_id = %s AND name = ANY(%s::text[])"""

TIDIED: Final = 1_000
"""Rows that one of these takes away at most. It stands in them as a number: of one that is said
later the planner believes that it is a tenth of the table, and reads all of it."""

TIDY: Final = (
    f"""
DELETE FROM comptoir.idempotency WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM comptoir.idempotency WHERE expires_at < now()
    ORDER BY expires_at LIMIT {TIDIED} FOR UPDATE SKIP LOCKED))""",
    f"""
DELETE FROM comptoir.leases WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM comptoir.leases WHERE expires_at < now() - interval '1 day'
    ORDER BY expires_at LIMIT {TIDIED} FOR UPDATE SKIP LOCKED))""",
    f"""
DELETE FROM comptoir.usage_reservations WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM comptoir.usage_reservations
    WHERE expires_at < now() - interval '8 days' AND day < current_date - 7
    ORDER BY expires_at LIMIT {TIDIED} FOR UPDATE SKIP LOCKED))""",
    f"""
DELETE FROM comptoir.counted WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM comptoir.counted WHERE at < now() - interval '30 days'
    ORDER BY at LIMIT {TIDIED} FOR UPDATE SKIP LOCKED))""",
    f"""
DELETE FROM comptoir.rate_limits WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM comptoir.rate_limits WHERE expires_at < now()
    ORDER BY expires_at LIMIT {TIDIED} FOR UPDATE SKIP LOCKED))""",
    f"""
DELETE FROM comptoir.usage WHERE ctid = ANY(ARRAY(
    SELECT u.ctid FROM comptoir.books b CROSS JOIN LATERAL (
        SELECT ctid FROM comptoir.usage
        WHERE book_id = b.id AND day < current_date - 400
        ORDER BY day LIMIT {TIDIED} FOR UPDATE SKIP LOCKED
    ) u LIMIT {TIDIED}))""",
)
"""What has ended and is asked for no more; what a customer used in a day stays for 400 days. Calls
that were begun and never ended stay: they are few, and who comes back goes on under the same names
for providers."""
