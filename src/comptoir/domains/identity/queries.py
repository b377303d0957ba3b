"""Who somebody is."""

import hmac
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.identity import sql
from comptoir.domains.identity.model import Customer, Key, hash_key
from comptoir.kit.actor import Role
from comptoir.kit.errors import NotFound

FIRST_KEY: Final = UUID(int=0)


async def customer(tx: AsyncConnection, book: int, name: str) -> Customer:
    """A customer by his own id.

    Raises:
        NotFound: the book has never met him.
    """
    row = await (await tx.execute(sql.CUSTOMER, (book, name))).fetchone()
    if row is None:
        raise NotFound("unknown-customer")
    return Customer(*row)


async def customer_by_id(tx: AsyncConnection, book: int, id_: int) -> Customer:
    """A customer by his surrogate id.

    Raises:
        NotFound: the book has no such customer.
    """
    row = await (await tx.execute(sql.CUSTOMER_BY_ID, (book, id_))).fetchone()
    if row is None:
        raise NotFound("unknown-customer")
    return Customer(*row)


async def customers(tx: AsyncConnection, book: int, after: int, limit: int) -> list[Customer]:
    """Customers in the order of their arrival, after the surrogate id `after`."""
    cursor = await tx.execute(sql.CUSTOMERS, (book, after, limit))
    return [Customer(*row) for row in await cursor.fetchall()]


async def find_key(tx: AsyncConnection, text: str) -> Key | None:
    """The key of that text, usable or not; None when nobody has it."""
    digest = hash_key(text)
    row = await (await tx.execute(sql.KEY_BY_HASH, (digest,))).fetchone()
    if row is None or not hmac.compare_digest(row[-1], digest):
        return None
    return _key(row[:-1])


async def key(tx: AsyncConnection, book: int, id_: UUID) -> Key:
    """A key by its id.

    Raises:
        NotFound: the book has no such key.
    """
    row = await (await tx.execute(sql.KEY_BY_ID, (book, id_))).fetchone()
    if row is None:
        raise NotFound("unknown-key")
    return _key(row)


async def keys(tx: AsyncConnection, book: int, after: UUID, limit: int) -> list[Key]:
    """The keys of a book, oldest first, after the one with the id `after`."""
    cursor = await tx.execute(sql.KEYS, (book, after, limit))
    return [_key(row) for row in await cursor.fetchall()]


async def books(tx: AsyncConnection) -> dict[str, int]:
    """The books by name."""
    cursor = await tx.execute(sql.BOOKS)
    return {name: id_ for id_, name in await cursor.fetchall()}


def _key(row: Sequence[Any]) -> Key:
    id_, book, role, *rest = row
    return Key(id_, book, Role(role), *rest)
