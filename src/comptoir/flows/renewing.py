"""Plans: what became of a subscription, and what a paid invoice allows.

Access follows the subscription as it is now, which the provider is asked for; allowances follow
invoices that were paid, each once, and end with the period that they pay for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.payments import commands as payments
from comptoir.domains.payments import compat
from comptoir.domains.payments import queries as reading
from comptoir.domains.payments.commands import Draft
from comptoir.domains.payments.compat import Invoice, Line, Unpaid
from comptoir.domains.payments.model import (
    SOURCE,
    Effects,
    Grant,
    Paid,
    Payment,
    Purpose,
)
from comptoir.domains.subscriptions import commands, queries
from comptoir.domains.subscriptions.commands import PaidInvoice
from comptoir.domains.subscriptions.model import (
    Allowance,
    Part,
    Subscription,
    allowed,
    period_ending,
    plan_of,
)
from comptoir.flows import crediting
from comptoir.flows.crediting import Gift
from comptoir.flows.till import Deferred, Till
from comptoir.jobs import queue
from comptoir.jobs.model import Wanted
from comptoir.kit.books import LIVE
from comptoir.kit.ids import movement_name, request_id
from comptoir.ledger.model import Kind
from comptoir.ledger.outcomes import Outcome
from comptoir.store import inbox, outbox
from comptoir.store.outbox import Happening

ROLL_OVER: Final = "billing.rollover"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AFTER: Final = timedelta(seconds=10)
_PLAN: Final = "plan:"

Whose = tuple[int, int]
"""A book, and the surrogate id of a customer in it."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A try to collect an invoice, and why nothing came of it: failed, or action-required."""

    of: Unpaid
    reason: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is sold of plans: by the provider's price ids, the plan and the period."""

    plans: Mapping[str, tuple[str, str]]

    def find(self, price: str | None) -> tuple[str, str] | None:
        """The plan of a price; None when nobody knows it."""
        return None if price is None else self.plans.get(price)


async def shelf(tx: AsyncConnection, till: Till, book: int, *, livemode: bool) -> Shelf:
    """Every price of a plan that this book ever had at the provider, and those of the settings."""
    known = {each.price: each.item for each in await queries.provider_prices(tx, book, livemode)}
    known |= till.terms.prices
    plans: dict[str, tuple[str, str]] = {}
    for price, item in known.items():
        if item.startswith(_PLAN):
            plan, _, period = item.removeprefix(_PLAN).partition(":")
            plans[price] = (plan, period)
    return Shelf(plans)


async def whose(tx: AsyncConnection, metadata: Mapping[str, str], customer: str) -> Whose | None:
    """Whose a subscription or an invoice is: it says so itself, or we know him at the provider."""
    book, id_ = metadata.get(compat.BOOK, ""), metadata.get(compat.CUSTOMER, "")
    if book.isascii() and book.isdigit() and id_.isascii() and id_.isdigit():
        return int(book), int(id_)
    return await reading.customer_of(tx, customer)


async def subscribed(  # what was told, of whom, when
    tx: AsyncConnection,
    till: Till,
    told: compat.Subscription,
    of: Whose,
    told_at: int,
    effects: Effects,
) -> None:
    """Note what a subscription is now, and let its customer have the plan that follows."""
    book, customer = of
    known = await queries.subscription(tx, told.id)
    found = (await shelf(tx, till, book, livemode=told.livemode)).find(told.price)
    plan, period = found or ((known.plan, known.period) if known else (None, None))
    if found is None:
        await till.open_case(
            tx, book, "unknown-price", told.price, price=told.price, subscription=told.id
        )
        effects.add("case", kind="unknown-price", price=told.price)
    if await _is_new_there(tx, of, told):
        await payments.add_provider_customer(tx, book, told.livemode, customer, told.customer)
    status = "paused" if told.is_paused and told.status == "active" else told.status
    now = Subscription(
        book, told.id, customer, told.livemode, plan, period, told.price, status, told.starts_at,
        told.ends_at, told.cancel_at, told.trial_ends_at, told.ended_at, told_at, told.created_at,
    )  # fmt: skip
    if not await commands.put(tx, now):
        effects.add("known", subscription=told.id)
        return
    effects.add("subscription", subscription=told.id, status=status, plan=plan)
    if known is None:
        await inbox.wake(tx, (LIVE, book), SOURCE, [told.id])
    before = await commands.lock_customer(tx, book, customer)
    wanted = plan_of(await queries.of_customer(tx, book, customer))
    if before is not None and wanted is not None and before != wanted:
        await commands.set_plan(tx, book, customer, wanted)
        effects.add("plan", before=before, now=wanted)
    if known is None or (known.status, known.plan, known.cancel_at) != (
        now.status, now.plan, now.cancel_at,
    ):  # fmt: skip
        await till.tell(
            tx, book, outbox.SUBSCRIPTION_CHANGED, customer, subscription=told.id, status=status,
            plan=plan, period=period,
        )  # fmt: skip


