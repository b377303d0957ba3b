"""Every statement about tokens: what was spent in a month, and statements of it."""

from typing import Final

ACCOUNT: Final = """
SELECT a.id, a.posted, a.held, a.version, c.id, c.time_zone FROM comptoir.customers c
JOIN comptoir.accounts a
    ON a.book_id = c.book_id AND a.customer_id = c.id AND a.asset_id = %(asset)s
WHERE c.book_id = %(book)s AND c.customer = %(customer)s"""

TALLIES: Final = """
SELECT month, spent, generations, until FROM comptoir.token_tallies
WHERE book_id = %s AND account_id = %s ORDER BY month"""

FOLD: Final = """
SELECT date_trunc('month', m.at AT TIME ZONE %(zone)s)::date AS month,
    sum(CASE WHEN m.kind IN ('spend', 'capture') THEN -m.amount
        WHEN m.kind = 'reversal' AND u.kind IN ('spend', 'capture') THEN -m.amount
        ELSE 0 END)::bigint,
    sum(CASE WHEN m.kind IN ('spend', 'capture') THEN 1
        WHEN m.kind = 'reversal' AND u.kind IN ('spend', 'capture') THEN -1 ELSE 0 END)::bigint,
    max(m.version)
FROM comptoir.movements m
LEFT JOIN LATERAL (
    SELECT kind FROM comptoir.movements
    WHERE (book_id, account_id, version) = (m.book_id, m.account_id, m.reverses) LIMIT 1
) u ON true
WHERE m.book_id = %(book)s AND m.account_id = %(account)s AND m.version > %(after)s
    AND m.version <= %(until)s
GROUP BY 1 ORDER BY 1"""
"""What lines have spent, by the months of a customer's own calendar; what was undone is taken off.

Only lines after those that were folded before are read: the journal never changes."""

PUT_TALLY: Final = """
INSERT INTO comptoir.token_tallies AS t (book_id, account_id, month, spent, generations, until)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (book_id, account_id, month) DO UPDATE SET spent = t.spent + excluded.spent,
    generations = t.generations + excluded.generations, until = excluded.until
WHERE t.until < excluded.until"""

LOCK_ACCOUNT: Final = """
SELECT pg_advisory_xact_lock(1952804461, %s::integer # %s::integer)"""
"""Two that fold the same account at the same time would count its lines twice."""

LAST_RESET: Final = """
SELECT version, comptoir.micros(at) FROM comptoir.token_resets
WHERE book_id = %s AND account_id = %s ORDER BY version DESC LIMIT 1"""

ADD_RESET: Final = """
INSERT INTO comptoir.token_resets (book_id, account_id, version) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING"""

INITIAL: Final = """
SELECT m.amount FROM comptoir.movements m
WHERE m.book_id = %s AND m.account_id = %s AND m.amount > 0
    AND m.kind IN ('grant', 'purchase', 'allowance')
ORDER BY m.version LIMIT 1"""

NOW: Final = """
SELECT comptoir.micros(now()), date_trunc('month',
    coalesce(comptoir.moment(%s), now()) AT TIME ZONE %s)::date"""

BOUNDS: Final = """
SELECT comptoir.micros((%(month)s::date)::timestamp AT TIME ZONE %(zone)s),
    comptoir.micros((%(month)s::date + interval '1 month') AT TIME ZONE %(zone)s)"""

ADD_STATEMENT: Final = """
INSERT INTO comptoir.statements (book_id, account_id, month, id, customer_id, starts_at, ends_at,
    spent, generations, unit_price, currency, amount, billing)
VALUES (%s, %s, %s, %s, %s, comptoir.moment(%s), comptoir.moment(%s), %s, %s, %s, %s, %s, %s)
ON CONFLICT (book_id, account_id, month) DO NOTHING RETURNING id"""

STATEMENTS: Final = """
SELECT id, month, comptoir.micros(starts_at), comptoir.micros(ends_at), spent, generations,
    unit_price, currency, amount, billing, invoice, comptoir.micros(made_at)
FROM comptoir.statements
WHERE book_id = %s AND account_id = %s AND month < %s ORDER BY month DESC LIMIT %s"""

UNBILLED: Final = """
SELECT book_id, account_id, id, customer_id, month, spent, currency, amount
FROM comptoir.statements
WHERE billing = 'stripe_invoice' AND invoice IS NULL AND amount > 0
ORDER BY made_at LIMIT 100"""

BILLED: Final = """
UPDATE comptoir.statements SET invoice = %s WHERE book_id = %s AND id = %s AND invoice IS NULL"""

ACCOUNTS: Final = """
SELECT a.book_id, a.id, a.customer_id, a.version, c.time_zone
FROM comptoir.accounts a
JOIN comptoir.assets s ON s.book_id = a.book_id AND s.id = a.asset_id
JOIN comptoir.customers c ON c.book_id = a.book_id AND c.id = a.customer_id
WHERE a.book_id = %s AND a.id > %s AND s.code = 'tokens' AND a.version > 0 AND NOT a.anonymous
ORDER BY a.id LIMIT 500"""
