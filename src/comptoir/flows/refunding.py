"""Money that goes back: by our own hand, in the provider's dashboard, or by a customer's bank."""

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.payments import commands, compat, queries
from comptoir.domains.payments.model import (
    Dispute,
    Effects,
    Payment,
    Purpose,
    Refund,
    dispute_status,
    refund_status,
)
from comptoir.domains.payments.stripe import Object, ProviderRefused
from comptoir.flows import crediting, fulfilling
from comptoir.flows.till import Till
from comptoir.guards.once import Call, Claim
from comptoir.kit.errors import Conflict, Invalid, NotFound
from comptoir.store import outbox
from comptoir.store.pool import begin

REASONS: Final = frozenset({"duplicate", "fraudulent", "requested_by_customer"})


async def refunded(
    tx: AsyncConnection, till: Till, payment: Payment, told: compat.Refund, effects: Effects
) -> None:
    """Note what became of a refund, and take back, or give back, what it paid for.

    The payment is locked.
    """
    known = await _known(tx, payment, told)
    if known is None:
        made = Refund(
            till.new_id(), payment.id, told.id, told.amount, told.status, told.reason, told.at
        )
        await commands.add_refund(tx, payment.book, made)
        known = replace(made, status="new")
    status = refund_status(known.status, told.status)
    await commands.change_refund(tx, payment.book, known, status, (told.id, told.amount))
    effects.add(
        "refund", refund=told.id, status=status, amount=told.amount, currency=told.currency,
        payment=str(payment.id),
    )  # fmt: skip
    await crediting.balance(tx, till, payment, effects)
    if payment.purpose is Purpose.ORDER:
        await fulfilling.restate(tx, till, payment, effects)
    if status == "succeeded" != known.status:
        is_purchase = payment.purpose in {Purpose.PACK, Purpose.TOP_UP}
        type_ = outbox.PURCHASE_REFUNDED if is_purchase else outbox.PAYMENT_REFUNDED
        await till.tell(
            tx, payment.book, type_, payment.customer, payment=str(payment.id), refund=told.id,
            amount=told.amount, currency=told.currency,
        )  # fmt: skip


async def _known(tx: AsyncConnection, payment: Payment, told: compat.Refund) -> Refund | None:
    found = await queries.refund_of(tx, told.id)
    if found is not None:
        return found
    ours = told.metadata.get(compat.REFUND)
    try:
        return None if ours is None else await queries.refund(tx, payment.book, UUID(ours))
    except ValueError:
        return None


async def disputed(
    tx: AsyncConnection, till: Till, payment: Payment, told: compat.Dispute, effects: Effects
) -> None:
    """Note what became of a dispute, and take back, or give back, what it paid for.

    The payment is locked.
    """
    known = await queries.dispute(tx, told.id)
    status = told.status if known is None else dispute_status(known.status, told.status)
    now = Dispute(told.id, payment.id, told.amount, status, told.reason)
    await commands.put_dispute(tx, payment.book, now)
    effects.add(
        "dispute", dispute=told.id, status=status, amount=told.amount, payment=str(payment.id)
    )
    await crediting.balance(tx, till, payment, effects)
    if payment.purpose is Purpose.ORDER:
        await fulfilling.restate(tx, till, payment, effects)
    figures: dict[str, Any] = {
        "payment": str(payment.id), "dispute": told.id, "status": status, "amount": told.amount,
        "currency": payment.currency,
    }  # fmt: skip
    if known is None:
        await till.open_case(tx, payment.book, "dispute", told.id, **figures)
        await till.tell(tx, payment.book, outbox.DISPUTE_OPENED, payment.customer, **figures)
    if status in _ENDED and (known is None or known.status not in _ENDED):
        await till.tell(tx, payment.book, outbox.DISPUTE_CLOSED, payment.customer, **figures)


_ENDED: Final = frozenset({"won", "lost", "warning_closed", "prevented"})


