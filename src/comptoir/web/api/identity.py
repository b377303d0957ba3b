"""Customers, keys and customer tokens."""

import hmac
from typing import Annotated, Any, Final, Literal
from uuid import UUID
from zoneinfo import available_timezones

from psycopg import AsyncConnection
from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from comptoir.app import App
from comptoir.domains.identity import commands, queries
from comptoir.domains.identity.model import CustomerToken, write_key, write_token
from comptoir.kit.actor import Role
from comptoir.kit.errors import Denied, NotFound
from comptoir.kit.ids import request_id, uuid7
from comptoir.kit.limits import (
    CUSTOMER_TOKEN_SECONDS_MAX,
    EMAIL_LENGTH,
    EMAIL_PATTERN,
    LOCALE_PATTERN,
    OVERLAP_SECONDS,
    OVERLAP_SECONDS_MAX,
    PRINTABLE,
    SECOND,
)
from comptoir.store.answers import Deed, Figures, once
from comptoir.store.pool import begin
from comptoir.web import shapes, views, wire
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.cursors import read_cursor, write_cursor
from comptoir.web.replies import PRIVATE, REPLAYED, Reply, ok, write_time
from comptoir.web.routing import OPERATORS, SERVERS, Operation

_ZONES: Final = frozenset(available_timezones())
_LIVE: Final = "live"


def _zone(value: str) -> str:
    if value not in _ZONES:
        raise PydanticCustomError("time-zone-invalid", "not a time zone")
    return value


class CustomerBody(wire.Wire):
    """What to change of a customer; what is left out stays as it is."""

    time_zone: (
        Annotated[
            str,
            AfterValidator(_zone),
            Field(examples=["Europe/Paris"], json_schema_extra={"enum": [*sorted(_ZONES)]}),
        ]
        | None
    ) = None
    locale: (
        Annotated[str, StringConstraints(pattern=LOCALE_PATTERN), Field(examples=["fr-FR"])] | None
    ) = None
    email: (
        Annotated[
            str,
            StringConstraints(max_length=EMAIL_LENGTH, pattern=EMAIL_PATTERN),
            Field(examples=["alice@example.com"]),
        ]
        | None
    ) = None
    name: wire.Name | None = None
    metadata: wire.Metadata | None = None
    plan: Annotated[str, wire.text(50), Field(examples=["pro"])] | None = None


class KeyBody(wire.Wire):
    """A new key."""

    role: Literal["operator", "service"]
    name: wire.Name
    book: Literal["live", "test"] | None = None
    expires_at: wire.Time | None = None


class KeysQuery(wire.Page):
    """Keys of which book; the caller's own by default."""

    book: Annotated[Literal["live", "test"] | None, Field(examples=["live"])] = None


class BookQuery(wire.Wire):
    """The book of a key."""

    book: Annotated[Literal["live", "test"] | None, Field(examples=["live"])] = None


class RotateBody(wire.Wire):
    """How long the old key still works, 0 for not at all, and when the new one ends."""

    overlap_seconds: Annotated[
        int, Field(ge=0, le=OVERLAP_SECONDS_MAX, examples=[OVERLAP_SECONDS])
    ] = OVERLAP_SECONDS
    expires_at: wire.Time | None = None
    book: Literal["live", "test"] | None = None


class TokenBody(wire.Wire):
    """Whose token, and for how long."""

    customer: wire.Customer
    ttl_seconds: Annotated[int, Field(ge=1, le=CUSTOMER_TOKEN_SECONDS_MAX, examples=[900])] = 3600


def customer_name(call: Call) -> str:
    """The customer that the path names.

    Raises:
        Unfit: nobody can be called that.
    """
    name = call.part("customer")
    try:
        return _Named(customer=name).customer
    except ValueError:
        raise Unfit.field("customer", "string_pattern_mismatch") from None


class _Named(wire.Wire):
    customer: wire.Customer


async def customers(call: Call, query: wire.Page) -> Reply:
    """GET /api/customers, in the order of their arrival."""
    position: Any = read_cursor(call, "", query.cursor)
    after = position[0] if position else 0
    async with begin(call.app.pool) as tx:
        found = await queries.customers(tx, call.actor.book, after, query.limit + 1)
    page = found[: query.limit]
    following = write_cursor(call, "", [page[-1].id]) if len(found) > len(page) else None
    return ok({"items": [views.customer(c) for c in page], "next_cursor": following}, PRIVATE)


