"""Carrying over: what allowances have left at their end, up to what their plan lets over."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection

from comptoir.domains.payments import queries as payments
from comptoir.domains.payments.model import Grant
from comptoir.domains.subscriptions import commands, queries
from comptoir.domains.subscriptions.model import Given
from comptoir.domains.subscriptions.queries import Stream
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
    """Carry over what is left of the allowances that ended with the one that is named; once.

    Raises:
        Unavailable: they have not expired yet, or the database is down.
    """
    said: Mapping[str, Any] = job.payload
    book, asset = job.book, int(said["asset"])
    facts = await till.directory.facts(book)
    async with begin(till.pool) as tx:
        named = await queries.given(tx, book, str(said["from"]), asset)
        if named is None:
            return {"carried": None}
        subscription, account, ends = named
        of = (book, subscription, asset)
        # Whoever gives locks the account: from here on nothing more is given that ends then.
        await settle_now(tx, book, facts, Settle(account), till.ledger_clock)
        if till.ledger_clock(await payments.now(tx)) < ends:
            raise Unavailable("not-yet-expired")
        ended = await queries.lock_ending(tx, of, ends)
        until = await queries.followed_until(tx, of, ends)
        if until is None or any(each.carried is not None for each in ended):
            return {"carried": None}
        carried = await _carried(tx, till, of, ended, until)
        if carried is not None:
            await commands.carry(tx, book, asset, ended, carried)
    return {"carried": carried}


async def _carried(
    tx: AsyncConnection, till: Till, of: Stream, ended: list[Given], until: int
) -> int | None:
    """Give what is left, up to what the terms let over that were in force at the end."""
    book, subscription, asset = of
    last = ended[0]
    left = 0
    for each in ended:
        left += await queries.expired_of(tx, book, each.account, each.version, each.expires_at)
    carried = min(left, last.rollover)
    if not carried:
        return 0
    owner = await owner_of(tx, book, last.account)
    if owner is None:
        return None
    gift = Gift(
        key=f"rollover\x1f{subscription}\x1f{asset}\x1f{last.expires_at}", customer=owner,
        asset=asset, amount=carried, kind=Kind.ALLOWANCE, source="rollover",
        reference=last.invoice, expires_at=until,
    )  # fmt: skip
    made = await crediting.give(tx, till, book, gift)
    return carried if isinstance(made, Grant) else 0
