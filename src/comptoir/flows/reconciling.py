"""Reconciling: what was lost on the way, found by asking the provider and by counting our own lots.

Three nets, one below the other: the provider's list of events, from where we stopped, with overlap;
whatever is not finished, looked at one by one; and the audit, money against money and lots against
payments. Each finds what the one above has let through, and mends it by the very steps that a
webhook takes.
"""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from psycopg import AsyncConnection

from comptoir.domains.payments import commands, compat, queries
from comptoir.domains.payments.compat import Told
from comptoir.domains.payments.model import (
    SOURCE,
    UNFINISHED,
    Effects,
    Payment,
    Purpose,
    Refund,
    Status,
)
from comptoir.domains.payments.stripe import Object
from comptoir.domains.stock import queries as stock
from comptoir.domains.subscriptions import queries as selling
from comptoir.flows import auditing, ending, fulfilling, settling
from comptoir.flows.auditing import Report
from comptoir.flows.fulfilling import AUTOMATIC
from comptoir.flows.inbox_work import Clerk
from comptoir.flows.receiving import Via, written
from comptoir.flows.settling import EVENTS, Looked, Situation
from comptoir.flows.till import Deferred, Look, Till
from comptoir.jobs.model import Job, Result
from comptoir.jobs.schedule import Periodic
from comptoir.kit.books import LIVE
from comptoir.kit.limits import SECOND
from comptoir.store import inbox
from comptoir.store.pool import begin

OVERLAP: Final = 600
"""Seconds by which the list of events is read again: events of one second come in any order."""

KEPT: Final = 30 * 86_400
"""Seconds for which the provider keeps events."""

QUIET: Final = 900.0
"""Seconds after which whatever is not finished is looked at."""

_TYPES: Final = 20
_GIVEN_UP: Final = 3_600.0
_TOGETHER: Final = 100


