"""Every statement of the subscriptions domain."""

from typing import Final, LiteralString

_SUBSCRIPTION: Final[LiteralString] = """s.book_id, s.provider_id, s.customer_id, s.livemode,
    s.plan, s.period, s.price, s.status, comptoir.micros(s.starts_at), comptoir.micros(s.ends_at),
    comptoir.micros(s.cancel_at), comptoir.micros(s.trial_ends_at), comptoir.micros(s.ended_at),
    comptoir.micros(s.told_at), comptoir.micros(s.created_at)"""

FIND: Final[LiteralString] = f"""
SELECT {_SUBSCRIPTION} FROM comptoir.subscriptions s WHERE s.provider_id = %s"""

OF_CUSTOMER: Final[LiteralString] = f"""
SELECT {_SUBSCRIPTION} FROM comptoir.subscriptions s
WHERE s.book_id = %s AND s.customer_id = %s ORDER BY s.created_at"""

PUT: Final = """
INSERT INTO comptoir.subscriptions (book_id, provider_id, customer_id, livemode, plan, period,
    price, status, starts_at, ends_at, cancel_at, trial_ends_at, ended_at, told_at, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, comptoir.moment(%s), comptoir.moment(%s),
    comptoir.moment(%s), comptoir.moment(%s), comptoir.moment(%s), comptoir.moment(%s),
    comptoir.moment(%s))
ON CONFLICT (provider_id) DO UPDATE SET plan = excluded.plan, period = excluded.period,
    price = excluded.price, status = excluded.status, starts_at = excluded.starts_at,
    ends_at = excluded.ends_at, cancel_at = excluded.cancel_at,
    trial_ends_at = excluded.trial_ends_at, ended_at = excluded.ended_at,
    told_at = excluded.told_at
WHERE subscriptions.told_at < excluded.told_at
RETURNING provider_id"""

LOCK_CUSTOMER: Final = """
SELECT plan FROM comptoir.customers WHERE book_id = %s AND id = %s AND erased_at IS NULL
FOR NO KEY UPDATE"""

SET_PLAN: Final = """
UPDATE comptoir.customers SET plan = %s WHERE book_id = %s AND id = %s AND plan <> %s"""

GIVEN: Final = """
SELECT i.subscription, a.account_id, comptoir.micros(a.expires_at) FROM comptoir.allowances a
JOIN comptoir.invoices i ON i.book_id = a.book_id AND i.provider_id = a.invoice
WHERE a.book_id = %s AND a.invoice = %s AND a.asset_id = %s"""

UNFINISHED: Final[LiteralString] = f"""
SELECT {_SUBSCRIPTION} FROM comptoir.subscriptions s
WHERE s.status NOT IN ('canceled', 'incomplete_expired')
    AND s.told_at < now() - make_interval(secs => %s)
ORDER BY s.told_at LIMIT 100"""

ADD_INVOICE: Final = """
INSERT INTO comptoir.invoices (book_id, provider_id, subscription, customer_id, reason, amount,
    currency, starts_at, ends_at, paid_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, comptoir.moment(%s), comptoir.moment(%s), comptoir.moment(%s))
ON CONFLICT DO NOTHING RETURNING provider_id"""

LOCK_INVOICE: Final = """
SELECT pg_advisory_xact_lock(hashtextextended('comptoir.invoice ' || %s, 0))"""

INVOICE: Final = """
SELECT book_id, customer_id, subscription FROM comptoir.invoices WHERE provider_id = %s"""

PERIOD_ENDING: Final = """
SELECT max(comptoir.micros(i.ends_at) - comptoir.micros(i.starts_at)) FROM comptoir.invoices i
WHERE i.book_id = %s AND i.subscription = %s AND i.ends_at = comptoir.moment(%s)
    AND i.provider_id <> %s"""

ADD_ALLOWANCE: Final = """
INSERT INTO comptoir.allowances (book_id, invoice, asset_id, account_id, version, amount, rollover,
    expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, comptoir.moment(%s)) ON CONFLICT DO NOTHING"""

ENDED_BEFORE: Final = """
SELECT max(comptoir.micros(a.expires_at)) FROM comptoir.invoices i
JOIN comptoir.allowances a ON a.book_id = i.book_id AND a.invoice = i.provider_id
WHERE i.book_id = %s AND i.subscription = %s AND a.asset_id = %s
    AND a.expires_at <= comptoir.moment(%s)"""

FOLLOWED_UNTIL: Final = """
SELECT comptoir.micros(a.expires_at) FROM comptoir.invoices i
JOIN comptoir.allowances a ON a.book_id = i.book_id AND a.invoice = i.provider_id
WHERE i.book_id = %s AND i.subscription = %s AND a.asset_id = %s
    AND i.starts_at >= comptoir.moment(%s)
ORDER BY i.starts_at, a.expires_at LIMIT 1"""

ENDING: Final[LiteralString] = """
SELECT a.invoice, a.account_id, a.version, a.amount, a.rollover, comptoir.micros(a.expires_at),
    a.carried
FROM comptoir.invoices i
JOIN comptoir.allowances a ON a.book_id = i.book_id AND a.invoice = i.provider_id
WHERE i.book_id = %s AND i.subscription = %s AND a.asset_id = %s
    AND a.expires_at = comptoir.moment(%s)
ORDER BY i.starts_at DESC, i.paid_at DESC, a.rollover DESC, a.invoice"""
"""All that ends at one moment, what was given for its last part first."""

