"""From the ledger's figures to the library's answers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, Protocol

from comptoir.domains.credits import model
from comptoir.domains.credits.commands import Built
from comptoir.domains.credits.model import LOW_SHARE, Ask, Op
from comptoir.domains.identity.model import Customer as Person
from comptoir.kit.amounts import format_amount
from comptoir.kit.ids import hold_name, movement_name
from comptoir.kit.limits import COST_SCALE
from comptoir.ledger.model import Answer, HoldState, Line
from comptoir.library import answers
from comptoir.store.facts import Asset

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Figures(Protocol):
    """An account's figures after one of its lines."""

    @property
    def posted(self) -> int: ...  # noqa: D102  # the class says it
    @property
    def held(self) -> int: ...  # noqa: D102  # the class says it
    @property
    def debt(self) -> int: ...  # noqa: D102  # the class says it
    @property
    def filled(self) -> int: ...  # noqa: D102  # the class says it
    @property
    def version(self) -> int: ...  # noqa: D102  # the class says it
    @property
    def at(self) -> int: ...  # noqa: D102  # the class says it


@lru_cache(maxsize=4096)
def decimal(units: int, scale: int) -> Decimal:
    """The exact decimal of an amount in the smallest unit; most figures are met again soon."""
    return Decimal(format_amount(units, scale))


@lru_cache(maxsize=256)
def moment(micros: int) -> datetime:
    """The time of so many microseconds since 1970, in UTC. The lines of a commit share one."""
    return _EPOCH + timedelta(microseconds=micros)


def moment_or_none(micros: int | None) -> datetime | None:
    """The same; None where there is no time."""
    return None if micros is None else moment(micros)


def balance(owner: str | None, asset: Asset, figures: Figures) -> answers.Balance:
    """The balance that an account's figures are."""
    available = figures.posted - figures.held
    threshold = figures.filled // LOW_SHARE
    return answers.Balance(
        owner=owner,
        asset=asset.code,
        balance=decimal(figures.posted, asset.scale),
        held=decimal(figures.held, asset.scale),
        available=decimal(available, asset.scale),
        debt=decimal(figures.debt, asset.scale),
        low=available < threshold,
        low_threshold=decimal(threshold, asset.scale),
        version=figures.version,
        updated_at=moment(figures.at) if figures.version else None,
    )


def movement_made(ask: Ask, asset: Asset, line: Line) -> answers.Movement:
    """The movement that a request made; its texts are the request's own."""
    return answers.Movement(
        id=movement_name(line.account, line.version),
        seq=line.version,
        kind=line.kind,
        amount=decimal(line.amount, asset.scale),
        before=decimal(line.posted - line.amount, asset.scale),
        after=decimal(line.posted, asset.scale),
        reason=ask.reason,
        reference=ask.reference,
        at=moment(line.at),
    )


def movement(of: model.Movement) -> answers.Movement:
    """A movement of the journal."""
    scale = of.asset.scale
    return answers.Movement(
        id=movement_name(of.account, of.version),
        seq=of.version,
        kind=of.kind,
        amount=decimal(of.amount, scale),
        before=decimal(of.before, scale),
        after=decimal(of.after, scale),
        reason=of.reason,
        reference=of.reference,
        at=moment(of.at),
    )


def hold_made(ask: Ask, built: Built, answer: Answer, group: bytes | None) -> answers.Hold:
    """A hold as a request left it."""
    assert answer.hold is not None, "requests on holds answer with one"
    assert answer.amount is not None, "and with its amount"
    scale = built.asset.scale
    return answers.Hold(
        id=hold_name(answer.hold),
        asset=built.asset.code,
        owner=built.owner,
        amount=decimal(answer.amount, scale),
        captured=decimal(answer.captured or 0, scale),
        state=HoldState.RELEASED if ask.op is Op.RELEASE else HoldState.OPEN,
        expires_at=moment_or_none(answer.expires_at),
        group=hold_name(group) if group else None,
    )


def hold(of: model.HoldView) -> answers.Hold:
    """A hold of the book."""
    scale = of.asset.scale
    return answers.Hold(
        id=hold_name(of.id),
        asset=of.asset.code,
        owner=of.owner,
        amount=decimal(of.amount, scale),
        captured=decimal(of.captured, scale),
        state=of.state,
        expires_at=moment_or_none(of.expires_at),
        group=hold_name(of.group) if of.group else None,
    )


def lot(of: model.LotView) -> answers.Lot:
    """An open lot."""
    scale = of.asset.scale
    return answers.Lot(
        id=f"lot_{of.account}_{of.no}",
        source=of.source,
        granted=decimal(of.granted, scale),
        left=decimal(of.left, scale),
        pinned=decimal(of.pinned, scale),
        priority=of.priority,
        expires_at=moment_or_none(of.expires_at),
        reference=of.reference,
    )


def price(of: model.Price, asset: Asset) -> answers.Price:
    """An entry of the price book."""
    return answers.Price(
        action=of.action,
        asset=asset.code,
        amount=decimal(of.amount, asset.scale),
        real_cost=None if of.real_cost is None else decimal(of.real_cost, COST_SCALE),
        version=of.version,
        created_at=moment(of.created_at),
    )


def customer(of: Person) -> answers.Customer:
    """A customer."""
    return answers.Customer(
        customer=of.customer,
        time_zone=of.time_zone,
        locale=of.locale,
        email=of.email,
        name=of.name,
        metadata=of.metadata,
        created_at=moment(of.created_at),
        plan=of.plan,
    )
