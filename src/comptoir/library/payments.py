"""Collecting payments for obligations of the caller's own, and sending money back."""

from uuid import UUID

from comptoir.flows import collecting, refunding
from comptoir.library import showing
from comptoir.library.answers_money import Money, Payment, PaymentMade, Refund
from comptoir.library.asking import check_money, check_text, identified
from comptoir.library.engine import Engine
from comptoir.library.tracing import traced


class Payments:
    """Money that comes in for what is no pack, and money that goes back.

    Whatever asks the provider may raise Conflict, where the provider would not have it
    (provider-refused), and Unavailable, where nobody has given us a key
    (payments-not-configured), or the provider or the database cannot be reached: ask again with the
    same key.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @traced("payments.create")
    async def create(
        self,
        reference: str,
        amount: int,
        currency: str,
        *,
        idempotency_key: str,
        customer: str | None = None,
    ) -> PaymentMade:
        """Begin to collect a payment; while it is open its reference gets the same one again.

        Args:
            reference: of the obligation, as an invoice's number. Instalments have their own.
            amount: in minor units.
            currency: three small letters.
            idempotency_key: done once for it.
            customer: who pays, if he is known.

        Raises:
            Conflict: it is paid already (already-paid), another amount is asked for the same
                reference (amount-differs), or the key is that of another payment.
            Invalid: an argument is not what it must be.
        """
        wanted = collecting.Wanted(
            check_text("reference", reference),
            check_money("amount", amount),
            check_text("currency", currency),
            check_text("key", idempotency_key),
            None if customer is None else check_text("customer", customer),
        )
        made = await collecting.create(self._engine.app.till, self._engine.book, wanted)
        return PaymentMade(made.id, made.client_secret, made.status, made.replayed)

    @traced("payments.get")
    async def get(self, id: UUID | str) -> Payment:  # noqa: A002  # what it is
        """A payment; of a pack it has the id of the purchase.

        Raises:
            NotFound: the book has no such payment.
        """
        named = identified(id, "payment-not-found")
        found = await collecting.show(self._engine.app.till, self._engine.book, named)
        payment = found.payment
        return Payment(
            id=payment.id,
            purpose=payment.purpose.value,
            reference=payment.reference,
            customer=found.customer,
            price=Money(payment.amount, payment.currency),
            status=payment.status.value,
            received=payment.received,
            tax=payment.tax,
            refunded=found.refunded,
            disputed=found.disputed,
            created_at=showing.moment(payment.created_at),
            paid_at=None if payment.paid_at is None else showing.moment(payment.paid_at),
        )

    @traced("payments.refund")
    async def refund(
        self,
        id: UUID | str,  # noqa: A002  # what it is
        amount: int | None = None,
        *,
        reason: str,
        idempotency_key: str,
    ) -> Refund:
        """Send money back; the credits that it had bought are taken back, unspent ones first.

        Args:
            id: of the payment, or of the purchase.
            amount: in minor units; all that is left by default.
            reason: the provider is told requested_by_customer, duplicate or fraudulent.
            idempotency_key: done once for it.

        Raises:
            NotFound: the book has no such payment.
            Conflict: it is not paid (payment-not-paid), or nothing is left of it
                (already-refunded).
            Invalid: less is left than that (refund-exceeds-payment), or an argument is not what it
                must be.
        """
        wanted = refunding.Wanted(
            identified(id, "payment-not-found"),
            None if amount is None else check_money("amount", amount),
            check_text("reason", reason),
            check_text("key", idempotency_key),
        )
        made = await refunding.refund(self._engine.app.till, self._engine.book, wanted)
        return Refund(
            UUID(made.id), UUID(made.payment), made.amount, made.currency, made.status,
            made.replayed,
        )  # fmt: skip
