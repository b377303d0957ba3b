"""Every statement about outgoing webhooks."""

from typing import Final

ADD: Final = """
INSERT INTO comptoir.hooks (book_id, id, url, types) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING"""

COUNT: Final = """
SELECT count(*) FROM comptoir.hooks WHERE book_id = %s AND removed_at IS NULL"""

LIST: Final = """
SELECT id, url, types, secret_no, comptoir.micros(rolled_at), comptoir.micros(created_at)
FROM comptoir.hooks WHERE book_id = %s AND removed_at IS NULL ORDER BY id"""

FIND: Final = """
SELECT id, url, types, secret_no, comptoir.micros(rolled_at), comptoir.micros(created_at)
FROM comptoir.hooks WHERE book_id = %s AND id = %s AND removed_at IS NULL"""

REMOVE: Final = """
UPDATE comptoir.hooks SET removed_at = clock_timestamp()
WHERE book_id = %s AND id = %s AND removed_at IS NULL RETURNING id"""

ROLL: Final = """
UPDATE comptoir.hooks SET secret_no = secret_no + 1, rolled_at = clock_timestamp()
WHERE book_id = %s AND id = %s AND removed_at IS NULL RETURNING secret_no"""

WANTING: Final = """
SELECT id FROM comptoir.hooks
WHERE book_id = %s AND removed_at IS NULL AND (%s = ANY(types) OR '*' = ANY(types))"""

ADD_DELIVERY: Final = """
INSERT INTO comptoir.hook_deliveries (book_id, hook_id, event_id) VALUES (%s, %s, %s)
ON CONFLICT (book_id, hook_id, event_id) DO NOTHING"""

REPLAY: Final = """
INSERT INTO comptoir.hook_deliveries (book_id, hook_id, event_id) VALUES (%s, %s, %s)
ON CONFLICT (book_id, hook_id, event_id) DO UPDATE SET state = 'waiting', attempts = 0,
    due_at = clock_timestamp(), done_at = NULL, error = NULL"""

LEASE: Final = """
UPDATE comptoir.hook_deliveries d SET attempts = d.attempts + 1,
    due_at = clock_timestamp() + interval '1 minute'
FROM (
    SELECT book_id, hook_id, event_id FROM comptoir.hook_deliveries
    WHERE due_at <= now() AND hook_id <> ALL(%s) ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
) due
WHERE d.book_id = due.book_id AND d.hook_id = due.hook_id AND d.event_id = due.event_id
RETURNING d.book_id, d.hook_id, d.event_id, d.attempts"""

SENT: Final = """
UPDATE comptoir.hook_deliveries SET state = 'sent', due_at = NULL, status = %s, error = NULL,
    done_at = clock_timestamp()
WHERE book_id = %s AND hook_id = %s AND event_id = %s AND attempts = %s"""

AGAIN: Final = """
UPDATE comptoir.hook_deliveries SET due_at = clock_timestamp() + make_interval(secs => %s),
    status = %s, error = %s
WHERE book_id = %s AND hook_id = %s AND event_id = %s AND attempts = %s"""

DEAD: Final = """
UPDATE comptoir.hook_deliveries SET state = 'dead', due_at = NULL, status = %s, error = %s,
    done_at = clock_timestamp()
WHERE book_id = %s AND hook_id = %s AND event_id = %s AND attempts = %s"""

DELIVERIES: Final = """
SELECT d.event_id, o.type, d.state, d.attempts, d.status, d.error, comptoir.micros(d.due_at),
    comptoir.micros(d.done_at), comptoir.micros(o.at)
FROM comptoir.hook_deliveries d
JOIN comptoir.outbox o ON o.book_id = d.book_id AND o.id = d.event_id
WHERE d.book_id = %s AND d.hook_id = %s AND (o.at, o.id) < (comptoir.moment(%s), %s)
ORDER BY o.at DESC, o.id DESC LIMIT %s"""

FIGURES: Final = """
SELECT s.code, s.scale, m.posted, m.held, m.filled, m.debt FROM comptoir.movements m
JOIN comptoir.accounts a ON a.book_id = m.book_id AND a.id = m.account_id
JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
WHERE m.book_id = %s AND m.account_id = %s AND m.version = %s"""

ASSET: Final = "SELECT code, scale FROM comptoir.assets WHERE book_id = %s AND id = %s"

CUSTOMER: Final = "SELECT customer FROM comptoir.customers WHERE book_id = %s AND id = %s"

WANTS_TOP_UP: Final = """
SELECT 1 FROM comptoir.top_ups WHERE book_id = %s AND customer_id = %s AND enabled"""

UNHEARD: Final = """
SELECT h.id, (
    SELECT count(*) FROM (
        SELECT FROM comptoir.hook_deliveries d
        WHERE d.book_id = h.book_id AND d.hook_id = h.id AND d.state = 'waiting' LIMIT %(most)s
    ) few
), (
    SELECT count(*) FROM (
        SELECT FROM comptoir.hook_deliveries d
        WHERE d.book_id = h.book_id AND d.hook_id = h.id AND d.state = 'dead' LIMIT %(most)s
    ) few
)
FROM comptoir.hooks h WHERE h.book_id = %(book)s AND h.removed_at IS NULL"""
