"""Every statement of rate limits that PostgreSQL keeps."""

from typing import Any, Final

from psycopg import AsyncConnection

Tx = AsyncConnection[Any]

NO_WAIT: Final = "SET LOCAL synchronous_commit = off"

# The clock is read for each row, after its lock: the last one is after all of them.
READ: Final = """
SELECT key, last, slots, costs, comptoir.micros(clock_timestamp()) FROM (
    SELECT key, last, slots, costs FROM comptoir.rate_limits
    WHERE book_id = %s AND key = ANY(%s::text[]) ORDER BY key FOR NO KEY UPDATE
) locked"""

MAKE: Final = """
INSERT INTO comptoir.rate_limits (book_id, key, last, slots, costs, expires_at)
SELECT %s::integer, key, 0, '{}', '{}', clock_timestamp() + interval '1 minute'
FROM unnest(%s::text[]) AS key ORDER BY key
ON CONFLICT (book_id, key) DO NOTHING"""

# They are there, and locked. Not an UPDATE of what is joined: its plan is made while there are few
# rows, and then reads all of them.
SAVE: Final = """
INSERT INTO comptoir.rate_limits AS l (book_id, key, last, slots, costs, expires_at)
SELECT %s::integer, t.key, t.last, t.slots::bigint[], t.costs::bigint[], comptoir.moment(t.until)
FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::bigint[])
    AS t(key, last, slots, costs, until)
ON CONFLICT (book_id, key) DO UPDATE SET last = excluded.last, slots = excluded.slots,
    costs = excluded.costs, expires_at = excluded.expires_at"""
