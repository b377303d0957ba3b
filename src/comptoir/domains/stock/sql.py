"""Every statement about products, their sizes and their movements."""

from typing import Final, LiteralString

PUT_PRODUCT: Final = """
INSERT INTO comptoir.products (book_id, product, name, amount, currency, on_refund)
VALUES (%(book)s, %(product)s, %(name)s, %(amount)s, %(currency)s, %(on_refund)s)
ON CONFLICT (book_id, product) DO UPDATE SET name = excluded.name, amount = excluded.amount,
    currency = excluded.currency, on_refund = excluded.on_refund, changed_at = clock_timestamp()"""

LOCK_PRODUCT: Final = """
SELECT product FROM comptoir.products WHERE book_id = %s AND product = %s FOR NO KEY UPDATE"""

PUT_SIZE: Final = """
INSERT INTO comptoir.sizes (book_id, product, size, place, account_id)
VALUES (%s, %s, %s, %s, comptoir.open_account(%s, %s, NULL, %s, true))
ON CONFLICT (book_id, product, size) DO UPDATE SET place = excluded.place, removed_at = NULL
RETURNING account_id"""

SET_LOW: Final = """
UPDATE comptoir.accounts SET low_at = %s, level = CASE WHEN posted - held <= %s THEN 1 ELSE 0 END
WHERE book_id = %s AND id = %s AND low_at IS DISTINCT FROM %s"""

REMOVE_SIZES: Final = """
UPDATE comptoir.sizes SET removed_at = clock_timestamp()
WHERE book_id = %s AND product = %s AND NOT size = ANY(%s) AND removed_at IS NULL"""

_PRODUCT: Final[LiteralString] = "p.product, p.name, p.amount, p.currency, p.on_refund"

_SIZE: Final[LiteralString] = """s.product, s.size, s.account_id, a.posted, a.held,
    coalesce(a.low_at, 0)"""

PRODUCTS: Final[LiteralString] = f"""
SELECT {_PRODUCT} FROM comptoir.products p
WHERE p.book_id = %s AND p.product > %s ORDER BY p.book_id, p.product LIMIT %s"""

PRODUCT: Final[LiteralString] = f"""
SELECT {_PRODUCT} FROM comptoir.products p WHERE p.book_id = %s AND p.product = %s"""

SIZES: Final[LiteralString] = f"""
SELECT {_SIZE} FROM comptoir.sizes s
JOIN comptoir.accounts a ON a.book_id = s.book_id AND a.id = s.account_id
WHERE s.book_id = %s AND s.product = ANY(%s) AND s.removed_at IS NULL
ORDER BY s.product, s.place, s.size"""

FOR_SALE: Final = """
SELECT want.no, s.account_id, p.amount, p.currency, p.on_refund
FROM unnest(%s::integer[], %s::text[], %s::text[]) WITH ORDINALITY
    AS want(book_id, product, size, no)
JOIN comptoir.products p ON p.book_id = want.book_id AND p.product = want.product
JOIN comptoir.sizes s
    ON s.book_id = want.book_id AND s.product = want.product AND s.size = want.size
    AND s.removed_at IS NULL"""

SIZE: Final[LiteralString] = f"""
SELECT {_SIZE} FROM comptoir.sizes s
JOIN comptoir.accounts a ON a.book_id = s.book_id AND a.id = s.account_id
WHERE s.book_id = %s AND s.product = %s AND s.size = %s"""

AT_LINE: Final = """
SELECT s.product, s.size, m.posted, m.held, coalesce(a.low_at, 0)
FROM comptoir.sizes s
JOIN comptoir.accounts a ON a.book_id = s.book_id AND a.id = s.account_id
JOIN comptoir.movements m ON m.book_id = s.book_id AND m.account_id = s.account_id
WHERE s.book_id = %s AND s.account_id = %s AND m.version = %s"""

_MOVEMENT: Final[LiteralString] = """m.account_id, m.version, s.product, s.size, m.kind, m.amount,
    m.posted, n.reason, n.reference, n.metadata ->> 'type', n.metadata ->> 'order',
    comptoir.micros(m.at)"""

_MOVED: Final[LiteralString] = """
JOIN comptoir.movements m ON m.book_id = s.book_id AND m.account_id = s.account_id
LEFT JOIN comptoir.notes n
    ON n.book_id = m.book_id AND n.account_id = m.account_id AND n.version = m.version"""

_NEWEST: Final[LiteralString] = f"""
SELECT {_MOVEMENT} FROM comptoir.sizes s
CROSS JOIN LATERAL (
    SELECT * FROM comptoir.movements o
    WHERE o.book_id = s.book_id AND o.account_id = s.account_id AND o.amount <> 0
        AND (o.at, o.account_id, o.version) < (comptoir.moment(%(at)s), %(account)s, %(version)s)
    ORDER BY o.book_id DESC, o.account_id DESC, o.version DESC LIMIT %(limit)s
) m
LEFT JOIN comptoir.notes n
    ON n.book_id = m.book_id AND n.account_id = m.account_id AND n.version = m.version
WHERE s.book_id = %(book)s"""
"""Times of one account never go back, so that the newest lines of each are among its last."""

_IN_ORDER: Final[LiteralString] = """
ORDER BY m.at DESC, m.account_id DESC, m.version DESC LIMIT %(limit)s"""

MOVEMENTS_OF_ALL: Final[LiteralString] = f"{_NEWEST}{_IN_ORDER}"
"""Looks at every size once: a shop has thousands of them, not millions."""

MOVEMENTS_OF_SIZES: Final[LiteralString] = f"{_NEWEST} AND s.size = %(size)s{_IN_ORDER}"
"""The same: of one size of whatever products have it."""

MOVEMENTS_OF_PRODUCT: Final[LiteralString] = f"{_NEWEST} AND s.product = %(product)s{_IN_ORDER}"

MOVEMENTS_OF_SIZE: Final[LiteralString] = f"""{_NEWEST}
    AND s.product = %(product)s AND s.size = %(size)s{_IN_ORDER}"""

MOVEMENT: Final[LiteralString] = f"""
SELECT {_MOVEMENT} FROM comptoir.sizes s{_MOVED}
WHERE s.book_id = %s AND m.account_id = %s AND m.version = %s"""
