"""Changing who somebody is. The first parameter is the open transaction."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from comptoir.domains.identity import sql
from comptoir.domains.identity.model import Customer, Key, hash_key, hint_of, write_key
from comptoir.kit.actor import Role
from comptoir.kit.errors import Conflict, NotFound
from comptoir.kit.limits import SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChange:
    """What to change of a customer; None leaves a field as it is."""

    time_zone: str | None = None
    locale: str | None = None
    email: str | None = None
    name: str | None = None
    metadata: dict[str, str] | None = None
    plan: str | None = None


async def put_customer(
    tx: AsyncConnection, book: int, customer: str, change: CustomerChange
) -> Customer:
    """Add a customer, or change one.

    Raises:
        NotFound: the book has no such plan.
    """
    if change.plan is not None:
        known = await tx.execute(sql.HAS_PLAN, (book, change.plan))
        if await known.fetchone() is None:
            raise NotFound("unknown-plan", plan=change.plan)
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
            "plan": change.plan,
        },
    )
    row = await cursor.fetchone()
    assert row is not None, "an upsert returns its row"
    return Customer(*row)


async def lock_customer(tx: AsyncConnection, book: int, customer: str) -> int:
    """The surrogate id of a customer, whom nobody changes or opens an account for meanwhile.

    Raises:
        NotFound: the book does not have him, or not any more.
    """
    row = await (await tx.execute(sql.LOCK_CUSTOMER, (book, customer))).fetchone()
    if row is None:
        raise NotFound("unknown-customer")
    return row[0]


async def erase_customer(tx: AsyncConnection, book: int, id_: int) -> int:
    """Forget all that says who a customer is; returns when, in microseconds since 1970."""
    row = await (await tx.execute(sql.ERASE_CUSTOMER, (book, id_))).fetchone()
    assert row is not None, "the caller has locked him"
    return row[0]


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


@dataclass(frozen=True, slots=True)
class Rotation:
    """A key that is to take the place of another one.

    Attributes:
        id: of the key that is replaced.
        new_id, secret: of the new one; 32 random bytes.
        now: the time by which keys are judged, in microseconds since 1970.
        overlap: seconds for which the old key still works; 0 revokes it.
        expires_at: of the new key; None gives it the same time to live as the old one had.
    """

    book: int
    id: UUID
    new_id: UUID
    secret: bytes
    now: int
    overlap: int
    expires_at: int | None = None


async def rotate_key(tx: AsyncConnection, rotation: Rotation) -> None:
    """Replace a key by a new one of the same role and name, and let the old one end.

    Raises:
        NotFound: the book has no such key.
        Conflict: it has ended, so that nothing may take its place; or the new one is there already.
    """
    old = await _lock_key(tx, rotation.book, rotation.id)
    if not old.is_usable(rotation.now):
        raise Conflict("key-ended")
    until = rotation.expires_at
    if until is None and old.expires_at is not None:
        until = rotation.now + old.expires_at - old.created_at
    text = write_key(rotation.book, old.role, rotation.secret)
    new = NewKey(rotation.new_id, rotation.book, old.role, old.name, text, until)
    if await _insert_key(tx, new) is None:
        raise Conflict("request-in-flight", retry_after=1)
    if rotation.overlap == 0:
        await revoke_key(tx, rotation.book, rotation.id)
        return
    end = rotation.now + rotation.overlap * SECOND
    await tx.execute(sql.END_KEY, (end, rotation.book, rotation.id))


async def _lock_key(tx: AsyncConnection, book: int, id_: UUID) -> Key:
    row = await (await tx.execute(sql.LOCK_KEY, (book, id_))).fetchone()
    if row is None:
        raise NotFound("unknown-key")
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


async def note_use(tx: AsyncConnection, book: int, id_: UUID, at: int, *, since: int) -> None:
    """Remember when a key was used last, unless a use after `since` is remembered already."""
    await tx.execute(sql.USE_KEY, {"at": at, "book": book, "id": id_, "since": since})
