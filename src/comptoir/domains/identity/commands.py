"""Changing who somebody is. The first parameter is the open transaction."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from comptoir.domains.identity import sql
from comptoir.domains.identity.model import Customer, Key, hash_key, hint_of
from comptoir.kit.actor import Role
from comptoir.kit.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChange:
    """What to change of a customer; None leaves a field as it is."""

    time_zone: str | None = None
    locale: str | None = None
    email: str | None = None
    name: str | None = None
    metadata: dict[str, str] | None = None


async def put_customer(
    tx: AsyncConnection, book: int, customer: str, change: CustomerChange
) -> Customer:
    """Add a customer, or change one."""
    cursor = await tx.execute(
        sql.PUT_CUSTOMER,
        {
            "book": book,
            "customer": customer,
            "time_zone": change.time_zone,
            "locale": change.locale,
            "email": change.email,
            "name": change.name,
            "metadata": None if change.metadata is None else Jsonb(change.metadata),
        },
    )
    row = await cursor.fetchone()
    assert row is not None, "an upsert returns its row"
    return Customer(*row)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is about to be added; `text` is shown once and not kept."""

    id: UUID
    book: int
    role: Role
    name: str
    text: str
    expires_at: int | None = None


async def add_key(tx: AsyncConnection, new: NewKey) -> Key:
    """Add a key; only its hash is stored."""
    row = await _insert_key(tx, new)
    assert row is not None, "a time-ordered random id is new"
    return Key(row[0], row[1], Role(row[2]), *row[3:])


async def add_key_once(tx: AsyncConnection, new: NewKey) -> tuple[Key, bool]:
    """Add a key whose id and text were made from an idempotency key, and whether it was new.

    Raises:
        Conflict: the same idempotency key has added another key; `field` says what differs.
    """
    row = await _insert_key(tx, new)
    if row is not None:
        return Key(row[0], row[1], Role(row[2]), *row[3:]), True
    row = await (await tx.execute(sql.KEY_BY_ID, (new.book, new.id))).fetchone()
    assert row is not None, "keys are revoked, never removed"
    found = Key(row[0], row[1], Role(row[2]), *row[3:])
    for field in ("role", "name", "expires_at"):
        if getattr(found, field) != getattr(new, field):
            raise Conflict("idempotency-key-reused", field=field)
    return found, False


async def _insert_key(tx: AsyncConnection, new: NewKey) -> tuple[Any, ...] | None:
    values = (new.book, new.id, new.role, new.name, hash_key(new.text), hint_of(new.text))
    return await (await tx.execute(sql.ADD_KEY, (*values, new.expires_at))).fetchone()


async def revoke_key(tx: AsyncConnection, book: int, id_: UUID) -> Key:
    """Revoke a key; doing it again changes nothing.

    Raises:
        NotFound: the book has no such key.
    """
    row = await (await tx.execute(sql.REVOKE_KEY, (book, id_))).fetchone()
    if row is None:
        raise NotFound("unknown-key")
    return Key(row[0], row[1], Role(row[2]), *row[3:])


async def note_use(tx: AsyncConnection, book: int, id_: UUID, at: int) -> None:
    """Remember when a key was used last."""
    await tx.execute(sql.USE_KEY, (at, book, id_))
