"""Reading balances, lots, movements, holds and prices; a customer token reads its own."""

from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from comptoir.domains.credits import queries
from comptoir.domains.credits.commands import CREDITS, STOCK, place, put_price
from comptoir.domains.credits.explain import Place, balance_at
from comptoir.domains.credits.model import HoldView
from comptoir.domains.identity.queries import customer_by_id
from comptoir.kit.actor import Role
from comptoir.kit.amounts import parse_amount, parse_cost
from comptoir.kit.errors import NotFound
from comptoir.kit.ids import parse_hold
from comptoir.ledger.model import Kind
from comptoir.store.facts import Asset
from comptoir.store.pool import begin
from comptoir.store.reading import read_account
from comptoir.web import shapes, views, wire
from comptoir.web.api.credits import HOLD_PART
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.cursors import read_cursor, write_cursor
from comptoir.web.replies import PRIVATE, Reply, ok
from comptoir.web.routing import EVERYBODY, OPERATORS, SERVERS, Operation

_NONE: Final = 0
"""The id of an account that nobody has used yet."""

WhoseField = Annotated[
    wire.Customer | None,
    Field(json_schema_extra={"x-required": True}, description="A customer token may leave it out."),
]


class Whose(wire.Wire):
    """Which balance: a customer's or, as stock:PRODUCT:SIZE, that of a stock account."""

    customer: WhoseField = None
    asset: wire.AssetCode | None = None


class BalanceQuery(Whose):
    """Which balance, as of when."""

    at: Annotated[
        wire.Time | None,
        Field(description="As it was then, with all that happened at that very moment."),
    ] = None


class WhoseList(wire.Page):
    """The same for lists."""

    customer: WhoseField = None
    asset: wire.AssetCode | None = None


_KINDS: Final = tuple(kind.value for kind in Kind)


class MovementsQuery(WhoseList):
    """Which movements."""

    since: Annotated[wire.Time | None, Field(alias="from")] = None
    until: Annotated[wire.Time | None, Field(alias="to")] = None
    kind: Annotated[
        Literal[
            "grant", "purchase", "spend", "capture", "transfer", "refund", "expiry", "reversal",
            "adjustment", "allowance", "hold", "release", "renewal", "hold_expiry",
        ] | None, Field(examples=["spend"]),
    ] = None  # fmt: skip


class PricesQuery(wire.Page):
    """Prices in which asset."""

    asset: wire.AssetCode = CREDITS


class PriceBody(wire.Wire):
    """What an action costs from now on."""

    action: wire.Action
    amount: wire.Amount
    real_cost: wire.Cost | None = None
    asset: wire.AssetCode = CREDITS


async def whose(call: Call, name: str | None) -> str:
    """Whom a reading route is about.

    Raises:
        NotFound: a customer token names another customer.
        Unfit: nobody is named.
    """
    if call.actor.role is not Role.CUSTOMER:
        if name is None:
            raise Unfit.field("customer", "missing")
        return name
    assert call.actor.customer is not None, "a customer token names one"
    async with begin(call.app.pool) as tx:
        own = await customer_by_id(tx, call.actor.book, call.actor.customer)
    if name not in (None, own.customer):
        raise NotFound("unknown-customer")
    return own.customer


async def place_of(call: Call, query: Whose | WhoseList) -> tuple[str, int, Asset]:
    """The owner's name, his account (_NONE if he never used it), and its asset.

    Raises:
        NotFound: a customer token names another customer, or there is no such asset.
        Unfit: nobody is named.
    """
    name = await whose(call, query.customer)
    directory, book = call.app.directory, call.actor.book
    customer, account = place(name, query.asset)
    if customer is not None or call.actor.role is Role.CUSTOMER:
        asset = await directory.asset(book, query.asset or CREDITS)
        return name, await directory.find_account(book, asset, name) or _NONE, asset
    assert account is not None, "it is one of the two"
    asset = await directory.asset(book, STOCK)
    return name, await directory.find_named(book, asset, account) or _NONE, asset


