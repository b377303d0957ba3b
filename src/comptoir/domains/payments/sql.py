"""Every statement of the payments domain."""

from typing import Final, LiteralString

_PAYMENT: Final[LiteralString] = """p.book_id, p.id, p.customer_id, p.purpose, p.reference,
    p.amount, p.currency, p.livemode, p.status, p.intent, p.session, p.invoice, p.received, p.tax,
    p.details, p.error, comptoir.micros(p.created_at), comptoir.micros(p.paid_at)"""

ADD: Final = """
INSERT INTO comptoir.payments (book_id, id, customer_id, purpose, reference, amount, currency,
    livemode, status, intent, invoice, details)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING id"""

ADD_EACH: Final = """
INSERT INTO comptoir.payments (book_id, id, customer_id, purpose, amount, currency, livemode)
SELECT t.* FROM unnest(%s::integer[], %s::uuid[], %s::bigint[], %s::text[], %s::bigint[],
    %s::text[], %s::boolean[]) AS t(book_id, id, customer, purpose, amount, currency, livemode)"""

FIND: Final[LiteralString] = f"""
SELECT {_PAYMENT} FROM comptoir.payments p WHERE p.book_id = %s AND p.id = %s"""

LOCK: Final[LiteralString] = f"{FIND} FOR NO KEY UPDATE"

LOCK_INTENT: Final[LiteralString] = f"""
SELECT {_PAYMENT} FROM comptoir.payments p WHERE p.intent = %s FOR NO KEY UPDATE"""

LOCK_SESSION: Final[LiteralString] = f"""
SELECT {_PAYMENT} FROM comptoir.payments p WHERE p.session = %s FOR NO KEY UPDATE"""

FIND_REFERENCE: Final[LiteralString] = f"""
SELECT {_PAYMENT} FROM comptoir.payments p
WHERE p.book_id = %s AND p.reference = %s AND p.status NOT IN ('canceled', 'expired', 'failed')"""

PLACE: Final = """
UPDATE comptoir.payments SET intent = coalesce(%s, intent), session = coalesce(%s, session),
    status = CASE WHEN status IN ('new', 'failed') THEN 'open' ELSE status END, error = NULL,
    changed_at = clock_timestamp()
WHERE book_id = %s AND id = %s"""

NAME_INTENT: Final = """
UPDATE comptoir.payments SET intent = %s, changed_at = clock_timestamp()
WHERE book_id = %s AND id = %s AND intent IS NULL"""

PAY: Final = """
UPDATE comptoir.payments SET status = 'paid', received = %s, tax = %s,
    intent = coalesce(intent, %s), paid_at = clock_timestamp(), error = NULL,
    changed_at = clock_timestamp()
WHERE book_id = %s AND id = %s AND status <> 'paid'"""

CHANGE: Final = """
UPDATE comptoir.payments SET status = %s, error = %s, changed_at = clock_timestamp()
WHERE book_id = %s AND id = %s AND status <> 'paid'"""

LOOKED: Final = """
UPDATE comptoir.payments SET looked_at = clock_timestamp() WHERE book_id = %s AND id = %s"""

UNFINISHED: Final[LiteralString] = f"""
SELECT {_PAYMENT} FROM comptoir.payments p
WHERE p.status IN ('new', 'open', 'processing') AND p.looked_at < now() - make_interval(secs => %s)
ORDER BY p.looked_at LIMIT 100"""

PAST: Final[LiteralString] = f"""
SELECT {_PAYMENT}, u.customer_id, u.pack, u.pack_version, u.asset_id, u.credits,
    comptoir.micros(u.granted_at)
FROM comptoir.payments p LEFT JOIN comptoir.purchases u ON u.book_id = p.book_id AND u.id = p.id
WHERE p.book_id = %s AND p.customer_id = %s AND p.id > %s ORDER BY p.id LIMIT %s"""

PAID_SINCE: Final[LiteralString] = f"""
SELECT {_PAYMENT} FROM comptoir.payments p
WHERE p.book_id = %s AND p.paid_at IS NOT NULL AND p.paid_at >= comptoir.moment(%s)
    AND (p.paid_at, p.id) > (comptoir.moment(%s), %s)
ORDER BY p.book_id, p.paid_at, p.id LIMIT 500"""

LOCK_OF_INVOICE: Final[LiteralString] = f"""
SELECT {_PAYMENT} FROM comptoir.payments p WHERE p.invoice = %s AND p.book_id = %s
ORDER BY p.id FOR NO KEY UPDATE"""

BY_INTENTS: Final[LiteralString] = f"""
SELECT {_PAYMENT} FROM comptoir.payments p WHERE p.intent = ANY(%s)"""

