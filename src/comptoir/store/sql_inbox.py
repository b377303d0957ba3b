"""Every statement of the inbox."""

from typing import Final, LiteralString

FORGOTTEN: Final = 1000
"""Rows that are tidied up at once. It stands in the statements as a number, for the planner."""

RECEIVE: Final = """
INSERT INTO comptoir.inbox (book_id, source, event_id, type, object_id, livemode, occurred_at, via,
    body)
SELECT coalesce(b.id, 1), t.source, t.event_id, t.type, t.object_id, t.livemode,
    comptoir.moment(t.at), t.via, t.body
FROM unnest(%s::integer[], %s::text[], %s::text[], %s::text[], %s::text[], %s::boolean[],
    %s::bigint[], %s::text[], %s::text[])
    AS t(book_id, source, event_id, type, object_id, livemode, at, via, body)
LEFT JOIN comptoir.books b ON b.id = t.book_id
ON CONFLICT DO NOTHING RETURNING source, event_id"""

_COLUMNS: Final = """i.book_id, i.source, i.event_id, i.type, i.object_id, i.livemode,
    comptoir.micros(i.occurred_at), i.via, i.body, i.attempts, i.state"""

CLAIM: Final[LiteralString] = f"SELECT {_COLUMNS} FROM comptoir.next_event() i"

CLAIM_AGAIN: Final = """
SELECT 1 FROM comptoir.inbox
WHERE book_id = %s AND source = %s AND event_id = %s AND attempts = %s AND due_at IS NOT NULL
FOR UPDATE"""

LEASE: Final = """
UPDATE comptoir.inbox SET attempts = attempts + 1,
    due_at = clock_timestamp() + make_interval(secs => %s)
WHERE book_id = %s AND source = %s AND event_id = %s"""

END: Final = """
UPDATE comptoir.inbox SET state = %s, attempts = attempts + %s, due_at = NULL,
    done_at = clock_timestamp(), effects = %s, error = %s
WHERE book_id = %s AND source = %s AND event_id = %s"""

PUT_OFF: Final = """
UPDATE comptoir.inbox SET state = %s, attempts = attempts + %s,
    due_at = clock_timestamp() + make_interval(secs => %s), effects = NULL, error = %s
WHERE book_id = %s AND source = %s AND event_id = %s AND due_at IS NOT NULL"""

WAKE: Final = """
UPDATE comptoir.inbox SET due_at = clock_timestamp()
WHERE book_id = ANY(%s) AND source = %s AND object_id = ANY(%s) AND due_at IS NOT NULL
    AND state = 'deferred'"""

COALESCE: Final = """
UPDATE comptoir.inbox SET state = 'done', due_at = NULL, done_at = clock_timestamp(), effects = %s
WHERE book_id = %s AND source = %s AND object_id = %s AND due_at IS NOT NULL
    AND type = ANY(%s) AND received_at < comptoir.moment(%s)"""

REPLAY: Final = """
UPDATE comptoir.inbox SET state = 'received', attempts = 0, due_at = clock_timestamp(),
    done_at = NULL, error = NULL
WHERE book_id = %s AND source = %s AND event_id = %s AND body IS NOT NULL RETURNING event_id"""

FIND: Final[LiteralString] = f"""
SELECT {_COLUMNS}, comptoir.micros(i.received_at), comptoir.micros(i.due_at),
    comptoir.micros(i.done_at), i.effects, i.error
FROM comptoir.inbox i WHERE i.book_id = %s AND i.source = %s AND i.event_id = %s"""

LIST: Final[LiteralString] = f"""
SELECT {_COLUMNS}, comptoir.micros(i.received_at), comptoir.micros(i.due_at),
    comptoir.micros(i.done_at), i.effects, i.error
FROM comptoir.inbox i
WHERE i.book_id = %(book)s
    AND (i.received_at, i.event_id) < (comptoir.moment(%(at)s), %(id)s)
    AND (%(state)s::text IS NULL OR i.state = %(state)s)
    AND (%(type)s::text IS NULL OR i.type = %(type)s)
ORDER BY i.received_at DESC, i.event_id DESC LIMIT %(limit)s"""

LIST_TROUBLES: Final[LiteralString] = f"""
SELECT {_COLUMNS}, comptoir.micros(i.received_at), comptoir.micros(i.due_at),
    comptoir.micros(i.done_at), i.effects, i.error
FROM comptoir.inbox i
WHERE i.book_id = %(book)s AND i.state NOT IN ('done', 'ignored')
    AND (i.received_at, i.event_id) < (comptoir.moment(%(at)s), %(id)s)
    AND (%(state)s::text IS NULL OR i.state = %(state)s)
    AND (%(type)s::text IS NULL OR i.type = %(type)s)
ORDER BY i.received_at DESC, i.event_id DESC LIMIT %(limit)s"""

KNOWN: Final = """
SELECT event_id FROM comptoir.inbox WHERE book_id = %s AND source = %s AND event_id = ANY(%s)"""

COUNTS: Final = """
SELECT state, count(*), coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8
FROM comptoir.inbox WHERE book_id = %s AND state NOT IN ('done', 'ignored') GROUP BY state"""

WATCHED: Final = 10_000
"""Events of a book that figures for Prometheus count at most: they are asked for all the time."""

STANDING: Final = f"""
SELECT b.id, found.state, sum(found.counts),
    coalesce(extract(epoch FROM now() - min(found.received_at)), 0)::float8
FROM comptoir.books b CROSS JOIN LATERAL (
    (SELECT i.state, i.received_at, 1 AS counts FROM comptoir.inbox i
    WHERE i.book_id = b.id AND i.due_at IS NOT NULL LIMIT {WATCHED})
    UNION ALL
    (SELECT i.state, i.received_at, CASE WHEN i.due_at IS NULL THEN 1 ELSE 0 END
    FROM comptoir.inbox i WHERE i.book_id = b.id AND i.state NOT IN ('done', 'ignored')
    ORDER BY i.received_at, i.event_id LIMIT {WATCHED})
) found GROUP BY b.id, found.state"""
"""What waits is counted along one index, what has ended badly along another, that also knows the
oldest: each reads so many rows of a book and no more."""

LAST: Final = """
SELECT comptoir.micros(received_at) FROM comptoir.inbox
WHERE book_id = %s ORDER BY received_at DESC, event_id DESC LIMIT 1"""

FORGET_BODIES: Final = f"""
UPDATE comptoir.inbox SET body = NULL WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM comptoir.inbox
    WHERE received_at < now() - interval '90 days' AND body IS NOT NULL
    ORDER BY received_at LIMIT {FORGOTTEN} FOR UPDATE SKIP LOCKED))"""
"""That it came is known for ever, so that it is never new again; what it said is not."""

FORGET_HAPPENINGS: Final = f"""
DELETE FROM comptoir.outbox WHERE ctid = ANY(ARRAY(
    SELECT o.ctid FROM comptoir.books b CROSS JOIN LATERAL (
        SELECT ctid FROM comptoir.outbox
        WHERE book_id = b.id AND at < now() - interval '30 days' AND NOT waits
        ORDER BY at, id LIMIT {FORGOTTEN}) o LIMIT {FORGOTTEN}))"""