async def balance(call: Call, query: BalanceQuery) -> Reply:
    """GET /api/credits/balance; the same version has the same ETag, whenever it is asked for."""
    name, account, asset = await place_of(call, query)
    book = call.actor.book
    facts = await call.app.directory.facts(book)
    if query.at is not None:
        async with begin(call.app.pool) as tx:
            figures = await balance_at(tx, Place(book, facts, name, account, asset), query.at)
    else:
        found = await read_account(call.app.pool, book, facts, account) if account else None
        figures = queries.balance(name, asset, found)
    # Browsers ask with the tag of whoever was signed in before: his name tells two without account.
    whose_tag = b"%d" % account if account else sha256(name.encode()).hexdigest()[:16].encode()
    etag = b'"%d-%b-%d"' % (book, whose_tag, figures.version)
    headers = ((b"etag", etag), PRIVATE)
    if _matches(call.headers.get(b"if-none-match"), etag):
        return Reply(304, b"", headers=list(headers))
    return ok(views.balance(figures), *headers)


def _matches(asked: bytes | None, etag: bytes) -> bool:
    if asked is None:
        return False
    tags = [tag.strip().removeprefix(b"W/") for tag in asked.split(b",")]
    return etag in tags or b"*" in tags


def _page(items: list[views.View], following: str | None) -> Reply:
    return ok({"items": items, "next_cursor": following}, PRIVATE)


async def lots(call: Call, query: WhoseList) -> Reply:
    """GET /api/credits/lots."""
    _, account, asset = await place_of(call, query)
    if not account:
        return _page([], None)
    of = f"{account}"
    position: Any = read_cursor(call, of, query.cursor)
    after = tuple(position) if position else queries.FIRST_LOT
    async with begin(call.app.pool) as tx:
        found = await queries.lots(tx, call.actor.book, (account, asset), after, query.limit + 1)
    following = None
    if len(found) > query.limit:
        last = found[query.limit - 1]
        following = write_cursor(call, of, [last.priority, last.expires_at, last.no])
    return _page([views.lot(each) for each in found[: query.limit]], following)


async def movements(call: Call, query: MovementsQuery) -> Reply:
    """GET /api/credits/transactions: the newest first."""
    _, account, asset = await place_of(call, query)
    if not account:
        return _page([], None)
    book, kind = call.actor.book, Kind(query.kind) if query.kind else None
    of = f"{account}|{query.since}|{query.until}|{query.kind}"
    position: Any = read_cursor(call, of, query.cursor)
    above, below = 0, queries.EVERYTHING
    async with begin(call.app.pool) as tx:
        if query.since is not None:
            above = await queries.version_before(tx, book, account, query.since)
        if position:
            below = position[0]
        elif query.until is not None:
            below = await queries.version_before(tx, book, account, query.until) + 1
        found = await queries.movements(
            tx, book, (account, asset), (above, below), kind, query.limit + 1
        )
    following = None
    if len(found) > query.limit:
        following = write_cursor(call, of, [found[query.limit - 1].version])
    return _page([views.movement(each) for each in found[: query.limit]], following)


async def read_hold(call: Call) -> Reply:
    """GET /api/credits/holds/{hold}."""
    named = parse_hold(call.part("hold"))
    if named is None:
        raise NotFound("hold-not-found")
    async with begin(call.app.pool) as tx:
        found = await queries.hold(tx, call.actor.book, call.app.directory, named)
    if call.actor.role is Role.CUSTOMER and not _is_own(call, found):
        raise NotFound("hold-not-found")
    return ok(views.hold(found), PRIVATE)


def _is_own(call: Call, found: HoldView) -> bool:
    """A hold of whoever was erased is nobody's, whatever tokens he still has."""
    return found.owner is not None and found.customer == call.actor.customer


async def holds(call: Call, query: WhoseList) -> Reply:
    """GET /api/credits/holds: the newest first."""
    _, account, asset = await place_of(call, query)
    if not account:
        return _page([], None)
    of = f"{account}"
    position: Any = read_cursor(call, of, query.cursor)
    below = position[0] if position else queries.EVERYTHING
    async with begin(call.app.pool) as tx:
        found = await queries.holds(tx, call.actor.book, (account, asset), below, query.limit + 1)
    following = None
    if len(found) > query.limit:
        following = write_cursor(call, of, [found[query.limit - 1][0]])
    return _page([views.hold(each) for _, each in found[: query.limit]], following)


