"""Every statement about orders."""

from typing import Final, LiteralString

ADD_ORDERS: Final = """
WITH t AS MATERIALIZED (
    SELECT * FROM unnest(%s::integer[], %s::uuid[], %s::text[], %s::text[], %s::bigint[],
        %s::text[], %s::bigint[], %s::text[], %s::bytea[], %s::bytea[], %s::boolean[],
        %s::double precision[])
        AS t(book_id, id, origin, reference, customer, email, amount, currency, cart, hold,
            cancels, seconds)
), h AS MATERIALIZED (
    SELECT h.id, h.at FROM comptoir.holds h
    WHERE h.book_id = (SELECT min(book_id) FROM t)
        AND h.id = ANY((SELECT array_agg(hold) FROM t)::bytea[])
)
INSERT INTO comptoir.orders (book_id, id, origin, reference, customer_id, email, amount, currency,
    cart, hold, cancels, created_at, expires_at)
SELECT t.book_id, t.id, t.origin, t.reference, t.customer, t.email, t.amount, t.currency, t.cart,
    t.hold, t.cancels, h.at, h.at + make_interval(secs => t.seconds)
FROM t JOIN h ON h.id = t.hold"""
"""Its time is that of its holds, as the ledger decided it. A commit is of one book; and its holds
are looked up by their ids at once, for a join to a table without statistics may be planned as a
scan of all the holds of the book for every order."""

ADD_LINES: Final = """
INSERT INTO comptoir.order_lines (book_id, order_id, no, product, size, account_id, quantity,
    unit_amount, on_refund)
SELECT t.* FROM unnest(%s::integer[], %s::uuid[], %s::integer[], %s::text[], %s::text[],
    %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])
    AS t(book_id, order_id, no, product, size, account_id, quantity, unit_amount, on_refund)"""

_ORDER: Final[LiteralString] = """o.book_id, o.id, o.origin, o.status, o.number, o.reference,
    o.customer_id, o.email, o.amount, o.currency, o.hold, o.cancels, o.pass, o.failures,
    comptoir.micros(o.created_at), comptoir.micros(o.expires_at), o.tries,
    comptoir.micros(o.paid_at), comptoir.micros(o.fulfilled_at), comptoir.micros(o.ended_at)"""

FIND: Final[LiteralString] = f"""
SELECT {_ORDER} FROM comptoir.orders o WHERE o.book_id = %s AND o.id = %s"""

LOCK: Final[LiteralString] = f"{FIND} FOR NO KEY UPDATE"

BY_HOLD: Final[LiteralString] = f"""
SELECT {_ORDER} FROM comptoir.orders o WHERE o.book_id = %s AND o.hold = %s"""

OF_CART: Final[LiteralString] = f"""
SELECT {_ORDER} FROM comptoir.orders o
WHERE o.book_id = %s AND o.customer_id = %s AND o.cart = %s AND o.status = 'reserved'
ORDER BY o.id LIMIT 1"""

IN_THE_WAY: Final[LiteralString] = f"""
SELECT {_ORDER} FROM comptoir.orders o
WHERE o.book_id = %s AND o.customer_id = %s AND o.status = 'reserved' AND o.origin = 'checkout'
    AND EXISTS (
        SELECT FROM comptoir.order_lines l
        WHERE l.book_id = o.book_id AND l.order_id = o.id AND l.account_id = ANY(%s)
    )
ORDER BY o.id LIMIT 20"""

LINES: Final = """
SELECT l.order_id, l.no, l.product, l.size, l.account_id, l.quantity, l.unit_amount, l.on_refund,
    l.returned
FROM comptoir.order_lines l WHERE l.book_id = %s AND l.order_id = ANY(%s)
ORDER BY l.order_id, l.no"""

LISTED: Final[LiteralString] = f"""
SELECT {_ORDER} FROM comptoir.orders o
WHERE o.book_id = %(book)s AND o.id < %(before)s AND o.origin = 'checkout'
    AND (%(customer)s::bigint IS NULL OR o.customer_id = %(customer)s)
    AND (%(status)s::text IS NULL OR o.status = %(status)s)
ORDER BY o.book_id DESC, o.id DESC LIMIT %(limit)s"""

