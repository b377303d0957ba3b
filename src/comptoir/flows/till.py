"""The till: what journeys with money need, in one place."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.payments import commands
from comptoir.domains.payments.stripe import Stripe
from comptoir.flows.shelf import Shelf
from comptoir.guards.once import Once
from comptoir.kit.clock import Clock
from comptoir.kit.errors import Unavailable
from comptoir.ledger.model import Answer
from comptoir.ledger.requests import Chain
from comptoir.store import outbox
from comptoir.store.bell import Bell
from comptoir.store.commit import Companion
from comptoir.store.directory import Directory
from comptoir.store.ledger import Clock as LedgerClock
from comptoir.store.ledger import database_time
from comptoir.store.outbox import Happening
from comptoir.store.pool import Pool

Submit = Callable[[int, Chain, Sequence[Companion]], Awaitable[list[Answer]]]
"""Decides a chain of a book and commits it with more rows; its errors are `Batch.submit`'s."""


class Deferred(Exception):
    """What an event is about is not here yet; whatever was done of it must be rolled back."""


class Look(Exception):
    """An event does not say enough: the provider must be asked first, and all of it rolled back."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the seller has decided.

    Attributes:
        public_url: where people find this server.
        prices: what settings say is sold by the provider's price ids, as pack:100, plan:pro:month.
        automatic_tax: the provider works the tax out.
        waives_spent: what a refund cannot take back is not owed either.
        token_price: of one token, in billionths of the major unit.
        token_billing: none, or stripe_invoice.
        reservation_seconds: for how long goods are set aside for whoever has not paid.
        admits_guests: whoever has no key may buy.
        operator_email: who is written to when stock is low.
    """

    public_url: str = "http://127.0.0.1:8000"
    currency: str = "eur"
    prices: Mapping[str, str] = field(default_factory=dict[str, str])
    automatic_tax: bool = False
    waives_spent: bool = False
    token_price: int = 0
    reservation_seconds: float = 1800.0
    admits_guests: bool = True
    operator_email: str | None = None
    token_billing: str = "none"  # noqa: S105  # a way of billing


@dataclass(frozen=True, slots=True)
class Till:
    """What journeys with money need.

    Attributes:
        stripe: None when nobody has given us a key.
        once: the calls of a book that are made once.
        submit: the group commit of a book.
        shelf: what is for sale.
        inbox, outbox: bells that wake whoever works on them.
    """

    pool: Pool
    directory: Directory
    stripe: Stripe | None
    once: Callable[[int], Awaitable[Once]]
    submit: Submit
    shelf: Shelf
    new_id: Callable[[], UUID]
    clock: Clock
    chance: Callable[[], float]
    terms: Terms
    inbox: Bell
    outbox: Bell
    ledger_clock: LedgerClock = database_time

    @property
    def provider(self) -> Stripe:
        """Stripe.

        Raises:
            Unavailable: nobody has given us a key.
        """
        if self.stripe is None:
            raise Unavailable("payments-not-configured", retry_after=60)
        return self.stripe

    async def open_case(
        self,
        tx: AsyncConnection,
        book: int,
        kind: str,
        subject: str,
        **figures: Any,  # noqa: ANN401  # JSON
    ) -> bool:
        """Ask for a human, once for each subject; others may be told."""
        id_ = self.new_id()
        if not await commands.open_case(tx, book, id_, (kind, subject), figures):
            return False
        told = {"case": str(id_), "kind": kind, "subject": subject}
        happening = Happening(book, self.new_id(), outbox.CASE_OPENED, None, None, told)
        await outbox.add(tx, happening)
        return True

    async def tell(
        self,
        tx: AsyncConnection,
        book: int,
        type_: str,
        customer: int | None,
        **figures: Any,  # noqa: ANN401  # JSON
    ) -> None:
        """Let others be told of something, if the open transaction commits."""
        await outbox.add(tx, Happening(book, self.new_id(), type_, customer, None, figures))
