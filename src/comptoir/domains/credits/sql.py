"""Every statement of the credits domain."""

from typing import Final

VERSION_BEFORE: Final = """
WITH RECURSIVE narrow(low, high) AS (
    SELECT 0::bigint, a.version FROM comptoir.accounts a
    WHERE a.book_id = %(book)s AND a.id = %(id)s
    UNION ALL
    SELECT CASE WHEN m.at < comptoir.moment(%(at)s) THEN middle ELSE low END,
        CASE WHEN m.at < comptoir.moment(%(at)s) THEN high ELSE middle - 1 END
    FROM narrow
    CROSS JOIN LATERAL (SELECT (low + high + 1) / 2) AS half(middle)
    JOIN comptoir.movements m
        ON m.book_id = %(book)s AND m.account_id = %(id)s AND m.version = middle
    WHERE low < high
)
SELECT low FROM narrow WHERE low = high"""
"""The last version before a time: a binary search, for times never go backwards in an account."""

MOVEMENTS: Final = """
SELECT m.version, m.kind, m.amount, m.posted, comptoir.micros(m.at), n.reason, n.reference
FROM comptoir.movements m
LEFT JOIN comptoir.notes n USING (book_id, account_id, version)
WHERE m.book_id = %(book)s AND m.account_id = %(id)s AND m.version < %(below)s
    AND m.version > %(above)s
    AND CASE WHEN %(kind)s::text IS NULL THEN m.amount <> 0 ELSE m.kind = %(kind)s END
ORDER BY m.version DESC LIMIT %(limit)s"""

LOTS: Final = """
SELECT l.no, l.source, l.granted, l.remaining, l.pinned, l.priority,
    comptoir.micros(l.expires_at), n.reference
FROM comptoir.lots l
LEFT JOIN comptoir.notes n USING (book_id, account_id, version)
WHERE l.book_id = %(book)s AND l.account_id = %(id)s AND l.open
    AND (l.expires_at IS NULL OR l.expires_at > clock_timestamp() OR l.pinned > 0)
    AND (l.priority, coalesce(l.expires_at, 'infinity'), l.no)
        > (%(priority)s::smallint, coalesce(comptoir.moment(%(expires_at)s), 'infinity'), %(no)s)
ORDER BY l.priority, coalesce(l.expires_at, 'infinity'), l.no LIMIT %(limit)s"""

_HOLD: Final = """
SELECT h.id, h.amount, h.captured,
    CASE WHEN h.state = 'open' AND h.expires_at <= clock_timestamp()
        THEN 'expired' ELSE h.state END,
    comptoir.micros(h.expires_at), coalesce(c.customer, a.name), s.code, h.opened, a.customer_id,
    h.group_id
FROM comptoir.holds h
JOIN comptoir.accounts a ON a.book_id = h.book_id AND a.id = h.account_id
JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
LEFT JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id"""

HOLD: Final = f"{_HOLD}\nWHERE h.book_id = %(book)s AND h.id = %(hold)s"

HOLD_GROUP: Final = "SELECT group_id FROM comptoir.holds WHERE book_id = %s AND id = %s"

HOLDS: Final = f"""{_HOLD}
WHERE h.book_id = %(book)s AND h.account_id = %(id)s AND h.opened < %(below)s
ORDER BY h.opened DESC LIMIT %(limit)s"""

PRICE_NOW: Final = """
SELECT id, action, version, amount, real_cost, comptoir.micros(created_at) FROM comptoir.prices
WHERE book_id = %s AND asset_id = %s AND action = %s ORDER BY version DESC LIMIT 1"""

PRICES: Final = """
SELECT DISTINCT ON (action) id, action, version, amount, real_cost, comptoir.micros(created_at)
FROM comptoir.prices WHERE book_id = %s AND asset_id = %s AND action > %s
ORDER BY action, version DESC LIMIT %s"""