PAST: Final[LiteralString] = f"""
SELECT {_ORDER} FROM comptoir.orders o
WHERE o.book_id = %s AND o.customer_id = %s AND o.id > %s
ORDER BY o.book_id, o.customer_id, o.id LIMIT %s"""

DUE: Final = """
SELECT o.book_id, o.id FROM comptoir.orders o
WHERE o.status = 'reserved' AND o.expires_at <= comptoir.moment(%(now)s)
    AND (o.tried_at IS NULL
        OR o.tried_at <= comptoir.moment(%(now)s) - make_interval(secs => %(rest)s))
    AND (%(book)s::integer IS NULL OR o.book_id = %(book)s)
ORDER BY o.expires_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED"""

TRY: Final = """
UPDATE comptoir.orders SET tried_at = comptoir.moment(%s), tries = tries + 1
WHERE book_id = %s AND id = %s RETURNING tries"""

EXTEND: Final = """
UPDATE comptoir.orders SET expires_at = greatest(expires_at, comptoir.moment(%s)), tried_at = NULL
WHERE book_id = %s AND id = %s AND status = 'reserved'"""

END: Final = """
UPDATE comptoir.orders SET status = %s, ended_at = coalesce(ended_at, comptoir.moment(%s))
WHERE book_id = %s AND id = %s"""

SELL: Final = """
UPDATE comptoir.orders SET status = 'paid', number = %(number)s,
    paid_at = comptoir.moment(%(at)s), ended_at = coalesce(ended_at, comptoir.moment(%(at)s))
WHERE book_id = %(book)s AND id = %(id)s"""

RESTATE: Final = """
UPDATE comptoir.orders SET status = %s WHERE book_id = %s AND id = %s"""

FULFIL: Final = """
UPDATE comptoir.orders SET status = 'fulfilled', fulfilled_at = comptoir.moment(%s)
WHERE book_id = %s AND id = %s"""

FAILED: Final = """
UPDATE comptoir.orders SET failures = failures + 1 WHERE book_id = %s AND id = %s"""

LET_IN: Final = "UPDATE comptoir.orders SET pass = %s WHERE book_id = %s AND id = %s"

RETURNED: Final = """
UPDATE comptoir.order_lines SET returned = returned + %s
WHERE book_id = %s AND order_id = %s AND no = %s"""

NUMBER: Final = """
INSERT INTO comptoir.order_series (book_id, year, last)
VALUES (%(book)s, extract(year FROM comptoir.moment(%(at)s) AT TIME ZONE 'UTC'), 1)
ON CONFLICT (book_id, year) DO UPDATE SET last = order_series.last + 1
RETURNING year, last"""

ACTIVE: Final = """
SELECT count(*), comptoir.micros(min(o.created_at)) FROM comptoir.orders o
WHERE o.status = 'reserved' AND o.book_id = %s"""

ACTIVE_BY_SIZE: Final = """
SELECT l.product, l.size, count(*), sum(l.quantity)::bigint
FROM comptoir.orders o
JOIN comptoir.order_lines l ON l.book_id = o.book_id AND l.order_id = o.id
WHERE o.status = 'reserved' AND o.book_id = %s
GROUP BY l.product, l.size ORDER BY sum(l.quantity) DESC, l.product, l.size LIMIT 1000"""

STANDING: Final = """
SELECT o.book_id, count(*),
    greatest(extract(epoch FROM clock_timestamp() - min(o.created_at)), 0)::double precision
FROM comptoir.orders o WHERE o.status = 'reserved' GROUP BY o.book_id"""

UNITS: Final = """
SELECT t.book_id, t.product, t.units FROM (
    SELECT o.book_id, l.product, sum(l.quantity)::bigint AS units, row_number() OVER (
        PARTITION BY o.book_id ORDER BY sum(l.quantity) DESC, l.product
    ) AS place
    FROM comptoir.orders o
    JOIN comptoir.order_lines l ON l.book_id = o.book_id AND l.order_id = o.id
    WHERE o.status = 'reserved' GROUP BY o.book_id, l.product
) t WHERE t.place <= %s"""

FORGET_CUSTOMER: Final = """
UPDATE comptoir.orders SET email = NULL WHERE book_id = %s AND customer_id = %s
    AND email IS NOT NULL"""
