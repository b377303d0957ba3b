"""Statements of the pages about stock."""

from typing import Final, LiteralString

LOW: Final = """
SELECT s.product, s.size, s.account_id, a.posted, a.held, coalesce(a.low_at, 0)
FROM comptoir.sizes s
JOIN comptoir.accounts a ON a.book_id = s.book_id AND a.id = s.account_id
WHERE s.book_id = %s AND s.removed_at IS NULL AND a.posted - a.held <= coalesce(a.low_at, 0)
ORDER BY s.product, s.place LIMIT %s"""

_LOOKED: Final[LiteralString] = """
SELECT o.id, 0::bigint FROM comptoir.orders o
WHERE o.book_id = %(book)s AND o.id < %(before)s AND o.id >= %(first)s"""

LOOKED: Final[LiteralString] = f"""{_LOOKED}
ORDER BY o.book_id DESC, o.id DESC LIMIT %(limit)s"""

LOOKED_OF_CUSTOMER: Final[LiteralString] = f"""{_LOOKED} AND o.customer_id = %(customer)s
ORDER BY o.book_id DESC, o.customer_id DESC, o.id DESC LIMIT %(limit)s"""

LOOKED_PAID: Final = """
SELECT p.id, comptoir.micros(p.paid_at) FROM comptoir.payments p
WHERE p.book_id = %(book)s AND p.purpose = 'order' AND p.paid_at >= comptoir.moment(%(since)s)
    AND p.paid_at <= comptoir.moment(%(at)s)
    AND (p.paid_at, p.id) < (comptoir.moment(%(at)s), %(before)s)
ORDER BY p.book_id DESC, p.paid_at DESC, p.id DESC LIMIT %(limit)s"""
"""When money came stands in the payment, which is found by its day."""

LISTED: Final = """
SELECT o.id, o.origin, o.status, o.number, o.reference, c.customer, o.email, o.amount, o.currency,
    comptoir.micros(o.created_at), comptoir.micros(o.expires_at), comptoir.micros(o.paid_at),
    comptoir.micros(o.fulfilled_at), comptoir.micros(o.ended_at), w.no
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY w(id, no)
JOIN comptoir.orders o ON o.book_id = %(book)s AND o.id = w.id
LEFT JOIN comptoir.customers c ON c.book_id = o.book_id AND c.id = o.customer_id
WHERE (%(status)s::text IS NULL OR o.status = %(status)s)
    AND (%(customer)s::bigint IS NULL OR o.customer_id = %(customer)s)
    AND o.id >= %(first)s
    AND (%(product)s::text IS NULL OR EXISTS (
        SELECT FROM comptoir.order_lines l
        WHERE l.book_id = o.book_id AND l.order_id = o.id AND l.product = %(product)s
    ))
ORDER BY w.no LIMIT %(limit)s"""
"""Of orders that were looked at, those that are wanted."""

FIRST_LINES: Final = """
SELECT w.id, l.product, l.size, l.quantity FROM unnest(%(ids)s::uuid[]) w(id)
CROSS JOIN LATERAL (
    SELECT * FROM comptoir.order_lines m WHERE m.book_id = %(book)s AND m.order_id = w.id
    ORDER BY m.book_id, m.order_id, m.no LIMIT %(limit)s
) l ORDER BY w.id, l.no"""

FUNNEL: Final = """
SELECT n.status, count(*), count(n.number), count(n.fulfilled_at) FROM (
    SELECT o.status, o.number, o.fulfilled_at FROM comptoir.orders o
    WHERE o.book_id = %(book)s AND o.id >= %(first)s
    ORDER BY o.book_id DESC, o.id DESC LIMIT %(limit)s
) n GROUP BY n.status"""

DUE_NEXT: Final = """
SELECT o.id, comptoir.micros(o.expires_at) FROM comptoir.orders o
WHERE o.status = 'reserved' AND o.book_id = %(book)s
    AND o.expires_at >= comptoir.moment(%(at)s)
    AND (o.expires_at, o.id) >= (comptoir.moment(%(at)s), %(after)s)
ORDER BY o.expires_at, o.id LIMIT %(limit)s"""

RESERVED: Final = """
SELECT o.id, l.product, l.size, l.quantity, c.customer, o.email, o.reference,
    comptoir.micros(o.created_at), comptoir.micros(o.expires_at), o.origin, l.no
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY w(id, no)
JOIN comptoir.orders o ON o.book_id = %(book)s AND o.id = w.id
JOIN comptoir.order_lines l ON l.book_id = o.book_id AND l.order_id = o.id
LEFT JOIN comptoir.customers c ON c.book_id = o.book_id AND c.id = o.customer_id
WHERE (%(product)s::text IS NULL OR l.product = %(product)s)
    AND (w.no > 1 OR o.id <> %(after)s OR l.no > %(line)s)
ORDER BY w.no, l.no LIMIT %(limit)s"""

STORY: Final = """
WITH mine AS MATERIALIZED (
    SELECT h.account_id, h.opened, h.closed, h.amount FROM comptoir.holds h
    WHERE h.book_id = %(book)s AND h.id = %(hold)s
    UNION
    SELECT h.account_id, h.opened, h.closed, h.amount FROM comptoir.holds h
    WHERE h.book_id = %(book)s AND h.group_id = %(hold)s
), lines AS MATERIALIZED (
    SELECT account_id, opened AS version, amount AS held FROM mine
    UNION ALL SELECT account_id, closed, -amount FROM mine WHERE closed IS NOT NULL
    UNION ALL SELECT r.account_id, r.version, 0 FROM comptoir.requests r
    WHERE r.book_id = %(book)s AND r.id = ANY(%(requests)s::bytea[]) AND r.version IS NOT NULL
    UNION ALL SELECT b.account_id, b.version, 0
    FROM unnest(%(returned)s::bigint[]) a(id) CROSS JOIN LATERAL (
        SELECT m.account_id, m.version, m.book_id FROM comptoir.movements m
        WHERE m.book_id = %(book)s AND m.account_id = a.id
        ORDER BY m.book_id DESC, m.account_id DESC, m.version DESC LIMIT %(back)s
    ) b
    JOIN comptoir.notes n
        ON n.book_id = b.book_id AND n.account_id = b.account_id AND n.version = b.version
    WHERE n.metadata ->> 'order' = %(number)s AND n.metadata ->> 'type' = 'return'
)
SELECT m.account_id, m.version, split_part(a.name, ':', 2), split_part(a.name, ':', 3), m.kind,
    m.amount, m.posted, max(t.held), n.reason, comptoir.micros(m.at)
FROM lines t
JOIN comptoir.movements m
    ON m.book_id = %(book)s AND m.account_id = t.account_id AND m.version = t.version
JOIN comptoir.accounts a ON a.book_id = m.book_id AND a.id = m.account_id
LEFT JOIN comptoir.notes n
    ON n.book_id = m.book_id AND n.account_id = m.account_id AND n.version = m.version
GROUP BY m.account_id, m.version, a.name, m.kind, m.amount, m.posted, n.reason, m.at
ORDER BY m.at, m.account_id, m.version LIMIT %(limit)s"""
"""What an order has set aside, sold, given back and taken back. Holds know the lines that have
opened and closed them, requests those that they have made. What came back without its money goes
by a name that nobody keeps: it is looked for among the last lines of its size."""
