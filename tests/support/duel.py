"""The core and the oracle side by side: asked the same, they must say and have the same."""

from collections.abc import Sequence

from comptoir.kit.limits import SECOND
from tests.support.asking import START
from tests.support.core import CoreDriver
from tests.support.invariants import check
from tests.support.oracle import Oracle
from tests.support.programs import ACCOUNTS
from tests.support.tables import Ask, Told


class Duel:
    """Fails at the first difference, and at the first invariant that is broken."""

    def __init__(self) -> None:
        self.core = CoreDriver()
        self.oracle = Oracle()
        for account in ACCOUNTS:
            self.core.add(account)
            self.oracle.open(account.name, account.asset, account.floor)

    def submit(self, chain: Sequence[Ask]) -> list[Told]:
        """Ask both; a refused chain must leave the book as it was, to the last figure."""
        before = self.core.shelf.picture() if len(chain) > 1 else ""
        told = [_plain(each) for each in self.core.decide([chain])[0]]
        wanted = self.oracle.submit(chain, (self.core.clerk.now - START) // SECOND)
        assert told == wanted, f"{brief(chain)}\ncore: {told}\noracle: {wanted}"
        if len(chain) > 1 and any(each.outcome != "created" for each in told):
            after = self.core.shelf.picture()
            assert after == before, "a refused chain has left something behind"
        return told

    def submit_together(self, chains: Sequence[Sequence[Ask]]) -> list[list[Told]]:
        """Ask both for several chains in one commit; each sees what those before it have done."""
        now = (self.core.clerk.now - START) // SECOND
        told = [[_plain(each) for each in answers] for answers in self.core.decide(chains)]
        for chain, answers in zip(chains, told, strict=True):
            wanted = self.oracle.submit(chain, now)
            assert answers == wanted, f"{brief(chain)}\ncore: {answers}\noracle: {wanted}"
        return told

    def tick(self, seconds: int) -> None:
        self.core.clerk.now += seconds * SECOND

    def compare(self) -> None:
        """Everything that can be seen is equal, and every invariant holds."""
        for account in ACCOUNTS:
            ours, theirs = self.core.opened(account.name), self.oracle.books.owners[account.name]
            assert (ours.posted, ours.held, ours.debt) == (theirs.posted, theirs.held, theirs.owed)
            assert [(lot.left, lot.pinned, lot.paid) for lot in ours.lots] == [
                (len(pile.units), sum(bool(unit.pledge) for unit in pile.units), pile.paid)
                for pile in theirs.open
            ]
            lines = self.core.shelf.journal[ours.id]
            moved = [(line.kind.value, line.amount) for line in lines if line.amount]
            assert sorted(moved) == sorted(theirs.moved)
        for label, pledge in self.oracle.books.pledges.items():
            held = self.core.shelf.book.holds[self.core.clerk.id(label)]
            assert (held.state.value, held.captured) == (pledge.state, pledge.taken), label
        check(self.core.shelf)


def brief(chain: Sequence[Ask]) -> str:
    """A chain with all that was said, and nothing else."""
    plain = Ask(op="", label="")
    said = [
        {
            name: value
            for name in Ask.__slots__
            if (value := getattr(ask, name)) != getattr(plain, name)
        }
        for ask in chain
    ]
    return "; ".join(" ".join(f"{k}={v}" for k, v in ask.items()) for ask in said)


def _plain(told: Told) -> Told:
    """Without the field that differs, which the tables look at."""
    return Told(
        outcome=str(told.outcome),
        replayed=told.replayed,
        late=told.late,
        needed=told.needed,
        available=told.available,
        captured=told.captured,
    )
