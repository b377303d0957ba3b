"""Statements of the pages about credits: nothing is counted, nothing is skipped by an offset."""

from typing import Final, LiteralString

_FIGURES: Final[LiteralString] = """c.id, c.customer, c.name, c.plan, coalesce(a.posted, 0),
    coalesce(a.held, 0), coalesce(a.debt, 0), coalesce(a.filled, 0),
    CASE WHEN a.version > 0 THEN comptoir.micros(a.at) END"""

_WITH_ACCOUNT: Final[LiteralString] = """
LEFT JOIN comptoir.accounts a
    ON a.book_id = c.book_id AND a.customer_id = c.id AND a.asset_id = %(asset)s"""

NEWEST: Final[LiteralString] = f"""
SELECT {_FIGURES} FROM (
    SELECT * FROM comptoir.customers
    WHERE book_id = %(book)s AND id < %(after)s AND erased_at IS NULL
    ORDER BY book_id DESC, id DESC LIMIT %(limit)s
) c{_WITH_ACCOUNT} ORDER BY c.id DESC"""

BY_PREFIX: Final[LiteralString] = f"""
SELECT {_FIGURES} FROM (
    SELECT * FROM comptoir.customers
    WHERE book_id = %(book)s AND customer IS NOT NULL AND customer ~>=~ %(prefix)s
        AND customer ~<~ %(beyond)s AND customer ~>~ %(after)s
    ORDER BY book_id, customer USING ~<~ LIMIT %(limit)s
) c{_WITH_ACCOUNT} ORDER BY c.customer USING ~<~"""

SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

OWED: Final = """
SELECT asset_id, bounded AND customer_id IS NOT NULL, sum(posted)::bigint, sum(held)::bigint,
    sum(debt)::bigint, count(id), max(id)
FROM (
    SELECT * FROM comptoir.accounts WHERE book_id = %(book)s AND id > %(after)s
    ORDER BY book_id, id LIMIT %(limit)s
) a GROUP BY 1, 2"""
"""Of so many accounts at a time, those of customers and others apart."""

EXPIRING: Final = """
SELECT l.account_id, l.no, c.customer, s.code, s.scale, l.source, l.remaining, l.pinned, l.granted,
    comptoir.micros(l.expires_at)
FROM (
    SELECT * FROM comptoir.lots
    WHERE book_id = %(book)s AND open AND expires_at IS NOT NULL
        AND expires_at <= comptoir.moment(%(until)s)
        AND (expires_at, account_id, no)
            > (comptoir.moment(%(expires_at)s), %(account)s, %(no)s::bigint)
    ORDER BY book_id, expires_at, account_id, no LIMIT %(limit)s
) l
JOIN comptoir.accounts a ON a.book_id = l.book_id AND a.id = l.account_id
JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
LEFT JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
ORDER BY l.expires_at, l.account_id, l.no"""

OPEN_HOLDS: Final = """
SELECT h.id, h.account_id, c.customer, s.code, s.scale, h.amount - h.captured,
    comptoir.micros(h.at), comptoir.micros(h.expires_at), n.reason, n.reference
FROM (
    SELECT * FROM comptoir.holds
    WHERE book_id = %(book)s AND state = 'open' AND (at, id) > (comptoir.moment(%(at)s), %(hold)s)
    ORDER BY book_id, at, id LIMIT %(limit)s
) h
JOIN comptoir.accounts a ON a.book_id = h.book_id AND a.id = h.account_id
JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
LEFT JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
LEFT JOIN comptoir.notes n
    ON n.book_id = h.book_id AND n.account_id = h.account_id AND n.version = h.opened
ORDER BY h.at, h.id"""

PLANNED: Final = "SET LOCAL plan_cache_mode = force_custom_plan"
"""A plan for any time reads the whole journal."""

RECENT: Final = """
SELECT m.account_id, m.version, m.kind, m.amount, m.posted, m.held, comptoir.micros(m.at),
    s.code, s.scale, c.customer, a.name, n.reason
FROM (
    SELECT * FROM comptoir.movements
    WHERE book_id = %(book)s AND at > now() - make_interval(secs => %(seconds)s)
    ORDER BY at DESC, account_id, version DESC LIMIT %(limit)s
) m
JOIN comptoir.accounts a ON a.book_id = m.book_id AND a.id = m.account_id
JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
LEFT JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
LEFT JOIN comptoir.notes n
    ON n.book_id = m.book_id AND n.account_id = m.account_id AND n.version = m.version
ORDER BY m.at DESC, m.account_id, m.version DESC"""
"""Where in the journal a time is says an index of blocks: a short while is read at once. It serves
only for a time that is the same all through the statement, as now() is."""

WHOSE: Final = """
SELECT c.customer, a.name FROM comptoir.accounts a
LEFT JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
WHERE a.book_id = %s AND a.id = %s"""

HOLD_ACCOUNT: Final = "SELECT account_id FROM comptoir.holds WHERE book_id = %s AND id = %s"
