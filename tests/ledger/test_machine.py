"""A state machine against the oracle: equal outcomes, equal books, every invariant each time."""

import random

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

    def _ask(self, draws: st.DataObject, verb: str) -> None:
        self.author.draw = lambda low, high: draws.draw(st.integers(low, high))
        chain = [self.author.ask(verb)]
        self.author.heard(chain, self.duel.submit(chain))

    @rule(draws=st.data())
    def grant(self, draws: st.DataObject) -> None:
        self._ask(draws, "grant")

    @rule(draws=st.data())
    def spend(self, draws: st.DataObject) -> None:
        self._ask(draws, "spend")

    @rule(draws=st.data())
    def hold(self, draws: st.DataObject) -> None:
        self._ask(draws, "hold")

    @rule(draws=st.data())
    def capture(self, draws: st.DataObject) -> None:
        self._ask(draws, "capture")

    @rule(draws=st.data())
    def release(self, draws: st.DataObject) -> None:
        self._ask(draws, "release")

    @rule(draws=st.data())
    def renew(self, draws: st.DataObject) -> None:
        self._ask(draws, "renew")

    @rule(draws=st.data())
    def transfer(self, draws: st.DataObject) -> None:
        self._ask(draws, "transfer")

    @rule(draws=st.data())
    def reverse(self, draws: st.DataObject) -> None:
        self._ask(draws, "reverse")

    @rule(draws=st.data())
    def refund(self, draws: st.DataObject) -> None:
        self._ask(draws, "refund")

    @rule(draws=st.data())
    def chain_or_repeat(self, draws: st.DataObject) -> None:
        self.author.draw = lambda low, high: draws.draw(st.integers(low, high))
        chain = self.author.chain() if self.author.draw(0, 3) else [self.author.repeat()]
        self.author.heard(chain, self.duel.submit(chain))

    @rule(draws=st.data())
    def tick(self, draws: st.DataObject) -> None:
        self.author.draw = lambda low, high: draws.draw(st.integers(low, high))
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
        if kind <= 2:
            chains = [author.chain() for _ in range(4)]
            for chain, told in zip(chains, duel.submit_together(chains), strict=True):
                author.heard(chain, told)
        else:
            chain = [author.repeat()] if kind == 3 else author.chain()
            author.heard(chain, duel.submit(chain))
        duel.compare()


@pytest.mark.parametrize("block", range(4))
def test_programs(block: int):
    for seed in range(block * 20, block * 20 + 20):
        play(seed)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_programs_for_long(seed_of_run: int):
    first = seed_of_run * 10_000
    for seed in range(first, first + 10_000):
        play(seed)
