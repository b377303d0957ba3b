"""Changing who somebody is. The first parameter is the open transaction."""

from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from comptoir.domains.identity import sql
from comptoir.domains.identity.model import Customer, Key, hash_key, hint_of
from comptoir.kit.actor import Role
from comptoir.kit.errors import NotFound


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
    cursor = await tx.execute(
        sql.ADD_KEY,
        (
            new.book,
            new.id,
            new.role,
            new.name,
            hash_key(new.text),
            hint_of(new.text),
            new.expires_at,
        ),
    )
    row = await cursor.fetchone()
    assert row is not None, "an insert returns its row"
    return Key(row[0], row[1], Role(row[2]), *row[3:])


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