async def customer(call: Call) -> Reply:
    """GET /api/customers/{customer}."""
    name = customer_name(call)
    async with begin(call.app.pool) as tx:
        found = await queries.customer(tx, call.actor.book, name)
    return ok(views.customer(found), PRIVATE)


async def put_customer(call: Call, body: CustomerBody) -> Reply:
    """PUT /api/customers/{customer}: adds him, or changes what is said."""
    name = customer_name(call)
    change = commands.CustomerChange(
        time_zone=body.time_zone,
        locale=body.locale,
        email=body.email,
        name=body.name,
        metadata=body.metadata,
        plan=body.plan,
    )
    async with begin(call.app.pool) as tx:
        changed = await commands.put_customer(tx, call.actor.book, name, change)
    return ok(views.customer(changed), PRIVATE)


async def _book(tx: AsyncConnection, call: Call, name: str | None) -> tuple[int, dict[int, str]]:
    """The book that a key route means, and all names. Only a live key reaches another book."""
    books = await queries.books(tx)
    names = {id_: each for each, id_ in books.items()}
    if name is None:
        return call.actor.book, names
    book = books[name]
    if book != call.actor.book and names[call.actor.book] != _LIVE:
        raise Denied("forbidden")
    return book, names


async def add_key(call: Call, body: KeyBody) -> Reply:
    """POST /api/keys: the only answer that shows the key.

    With an Idempotency-Key the id and the text are made from it, so that a repeat shows the same
    ones though the text is stored nowhere.
    """
    app = call.app
    role = Role(body.role)
    async with begin(app.pool) as tx:
        book, names = await _book(tx, call, body.book)
        id_, secret = _chosen(call, book, "key") if call.key else _drawn(app)
        text = write_key(book, role, secret)
        new = commands.NewKey(id_, book, role, body.name, text, body.expires_at)
        added, is_new = await commands.add_key_once(tx, new)
    headers = [(b"cache-control", b"no-store"), *([] if is_new else [REPLAYED])]
    return ok({**views.key(added, names), "key": text}, *headers, status=201)


def _drawn(app: App) -> tuple[UUID, bytes]:
    return uuid7(app.clock(), app.randomness(10)), app.randomness(32)


def _chosen(call: Call, book: int, purpose: str) -> tuple[UUID, bytes]:
    digest = request_id(book, call.key)
    secret = hmac.digest(call.app.secret, f"{purpose}\n".encode() + digest, "sha256")
    if purpose == "key":
        return UUID(bytes=digest, version=5), secret
    return UUID(bytes=hmac.digest(secret, b"id", "sha256")[:16], version=5), secret


async def keys(call: Call, query: KeysQuery) -> Reply:
    """GET /api/keys, oldest first."""
    of = query.book or ""
    position: Any = read_cursor(call, of, query.cursor)
    after = UUID(position[0]) if position else queries.FIRST_KEY
    async with begin(call.app.pool) as tx:
        book, names = await _book(tx, call, query.book)
        found = await queries.keys(tx, book, after, query.limit + 1)
    page = found[: query.limit]
    following = write_cursor(call, of, [str(page[-1].id)]) if len(found) > len(page) else None
    return ok({"items": [views.key(k, names) for k in page], "next_cursor": following}, PRIVATE)


def _named(call: Call) -> UUID:
    try:
        return UUID(call.part("id"))
    except ValueError:
        raise NotFound("unknown-key") from None


async def rotate_key(call: Call, body: RotateBody) -> Reply:
    """POST /api/keys/{id}/rotate: a new key at once, and an end for the old one.

    With an Idempotency-Key the new id and text are made from it, as for a new key.
    """
    app, id_ = call.app, _named(call)
    async with begin(app.pool) as tx:
        book, names = await _book(tx, call, body.book)
    new_id, secret = _chosen(call, book, "rotate") if call.key else _drawn(app)
    rotation = commands.Rotation(
        book, id_, new_id, secret, app.clock(), body.overlap_seconds, body.expires_at
    )

    async def work(tx: AsyncConnection) -> Figures:
        await commands.rotate_key(tx, rotation)
        return {"id": str(new_id)}

    said = {"id": id_, "overlap_seconds": body.overlap_seconds, "expires_at": body.expires_at}
    _, replayed = await once(app.pool, Deed(book, "rotate", call.key, said), work)
    call.doorman.forget()
    async with begin(app.pool) as tx:
        old, new = [await queries.key(tx, book, each) for each in (id_, new_id)]
    content = {
        **views.key(new, names),
        "key": write_key(book, new.role, secret),
        "replaced": views.key(old, names),
    }
    headers = [(b"cache-control", b"no-store"), *([REPLAYED] if replayed else [])]
    return ok(content, *headers, status=201)


