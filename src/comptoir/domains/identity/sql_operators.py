"""Every statement about operators who sign in, and about what they did."""

from typing import Final

ADD_LOGIN: Final = """
INSERT INTO comptoir.operator_logins (book_id, id, hash, name, role, expires_at)
VALUES (%s, %s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s))"""

LOGIN: Final = """
SELECT hash FROM comptoir.operator_logins
WHERE hash = %s AND used_at IS NULL AND expires_at > clock_timestamp()"""

USE_LOGIN: Final = """
UPDATE comptoir.operator_logins SET used_at = clock_timestamp()
WHERE hash = %s AND used_at IS NULL AND expires_at > clock_timestamp()
RETURNING hash, name, role"""

ADD_SESSION: Final = """
INSERT INTO comptoir.operator_sessions (book_id, id, hash, name, role, shown_book, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s))"""

SESSION: Final = """
SELECT s.hash, s.id, s.name, s.role, s.shown_book, b.name, b.is_test,
    s.seen_at < clock_timestamp() - make_interval(secs => 60)
FROM comptoir.operator_sessions s JOIN comptoir.books b ON b.id = s.shown_book
WHERE s.hash = %s AND s.ended_at IS NULL AND s.expires_at > clock_timestamp()
    AND s.seen_at > clock_timestamp() - make_interval(secs => %s)"""

SEEN: Final = """
UPDATE comptoir.operator_sessions SET seen_at = clock_timestamp() WHERE book_id = %s AND id = %s"""

SHOW_BOOK: Final = """
UPDATE comptoir.operator_sessions SET shown_book = b.id FROM comptoir.books b
WHERE book_id = %s AND operator_sessions.id = %s AND b.name = %s RETURNING b.id"""

END: Final = """
UPDATE comptoir.operator_sessions SET ended_at = clock_timestamp()
WHERE book_id = %s AND id = %s AND ended_at IS NULL RETURNING id"""

OPEN: Final = """
SELECT id, name, role, comptoir.micros(created_at), comptoir.micros(seen_at),
    comptoir.micros(expires_at)
FROM comptoir.operator_sessions
WHERE book_id = %s AND ended_at IS NULL AND expires_at > now()
    AND seen_at > now() - make_interval(secs => %s)
ORDER BY expires_at DESC LIMIT %s"""

NOTE: Final = """
INSERT INTO comptoir.audit (book_id, id, who, session_id, action, subject, account_id, reason,
    figures)
SELECT t.book_id, t.id, t.who, t.session_id, t.action, t.subject, t.account_id, t.reason,
    t.figures::jsonb
FROM unnest(%s::integer[], %s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::text[],
    %s::bigint[], %s::text[], %s::text[])
    AS t(book_id, id, who, session_id, action, subject, account_id, reason, figures)
ON CONFLICT DO NOTHING RETURNING id"""

LINES: Final = """
SELECT id, comptoir.micros(at), who, action, subject, reason, figures FROM comptoir.audit
WHERE book_id = %s AND (at, id) < (comptoir.moment(%s), %s)
ORDER BY book_id DESC, at DESC, id DESC LIMIT %s"""

FORGET_REASONS: Final = """
UPDATE comptoir.audit SET reason = NULL WHERE book_id = %s AND reason IS NOT NULL
    AND account_id IN (
        SELECT id FROM comptoir.accounts WHERE book_id = %s AND customer_id = %s
    )"""