ADD_PURCHASE: Final = """
INSERT INTO comptoir.purchases (book_id, id, customer_id, pack, pack_version, asset_id, credits)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""

PURCHASE: Final = """
SELECT customer_id, pack, pack_version, asset_id, credits, comptoir.micros(granted_at)
FROM comptoir.purchases WHERE book_id = %s AND id = %s"""

GRANTED: Final = """
WITH brought AS (
    INSERT INTO comptoir.payment_grants (book_id, payment_id, account_id, version, amount)
    VALUES (%(book)s, %(payment)s, %(account)s, %(version)s, %(amount)s) ON CONFLICT DO NOTHING
)
UPDATE comptoir.purchases SET granted_at = clock_timestamp()
WHERE book_id = %(book)s AND id = %(payment)s AND granted_at IS NULL"""

GRANTS: Final = """
SELECT account_id, version, amount FROM comptoir.payment_grants
WHERE book_id = %s AND payment_id = %s ORDER BY account_id, version"""

ADD_REFUND: Final = """
INSERT INTO comptoir.refunds (book_id, id, payment_id, provider_id, amount, status, reason)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""

_REFUND: Final[LiteralString] = """id, payment_id, provider_id, amount, status, reason,
    comptoir.micros(created_at)"""

REFUNDS: Final[LiteralString] = f"""
SELECT {_REFUND} FROM comptoir.refunds WHERE book_id = %s AND payment_id = %s ORDER BY id"""

REFUNDS_OF: Final[LiteralString] = f"""
SELECT {_REFUND} FROM comptoir.refunds WHERE book_id = %s AND payment_id = ANY(%s)"""

REFUND: Final[LiteralString] = f"""
SELECT {_REFUND} FROM comptoir.refunds WHERE book_id = %s AND id = %s"""

REFUND_BY_PROVIDER: Final[LiteralString] = f"""
SELECT {_REFUND} FROM comptoir.refunds WHERE provider_id = %s FOR NO KEY UPDATE"""

CHANGE_REFUND: Final = """
UPDATE comptoir.refunds SET status = %s, provider_id = coalesce(provider_id, %s), amount = %s,
    changed_at = clock_timestamp()
WHERE book_id = %s AND id = %s"""

UNFINISHED_REFUNDS: Final[LiteralString] = f"""
SELECT book_id, {_REFUND} FROM comptoir.refunds
WHERE status IN ('new', 'pending', 'requires_action')
    AND changed_at < now() - make_interval(secs => %s)
ORDER BY changed_at LIMIT 100"""

IS_MOVED: Final = """
SELECT EXISTS (
    SELECT FROM comptoir.refunds WHERE book_id = %(book)s AND payment_id = %(payment)s
) OR EXISTS (
    SELECT FROM comptoir.disputes WHERE book_id = %(book)s AND payment_id = %(payment)s
) OR EXISTS (
    SELECT FROM comptoir.takings WHERE book_id = %(book)s AND payment_id = %(payment)s
)"""

DISPUTES: Final = """
SELECT provider_id, payment_id, amount, status, reason FROM comptoir.disputes
WHERE book_id = %s AND payment_id = %s ORDER BY provider_id"""

DISPUTES_OF: Final = """
SELECT provider_id, payment_id, amount, status, reason FROM comptoir.disputes
WHERE book_id = %s AND payment_id = ANY(%s)"""

DISPUTE: Final = """
SELECT provider_id, payment_id, amount, status, reason FROM comptoir.disputes
WHERE provider_id = %s FOR NO KEY UPDATE"""

PUT_DISPUTE: Final = """
INSERT INTO comptoir.disputes (book_id, provider_id, payment_id, amount, status, reason)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (provider_id) DO UPDATE SET status = excluded.status, amount = excluded.amount,
    changed_at = clock_timestamp()"""

TAKINGS: Final = """
SELECT no, cause, account_id, grant_version, amount, waived, version, ended FROM comptoir.takings
WHERE book_id = %s AND payment_id = %s ORDER BY no"""

