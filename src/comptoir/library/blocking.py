"""The library's classes for callers who wait; the signatures are those of the async ones."""

from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from types import TracebackType
from typing import ParamSpec, Self

from comptoir.library import (
    billing,
    holding,
    ledger,
    orders,
    payments,
    people,
    prices,
    stock,
    tokens,
    verbs,
)
from comptoir.library import credits as awaited
from comptoir.library.answers import Captured, Hold, HoldMade
from comptoir.library.portal import Portal, Waiting
from comptoir.library.requests import Amount

P = ParamSpec("P")


class Verbs:
    """What changes balances: see `comptoir.library.verbs.Verbs`."""

    def __init__(self, waiting: Waiting, of: verbs.Verbs) -> None:
        self.grant = waiting(of.grant)
        self.spend = waiting(of.spend)
        self.charge = waiting(of.charge)
        self.hold = waiting(of.hold)
        self.capture = waiting(of.capture)
        self.release = waiting(of.release)
        self.renew = waiting(of.renew)
        self.reverse = waiting(of.reverse)
        self.transfer = waiting(of.transfer)


class Holding:
    """The hold of one `with` block: see `comptoir.library.holding.Holding`."""

    def __init__(self, portal: Portal, of: holding.Holding) -> None:
        self._portal = portal
        self._of = of
        self.renew = portal.waiting(of.renew)

    @property
    def made(self) -> HoldMade:
        """The hold as it was made, and the balance then."""
        return self._of.made

    @property
    def hold(self) -> Hold:
        """The hold."""
        return self._of.hold

    @property
    def id(self) -> str:
        """The id of the hold."""
        return self._of.id

    @property
    def used(self) -> Decimal:
        """What was reported last."""
        return self._of.used

    @property
    def settled(self) -> Captured | HoldMade | None:
        """How the hold ended: captured, or released; None while it has not."""
        return self._of.settled

    def report(
        self, used: Amount, *, model: str | None = None, cost: Decimal | str | None = None
    ) -> None:
        """Say how much has been used so far, in all: the last report counts, 0 gives all back.

        Raises:
            Invalid: `used` is no exact amount of the asset; the report before it still counts.
        """
        self._of.report(used, model=model, cost=cost)

    def __enter__(self) -> Self:
        self._portal.run(self._of.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        work = self._of.__aexit__(kind, error, trace)
        if kind is not None and not issubclass(kind, Exception):
            # A generator may be closed by the collector, in whatever thread, the loop's included.
            self._portal.submit(work)
        else:
            self._portal.run(work)


def _in_blocks(portal: Portal, make: Callable[P, holding.Holding]) -> Callable[P, Holding]:
    @wraps(make)
    def made(*args: P.args, **kwargs: P.kwargs) -> Holding:
        return Holding(portal, make(*args, **kwargs))

    return made


class Credits(Verbs):
    """Balances: the verbs, selling packs, holds around a piece of work, and reading."""

    def __init__(self, portal: Portal, of: awaited.Credits) -> None:
        super().__init__(portal.waiting, of)
        self.balance = portal.waiting(of.balance)
        self.movements = portal.waiting(of.movements)
        self.lots = portal.waiting(of.lots)
        self.get_hold = portal.waiting(of.get_hold)
        self.holds = portal.waiting(of.holds)
        self.holding = _in_blocks(portal, of.holding)
        self.packs = portal.waiting(of.packs)
        self.buy = portal.waiting(of.buy)
        self.purchase = portal.waiting(of.purchase)
        self.top_up = portal.waiting(of.top_up)
        self.set_top_up = portal.waiting(of.set_top_up)


class BatchLedger:
    """Batches and transfers."""

    def __init__(self, waiting: Waiting, of: ledger.BatchLedger) -> None:
        self.batch = waiting(of.batch)
        self.transfer = waiting(of.transfer)


class Ledger(BatchLedger):
    """Batches, transfers, assets, and the proof that the books balance."""

    def __init__(self, portal: Portal, of: ledger.Ledger) -> None:
        super().__init__(portal.waiting, of)
        self.verify = portal.waiting(of.verify)
        self.explain = portal.waiting(of.explain)
        self.assets = portal.waiting(of.assets)
        self.open_asset = portal.waiting(of.open_asset)


class Customers:
    """The customers of the book."""

    def __init__(self, portal: Portal, of: people.Customers) -> None:
        self.get = portal.waiting(of.get)
        self.put = portal.waiting(of.put)
        self.list = portal.waiting(of.list)
        self.export = portal.waiting(of.export)
        self.portal_link = portal.waiting(of.portal_link)
        self.erase = portal.waiting(of.erase)


class Prices:
    """The price book."""

    def __init__(self, portal: Portal, of: prices.Prices) -> None:
        self.set = portal.waiting(of.set)
        self.get = portal.waiting(of.get)


class Tokens:
    """Tokens of customers: see `comptoir.library.tokens.Tokens`."""

    def __init__(self, portal: Portal, of: tokens.Tokens) -> None:
        self.stats = portal.waiting(of.stats)
        self.record = portal.waiting(of.record)
        self.add = portal.waiting(of.add)
        self.reset = portal.waiting(of.reset)
        self.statements = portal.waiting(of.statements)


class Payments:
    """Money that comes in and goes back: see `comptoir.library.payments.Payments`."""

    def __init__(self, portal: Portal, of: payments.Payments) -> None:
        self.create = portal.waiting(of.create)
        self.get = portal.waiting(of.get)
        self.refund = portal.waiting(of.refund)


class Billing:
    """Plans that are subscribed to: see `comptoir.library.billing.Billing`."""

    def __init__(self, portal: Portal, of: billing.Billing) -> None:
        self.checkout = portal.waiting(of.checkout)
        self.portal = portal.waiting(of.portal)
        self.plans = portal.waiting(of.plans)
        self.subscription = portal.waiting(of.subscription)


class Stock:
    """Products in sizes: see `comptoir.library.stock.Stock`."""

    def __init__(self, portal: Portal, of: stock.Stock) -> None:
        self.products = portal.waiting(of.products)
        self.product = portal.waiting(of.product)
        self.put = portal.waiting(of.put)
        self.move = portal.waiting(of.move)
        self.movements = portal.waiting(of.movements)
        self.reserve = portal.waiting(of.reserve)
        self.release = portal.waiting(of.release)
        self.commit = portal.waiting(of.commit)
        self.expire = portal.waiting(of.expire)


class Orders:
    """Carts that are set aside and paid: see `comptoir.library.orders.Orders`."""

    def __init__(self, portal: Portal, of: orders.Orders) -> None:
        self.checkout = portal.waiting(of.checkout)
        self.get = portal.waiting(of.get)
        self.list = portal.waiting(of.list)
        self.cancel = portal.waiting(of.cancel)
        self.fulfil = portal.waiting(of.fulfil)
        self.take_back = portal.waiting(of.take_back)
