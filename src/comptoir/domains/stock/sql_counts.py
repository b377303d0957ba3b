"""Every statement about counts and deliveries that come as files."""

from typing import Final

PRODUCTS: Final = """
SELECT p.product, p.name, p.amount, p.currency, p.on_refund FROM comptoir.products p
WHERE p.book_id = %s AND p.product = ANY(%s)"""

SIZES: Final = """
SELECT s.product, s.size, s.account_id, a.posted, a.held, coalesce(a.low_at, 0),
    s.removed_at IS NULL
FROM comptoir.sizes s
JOIN comptoir.accounts a ON a.book_id = s.book_id AND a.id = s.account_id
WHERE s.book_id = %s AND s.product = ANY(%s) ORDER BY s.product, s.place, s.size"""

ADD_SIZE: Final = """
INSERT INTO comptoir.sizes (book_id, product, size, place, account_id)
VALUES (%(book)s, %(product)s, %(size)s, (
        SELECT coalesce(max(o.place) + 1, 0) FROM comptoir.sizes o
        WHERE o.book_id = %(book)s AND o.product = %(product)s
    ), comptoir.open_account(%(book)s, %(asset)s, NULL, %(name)s, true))
ON CONFLICT (book_id, product, size) DO UPDATE SET removed_at = NULL,
    place = CASE WHEN sizes.removed_at IS NULL THEN sizes.place ELSE excluded.place END
RETURNING account_id"""

LOCK: Final = """
SELECT a.id, a.posted, a.held, a.version FROM comptoir.accounts a
WHERE a.book_id = %s AND a.id = ANY(%s) ORDER BY a.id FOR NO KEY UPDATE"""

DECIDED: Final = """
SELECT r.id FROM comptoir.requests r
WHERE r.book_id = %s AND r.id = ANY(%s::bytea[]) AND r.outcome = 'created'"""
