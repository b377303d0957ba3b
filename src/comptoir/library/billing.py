"""Plans: what they cost and give, subscribing to one, and what somebody has subscribed to."""

from comptoir.domains.subscriptions import queries
from comptoir.flows import subscribing
from comptoir.flows.subscribing import Wanted
from comptoir.library import showing
from comptoir.library.answers_money import (
    Allowance,
    Checkout,
    Money,
    Period,
    Plan,
    PlanPrice,
    Subscription,
)
from comptoir.library.asking import check_choice, check_text
from comptoir.library.engine import Engine
from comptoir.library.selling import key_of, tax, url_of
from comptoir.library.tracing import traced
from comptoir.store.pool import begin


class Billing:
    """Plans that are subscribed to.

    Whatever asks the provider may raise Conflict, where the provider would not have it
    (provider-refused), and Unavailable, where nobody has given us a key
    (payments-not-configured), or the provider or the database cannot be reached: ask again with the
    same key.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @traced("billing.checkout")
    async def checkout(  # the fields of the API
        self,
        customer: str,
        plan: str,
        interval: str,
        *,
        idempotency_key: str | None = None,
        success_url: str | None = None,
        cancel_url: str | None = None,
    ) -> Checkout:
        """Let a customer subscribe: send him to `checkout_url`.

        Args:
            customer: who subscribes.
            plan: of `plans`.
            interval: month or year.
            idempotency_key: begun once for it, and once each time without.
            success_url: where he comes back to when he has paid.
            cancel_url: where he comes back to when he has not.

        Raises:
            NotFound: the plan has no price at the provider (plan-not-for-sale).
            Conflict: he has subscribed already: `portal` is for changes.
            Invalid: an argument is not what it must be.
        """
        wanted = Wanted(
            check_text("customer", customer),
            check_text("plan", plan),
            check_choice("interval", interval),
            key_of(self._engine, idempotency_key),
            url_of("success_url", success_url),
            url_of("cancel_url", cancel_url),
        )
        url, replayed = await subscribing.checkout(self._engine.app.till, self._engine.book, wanted)
        return Checkout(url, replayed)

    @traced("billing.portal")
    async def portal(self, customer: str, *, return_url: str | None = None) -> str:
        """The address of a page on which a customer changes or ends his subscription.

        Raises:
            NotFound: he has nothing there (nothing-subscribed).
            Invalid: an argument is not what it must be.
        """
        name, back = check_text("customer", customer), url_of("return_url", return_url)
        return await subscribing.portal(self._engine.app.till, self._engine.book, name, back)

    @traced("billing.plans")
    async def plans(self) -> tuple[Plan, ...]:
        """The plans of the book, with what they cost, allow and give."""
        app, book = self._engine.app, self._engine.book
        facts = await app.directory.facts(book)
        assets = {asset.id: asset for asset in facts.assets.values()}
        async with begin(app.pool) as tx:
            found = await queries.plans(tx, book)
            prices = await queries.prices(tx, book)
            allowances = await queries.allowances(tx, book)
        costs: dict[str, list[PlanPrice]] = {plan: [] for plan, _ in found}
        for price in prices:
            said = tax(price.amount, price.tax_percent, included=price.tax_included)
            shown = PlanPrice(price.period, Money(price.amount, price.currency), said)
            costs.setdefault(price.plan, []).append(shown)
        gives: dict[str, list[Allowance]] = {plan: [] for plan, _ in found}
        for each in allowances:
            asset = assets[each.asset]
            amount = showing.decimal(each.amount, asset.scale)
            rollover = showing.decimal(each.rollover, asset.scale)
            gives.setdefault(each.plan, []).append(Allowance(asset.code, amount, rollover))
        return tuple(
            Plan(plan, dict(quotas), tuple(costs[plan]), tuple(gives[plan]))
            for plan, quotas in found
        )

    @traced("billing.subscription")
    async def subscription(self, customer: str) -> Subscription:
        """What a customer has subscribed to; the free plan for whoever has never."""
        name = check_text("customer", customer)
        found = await subscribing.standing(self._engine.app.till, self._engine.book, name)
        of = found.subscription
        if of is None:
            return Subscription(name, found.plan, "none", None, None, None)
        at = showing.moment_or_none
        period = Period(at(of.starts_at), at(of.ends_at), of.period)
        return Subscription(
            name, found.plan, of.status, period, at(of.cancel_at), at(of.trial_ends_at)
        )
