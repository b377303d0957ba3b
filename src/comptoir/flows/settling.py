"""From an event to its effect: which payment, subscription or invoice it is about, and what then.

Start here to see what an event does. Whatever came first, and however often, the same is there in
the end: terminal facts are taken from the event, what may change again is asked for.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.payments import commands, compat, queries
from comptoir.domains.payments.compat import Told
from comptoir.domains.payments.model import Effects, Paid, Payment, Purpose, Status
from comptoir.domains.payments.stripe import Object, first
from comptoir.domains.subscriptions import queries as subscriptions
from comptoir.flows import fulfilling, paying, refunding, renewing
from comptoir.flows.renewing import Tried, Way, Whose
from comptoir.flows.till import Deferred, Look, Till

SUBSCRIPTION_TYPES: Final = (
    "customer.subscription.created", "customer.subscription.updated",
    "customer.subscription.deleted", "customer.subscription.paused",
    "customer.subscription.resumed", "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
)  # fmt: skip
"""Of these only the newest state counts: the subscription is read anew."""

_REASONS: Final[Mapping[str, str]] = {
    "invoice.payment_failed": "failed",
    "invoice.payment_action_required": "action-required",
}
"""Why an invoice is not paid yet."""

_TELLS_OF_REFUNDS: Final = "2024-10-28"


@dataclass(frozen=True, slots=True)
class Looked:
    """What the provider was asked for.

    Attributes:
        at: when, by the database's clock, in microseconds.
    """

    at: int
    subscription: Object | None = None
    session: Object | None = None
    invoice: Object | None = None
    refunds: Sequence[Object] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """An event under way.

    Attributes:
        attempts: how often it was tried before.
        looked: what the provider was asked for, if it was.
    """

    till: Till
    told: Told
    attempts: int = 0
    looked: Looked | None = None
    effects: Effects = field(default_factory=Effects)


Handle = Callable[[AsyncConnection, Situation], Awaitable[None]]


async def handle(tx: AsyncConnection, now: Situation) -> bool:
    """Do what follows from an event; False when nobody here wants to know of it.

    Raises:
        Deferred: what it is about is not here yet. What was changed must be rolled back.
        Look: the provider must be asked first. What was changed must be rolled back.
    """
    work = _HANDLERS.get(now.told.type)
    if work is None:
        return False
    await work(tx, now)
    return bool(now.effects.done)


async def look(now: Situation, at: int) -> Looked:
    """Ask the provider for what an event leaves out. No transaction is open.

    Raises:
        Unavailable: the provider cannot be reached.
    """
    provider, of = now.till.provider, now.told.of
    if now.told.type in SUBSCRIPTION_TYPES:
        return Looked(at, subscription=await provider.subscription(compat.name(of) or ""))
    if now.told.type.startswith("checkout.session."):
        session = compat.session(of)
        if session.subscription is None:
            return Looked(at, session=await provider.session(session.id))
        return Looked(at, subscription=await provider.subscription(session.subscription))
    if now.told.type.startswith("invoice.") and (name := compat.invoice(of).subscription):
        return Looked(at, subscription=await provider.subscription(name))
    if now.told.type == "charge.refunded":
        pages = provider.refunds({"charge": compat.name(of) or ""})
        return Looked(at, refunds=[each async for each in pages])
    return await _look_at_payment(now, at)


async def _look_at_payment(now: Situation, at: int) -> Looked:
    """A payment that we do not know: perhaps an invoice is paid with it."""
    provider, of = now.till.provider, now.told.of
    if now.told.type == "invoice_payment.paid":
        return Looked(at, invoice=await provider.invoice(compat.invoice_payment(of).invoice))
    intent = compat.name(of.get("payment_intent")) or compat.name(of) or ""
    sessions = provider.sessions({"payment_intent": intent, "limit": 1})
    session = await first(sessions)
    if session is not None:
        return Looked(at, session=session)
    pays = {"payment": {"type": "payment_intent", "payment_intent": intent}}
    payment = await first(provider.invoice_payments(pays))
    if payment is None:
        return Looked(at)
    found = await provider.invoice(compat.invoice_payment(payment).invoice)
    return Looked(at, invoice=found)


async def _intent(tx: AsyncConnection, now: Situation) -> None:
    told = compat.intent(now.told.of)
    payment = await _payment(tx, now, told.metadata, intent=told.id)
    if payment is None:
        if told.status == "succeeded" or compat.PAYMENT in told.metadata:
            await _unknown(tx, now, told.id)
        return
    if payment.intent is None:
        await commands.name_intent(tx, payment, told.id)
    if now.told.type == "payment_intent.succeeded":
        paid = Paid(told.received, told.currency, told.livemode, intent=told.id)
        if payment.adds_tax and not payment.is_paid:
            paid = await _with_tax(now, payment, told)
        await paying.settle(tx, now.till, payment, paid, now.effects)
        return
    await _note(tx, now, payment, told)


async def _with_tax(now: Situation, payment: Payment, told: compat.Intent) -> Paid:
    """What came, with the tax in it, which only the session says."""
    if now.looked is None or now.looked.session is None:
        raise Look(payment.session or "session")
    session = compat.session(now.looked.session)
    return Paid(told.received, told.currency, told.livemode, session.tax, session.subtotal, told.id)


async def _note(tx: AsyncConnection, now: Situation, payment: Payment, told: compat.Intent) -> None:
    """Something less than a success: nothing is lost or won by it, but for a cancellation."""
    states = {
        "payment_intent.canceled": Status.CANCELED,
        "payment_intent.processing": Status.PROCESSING,
    }
    status = states.get(now.told.type)
    if payment.is_paid:
        now.effects.add("known", payment=str(payment.id))
    elif status is Status.CANCELED or payment.status in {
        Status.NEW,
        Status.OPEN,
        Status.PROCESSING,
    }:
        await commands.change(tx, payment, status or Status.OPEN, told.error)
        now.effects.add("noted", payment=str(payment.id), status=(status or Status.OPEN).value)
        await _order(tx, now, payment, status)
    else:
        now.effects.add("known", payment=str(payment.id))


async def _session(tx: AsyncConnection, now: Situation) -> None:
    told = compat.session(now.told.of)
    if told.mode == "subscription":
        await _subscription_session(tx, now, told)
        return
    if told.mode != "payment":
        return
    payment = await _payment(tx, now, told.metadata, session=told.id, intent=told.intent)
    if payment is None:
        if compat.PAYMENT in told.metadata:
            raise Deferred("payment-unknown")
        return
    if told.intent is not None and payment.intent is None:
        await commands.name_intent(tx, payment, told.intent)
    if now.told.type == "checkout.session.expired":
        await _end(tx, now, payment, Status.EXPIRED, {Status.NEW, Status.OPEN})
    elif now.told.type == "checkout.session.async_payment_failed":
        await _end(tx, now, payment, Status.FAILED, {Status.NEW, Status.OPEN, Status.PROCESSING})
    elif told.payment_status == "unpaid":
        await _end(tx, now, payment, Status.PROCESSING, {Status.NEW, Status.OPEN})
    else:
        paid = Paid(told.total, told.currency, told.livemode, told.tax, told.subtotal, told.intent)
        await paying.settle(tx, now.till, payment, paid, now.effects)


async def _end(
    tx: AsyncConnection, now: Situation, payment: Payment, status: Status, before: set[Status]
) -> None:
    if payment.status not in before:
        now.effects.add("known", payment=str(payment.id))
        return
    await commands.change(tx, payment, status)
    now.effects.add("noted", payment=str(payment.id), status=status.value)
    await _order(tx, now, payment, status)


async def _order(
    tx: AsyncConnection, now: Situation, payment: Payment, status: Status | None
) -> None:
    """What less than a success does to the order that is to be paid; None for a failure."""
    if payment.purpose is not Purpose.ORDER:
        return
    if status is None:
        await fulfilling.failed(tx, now.till, payment, now.effects)
    elif status is Status.PROCESSING:
        await fulfilling.processing(tx, now.till, payment, now.effects)
    else:
        await fulfilling.ended(tx, now.till, payment, now.effects)


async def _subscription_session(tx: AsyncConnection, now: Situation, told: compat.Session) -> None:
    if told.subscription is None:
        return
    if now.looked is None:
        raise Look("subscription")
    await _subscription(tx, now)


async def _subscription(tx: AsyncConnection, now: Situation) -> None:
    if now.looked is None or now.looked.subscription is None:
        raise Look("subscription")
    told = compat.subscription(now.looked.subscription)
    of = await renewing.whose(tx, told.metadata, told.customer)
    if of is None:
        raise Deferred("customer-unknown")
    await renewing.subscribed(tx, now.till, told, of, now.looked.at, now.effects)


async def _invoice(tx: AsyncConnection, now: Situation) -> None:
    told = compat.invoice(now.told.of)
    if told.subscription is None or told.status != "paid":
        return
    of = await _whose_invoice(tx, now, told)
    if told.is_prorated and await subscriptions.subscription(tx, told.subscription) is None:
        # A part of a period gives its share of the whole, and only the subscription says of what.
        await _subscription_of_invoice(tx, now)
    await renewing.invoiced(tx, now.till, told, of, now.effects)


async def _subscription_of_invoice(tx: AsyncConnection, now: Situation) -> None:
    if now.looked is not None and now.looked.subscription is not None:
        await _subscription(tx, now)
    elif now.attempts:
        raise Look("subscription")
    else:
        raise Deferred("subscription-unknown")


async def _unpaid(tx: AsyncConnection, now: Situation) -> None:
    told = compat.invoice(now.told.of)
    if told.subscription is None or told.status == "paid":
        return
    of = await _whose_invoice(tx, now, told)
    tried = Tried(compat.unpaid(now.told.of), _REASONS[now.told.type])
    await renewing.unpaid(tx, told, of, tried, now.effects)


async def _whose_invoice(tx: AsyncConnection, now: Situation, told: compat.Invoice) -> Whose:
    of = await renewing.whose(tx, told.metadata, told.customer)
    if of is None and now.looked is not None and now.looked.subscription is not None:
        said = compat.subscription(now.looked.subscription)
        of = await renewing.whose(tx, said.metadata, said.customer)
    if of is None:
        if now.attempts and (now.looked is None or now.looked.subscription is None):
            raise Look("subscription")
        raise Deferred("customer-unknown")
    return of


async def _invoice_payment(tx: AsyncConnection, now: Situation) -> None:
    told = compat.invoice_payment(now.told.of)
    if told.intent is None:
        return
    known = await subscriptions.invoice(tx, told.invoice)
    if known is not None:
        of = (known[0], known[1])
        way = Way(of, told.invoice, told.intent, told.amount, told.currency, told.livemode)
        await renewing.pays(tx, now.till, way, now.effects)
    elif now.looked is not None and now.looked.invoice is not None:
        await _pays(tx, now, now.looked.invoice, told.intent)
    elif now.attempts:
        raise Look("invoice")
    else:
        raise Deferred("invoice-unknown")


async def _pays(tx: AsyncConnection, now: Situation, of: Object, intent: str) -> None:
    told = compat.invoice(of)
    whose = await renewing.whose(tx, told.metadata, told.customer)
    if told.subscription is None or whose is None:
        return
    way = Way(whose, told.id, intent, told.amount_paid, told.currency, told.livemode)
    await renewing.pays(tx, now.till, way, now.effects)


async def _refund(tx: AsyncConnection, now: Situation) -> None:
    told = compat.refund(now.told.of)
    payment = await _paid_with(tx, now, told.intent)
    if payment is not None:
        await refunding.refunded(tx, now.till, payment, told, now.effects)


async def _refunds(tx: AsyncConnection, now: Situation) -> None:
    """What older versions tell of refunds: the charge alone; later ones tell of each refund."""
    if now.told.version[:10] >= _TELLS_OF_REFUNDS:
        return
    if now.looked is None:
        raise Look("refunds")
    payment = await _paid_with(tx, now, compat.name(now.told.of.get("payment_intent")))
    if payment is None:
        return
    for each in now.looked.refunds:
        await refunding.refunded(tx, now.till, payment, compat.refund(each), now.effects)


async def _dispute(tx: AsyncConnection, now: Situation) -> None:
    told = compat.dispute(now.told.of)
    payment = await _paid_with(tx, now, told.intent)
    if payment is not None:
        await refunding.disputed(tx, now.till, payment, told, now.effects)


async def _paid_with(tx: AsyncConnection, now: Situation, intent: str | None) -> Payment | None:
    """The payment that money goes back of, locked."""
    if intent is None:
        return None
    found = await queries.lock_intent(tx, intent)
    if found is not None:
        return found
    await _unknown(tx, now, intent)
    return await queries.lock_intent(tx, intent)


async def _unknown(tx: AsyncConnection, now: Situation, intent: str) -> None:
    """A payment that we do not know: its own event may be on its way, or it pays an invoice."""
    looked = now.looked
    if looked is None:
        if now.attempts:
            raise Look("payment")
        raise Deferred("payment-unknown")
    if looked.invoice is not None:
        await _pays(tx, now, looked.invoice, intent)
        if now.effects.done:
            return
    if looked.session is not None:
        session = compat.session(looked.session)
        known = await _payment(tx, now, session.metadata, session=session.id)
        if known is not None and session.payment_status != "unpaid":
            await commands.name_intent(tx, known, intent)
            paid = Paid(
                session.total, session.currency, session.livemode, session.tax, session.subtotal,
                intent,
            )  # fmt: skip
            await paying.settle(tx, now.till, known, paid, now.effects)
            return
    raise Deferred("payment-unknown")


async def _payment(
    tx: AsyncConnection,
    now: Situation,
    metadata: Mapping[str, str],
    *,
    session: str | None = None,
    intent: str | None = None,
) -> Payment | None:
    """The payment that an object is of, locked: by its own word, or by the provider's names."""
    book = compat.book_of(now.told)
    try:
        id_ = UUID(metadata.get(compat.PAYMENT, ""))
    except ValueError:
        id_ = None
    if id_ is not None and book is not None:
        found = await queries.lock(tx, book, id_)
        if found is not None:
            return found
    if session is not None:
        found = await queries.lock_session(tx, session)
        if found is not None:
            return found
    return None if intent is None else await queries.lock_intent(tx, intent)


_HANDLERS: Final[Mapping[str, Handle]] = {
    "payment_intent.succeeded": _intent,
    "payment_intent.canceled": _intent,
    "payment_intent.processing": _intent,
    "payment_intent.payment_failed": _intent,
    "checkout.session.completed": _session,
    "checkout.session.expired": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refund.updated": _refund,
    "charge.refunded": _refunds,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
    "invoice.paid": _invoice,
    "invoice.payment_succeeded": _invoice,
    "invoice_payment.paid": _invoice_payment,
    **dict.fromkeys(_REASONS, _unpaid),
    **dict.fromkeys(SUBSCRIPTION_TYPES, _subscription),
}

EVENTS: Final = tuple(_HANDLERS)
"""The types of events that an endpoint must send."""
