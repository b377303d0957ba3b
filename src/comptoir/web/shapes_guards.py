"""What goes out of guards and jobs, for the OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from comptoir.web.shapes import Moment


class LockShape(BaseModel):
    """A lock that is held."""

    lock: Annotated[str, Field(pattern="^lock_[0-9a-f]{32}$")]
    key: str
    token: Annotated[int, Field(description="Grows each time the lock changes hands.")]
    expires_at: Moment


class RenewedLockShape(BaseModel):
    """A lock that is held for longer."""

    lock: str
    expires_at: Moment


class ReleasedLockShape(BaseModel):
    """A lock that was given back; not `released` when it was not held any more."""

    lock: str
    released: bool


class CounterShape(BaseModel):
    """What a counter has."""

    name: str
    value: int


class CountedShape(BaseModel):
    """What a counter has now; not `counted` when the event was counted before."""

    name: str
    value: int
    counted: bool


class MetricShape(BaseModel):
    """What a customer has used today of one metric, and what his plan allows."""

    used: int
    reserved: int
    limit: int | None
    resets_at: Moment


class UsageShape(BaseModel):
    """What a customer has used today."""

    customer: str
    metrics: dict[str, MetricShape]


class UsedShape(BaseModel):
    """What a customer has used today; not `counted` when it was counted before."""

    customer: str
    metrics: dict[str, MetricShape]
    counted: bool


class ReservedShape(BaseModel):
    """A part of a quota that is set aside; `used` is what is used and reserved now."""

    reservation: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    metric: str
    quantity: int
    limit: int
    used: int
    resets_at: Moment


class SettledShape(BaseModel):
    """A reservation that ended; `late` when its time was up before."""

    reservation: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    late: bool


class CachedShape(BaseModel):
    """What was kept, if anything was."""

    found: bool
    value: Any
    generation: Annotated[
        str | None, Field(description="To give with the value that you keep instead.")
    ]


class KeptShape(BaseModel):
    """What was to be kept; it is not where there is no Redis, or while it is down."""

    key: str
    kept: bool


class InvalidatedShape(BaseModel):
    """What is forgotten now."""

    group: str


class SweptShape(BaseModel):
    """How many values were forgotten."""

    swept: int


class NewJobShape(BaseModel):
    """A job that waits, or the one that waits already under its unique name."""

    id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    queue: str
    status: Annotated[str, Field(examples=["pending"])]


class JobShape(BaseModel):
    """A job, and what became of it."""

    id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    type: str
    queue: str
    status: Annotated[
        str,
        Field(
            examples=["succeeded"],
            description="pending, running, succeeded, failed (and tried again), dead, cancelled",
        ),
    ]
    attempts: int
    payload: dict[str, Any]
    run_at: Moment | None
    result: dict[str, Any] | None
    error: str | None
    ended_at: Moment | None


class LeasedJobShape(BaseModel):
    """A job that is yours to do."""

    id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    type: str
    payload: dict[str, Any]
    attempt: Annotated[int, Field(description="Which try this is, from 1 on.")]
    key: Annotated[
        str,
        Field(
            examples=["job:0192f3a1-7b2c-7d3e-8f40-5a6b7c8d9e0f"],
            description="An idempotency key for what the job does: the same in every try.",
        ),
    ]
    lease: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    expires_at: Moment


class LeasedJobsShape(BaseModel):
    """Jobs that are yours to do; none when none waits."""

    items: list[LeasedJobShape]


class RenewedJobShape(BaseModel):
    """Until when a job is yours."""

    lease: str
    expires_at: Moment


class ProcessedShape(BaseModel):
    """How many jobs were done."""

    processed: Annotated[int, Field(ge=0, le=10)]


class RedisShape(BaseModel):
    """What there is of Redis: `unset` when none is configured."""

    mode: Literal["unset", "up", "down"]
    connected: bool
    ping_ms: float | None = None
    failures: int = 0
    changes: Annotated[int, Field(description="How often it went up or down.")] = 0
    used_memory: Annotated[int | None, Field(description="Bytes.")] = None
    maxmemory: Annotated[int | None, Field(description="Bytes; 0 for no limit.")] = None
    maxmemory_policy: str | None = None
    evicted_keys: int | None = None
    version: str | None = None
    may_evict: Annotated[
        bool, Field(description="Redis may throw away what has not ended: limits begin anew then.")
    ] = False
    queues: dict[str, int]


class DepthShape(BaseModel):
    """How much there is in a queue."""

    waiting: int
    running: int
    dead: int
    oldest_seconds: float


class FallbackShape(BaseModel):
    """How often a rate limit was decided elsewhere, because its store was down."""

    store: str
    decided_by: str
    count: int


class CommitShape(BaseModel):
    """How the group commit of a book is doing, in the process that answers."""

    queued: int
    locked_accounts: int
    decided: int


class TroubleShape(BaseModel):
    """Received events of one state that are not done."""

    count: int
    oldest_seconds: float


class StandingShape(BaseModel):
    """What is set aside of stock now."""

    active: int
    oldest_seconds: float


class StatsShape(BaseModel):
    """How everything is doing. `fallbacks`, `counters_dropped` and `books` are of one process."""

    redis: RedisShape
    totals: dict[str, int]
    jobs: dict[str, DepthShape]
    inbox: dict[str, TroubleShape]
    cases: int
    reservations: StandingShape
    counters: dict[str, int]
    counters_dropped: int
    fallbacks: list[FallbackShape]
    books: dict[str, CommitShape]


class ClaimShape(BaseModel):
    """A call that is yours to make, or its result from before."""

    claim: Annotated[str | None, Field(description="Null when the call was made before.")]
    replayed: bool
    result: Any = None
    provider_key: Annotated[
        str | None, Field(description="For your provider: the same however often it is begun.")
    ] = None


class FinishedShape(BaseModel):
    """What is kept of a call."""

    result: Any


class ReleasedShape(BaseModel):
    """A call that somebody else may begin."""

    released: bool


class LimitShape(BaseModel):
    """What a limit says."""

    name: str
    limit: int
    remaining: int
    resets_after_ms: int


class HitShape(BaseModel):
    """Whether it may be done; what is denied is charged to no limit."""

    allowed: bool
    retry_after_ms: int
    decided_by: Literal["redis", "pg", "local", "open"]
    limits: list[LimitShape]
