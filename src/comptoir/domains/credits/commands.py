"""From what a caller wrote to a request of the ledger: names looked up, amounts made integers.

Nothing here decides whether a request happens.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from psycopg import AsyncConnection

from comptoir.domains.credits import sql
from comptoir.domains.credits.model import Ask, Op, Price
from comptoir.kit.amounts import parse_amount, parse_cost
from comptoir.kit.errors import Conflict, Invalid, NotFound
from comptoir.kit.ids import parse_hold, parse_movement, request_id
from comptoir.kit.limits import BALANCE_MAX, SECOND
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.model import Memo, Note
from comptoir.ledger.requests import (
    DEFAULT_PRIORITY,
    Capture,
    Grant,
    Hold,
    IfSpent,
    OnExcess,
    Release,
    Renew,
    Request,
    Reverse,
    Spend,
    Transfer,
)
from comptoir.store.door import Door
from comptoir.store.facts import Asset

CREDITS: Final = "credits"
STOCK: Final = "stock"
STOCK_PREFIX: Final = "stock:"

PriceOf = Callable[[Asset, str], Awaitable[Price]]
"""Looks up the price of an action in force; raises NotFound when there is none."""


@dataclass(slots=True)
class Built:
    """A request, with what its answer needs to be shown. Nothing changes one.

    Attributes:
        request: what the ledger decides.
        asset: the asset of its amounts.
        owner: the customer's own id or the account's name, of the account that it is about.
        target: the same for the other side of a transfer.
    """

    request: Request
    asset: Asset
    owner: str | None
    target: str | None = None


def canonical(metadata: Mapping[str, str] | None) -> str | None:
    """Metadata as JSON text in canonical form, as the ledger keeps and compares it."""
    if metadata is None:
        return None
    return msgspec.json.encode(metadata, order="deterministic").decode()


def place(name: str, asset: str | None) -> tuple[str | None, str | None]:
    """A customer, or the stock account that a name with the prefix means."""
    if name.startswith(STOCK_PREFIX) and asset in (None, STOCK):
        return None, name
    return name, None


async def build(door: Door, price_of: PriceOf, ask: Ask) -> Built:
    """The request that `ask` means in the book of `door`.

    Raises:
        Invalid: an amount, or a combination of fields, that no books could accept.
        NotFound: an asset, action, hold or movement that the book does not have.
    """
    if ask.op in (Op.CAPTURE, Op.RELEASE, Op.RENEW):
        return await _hold_verb(door, ask)
    if ask.op is Op.REVERSE:
        return await _reverse(door, ask)
    asset = await door.directory.asset(door.book, _asset_code(ask))
    units = _units(ask, asset)
    if ask.op is Op.TRANSFER:
        return await _transfer(door, ask, asset, units)
    if ask.op is Op.GRANT:
        return await _grant(door, ask, asset, units)
    amount, price = await _priced(price_of, ask, asset, units)
    id_, mark = request_id(door.book, ask.key), _mark(ask, asset, units)
    account, owner = await _account(door, asset, (ask.customer, ask.account), id_)
    if ask.op is Op.SPEND:
        spend = Spend(id_, mark, account, asset.revenue, amount, note=_note(ask))
        spend.memo = _memo(ask, price)
        return Built(spend, asset, owner)
    hold = Hold(id_, mark, account, asset.revenue, amount, _ttl(ask), note=_note(ask))
    hold.on_excess = _on_excess(ask, asset)
    return Built(hold, asset, owner)


def _asset_code(ask: Ask) -> str:
    """Stock accounts hold stock, whatever else is not said; the others hold credits."""
    if ask.asset is not None:
        return ask.asset
    names = (ask.account, ask.target, ask.customer if ask.op is Op.TRANSFER else None)
    if any(name is not None and name.startswith(STOCK_PREFIX) for name in names):
        return STOCK
    return CREDITS


async def _account(
    door: Door, asset: Asset, owner: tuple[str | None, str | None], request: bytes
) -> tuple[int, str]:
    """The account of a customer, or the one of that name, as far as a request may open it."""
    customer, account = owner
    if customer is not None and account is None:
        return await door.directory.account(door.book, asset, customer, request), customer
    if account is None or customer is not None:
        raise Invalid("customer-or-account", field="customer")
    if not account.startswith(STOCK_PREFIX) or asset.code != STOCK:
        raise Invalid("account-invalid", field="account")
    return await door.directory.named(door.book, asset, account), account


def _units(ask: Ask, asset: Asset) -> int | None:
    """The amount that was written, in the asset's smallest unit."""
    return None if ask.amount is None else parse_amount(ask.amount, asset.scale)


