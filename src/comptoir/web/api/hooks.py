"""Outgoing webhooks: where others hear of what happens, what they were told, telling it again."""

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field

from comptoir.domains.notifications import hooks
from comptoir.domains.notifications.hooks import Delivery, Hook
from comptoir.flows import telling
from comptoir.kit.errors import NotFound
from comptoir.store import outbox
from comptoir.store.pool import begin
from comptoir.web import shapes_money as shapes
from comptoir.web import wire
from comptoir.web.api.selling import PART, named
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.cursors import read_cursor, write_cursor
from comptoir.web.replies import PRIVATE, Reply, ok, write_moment, write_time
from comptoir.web.routing import OPERATORS, Operation
from comptoir.web.shapes import Listed

_ALL: Final = "*"


_KNOWN: Final[dict[str, Any]] = {"enum": [_ALL, *outbox.TYPES], "examples": ["credits.low"]}


class HookBody(wire.Wire):
    """Where others hear, and of what."""

    url: Annotated[str, wire.url(hooks.URL_LENGTH), Field(examples=["https://shop.example/hook"])]
    types: Annotated[
        list[Annotated[str, wire.text(50), Field(json_schema_extra=_KNOWN)]],
        Field(min_length=1, max_length=50),
    ]


class RetellBody(wire.Wire):
    """What is told once more."""

    event: Annotated[str, wire.text(50), Field(examples=["evt_" + "0" * 32])]


async def add(call: Call, body: HookBody) -> Reply:
    """POST /api/hooks."""
    unknown = [each for each in body.types if each not in {*outbox.TYPES, _ALL}]
    if unknown:
        raise Unfit.field("types", "field-invalid")
    hooks.check_url(body.url, must_be_safe=call.app.settings.is_for_others)
    app, book, id_ = call.app, call.actor.book, call.app.new_id()
    async with begin(app.pool) as tx:
        await hooks.add(tx, book, id_, body.url, body.types)
        made = await hooks.find(tx, book, id_)
    secret = hooks.secret_of(app.secret, book, id_, made.secret_no)
    return ok(_shown(made) | {"secret": secret}, status=201)


async def listed(call: Call) -> Reply:
    """GET /api/hooks."""
    async with begin(call.app.pool) as tx:
        found = await hooks.listed(tx, call.actor.book)
    return ok({"items": [_shown(each) for each in found]}, PRIVATE)


async def remove(call: Call) -> Reply:
    """DELETE /api/hooks/{id}."""
    async with begin(call.app.pool) as tx:
        await hooks.remove(tx, call.actor.book, _id(call))
    return ok({"removed": True})


async def roll(call: Call) -> Reply:
    """POST /api/hooks/{id}/roll."""
    app, book, id_ = call.app, call.actor.book, _id(call)
    async with begin(app.pool) as tx:
        number = await hooks.roll(tx, book, id_)
    return ok({"secret": hooks.secret_of(app.secret, book, id_, number)})


async def deliveries(call: Call, query: wire.Page) -> Reply:
    """GET /api/hooks/{id}/deliveries: the newest first."""
    id_ = _id(call)
    of = f"deliveries\n{id_}"
    position: Any = read_cursor(call, of, query.cursor)
    before = (position[0], UUID(position[1])) if position else None
    async with begin(call.app.pool) as tx:
        await hooks.find(tx, call.actor.book, id_)
        found = await hooks.deliveries(tx, call.actor.book, id_, before, query.limit + 1)
    page = found[: query.limit]
    more = len(found) > len(page)
    following = write_cursor(call, of, [page[-1].at, str(page[-1].event)]) if more else None
    return ok({"items": [_delivery(each) for each in page], "next_cursor": following}, PRIVATE)


async def retell(call: Call, body: RetellBody) -> Reply:
    """POST /api/hooks/{id}/replay."""
    book, id_ = call.actor.book, _id(call)
    event = named(body.event.removeprefix("evt_"), "event-not-found")
    async with begin(call.app.pool) as tx:
        await hooks.find(tx, book, id_)
        if await outbox.find(tx, book, event) is None:
            raise NotFound("event-not-found")
        await hooks.replay(tx, book, id_, event)
    call.app.till.outbox.ring()
    return ok({"event": body.event, "state": "waiting"})


