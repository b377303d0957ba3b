"""Collecting payments for obligations of the caller's own, and sending money back."""

from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from comptoir.flows import collecting, refunding
from comptoir.flows.collecting import Shown
from comptoir.flows.collecting import Wanted as Asked
from comptoir.flows.refunding import Wanted
from comptoir.web import shapes_money as shapes
from comptoir.web import wire
from comptoir.web.api.selling import PART, PROVIDER_CODES, named
from comptoir.web.call import Call
from comptoir.web.replies import PRIVATE, REPLAYED, Reply, ok, write_moment, write_time
from comptoir.web.routing import OPERATORS, SERVERS, Operation

Money = Annotated[int, Field(ge=1, le=10**12, examples=[1900])]
Currency = Annotated[str, StringConstraints(pattern="^[a-z]{3}$"), Field(examples=["eur"])]


class CollectBody(wire.Wire):
    """What is to be collected, in minor units."""

    reference: wire.Reference
    amount: Money
    currency: Currency
    customer: wire.Customer | None = None


class RefundBody(wire.Wire):
    """What is to go back; all that is left by default."""

    amount: Money | None = None
    reason: Annotated[wire.Reason, Field(examples=["requested_by_customer"])]


async def create(call: Call, body: CollectBody) -> Reply:
    """POST /api/payments/create."""
    wanted = Asked(body.reference, body.amount, body.currency, call.key, body.customer)
    made = await collecting.create(call.app.till, call.actor.book, wanted)
    content = {
        "payment": str(made.id), "client_secret": made.client_secret, "status": made.status,
    }  # fmt: skip
    return ok(content, *((REPLAYED,) if made.replayed else ()), status=201)


async def read(call: Call) -> Reply:
    """GET /api/payments/{id}."""
    id_ = named(call.part("id"), "payment-not-found")
    return ok(_shown(await collecting.show(call.app.till, call.actor.book, id_)), PRIVATE)


async def refund(call: Call, body: RefundBody) -> Reply:
    """POST /api/payments/{id}/refund."""
    id_ = named(call.part("id"), "payment-not-found")
    wanted = Wanted(id_, body.amount, body.reason, call.key)
    made = await refunding.refund(call.app.till, call.actor.book, wanted)
    content = {
        "id": made.id, "payment": made.payment, "amount": made.amount,
        "currency": made.currency, "status": made.status,
    }  # fmt: skip
    return ok(content, *((REPLAYED,) if made.replayed else ()), status=201)


def _shown(of: Shown) -> dict[str, Any]:
    payment = of.payment
    return {
        "id": str(payment.id),
        "purpose": payment.purpose.value,
        "reference": payment.reference,
        "customer": of.customer,
        "price": {"amount": payment.amount, "currency": payment.currency},
        "status": payment.status.value,
        "received": payment.received,
        "tax": payment.tax,
        "refunded": of.refunded,
        "disputed": of.disputed,
        "created_at": write_time(payment.created_at),
        "paid_at": write_moment(payment.paid_at),
    }


_REPLAY: Final = {"Idempotent-Replayed": "true when the answer is a stored one"}

OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/payments/create",
        handler=create,
        keyed=True,
        summary=("Collect a payment", "Encaisser un paiement"),
        tag="payments",
        roles=SERVERS,
        body=CollectBody,
        status=201,
        answer=shapes.PaymentMadeShape,
        codes=("already-paid", "amount-differs", *PROVIDER_CODES),
        headers=_REPLAY,
        ask={"reference": "invoice-1842", "amount": 1900, "currency": "eur"},
    ),
    Operation(
        method="GET",
        path="/api/payments/{id}",
        handler=read,
        summary=("Read a payment", "Lire un paiement"),
        tag="payments",
        roles=SERVERS,
        parts=PART,
        answer=shapes.PaymentShape,
        codes=("payment-not-found",),
    ),
    Operation(
        method="POST",
        path="/api/payments/{id}/refund",
        handler=refund,
        keyed=True,
        summary=("Send money back", "Rembourser"),
        tag="payments",
        roles=OPERATORS,
        body=RefundBody,
        status=201,
        parts=PART,
        answer=shapes.RefundShape,
        codes=(
            "payment-not-found",
            "payment-not-paid",
            "already-refunded",
            "refund-exceeds-payment",
            *PROVIDER_CODES,
        ),
        headers=_REPLAY,
        ask={"amount": 950, "reason": "requested_by_customer"},
    ),
)
