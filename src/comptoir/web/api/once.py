"""Calls that are made once, and rate limits, for applications in other languages."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from comptoir.guards.limits.limiter import Policies, WhenDown, Where
from comptoir.guards.limits.ring import Policy
from comptoir.guards.limits.stores import POLICIES, Question
from comptoir.guards.once import Call as Once
from comptoir.guards.once import Claim
from comptoir.kit.errors import Conflict
from comptoir.kit.limits import SECOND
from comptoir.web import shapes_guards as shapes
from comptoir.web import wire
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.replies import REPLAYED, Reply, ok
from comptoir.web.routing import SERVERS, Operation

_CLAIM: Final = re.compile(r"claim_([0-9a-f]{32})_([1-9][0-9]{0,8})")
_CLAIM_PART: Final[dict[str, dict[str, Any]]] = {
    "claim": {"type": "string", "pattern": "^claim_[0-9a-f]{32}_[1-9][0-9]{0,8}$"}
}
_MILLI: Final = 1_000
_YEARS: Final = 10 * 366 * 86_400


class ClaimBody(wire.Wire):
    """A call that is to be made once."""

    key: wire.Key
    said: Annotated[
        Any, Field(description="What is asked: the same key for something else is refused.")
    ] = None
    scope: wire.Key | None = None
    lease_seconds: Annotated[int, Field(ge=1, le=3_600, examples=[60])] = 60


class FinishBody(wire.Wire):
    """What a call has given."""

    result: Annotated[Any, Field(examples=[{"payment": "pay_1"}])] = None
    ttl_seconds: Annotated[
        int | None, Field(ge=1, le=_YEARS, description="For ever by default, as money wants it.")
    ] = None


class LimitBody(wire.Wire):
    """So much in any so many seconds."""

    name: Annotated[
        str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,31}$"), Field(examples=["api"])
    ]
    limit: Annotated[int, Field(ge=1, le=10**9, examples=[10])]
    window_seconds: Annotated[int, Field(ge=1, le=31 * 86_400, examples=[10])]


class HitBody(wire.Wire):
    """Who asks to do something once more, and how often he may."""

    subject: wire.Key
    limits: Annotated[list[LimitBody], Field(min_length=1, max_length=POLICIES)]
    cost: Annotated[int, Field(ge=1, le=10**9)] = 1
    store: Literal["redis", "pg", "local"] = "redis"
    when_down: Literal["local", "pg", "open", "closed"] = "local"


async def claim(call: Call, body: ClaimBody) -> Reply:
    """POST /api/once."""
    guards = await call.app.guards(call.actor.book)
    wanted = Once.of(call.actor.book, body.key, body.said, body.scope or "")
    found = await guards.once.begin(wanted, body.lease_seconds)
    if not isinstance(found, Claim):
        return ok({"claim": None, "replayed": True, "result": found[0]}, REPLAYED)
    content = {
        "claim": f"claim_{wanted.id.hex()}_{found.attempt}",
        "replayed": False,
        "result": None,
        "provider_key": str(found.origin),
    }
    return ok(content)


async def finish(call: Call, body: FinishBody) -> Reply:
    """POST /api/once/{claim}/finish."""
    guards = await call.app.guards(call.actor.book)
    await guards.once.end(*_claim(call), body.result, body.ttl_seconds)
    return ok({"result": body.result})


async def release_claim(call: Call) -> Reply:
    """POST /api/once/{claim}/release."""
    guards = await call.app.guards(call.actor.book)
    await guards.once.drop(*_claim(call))
    return ok({"released": True})


async def hit(call: Call, body: HitBody) -> Reply:
    """POST /api/limits/hit: answers 200 also when it is denied; then `allowed` is false."""
    least = min(each.limit for each in body.limits)
    if body.cost > least:
        raise Conflict("cost-exceeds-limit", cost=body.cost, limit=least)
    guards = await call.app.guards(call.actor.book)
    policies = tuple(
        Policy(each.name, each.limit, each.window_seconds * SECOND) for each in body.limits
    )
    question = Question(body.subject, policies, body.cost)
    how = Policies(Where(body.store), WhenDown(body.when_down))
    said = await guards.limiter.ask(question, how)
    content = {
        "allowed": said.is_admitted,
        "retry_after_ms": max(-(-each.wait // _MILLI) for each in said.verdicts),
        "decided_by": said.by,
        "limits": [
            {
                "name": each.policy.name,
                "limit": each.policy.limit,
                "remaining": each.remaining,
                "resets_after_ms": -(-each.resets // _MILLI),
            }
            for each in said.verdicts
        ],
    }
    return ok(content)


def _claim(call: Call) -> tuple[bytes, int]:
    found = _CLAIM.fullmatch(call.part("claim"))
    if found is None:
        raise Unfit.field("claim", "string_pattern_mismatch")
    return bytes.fromhex(found[1]), int(found[2])


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/once",
        handler=claim,
        summary=("Begin a call that is made once", "Commencer un appel fait une seule fois"),
        tag="guards",
        roles=SERVERS,
        body=ClaimBody,
        headers={"Idempotent-Replayed": "true when it was made before"},
        answer=shapes.ClaimShape,
        codes=("request-in-flight", "idempotency-key-reused"),
        ask={"key": "payment:invoice-7", "said": {"amount": 1900}, "lease_seconds": 60},
    ),
    Operation(
        method="POST",
        path="/api/once/{claim}/finish",
        handler=finish,
        summary=("Keep the result of a call", "Garder le résultat d'un appel"),
        tag="guards",
        roles=SERVERS,
        body=FinishBody,
        answer=shapes.FinishedShape,
        parts=_CLAIM_PART,
        codes=("claim-lost",),
        ask={"result": {"payment": "pay_1"}},
    ),
    Operation(
        method="POST",
        path="/api/once/{claim}/release",
        handler=release_claim,
        summary=("Give a call back", "Rendre un appel"),
        tag="guards",
        roles=SERVERS,
        answer=shapes.ReleasedShape,
        parts=_CLAIM_PART,
    ),
    Operation(
        method="POST",
        path="/api/limits/hit",
        handler=hit,
        summary=("Ask a rate limit", "Interroger une limite de débit"),
        tag="guards",
        roles=SERVERS,
        body=HitBody,
        answer=shapes.HitShape,
        codes=("cost-exceeds-limit", "redis-down"),
        ask={
            "subject": "user:alice",
            "limits": [{"name": "api", "limit": 10, "window_seconds": 10}],
        },
    ),
)
