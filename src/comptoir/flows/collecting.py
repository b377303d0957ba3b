"""Collecting a payment for an obligation of the caller's own, which he knows by a reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from comptoir.domains.payments import commands, compat, queries
from comptoir.domains.payments.commands import Draft
from comptoir.domains.payments.model import Payment, Purpose, Status, gone
from comptoir.domains.payments.stripe import Object, ProviderRefused
from comptoir.flows.till import Till
from comptoir.guards.once import Call, Claim
from comptoir.kit.errors import Conflict, NotFound
from comptoir.store.pool import begin


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be collected, in minor units."""

    reference: str
    amount: int
    currency: str
    key: str
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """A payment that can be confirmed in the customer's browser.

    Attributes:
        client_secret: lets a browser confirm this payment alone.
    """

    id: UUID
    client_secret: str
    status: str
    replayed: bool


async def create(till: Till, book: int, wanted: Wanted) -> Collected:
    """Begin to collect a payment; while it is open the same one is answered for its reference.

    Raises:
        Conflict: it is paid already; or another amount is asked for the same reference; or the
            provider would not have it.
        Unavailable: nobody has given us a key; or the provider, or the database, cannot be reached.
    """
    _ = till.provider
    said = {
        "reference": wanted.reference, "amount": wanted.amount, "currency": wanted.currency,
        "customer": wanted.customer,
    }  # fmt: skip
    call = Call.of_fields(book, wanted.key, said, "payment")

    async def work(claim: Claim) -> dict[str, Any]:
        payment = await _begun(till, book, wanted, claim.origin)
        if payment.id != claim.origin and payment.intent is not None:
            intent = await till.provider.intent(payment.intent)
        else:
            intent = await _intent(till, book, payment, claim)
        async with begin(till.pool) as tx:
            await commands.place(tx, book, payment.id, intent=str(intent["id"]), session=None)
            result = {
                "payment": str(payment.id), "client_secret": intent["client_secret"],
                "status": str(intent["status"]),
            }  # fmt: skip
            await claim.finish(tx, result)
        return result

    result, replayed = await (await till.once(book)).run(call, work)
    return Collected(UUID(result["payment"]), result["client_secret"], result["status"], replayed)


async def _begun(till: Till, book: int, wanted: Wanted, id_: UUID) -> Payment:
    customer = None
    if wanted.customer is not None:
        customer = await till.directory.customer(book, wanted.customer)
    async with begin(till.pool) as tx:
        draft = Draft(
            book=book, id=id_, purpose=Purpose.DIRECT, amount=wanted.amount,
            currency=wanted.currency, livemode=till.provider.livemode, customer=customer,
            reference=wanted.reference,
        )  # fmt: skip
        await commands.add(tx, draft)
        found = await queries.of_reference(tx, book, wanted.reference)
        if found is None:
            found = await queries.find(tx, book, id_)
    if found.is_paid:
        raise Conflict("already-paid", reference=wanted.reference, payment=str(found.id))
    if (found.amount, found.currency) != (wanted.amount, wanted.currency):
        raise Conflict(
            "amount-differs", reference=wanted.reference, amount=found.amount,
            currency=found.currency,
        )  # fmt: skip
    return found


async def _intent(till: Till, book: int, payment: Payment, claim: Claim) -> Object:
    metadata = {compat.BOOK: str(book), compat.PAYMENT: str(payment.id)}
    params: Mapping[str, Any] = {
        "amount": payment.amount, "currency": payment.currency, "metadata": metadata,
    }  # fmt: skip
    # Of the payment, not of this call: whoever asks for the same one finds the same intent.
    key = f"{payment.id}:intent"
    claim.has_asked = True
    try:
        return await till.provider.make_intent(params, key)
    except ProviderRefused as error:
        async with begin(till.pool) as tx:
            await commands.change(tx, payment, Status.FAILED, str(error.figures["provider_code"]))
        raise


@dataclass(frozen=True, slots=True)
class Shown:
    """A payment as it is shown.

    Attributes:
        refunded: what went back of it, and is not lost on the way.
    """

    payment: Payment
    refunded: int
    disputed: bool
    customer: str | None


async def show(till: Till, book: int, id_: UUID) -> Shown:
    """A payment.

    Raises:
        NotFound: the book has no such payment.
    """
    async with begin(till.pool) as tx:
        payment = await queries.find(tx, book, id_)
        refunds = await queries.refunds(tx, payment)
        disputes = await queries.disputes(tx, payment)
        customer = None
        if payment.customer is not None:
            customer = (await queries.customer(tx, book, payment.customer))[0]
    return Shown(payment, gone(refunds), any(each.stands for each in disputes), customer)


async def by_reference(till: Till, book: int, reference: str) -> Payment:
    """The payment of a reference, if it is open or paid.

    Raises:
        NotFound: there is none.
    """
    async with begin(till.pool) as tx:
        found = await queries.of_reference(tx, book, reference)
    if found is None:
        raise NotFound("payment-not-found")
    return found
