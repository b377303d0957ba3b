"""A person's export as one JSON document, made in pieces: no list is ever in memory as a whole."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Any, Final, TypeVar

from comptoir.domains.credits.history import Account, Memo, PastHold, PastLot, PastMovement
from comptoir.domains.stock.model import Line, Order
from comptoir.domains.subscriptions.model import Subscription
from comptoir.flows.export import Export, Paid
from comptoir.kit.amounts import format_amount
from comptoir.kit.ids import hold_name, movement_name
from comptoir.kit.limits import COST_SCALE
from comptoir.web import views
from comptoir.web.replies import encode, write_moment, write_time
from comptoir.web.views import View

T = TypeVar("T")

_COMPLETE: Final = b',"complete":true}'
"""The end of the document: whoever does not find it has only a part of the export."""


async def pieces(export: Export) -> AsyncGenerator[bytes]:
    """The document, piece by piece."""
    head = {"exported_at": write_time(export.at), "customer": views.customer(export.customer)}
    yield _open(head) + b',"accounts":['
    for number, account in enumerate(export.accounts):
        yield (b"," if number else b"") + _open({"balance": views.balance(account.balance)})
        async for piece in _lists(export, account):
            yield piece
        yield b"}"
    yield b"]"
    async for piece in _list("payments", export.payments(), payment):
        yield piece
    async for piece in _list("orders", export.orders(), order):
        yield piece
    plans = [subscription(each) for each in export.subscriptions]
    yield b',"subscriptions":' + encode(plans) + _COMPLETE


async def _lists(export: Export, account: Account) -> AsyncGenerator[bytes]:
    async for piece in _list("lots", export.lots(account), lot):
        yield piece
    async for piece in _list("holds", export.holds(account), hold):
        yield piece
    async for piece in _list("movements", export.movements(account), movement):
        yield piece


async def _list(
    name: str, pages: AsyncIterator[Sequence[T]], view: Callable[[T], View]
) -> AsyncGenerator[bytes]:
    yield b',"%s":[' % name.encode()
    comma = b""
    async for page in pages:
        yield comma + b",".join(encode(view(each)) for each in page)
        comma = b","
    yield b"]"


def _open(content: View) -> bytes:
    """A JSON object whose end is still to come."""
    return encode(content).removesuffix(b"}")


def lot(of: PastLot) -> View:
    """A lot with what was paid for it."""
    paid = {"amount": of.paid, "tax": of.tax, "currency": of.currency} if of.currency else None
    return {**views.lot(of.lot), "paid": paid}


def hold(of: PastHold) -> View:
    """A hold with its policy and its beginning."""
    shown = views.hold(of.hold)
    wanted = ("id", "amount", "captured", "state", "expires_at", "group")
    return {
        **{name: shown[name] for name in wanted},
        "on_excess": of.on_excess,
        "opened_at": write_time(of.at),
    }


def movement(of: PastMovement) -> View:
    """A line of the journal with its note and memo."""
    line = of.movement
    scale = line.asset.scale
    return {
        **views.movement(line),
        "metadata": of.metadata,
        "held": format_amount(of.held, scale),
        "debt": format_amount(of.debt, scale),
        "hold": hold_name(of.hold) if of.hold else None,
        "reverses": movement_name(line.account, of.reverses) if of.reverses else None,
        "memo": _memo(of.memo),
    }


def _memo(of: Memo | None) -> dict[str, Any] | None:
    if of is None:
        return None
    cost = None if of.cost is None else format_amount(of.cost, COST_SCALE)
    return {"action": of.action, "quantity": of.quantity, "model": of.model, "cost": cost}


def order(of: tuple[Order, Sequence[Line]]) -> View:
    """An order with its lines."""
    whole, lines = of
    return {
        "id": str(whole.id),
        "order_number": whole.number,
        "status": whole.status.value,
        "email": whole.email,
        "items": [
            {
                "product": each.product,
                "size": each.size,
                "quantity": each.quantity,
                "unit_amount": each.unit_amount,
                "returned": each.returned,
            }
            for each in lines
        ],
        "amount": whole.amount,
        "currency": whole.currency,
        "created_at": write_time(whole.created_at),
        "paid_at": write_moment(whole.paid_at),
        "fulfilled_at": write_moment(whole.fulfilled_at),
    }


def payment(of: Paid) -> View:
    """A payment with what it has bought, and what the provider calls it."""
    (past, asset), bought = of, of[0].bought
    paid = past.payment
    pack = None
    if bought is not None and asset is not None:
        pack = {
            "pack": bought.pack,
            "asset": asset.code,
            "credits": format_amount(bought.credits, asset.scale),
            "granted_at": write_moment(bought.granted_at),
        }
    return {
        "id": str(paid.id),
        "purpose": paid.purpose.value,
        "reference": paid.reference,
        "price": {"amount": paid.amount, "currency": paid.currency},
        "status": paid.status.value,
        "received": paid.received,
        "tax": paid.tax,
        "refunded": past.refunded,
        "disputed": past.disputed,
        "purchase": pack,
        "intent": paid.intent,
        "invoice": paid.invoice,
        "created_at": write_time(paid.created_at),
        "paid_at": write_moment(paid.paid_at),
    }


def subscription(of: Subscription) -> View:
    """A plan that he has subscribed to, as the provider told of it last."""
    return {
        "id": of.provider_id,
        "plan": of.plan,
        "status": of.status,
        "period": {
            "start": write_moment(of.starts_at),
            "end": write_moment(of.ends_at),
            "interval": of.period,
        },
        "cancel_at": write_moment(of.cancel_at),
        "trial_ends_at": write_moment(of.trial_ends_at),
        "ended_at": write_moment(of.ended_at),
        "created_at": write_time(of.created_at),
    }
