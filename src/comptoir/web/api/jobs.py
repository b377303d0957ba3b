"""Jobs over HTTP: enqueue, look, list, retry, cancel."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from psycopg import AsyncConnection
from pydantic import Field, StringConstraints

from comptoir.jobs import queue
from comptoir.jobs.model import PRIORITY_MOST, TYPE_LENGTH, Seen, Status, Wanted
from comptoir.jobs.queue import Sought
from comptoir.kit.errors import NotFound
from comptoir.store.answers import Deed, Figures, once
from comptoir.web import shapes_guards as shapes
from comptoir.web import wire
from comptoir.web.call import Call
from comptoir.web.cursors import read_cursor, write_cursor
from comptoir.web.replies import PRIVATE, REPLAYED, Reply, ok
from comptoir.web.routing import OPERATORS, SERVERS, Operation
from comptoir.web.shapes import Listed

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TYPE: Final = r"^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*$"

Type = Annotated[
    str,
    StringConstraints(max_length=TYPE_LENGTH, pattern=_TYPE),
    Field(examples=["pdf.render"]),
]


class JobBody(wire.Wire):
    """A job to be done."""

    type: Type
    payload: Annotated[dict[str, Any], Field(examples=[{"quote": "q-1842"}])] = Field(
        default_factory=dict
    )
    unique: Annotated[str, wire.text(200), Field(examples=["quote:q-1842"])] | None = None
    run_at: wire.Time | None = None
    priority: Annotated[int, Field(ge=-PRIORITY_MOST, le=PRIORITY_MOST)] = 0


class JobsQuery(wire.Page):
    """Which jobs to list."""

    type: Type | None = None
    queue: Literal["default", "email", "pdf"] | None = None
    status: Literal["pending", "running", "succeeded", "failed", "dead", "cancelled"] | None = None


async def enqueue(call: Call, body: JobBody) -> Reply:
    """POST /api/jobs. With an Idempotency-Key the repeat finds the same job."""
    app, book, id_ = call.app, call.actor.book, call.app.new_id()
    run_at = None if body.run_at is None else _EPOCH + timedelta(microseconds=body.run_at)
    wanted = Wanted(body.type, body.payload, body.unique, run_at, body.priority)

    async def work(tx: AsyncConnection) -> Figures:
        return {"id": str(await queue.enqueue(tx, book, id_, wanted))}

    said = {
        "type": body.type,
        "payload": wanted.spelled(),
        "unique": body.unique,
        "run_at": body.run_at,
        "priority": body.priority,
    }
    made, replayed = await once(app.pool, Deed(book, "job", call.key, said), work)
    content = {"id": made["id"], "queue": wanted.queue, "status": await _status(call, made["id"])}
    return ok(content, *((REPLAYED,) if replayed else ()), status=202)


async def _status(call: Call, id_: str) -> str:
    try:
        return (await queue.look(call.app.pool, call.actor.book, UUID(id_))).status.value
    except NotFound:
        return Status.SUCCEEDED.value  # it ended so long ago that it is gone


async def job(call: Call) -> Reply:
    """GET /api/jobs/{id}."""
    return ok(shown(await queue.look(call.app.pool, call.actor.book, job_id(call))), PRIVATE)


async def jobs(call: Call, query: JobsQuery) -> Reply:
    """GET /api/jobs: the newest first."""
    filters = f"{query.type}\n{query.queue}\n{query.status}"
    position: Any = read_cursor(call, filters, query.cursor)
    status = None if query.status is None else Status(query.status)
    before = position[0] if position else None
    sought = Sought(query.type, query.queue, status, before, query.limit + 1)
    found = await queue.listed(call.app.pool, call.actor.book, sought)
    page = found[: query.limit]
    more = len(found) > len(page)
    following = write_cursor(call, filters, [page[-1].number]) if more else None
    return ok({"items": [shown(each) for each in page], "next_cursor": following}, PRIVATE)


async def retry(call: Call) -> Reply:
    """POST /api/jobs/{id}/retry."""
    return ok(shown(await queue.retry(call.app.pool, call.actor.book, job_id(call))))


async def cancel(call: Call) -> Reply:
    """POST /api/jobs/{id}/cancel."""
    return ok(shown(await queue.cancel(call.app.pool, call.actor.book, job_id(call))))


def job_id(call: Call) -> UUID:
    """The job that a path names.

    Raises:
        NotFound: no job has such a name.
    """
    try:
        return UUID(call.part("id"))
    except ValueError:
        raise NotFound("job-not-found") from None


def shown(of: Seen) -> dict[str, Any]:
    """A job as it goes out."""
    return {
        "id": str(of.id),
        "type": of.type,
        "queue": of.queue,
        "status": of.status.value,
        "attempts": of.attempts,
        "payload": of.payload,
        "run_at": moment(of.run_at),
        "result": of.result,
        "error": of.error,
        "ended_at": moment(of.ended_at),
    }


def moment(of: datetime | None) -> str | None:
    """A time as it goes out."""
    if of is None:
        return None
    return of.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


PART: Final[dict[str, dict[str, Any]]] = {"id": {"type": "string", "format": "uuid"}}

OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/jobs",
        handler=enqueue,
        may_be_keyed=True,
        summary=("Enqueue a job", "Mettre une tâche en file"),
        tag="jobs",
        roles=SERVERS,
        body=JobBody,
        status=202,
        answer=shapes.NewJobShape,
        codes=("job-too-large",),
        headers={"Idempotent-Replayed": "true when it was enqueued before, under the same key"},
        ask={"type": "pdf.render", "payload": {"quote": "q-1842"}, "unique": "quote:q-1842"},
    ),
    Operation(
        method="GET",
        path="/api/jobs",
        handler=jobs,
        summary=("List jobs, newest first", "Lister les tâches, les plus récentes d'abord"),
        tag="jobs",
        roles=SERVERS,
        query=JobsQuery,
        answer=Listed[shapes.JobShape],
        codes=("cursor-invalid",),
    ),
    Operation(
        method="GET",
        path="/api/jobs/{id}",
        handler=job,
        summary=("Read a job", "Lire une tâche"),
        tag="jobs",
        roles=SERVERS,
        answer=shapes.JobShape,
        parts=PART,
        codes=("job-not-found",),
    ),
    Operation(
        method="POST",
        path="/api/jobs/{id}/retry",
        handler=retry,
        summary=("Retry a job", "Relancer une tâche"),
        tag="jobs",
        roles=OPERATORS,
        answer=shapes.JobShape,
        parts=PART,
        codes=("job-not-found", "job-not-retryable", "job-waits"),
    ),
    Operation(
        method="POST",
        path="/api/jobs/{id}/cancel",
        handler=cancel,
        summary=("Cancel a job", "Annuler une tâche"),
        tag="jobs",
        roles=OPERATORS,
        answer=shapes.JobShape,
        parts=PART,
        codes=("job-not-found", "job-ended"),
    ),
)
