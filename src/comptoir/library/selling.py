"""Packs, buying them, what becomes of a purchase, and buying again by itself."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from comptoir.domains.credits import packs, queries
from comptoir.domains.payments import queries as payments
from comptoir.flows import purchase, topping_up
from comptoir.flows.purchase import State, Wanted
from comptoir.kit.errors import Invalid
from comptoir.library import showing
from comptoir.library.answers import Balance
from comptoir.library.answers_money import Money, Pack, Purchase, PurchaseBegun, Tax, TopUp
from comptoir.library.asking import check_money, check_text, identified
from comptoir.library.engine import Engine
from comptoir.library.tracing import traced
from comptoir.library.verbs import Verbs
from comptoir.store.facts import Asset
from comptoir.store.pool import begin
from comptoir.store.reading import read_account

_ENGLISH: Final = "en"


class Selling(Verbs):
    """The verbs, and selling packs of what customers hold.

    Whatever asks the provider may raise Conflict, where the provider would not have it
    (provider-refused), and Unavailable, where nobody has given us a key
    (payments-not-configured), or the provider or the database cannot be reached: ask again with the
    same key.
    """

    @traced("credits.packs")
    async def packs(self, *, locale: str = _ENGLISH) -> tuple[Pack, ...]:
        """The packs that are for sale, the cheapest first; names as `locale` has them.

        Raises:
            Invalid: there is no such locale.
        """
        language = check_text("locale", locale)[:2]
        facts = await self._engine.app.directory.facts(self._engine.book)
        assets = {asset.id: asset for asset in facts.assets.values()}
        async with begin(self._engine.app.pool) as tx:
            found = await packs.packs(tx, self._engine.book)
        return tuple(_pack(each, assets[each.asset], language) for each in found)

    @traced("credits.buy")
    async def buy(
        self,
        customer: str,
        pack: str,
        *,
        idempotency_key: str | None = None,
        success_url: str | None = None,
        cancel_url: str | None = None,
    ) -> PurchaseBegun:
        """Begin to buy a pack: send the customer to `checkout_url`. What he pays comes by itself.

        Args:
            customer: who buys.
            pack: of `packs`.
            idempotency_key: begun once for it, and once each time without.
            success_url: where he comes back to when he has paid.
            cancel_url: where he comes back to when he has not.

        Raises:
            NotFound: there is no such pack.
            Invalid: an argument is not what it must be.
            Conflict: the key is that of another purchase.
        """
        app, book = self._engine.app, self._engine.book
        wanted = Wanted(
            check_text("customer", customer),
            check_text("pack", pack),
            key_of(self._engine, idempotency_key),
            url_of("success_url", success_url),
            url_of("cancel_url", cancel_url),
        )
        begun = await purchase.buy(app.till, book, wanted)
        found = await purchase.state(app.till, book, begun.id)
        return PurchaseBegun(begun.id, begun.checkout_url, found.status, begun.replayed)

    @traced("credits.purchase")
    async def purchase(
        self,
        id: UUID | str,  # noqa: A002  # what it is
        *,
        wait_seconds: float = 0,
    ) -> Purchase:
        """What has become of a purchase, as of the last commit.

        Args:
            id: of the purchase.
            wait_seconds: how long to wait until the credits are there, 20 at most; meanwhile the
                provider is asked once, should its event be lost.

        Raises:
            NotFound: the book has no such purchase.
            Invalid: it cannot wait so long.
        """
        if not 0 <= wait_seconds <= purchase.WAIT_MOST:
            raise Invalid("field-invalid", field="wait_seconds")
        named, engine = identified(id, "purchase-not-found"), self._engine
        found = await purchase.wait(engine.app.till, engine.book, named, wait_seconds)
        return await _shown(engine, found)

    @traced("credits.top_up")
    async def top_up(self, customer: str) -> TopUp:
        """How a customer buys again by himself.

        Raises:
            NotFound: nobody has ever said so.
        """
        name = check_text("customer", customer)
        found = await topping_up.find(self._engine.app.till, self._engine.book, name)
        return _top_up(name, found)

    @traced("credits.set_top_up")
    async def set_top_up(
        self, customer: str, *, enabled: bool, pack: str, monthly_cap: int
    ) -> TopUp:
        """Let a customer buy a pack again when he runs low, up to so much money a month, or not.

        Raises:
            NotFound: there is no such pack.
            Invalid: an argument is not what it must be.
        """
        name, cap = check_text("customer", customer), check_money("monthly_cap", monthly_cap)
        wanted = topping_up.TopUp(check_text("pack", pack), enabled, cap, 0, None)
        found = await topping_up.put(self._engine.app.till, self._engine.book, name, wanted)
        return _top_up(name, found)


def key_of(engine: Engine, key: str | None) -> str:
    """The caller's key, or one that nobody has used."""
    return str(engine.app.new_id()) if key is None else check_text("key", key)


def url_of(name: str, url: str | None) -> str | None:
    """Where somebody comes back to.

    Raises:
        Invalid: it is no address of a page.
    """
    return None if url is None else check_text(name, url)


def tax(amount: int, percent: Decimal | None, *, included: bool) -> Tax | None:
    """A price with and without its tax; None where nobody has said one."""
    if percent is None:
        return None
    without, with_tax = packs.taxed(amount, percent, included=included)
    return Tax(percent, included, without, with_tax)


def _pack(of: packs.Pack, asset: Asset, language: str) -> Pack:
    return Pack(
        id=of.id,
        name=of.name.get(language) or of.name.get(_ENGLISH) or of.id,
        asset=asset.code,
        credits=showing.decimal(of.credits, asset.scale),
        price=Money(of.amount, of.currency),
        unit_price=Decimal(packs.unit_price(of.amount, of.credits, asset.scale)),
        tax=tax(of.amount, of.tax_percent, included=of.tax_included),
    )


async def _shown(engine: Engine, of: State) -> Purchase:
    asset = await engine.app.directory.asset_of(engine.book, of.asset)
    async with begin(engine.app.pool) as tx:
        name = (await payments.customer(tx, engine.book, of.customer))[0]
    return Purchase(
        id=of.id,
        status=of.status,
        customer=name,
        pack=of.pack,
        asset=asset.code,
        credits=showing.decimal(of.credits, asset.scale),
        price=Money(of.amount, of.currency),
        created_at=showing.moment(of.created_at),
        balance=None if name is None else await _balance(engine, asset, name),
    )


async def _balance(engine: Engine, asset: Asset, name: str) -> Balance:
    app, book = engine.app, engine.book
    account = await app.directory.find_account(book, asset, name)
    facts = await app.directory.facts(book)
    found = await read_account(app.pool, book, facts, account) if account else None
    return showing.balance(name, asset, queries.balance(name, asset, found))


def _top_up(customer: str, of: topping_up.TopUp) -> TopUp:
    failed_at = None if of.failed_at is None else showing.moment(of.failed_at)
    return TopUp(customer, of.enabled, of.pack, of.monthly_cap, of.spent, failed_at)
