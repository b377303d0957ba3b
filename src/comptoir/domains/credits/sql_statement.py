"""What a customer reads of his own account."""

from typing import Final

LOOKED: Final = 1_000
"""Lines that one page looks at, whatever it leaves out: versions have no gaps."""

LINES: Final = f"""
SELECT m.version, m.kind, m.amount, m.posted, m.held, coalesce(b.held, 0), comptoir.micros(m.at),
    n.reason, n.reference, p.action, coalesce(e.quantity, 1), h.amount, o.reason, o.reference
FROM comptoir.movements m
LEFT JOIN comptoir.movements b
    ON b.book_id = m.book_id AND b.account_id = m.account_id AND b.version = m.version - 1
LEFT JOIN comptoir.notes n
    ON n.book_id = m.book_id AND n.account_id = m.account_id AND n.version = m.version
LEFT JOIN comptoir.memos e
    ON e.book_id = m.book_id AND e.account_id = m.account_id AND e.version = m.version
LEFT JOIN comptoir.prices p ON p.book_id = m.book_id AND p.id = e.price_id
LEFT JOIN comptoir.holds h ON h.book_id = m.book_id AND h.id = m.hold_id
LEFT JOIN comptoir.notes o
    ON o.book_id = h.book_id AND o.account_id = h.account_id AND o.version = h.opened
WHERE m.book_id = %(book)s AND m.account_id = %(account)s
    AND m.version < %(below)s AND m.version >= %(below)s - {LOOKED}
    AND m.kind = ANY(%(kinds)s::text[])
ORDER BY m.version DESC LIMIT %(limit)s"""

NEXT_EXPIRY: Final = """
SELECT comptoir.micros(expires_at), sum(remaining)::bigint FROM comptoir.lots
WHERE book_id = %s AND account_id = %s AND open AND expires_at > clock_timestamp()
    AND remaining > 0
GROUP BY expires_at ORDER BY expires_at LIMIT 1"""