ADD_TAKING: Final = """
INSERT INTO comptoir.takings (book_id, payment_id, no, cause, account_id, grant_version, amount,
    waived, version)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""

END_TAKING: Final = """
UPDATE comptoir.takings SET ended = true, given_back = %s
WHERE book_id = %s AND payment_id = %s AND no = %s"""

OPEN_CASE: Final = """
INSERT INTO comptoir.cases (book_id, id, kind, subject, figures) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (book_id, kind, subject) DO NOTHING RETURNING id"""

_CASE: Final[LiteralString] = """id, kind, subject, figures, comptoir.micros(opened_at),
    comptoir.micros(closed_at), closed_by, note"""

CASES: Final[LiteralString] = f"""
SELECT {_CASE} FROM comptoir.cases
WHERE book_id = %s AND closed_at IS NULL AND (opened_at, id) > (comptoir.moment(%s), %s)
ORDER BY book_id, opened_at, id LIMIT %s"""

CASE: Final[LiteralString] = f"""
SELECT {_CASE} FROM comptoir.cases WHERE book_id = %s AND id = %s"""

CLOSE_CASE: Final[LiteralString] = f"""
UPDATE comptoir.cases SET closed_at = clock_timestamp(), closed_by = %s, note = %s
WHERE book_id = %s AND id = %s AND closed_at IS NULL RETURNING {_CASE}"""

HAS_CASE: Final = """
SELECT 1 FROM comptoir.cases WHERE book_id = %s AND kind = ANY(%s) AND subject = %s LIMIT 1"""

COUNT_CASES: Final = """
SELECT count(*) FROM comptoir.cases WHERE book_id = %s AND closed_at IS NULL"""

OPEN_CASES: Final = """
SELECT book_id, kind, count(*) FROM (
    SELECT book_id, kind FROM comptoir.cases WHERE closed_at IS NULL
    ORDER BY book_id, opened_at, id LIMIT 10000
) found GROUP BY book_id, kind"""

CUSTOMER: Final = """
SELECT customer, locale, email FROM comptoir.customers WHERE book_id = %s AND id = %s"""

PROVIDER_CUSTOMER: Final = """
SELECT provider_id FROM comptoir.provider_customers
WHERE book_id = %s AND livemode = %s AND customer_id = %s"""

CUSTOMER_OF: Final = """
SELECT book_id, customer_id FROM comptoir.provider_customers WHERE provider_id = %s"""

FORGET_PROVIDER_CUSTOMER: Final = """
DELETE FROM comptoir.provider_customers WHERE book_id = %s AND customer_id = %s"""

FORGET_TOP_UP: Final = """
UPDATE comptoir.top_ups SET enabled = false WHERE book_id = %s AND customer_id = %s"""

ADD_PROVIDER_CUSTOMER: Final = """
INSERT INTO comptoir.provider_customers (book_id, livemode, customer_id, provider_id)
VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"""

CURSOR: Final = """
SELECT comptoir.micros(read_until) FROM comptoir.provider_cursors
WHERE book_id = %s AND source = %s"""

MOVE_CURSOR: Final = """
INSERT INTO comptoir.provider_cursors (book_id, source, read_until)
VALUES (%s, %s, comptoir.moment(%s))
ON CONFLICT (book_id, source) DO UPDATE
    SET read_until = greatest(provider_cursors.read_until, excluded.read_until)"""

NOW: Final = "SELECT comptoir.micros(clock_timestamp())"

OLDEST: Final = """
SELECT comptoir.micros(created_at) FROM comptoir.payments WHERE book_id = %s ORDER BY id LIMIT 1"""
"""Ids begin with the time at which they were made."""

KNOWN_REFUNDS: Final = """
SELECT provider_id, status FROM comptoir.refunds WHERE provider_id = ANY(%s)"""

KNOWN_DISPUTES: Final = """
SELECT provider_id, status FROM comptoir.disputes WHERE provider_id = ANY(%s)"""

OPEN_DISPUTES: Final = """
SELECT provider_id FROM comptoir.disputes
WHERE status NOT IN ('won', 'lost', 'warning_closed', 'prevented')
ORDER BY changed_at LIMIT 100"""

LINE: Final = """
SELECT m.amount, m.kind FROM comptoir.movements m
WHERE m.book_id = %s AND m.account_id = %s AND m.version = %s"""

BROUGHT: Final = """
SELECT m.account_id, m.version, m.amount FROM comptoir.accounts a
JOIN comptoir.lots l
    ON l.book_id = a.book_id AND l.account_id = a.id AND l.source = 'payment'
JOIN comptoir.notes n
    ON n.book_id = l.book_id AND n.account_id = l.account_id AND n.version = l.version
JOIN comptoir.movements m
    ON m.book_id = l.book_id AND m.account_id = l.account_id AND m.version = l.version
WHERE a.book_id = %s AND a.customer_id = %s AND a.asset_id = %s AND n.reference = ANY(%s)
    AND m.kind = 'purchase' AND NOT EXISTS (
        SELECT FROM comptoir.movements u
        WHERE u.book_id = m.book_id AND u.account_id = m.account_id AND u.reverses = m.version
            AND u.kind = 'reversal'
    )
ORDER BY m.version"""
"""The lots of a customer that carry a payment's name, as far as nobody has reversed them."""

DROP_GRANTS: Final = """
UPDATE comptoir.purchases SET granted_at = NULL WHERE book_id = %s AND id = %s"""

WITHOUT_FEE: Final[LiteralString] = f"""
SELECT {_PAYMENT} FROM comptoir.payments p
WHERE p.paid_at IS NOT NULL AND p.fee IS NULL AND p.intent IS NOT NULL
ORDER BY p.paid_at LIMIT 100"""

SET_FEE: Final = "UPDATE comptoir.payments SET fee = %s WHERE book_id = %s AND id = %s"

FEES: Final = """
SELECT currency, sum(fee)::bigint FROM comptoir.payments
WHERE book_id = %s AND paid_at >= comptoir.moment(%s) AND paid_at < comptoir.moment(%s)
    AND fee IS NOT NULL
GROUP BY currency ORDER BY currency"""
