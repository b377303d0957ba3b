"""Jobs for workers in any language: lease, renew, complete, fail."""

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field, StringConstraints

from comptoir.jobs import leasing, queue
from comptoir.jobs.leasing import Asked, Failure, Leased
from comptoir.web import shapes_guards as shapes
from comptoir.web import wire
from comptoir.web.api.jobs import PART, Type, job_id, moment, shown
from comptoir.web.call import Call
from comptoir.web.replies import Reply, ok
from comptoir.web.routing import SERVERS, Operation

_UUID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_EXAMPLE: Final = "0192f3a1-7b2c-7d3e-8f40-5a6b7c8d9e0f"
_TYPES: Final = 20
_MOST: Final = 10
_HOUR: Final = 3_600

LeaseName = Annotated[
    str,
    StringConstraints(pattern=_UUID),
    Field(examples=[_EXAMPLE], json_schema_extra={"format": "uuid"}),
]
Seconds = Annotated[
    int, Field(ge=1, le=_HOUR, description="Until others may have the job, if you say nothing.")
]


class LeaseJobsBody(wire.Wire):
    """What you can do."""

    types: Annotated[list[Type], Field(min_length=1, max_length=_TYPES)]
    limit: Annotated[int, Field(ge=1, le=_MOST, description="Jobs at a time.")] = 1
    lease_seconds: Seconds = 60


class RenewJobBody(wire.Wire):
    """A job that takes longer."""

    lease: LeaseName
    lease_seconds: Seconds = 60


class CompleteJobBody(wire.Wire):
    """What a job has given."""

    lease: LeaseName
    result: Annotated[dict[str, Any] | None, Field(examples=[{"file": "q-1842.pdf"}])] = None


class FailJobBody(wire.Wire):
    """Why a job failed."""

    lease: LeaseName
    error: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$"),
        Field(examples=["RendererDown"], description="Its kind, kept when the job is dead."),
    ]
    final: Annotated[bool, Field(description="Another try would end the same way.")] = False


async def lease(call: Call, body: LeaseJobsBody) -> Reply:
    """POST /api/jobs/lease."""
    app = call.app
    asked = Asked(body.types, app.new_id(), body.lease_seconds, body.limit)
    found = await leasing.take(app.pool, call.actor.book, asked)
    return ok({"items": [_leased(each, asked.lease) for each in found]})


async def renew(call: Call, body: RenewJobBody) -> Reply:
    """POST /api/jobs/{id}/renew."""
    id_, held = job_id(call), UUID(body.lease)
    until = await leasing.renew(call.app.pool, call.actor.book, id_, held, body.lease_seconds)
    return ok({"lease": body.lease, "expires_at": moment(until)})


async def complete(call: Call, body: CompleteJobBody) -> Reply:
    """POST /api/jobs/{id}/complete."""
    id_, held = job_id(call), UUID(body.lease)
    await leasing.complete(call.app.pool, call.actor.book, id_, held, body.result)
    return ok(shown(await queue.look(call.app.pool, call.actor.book, id_)))


async def fail(call: Call, body: FailJobBody) -> Reply:
    """POST /api/jobs/{id}/fail."""
    id_, held = job_id(call), UUID(body.lease)
    failure = Failure(body.error, body.final, call.app.chance())
    await leasing.fail(call.app.pool, call.actor.book, id_, held, failure)
    return ok(shown(await queue.look(call.app.pool, call.actor.book, id_)))


def _leased(of: Leased, lease: UUID) -> dict[str, Any]:
    return {
        "id": str(of.job.id),
        "type": of.job.type,
        "payload": of.job.payload,
        "attempt": of.job.attempt,
        "key": of.job.key(),
        "lease": str(lease),
        "expires_at": moment(of.expires_at),
    }


_GONE: Final = ("job-not-found", "job-lease-lost")

OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/jobs/lease",
        handler=lease,
        summary=(
            "Lease the next jobs, to do them yourself",
            "Prendre les prochaines tâches à faire",
        ),
        tag="jobs",
        roles=SERVERS,
        body=LeaseJobsBody,
        answer=shapes.LeasedJobsShape,
        ask={"types": ["pdf.render"], "limit": 1, "lease_seconds": 60},
    ),
    Operation(
        method="POST",
        path="/api/jobs/{id}/renew",
        handler=renew,
        summary=("Keep a leased job for longer", "Garder plus longtemps une tâche prise"),
        tag="jobs",
        roles=SERVERS,
        body=RenewJobBody,
        answer=shapes.RenewedJobShape,
        parts=PART,
        codes=_GONE,
        ask={"lease": _EXAMPLE, "lease_seconds": 60},
    ),
    Operation(
        method="POST",
        path="/api/jobs/{id}/complete",
        handler=complete,
        summary=("Keep the result of a leased job", "Garder le résultat d'une tâche prise"),
        tag="jobs",
        roles=SERVERS,
        body=CompleteJobBody,
        answer=shapes.JobShape,
        parts=PART,
        codes=(*_GONE, "job-too-large"),
        ask={"lease": _EXAMPLE, "result": {"file": "q-1842.pdf"}},
    ),
    Operation(
        method="POST",
        path="/api/jobs/{id}/fail",
        handler=fail,
        summary=("Say that a leased job has failed", "Signaler l'échec d'une tâche prise"),
        tag="jobs",
        roles=SERVERS,
        body=FailJobBody,
        answer=shapes.JobShape,
        parts=PART,
        codes=_GONE,
        ask={"lease": _EXAMPLE, "error": "RendererDown"},
    ),
)