async def _is_new_there(tx: AsyncConnection, of: Whose, told: compat.Subscription) -> bool:
    """Whether we do not know yet who he is at the provider."""
    known = await reading.provider_customer(tx, of[0], told.livemode, of[1])
    return bool(told.customer) and known is None


async def invoiced(
    tx: AsyncConnection, till: Till, told: Invoice, of: Whose, effects: Effects
) -> None:
    """Give what a paid invoice allows; once, however it is told."""
    book, customer = of
    assert told.subscription is not None, "others are none of ours"
    await queries.lock_invoice(tx, told.id)
    lines = _period(told)
    starts = min((line.starts_at for line in lines), default=told.paid_at)
    ends = max((line.ends_at for line in lines), default=told.paid_at)
    paid = PaidInvoice(
        book, told.id, told.subscription, customer, told.reason, told.amount_paid, told.currency,
        starts, ends, told.paid_at,
    )  # fmt: skip
    if not await commands.add_invoice(tx, paid):
        effects.add("known", invoice=told.id)
    else:
        effects.add("invoice", invoice=told.id, amount=told.amount_paid, currency=told.currency)
        await _allow(tx, till, told, of, effects)
    if told.intent is not None:
        way = Way(of, told.id, told.intent, told.amount_paid, told.currency, told.livemode)
        await pays(tx, till, way, effects)
    for payment in await reading.of_invoice(tx, book, told.id):
        await adopt(tx, till, payment, effects)
    await inbox.wake(tx, (LIVE, book), SOURCE, [told.id])


def _period(told: Invoice) -> Sequence[Line]:
    """The lines that say which period an invoice is for.

    What waited since the period before is billed together with a period, and is no part of it.
    """
    return [line for line in told.lines if not line.is_proration] or told.lines


async def unpaid(
    tx: AsyncConnection, told: Invoice, of: Whose, tried: Tried, effects: Effects
) -> None:
    """Let others be told that an invoice could not be collected: once for each try and reason.

    Access does not depend on it: the subscription says itself that it is past due.
    """
    book, customer = of
    await queries.lock_invoice(tx, told.id)
    if await queries.invoice(tx, told.id) is not None:
        effects.add("known", invoice=told.id)
        return
    attempt, due, next_at = tried.of.attempt, tried.of.due, tried.of.next_at
    figures = {
        "subscription": told.subscription, "invoice": told.id, "attempt": attempt,
        "reason": tried.reason, "amount": due, "currency": told.currency,
        "next_attempt_at": None if next_at is None else _spelled(next_at),
    }  # fmt: skip
    name = f"unpaid\x1f{told.id}\x1f{attempt}\x1f{tried.reason}"
    happening = Happening(
        book, UUID(bytes=request_id(book, name)), outbox.SUBSCRIPTION_UNPAID, customer, None,
        figures,
    )  # fmt: skip
    is_new = await outbox.add_once(tx, happening)
    effects.add("unpaid" if is_new else "known", invoice=told.id, attempt=attempt)