async def revoke_key(call: Call, query: BookQuery) -> Reply:
    """DELETE /api/keys/{id}: at once here, within two seconds everywhere."""
    id_ = _named(call)
    async with begin(call.app.pool) as tx:
        book, names = await _book(tx, call, query.book)
        revoked = await commands.revoke_key(tx, book, id_)
    call.doorman.forget()
    return ok(views.key(revoked, names))


async def add_token(call: Call, body: TokenBody) -> Reply:
    """POST /api/customer-tokens."""
    app, book = call.app, call.actor.book
    id_ = await app.directory.customer(book, body.customer)
    until = (app.clock() // SECOND + body.ttl_seconds) * SECOND
    token = write_token(app.secret, CustomerToken(book, id_, until))
    content = {"token": token, "customer": body.customer, "expires_at": write_time(until)}
    return ok(content, (b"cache-control", b"no-store"), status=201)


CUSTOMER_PART: Final[dict[str, dict[str, Any]]] = {
    "customer": {
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "pattern": PRINTABLE,
        "examples": ["alice@example.com"],
    }
}
_KEY_PART: Final[dict[str, dict[str, Any]]] = {"id": {"type": "string", "format": "uuid"}}

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/customers",
        handler=customers,
        summary=("List customers", "Lister les clients"),
        tag="customers",
        roles=SERVERS,
        query=wire.Page,
        answer=shapes.Listed[shapes.CustomerShape],
        codes=("cursor-invalid",),
    ),
    Operation(
        method="GET",
        path="/api/customers/{customer}",
        handler=customer,
        summary=("Read a customer", "Lire un client"),
        tag="customers",
        roles=SERVERS,
        answer=shapes.CustomerShape,
        parts=CUSTOMER_PART,
        codes=("unknown-customer",),
    ),
    Operation(
        method="PUT",
        path="/api/customers/{customer}",
        handler=put_customer,
        summary=("Add or change a customer", "Ajouter ou modifier un client"),
        tag="customers",
        roles=SERVERS,
        body=CustomerBody,
        body_optional=True,
        answer=shapes.CustomerShape,
        parts=CUSTOMER_PART,
        codes=("unknown-plan",),
        ask={"time_zone": "Europe/Paris", "locale": "fr", "name": "Alice Martin"},
    ),
    Operation(
        method="POST",
        path="/api/keys",
        handler=add_key,
        may_be_keyed=True,
        summary=("Add a key", "Ajouter une clé"),
        tag="keys",
        roles=OPERATORS,
        body=KeyBody,
        answer=shapes.NewKeyShape,
        status=201,
        headers={"Idempotent-Replayed": "true when the key was added before"},
        ask={"role": "service", "name": "Web shop"},
    ),
    Operation(
        method="GET",
        path="/api/keys",
        handler=keys,
        summary=("List keys", "Lister les clés"),
        tag="keys",
        roles=OPERATORS,
        query=KeysQuery,
        answer=shapes.Listed[shapes.KeyShape],
        codes=("cursor-invalid",),
    ),
    Operation(
        method="POST",
        path="/api/keys/{id}/rotate",
        handler=rotate_key,
        may_be_keyed=True,
        summary=("Replace a key by a new one", "Remplacer une clé par une nouvelle"),
        tag="keys",
        roles=OPERATORS,
        body=RotateBody,
        body_optional=True,
        answer=shapes.RotatedShape,
        status=201,
        parts=_KEY_PART,
        codes=("unknown-key", "key-ended"),
        headers={"Idempotent-Replayed": "true when it was replaced before, under the same key"},
        ask={"overlap_seconds": 86400},
    ),
    Operation(
        method="DELETE",
        path="/api/keys/{id}",
        handler=revoke_key,
        summary=("Revoke a key", "Révoquer une clé"),
        tag="keys",
        roles=OPERATORS,
        query=BookQuery,
        answer=shapes.KeyShape,
        parts=_KEY_PART,
        codes=("unknown-key",),
    ),
    Operation(
        method="POST",
        path="/api/customer-tokens",
        handler=add_token,
        summary=("Give a customer a token", "Donner un jeton à un client"),
        tag="keys",
        roles=SERVERS,
        body=TokenBody,
        answer=shapes.TokenShape,
        status=201,
        ask={"customer": "alice@example.com", "ttl_seconds": 900},
    ),
)
