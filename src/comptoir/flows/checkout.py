"""Checkout: an order with its goods set aside commits, then the provider is asked for a payment.

What is paid there comes in as an event: `fulfilling` sells what was set aside. What is not paid is
closed by `closing`. Start here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from comptoir.domains.payments import commands as payments
from comptoir.domains.payments import queries as paid
from comptoir.domains.payments.model import Purpose
from comptoir.domains.stock import commands, queries
from comptoir.domains.stock.commands import Draft
from comptoir.domains.stock.model import (
    AMOUNT,
    InsufficientStock,
    Item,
    Order,
    Origin,
    cart_mark,
)
from comptoir.flows import charging, closing, reserving
from comptoir.flows.charging import NotPayable, Page, Payable
from comptoir.flows.closing import Closed
from comptoir.flows.reserving import ShortOf
from comptoir.flows.till import Till
from comptoir.guards.once import Call, Claim
from comptoir.kit.errors import Conflict, Invalid, NotFound, Unavailable
from comptoir.kit.limits import DAY, REFUSAL_DAYS, SECOND
from comptoir.store.pool import begin

WINDOW: Final = 10 * SECOND
"""Within which the same cart of the same customer, asked for at the same time, is one order."""

_REFUSED: Final = "refused"
_REFUSAL_SECONDS: Final = REFUSAL_DAYS * DAY / SECOND
_TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to buy.

    Attributes:
        customer: his own id; None for a guest.
        key: None for whoever has none.
        scope: whose idempotency key it is: of a customer who calls himself, or of the book.
        cancels: a payment that fails ends the order, at once.
        page: that of the provider, on which he pays; None when he pays on the caller's.
    """

    items: Sequence[Item]
    customer: str | None = None
    email: str | None = None
    key: str | None = None
    scope: str = ""
    cancels: bool = False
    page: Page | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """An order that can be paid.

    Attributes:
        intent: the provider's name of the payment; None when it is paid on the provider's page.
        client_secret: lets a browser confirm this payment alone.
        checkout_url: the provider's page.
        expires_at: until when its goods are set aside, in microseconds.
    """

    order: UUID
    intent: str | None
    client_secret: str | None
    checkout_url: str | None
    amount: int
    currency: str
    expires_at: int
    replayed: bool = False


async def start(till: Till, book: int, wanted: Wanted) -> Begun:
    """Set a cart aside and begin its payment, once for a key.

    A customer's same cart is the same order while it can be paid, whatever the key.

    Raises:
        InsufficientStock: there is less of something; nothing was set aside, nobody was asked.
        Invalid: the cart cannot be sold as one.
        Conflict: the key is that of another request; or the provider would not have it.
        Unavailable: nobody has given us a key; or the provider, or the database, cannot be reached.
    """
    _ = till.provider  # nothing is set aside that cannot be paid
    said = {
        "items": [(each.product, each.size, each.quantity) for each in wanted.items],
        "customer": wanted.customer, "email": wanted.email,
        "on_payment_failed": wanted.cancels, "page": wanted.page,
    }  # fmt: skip
    key = wanted.key or str(till.new_id())
    call = Call.of_fields(book, key, said, wanted.scope or "checkout")
    desk = _Desk(till, book, wanted)
    result, replayed = await (await till.once(book)).run(call, desk.work)
    if _REFUSED in result:
        figures = result[_REFUSED]
        item = Item(figures["product"], figures["size"], figures["wanted"])
        raise InsufficientStock(item, figures["available"], "new-key", replayed=replayed)
    rest: dict[str, Any] = dict(result)
    return Begun(UUID(rest.pop("order")), **rest, replayed=replayed)