def _spelled(at: int) -> str:
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an invoice allows of an asset."""

    of: Whose
    asset: int
    terms: Allowance
    amount: int
    until: int


async def _allow(
    tx: AsyncConnection, till: Till, told: Invoice, of: Whose, effects: Effects
) -> None:
    parts, unknown = await _parts(tx, till, of[0], told)
    for price in unknown:
        await till.open_case(tx, of[0], "unknown-price", price, price=price, invoice=told.id)
        effects.add("case", kind="unknown-price", price=price)
    for each in await _owed(tx, of, told, parts):
        await _grant(tx, till, told, each, effects)


async def is_owed(tx: AsyncConnection, till: Till, told: Invoice, of: Whose) -> bool:
    """Whether an invoice that we know has brought nothing of what its plan gives until later."""
    if await queries.brought(tx, of[0], told.id):
        return False
    parts, _ = await _parts(tx, till, of[0], told)
    try:
        owed = await _owed(tx, of, told, parts)
    except Deferred:
        return False
    now = await reading.now(tx)
    return any(each.until > now for each in owed)


async def give_what_is_owed(tx: AsyncConnection, till: Till, told: Invoice, of: Whose) -> bool:
    """Give what an invoice should have brought; says whether anything was given."""
    effects = Effects()
    await queries.lock_invoice(tx, told.id)
    if await is_owed(tx, till, told, of):
        await _allow(tx, till, told, of, effects)
        for payment in await reading.of_invoice(tx, of[0], told.id):
            await adopt(tx, till, payment, effects)
    return any(each["effect"] == "allowed" for each in effects.done)


async def _owed(
    tx: AsyncConnection, of: Whose, told: Invoice, parts: list[Part]
) -> Sequence[Allowed]:
    wholes = await _wholes(tx, of[0], told, parts)
    owed: list[Allowed] = []
    for asset, lines in (await _by_asset(tx, of[0], parts)).items():
        amount = sum(
            allowed(terms.amount, part, wholes.get(part.ends_at, 0)) for terms, part in lines
        )
        if amount > 0:
            terms = next(terms for terms, part in lines if not part.is_credit)
            until = max(part.ends_at for part in parts)
            owed.append(Allowed(of, asset, terms, amount, until))
    return owed


async def _wholes(
    tx: AsyncConnection, book: int, told: Invoice, parts: list[Part]
) -> dict[int, int]:
    """The length of each period of which a proration is a part, by when that period ends.

    It may be another one than the subscription has now: who changes to a year ends a month.
    """
    ends = {part.ends_at: part.period for part in parts if part.is_proration}
    if not ends:
        return {}
    now = await queries.subscription(tx, told.subscription or "")
    if now is None or now.starts_at is None or now.ends_at is None:
        raise Deferred("subscription-unknown")
    current = now.ends_at - now.starts_at
    found: dict[int, int] = {}
    for each, period in ends.items():
        paid = await queries.period_ending(tx, book, (now.provider_id, told.id), each)
        known = max(paid or 0, current if now.ends_at == each else 0)
        found[each] = known or period_ending(each, period, (now.starts_at, now.ends_at))
    return found


async def _parts(
    tx: AsyncConnection, till: Till, book: int, told: Invoice
) -> tuple[list[Part], list[str]]:
    """What an invoice is for, of what is sold here; and the prices that nobody knows."""
    known = await shelf(tx, till, book, livemode=told.livemode)
    parts: list[Part] = []
    unknown: list[str] = []
    for line in told.lines:
        found = known.find(line.price)
        if found is not None:
            is_credit = line.is_proration and line.amount < 0
            parts.append(Part(*found, line.starts_at, line.ends_at, line.is_proration, is_credit))
        elif line.price is not None:
            unknown.append(line.price)
    return parts, unknown


async def _by_asset(
    tx: AsyncConnection, book: int, parts: list[Part]
) -> dict[int, list[tuple[Allowance, Part]]]:
    """For each asset what the plans of some lines give of it."""
    found: dict[int, list[tuple[Allowance, Part]]] = {}
    for terms in await queries.allowances(tx, book):
        for part in parts:
            if terms.plan == part.plan:
                found.setdefault(terms.asset, []).append((terms, part))
    return found


async def _grant(
    tx: AsyncConnection, till: Till, told: Invoice, what: Allowed, effects: Effects
) -> None:
    book, customer = what.of
    gift = Gift(
        key=f"invoice\x1f{told.id}\x1f{what.asset}",
        customer=customer,
        asset=what.asset,
        amount=what.amount,
        kind=Kind.ALLOWANCE,
        source="plan",
        reference=told.id,
        paid=max(0, sum(line.amount for line in told.lines)),
        currency=told.currency,
        expires_at=what.until,
        reason=what.terms.plan,
    )
    made = await crediting.give(tx, till, book, gift)
    if not isinstance(made, Grant):
        if made != Outcome.EXPIRED:
            await till.open_case(
                tx, book, "allowance-refused", told.id, outcome=made, invoice=told.id
            )
        effects.add("not-allowed", outcome=made, invoice=told.id)
        return
    place = (made.account, made.version, what.amount, what.until)
    await commands.add_allowance(tx, book, told.id, what.terms, place)
    effects.add(
        "allowed", units=what.amount, asset=what.asset, account=made.account, invoice=told.id,
        movement=movement_name(made.account, made.version),
    )  # fmt: skip
    await _will_carry_over(tx, till, told, what)


async def _will_carry_over(tx: AsyncConnection, till: Till, told: Invoice, what: Allowed) -> None:
    """See to it that what is left of a period is carried over once it has expired.

    Of the period before; and of this one, if the next was heard of first.
    """
    assert told.subscription is not None, "others allow nothing"
    of = (what.of[0], told.subscription, what.asset)
    starts = min(line.starts_at for line in _period(told))
    ends = {what.until, await queries.ended_before(tx, of, starts)}
    for end in sorted(each for each in ends if each is not None):
        ended = await queries.ending(tx, of, end)
        if any(each.carried is not None for each in ended):
            continue
        if not any(each.rollover for each in ended):
            continue
        if await queries.followed_until(tx, of, end) is None:
            continue
        payload = {"from": ended[0].invoice, "asset": what.asset}
        run_at = _EPOCH + timedelta(microseconds=end) + _AFTER
        wanted = Wanted(ROLL_OVER, payload, f"{told.subscription}:{what.asset}:{end}", run_at)
        await queue.enqueue(tx, what.of[0], till.new_id(), wanted)


@dataclass(frozen=True, slots=True)
class Way:
    """The way in which an invoice was paid."""

    of: Whose
    invoice: str
    intent: str
    amount: int
    currency: str
    livemode: bool


async def pays(tx: AsyncConnection, till: Till, way: Way, effects: Effects) -> None:
    """Note with which payment an invoice was paid, so that a refund finds what it has brought."""
    if way.amount <= 0:
        return
    await queries.lock_invoice(tx, way.invoice)
    known = await reading.lock_intent(tx, way.intent)
    if known is None:
        draft = Draft(
            book=way.of[0], id=till.new_id(), purpose=Purpose.INVOICE, amount=way.amount,
            currency=way.currency, livemode=way.livemode, customer=way.of[1], intent=way.intent,
            invoice=way.invoice,
        )  # fmt: skip
        await payments.add(tx, draft)
        known = await reading.lock_intent(tx, way.intent)
    if known is None or known.purpose is not Purpose.INVOICE:
        return
    if known.is_paid:
        effects.add("known", payment=str(known.id))
    else:
        await payments.pay(tx, known, Paid(way.amount, way.currency, way.livemode))
        effects.add("paid", payment=str(known.id), amount=way.amount, currency=way.currency)
    await adopt(tx, till, known, effects)
    await inbox.wake(tx, (LIVE, way.of[0]), SOURCE, [way.intent])


async def adopt(tx: AsyncConnection, till: Till, payment: Payment, effects: Effects) -> None:
    """Let a payment answer for what its invoice has brought."""
    assert payment.invoice is not None, "asked for payments of invoices only"
    for brought in await queries.brought(tx, payment.book, payment.invoice):
        await payments.granted(tx, payment, Grant(*brought))
    locked = await reading.lock(tx, payment.book, payment.id)
    assert locked is not None, "payments never go"
    await crediting.balance(tx, till, locked, effects)
