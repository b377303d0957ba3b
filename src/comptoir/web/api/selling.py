"""Packs, buying them, what becomes of a purchase, buying again by itself, and the margin."""

from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from comptoir.domains.credits import margin, packs, queries
from comptoir.domains.credits.commands import CREDITS
from comptoir.domains.credits.margin import Span
from comptoir.domains.credits.packs import Pack
from comptoir.domains.payments import queries as payments
from comptoir.flows import purchase, topping_up
from comptoir.flows.purchase import WAIT_MOST, State, Wanted
from comptoir.flows.topping_up import TopUp
from comptoir.kit.actor import Role
from comptoir.kit.amounts import format_amount
from comptoir.kit.errors import NotFound
from comptoir.kit.limits import COST_SCALE, DAY
from comptoir.store.pool import begin, fetch
from comptoir.store.reading import read_account
from comptoir.web import shapes_money as shapes
from comptoir.web import views, wire
from comptoir.web.api.reading import WhoseField, whose
from comptoir.web.call import Call
from comptoir.web.replies import PRIVATE, REPLAYED, Reply, ok, write_moment, write_time
from comptoir.web.routing import EVERYBODY, OPERATORS, SERVERS, Operation

_PRICES: Final = 100

ReturnUrl = Annotated[
    str,
    wire.url(2_000),
    Field(examples=["https://shop.example.com/thanks"]),
]


class BuyBody(wire.Wire):
    """Which pack is bought."""

    customer: WhoseField = None
    pack: Annotated[str, wire.text(50), Field(examples=["100"])]
    success_url: ReturnUrl | None = None
    cancel_url: ReturnUrl | None = None


class PurchaseQuery(wire.Wire):
    """How long to wait until the credits are there."""

    wait_seconds: Annotated[int, Field(ge=0, le=WAIT_MOST), wire.WHOLE] = 0


class TopUpQuery(wire.Wire):
    """Whose."""

    customer: WhoseField = None


class TopUpBody(wire.Wire):
    """Whether and up to how much a customer buys again by himself."""

    customer: WhoseField = None
    enabled: bool
    pack: Annotated[str, wire.text(50), Field(examples=["100"])]
    monthly_cap: Annotated[int, Field(ge=1, le=10**12, examples=[5700])]


class MarginQuery(wire.Wire):
    """Of which time, and by what."""

    since: Annotated[wire.Time | None, Field(alias="from")] = None
    until: Annotated[wire.Time | None, Field(alias="to")] = None
    by: Literal["action", "customer", "model"] = "action"
    asset: wire.AssetCode = CREDITS


async def list_packs(call: Call) -> Reply:
    """GET /api/credits/packs."""
    facts = await call.app.directory.facts(call.actor.book)
    scales = {asset.id: asset for asset in facts.assets.values()}
    async with begin(call.app.pool) as tx:
        found = await packs.packs(tx, call.actor.book)
    items: list[dict[str, Any]] = []
    for each in found:
        asset = scales[each.asset]
        items.append({
            "id": each.id,
            "name": each.name.get(call.language) or each.name.get("en") or each.id,
            "asset": asset.code,
            "credits": format_amount(each.credits, asset.scale),
            "price": {"amount": each.amount, "currency": each.currency},
            "unit_price": packs.unit_price(each.amount, each.credits, asset.scale),
            "tax": tax(each.amount, each.tax_percent, included=each.tax_included),
        })  # fmt: skip
    return ok({"items": items}, PRIVATE)


def tax(amount: int, percent: Decimal | None, *, included: bool) -> dict[str, Any] | None:
    """A price with and without its tax; None where nobody has said one."""
    if percent is None:
        return None
    without, with_tax = packs.taxed(amount, percent, included=included)
    text = f"{percent.normalize():f}"
    return {"percent": text, "included": included, "without_tax": without, "with_tax": with_tax}


