"""Guards over HTTP: locks, quotas, usage and counters, for applications in any language."""

import re
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field, StringConstraints

from comptoir.guards import quotas
from comptoir.guards.counters import add
from comptoir.guards.leases import TTL
from comptoir.guards.quotas import Asked, Counting, Usage
from comptoir.kit.errors import Conflict
from comptoir.kit.ids import request_id
from comptoir.store.pool import begin
from comptoir.web import shapes_guards as shapes
from comptoir.web import wire
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.refusing import moment
from comptoir.web.replies import PRIVATE, Reply, ok, write_time
from comptoir.web.routing import SERVERS, Operation

_LOCK: Final = re.compile(r"lock_([0-9a-f]{32})", re.ASCII)
_METRIC: Final = r"^[a-z][a-z0-9_.:-]*$"
Metric = Annotated[
    str,
    StringConstraints(max_length=64, pattern=_METRIC),
    Field(examples=["ai-calls"]),
]
Metrics = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z][a-z0-9_.:-]{0,63}(,[a-z][a-z0-9_.:-]{0,63}){0,49}$", max_length=3_300
    ),
    Field(examples=["ai-calls,quotes"]),
]
Reservation = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
    Field(examples=["01930f5e-0000-7000-8000-000000000000"]),
]
Ttl = Annotated[int, Field(ge=1, le=86_400, examples=[30])]


class LockBody(wire.Wire):
    """A key to hold."""

    key: Annotated[str, wire.text(255), Field(examples=["create-quote:alice"])]
    ttl_seconds: Ttl = int(TTL)


class LockRenewBody(wire.Wire):
    """How much longer to hold it."""

    ttl_seconds: Ttl = int(TTL)


class CountBody(wire.Wire):
    """What to count; the same id is counted once."""

    amount: Annotated[int, Field(ge=-(10**12) + 1, le=10**12 - 1, examples=[1])] = 1
    id: wire.Key | None = None


class UsageBody(wire.Wire):
    """What a customer has done today."""

    customer: wire.Customer
    metric: Metric
    amount: wire.Quantity = 1


class UsageQuery(wire.Wire):
    """Whose usage, of which metrics."""

    customer: wire.Customer
    metrics: Metrics


class QuotaReserveBody(wire.Wire):
    """How much of a quota to set aside."""

    customer: wire.Customer
    quantity: wire.Quantity = 1
    ttl_seconds: Ttl = int(quotas.TTL)


class QuotaCommitBody(wire.Wire):
    """What was used of a reservation; all of it when that is not said."""

    reservation: Reservation
    quantity: Annotated[int, Field(ge=0, le=10**12 - 1, examples=[1])] | None = None


class QuotaReleaseBody(wire.Wire):
    """A reservation to give back."""

    reservation: Reservation


async def take_lock(call: Call, body: LockBody) -> Reply:
    """POST /api/locks. With an Idempotency-Key the repeat finds the same lock."""
    guards = await call.app.guards(call.actor.book)
    holder = _id(call, f"lock\x1f{body.key}")
    taken = await guards.leases.take(body.key, holder, body.ttl_seconds)
    content = {
        "lock": f"lock_{holder.hex}",
        "key": body.key,
        "token": taken.token,
        "expires_at": write_time(taken.expires_at),
    }
    return ok(content, status=201)


async def renew_lock(call: Call, body: LockRenewBody) -> Reply:
    """POST /api/locks/{lock}/renew."""
    guards = await call.app.guards(call.actor.book)
    renewed = await guards.leases.renew(_holder(call), body.ttl_seconds)
    if renewed is None:
        raise Conflict("lease-lost")
    return ok({"lock": call.part("lock"), "expires_at": write_time(renewed.expires_at)})


async def release_lock(call: Call) -> Reply:
    """POST /api/locks/{lock}/release: doing it again changes nothing."""
    guards = await call.app.guards(call.actor.book)
    released = await guards.leases.release(_holder(call))
    return ok({"lock": call.part("lock"), "released": released})


