"""Money that goes back by itself: it came too late for its goods, or was not what was asked."""

from typing import Final
from uuid import UUID

from comptoir.domains.payments import compat, queries
from comptoir.domains.payments.model import Effects
from comptoir.domains.payments.stripe import ProviderRefused
from comptoir.flows import refunding
from comptoir.flows.till import Till
from comptoir.jobs.model import GiveUp, Job, Result
from comptoir.store.pool import begin

ATTEMPTS: Final = 30
"""Tries: with the pauses between, over more than a day."""


async def give_back(till: Till, job: Job) -> Result:
    """Ask the provider for the refund of a job, once however often it is tried.

    Raises:
        GiveUp: it would not have it; a case says so.
        Unavailable: the provider, or the database, cannot be reached.
    """
    id_, ours = UUID(str(job.payload["payment"])), UUID(str(job.payload["refund"]))
    async with begin(till.pool) as tx:
        payment = await queries.find(tx, job.book, id_)
        refund = await queries.refund(tx, job.book, ours)
    if refund is None or refund.status != "new":
        return {"status": None if refund is None else refund.status}
    params = refunding.params_of(job.book, payment, refund, "requested_by_customer")
    try:
        made = await refunding.found(till, params, refund)
        made = made or await till.provider.make_refund(params, f"{refund.id}:refund")
    except ProviderRefused as error:
        await refunding.drop(till, job.book, refund)
        async with begin(till.pool) as tx:
            await till.open_case(
                tx, job.book, "refund-refused", str(payment.id), payment=str(payment.id),
                reason=error.figures["provider_code"],
            )  # fmt: skip
        raise GiveUp("refund-refused") from error
    async with begin(till.pool) as tx:
        locked = await queries.lock(tx, job.book, payment.id)
        assert locked is not None, "payments never go"
        await refunding.refunded(tx, till, locked, compat.refund(made), Effects())
    till.outbox.ring()
    return {"refund": str(made["id"])}
