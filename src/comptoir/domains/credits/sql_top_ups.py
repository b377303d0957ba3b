"""Every statement about buying again by itself."""

from typing import Final

PUT: Final = """
INSERT INTO comptoir.top_ups (book_id, customer_id, pack, enabled, monthly_cap)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (book_id, customer_id) DO UPDATE SET pack = excluded.pack,
    enabled = excluded.enabled, monthly_cap = excluded.monthly_cap, failed_at = NULL"""

FIND: Final = """
SELECT t.pack, t.enabled, t.monthly_cap,
    CASE WHEN t.month = date_trunc('month', now())::date THEN t.spent ELSE 0 END,
    comptoir.micros(t.failed_at)
FROM comptoir.top_ups t WHERE t.book_id = %s AND t.customer_id = %s"""

BEGIN: Final = """
UPDATE comptoir.top_ups t SET payment_id = %(payment)s,
    month = date_trunc('month', now())::date,
    spent = CASE WHEN t.month = date_trunc('month', now())::date THEN t.spent ELSE 0 END
        + %(amount)s
WHERE t.book_id = %(book)s AND t.customer_id = %(customer)s AND t.enabled
    AND t.payment_id IS DISTINCT FROM %(payment)s
    AND (t.failed_at IS NULL OR t.failed_at < now() - interval '1 day')
    AND CASE WHEN t.month = date_trunc('month', now())::date THEN t.spent ELSE 0 END
        + %(amount)s <= t.monthly_cap
    AND NOT EXISTS (
        SELECT FROM comptoir.payments p WHERE p.book_id = t.book_id AND p.id = t.payment_id
            AND p.status IN ('new', 'open', 'processing')
    )
RETURNING t.pack"""
"""The row is locked by whoever begins: the one that comes second sees an open payment, or his own,
when the same job runs twice at once."""

FAILED: Final = """
UPDATE comptoir.top_ups SET failed_at = clock_timestamp(), spent = greatest(spent - %s, 0)
WHERE book_id = %s AND customer_id = %s AND payment_id = %s"""
