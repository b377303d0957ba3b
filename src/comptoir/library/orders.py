"""Orders: a cart that is set aside and paid, then sent, and sometimes comes back."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from comptoir.domains.payments import queries as paid
from comptoir.domains.stock import model, queries
from comptoir.domains.stock.model import Item, Line, OrderStatus, Origin
from comptoir.flows import checkout, closing, returning
from comptoir.flows.charging import Page
from comptoir.flows.returning import Back
from comptoir.kit.limits import LIST_DEFAULT
from comptoir.library import showing
from comptoir.library.answers_stock import Order, OrderBegun, OrderLine, Returned
from comptoir.library.asking import check_text, identified
from comptoir.library.asking_stock import check_flag, check_goods, check_items, check_word
from comptoir.library.engine import Engine
from comptoir.library.places import check_limit
from comptoir.library.selling import url_of
from comptoir.library.tracing import traced
from comptoir.store.pool import begin

_GONE: Final = "order-not-found"


class Orders:
    """What is bought of the shop's stock. Its payment comes by itself, as an event.

    Whatever asks the provider may raise Conflict, where the provider would not have it
    (provider-refused), and Unavailable, where nobody has given us a key
    (payments-not-configured), or the provider or the database cannot be reached: ask again with the
    same key.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @traced("orders.checkout")
    async def checkout(  # noqa: PLR0913  # what a cart may say
        self,
        items: Iterable[Item],
        *,
        customer: str | None = None,
        email: str | None = None,
        idempotency_key: str | None = None,
        success_url: str | None = None,
        cancel_url: str | None = None,
        on_page: bool = False,
    ) -> OrderBegun:
        """Set a cart aside and begin its payment. Nobody is asked for money that has no goods.

        A customer's same cart is the same order while it can be paid, whatever the key.

        Args:
            items: products, sizes and quantities, 100 at most; today's prices hold.
            customer: who buys; None for a guest.
            email: where he is written to.
            idempotency_key: done once for it, and once each time without.
            success_url: where he comes back to from the provider's page when he has paid.
            cancel_url: where he comes back to when he has not.
            on_page: he pays on the provider's page (`checkout_url`), as he does where one of the
                addresses is said; else on a page of the caller's own (`client_secret`).

        Raises:
            InsufficientStock: there is less of something: nothing was set aside, nobody was asked;
                `figures` has `product`, `size`, `wanted` and `available`. An unknown size has 0.
            Invalid: an argument is not what it must be, or the cart has several currencies.
            Conflict: the key is that of another request.
        """
        page = Page(url_of("success_url", success_url), url_of("cancel_url", cancel_url))
        has_page = on_page or page != Page()
        wanted = checkout.Wanted(
            items=check_items(items),
            customer=None if customer is None else check_text("customer", customer),
            email=None if email is None else check_text("email", email),
            key=None if idempotency_key is None else check_text("key", idempotency_key),
            page=page if has_page else None,
        )
        begun = await checkout.start(self._engine.app.till, self._engine.book, wanted)
        return OrderBegun(
            begun.order, begun.intent, begun.client_secret, begun.checkout_url, begun.amount,
            begun.currency, showing.moment(begun.expires_at), begun.replayed,
        )  # fmt: skip

    @traced("orders.get")
    async def get(self, id: UUID | str) -> Order:  # noqa: A002  # what it is
        """An order, or a reservation, as of the last commit.

        Raises:
            NotFound: the book has no such order (order-not-found).
        """
        named = identified(id, _GONE)
        async with begin(self._engine.app.pool) as tx:
            found = await queries.order(tx, self._engine.book, named)
        return await shown(self._engine, found)

    @traced("orders.list")
    async def list(
        self,
        *,
        status: OrderStatus | str | None = None,
        customer: str | None = None,
        before: UUID | str | None = None,
        limit: int = LIST_DEFAULT,
    ) -> tuple[Order, ...]:
        """Orders, the newest first; reservations that callers sell themselves are none.

        Args:
            status: only these.
            customer: only his.
            before: the id of the last one seen, for the next page.
            limit: at most so many, up to 100.

        Raises:
            Invalid: an argument is not what it must be.
        """
        app, book = self._engine.app, self._engine.book
        chosen = None if status is None else check_word("status", status, OrderStatus)
        last = None if before is None else identified(before, _GONE)
        whose = None
        if customer is not None:
            whose = await app.directory.find_customer(book, check_text("customer", customer))
            if whose is None:
                return ()
        async with begin(app.pool) as tx:
            found = await queries.orders(
                tx, book, last, check_limit(limit), customer=whose, status=chosen
            )
            lines = await queries.lines(tx, book, [each.id for each in found])
            return tuple([await _order(tx, each, lines.get(each.id, [])) for each in found])

    @traced("orders.cancel")
    async def cancel(self, id: UUID | str) -> Order:  # noqa: A002  # what it is
        """Cancel an order that is not paid; again changes nothing.

        Raises:
            NotFound: the book has no such order (order-not-found).
            Conflict: it is paid (order-paid), or being paid just now (order-processing).
            Unavailable: the provider does not say whether it was paid.
        """
        named, engine = identified(id, _GONE), self._engine
        return await shown(engine, await closing.cancel(engine.app.till, engine.book, named))

    @traced("orders.fulfil")
    async def fulfil(self, id: UUID | str) -> Order:  # noqa: A002  # what it is
        """Note that an order was sent; again changes nothing.

        Raises:
            NotFound: the book has no such order (order-not-found).
            Conflict: it is not paid, or not any more (order-not-paid).
        """
        named, engine = identified(id, _GONE), self._engine
        return await shown(engine, await returning.fulfil(engine.app.till, engine.book, named))

    @traced("orders.take_back")
    async def take_back(
        self,
        id: UUID | str,  # noqa: A002  # what it is
        goods: Sequence[Back],
        *,
        reason: str,
        idempotency_key: str,
        refunds: bool = True,
    ) -> Returned:
        """Take goods of an order back; whole ones are for sale again, damaged ones are not.

        Args:
            id: of the order.
            goods: what came back.
            reason: why, as the journal and the provider are told.
            idempotency_key: done once for it.
            refunds: the money for them goes back through the provider; else nothing is sent back.

        Raises:
            NotFound: the book has no such order (order-not-found).
            Invalid: it has not so much of something left (return-exceeds-order).
            Conflict: it is not paid (order-not-paid), less money is left of it than the goods cost
                (refund-exceeds-left), or the key is that of another request.
        """
        wanted = returning.Wanted(
            identified(id, _GONE), check_goods(goods), check_text("reason", reason),
            check_flag("refunds", refunds),
            check_text("key", idempotency_key),
        )  # fmt: skip
        done = await returning.take_back(self._engine.app.till, self._engine.book, wanted)
        refund = None if done.refund is None else UUID(done.refund)
        return Returned(done.order, done.amount, done.currency, refund, done.status, done.replayed)


async def shown(engine: Engine, of: model.Order) -> Order:
    """An order with its lines, its customer and its payment."""
    async with begin(engine.app.pool) as tx:
        return await _order(tx, of, await queries.lines_of(tx, of))


async def _order(tx: AsyncConnection, of: model.Order, lines: Sequence[Line]) -> Order:
    customer = None
    if of.customer is not None:
        customer = (await paid.customer(tx, of.book, of.customer))[0]
    intent = None
    if of.origin is Origin.CHECKOUT:
        intent = (await paid.find(tx, of.book, of.id)).intent
    items = tuple(
        OrderLine(each.product, each.size, each.quantity, each.unit_amount, each.returned)
        for each in lines
    )
    return Order(
        id=of.id,
        order_number=of.number,
        status=of.status,
        reference=of.reference,
        customer=customer,
        email=of.email,
        items=items,
        amount=of.amount,
        currency=of.currency,
        payment_intent=intent,
        created_at=showing.moment(of.created_at),
        expires_at=showing.moment(of.expires_at),
        paid_at=showing.moment_or_none(of.paid_at),
        fulfilled_at=showing.moment_or_none(of.fulfilled_at),
    )
