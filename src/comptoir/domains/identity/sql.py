"""Every statement of the identity domain."""

from typing import Final

_CUSTOMER: Final = """id, customer, time_zone, locale, email, name, metadata,
    comptoir.micros(created_at), plan"""

CUSTOMER: Final = f"""
SELECT {_CUSTOMER} FROM comptoir.customers WHERE book_id = %s AND customer = %s"""

CUSTOMER_BY_ID: Final = f"""
SELECT {_CUSTOMER} FROM comptoir.customers
WHERE book_id = %s AND id = %s AND erased_at IS NULL"""

CUSTOMERS: Final = f"""
SELECT {_CUSTOMER} FROM comptoir.customers
WHERE book_id = %s AND id > %s AND erased_at IS NULL ORDER BY id LIMIT %s"""

PUT_CUSTOMER: Final = f"""
INSERT INTO comptoir.customers AS c
    (book_id, customer, time_zone, locale, email, name, metadata, plan)
VALUES (%(book)s, %(customer)s, coalesce(%(time_zone)s, 'UTC'), coalesce(%(locale)s, 'en'),
    %(email)s, %(name)s, coalesce(%(metadata)s, '{{}}'::jsonb), coalesce(%(plan)s, 'free'))
ON CONFLICT (book_id, customer) DO UPDATE SET
    time_zone = coalesce(%(time_zone)s, c.time_zone), locale = coalesce(%(locale)s, c.locale),
    email = coalesce(%(email)s, c.email), name = coalesce(%(name)s, c.name),
    metadata = coalesce(%(metadata)s, c.metadata), plan = coalesce(%(plan)s, c.plan)
RETURNING {_CUSTOMER}"""

HAS_PLAN: Final = "SELECT 1 FROM comptoir.plans WHERE book_id = %s AND plan = %s"

LOCK_CUSTOMER: Final = """
SELECT id FROM comptoir.customers WHERE book_id = %s AND customer = %s FOR UPDATE"""

ERASE_CUSTOMER: Final = """
UPDATE comptoir.customers SET customer = NULL, time_zone = 'UTC', locale = 'en', email = NULL,
    name = NULL, metadata = '{}', erased_at = clock_timestamp()
WHERE book_id = %s AND id = %s RETURNING comptoir.micros(erased_at)"""

_KEY: Final = """id, book_id, role, name, hint, comptoir.micros(created_at),
    comptoir.micros(expires_at), comptoir.micros(revoked_at), comptoir.micros(last_used_at)"""

KEY_BY_HASH: Final = f"SELECT {_KEY}, hash FROM comptoir.keys WHERE hash = %s"

KEYS: Final = f"""
SELECT {_KEY} FROM comptoir.keys WHERE book_id = %s AND id > %s ORDER BY id LIMIT %s"""

ADD_KEY: Final = f"""
INSERT INTO comptoir.keys (book_id, id, role, name, hash, hint, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, comptoir.moment(%s))
ON CONFLICT (book_id, id) DO NOTHING RETURNING {_KEY}"""

KEY_BY_ID: Final = f"SELECT {_KEY} FROM comptoir.keys WHERE book_id = %s AND id = %s"

REVOKE_KEY: Final = f"""
UPDATE comptoir.keys SET revoked_at = coalesce(revoked_at, clock_timestamp())
WHERE book_id = %s AND id = %s RETURNING {_KEY}"""

USE_KEY: Final = """
UPDATE comptoir.keys SET last_used_at = comptoir.moment(%(at)s)
WHERE book_id = %(book)s AND id = %(id)s
    AND (last_used_at IS NULL OR last_used_at < comptoir.moment(%(since)s))"""
"""Several processes serve one key: whoever comes second within the interval writes nothing."""

LOCK_KEY: Final = f"""
SELECT {_KEY} FROM comptoir.keys WHERE book_id = %s AND id = %s FOR UPDATE"""

END_KEY: Final = """
UPDATE comptoir.keys SET expires_at = least(expires_at, comptoir.moment(%s))
WHERE book_id = %s AND id = %s"""

BOOKS: Final = "SELECT id, name FROM comptoir.books ORDER BY id"
