"""Carrying over: what an allowance has left at its end, up to what its plan lets over."""

from collections.abc import Mapping
from typing import Any

from comptoir.domains.payments import queries as payments
from comptoir.domains.payments.model import Grant
from comptoir.domains.subscriptions import commands, queries
from comptoir.flows import crediting
from comptoir.flows.crediting import Gift
from comptoir.flows.till import Till
from comptoir.jobs.model import Job, Result
from comptoir.kit.errors import Unavailable
from comptoir.ledger.model import Kind
from comptoir.ledger.requests import Settle
from comptoir.store.accounts import owner_of
from comptoir.store.ledger import settle_now
from comptoir.store.pool import begin


async def carry_over(till: Till, job: Job) -> Result:
    """Carry over what is left of an allowance that has expired; once.

    Raises:
        Unavailable: it has not expired yet, or the database is down.
    """
    said: Mapping[str, Any] = job.payload
    book, source, asset = job.book, str(said["from"]), int(said["asset"])
    facts = await till.directory.facts(book)
    async with begin(till.pool) as tx:
        found = await queries.lock_given(tx, book, source, asset)
        if found is None or found[4] is not None:
            return {"carried": None}
        account, version, most, expires_at, _ = found
        await settle_now(tx, book, facts, Settle(account), till.ledger_clock)
        if till.ledger_clock(await payments.now(tx)) < expires_at:
            raise Unavailable("not-yet-expired")
        left = await queries.expired_of(tx, book, account, version, expires_at)
        carried = min(left, most)
        if carried:
            owner = await owner_of(tx, book, account)
            if owner is None:
                return {"carried": None}
            gift = Gift(
                key=f"rollover\x1f{source}\x1f{asset}", customer=owner, asset=asset,
                amount=carried, kind=Kind.ALLOWANCE, source="rollover", reference=source,
                expires_at=int(said["until"]),
            )  # fmt: skip
            made = await crediting.give(tx, till, book, gift)
            carried = carried if isinstance(made, Grant) else 0
        await commands.carry(tx, book, source, asset, carried)
    return {"carried": carried}
