"""What changes payments, in the caller's open transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from comptoir.domains.payments import sql
from comptoir.domains.payments.model import (
    Case,
    Dispute,
    Grant,
    Paid,
    Payment,
    Purpose,
    Refund,
    Status,
    Taking,
)
from comptoir.kit.errors import NotFound
from comptoir.store.commit import Companion


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A payment that is about to be begun."""

    book: int
    id: UUID
    purpose: Purpose
    amount: int
    currency: str
    livemode: bool
    customer: int | None = None
    reference: str | None = None
    status: Status = Status.NEW
    intent: str | None = None
    invoice: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


async def add(tx: AsyncConnection, draft: Draft) -> bool:
    """Keep a payment; False when it, or another one of its reference or intent, is there."""
    given = (
        draft.book, draft.id, draft.customer, draft.purpose, draft.reference, draft.amount,
        draft.currency, draft.livemode, draft.status, draft.intent, draft.invoice,
        Jsonb(dict(draft.details)),
    )  # fmt: skip
    return await (await tx.execute(sql.ADD, given)).fetchone() is not None


def beside(draft: Draft) -> Companion:
    """A payment that is kept in the commit of a chain, only if the chain succeeds."""
    row = (
        draft.book, draft.id, draft.customer, draft.purpose.value, draft.amount, draft.currency,
        draft.livemode,
    )  # fmt: skip
    return Companion(sql.ADD_EACH, row)


async def place(
    tx: AsyncConnection, book: int, id_: UUID, *, intent: str | None, session: str | None
) -> None:
    """Note what the provider calls a payment; it can be paid from now on."""
    await tx.execute(sql.PLACE, (intent, session, book, id_))


async def name_intent(tx: AsyncConnection, payment: Payment, intent: str) -> None:
    """Note what the provider calls a payment that had no name of its own before."""
    await tx.execute(sql.NAME_INTENT, (intent, payment.book, payment.id), prepare=True)


async def pay(tx: AsyncConnection, payment: Payment, paid: Paid) -> None:
    """The money is here."""
    given = (paid.received, paid.tax, paid.intent, payment.book, payment.id)
    await tx.execute(sql.PAY, given, prepare=True)


async def change(
    tx: AsyncConnection, payment: Payment, status: Status, error: str | None = None
) -> None:
    """Something less than that was heard; what is paid stays so."""
    await tx.execute(sql.CHANGE, (status, error, payment.book, payment.id))


async def looked(tx: AsyncConnection, book: int, id_: UUID) -> None:
    """The provider was asked about a payment."""
    await tx.execute(sql.LOOKED, (book, id_))


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer wants to buy."""

    customer: int
    pack: str
    version: int
    asset: int
    credits: int


async def add_purchase(tx: AsyncConnection, book: int, id_: UUID, wish: Wish) -> None:
    """Note what a payment is to buy."""
    given = (book, id_, wish.customer, wish.pack, wish.version, wish.asset, wish.credits)
    await tx.execute(sql.ADD_PURCHASE, given)


async def granted(tx: AsyncConnection, payment: Payment, grant: Grant) -> None:
    """Note what a payment has brought."""
    given = {
        "book": payment.book, "payment": payment.id, "account": grant.account,
        "version": grant.version, "amount": grant.amount,
    }  # fmt: skip
    await tx.execute(sql.GRANTED, given, prepare=True)


async def add_refund(tx: AsyncConnection, book: int, refund: Refund) -> None:
    """Keep a refund."""
    given = (
        book, refund.id, refund.payment, refund.provider_id, refund.amount, refund.status,
        refund.reason,
    )  # fmt: skip
    await tx.execute(sql.ADD_REFUND, given)


async def change_refund(
    tx: AsyncConnection, book: int, refund: Refund, status: str, told: tuple[str | None, int]
) -> None:
    """Note what became of a refund; `told` is the provider's id, and the money that went."""
    await tx.execute(sql.CHANGE_REFUND, (status, told[0], told[1], book, refund.id))


async def put_dispute(tx: AsyncConnection, book: int, dispute: Dispute) -> None:
    """Keep a dispute, or what became of it."""
    given = (
        book, dispute.provider_id, dispute.payment, dispute.amount, dispute.status, dispute.reason,
    )  # fmt: skip
    await tx.execute(sql.PUT_DISPUTE, given)


async def add_taking(tx: AsyncConnection, payment: Payment, taking: Taking) -> None:
    """Note what was taken back of a grant."""
    given = (
        payment.book, payment.id, taking.no, taking.cause, *taking.grant, taking.amount,
        taking.waived, taking.version,
    )  # fmt: skip
    await tx.execute(sql.ADD_TAKING, given)


async def end_taking(
    tx: AsyncConnection, payment: Payment, taking: Taking, given_back: int | None
) -> None:
    """Note that a taking was given back, by the line that did it."""
    await tx.execute(sql.END_TAKING, (given_back, payment.book, payment.id, taking.no))


async def open_case(
    tx: AsyncConnection, book: int, id_: UUID, about: tuple[str, str], figures: Mapping[str, Any]
) -> bool:
    """Ask for a human; False when the same thing, by its kind and subject, was asked before."""
    given = (book, id_, *about, Jsonb(dict(figures)))
    return await (await tx.execute(sql.OPEN_CASE, given)).fetchone() is not None


async def close_case(tx: AsyncConnection, book: int, id_: UUID, who: str, note: str) -> Case:
    """Say that a human has seen to it.

    Raises:
        NotFound: the book has no such case.
    """
    row = await (await tx.execute(sql.CLOSE_CASE, (who, note, book, id_))).fetchone()
    if row is None:
        row = await (await tx.execute(sql.CASE, (book, id_))).fetchone()
    if row is None:
        raise NotFound("case-not-found")
    return Case(*row)


async def forget_provider_customer(tx: AsyncConnection, book: int, customer: int) -> None:
    """Forget who a customer is at the provider, and what he buys by itself."""
    await tx.execute(sql.FORGET_PROVIDER_CUSTOMER, (book, customer))
    await tx.execute(sql.FORGET_TOP_UP, (book, customer))


async def add_provider_customer(
    tx: AsyncConnection,
    book: int,
    livemode: bool,  # noqa: FBT001  # part of the key
    customer: int,
    provider_id: str,
) -> None:
    """Note who a customer is at the provider."""
    await tx.execute(sql.ADD_PROVIDER_CUSTOMER, (book, livemode, customer, provider_id))


async def move_cursor(tx: AsyncConnection, book: int, source: str, at: int) -> None:
    """The provider's events have been read up to a time."""
    await tx.execute(sql.MOVE_CURSOR, (book, source, at))


async def not_granted(tx: AsyncConnection, payment: Payment) -> None:
    """What a payment had brought is not there: it must be brought again."""
    await tx.execute(sql.DROP_GRANTS, (payment.book, payment.id))


async def set_fee(tx: AsyncConnection, payment: Payment, fee: int) -> None:
    """Note what the provider has kept of a payment, in minor units."""
    await tx.execute(sql.SET_FEE, (fee, payment.book, payment.id))
