"""A state machine against the oracle: equal outcomes, equal books, and every invariant each time."""

import random
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.support.duel import Duel
from tests.support.programs import Author

STEPS = 60


class Ledger(RuleBasedStateMachine):
    """Asks the core and the oracle the same, and compares all that can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.duel = Duel()
        self.author = Author(random.Random(0).randint)

    def _ask(self, data: Any, verb: str) -> None:
        self.author.draw = lambda low, high: data.draw(st.integers(low, high))
        chain = [self.author.ask(verb)]
        self.author.heard(chain, self.duel.submit(chain))

    @rule(data=st.data())
    def grant(self, data: Any) -> None:
        self._ask(data, "grant")

    @rule(data=st.data())
    def spend(self, data: Any) -> None:
        self._ask(data, "spend")

    @rule(data=st.data())
    def hold(self, data: Any) -> None:
        self._ask(data, "hold")

    @rule(data=st.data())
    def capture(self, data: Any) -> None:
        self._ask(data, "capture")

    @rule(data=st.data())
    def release(self, data: Any) -> None:
        self._ask(data, "release")

    @rule(data=st.data())
    def renew(self, data: Any) -> None:
        self._ask(data, "renew")

    @rule(data=st.data())
    def transfer(self, data: Any) -> None:
        self._ask(data, "transfer")

    @rule(data=st.data())
    def reverse(self, data: Any) -> None:
        self._ask(data, "reverse")

    @rule(data=st.data())
    def chain_or_repeat(self, data: Any) -> None:
        self.author.draw = lambda low, high: data.draw(st.integers(low, high))
        chain = self.author.chain() if self.author.draw(0, 3) else [self.author.repeat()]
        self.author.heard(chain, self.duel.submit(chain))

    @rule(data=st.data())
    def tick(self, data: Any) -> None:
        self.author.draw = lambda low, high: data.draw(st.integers(low, high))
        self.duel.tick(self.author.tick())

    @invariant()
    def agree(self) -> None:
        self.duel.compare()


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    stateful_step_count=30, phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]
)


def play(seed: int) -> None:
    """One long program at random; the seed tells it again."""
    rng = random.Random(seed)
    duel, author = Duel(), Author(rng.randint)
    for _ in range(STEPS):
        kind = rng.randint(0, 11)
        if kind == 0:
            duel.tick(author.tick())
            continue
        chain = [author.repeat()] if kind == 1 else author.chain()
        author.heard(chain, duel.submit(chain))
        duel.compare()


@pytest.mark.parametrize("block", range(4))
def test_programs(block: int):
    for seed in range(block * 40, block * 40 + 40):
        play(seed)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_programs_for_long(randomly_seed: int = 0):
    for seed in range(1_000_000, 1_020_000):
        play(seed)