async def buy(call: Call, body: BuyBody) -> Reply:
    """POST /api/credits/buy."""
    customer = await whose(call, body.customer)
    key = call.key or str(call.app.new_id())
    scope = f"buy:{call.actor.customer}" if call.actor.role is Role.CUSTOMER else ""
    wanted = Wanted(customer, body.pack, key, body.success_url, body.cancel_url, scope)
    begun = await purchase.buy(call.app.till, call.actor.book, wanted)
    found = await purchase.state(call.app.till, call.actor.book, begun.id)
    content = {
        "purchase": str(begun.id), "checkout_url": begun.checkout_url, "status": found.status,
    }  # fmt: skip
    return ok(content, *((REPLAYED,) if begun.replayed else ()), status=201)


async def read_purchase(call: Call, query: PurchaseQuery) -> Reply:
    """GET /api/credits/purchases/{id}: waits until the credits are there, when asked to."""
    book, id_ = call.actor.book, named(call.part("id"), "purchase-not-found")
    found = await purchase.state(call.app.till, book, id_)
    if call.actor.role is Role.CUSTOMER and found.customer != call.actor.customer:
        raise NotFound("purchase-not-found")
    if query.wait_seconds:
        found = await purchase.wait(call.app.till, book, id_, query.wait_seconds)
    return ok(await _purchase(call, found), PRIVATE)


_NAME: Final = """
SELECT c.customer, a.id FROM comptoir.customers c
LEFT JOIN comptoir.accounts a
    ON a.book_id = c.book_id AND a.customer_id = c.id AND a.asset_id = %s
WHERE c.book_id = %s AND c.id = %s"""


async def _purchase(call: Call, found: State) -> dict[str, Any]:
    book, app = call.actor.book, call.app
    asset = await app.directory.asset_of(book, found.asset)
    [(name, account)] = await fetch(app.pool, _NAME, (asset.id, book, found.customer))
    content: dict[str, Any] = {
        "id": str(found.id),
        "status": found.status,
        "customer": name,
        "pack": found.pack,
        "asset": asset.code,
        "credits": format_amount(found.credits, asset.scale),
        "price": {"amount": found.amount, "currency": found.currency},
        "created_at": write_time(found.created_at),
    }
    if name is not None:
        facts = await app.directory.facts(book)
        held = await read_account(app.pool, book, facts, account) if account else None
        content["balance"] = views.balance(queries.balance(name, asset, held))
    return content


async def read_top_up(call: Call, query: TopUpQuery) -> Reply:
    """GET /api/credits/top-up."""
    customer = await whose(call, query.customer)
    found = await topping_up.find(call.app.till, call.actor.book, customer)
    return ok(_top_up(customer, found), PRIVATE)


async def put_top_up(call: Call, body: TopUpBody) -> Reply:
    """PUT /api/credits/top-up."""
    customer = await whose(call, body.customer)
    wanted = TopUp(body.pack, body.enabled, body.monthly_cap, 0, None)
    found = await topping_up.put(call.app.till, call.actor.book, customer, wanted)
    return ok(_top_up(customer, found))


def _top_up(customer: str, of: TopUp) -> dict[str, Any]:
    return {
        "customer": customer,
        "enabled": of.enabled,
        "pack": of.pack,
        "monthly_cap": of.monthly_cap,
        "spent_this_month": of.spent,
        "failed_at": write_moment(of.failed_at),
    }


async def read_margin(call: Call, query: MarginQuery) -> Reply:
    """GET /api/credits/margin."""
    book, now = call.actor.book, call.now
    asset = await call.app.directory.asset(book, query.asset)
    until = query.until if query.until is not None else now + DAY
    since = query.since if query.since is not None else until - 31 * DAY
    async with begin(call.app.pool) as tx:
        earned = await margin.earned(tx, Span(book, asset.id, since, until), query.by)
        fees = await payments.fees(tx, book, since, until)
        prices = await queries.prices(tx, book, asset, "", _PRICES)
        found = [each for each in await packs.packs(tx, book) if each.asset == asset.id]
    nets = {each.id: _net(each) for each in found}
    content: dict[str, Any] = {
        "since": write_time(since),
        "until": write_time(until),
        "by": query.by,
        "items": [_earned(each, asset.scale) for each in earned],
        "fees": [{"amount": fee, "currency": currency} for currency, fee in fees],
        "actions": [
            {
                "action": each.action,
                "pack": each.pack,
                "credits": format_amount(each.credits, asset.scale),
                "price": _decimal(each.price),
                "real_cost": None if each.cost is None else _decimal(each.cost),
                "margin_percent": None
                if each.cost is None
                else margin.percent(each.price, each.cost),
                "currency": each.currency,
            }
            for each in margin.at_list_price(prices, found, nets)
        ],
    }
    return ok(content, PRIVATE)


