"""The price book: what an action costs."""

from decimal import Decimal

from comptoir.domains.credits import queries
from comptoir.domains.credits.commands import CREDITS, put_price
from comptoir.kit.amounts import parse_amount, parse_cost
from comptoir.library import showing
from comptoir.library.answers import Price
from comptoir.library.asking import amount_text, check_text, cost_text
from comptoir.library.engine import Engine
from comptoir.library.requests import Amount
from comptoir.library.tracing import traced
from comptoir.store.pool import begin


class Prices:
    """The prices of the book. A price is never changed: a new version takes its place."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @traced("prices.set")
    async def set(
        self,
        action: str,
        amount: Amount,
        *,
        real_cost: Decimal | str | None = None,
        asset: str = CREDITS,
    ) -> Price:
        """Say what an action costs from now on; saying it again changes nothing.

        `real_cost` is what the seller pays, in the major unit of money. A running process may use
        the old price for one more second.

        Raises:
            Invalid: a field is not what it must be.
            NotFound: the book does not have the asset.
            Conflict: somebody else set the same price at the same time.
        """
        name = check_text("action", action)
        app, book = self._engine.app, self._engine.book
        kind = await app.directory.asset(book, check_text("asset", asset))
        units = parse_amount(amount_text(amount), kind.scale)
        cost = None
        if real_cost is not None:
            cost = parse_cost(cost_text(real_cost, "real_cost"), field="real_cost")
        async with begin(app.pool) as tx:
            price = await put_price(tx, book, kind, action=name, amount=units, real_cost=cost)
        app.forget_price(book, kind, name)
        return showing.price(price, kind)

    @traced("prices.get")
    async def get(self, action: str, *, asset: str = CREDITS) -> Price:
        """The price of an action in force.

        Raises:
            NotFound: the price book does not have it.
        """
        name = check_text("action", action)
        app, book = self._engine.app, self._engine.book
        kind = await app.directory.asset(book, check_text("asset", asset))
        async with begin(app.pool) as tx:
            return showing.price(await queries.price(tx, book, kind, name), kind)