async def count(call: Call, body: CountBody) -> Reply:
    """POST /api/counters/{name}: exactly once with an id or an Idempotency-Key."""
    app, book, name = call.app, call.actor.book, call.part("name")
    own = body.id or (f"key\x1f{call.key}".replace("\x1f", ":") if call.key else app.new_id().hex)
    async with begin(app.pool) as tx:
        value = await add(tx, book, name, body.amount, own)
    counted = value is not None
    if value is None:
        guards = await app.guards(book)
        value = (await guards.counters.read([name]))[name]
    return ok({"name": name, "value": value, "counted": counted})


async def counter(call: Call) -> Reply:
    """GET /api/counters/{name}: zero for one that nobody has counted."""
    guards = await call.app.guards(call.actor.book)
    name = call.part("name")
    return ok({"name": name, "value": (await guards.counters.read([name]))[name]}, PRIVATE)


async def usage(call: Call, query: UsageQuery) -> Reply:
    """GET /api/usage."""
    book = call.actor.book
    names = list(dict.fromkeys(query.metrics.split(",")))
    found = await quotas.usage(call.app.pool, book, query.customer, names)
    content = {
        "customer": query.customer,
        "metrics": {name: _shown(each) for name, each in found.items()},
    }
    return ok(content, PRIVATE)


async def use(call: Call, body: UsageBody) -> Reply:
    """POST /api/usage: counts for a customer's day; quotas are reserved instead."""
    app, book = call.app, call.actor.book
    counting = Counting(body.customer, body.metric, body.amount, call.key or None)
    fresh = await quotas.count(app.pool, book, counting)
    found = await quotas.usage(app.pool, book, body.customer, [body.metric])
    content = {"customer": body.customer, "metrics": {body.metric: _shown(found[body.metric])}}
    return ok({**content, "counted": fresh})


async def reserve(call: Call, body: QuotaReserveBody) -> Reply:
    """POST /api/quotas/{metric}/reserve."""
    name = call.part("metric")
    id_ = _id(call, f"quota\x1f{name}\x1f{body.customer}")
    asked = Asked(id_, body.customer, name, body.quantity, body.ttl_seconds)
    made = await quotas.reserve(call.app.pool, call.actor.book, asked)
    content = {
        "reservation": str(made.id),
        "metric": name,
        "quantity": made.quantity,
        "limit": made.limit,
        "used": made.used,
        "resets_at": moment(made.resets_at),
    }
    return ok(content, status=201)


async def commit(call: Call, body: QuotaCommitBody) -> Reply:
    """POST /api/quotas/{metric}/commit: what was used counts, the rest is given back."""
    app, book = call.app, call.actor.book
    late = await quotas.settle(app.pool, book, UUID(body.reservation), body.quantity)
    return ok({"reservation": body.reservation, "late": late})


async def release(call: Call, body: QuotaReleaseBody) -> Reply:
    """POST /api/quotas/{metric}/release: gives all back."""
    late = await quotas.settle(call.app.pool, call.actor.book, UUID(body.reservation), 0)
    return ok({"reservation": body.reservation, "late": late})


def _id(call: Call, what: str) -> UUID:
    """An id of its own, or the one that an Idempotency-Key makes."""
    if not call.key:
        return call.app.new_id()
    raw = bytearray(request_id(call.actor.book, f"{what}\x1f{call.key}"))
    raw[6] = 0x80 | raw[6] & 0x0F  # UUIDv8: of our own making, RFC 9562
    raw[8] = 0x80 | raw[8] & 0x3F
    return UUID(bytes=bytes(raw))


def _holder(call: Call) -> UUID:
    found = _LOCK.fullmatch(call.part("lock"))
    if found is None:
        raise Unfit.field("lock", "string_pattern_mismatch")
    return UUID(hex=found[1])


def _shown(of: Usage) -> dict[str, Any]:
    return {
        "used": of.used,
        "reserved": of.reserved,
        "limit": of.limit,
        "resets_at": moment(of.resets_at),
    }


_LOCK_PART: Final[dict[str, dict[str, Any]]] = {
    "lock": {"type": "string", "pattern": "^lock_[0-9a-f]{32}$"}
}
_NAME_PART: Final[dict[str, dict[str, Any]]] = {
    "name": {"type": "string", "maxLength": 64, "pattern": _METRIC, "examples": ["quotes:created"]}
}
_METRIC_PART: Final[dict[str, dict[str, Any]]] = {
    "metric": {"type": "string", "maxLength": 64, "pattern": _METRIC, "examples": ["ai-calls"]}
}

OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/locks",
        handler=take_lock,
        may_be_keyed=True,
        summary=("Take a lock", "Prendre un verrou"),
        tag="guards",
        roles=SERVERS,
        body=LockBody,
        status=201,
        answer=shapes.LockShape,
        codes=("operation-in-progress",),
        ask={"key": "create-quote:alice", "ttl_seconds": 30},
    ),
    Operation(
        method="POST",
        path="/api/locks/{lock}/renew",
        handler=renew_lock,
        summary=("Hold a lock for longer", "Prolonger un verrou"),
        tag="guards",
        roles=SERVERS,
        body=LockRenewBody,
        body_optional=True,
        answer=shapes.RenewedLockShape,
        parts=_LOCK_PART,
        codes=("lease-lost",),
        ask={"ttl_seconds": 60},
    ),
    Operation(
        method="POST",
        path="/api/locks/{lock}/release",
        handler=release_lock,
        summary=("Release a lock", "Libérer un verrou"),
        tag="guards",
        roles=SERVERS,
        answer=shapes.ReleasedLockShape,
        parts=_LOCK_PART,
    ),
    Operation(
        method="POST",
        path="/api/counters/{name}",
        handler=count,
        may_be_keyed=True,
        summary=("Count", "Compter"),
        tag="guards",
        roles=SERVERS,
        body=CountBody,
        body_optional=True,
        answer=shapes.CountedShape,
        parts=_NAME_PART,
        ask={"amount": 1, "id": "quote-1842"},
    ),
    Operation(
        method="GET",
        path="/api/counters/{name}",
        handler=counter,
        summary=("Read a counter", "Lire un compteur"),
        tag="guards",
        roles=SERVERS,
        answer=shapes.CounterShape,
        parts=_NAME_PART,
    ),
    Operation(
        method="GET",
        path="/api/usage",
        handler=usage,
        summary=("Read what a customer used today", "Lire l'usage du jour d'un client"),
        tag="guards",
        roles=SERVERS,
        query=UsageQuery,
        answer=shapes.UsageShape,
    ),
    Operation(
        method="POST",
        path="/api/usage",
        handler=use,
        may_be_keyed=True,
        summary=("Count for a customer's day", "Compter pour la journée d'un client"),
        tag="guards",
        roles=SERVERS,
        body=UsageBody,
        answer=shapes.UsedShape,
        ask={"customer": "alice@example.com", "metric": "quotes", "amount": 1},
    ),
    Operation(
        method="POST",
        path="/api/quotas/{metric}/reserve",
        handler=reserve,
        may_be_keyed=True,
        summary=("Reserve a quota", "Réserver un quota"),
        tag="guards",
        roles=SERVERS,
        body=QuotaReserveBody,
        status=201,
        answer=shapes.ReservedShape,
        parts=_METRIC_PART,
        codes=("quota-reached", "unknown-metric"),
        ask={"customer": "alice@example.com", "quantity": 1},
    ),
    Operation(
        method="POST",
        path="/api/quotas/{metric}/commit",
        handler=commit,
        summary=("Use what was reserved", "Utiliser ce qui est réservé"),
        tag="guards",
        roles=SERVERS,
        body=QuotaCommitBody,
        answer=shapes.SettledShape,
        parts=_METRIC_PART,
        codes=("reservation-not-found", "reservation-ended", "exceeds-reservation"),
        ask={"reservation": "01930f5e-0000-7000-8000-000000000000", "quantity": 1},
    ),
    Operation(
        method="POST",
        path="/api/quotas/{metric}/release",
        handler=release,
        summary=("Give a reservation back", "Rendre une réservation"),
        tag="guards",
        roles=SERVERS,
        body=QuotaReleaseBody,
        answer=shapes.SettledShape,
        parts=_METRIC_PART,
        codes=("reservation-not-found", "reservation-ended"),
        ask={"reservation": "01930f5e-0000-7000-8000-000000000000"},
    ),
)
