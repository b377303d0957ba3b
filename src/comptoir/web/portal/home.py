"""What a customer has, and buying more."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from comptoir.domains.credits import packs, queries, statement
from comptoir.domains.credits.commands import CREDITS, STOCK
from comptoir.domains.credits.model import Balance
from comptoir.domains.credits.packs import Pack
from comptoir.domains.credits.statement import Entry
from comptoir.flows import purchase
from comptoir.flows.purchase import Wanted
from comptoir.store.facts import Asset
from comptoir.store.pool import begin_brief
from comptoir.store.reading import read_accounts
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.pages.forms import Anything, go, operation
from comptoir.web.portal.entering import come_in
from comptoir.web.portal.leaving import leave
from comptoir.web.portal.look import OwnLook
from comptoir.web.portal.visits import HOME, Visit, acting, read
from comptoir.web.portal.words import told, why
from comptoir.web.replies import Reply

_LAST: Final = 5
_PACK_LENGTH: Final = 50


@dataclass(frozen=True, slots=True)
class Owned:
    """What a customer has of an asset.

    Attributes:
        account: its id; 0 when he has never used it.
    """

    asset: Asset
    account: int
    balance: Balance


@dataclass(frozen=True, slots=True)
class Offer:
    """A pack, as it is shown.

    Attributes:
        name: empty when it says no more than how many credits there are in it.
    """

    id: str
    name: str
    credits: str
    price: str
    each: str
    tax: str
    is_best: bool


async def owned(visit: Visit) -> list[Owned]:
    """All that a customer has: credits first, and whatever else he has ever had."""
    app, book, named = visit.call.app, visit.who.book, visit.who.named
    facts = await app.directory.facts(book)
    others = [each for code, each in sorted(facts.assets.items()) if code not in (CREDITS, STOCK)]
    ids: dict[str, int] = {}
    for asset in (facts.assets[CREDITS], *others):
        ids[asset.code] = await app.directory.find_account(book, asset, named) or 0
    accounts = await read_accounts(app.pool, book, facts, [id_ for id_ in ids.values() if id_])
    return [
        Owned(asset, ids[asset.code], queries.balance(named, asset, accounts.get(ids[asset.code])))
        for asset in (facts.assets[CREDITS], *others)
        if asset.code == CREDITS or ids[asset.code] in accounts
    ]


async def home(visit: Visit) -> Reply:
    """GET /portal."""
    app, book = visit.call.app, visit.who.book
    own, *others = await owned(visit)
    expiry, last = None, list[Entry]()
    async with begin_brief(app.pool) as tx:
        if own.account:
            expiry = await statement.next_expiry(tx, book, own.account)
            below = own.balance.version + 1
            last = list(
                (await statement.entries(tx, (book, own.account), below, "all", _LAST)).rows
            )
        found = await packs.packs(tx, book)
    facts = await app.directory.facts(book)
    assets = {asset.id: asset for asset in facts.assets.values()}
    later = "tax.later" if app.till.terms.automatic_tax else ""
    return visit.page(
        "home.html", own=own, others=[each for each in others if each.balance.posted],
        expiry=expiry, last=last, can_buy=app.till.stripe is not None,
        told=told, why=why, offers=offers(visit.look, found, assets, later=later),
    )  # fmt: skip


def offers(
    look: OwnLook, found: Sequence[Pack], assets: dict[int, Asset], *, later: str
) -> list[Offer]:
    """Packs as they are shown; `later` names what is said of a tax that the provider adds."""
    worth = {each.id: Fraction(each.amount, each.credits) for each in found}
    shown: list[Offer] = []
    for each in found:
        alike = [o for o in found if (o.asset, o.currency) == (each.asset, each.currency)]
        least = min(worth[o.id] for o in alike)
        is_best = worth[each.id] == least and any(worth[o.id] > least for o in alike)
        asset = assets[each.asset]
        name = each.name.get(look.language) or each.name.get("en") or each.id
        credits_ = look.of_asset(each.credits, asset.scale, asset.code)
        unsaid = look.t(later) if later and not each.tax_included else ""
        shown.append(
            Offer(
                id=each.id,
                name="" if _bare(name) == _bare(credits_) else name,
                credits=credits_,
                price=look.money(each.amount, each.currency),
                each=_unit_price(look, each, asset),
                tax=_tax(look, each) or unsaid,
                is_best=is_best,
            )
        )
    return shown


def _bare(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())


def _unit_price(look: OwnLook, of: Pack, asset: Asset) -> str:
    text = packs.unit_price(of.amount, of.credits, asset.scale)
    whole, _, part = text.partition(".")
    text = f"{whole}.{part:0<2}"
    said = text.replace(".", ",") if look.language == "fr" else text
    return f"{said} {of.currency.upper()}"


def _tax(look: OwnLook, of: Pack) -> str:
    percent: Decimal | None = of.tax_percent
    if percent is None:
        return ""
    said = f"{percent.normalize():f}"
    said = said.replace(".", ",") if look.language == "fr" else said
    if of.tax_included:
        return look.t("tax.included", percent=said)
    _, whole = packs.taxed(of.amount, percent, included=False)
    return look.t("tax.added", percent=said, sum=look.money(whole, of.currency))


async def buy(visit: Visit) -> Reply:
    """POST /portal/buy: one purchase for a form and a pack, however often it is sent."""
    app, who = visit.call.app, visit.who
    pack = visit.form.get("pack", "")
    if not pack or len(pack) > _PACK_LENGTH or not pack.isprintable():
        raise Unfit.field("pack", "missing")
    wanted = Wanted(who.named, pack, f"{visit.key}:{pack}", scope=f"buy:{who.customer}")
    begun = await purchase.buy(app.till, who.book, wanted)
    found = await purchase.state(app.till, who.book, begun.id)
    if found.status != "pending":
        return go(f"{purchase.RETURN_PATH}?purchase={begun.id}")
    return leave(visit, begun.checkout_url)


async def _first(call: Call, query: Anything) -> Reply:
    """GET /portal, with or without a token."""
    if "token" in (query.model_extra or {}):
        return await come_in(call, query)
    return await read(call, query, home)


OPERATIONS: Final = (operation("GET", HOME, _first), acting(f"{HOME}/buy", buy))
