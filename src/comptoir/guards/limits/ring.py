"""The rate limit itself: pure. What was admitted is kept by slots of time and counted whole.

Everything that was admitted in a slot counts until a whole window after the end of that slot. So no
window of time, wherever it begins, has more than the limit in it, where counters of two windows,
token buckets and GCRA admit up to twice as much. With few calls a slot is a millisecond, and what
is counted is exact; with many it is a part of the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from comptoir.kit.errors import Invalid

MILLISECOND: Final = 1_000
EXACT: Final = 64
"""Limits up to this one are counted to the millisecond: there are never more slots than calls."""

SLOTS: Final = 32
LIMIT_MOST: Final = 10**9
WINDOW_LEAST: Final = 100 * MILLISECOND
WINDOW_MOST: Final = 31 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Policy:
    """How much goes through.

    Attributes:
        name: of the policy, in the headers of answers.
        limit: how much, in any window.
        window: in microseconds.
    """

    name: str
    limit: int
    window: int

    @property
    def grain(self) -> int:
        """How long a slot is, in microseconds."""
        if self.limit <= EXACT:
            return MILLISECOND
        return max(MILLISECOND, -(-self.window // SLOTS))

    def check(self, cost: int) -> None:
        """See whether so much can ever go through.

        Raises:
            Invalid: it cannot, or the policy cannot be.
        """
        if not 1 <= self.limit <= LIMIT_MOST:
            raise Invalid("field-invalid", field="limit")
        if not WINDOW_LEAST <= self.window <= WINDOW_MOST:
            raise Invalid("field-invalid", field="window")
        if not 1 <= cost <= self.limit:
            raise Invalid("field-invalid", field="cost")


@dataclass(slots=True)
class State:
    """What one subject was admitted.

    Attributes:
        last: when it was last asked, in microseconds.
        slots: numbers of slots, ascending; slot `n` goes from n to n + 1 grains.
        costs: what was admitted in each.
    """

    last: int = 0
    slots: list[int] = field(default_factory=list[int])
    costs: list[int] = field(default_factory=list[int])

    @property
    def used(self) -> int:
        """What counts now."""
        return sum(self.costs)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy says of a call.

    Attributes:
        remaining: what could still go through now; after the call, if it was admitted.
        wait: microseconds until as much as was asked could go through, if nobody else asks.
        resets: microseconds until nothing counts any more.
    """

    policy: Policy
    is_admitted: bool
    remaining: int
    wait: int
    resets: int


def settle(policy: Policy, state: State, now: int) -> None:
    """Bring a state to a moment: what is a window old counts no more.

    A clock that went back is taken as standing still: ages stay what they were, so that nothing is
    forgotten too early, and nobody is locked out until the clock is where it was.
    """
    if now < state.last:
        back = (state.last - now) // policy.grain
        state.slots = [slot - back for slot in state.slots]
    state.last = now
    oldest = (now - policy.window) // policy.grain
    gone = 0
    while gone < len(state.slots) and state.slots[gone] < oldest:
        gone += 1
    del state.slots[:gone], state.costs[:gone]


def judge(policy: Policy, state: State, cost: int) -> Verdict:
    """What a policy says of a call, on a state that is settled; nothing is charged yet."""
    used = state.used
    is_admitted = used + cost <= policy.limit
    wait = 0 if is_admitted else _wait(policy, state, used + cost - policy.limit)
    remaining = policy.limit - used - (cost if is_admitted else 0)
    resets = _end(policy, state.slots[-1]) - state.last if state.slots else 0
    if is_admitted:
        resets = max(resets, _end(policy, state.last // policy.grain) - state.last)
    return Verdict(policy, is_admitted, max(0, remaining), wait, max(0, resets))


def charge(policy: Policy, state: State, cost: int) -> None:
    """Count a call that is admitted, on a state that is settled."""
    slot = state.last // policy.grain
    if state.slots and state.slots[-1] >= slot:
        state.costs[-1] += cost
        return
    state.slots.append(slot)
    state.costs.append(cost)


def decide(
    policies: Sequence[Policy], states: Sequence[State], cost: int, now: int
) -> list[Verdict]:
    """What policies say of a call, which goes through if all admit it; only then it is charged."""
    for policy, state in zip(policies, states, strict=True):
        settle(policy, state, now)
    verdicts = [judge(p, s, cost) for p, s in zip(policies, states, strict=True)]
    if all(verdict.is_admitted for verdict in verdicts):
        for policy, state in zip(policies, states, strict=True):
            charge(policy, state, cost)
        return verdicts
    # One that would have admitted it has not been charged.
    return [
        judge_uncharged(verdict, cost) if verdict.is_admitted else verdict for verdict in verdicts
    ]


def judge_uncharged(verdict: Verdict, cost: int) -> Verdict:
    """The verdict of a policy that would have admitted a call, had another one done so too."""
    return Verdict(
        verdict.policy,
        is_admitted=True,
        remaining=verdict.remaining + cost,
        wait=0,
        resets=verdict.resets,
    )


def _wait(policy: Policy, state: State, excess: int) -> int:
    for slot, cost in zip(state.slots, state.costs, strict=True):
        excess -= cost
        if excess <= 0:
            return max(1, _end(policy, slot) - state.last)
    return policy.window


def _end(policy: Policy, slot: int) -> int:
    """When what was admitted in a slot counts no more."""
    return (slot + 1) * policy.grain + policy.window
