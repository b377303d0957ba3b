"""Which rows must be loaded, and locked, before requests can be decided."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, assert_never

from comptoir.ledger.requests import (
    DEFAULT_PRIORITY,
    Capture,
    Grant,
    Hold,
    Refund,
    Release,
    Renew,
    Request,
    Reverse,
    Settle,
    Spend,
    Transfer,
    Work,
)

EVERYTHING: Final = 2**62
"""A demand that no prefix of the lots covers: all open lots are loaded."""


@dataclass(slots=True)
class Plan:
    """What some requests need.

    Attributes:
        ids: the requests' ids, to see which were decided before.
        demand: for every bounded account the most that the requests can take from free lots. The
            accounts are its keys; all of them are locked, in ascending order.
        holds: holds that are named, with the most that the requests can take from each.
        grants: accounts, with what an equal lot has, into which an amount may be merged.
        targets: movements, by account and version, that reversals name.
    """

    ids: list[bytes] = field(default_factory=list[bytes])
    demand: dict[int, int] = field(default_factory=dict[int, int])
    holds: dict[bytes, int] = field(default_factory=dict[bytes, int])
    grants: set[tuple[int, str, int, int | None]] = field(
        default_factory=set[tuple[int, str, int, int | None]]
    )
    targets: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

    def need(self, account: int, amount: int) -> None:
        """The requests may take `amount` more from `account`."""
        self.demand[account] = self.demand.get(account, 0) + amount


def plan(chains: Iterable[Work]) -> Plan:
    """What the requests of `chains` need, as far as they say it themselves.

    Requests that name holds need their accounts too: the store looks these up, since a hold's
    account and group never change, and adds what it finds to the demand.
    """
    plan = Plan()
    for chain in chains:
        for request in chain:
            _add(plan, request)
    return plan


def _add(plan: Plan, request: Request | Settle) -> None:
    match request:
        case Spend() | Hold():
            plan.ids.append(request.id)
            plan.need(request.account, request.amount)
        case Grant():
            plan.ids.append(request.id)
            plan.need(request.account, 0)
            plan.grants.add((request.account, request.source, request.priority, request.expires_at))
        case Capture():
            plan.ids.append(request.id)
            # A late capture of all takes free lots, and only the database knows how much all is.
            most = EVERYTHING if request.amount is None else request.amount
            plan.holds[request.hold] = plan.holds.get(request.hold, 0) + most
        case Release() | Renew():
            plan.ids.append(request.id)
            plan.holds.setdefault(request.hold, 0)
        case Transfer():
            plan.ids.append(request.id)
            plan.need(request.account, request.amount)
            plan.need(request.target, EVERYTHING)
        case Reverse():
            plan.ids.append(request.id)
            # It may empty lots on which the requests beside it count, and it does not say how far.
            plan.need(request.account, EVERYTHING)
            plan.grants.add((request.account, "reversal", DEFAULT_PRIORITY, None))
            plan.targets.add((request.account, request.version))
        case Refund():
            plan.ids.append(request.id)
            plan.need(request.account, EVERYTHING)
            plan.targets.add((request.account, request.version))
        case Settle():
            plan.need(request.account, 0)
        case _:
            assert_never(request)