async def _priced(
    price_of: PriceOf, ask: Ask, asset: Asset, units: int | None
) -> tuple[int, Price | None]:
    if ask.action is None:
        if units is None or ask.quantity is not None:
            raise Invalid("amount-or-action", field="amount")
        return units, None
    if units is not None:
        raise Invalid("amount-or-action", field="amount")
    price = await price_of(asset, ask.action)
    amount = price.amount * (ask.quantity or 1)
    if amount > BALANCE_MAX:
        raise Invalid("amount-too-large", field="quantity")
    return amount, price


async def _grant(door: Door, ask: Ask, asset: Asset, units: int | None) -> Built:
    if units is None:
        raise Invalid("amount-invalid", field="amount")
    id_ = request_id(door.book, ask.key)
    account, owner = await _account(door, asset, (ask.customer, ask.account), id_)
    grant = Grant(
        id_,
        _mark(ask, asset, units),
        account,
        asset.supplier if asset.code == STOCK else asset.issuer,
        units,
        priority=DEFAULT_PRIORITY if ask.priority is None else ask.priority,
        expires_at=ask.expires_at,
        note=_note(ask),
    )
    return Built(grant, asset, owner)


async def _transfer(door: Door, ask: Ask, asset: Asset, units: int | None) -> Built:
    if units is None or ask.customer is None or ask.target is None:
        raise Invalid("amount-invalid", field="amount")
    if ask.customer == ask.target:
        raise Invalid("same-account", field="to")
    id_, mark = request_id(door.book, ask.key), _mark(ask, asset, units)
    source, owner = await _side(door, asset, ask.customer, id_)
    target, other = await _side(door, asset, ask.target, id_)
    transfer = Transfer(id_, mark, source, target, units, _note(ask))
    return Built(transfer, asset, owner, other)


async def _side(door: Door, asset: Asset, name: str, request: bytes) -> tuple[int, str]:
    """A side of a transfer: a stock account by its prefix, a customer otherwise."""
    owner = (None, name) if name.startswith(STOCK_PREFIX) else (name, None)
    return await _account(door, asset, owner, request)


async def _hold_verb(door: Door, ask: Ask) -> Built:
    hold = parse_hold(ask.hold or "")
    if hold is None:
        raise NotFound("hold-not-found")
    asset, owner = await door.directory.hold_place(door.book, hold)
    units = _units(ask, asset)
    id_, mark = request_id(door.book, ask.key), _mark(ask, asset, units)
    if ask.op is Op.RELEASE:
        return Built(Release(id_, mark, hold, _note(ask)), asset, owner)
    if ask.op is Op.RENEW:
        ttl = _ttl(ask)
        if ttl is None:
            raise Invalid("ttl-invalid", field="ttl_seconds")
        return Built(Renew(id_, mark, hold, ttl, _note(ask)), asset, owner)
    capture = Capture(id_, mark, hold, units, ask.final, _note(ask), _memo(ask, None))
    return Built(capture, asset, owner)