async def read_events(till: Till, report: Report, since: int | None = None) -> None:
    """Read the provider's list of events, and keep those that never came.

    Args:
        till: what it takes.
        report: what is found is added to it.
        since: microseconds since 1970; from where we stopped by default.

    Raises:
        Unavailable: the provider, or the database, cannot be reached.
    """
    async with begin(till.pool) as tx:
        now = await queries.now(tx)
        start = since if since is not None else await _start(tx, now)
    after = max(start // SECOND - OVERLAP, now // SECOND - KEPT)
    for number in range(0, len(EVENTS), _TYPES):
        types = list(EVENTS[number : number + _TYPES])
        pages = till.provider.events({"types": types, "created": {"gte": after}})
        async for batch in _batches(pages):
            await _keep(till, batch, report)
    async with begin(till.pool) as tx:
        await commands.move_cursor(tx, LIVE, SOURCE, now)
    till.inbox.ring()


async def _start(tx: AsyncConnection, now: int) -> int:
    """Where we stopped; from the first payment on, if we never read."""
    known = await queries.cursor(tx, LIVE, SOURCE)
    if known is not None:
        return known
    oldest = await queries.oldest(tx, LIVE)
    return now if oldest is None else oldest


async def _batches(pages: AsyncIterator[Object]) -> AsyncIterator[list[Object]]:
    batch: list[Object] = []
    async for each in pages:
        batch.append(each)
        if len(batch) == _TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


async def _keep(till: Till, batch: list[Object], report: Report) -> None:
    events = [
        written(compat.event(each), json.dumps(each, default=str), Via.EVENTS) for each in batch
    ]
    report.events += len(events)
    for event, is_new in zip(events, await inbox.receive(till.pool, events), strict=True):
        if is_new:
            report.add("event-lost", mended=True, event=event.id, type=event.type)


async def sweep(till: Till, report: Report, quiet: float = QUIET) -> None:
    """Look at whatever is not finished and of which nothing was heard for so many seconds.

    Raises:
        Unavailable: the provider, or the database, cannot be reached.
    """
    async with begin(till.pool) as tx:
        payments = await queries.unfinished(tx, quiet)
        refunds = await queries.unfinished_refunds(tx, quiet)
        subscriptions = await selling.unfinished(tx, max(quiet, 60.0) * 24)
        disputes = await queries.open_disputes(tx)
    for payment in payments:
        await look_at(till, payment, report)
    for book, refund in refunds:
        await _look_at_refund(till, book, refund, report)
    for subscription in subscriptions:
        of = await till.provider.subscription(subscription.provider_id)
        await _apply(till, "customer.subscription.updated", of, report, subscription=of)
    for dispute in disputes:
        await _apply(till, "charge.dispute.updated", await till.provider.dispute(dispute), report)
    report.objects += len(payments) + len(refunds) + len(subscriptions) + len(disputes)


async def look_at(till: Till, payment: Payment, report: Report) -> None:
    """Look at a payment that is not finished, and do what its event would have done."""
    async with begin(till.pool) as tx:
        await commands.looked(tx, payment.book, payment.id)
    if payment.session is None and payment.intent is None:
        payment = await find_lost(till, payment, report) or payment
    if payment.session is not None:
        await apply_session(till, await till.provider.session(payment.session), report)
    elif payment.intent is not None:
        await apply_intent(till, await till.provider.intent(payment.intent), report)
    if payment.purpose is Purpose.ORDER:
        await _end(till, payment, report)


async def _end(till: Till, of: Payment, report: Report) -> None:
    """Let nobody pay for goods that are not set aside any more, as after a backup was restored."""
    async with begin(till.pool) as tx:
        payment = await queries.find(tx, of.book, of.id)
        order = await stock.order(tx, of.book, of.id)
    if order.is_reserved or payment.status not in UNFINISHED:
        return
    await end(till, payment, f"{order.id}:end:{till.new_id()}", report)


async def end(till: Till, payment: Payment, key: str, report: Report | None = None) -> None:
    """Have the provider end a payment, and do what its answer means.

    Args:
        till: what it takes.
        payment: with a page or an intent, or nothing is done.
        key: of this try: the answer to an older one may be a 500, which is kept for a day.
        report: what is noted of it.

    Raises:
        Unavailable: the provider, or the database, cannot be reached.
    """
    if payment.session is not None:
        await apply_session(till, await ending.expired(till, payment.session, key), report)
    elif payment.intent is not None:
        await apply_intent(till, await ending.cancelled(till, payment.intent, key), report)


async def apply_session(till: Till, session: Object, report: Report | None = None) -> None:
    """Do what the event of a page would have done that is as it is now."""
    type_ = _SESSION_TYPES.get(str(session.get("status")))
    if type_ is not None:
        await _apply(till, type_, session, report or Report(), session=session)


async def apply_intent(till: Till, intent: Object, report: Report | None = None) -> None:
    """Do what the event of an intent would have done that is as it is now."""
    type_ = _INTENT_TYPES.get(str(intent.get("status")))
    if type_ is not None:
        await _apply(till, type_, intent, report or Report())


async def find_lost(till: Till, payment: Payment, report: Report) -> Payment | None:
    """A payment of which the provider's answer was lost: what it made has our mark on it."""
    provider, id_ = till.provider, str(payment.id)
    since = {"created": {"gte": payment.created_at // SECOND - OVERLAP}}
    session = await provider.found(provider.sessions(since), compat.PAYMENT, id_)
    intent = None
    if session is None:
        intent = await provider.found(provider.intents(since), compat.PAYMENT, id_)
    async with begin(till.pool) as tx:
        if session is None and intent is None:
            now = await queries.now(tx)
            if now - payment.created_at > _GIVEN_UP * SECOND:
                await commands.change(tx, payment, Status.FAILED, "never-begun")
            return None
        await commands.place(
            tx, payment.book, payment.id,
            intent=compat.name(intent), session=compat.name(session),
        )  # fmt: skip
        report.add("answer-lost", mended=True, payment=id_)
        return await queries.find(tx, payment.book, payment.id)


_SESSION_TYPES: Final = {
    "complete": "checkout.session.completed",
    "expired": "checkout.session.expired",
}
_INTENT_TYPES: Final = {
    "succeeded": "payment_intent.succeeded",
    "canceled": "payment_intent.canceled",
    "processing": "payment_intent.processing",
}


async def _look_at_refund(till: Till, book: int, refund: Refund, report: Report) -> None:
    async with begin(till.pool) as tx:
        payment = await queries.find(tx, book, refund.payment)
    told: Object | None = None
    if refund.provider_id is not None:
        told = await till.provider.refund(refund.provider_id)
    elif payment.intent is not None:
        pages = till.provider.refunds({"payment_intent": payment.intent})
        told = await till.provider.found(pages, compat.REFUND, str(refund.id))
    if told is not None:
        await _apply(till, "refund.updated", told, report)
        return
    async with begin(till.pool) as tx:
        if refund.reason in AUTOMATIC:
            # Nobody would ask again for what goes back by itself.
            await fulfilling.ask_for(tx, till, payment, refund.id)
            report.add("refund-asked-again", mended=True, refund=str(refund.id))
        elif await queries.now(tx) - refund.created_at > _GIVEN_UP * SECOND:
            await commands.change_refund(tx, book, refund, "abandoned", (None, refund.amount))
            report.add("refund-never-begun", mended=True, refund=str(refund.id))


async def _apply(
    till: Till, type_: str, of: Object, report: Report, **looked: Object
) -> list[Mapping[str, Any]]:
    """Do what an event of this object would do; what it changes was missed."""
    async with begin(till.pool) as tx:
        now = await queries.now(tx)
    told = Told(f"look:{of.get('id')}", type_, now, of.get("livemode") is True, of)
    seen: dict[str, Any] = dict(looked)
    try:
        effects = await _handled(Situation(till, told, 1, Looked(now, **seen)), now)
    except (Deferred, Look):
        return []
    done = [each for each in effects.done if each["effect"] not in _NOTHING_NEW]
    for each in done:
        figures = {name: value for name, value in each.items() if name != "effect"}
        report.add(f"missed-{each['effect']}", mended=True, object=of.get("id"), **figures)
    till.outbox.ring()
    return done


async def _handled(now: Situation, at: int) -> Effects:
    try:
        return await _once(now)
    except Look:
        looked = await settling.look(now, at)
    return await _once(Situation(now.till, now.told, now.attempts, looked))


async def _once(now: Situation) -> Effects:
    async with begin(now.till.pool) as tx:
        await settling.handle(tx, now)
    return now.effects


_NOTHING_NEW: Final = frozenset({"known", "refund", "dispute", "subscription", "coalesced"})


async def reconcile(till: Till, *, fix: bool, since: int | None = None) -> Report:
    """Cast all three nets.

    Args:
        till: what it takes.
        fix: mend what the audit finds; the other two mend what they find in any case.
        since: how far the audit looks back, and the events are read, in microseconds.

    Raises:
        Unavailable: nobody has given us a key; or the provider, or the database, cannot be reached.
    """
    report = Report()
    await read_events(till, report, since)
    # What has just been fetched must be done before anybody calls its money lost.
    await Clerk(till).work_off(len(report.findings))
    await sweep(till, report)
    async with begin(till.pool) as tx:
        start = await queries.now(tx) - auditing.BACK if since is None else since
    async for type_, of, code in auditing.lost_money(till, start):
        mended = fix and await _mended(till, type_, of, code)
        report.add(code, mended=mended, object=of.get("id"), type=type_)
    await auditing.audit_lots(till, report, fix=fix, since=start)
    return report


async def _mended(till: Till, type_: str, of: Object, code: str) -> bool:
    if code == auditing.ALLOWANCE_MISSING:
        return await auditing.allow(till, of)
    return bool(await _apply(till, type_, of, Report()))


TYPE: Final = "payments.reconcile"
OFTEN: Final = Periodic(TYPE, "*/15 * * * *")
DAILY: Final = Periodic(TYPE, "11 4 * * *", payload={"audit": True})


async def by_itself(till: Till, job: Job) -> Result:
    """What is done every quarter of an hour, and once a day with the audit; nothing without a key.

    Raises:
        Unavailable: the provider, or the database, cannot be reached.
    """
    if till.stripe is None:
        return {"skipped": True}
    if job.payload.get("audit"):
        report = await reconcile(till, fix=False)
    else:
        report = Report()
        await read_events(till, report)
        await sweep(till, report)
    await read_fees(till)
    return {"events": report.events, "findings": [each.code for each in report.findings]}


async def read_fees(till: Till) -> None:
    """Ask what the provider has kept of payments; nothing but the margin's report depends on it.

    Raises:
        Unavailable: the provider, or the database, cannot be reached.
    """
    async with begin(till.pool) as tx:
        payments = await queries.without_fee(tx)
    for payment in payments:
        assert payment.intent is not None, "asked for those that have one"
        fee = await till.provider.fee_of(payment.intent)
        if fee is not None:
            async with begin(till.pool) as tx:
                await commands.set_fee(tx, payment, fee)
