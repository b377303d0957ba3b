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

ACCOUNTS_OF: Final = """
SELECT id FROM comptoir.accounts WHERE book_id = %s AND customer_id = %s ORDER BY id"""

OPEN_HOLDS: Final = """
SELECT count(*) FROM comptoir.holds
WHERE book_id = %(book)s AND account_id = ANY(%(ids)s) AND state = 'open'"""

DELETE_NOTES: Final = """
DELETE FROM comptoir.notes WHERE book_id = %(book)s AND account_id = ANY(%(ids)s)"""

DELETE_NOTES_OF_TRANSFERS: Final = """
DELETE FROM comptoir.notes WHERE ctid = ANY (ARRAY(
    SELECT n.ctid FROM comptoir.movements m
    CROSS JOIN LATERAL (
        SELECT CASE WHEN account_id = m.account_id THEN mirror_version ELSE version END AS version
        FROM comptoir.requests WHERE (book_id, id) = (m.book_id, m.request_id) LIMIT 1
    ) r
    CROSS JOIN LATERAL (
        SELECT ctid FROM comptoir.notes
        WHERE (book_id, account_id, version) = (m.book_id, m.contra_id, r.version) LIMIT 1
    ) n
    WHERE m.book_id = %(book)s AND m.account_id = ANY(%(ids)s) AND m.kind = 'transfer'
))"""
"""The other side of a transfer has a line of its own, with the same text.

LIMIT and OFFSET have texts looked up line by line: to join them whole would read those of everybody
else. Rows keep their place for as long as a statement can see them."""

DELETE_NOTES_OF_GROUPS: Final = """
DELETE FROM comptoir.notes WHERE ctid = ANY (ARRAY(
    SELECT n.ctid FROM comptoir.holds own
    CROSS JOIN LATERAL (
        SELECT id, account_id, opened, closed FROM comptoir.holds
        WHERE book_id = own.book_id AND group_id = own.group_id AND account_id <> own.account_id
        OFFSET 0
    ) mate
    CROSS JOIN LATERAL (
        SELECT request_id FROM comptoir.movements
        WHERE book_id = own.book_id AND account_id = own.account_id AND hold_id = own.id
            AND version > own.opened AND version <= own.closed
        OFFSET 0
    ) line
    CROSS JOIN LATERAL (
        SELECT version FROM comptoir.movements
        WHERE book_id = own.book_id AND account_id = mate.account_id AND hold_id = mate.id
            AND version > mate.opened AND (mate.closed IS NULL OR version <= mate.closed)
            AND request_id = line.request_id
        OFFSET 0
    ) m
    CROSS JOIN LATERAL (
        SELECT ctid FROM comptoir.notes
        WHERE (book_id, account_id, version) = (own.book_id, mate.account_id, m.version) LIMIT 1
    ) n
    WHERE own.book_id = %(book)s AND own.account_id = ANY(%(ids)s) AND own.group_id IS NOT NULL
))"""
"""One request may have captured, released or renewed several holds: a line each, the same text."""

MAKE_ANONYMOUS: Final = """
UPDATE comptoir.accounts a SET anonymous = true FROM comptoir.assets s
WHERE a.book_id = %(book)s AND a.id = ANY(%(ids)s) AND s.book_id = a.book_id AND s.id = a.asset_id
RETURNING s.code, a.posted, a.version"""

STANDINGS: Final = """
SELECT a.id, s.code, a.posted, a.held, a.debt, a.filled, a.version, comptoir.micros(a.at)
FROM comptoir.accounts a
JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
WHERE a.book_id = %s AND a.customer_id = %s ORDER BY a.id"""

LOT_HISTORY: Final = """
SELECT l.no, l.source, l.granted, l.remaining, l.pinned, l.priority,
    comptoir.micros(l.expires_at), n.reference, l.paid, l.tax, l.currency
FROM (
    SELECT * FROM comptoir.lots WHERE book_id = %s AND account_id = %s AND no > %s
    ORDER BY book_id, account_id, no LIMIT %s
) l
LEFT JOIN LATERAL (
    SELECT reference FROM comptoir.notes
    WHERE (book_id, account_id, version) = (l.book_id, l.account_id, l.version) LIMIT 1
) n ON true
ORDER BY l.no"""
"""Here and below LIMIT 1 has texts looked up row by row, whatever the planner expects of a page."""

HOLD_HISTORY: Final = """
SELECT h.opened, h.id, h.amount, h.captured, h.state, h.on_excess, comptoir.micros(h.at),
    comptoir.micros(h.expires_at), h.group_id
FROM comptoir.holds h
WHERE h.book_id = %s AND h.account_id = %s AND h.opened > %s
ORDER BY h.book_id, h.account_id, h.opened LIMIT %s"""

LINE_HISTORY: Final = """
SELECT m.version, m.kind, m.amount, m.posted, comptoir.micros(m.at), n.reason, n.reference,
    n.metadata, m.held, m.debt, m.hold_id, m.reverses, o.quantity, o.action, o.model, o.cost
FROM (
    SELECT * FROM comptoir.movements WHERE book_id = %s AND account_id = %s AND version > %s
    ORDER BY book_id, account_id, version LIMIT %s
) m
LEFT JOIN LATERAL (
    SELECT reason, reference, metadata FROM comptoir.notes
    WHERE (book_id, account_id, version) = (m.book_id, m.account_id, m.version) LIMIT 1
) n ON true
LEFT JOIN LATERAL (
    SELECT o.quantity, p.action, o.model, o.cost FROM comptoir.memos o
    LEFT JOIN comptoir.prices p ON p.book_id = o.book_id AND p.id = o.price_id
    WHERE (o.book_id, o.account_id, o.version) = (m.book_id, m.account_id, m.version) LIMIT 1
) o ON true
ORDER BY m.version"""

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
