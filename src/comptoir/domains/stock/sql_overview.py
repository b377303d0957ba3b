"""Statements of the pages about stock."""

from typing import Final

LOW: Final = """
SELECT s.product, s.size, s.account_id, a.posted, a.held, coalesce(a.low_at, 0)
FROM comptoir.sizes s
JOIN comptoir.accounts a ON a.book_id = s.book_id AND a.id = s.account_id
WHERE s.book_id = %s AND s.removed_at IS NULL AND a.posted - a.held <= coalesce(a.low_at, 0)
ORDER BY s.product, s.place LIMIT %s"""

RESERVED: Final = """
SELECT o.id, l.product, l.size, l.quantity, c.customer, comptoir.micros(o.created_at),
    comptoir.micros(o.expires_at), o.origin
FROM (
    SELECT * FROM comptoir.orders WHERE status = 'reserved' AND book_id = %(book)s
    ORDER BY expires_at LIMIT %(limit)s
) o
JOIN comptoir.order_lines l ON l.book_id = o.book_id AND l.order_id = o.id
LEFT JOIN comptoir.customers c ON c.book_id = o.book_id AND c.id = o.customer_id
WHERE %(product)s::text IS NULL OR l.product = %(product)s
ORDER BY o.expires_at, o.id, l.no LIMIT %(limit)s"""
