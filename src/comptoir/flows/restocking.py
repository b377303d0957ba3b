"""Movements of stock that are no sale: what is delivered, what comes back, what was miscounted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import AsyncConnection

from comptoir.domains.stock import commands, queries
from comptoir.domains.stock.model import (
    ASSET,
    QUANTITY,
    InsufficientStock,
    Item,
    Line,
    Movement,
    MovementType,
    Order,
)
from comptoir.flows import crediting
from comptoir.flows.reserving import DONE, noted
from comptoir.flows.till import Till
from comptoir.kit.errors import Conflict, Invalid, Unavailable
from comptoir.kit.ids import request_id
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.model import Answer, Kind
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Grant, Request, Spend
from comptoir.store.facts import Asset
from comptoir.store.pool import begin

_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """A movement that somebody wants.

    Attributes:
        quantity: below zero for an adjustment downwards alone.
    """

    product: str
    size: str
    type: MovementType
    quantity: int
    reason: str
    reference: str | None
    key: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement that is done; `replayed` before, under the same key."""

    movement: Movement
    replayed: bool


async def move(till: Till, book: int, wanted: Wanted) -> Moved:
    """Move stock, once for a key.

    Raises:
        NotFound: there is no such product or size.
        Invalid: the quantity cannot be.
        InsufficientStock: less of it is free to be taken away; nothing was changed.
        Conflict: the key is that of another request.
        Unavailable: the database cannot be reached.
    """
    _check(wanted)
    asset = await till.directory.asset(book, ASSET)
    for _ in range(_TRIES):
        async with begin(till.pool) as tx:
            size = await queries.size(tx, book, wanted.product, wanted.size)
        request = _request(book, asset, size.account, wanted)
        [answer] = await till.submit(book, (request,), ())
        if answer.outcome is not Outcome.ACCOUNT_NOT_FOUND:
            return await _moved(till, book, wanted, answer)
    raise Unavailable("account-busy")


def _check(wanted: Wanted) -> None:
    may_sink = wanted.type is MovementType.ADJUSTMENT
    if wanted.type is MovementType.SALE:
        raise Invalid("movement-type-invalid", field="type")
    if wanted.quantity == 0 or (wanted.quantity < 0 and not may_sink):
        raise Invalid("quantity-invalid", field="quantity")
    if abs(wanted.quantity) > QUANTITY:
        raise Invalid("quantity-too-large", field="quantity", most=QUANTITY)


def _request(book: int, asset: Asset, account: int, wanted: Wanted) -> Request:
    id_ = request_id(book, wanted.key)
    mark = fingerprint(
        (
            ("op", "movement"), ("product", wanted.product), ("size", wanted.size),
            ("type", wanted.type), ("quantity", wanted.quantity), ("reason", wanted.reason),
            ("reference", wanted.reference),
        )
    )  # fmt: skip
    note = noted(wanted.type, wanted.reason, wanted.reference, None)
    if wanted.quantity < 0:
        return Spend(id_, mark, account, asset.breakage, -wanted.quantity, Kind.ADJUSTMENT, note)
    kind = Kind.ADJUSTMENT if wanted.type is MovementType.ADJUSTMENT else Kind.GRANT
    return Grant(
        id_, mark, account, asset.supplier, wanted.quantity, kind=kind, source="stock", note=note
    )


async def _moved(till: Till, book: int, wanted: Wanted, answer: Answer) -> Moved:
    if answer.outcome is Outcome.INSUFFICIENT:
        item = Item(wanted.product, wanted.size, -wanted.quantity)
        raise InsufficientStock(item, answer.available or 0, "new-key", replayed=answer.replayed)
    if answer.outcome is Outcome.EXISTS_DIFFERENT:
        raise Conflict("idempotency-key-reused", field=answer.field or "quantity")
    if answer.line is None:
        raise Conflict("movement-refused", outcome=answer.outcome.value)
    async with begin(till.pool) as tx:
        found = await queries.movement(tx, book, answer.line.account, answer.line.version)
    return Moved(found, answer.replayed)


async def take_in(
    tx: AsyncConnection,
    till: Till,
    order: Order,
    back: Sequence[tuple[Line, int]],
    reason: str,
    name: str = "refund",
) -> None:
    """Take goods of an order back for sale; it is locked.

    Args:
        tx: an open transaction.
        till: what it takes.
        order: whose goods.
        back: lines, and how much of each.
        reason: as the journal says it.
        name: names this return among those of the order: the same again changes nothing.
    """
    asset = await till.directory.asset(order.book, ASSET)
    for line, quantity in back:
        request = Grant(
            request_id(order.book, f"return\x1f{order.id}\x1f{line.no}\x1f{name}"),
            fingerprint((("op", "return"), ("amount", quantity))),
            line.account, asset.supplier, quantity, source="stock",
            note=noted(MovementType.RETURN, reason, order.number, order.number),
        )  # fmt: skip
        answer = await crediting.decide(tx, till, order.book, request)
        if answer.outcome in DONE and not answer.replayed:
            await commands.note_return(tx, order, line, quantity)
