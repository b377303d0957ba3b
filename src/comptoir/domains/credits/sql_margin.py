"""What was earned: the lots that were burnt, what they had been paid, and what it has cost."""

from typing import Final

PLANNED: Final = "SET LOCAL plan_cache_mode = force_custom_plan"
"""Plans for whatever they are asked of read the whole journal for an hour of it."""

BURNT: Final = """
SELECT m.account_id, m.version, m.kind, b.no, -b.part, p.action, o.quantity, o.model,
    coalesce(o.cost, p.real_cost * o.quantity), c.customer, -m.amount
FROM comptoir.movements m
JOIN comptoir.accounts a ON a.book_id = m.book_id AND a.id = m.account_id
LEFT JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
LEFT JOIN comptoir.movements u
    ON u.book_id = m.book_id AND u.account_id = m.account_id AND u.version = m.reverses
LEFT JOIN comptoir.memos o ON o.book_id = m.book_id AND o.account_id = m.account_id
    AND o.version = coalesce(m.reverses, m.version)
LEFT JOIN comptoir.prices p ON p.book_id = o.book_id AND p.id = o.price_id
LEFT JOIN LATERAL unnest(m.lots, m.parts) AS b(no, part) ON true
WHERE m.book_id = %(book)s AND a.asset_id = %(asset)s
    AND m.at >= comptoir.moment(%(since)s) AND m.at < comptoir.moment(%(until)s)
    AND (m.kind IN ('spend', 'capture')
        OR (m.kind = 'reversal' AND u.kind IN ('spend', 'capture')))
ORDER BY m.account_id, m.version"""

LOTS: Final = """
SELECT l.account_id, l.no, l.granted, l.paid, l.tax, l.currency
FROM unnest(%(accounts)s::bigint[], %(numbers)s::integer[]) AS want(account_id, no)
JOIN comptoir.lots l
    ON l.book_id = %(book)s AND l.account_id = want.account_id AND l.no = want.no
WHERE l.paid > 0"""

USED: Final = """
SELECT want.account_id, want.no, coalesce(-sum(b.part), 0)::bigint
FROM unnest(%(accounts)s::bigint[], %(numbers)s::integer[], %(before)s::bigint[])
    AS want(account_id, no, version)
JOIN comptoir.lots l
    ON l.book_id = %(book)s AND l.account_id = want.account_id AND l.no = want.no
LEFT JOIN comptoir.movements m ON m.book_id = %(book)s AND m.account_id = want.account_id
    AND m.version > l.version AND m.version < want.version AND m.lots @> ARRAY[want.no]
LEFT JOIN LATERAL unnest(m.lots, m.parts) AS b(no, part) ON b.no = want.no
GROUP BY want.account_id, want.no"""
"""How much of each lot was gone before a line: what was put into it at first may be less than its
size, when a part of it has repaid a debt."""