@dataclass(frozen=True, slots=True)
class RefundMade:
    """A refund that was asked for.

    Attributes:
        replayed: it was made before, under the same key.
    """

    id: str
    payment: str
    amount: int
    currency: str
    status: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which refund is asked for; all that is left when no amount is said."""

    payment: UUID
    amount: int | None
    reason: str
    key: str


async def refund(till: Till, book: int, wanted: Wanted) -> RefundMade:
    """Send money back, once for a key.

    Raises:
        NotFound: the book has no such payment.
        Conflict: it is not paid, or less is left of it; or the provider would not have it.
        Unavailable: the provider, or the database, cannot be reached.
    """
    _ = till.provider  # nothing is begun that cannot be asked for
    said = {"payment": str(wanted.payment), "amount": wanted.amount, "reason": wanted.reason}
    call = Call.of_fields(book, wanted.key, said, "refund")

    async def work(claim: Claim) -> dict[str, Any]:
        async with begin(till.pool) as tx:
            payment, refund = await _begun(tx, book, wanted, claim.origin)
        made = await ask(till, book, (payment, refund), wanted.reason, claim)
        async with begin(till.pool) as tx:
            locked = await queries.lock(tx, book, payment.id)
            assert locked is not None, "payments never go"
            await refunded(tx, till, locked, compat.refund(made), Effects())
            now = await queries.refund(tx, book, refund.id)
            result = {
                "id": str(refund.id), "payment": str(payment.id), "amount": refund.amount,
                "currency": payment.currency,
                "status": "pending" if now is None else now.status,
            }  # fmt: skip
            await claim.finish(tx, result)
        till.outbox.ring()
        return result

    result, replayed = await (await till.once(book)).run(call, work)
    return RefundMade(**result, replayed=replayed)


async def _begun(
    tx: AsyncConnection, book: int, wanted: Wanted, id_: UUID
) -> tuple[Payment, Refund]:
    payment = await queries.lock(tx, book, wanted.payment)
    if payment is None:
        raise NotFound("payment-not-found")
    before = await queries.refunds(tx, payment)
    own = next((each for each in before if each.id == id_), None)
    if own is not None and own.stands:
        return payment, own
    if payment.received is None or payment.intent is None:
        raise Conflict("payment-not-paid", state=payment.status.value)
    left = payment.received - sum(each.amount for each in before if each.stands)
    amount = left if wanted.amount is None else wanted.amount
    if amount <= 0:
        raise Conflict("already-refunded")
    if amount > left:
        raise Invalid("refund-exceeds-payment", field="amount", left=left)
    refund = Refund(id_, payment.id, None, amount, "new", wanted.reason, 0)
    await commands.add_refund(tx, book, refund)
    await commands.change_refund(tx, book, refund, "new", (None, amount))
    return payment, refund


async def ask(
    till: Till, book: int, of: tuple[Payment, Refund], reason: str, claim: Claim
) -> Object:
    """Ask the provider for a refund, under keys of a claim.

    Raises:
        Conflict: it would not have it: the refund is dropped.
        Unavailable: it cannot be reached.
    """
    payment, refund = of
    params = params_of(book, payment, refund, reason)
    try:
        return await till.provider.make_refund(params, claim.provider_key("refund"))
    except ProviderRefused:
        await drop(till, book, refund)
        raise


def params_of(book: int, payment: Payment, refund: Refund, reason: str) -> dict[str, Any]:
    """What the provider is asked for a refund."""
    params: dict[str, Any] = {
        "payment_intent": payment.intent,
        "amount": refund.amount,
        "metadata": {compat.BOOK: str(book), compat.REFUND: str(refund.id)},
    }
    return params | ({"reason": reason} if reason in REASONS else {})


async def found(till: Till, params: dict[str, Any], refund: Refund) -> Object | None:
    """What a call that answered 500 may have made."""
    pages = till.provider.refunds({"payment_intent": params["payment_intent"]})
    return await till.provider.found(pages, compat.REFUND, str(refund.id))


async def drop(till: Till, book: int, refund: Refund) -> None:
    """The provider would not have it: the money is still here."""
    async with begin(till.pool) as tx:
        await commands.change_refund(tx, book, refund, "abandoned", (None, refund.amount))
