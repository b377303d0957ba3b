"""What goes out: balances, movements, holds, lots and prices as JSON objects.

An answer to a request is made of the figures that the ledger stored for it, never of what it finds
by now, so that a repeat gets the very same body.
"""

from typing import Any, Final, Protocol

from comptoir.domains.credits.commands import STOCK, STOCK_PREFIX, Built
from comptoir.domains.credits.model import (
    LOW_SHARE,
    Ask,
    Balance,
    HoldView,
    LotView,
    Movement,
    Op,
    Price,
)
from comptoir.domains.identity.model import Customer, Key
from comptoir.kit.amounts import format_amount
from comptoir.kit.ids import hold_name, movement_name
from comptoir.kit.limits import COST_SCALE
from comptoir.ledger.model import Answer, HoldState, Kind, Line
from comptoir.store.facts import Asset
from comptoir.web.replies import write_moment, write_time

View = dict[str, Any]
"""A JSON object on its way out."""

BALANCE_CHANGES: Final = frozenset(Kind) - {
    Kind.HOLD,
    Kind.RELEASE,
    Kind.RENEWAL,
    Kind.HOLD_EXPIRY,
}
"""Kinds of movements that change what is posted; the others only set aside or free."""


class Figures(Protocol):
    """What a balance shows: an account's figures after one of its lines."""

    @property
    def posted(self) -> int:
        """The settled balance."""
        ...

    @property
    def held(self) -> int:
        """What open holds set aside of it."""
        ...

    @property
    def debt(self) -> int:
        """What is owed."""
        ...

    @property
    def filled(self) -> int:
        """The balance right after the last grant."""
        ...

    @property
    def version(self) -> int:
        """The number of journal lines."""
        ...

    @property
    def at(self) -> int:
        """The time of the last one, in microseconds."""
        ...


def balance(of: Balance) -> View:
    """A balance; a stock account has `account` in place of `customer`."""
    return balance_after(of.owner, of.asset, of)


def balance_after(owner: str | None, asset: Asset, figures: Figures) -> View:
    """The balance right after a line of the journal."""
    scale = asset.scale
    available = figures.posted - figures.held
    threshold = figures.filled // LOW_SHARE
    return {
        _owner_field(asset, owner): owner,
        "asset": asset.code,
        "balance": format_amount(figures.posted, scale),
        "held": format_amount(figures.held, scale),
        "available": format_amount(available, scale),
        "debt": format_amount(figures.debt, scale),
        "low": available < threshold,
        "low_threshold": format_amount(threshold, scale),
        "version": figures.version,
        "updated_at": write_time(figures.at) if figures.version else None,
    }


def _owner_field(asset: Asset, owner: str | None) -> str:
    is_named = asset.code == STOCK and owner is not None and owner.startswith(STOCK_PREFIX)
    return "account" if is_named else "customer"


def movement_made(ask: Ask, asset: Asset, line: Line) -> View:
    """The movement that a request made; its texts are the request's own."""
    scale = asset.scale
    return {
        "id": movement_name(line.account, line.version),
        "seq": line.version,
        "kind": line.kind.value,
        "amount": format_amount(line.amount, scale),
        "before": format_amount(line.posted - line.amount, scale),
        "after": format_amount(line.posted, scale),
        "reason": ask.reason,
        "reference": ask.reference,
        "at": write_time(line.at),
    }


def movement(of: Movement) -> View:
    """A movement of the journal."""
    scale = of.asset.scale
    return {
        "id": movement_name(of.account, of.version),
        "seq": of.version,
        "kind": of.kind.value,
        "amount": format_amount(of.amount, scale),
        "before": format_amount(of.before, scale),
        "after": format_amount(of.after, scale),
        "reason": of.reason,
        "reference": of.reference,
        "at": write_time(of.at),
    }


def hold_made(ask: Ask, built: Built, answer: Answer, group: bytes | None) -> View:
    """A hold as a request left it."""
    assert answer.hold is not None, "requests on holds answer with one"
    assert answer.amount is not None, "and with its amount"
    captured = answer.captured or 0
    return hold(
        HoldView(
            id=answer.hold,
            asset=built.asset,
            amount=answer.amount,
            captured=captured,
            state=_state_after(ask, answer.amount, captured),
            expires_at=answer.expires_at,
            owner=built.owner,
            group=group,
        )
    )


def _state_after(ask: Ask, amount: int, captured: int) -> HoldState:
    if ask.op is Op.RELEASE:
        return HoldState.RELEASED
    if ask.op is Op.CAPTURE and (ask.final or captured >= amount):
        return HoldState.CAPTURED
    return HoldState.OPEN


def hold(of: HoldView) -> View:
    """A hold; `group` names the first hold of its atomic batch, when that had several."""
    scale = of.asset.scale
    return {
        "id": hold_name(of.id),
        "asset": of.asset.code,
        _owner_field(of.asset, of.owner): of.owner,
        "amount": format_amount(of.amount, scale),
        "captured": format_amount(of.captured, scale),
        "state": of.state.value,
        "expires_at": write_moment(of.expires_at),
        "group": hold_name(of.group) if of.group else None,
    }


def lot(of: LotView) -> View:
    """A lot."""
    scale = of.asset.scale
    return {
        "id": f"lot_{of.account}_{of.no}",
        "source": of.source,
        "granted": format_amount(of.granted, scale),
        "left": format_amount(of.left, scale),
        "pinned": format_amount(of.pinned, scale),
        "priority": of.priority,
        "expires_at": write_moment(of.expires_at),
        "reference": of.reference,
    }


def price(of: Price, asset: Asset) -> View:
    """An entry of the price book."""
    cost = None if of.real_cost is None else format_amount(of.real_cost, COST_SCALE)
    return {
        "action": of.action,
        "asset": asset.code,
        "amount": format_amount(of.amount, asset.scale),
        "real_cost": cost,
        "version": of.version,
        "created_at": write_time(of.created_at),
    }


def customer(of: Customer) -> View:
    """A customer with his personal fields."""
    return {
        "customer": of.customer,
        "plan": of.plan,
        "time_zone": of.time_zone,
        "locale": of.locale,
        "email": of.email,
        "name": of.name,
        "metadata": of.metadata,
        "created_at": write_time(of.created_at),
    }


def key(of: Key, books: dict[int, str]) -> View:
    """A key without its secret."""
    return {
        "id": str(of.id),
        "role": of.role.value,
        "name": of.name,
        "book": books.get(of.book),
        "hint": of.hint,
        "created_at": write_time(of.created_at),
        "expires_at": write_moment(of.expires_at),
        "revoked_at": write_moment(of.revoked_at),
        "last_used_at": write_moment(of.last_used_at),
    }


def asset(of: Asset) -> View:
    """An asset."""
    return {"code": of.code, "scale": of.scale}
