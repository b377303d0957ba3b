"""The audit: what the provider has received against what we know, and lots against payments."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.payments import commands, compat, model, queries
from comptoir.domains.payments.model import Effects, Grant, Payment, Purpose
from comptoir.domains.payments.stripe import Object
from comptoir.domains.stock import queries as stock
from comptoir.domains.subscriptions import queries as selling
from comptoir.flows import crediting, fulfilling, paying, renewing
from comptoir.flows.till import Till
from comptoir.kit.books import BOOKS
from comptoir.kit.errors import NotFound
from comptoir.kit.ids import movement_name, request_id
from comptoir.kit.limits import DAY, SECOND
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.model import Kind, Note
from comptoir.ledger.requests import IfSpent, Reverse
from comptoir.store.pool import begin

BACK: Final = 35 * DAY
"""How far an audit looks back by default, in microseconds: over any month's end."""

ALLOWANCE_MISSING: Final = "allowance-missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was not as it should be.

    Attributes:
        code: what it is; pages and the command line have the words.
        mended: it is as it should be now.
    """

    code: str
    figures: Mapping[str, Any]
    mended: bool


@dataclass(slots=True)
class Report:
    """What a reconciliation has looked at, and found."""

    events: int = 0
    objects: int = 0
    payments: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, code: str, *, mended: bool, **figures: object) -> None:
        """Something was found."""
        self.findings.append(Finding(code, figures, mended))


Lost = tuple[str, Object, str]
"""A type of event, its object, and what is lost."""


async def lost_money(till: Till, since: int) -> AsyncIterator[Lost]:
    """What the provider has, and we have not."""
    created = {"created": {"gte": since // SECOND}}
    for look in (_lost_payments, _lost_invoices, _lost_refunds, _lost_disputes):
        async for lost in look(till, created):
            yield lost


async def _lost_payments(till: Till, created: Mapping[str, Any]) -> AsyncIterator[Lost]:
    async for intent in till.provider.intents(created):
        if intent.get("status") != "succeeded" or not _is_ours(intent):
            continue
        async with begin(till.pool) as tx:
            known = await _known(tx, intent)
            waits = known is not None and await queries.differs(tx, known)
        if known is None or not (known.is_paid or waits):
            yield "payment_intent.succeeded", intent, "payment-lost"


async def _lost_invoices(till: Till, created: Mapping[str, Any]) -> AsyncIterator[Lost]:
    async for invoice in till.provider.invoices({"status": "paid", **created}):
        told = compat.invoice(invoice)
        if told.subscription is None:
            continue
        async with begin(till.pool) as tx:
            of = await renewing.whose(tx, told.metadata, told.customer)
            if of is None:
                continue
            is_known = await selling.invoice(tx, told.id) is not None
            is_owed = is_known and await renewing.is_owed(tx, till, told, of)
        if not is_known:
            yield "invoice.paid", invoice, "invoice-lost"
        elif is_owed:
            yield "invoice.paid", invoice, ALLOWANCE_MISSING


async def allow(till: Till, invoice: Object) -> bool:
    """Give what a paid invoice should have brought; says whether that was done."""
    told = compat.invoice(invoice)
    async with begin(till.pool) as tx:
        of = await renewing.whose(tx, told.metadata, told.customer)
        return of is not None and await renewing.give_what_is_owed(tx, till, told, of)


async def _lost_refunds(till: Till, created: Mapping[str, Any]) -> AsyncIterator[Lost]:
    async for refund in till.provider.refunds(created):
        async with begin(till.pool) as tx:
            known = await queries.known_refunds(tx, [refund["id"]])
            is_ours = await _is_of_ours(tx, refund)
        if is_ours and known.get(refund["id"]) != refund["status"]:
            yield "refund.updated", refund, "refund-lost"


async def _lost_disputes(till: Till, created: Mapping[str, Any]) -> AsyncIterator[Lost]:
    async for dispute in till.provider.disputes(created):
        async with begin(till.pool) as tx:
            known = await queries.known_disputes(tx, [dispute["id"]])
            is_ours = await _is_of_ours(tx, dispute)
        if is_ours and known.get(dispute["id"]) != dispute["status"]:
            yield "charge.dispute.updated", dispute, "dispute-lost"


def _is_ours(intent: Object) -> bool:
    return compat.PAYMENT in intent.get("metadata", {})


async def _known(tx: AsyncConnection, intent: Object) -> Payment | None:
    """The payment of an intent, by the provider's name or by our own mark on it."""
    for found in (await queries.by_intents(tx, [intent["id"]])).values():
        return found
    metadata = intent["metadata"]
    try:
        book, id_ = int(metadata.get(compat.BOOK, "")), UUID(metadata[compat.PAYMENT])
        return await queries.find(tx, book, id_)
    except (ValueError, NotFound):
        return None


async def _is_of_ours(tx: AsyncConnection, back: Object) -> bool:
    """Whether a refund or a dispute is of a payment that we know: others sell there as well."""
    intent = compat.name(back.get("payment_intent"))
    return intent is not None and bool(await queries.by_intents(tx, [intent]))