@dataclass(frozen=True, slots=True)
class _Desk:
    """One cart on its way to a payment."""

    till: Till
    book: int
    wanted: Wanted

    async def work(self, claim: Claim) -> dict[str, Any]:
        """Make the order payable; a refusal for want of stock is kept under the key, for a time."""
        customer = None
        if self.wanted.customer is not None:
            customer = await self.till.directory.customer(self.book, self.wanted.customer)
        try:
            return await self._begin(claim, customer)
        except ShortOf as short:
            result: dict[str, Any] = {_REFUSED: dict(short.figures)}
            async with begin(self.till.pool) as tx:
                await claim.finish(tx, result, _REFUSAL_SECONDS)
            return result

    async def _begin(self, claim: Claim, customer: int | None) -> dict[str, Any]:
        order = await self._known(claim.origin, customer)
        if order is not None:
            try:
                return await self._pay(order, claim)
            except NotPayable:
                if order.id == claim.origin:
                    raise Conflict("order-closed") from None
        order = await self._new(claim.origin, customer)
        try:
            return await self._pay(order, claim)
        except NotPayable:
            raise Conflict("order-closed") from None
        except Unavailable:
            if self.wanted.key is None and customer is None:
                await closing.close(self.till, self.book, order.id)  # nobody can ask for it again
            raise

    async def _known(self, origin: UUID, customer: int | None) -> Order | None:
        """The order of an earlier attempt, or what the same customer has had set aside so."""
        async with begin(self.till.pool) as tx:
            try:
                return await queries.order(tx, self.book, origin)
            except NotFound:
                if customer is None:
                    return None
        draft = await self._draft(origin, customer)
        assert draft.cart is not None, "carts have a mark"
        async with begin(self.till.pool) as tx:
            return await queries.of_cart(tx, self.book, customer, draft.cart)

    async def _draft(self, id_: UUID, customer: int | None) -> Draft:
        cart = await self.till.shelf.cart(self.book, self.wanted.items)
        mark = cart_mark(customer, cart.lines)
        key = f"order\x1f{id_}"
        if customer is not None:  # so that two clicks at once are one order
            key = f"cart\x1f{mark.hex()}\x1f{self.till.clock() // WINDOW}"
        draft = Draft(
            book=self.book, id=id_, origin=Origin.CHECKOUT, lines=cart.lines, key=key,
            seconds=self.till.terms.reservation_seconds, customer=customer,
            email=self.wanted.email, currency=cart.currency, cart=mark,
            cancels=self.wanted.cancels,
        )  # fmt: skip
        if draft.amount > AMOUNT:
            raise Invalid("amount-too-large", field="items")
        return draft

    async def _new(self, id_: UUID, customer: int | None) -> Order:
        """A new order; what its own buyer has set aside before does not keep him from it."""
        draft = await self._draft(id_, customer)
        for attempt in range(_TRIES):
            try:
                made = await self._commit(draft)
            except ShortOf as short:
                if not short.replayed and not await self._make_room(customer, short):
                    raise
                made = None
            if made is not None:
                return made
            # The names of this moment are those of something that is over: then of this attempt.
            draft = replace(await self._draft(id_, customer), key=f"order\x1f{id_}\x1f{attempt}")
        raise Unavailable("account-busy")

    async def _commit(self, draft: Draft) -> Order | None:
        """Commit an order; None when its names are those of one that is over."""
        asked = payments.Draft(
            book=draft.book, id=draft.id, purpose=Purpose.ORDER, amount=draft.amount,
            currency=draft.currency or "", livemode=self.till.provider.livemode,
            customer=draft.customer,
        )  # fmt: skip
        made = await reserving.set_aside(self.till, draft, (), [payments.beside(asked)])
        if made is None:
            self.till.shelf.forget()
            return None
        async with begin(self.till.pool) as tx:
            order = await queries.order(tx, draft.book, made.id)
        return order if order.is_reserved else None

    async def _make_room(self, customer: int | None, short: ShortOf) -> bool:
        """Close what the same customer has set aside before of what is short; was there any?"""
        if customer is None:
            return False
        async with begin(self.till.pool) as tx:
            found = await queries.in_the_way(tx, self.book, customer, [short.line.account])
        closed = [await closing.close(self.till, self.book, each.id) for each in found]
        return Closed.RELEASED in closed

    async def _pay(self, order: Order, claim: Claim) -> dict[str, Any]:
        """Let an order be paid.

        Raises:
            NotPayable: it is paid, or over, or paid another way.
        """
        if not order.is_reserved:
            raise NotPayable
        claim.has_asked = True
        pay = await charging.payable(self.till, order, self.wanted.page)
        result: dict[str, Any] = {
            "order": str(order.id), "intent": pay.intent, "client_secret": pay.client_secret,
            "checkout_url": pay.url, "amount": order.amount, "currency": order.currency,
            "expires_at": order.expires_at,
        }  # fmt: skip
        if await self._place(order, pay, claim, result):
            return result
        await self._unmake(order, pay)
        raise NotPayable

    async def _place(
        self, order: Order, pay: Payable, claim: Claim, result: Mapping[str, Any]
    ) -> bool:
        """Note what an order is paid with; False when it was closed meanwhile."""
        async with begin(self.till.pool) as tx:
            await paid.lock(tx, order.book, order.id)
            now = await queries.lock(tx, order.book, order.id)
            if not now.is_reserved:
                return False
            await payments.place(tx, order.book, order.id, intent=pay.intent, session=pay.session)
            if order.customer is None and pay.client_secret is not None:
                await commands.set_pass(tx, order, pass_mark(pay.client_secret))
            await claim.finish(tx, dict(result))
        return True

    async def _unmake(self, order: Order, pay: Payable) -> None:
        """Let nobody pay for an order that was closed while its payment was being made."""
        key = f"{order.id}:unmake"
        if pay.intent is not None:
            await closing.cancelled(self.till, pay.intent, key)
        elif pay.session is not None:
            await closing.expired(self.till, pay.session, key)


def pass_mark(client_secret: str) -> bytes:
    """What is kept of what lets a guest see his order."""
    return sha256(client_secret.encode()).digest()