LOCK_ENDING: Final[LiteralString] = f"{ENDING} FOR NO KEY UPDATE OF a"

CARRY: Final = """
UPDATE comptoir.allowances SET carried = CASE WHEN invoice = %(of)s THEN %(carried)s ELSE 0 END
WHERE book_id = %(book)s AND invoice = ANY(%(invoices)s) AND asset_id = %(asset)s"""

EXPIRED_OF: Final = """
WITH RECURSIVE narrow(low, high) AS (
    SELECT %(version)s::bigint, a.version FROM comptoir.accounts a
    WHERE a.book_id = %(book)s AND a.id = %(account)s
    UNION ALL
    SELECT CASE WHEN m.at < comptoir.moment(%(at)s) THEN middle ELSE low END,
        CASE WHEN m.at < comptoir.moment(%(at)s) THEN high ELSE middle - 1 END
    FROM narrow
    CROSS JOIN LATERAL (SELECT (low + high + 1) / 2) AS half(middle)
    JOIN comptoir.movements m
        ON m.book_id = %(book)s AND m.account_id = %(account)s AND m.version = middle
    WHERE low < high
)
SELECT coalesce(-sum(e.amount), 0)::bigint FROM narrow n
CROSS JOIN LATERAL (
    SELECT m.amount, m.kind, m.lots FROM comptoir.movements m
    WHERE m.book_id = %(book)s AND m.account_id = %(account)s AND m.version > n.low
    ORDER BY m.version LIMIT 2000
) e
WHERE n.low = n.high AND e.kind = 'expiry' AND e.lots = (
    SELECT g.lots FROM comptoir.movements g
    WHERE g.book_id = %(book)s AND g.account_id = %(account)s AND g.version = %(version)s
)"""
"""What of a lot has expired when its time came: a binary search, then the lines from there on."""

_PRICE: Final[LiteralString] = """plan, period, version, amount, currency, tax_percent,
    tax_included, active"""

PRICES: Final[LiteralString] = f"""
SELECT DISTINCT ON (plan, period) {_PRICE} FROM comptoir.plan_prices WHERE book_id = %s
ORDER BY plan, period, version DESC LIMIT 1000"""

ADD_PRICE: Final = """
INSERT INTO comptoir.plan_prices (book_id, plan, period, version, amount, currency, tax_percent,
    tax_included, active)
SELECT %(book)s, %(plan)s, %(period)s, coalesce(max(version), 0) + 1, %(amount)s, %(currency)s,
    %(tax_percent)s, %(tax_included)s, %(active)s
FROM comptoir.plan_prices
WHERE book_id = %(book)s AND plan = %(plan)s AND period = %(period)s
ON CONFLICT DO NOTHING"""

ALLOWANCES: Final = """
SELECT DISTINCT ON (plan, asset_id) plan, asset_id, version, amount, rollover
FROM comptoir.plan_allowances WHERE book_id = %s ORDER BY plan, asset_id, version DESC LIMIT 1000"""

ADD_ALLOWANCE_TERMS: Final = """
INSERT INTO comptoir.plan_allowances (book_id, plan, asset_id, version, amount, rollover)
SELECT %(book)s, %(plan)s, %(asset)s, coalesce(max(version), 0) + 1, %(amount)s, %(rollover)s
FROM comptoir.plan_allowances
WHERE book_id = %(book)s AND plan = %(plan)s AND asset_id = %(asset)s
ON CONFLICT DO NOTHING"""

ADD_PLAN: Final = """
INSERT INTO comptoir.plans (book_id, plan) VALUES (%s, %s) ON CONFLICT DO NOTHING"""

PLANS: Final = """
SELECT p.plan, coalesce(jsonb_object_agg(q.metric, q.daily) FILTER (WHERE q.metric IS NOT NULL),
    '{}')
FROM comptoir.plans p LEFT JOIN comptoir.plan_quotas q USING (book_id, plan)
WHERE p.book_id = %s GROUP BY p.plan ORDER BY min(p.created_at), p.plan"""

PROVIDER_PRICES: Final = """
SELECT price, item, amount, currency, product, comptoir.micros(created_at)
FROM comptoir.provider_prices WHERE book_id = %s AND livemode = %s ORDER BY created_at"""

ADD_PROVIDER_PRICE: Final = """
INSERT INTO comptoir.provider_prices (book_id, livemode, price, product, item, amount, currency)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""

CUSTOMER_PLAN: Final = "SELECT plan FROM comptoir.customers WHERE book_id = %s AND id = %s"

BROUGHT: Final = """
SELECT account_id, version, amount FROM comptoir.allowances WHERE book_id = %s AND invoice = %s"""

NOTE_CATALOGUE: Final = """
INSERT INTO comptoir.settings (name, value) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
WHERE settings.value::integer <= excluded.value::integer RETURNING value"""

CATALOGUE: Final = "SELECT 1 FROM comptoir.settings WHERE name = %s"