async def _reverse(door: Door, ask: Ask) -> Built:
    named = parse_movement(ask.movement or "")
    if named is None:
        raise NotFound("movement-not-found")
    asset, owner = await door.directory.account_place(door.book, named[0])
    if_spent = IfSpent(ask.if_spent or IfSpent.REFUSE)
    reverse = Reverse(
        request_id(door.book, ask.key), _mark(ask, asset, None), *named, if_spent, _note(ask)
    )
    return Built(reverse, asset, owner)


def _mark(ask: Ask, asset: Asset, units: int | None) -> bytes:
    """The fingerprint of the request as it was meant, whatever way its amount was spelled."""
    is_transfer = ask.op is Op.TRANSFER
    return fingerprint(
        (
            ("op", ask.op),
            ("customer", None if is_transfer else ask.customer),
            ("account", ask.account),
            ("from", ask.customer if is_transfer else None),
            ("to", ask.target),
            ("asset", None if ask.hold or ask.movement else asset.code),
            ("hold", ask.hold),
            ("movement", ask.movement),
            ("amount", units),
            ("action", ask.action),
            ("quantity", ask.quantity),
            ("ttl_seconds", ask.ttl_seconds),
            ("on_excess", ask.on_excess),
            ("final", None if ask.final else "false"),
            ("if_spent", ask.if_spent),
            ("expires_at", ask.expires_at),
            ("priority", ask.priority),
            ("reason", ask.reason),
            ("reference", ask.reference),
            ("model", ask.model),
            ("cost", None if ask.cost is None else parse_cost(ask.cost)),
            ("metadata", ask.metadata),
        )
    )


def _note(ask: Ask) -> Note | None:
    if ask.reason is None and ask.reference is None and ask.metadata is None:
        return None
    return Note(ask.reason, ask.reference, ask.metadata)


def _memo(ask: Ask, price: Price | None) -> Memo | None:
    if price is None and ask.model is None and ask.cost is None:
        return None
    cost = None if ask.cost is None else parse_cost(ask.cost)
    return Memo(price.id if price else None, ask.quantity or 1, ask.model, cost)


def _ttl(ask: Ask) -> int | None:
    return None if ask.ttl_seconds is None else ask.ttl_seconds * SECOND


def _on_excess(ask: Ask, asset: Asset) -> OnExcess:
    """Stock always refuses excess: nobody can hand out a unit that is not there."""
    asked = OnExcess(ask.on_excess or OnExcess.REFUSE)
    if asset.code == STOCK and asked is not OnExcess.REFUSE:
        raise Invalid("on-excess-invalid", field="on_excess")
    return asked


async def put_price(
    tx: AsyncConnection, book: int, asset: Asset, *, action: str, amount: int, real_cost: int | None
) -> Price:
    """Say what an action costs from now on; saying the price in force again changes nothing.

    Raises:
        Conflict: somebody else set the same price at the same time.
    """
    row = await (await tx.execute(sql.PRICE_NOW, (book, asset.id, action))).fetchone()
    if row is not None:
        price = Price(*row)
        if (price.amount, price.real_cost) == (amount, real_cost):
            return price
    return await _add_price(tx, book, asset, action=action, amount=amount, real_cost=real_cost)


async def _add_price(
    tx: AsyncConnection, book: int, asset: Asset, *, action: str, amount: int, real_cost: int | None
) -> Price:
    """Add a new version of a price to the price book; the old ones stay."""
    cursor = await tx.execute(
        sql.ADD_PRICE,
        {
            "book": book,
            "asset": asset.id,
            "action": action,
            "amount": amount,
            "real_cost": real_cost,
        },
    )
    row = await cursor.fetchone()
    if row is None:
        raise Conflict("price-changed", action=action)
    return Price(*row)


def check_chain(built: Sequence[Built]) -> None:
    """Refuse an all-or-nothing batch in which two requests carry one key.

    Raises:
        Invalid: a key appears twice.
    """
    if len({each.request.id for each in built}) < len(built):
        raise Invalid("idempotency-key-repeated", field="idempotency_key")
