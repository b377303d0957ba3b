"""Statements of the pages about money."""

from typing import Final

PAID: Final = """
SELECT currency, count(*), sum(received)::bigint FROM comptoir.payments
WHERE book_id = %s AND paid_at >= comptoir.moment(%s) GROUP BY currency ORDER BY currency"""

REFUNDED: Final = """
SELECT p.currency, count(*), sum(r.amount)::bigint
FROM comptoir.refunds r
CROSS JOIN LATERAL (
    SELECT currency FROM comptoir.payments
    WHERE book_id = r.book_id AND id = r.payment_id LIMIT 1
) p
WHERE r.book_id = %s AND r.id >= %s AND r.status <> 'failed'
GROUP BY p.currency ORDER BY p.currency"""
"""Ids of refunds begin with their time."""

PAYER: Final = """
SELECT c.customer, p.id FROM comptoir.payments p
LEFT JOIN comptoir.customers c ON c.book_id = p.book_id AND c.id = p.customer_id
WHERE p.book_id = %(book)s AND p.id = %(id)s::uuid"""

PAYER_BY_NAME: Final = """
SELECT c.customer, p.id FROM (
    SELECT * FROM comptoir.payments WHERE intent = %(name)s
    UNION ALL SELECT * FROM comptoir.payments WHERE session = %(name)s
    UNION ALL SELECT * FROM comptoir.payments WHERE invoice = %(name)s
) p LEFT JOIN comptoir.customers c ON c.book_id = p.book_id AND c.id = p.customer_id
WHERE p.book_id = %(book)s LIMIT 1"""

BUYER: Final = """
SELECT c.customer, o.id FROM comptoir.orders o
LEFT JOIN comptoir.customers c ON c.book_id = o.book_id AND c.id = o.customer_id
WHERE o.book_id = %s AND o.number = %s AND o.origin = 'checkout'"""

AT_PROVIDER: Final = """
SELECT c.customer, NULL FROM comptoir.provider_customers p
JOIN comptoir.customers c ON c.book_id = p.book_id AND c.id = p.customer_id
WHERE p.book_id = %s AND p.provider_id = %s"""

ORDER_PAID_BY: Final = """
SELECT p.id FROM (
    SELECT book_id, id, purpose FROM comptoir.payments WHERE intent = %(name)s
    UNION ALL SELECT book_id, id, purpose FROM comptoir.payments WHERE session = %(name)s
    UNION ALL SELECT q.book_id, q.id, q.purpose FROM comptoir.refunds r
    JOIN comptoir.payments q ON q.book_id = r.book_id AND q.id = r.payment_id
    WHERE r.provider_id = %(name)s
    UNION ALL SELECT q.book_id, q.id, q.purpose FROM comptoir.disputes d
    JOIN comptoir.payments q ON q.book_id = d.book_id AND q.id = d.payment_id
    WHERE d.provider_id = %(name)s
) p WHERE p.book_id = %(book)s AND p.purpose = 'order' LIMIT 1"""

ORDER_NUMBERED: Final = """
SELECT o.id FROM comptoir.orders o
WHERE o.book_id = %(book)s AND o.number = %(name)s AND o.origin = 'checkout'"""

CASES_ABOUT: Final = """
SELECT c.id, c.kind, c.subject, c.figures, comptoir.micros(c.opened_at),
    comptoir.micros(c.closed_at), c.closed_by, c.note
FROM comptoir.cases c
WHERE c.book_id = %(book)s AND c.kind = ANY(%(kinds)s) AND c.subject = ANY(%(subjects)s)
ORDER BY c.opened_at, c.id LIMIT %(limit)s"""
"""A case is found by its kind and what it is about: all kinds there are must be said."""
