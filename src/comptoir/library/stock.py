"""Stock: what is sold in sizes, what moves it, and what a caller sets aside to sell it himself."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace
from psycopg import AsyncConnection

from comptoir.domains.stock import commands, model, queries
from comptoir.domains.stock.commands import Terms
from comptoir.domains.stock.model import ASSET, QUANTITY, Item, MovementType, OnRefund
from comptoir.flows import closing, reserving, restocking
from comptoir.kit.errors import Invalid
from comptoir.kit.ids import movement_name, parse_movement
from comptoir.kit.limits import LIST_DEFAULT
from comptoir.library import showing
from comptoir.library.answers_money import Money
from comptoir.library.answers_stock import (
    Cleaned,
    Order,
    Product,
    Reservation,
    StockMovement,
    StockSize,
)
from comptoir.library.asking import check_money, check_text, identified
from comptoir.library.asking_stock import (
    check_currency,
    check_items,
    check_number,
    check_product,
    check_size,
    check_sizes,
    check_whole,
    check_word,
)
from comptoir.library.engine import Engine
from comptoir.library.orders import shown
from comptoir.library.places import check_limit
from comptoir.library.selling import key_of
from comptoir.library.tracing import traced
from comptoir.store.answers import Deed, Figures, once
from comptoir.store.pool import begin

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_GONE: Final = "reservation-not-found"


class Stock:
    """Products in sizes. A size is never sold twice: what is set aside cannot be had by others.

    Every verb may raise Invalid, where an argument is not what it must be (`figures["field"]` names
    it), and Unavailable, where the database cannot be reached: ask again with the same key.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @traced("stock.products")
    async def products(
        self, *, after: str | None = None, limit: int = LIST_DEFAULT
    ) -> tuple[Product, ...]:
        """Products by name, with what there is of each size as of the last commit.

        Args:
            after: the last one seen, for the next page.
            limit: at most so many, up to 100.
        """
        name = "" if after is None else check_product(after)
        async with begin(self._engine.app.pool) as tx:
            found = await queries.products(tx, self._engine.book, name, check_limit(limit))
        return tuple(_product(each) for each in found)

    @traced("stock.product")
    async def product(self, product: str) -> Product:
        """A product, with what there is of each size as of the last commit.

        Raises:
            NotFound: the book has no such product (unknown-product).
        """
        name = check_product(product)
        async with begin(self._engine.app.pool) as tx:
            return _product(await queries.product(tx, self._engine.book, name))

    @traced("stock.put")
    async def put(  # noqa: PLR0913  # the fields of a product
        self,
        product: str,
        *,
        name: str,
        price: int,
        currency: str,
        sizes: Mapping[str, int],
        on_refund: OnRefund | str = OnRefund.RESTOCK,
        idempotency_key: str | None = None,
    ) -> Product:
        """Sell a product on these terms from now on; sizes that are not named are sold no more.

        What there is of a size is changed by `move` alone. Orders keep the price that they had.

        Args:
            product: its name in the shop's own system: letters, digits, dots, hyphens.
            name: as people read it.
            price: of one, in minor units: 2500 of eur is 25 EUR.
            currency: three small letters.
            sizes: in their order, each with the number of available ones at which it is low.
            on_refund: what becomes of its goods when their money goes back before they were sent:
                restock or keep.
            idempotency_key: done once for it.

        Raises:
            Conflict: the key is that of another request.
        """
        terms = Terms(
            check_product(product), check_text("name", name), check_money("price", price),
            check_currency(currency), check_word("on_refund", on_refund, OnRefund),
            check_sizes(sizes),
        )  # fmt: skip
        key = "" if idempotency_key is None else check_text("key", idempotency_key)
        app, book = self._engine.app, self._engine.book
        asset = await app.directory.asset(book, ASSET)

        async def work(tx: AsyncConnection) -> Figures:
            await commands.put_product(tx, book, asset.id, terms)
            return {}

        said: dict[str, object] = {
            "product": terms.product, "name": terms.name, "price": terms.amount,
            "currency": terms.currency, "on_refund": terms.on_refund,
            "sizes": [(each.size, each.low_at) for each in terms.sizes],
        }  # fmt: skip
        _, replayed = await once(app.pool, Deed(book, "stock-put", key, said), work)
        app.till.shelf.forget()
        return replace(await self.product(terms.product), replayed=replayed)

    @traced("stock.move")
    async def move(  # noqa: PLR0913  # the fields of a movement
        self,
        product: str,
        size: str,
        quantity: int,
        *,
        type: MovementType | str = MovementType.RESTOCK,  # noqa: A002  # the word of the API
        reason: str,
        idempotency_key: str,
        reference: str | None = None,
    ) -> StockMovement:
        """Note what was delivered (restock), what came back (return), or a miscount (adjustment).

        Args:
            product: which.
            size: which of it.
            quantity: how many; below zero for an adjustment downwards.
            type: restock, return or adjustment. Sales are made by orders and reservations.
            reason: why, as the journal says it.
            idempotency_key: done once for it.
            reference: of the caller's own, as a delivery note's number.

        Raises:
            NotFound: there is no such product or size (unknown-product, unknown-size).
            InsufficientStock: less than that is free to be taken away, and nothing was.
            Conflict: the key is that of another request.
        """
        wanted = restocking.Wanted(
            check_product(product), check_size(size), check_word("type", type, MovementType),
            check_whole("quantity", quantity, -QUANTITY, QUANTITY), check_text("reason", reason),
            None if reference is None else check_text("reference", reference),
            check_text("key", idempotency_key),
        )  # fmt: skip
        moved = await restocking.move(self._engine.app.till, self._engine.book, wanted)
        return replace(_movement(moved.movement), replayed=moved.replayed)

    @traced("stock.movements")
    async def movements(
        self,
        product: str | None = None,
        size: str | None = None,
        *,
        before: StockMovement | None = None,
        limit: int = LIST_DEFAULT,
    ) -> tuple[StockMovement, ...]:
        """Movements, the newest first: of all, of a product, or of a size of it.

        Args:
            product: of which.
            size: of which size of it.
            before: the last one seen, for the next page.
            limit: at most so many, up to 100.
        """
        of = (
            None if product is None else check_product(product),
            None if size is None else check_size(size),
        )
        last: tuple[int, int, int] | None = None
        if before is not None:
            place = parse_movement(before.id)
            if place is None:
                raise Invalid("field-invalid", field="before")
            last = ((before.at - _EPOCH) // _MICROSECOND, *place)
        async with begin(self._engine.app.pool) as tx:
            found = await queries.movements(tx, self._engine.book, of, last, check_limit(limit))
        return tuple(_movement(each) for each in found)

    @traced("stock.reserve")
    async def reserve(
        self,
        items: Iterable[Item],
        *,
        reference: str,
        minutes: int | None = None,
        idempotency_key: str | None = None,
    ) -> Reservation:
        """Set stock aside, all of it or nothing, for a sale that the caller makes himself.

        End it with `commit` when it is sold, or with `release`; else it ends by itself.

        Args:
            items: products, sizes and quantities, 100 at most.
            reference: what it is for, in the caller's own words.
            minutes: for how long; STOCK_RESERVATION_MINUTES by default (30), a week at most.
            idempotency_key: done once for it, and once each time without.

        Raises:
            InsufficientStock: there is less of something, and nothing was set aside; `figures` has
                `product`, `size`, `wanted` and `available`. An unknown size has 0.
            Conflict: the key is that of another request.
        """
        most = reserving.MINUTES_MOST
        wanted = reserving.Wanted(
            check_items(items), check_text("reference", reference),
            None if minutes is None else check_whole("minutes", minutes, 1, most),
            key_of(self._engine, idempotency_key),
        )  # fmt: skip
        made = await reserving.reserve(self._engine.app.till, self._engine.book, wanted)
        return Reservation(made.id, showing.moment(made.expires_at), made.replayed)

    @traced("stock.release")
    async def release(self, id: UUID | str) -> Order:  # noqa: A002  # what it is
        """Give back what was set aside; again changes nothing.

        Raises:
            NotFound: the book has no such reservation (reservation-not-found).
            Conflict: it was sold (reservation-committed).
        """
        named, engine = identified(id, _GONE), self._engine
        return await shown(engine, await reserving.release(engine.app.till, engine.book, named))

    @traced("stock.commit")
    async def commit(self, id: UUID | str, order_number: str) -> Order:  # noqa: A002  # what it is
        """Note that what was set aside is sold, under a number of the caller's; again is the same.

        One whose time was over is sold all the same, while there is enough.

        Raises:
            NotFound: the book has no such reservation (reservation-not-found).
            Conflict: it was sold under another number (reservation-committed).
            InsufficientStock: its time was over, and somebody else has it by now.
        """
        named, engine = identified(id, _GONE), self._engine
        number = check_number(order_number)
        sold = await reserving.commit(engine.app.till, engine.book, named, number)
        return await shown(engine, sold)

    @traced("stock.expire")
    async def expire(self) -> Cleaned:
        """Close orders and reservations whose time is over; a worker does it every minute.

        Nothing is given back that somebody could still pay for: the provider is asked first.
        """
        cleaned = await closing.clean(self._engine.app.till, self._engine.book)
        return Cleaned(cleaned.examined, cleaned.released, cleaned.captured, cleaned.kept)


def _product(of: model.Product) -> Product:
    sizes = tuple(
        StockSize(each.size, each.stock, each.reserved, each.available, each.low_at, each.is_low)
        for each in of.sizes
    )
    return Product(of.product, of.name, Money(of.amount, of.currency), of.on_refund, sizes)


def _movement(of: model.Movement) -> StockMovement:
    return StockMovement(
        id=movement_name(of.account, of.version),
        product=of.product,
        size=of.size,
        type=of.type,
        quantity=of.quantity,
        stock_before=of.before,
        stock_after=of.after,
        reason=of.reason,
        reference=of.reference,
        order_reference=of.order_reference,
        at=showing.moment(of.at),
    )