async def prices(call: Call, query: PricesQuery) -> Reply:
    """GET /api/credits/prices."""
    asset = await call.app.directory.asset(call.actor.book, query.asset)
    of = f"{asset.id}"
    position: Any = read_cursor(call, of, query.cursor)
    after = position[0] if position else ""
    async with begin(call.app.pool) as tx:
        found = await queries.prices(tx, call.actor.book, asset, after, query.limit + 1)
    following = None
    if len(found) > query.limit:
        following = write_cursor(call, of, [found[query.limit - 1].action])
    return _page([views.price(each, asset) for each in found[: query.limit]], following)


async def set_price(call: Call, body: PriceBody) -> Reply:
    """PUT /api/credits/prices: saying the price in force again changes nothing."""
    book = call.actor.book
    asset = await call.app.directory.asset(book, body.asset)
    amount = parse_amount(body.amount, asset.scale)
    real_cost = None if body.real_cost is None else parse_cost(body.real_cost, field="real_cost")
    async with begin(call.app.pool) as tx:
        price = await put_price(
            tx, book, asset, action=body.action, amount=amount, real_cost=real_cost
        )
    call.app.forget_price(book, asset, body.action)
    return ok(views.price(price, asset))


def _read(path: str, handler: Any, summary: tuple[str, str], **more: Any) -> Operation:  # noqa: ANN401  # handlers and fields differ
    settings: dict[str, Any] = {"roles": EVERYBODY, "method": "GET"} | more
    return Operation(path=path, handler=handler, summary=summary, tag="credits", **settings)


OPERATIONS: Final = (
    _read(
        "/api/credits/balance",
        balance,
        ("Read a balance", "Lire un solde"),
        query=BalanceQuery,
        answer=shapes.BalanceShape,
        codes=("unknown-asset", "unknown-customer"),
        headers={"ETag": "Send it back in If-None-Match: 304 as long as nothing has changed"},
    ),
    _read(
        "/api/credits/transactions",
        movements,
        ("List movements, newest first", "Lister les mouvements, le plus récent d'abord"),
        query=MovementsQuery,
        answer=shapes.Listed[shapes.MovementShape],
        codes=("unknown-asset", "unknown-customer", "cursor-invalid"),
    ),
    _read(
        "/api/credits/lots",
        lots,
        ("List open lots in burning order", "Lister les lots ouverts dans l'ordre d'emploi"),
        query=WhoseList,
        answer=shapes.Listed[shapes.LotShape],
        codes=("unknown-asset", "unknown-customer", "cursor-invalid"),
    ),
    _read(
        "/api/credits/holds",
        holds,
        ("List holds, newest first", "Lister les retenues, la plus récente d'abord"),
        query=WhoseList,
        answer=shapes.Listed[shapes.HoldShape],
        codes=("unknown-asset", "unknown-customer", "cursor-invalid"),
    ),
    _read(
        "/api/credits/holds/{hold}",
        read_hold,
        ("Read a hold", "Lire une retenue"),
        answer=shapes.HoldShape,
        parts=HOLD_PART,
        codes=("hold-not-found",),
    ),
    _read(
        "/api/credits/prices",
        prices,
        ("List prices", "Lister les prix"),
        query=PricesQuery,
        roles=SERVERS,
        answer=shapes.Listed[shapes.PriceShape],
        codes=("unknown-asset", "cursor-invalid"),
    ),
    _read(
        "/api/credits/prices",
        set_price,
        ("Set a price", "Fixer un prix"),
        method="PUT",
        body=PriceBody,
        roles=OPERATORS,
        answer=shapes.PriceShape,
        codes=("unknown-asset", "price-changed"),
        ask={"action": "ai.generate", "amount": "5", "real_cost": "0.04"},
    ),
)