def _net(pack: Pack) -> int:
    return packs.taxed(pack.amount, pack.tax_percent, included=pack.tax_included)[0]


def _earned(of: margin.Earned, scale: int) -> dict[str, Any]:
    cost = Decimal(of.cost).scaleb(-COST_SCALE)
    revenue = [{"amount": sum_, "currency": name} for name, sum_ in sorted(of.revenue.items())]
    only = Decimal(revenue[0]["amount"]).scaleb(-2) if len(revenue) == 1 else None
    return {
        "key": of.key,
        "times": of.times,
        "credits": format_amount(of.credits, scale),
        "unpaid_credits": format_amount(of.unpaid, scale),
        "revenue": revenue,
        "cost": _decimal(cost),
        "margin": None if only is None else _decimal(only - cost),
        "margin_percent": None if only is None else margin.percent(only, cost),
    }


def _decimal(of: Decimal) -> str:
    text = f"{of.normalize():f}"
    return text if text != "-0" else "0"


def named(text: str, missing: str) -> UUID:
    """The id that a path names.

    Raises:
        NotFound: nothing has such a name; `missing` is the code.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(missing) from None


PART: Final[dict[str, dict[str, Any]]] = {"id": {"type": "string", "format": "uuid"}}
PROVIDER_CODES: Final = ("payments-not-configured", "provider-down", "provider-refused")

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/credits/packs",
        handler=list_packs,
        summary=("List the packs for sale", "Lister les packs en vente"),
        tag="credits",
        roles=EVERYBODY,
        answer=shapes.PacksShape,
    ),
    Operation(
        method="POST",
        path="/api/credits/buy",
        handler=buy,
        may_be_keyed=True,
        summary=("Buy a pack", "Acheter un pack"),
        tag="credits",
        roles=EVERYBODY,
        body=BuyBody,
        status=201,
        answer=shapes.BegunShape,
        codes=("unknown-pack", *PROVIDER_CODES),
        headers={"Idempotent-Replayed": "true when it was begun before, under the same key"},
        ask={"customer": "alice@example.com", "pack": "100"},
    ),
    Operation(
        method="GET",
        path="/api/credits/purchases/{id}",
        handler=read_purchase,
        summary=("Read a purchase", "Lire un achat"),
        tag="credits",
        roles=EVERYBODY,
        query=PurchaseQuery,
        parts=PART,
        answer=shapes.PurchaseShape,
        codes=("purchase-not-found",),
    ),
    Operation(
        method="GET",
        path="/api/credits/top-up",
        handler=read_top_up,
        summary=("Read how a customer buys again", "Lire la recharge automatique"),
        tag="credits",
        roles=EVERYBODY,
        query=TopUpQuery,
        answer=shapes.TopUpShape,
        codes=("no-top-up",),
    ),
    Operation(
        method="PUT",
        path="/api/credits/top-up",
        handler=put_top_up,
        summary=("Say how a customer buys again", "Régler la recharge automatique"),
        tag="credits",
        roles=SERVERS,
        body=TopUpBody,
        answer=shapes.TopUpShape,
        codes=("unknown-pack",),
        ask={"customer": "alice@example.com", "enabled": True, "pack": "100", "monthly_cap": 5700},
    ),
    Operation(
        method="GET",
        path="/api/credits/margin",
        handler=read_margin,
        summary=("See what is earned", "Voir la marge"),
        tag="credits",
        roles=OPERATORS,
        query=MarginQuery,
        answer=shapes.MarginShape,
        codes=("unknown-asset",),
    ),
)
