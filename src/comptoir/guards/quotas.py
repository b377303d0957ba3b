"""Quotas: what a plan allows in a day. Reserved first, then settled or given back.

Never look, call, count: all that ask at the same time would pass. One statement decides, on a row
that it has locked; what is reserved and forgotten is free again when its time is up, which is seen
when somebody asks. The customer's own time zone says what a day is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from comptoir.guards import sql
from comptoir.guards.names import metric as metric_named
from comptoir.guards.names import named
from comptoir.kit.errors import ComptoirError, Conflict, Invalid, NotFound
from comptoir.kit.ids import request_id
from comptoir.kit.limits import CUSTOMER_LENGTH, QUANTITY_MAX
from comptoir.store.pool import Pool, begin, fetch

TTL: Final = 300.0
"""Seconds after which what was reserved is free again: longer than an AI call takes."""

TTL_MOST: Final = 86_400.0
METRICS: Final = 50
"""Metrics that are read at a time."""


class QuotaReached(ComptoirError):
    """The plan allows no more today; `figures` has metric, limit, used and resets_at."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a customer has used today.

    Attributes:
        used: for good.
        reserved: by calls that have not ended.
        limit: what his plan allows; None where no plan says anything.
        resets_at: when his day ends.
    """

    used: int
    reserved: int
    limit: int | None
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Reserved:
    """A part of a quota that is set aside.

    Attributes:
        used: what the customer has used and reserved today, this included.
    """

    id: UUID
    quantity: int
    limit: int
    used: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be reserved.

    Attributes:
        id: the same again is the same reservation.
        ttl: seconds after which it is free again.
    """

    id: UUID
    customer: str
    metric: str
    quantity: int = 1
    ttl: float = TTL

    def check(self) -> None:
        """See whether it can be asked.

        Raises:
            Invalid: a field cannot be what it is.
        """
        metric_named(self.metric)
        named("customer", self.customer)
        if len(self.customer) > CUSTOMER_LENGTH:
            raise Invalid("field-invalid", field="customer")
        if not 1 <= self.quantity <= QUANTITY_MAX:
            raise Invalid("field-invalid", field="quantity")
        if not 1 <= self.ttl <= TTL_MOST:
            raise Invalid("field-invalid", field="ttl")


async def reserve(pool: Pool, book: int, asked: Asked) -> Reserved:
    """Set a part of today's quota aside.

    Raises:
        QuotaReached: the plan allows no more today.
        NotFound: no plan of the book names the metric.
        Invalid: a field cannot be what it is.
        Unavailable: the database is down, or too many ask for the same customer.
    """
    asked.check()
    given = (book, asked.id, asked.customer, asked.metric, asked.quantity, asked.ttl)
    [[outcome, limit, used, resets_at]] = await fetch(pool, sql.RESERVE, given)
    if outcome == "unknown":
        raise NotFound("unknown-metric", metric=asked.metric)
    if outcome == "reached":
        figures = {"limit": limit, "used": used, "resets_at": resets_at}
        raise QuotaReached("quota-reached", metric=asked.metric, **figures)
    return Reserved(asked.id, asked.quantity, limit, used, resets_at)


async def settle(pool: Pool, book: int, reservation: UUID, actual: int | None = None) -> bool:
    """End a reservation: so much was used, all of it by default; the rest is given back.

    What was used counts, also when the time of the reservation was up. Zero gives all back.

    Returns:
        Whether it came late.

    Raises:
        NotFound: the book has no such reservation, or it ended long ago.
        Conflict: it ended before, with another figure.
        Invalid: more was used than reserved.
        Unavailable: the database is down.
    """
    if actual is not None and not 0 <= actual <= QUANTITY_MAX:
        raise Invalid("field-invalid", field="quantity")
    [[outcome, late]] = await fetch(pool, sql.SETTLE, (book, reservation, actual))
    match outcome:
        case "settled":
            return bool(late)
        case "missing":
            raise NotFound("reservation-not-found")
        case "exceeds":
            raise Invalid("exceeds-reservation")
        case _:
            raise Conflict("reservation-ended")


@dataclass(frozen=True, slots=True)
class Counting:
    """What is to be counted for a customer's day, without any limit.

    Attributes:
        id: of the event: the same again is not counted.
    """

    customer: str
    metric: str
    amount: int = 1
    id: str | None = None


async def count(pool: Pool, book: int, counting: Counting) -> bool:
    """Count for a customer's day; whether it was: an event is counted once.

    Raises:
        Invalid: a field cannot be what it is.
        Unavailable: the database is down.
    """
    asked = Asked(UUID(int=0), counting.customer, counting.metric, counting.amount)
    asked.check()
    async with begin(pool) as tx:
        if counting.id is not None:
            event = f"usage\x1f{counting.customer}\x1f{counting.metric}\x1f{counting.id}"
            once = await tx.execute(sql.COUNT_ONCE, (book, request_id(book, event)))
            if await once.fetchone() is None:
                return False
        given = (book, counting.customer, counting.metric, counting.amount)
        await tx.execute(sql.COUNT_USAGE, given)
    return True


async def usage(pool: Pool, book: int, customer: str, metrics: Sequence[str]) -> dict[str, Usage]:
    """What a customer has used today of some metrics, in one round trip; never to decide on.

    Raises:
        Invalid: a name cannot be one, or there are too many.
        Unavailable: the database is down.
    """
    if len(metrics) > METRICS:
        raise Invalid("field-invalid", field="metrics")
    for each in metrics:
        metric_named(each)
    named("customer", customer)
    given = {"book": book, "customer": customer, "metrics": list(metrics)}
    async with begin(pool) as tx:
        rows = await (await tx.execute(sql.USAGE, given)).fetchall()
    return {
        name: Usage(used, reserved, (limit or 0) if is_known else None, resets_at)
        for name, used, reserved, limit, resets_at, is_known in rows
    }