ADD_PRICE: Final = """
INSERT INTO comptoir.prices (book_id, asset_id, action, version, amount, real_cost)
SELECT %(book)s, %(asset)s, %(action)s, coalesce(max(version), 0) + 1, %(amount)s, %(real_cost)s
FROM comptoir.prices WHERE book_id = %(book)s AND asset_id = %(asset)s AND action = %(action)s
ON CONFLICT DO NOTHING
RETURNING id, action, version, amount, real_cost, comptoir.micros(created_at)"""

KNOWN_REQUESTS: Final = """
SELECT r.id, r.mark, r.outcome FROM comptoir.requests r
WHERE r.book_id = %s AND r.id = ANY(%s::bytea[])
    AND (r.outcome = 'created' OR r.at > clock_timestamp() - make_interval(days => %s::integer))"""
"""What was decided under some ids. A refusal that is too old to count is none."""

AVAILABLE: Final = """
SELECT c.customer, a.posted - a.held FROM comptoir.customers c
JOIN comptoir.accounts a ON a.book_id = c.book_id AND a.customer_id = c.id
WHERE c.book_id = %s AND c.customer = ANY(%s::text[]) AND a.asset_id = %s"""

NOW: Final = "SELECT comptoir.micros(clock_timestamp())"

ZONE: Final = """
SELECT c.time_zone FROM comptoir.accounts a
JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
WHERE a.book_id = %s AND a.id = %s"""

TOLD: Final = """
SELECT m.account_id, m.version, m.contra_id, m.amount, m.posted, m.held, m.debt, m.filled, m.kind,
    comptoir.micros(m.at), m.request_id, m.lots, m.parts, m.hold_id, m.reverses,
    n.reason, n.reference, p.action, coalesce(e.quantity, 1), e.model, r.op,
    coalesce(r.late, false), comptoir.micros(r.expires_at), coalesce(c.customer, a.name),
    a.id IS NOT NULL
FROM comptoir.movements m
LEFT JOIN comptoir.notes n USING (book_id, account_id, version)
LEFT JOIN comptoir.memos e USING (book_id, account_id, version)
LEFT JOIN comptoir.prices p ON p.book_id = m.book_id AND p.id = e.price_id
LEFT JOIN comptoir.requests r ON r.book_id = m.book_id AND r.id = m.request_id
LEFT JOIN comptoir.accounts a ON a.book_id = m.book_id AND a.id = m.contra_id AND a.bounded
LEFT JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
WHERE m.book_id = %s AND m.account_id = %s AND m.version <= %s
ORDER BY m.version DESC LIMIT %s"""
"""Lines of the journal, in the columns of the store's, and what those who made them said."""

ORIGINS: Final = """
SELECT l.no, l.source, comptoir.micros(l.expires_at), l.version, comptoir.micros(m.at),
    n.reason, n.reference
FROM unnest(%s::integer[]) AS want(no)
JOIN comptoir.lots l ON l.book_id = %s AND l.account_id = %s AND l.no = want.no
JOIN comptoir.movements m USING (book_id, account_id, version)
LEFT JOIN comptoir.notes n USING (book_id, account_id, version)"""

PURPOSES: Final = """
SELECT h.id, h.amount, h.opened, comptoir.micros(h.at), n.reason, n.reference
FROM comptoir.holds h
LEFT JOIN comptoir.notes n
    ON n.book_id = h.book_id AND n.account_id = h.account_id AND n.version = h.opened
WHERE h.book_id = %s AND h.id = ANY(%s)"""

UNDONE: Final = """
SELECT m.version, m.kind, m.amount, comptoir.micros(m.at), n.reason, n.reference
FROM unnest(%s::bigint[]) AS want(version)
JOIN comptoir.movements m ON m.book_id = %s AND m.account_id = %s AND m.version = want.version
LEFT JOIN comptoir.notes n
    ON n.book_id = m.book_id AND n.account_id = m.account_id AND n.version = m.version"""