async def audit_lots(till: Till, report: Report, *, fix: bool, since: int) -> None:
    """Every payment has brought what it pays for: once, no less and no more."""
    for book in BOOKS:
        after = (0, UUID(int=0))
        while True:  # bounded: each round begins after the last payment of the one before
            async with begin(till.pool) as tx:
                page = await queries.paid_since(tx, book, since, after)
            for payment in page:
                await _audit(till, payment, report, fix=fix)
            report.payments += len(page)
            if not page or page[-1].paid_at is None:
                break
            after = (page[-1].paid_at, page[-1].id)


async def _audit(till: Till, payment: Payment, report: Report, *, fix: bool) -> None:
    async with begin(till.pool) as tx:
        locked = await queries.lock(tx, payment.book, payment.id)
        assert locked is not None, "payments never go"
        if locked.purpose in {Purpose.PACK, Purpose.TOP_UP}:
            await _grants(tx, till, locked, report, fix=fix)
        if locked.purpose is Purpose.ORDER:
            await _sale(tx, till, locked, report, fix=fix)
        await _takings(tx, till, locked, report, fix=fix)


async def _sale(
    tx: AsyncConnection, till: Till, payment: Payment, report: Report, *, fix: bool
) -> None:
    """Money for an order has sold its goods, or goes back."""
    order = await stock.lock(tx, payment.book, payment.id)
    if order.number is not None:
        return
    if any(each.stands for each in await queries.refunds(tx, payment)):
        return
    if fix:
        await fulfilling.sold(tx, till, payment, Effects())
    report.add("sale-missing", mended=fix, order=str(order.id), amount=payment.received)


async def _grants(
    tx: AsyncConnection, till: Till, payment: Payment, report: Report, *, fix: bool
) -> None:
    bought = await queries.purchase(tx, payment.book, payment.id)
    if bought is None:
        return
    names = [str(payment.id), *([payment.intent] if payment.intent else [])]
    found = await queries.brought(tx, payment.book, bought, names)
    known = {(each.account, each.version) for each in await queries.grants(tx, payment)}
    wanted = [each for each in found if (each.account, each.version) in known]
    figures = {"payment": str(payment.id), "pack": bought.pack, "customer": bought.customer}
    reversed_ = await _is_reversed(tx, payment, known)
    if not found and not reversed_ and not await _has_case(payment):
        mended = fix and await _bring_again(tx, till, payment)
        report.add("grant-missing", mended=mended, **figures)
        return
    keep = wanted[:1] or found[:1]
    if keep and not wanted:
        if fix:
            await commands.granted(tx, payment, keep[0])
        report.add("grant-untied", mended=fix, **figures)
    for extra in [each for each in found if each not in keep]:
        if fix:
            await _take_away(tx, till, payment, extra)
        report.add(
            "grant-doubled", mended=fix, **figures, units=extra.amount,
            movement=movement_name(extra.account, extra.version),
        )  # fmt: skip


async def _has_case(payment: Payment) -> bool:
    """A payment of somebody who was erased brings nothing any more."""
    return payment.customer is None


async def _is_reversed(tx: AsyncConnection, payment: Payment, known: set[tuple[int, int]]) -> bool:
    """Whether the lot that was brought is in the journal, and an operator has reversed it."""
    for place in known:
        if await _is_there(tx, payment, place):
            return True
    return False


async def _is_there(tx: AsyncConnection, payment: Payment, place: tuple[int, int]) -> bool:
    """Whether the line of a lot is in the journal: its number alone may be another one's by now."""
    line = await queries.line(tx, payment.book, *place)
    return line is not None and line[1] == Kind.PURCHASE


async def _bring_again(tx: AsyncConnection, till: Till, payment: Payment) -> bool:
    """Bring what is not there; under another key, when the ledger believes that it has done it."""
    await commands.not_granted(tx, payment)
    bought = await queries.purchase(tx, payment.book, payment.id)
    assert bought is not None, "it was there just now"
    for again in ("", f"\x1f{till.new_id()}"):
        made = await crediting.give(
            tx, till, payment.book, paying.gift_of(payment, bought, again=again)
        )
        if isinstance(made, Grant) and await _is_there(tx, payment, (made.account, made.version)):
            await commands.granted(tx, payment, made)
            await crediting.balance(tx, till, payment, Effects())
            return True
    return False


async def _take_away(tx: AsyncConnection, till: Till, payment: Payment, extra: Grant) -> None:
    key = f"audit\x1f{payment.id}\x1f{extra.account}\x1f{extra.version}"
    mark = fingerprint((("op", "reverse"), ("reference", str(payment.id))))
    note = Note("doubled grant", payment.intent or str(payment.id))
    request = Reverse(
        request_id(payment.book, key), mark, extra.account, extra.version, IfSpent.DEBT, note
    )
    await crediting.decide(tx, till, payment.book, request)


async def _takings(
    tx: AsyncConnection, till: Till, payment: Payment, report: Report, *, fix: bool
) -> None:
    if payment.received is None:
        return
    causes = await crediting.causes(tx, payment)
    takings = await queries.takings(tx, payment)
    for grant in await queries.grants(tx, payment):
        own = [each for each in takings if each.grant == (grant.account, grant.version)]
        wanted = model.balance(grant, payment.received, causes, own)
        if not wanted.end and not wanted.take:
            continue
        if fix:
            await crediting.balance(tx, till, payment, Effects())
        report.add("taking-wrong", mended=fix, payment=str(payment.id))
        return
