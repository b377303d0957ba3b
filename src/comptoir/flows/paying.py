"""A payment has come: it is compared with what was asked, and what it pays for is brought."""

from dataclasses import replace

from psycopg import AsyncConnection

from comptoir.domains.payments import commands, queries
from comptoir.domains.payments.model import (
    LIVEMODE,
    SOURCE,
    Bought,
    Effects,
    Grant,
    Paid,
    Payment,
    Purpose,
    Status,
    fault_of,
)
from comptoir.flows import crediting, fulfilling
from comptoir.flows.crediting import Gift
from comptoir.flows.till import Till
from comptoir.kit.books import LIVE
from comptoir.kit.ids import movement_name
from comptoir.ledger.model import Kind
from comptoir.store import inbox, outbox


async def settle(
    tx: AsyncConnection, till: Till, payment: Payment, paid: Paid, effects: Effects
) -> None:
    """Note that a payment has come, and bring what it pays for; once, however often it is told.

    The payment is locked. What differs from what was asked is a case for a human: nothing is
    granted.
    """
    if payment.is_paid:
        effects.add("known", payment=str(payment.id))
        return
    fault = fault_of(payment, paid)
    if fault is not None:
        await _refuse(tx, till, payment, paid, fault)
        effects.add("case", kind=fault, payment=str(payment.id))
        if payment.purpose is Purpose.ORDER and fault != LIVEMODE:
            await commands.pay(tx, payment, paid)
            await fulfilling.wrong(tx, till, _paid(payment, paid), fault, effects)
        return
    await commands.pay(tx, payment, paid)
    effects.add("paid", payment=str(payment.id), amount=paid.received, currency=paid.currency)
    now_paid = _paid(payment, paid)
    if payment.purpose in {Purpose.PACK, Purpose.TOP_UP}:
        await bring(tx, till, now_paid, effects)
    elif payment.purpose is Purpose.ORDER:
        await fulfilling.sold(tx, till, now_paid, effects)
        await fulfilling.restate(tx, till, now_paid, effects)
    elif payment.purpose is Purpose.DIRECT:
        await till.tell(
            tx, payment.book, outbox.PAYMENT_PAID, payment.customer, payment=str(payment.id),
            reference=payment.reference, amount=paid.received, currency=paid.currency,
        )  # fmt: skip
    await crediting.balance(tx, till, now_paid, effects)
    waiting = [each for each in (now_paid.intent, now_paid.session) if each]
    await inbox.wake(tx, (LIVE, payment.book), SOURCE, waiting)


def _paid(payment: Payment, paid: Paid) -> Payment:
    return replace(
        payment, status=Status.PAID, received=paid.received, tax=paid.tax,
        intent=payment.intent or paid.intent,
    )  # fmt: skip


async def bring(tx: AsyncConnection, till: Till, payment: Payment, effects: Effects) -> None:
    """Bring the credits that a payment has bought, unless they are here."""
    bought = await queries.purchase(tx, payment.book, payment.id)
    if bought is None or bought.granted_at is not None:
        return
    made = await crediting.give(tx, till, payment.book, gift_of(payment, bought))
    if not isinstance(made, Grant):
        await till.open_case(
            tx, payment.book, "grant-refused", str(payment.id), outcome=made,
            payment=str(payment.id), pack=bought.pack,
        )  # fmt: skip
        effects.add("case", kind="grant-refused", outcome=made, payment=str(payment.id))
        return
    await commands.granted(tx, payment, made)
    effects.add(
        "granted", units=made.amount, asset=bought.asset, account=made.account,
        movement=movement_name(made.account, made.version), payment=str(payment.id),
    )  # fmt: skip
    await till.tell(
        tx, payment.book, outbox.PURCHASE_PAID, payment.customer, purchase=str(payment.id),
        pack=bought.pack, units=bought.credits, asset=bought.asset, amount=payment.received,
        currency=payment.currency, automatic=payment.purpose is Purpose.TOP_UP,
    )  # fmt: skip


def gift_of(payment: Payment, bought: Bought, *, again: str = "") -> Gift:
    """The lot that a payment brings; `again` names another one, in place of one that is gone."""
    return Gift(
        key=crediting.purchase_key(payment.id) + again,
        customer=bought.customer,
        asset=bought.asset,
        amount=bought.credits,
        kind=Kind.PURCHASE,
        source="payment",
        reference=payment.intent or str(payment.id),
        paid=payment.received or 0,
        tax=payment.tax,
        currency=payment.currency,
        reason=bought.pack,
    )


async def _refuse(
    tx: AsyncConnection, till: Till, payment: Payment, paid: Paid, fault: str
) -> None:
    await till.open_case(
        tx, payment.book, fault, str(payment.id), payment=str(payment.id), intent=paid.intent,
        asked=payment.amount, came=paid.received, currency_asked=payment.currency,
        currency_came=paid.currency, livemode=paid.livemode,
    )  # fmt: skip