async def happenings(call: Call, query: wire.Page) -> Reply:
    """GET /api/events: what has happened, the newest first, as others are told of it."""
    position: Any = read_cursor(call, "events", query.cursor)
    before = (position[0], UUID(position[1])) if position else None
    async with begin(call.app.pool) as tx:
        found = await outbox.listed(tx, call.actor.book, before, query.limit + 1)
        page = found[: query.limit]
        items = [{"id": f"evt_{each.id.hex}", **await telling.rendered(tx, each)} for each in page]
    more = len(found) > len(page)
    following = write_cursor(call, "events", [page[-1].at, str(page[-1].id)]) if more else None
    return ok({"items": items, "next_cursor": following}, PRIVATE)


def _id(call: Call) -> UUID:
    return named(call.part("id"), "hook-not-found")


def _shown(of: Hook) -> dict[str, Any]:
    return {
        "id": str(of.id), "url": of.url, "types": list(of.types),
        "created_at": write_time(of.created_at),
    }  # fmt: skip


def _delivery(of: Delivery) -> dict[str, Any]:
    return {
        "event": f"evt_{of.event.hex}", "type": of.type, "state": of.state,
        "attempts": of.attempts, "status": of.status, "error": of.error,
        "due_at": write_moment(of.due_at), "done_at": write_moment(of.done_at),
    }  # fmt: skip


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/hooks",
        handler=add,
        summary=("Tell others of what happens", "Prévenir d'autres de ce qui arrive"),
        tag="hooks",
        roles=OPERATORS,
        body=HookBody,
        status=201,
        answer=shapes.NewHookShape,
        codes=("url-invalid", "too-many-hooks"),
        ask={"url": "https://shop.example/hook", "types": ["credits.low", "purchase.paid"]},
    ),
    Operation(
        method="GET",
        path="/api/hooks",
        handler=listed,
        summary=("List outgoing webhooks", "Lister les webhooks sortants"),
        tag="hooks",
        roles=OPERATORS,
        answer=shapes.HooksShape,
    ),
    Operation(
        method="DELETE",
        path="/api/hooks/{id}",
        handler=remove,
        summary=("Remove an outgoing webhook", "Retirer un webhook sortant"),
        tag="hooks",
        roles=OPERATORS,
        parts=PART,
        answer=shapes.RemovedShape,
        codes=("hook-not-found",),
    ),
    Operation(
        method="POST",
        path="/api/hooks/{id}/roll",
        handler=roll,
        summary=("Roll the secret of a webhook", "Changer le secret d'un webhook"),
        tag="hooks",
        roles=OPERATORS,
        parts=PART,
        answer=shapes.RolledShape,
        codes=("hook-not-found",),
    ),
    Operation(
        method="GET",
        path="/api/hooks/{id}/deliveries",
        handler=deliveries,
        summary=("List what a webhook was told", "Lister les envois d'un webhook"),
        tag="hooks",
        roles=OPERATORS,
        query=wire.Page,
        parts=PART,
        answer=Listed[shapes.DeliveryShape],
        codes=("hook-not-found", "cursor-invalid"),
    ),
    Operation(
        method="POST",
        path="/api/hooks/{id}/replay",
        handler=retell,
        summary=("Tell something once more", "Renvoyer un événement"),
        tag="hooks",
        roles=OPERATORS,
        body=RetellBody,
        parts=PART,
        answer=shapes.ToldShape,
        ask={"event": "00000000-0000-7000-8000-000000000000"},
        codes=("hook-not-found", "event-not-found"),
    ),
    Operation(
        method="GET",
        path="/api/events",
        handler=happenings,
        summary=("List what has happened", "Lister ce qui est arrivé"),
        tag="hooks",
        roles=OPERATORS,
        query=wire.Page,
        answer=Listed[shapes.HappeningShape],
        codes=("cursor-invalid",),
    ),
)
