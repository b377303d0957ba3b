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

OWED: Final = """
SELECT s.code, s.scale, sum(a.posted)::bigint, sum(a.held)::bigint, sum(a.debt)::bigint
FROM comptoir.accounts a
JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
WHERE a.book_id = %s AND a.bounded AND a.customer_id IS NOT NULL GROUP BY s.code, s.scale"""

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
