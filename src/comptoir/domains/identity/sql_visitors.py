"""Every statement about customers who look at their own pages."""

from typing import Final

ADD_LINK: Final = """
INSERT INTO comptoir.portal_visits (book_id, id, customer_id, hash, expires_at)
VALUES (%s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s))
RETURNING comptoir.micros(expires_at)"""

ADD_SESSION: Final = """
INSERT INTO comptoir.portal_visits (book_id, id, customer_id, hash, opened_at, expires_at)
VALUES (%s, %s, %s, %s, clock_timestamp(), clock_timestamp() + make_interval(secs => %s))"""

LINK: Final = """
SELECT hash FROM comptoir.portal_visits
WHERE hash = %s AND opened_at IS NULL AND ended_at IS NULL AND expires_at > clock_timestamp()"""

OPEN: Final = """
UPDATE comptoir.portal_visits SET hash = %(session)s, opened_at = clock_timestamp(),
    expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE hash = %(link)s AND opened_at IS NULL AND ended_at IS NULL
    AND expires_at > clock_timestamp()
RETURNING id"""

SESSION: Final = """
SELECT v.hash, v.id, v.book_id, b.name, b.is_test, c.id, c.customer, c.name, c.locale,
    c.time_zone, c.plan
FROM comptoir.portal_visits v
JOIN comptoir.books b ON b.id = v.book_id
JOIN comptoir.customers c ON c.book_id = v.book_id AND c.id = v.customer_id
WHERE v.hash = %s AND v.opened_at IS NOT NULL AND v.ended_at IS NULL
    AND v.expires_at > clock_timestamp() AND c.erased_at IS NULL"""

END: Final = """
UPDATE comptoir.portal_visits SET ended_at = clock_timestamp()
WHERE book_id = %s AND id = %s AND ended_at IS NULL"""

END_ALL: Final = """
UPDATE comptoir.portal_visits SET ended_at = clock_timestamp()
WHERE book_id = %s AND customer_id = %s AND ended_at IS NULL"""

TIDIED: Final = 1_000

TIDY: Final = f"""
DELETE FROM comptoir.portal_visits WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM comptoir.portal_visits
    WHERE expires_at < now() - interval '30 days'
    ORDER BY expires_at LIMIT {TIDIED} FOR UPDATE SKIP LOCKED))"""
