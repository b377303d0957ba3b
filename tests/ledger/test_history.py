"""Going over the journal again ends with what the lots had, at every version."""

from copy import copy

from hypothesis import given
from hypothesis import strategies as st

from comptoir.kit.limits import SECOND
from comptoir.ledger.history import Step, replay
from comptoir.ledger.model import Kind, Lot
from tests.support.core import CoreDriver
from tests.support.programs import ACCOUNTS, Author

Picture = dict[int, tuple[int, int]]
"""What each lot had left and pinned."""


def lots_of(core: CoreDriver, name: str) -> list[Lot]:
    account = core.opened(name)
    return [lot for (owner, _), lot in core.shelf.lots.items() if owner == account.id]


def picture(lots: list[Lot]) -> Picture:
    return {lot.no: (lot.left, lot.pinned) for lot in lots if lot.left}


@given(st.data())
def test_a_replay_from_the_beginning_ends_where_the_ledger_was(chance: st.DataObject) -> None:
    author = Author(lambda low, high: chance.draw(st.integers(low, high)))
    core = CoreDriver()
    seen: dict[tuple[str, int], Picture] = {}
    for account in ACCOUNTS:
        core.add(account)
    for _ in range(chance.draw(st.integers(5, 30))):
        if author.draw(0, 2) == 0:
            core.clerk.now += author.tick() * SECOND
        chain = author.chain()
        [told] = core.decide([chain])
        author.heard(chain, told)
        for account in ACCOUNTS:
            lots = lots_of(core, account.name)
            seen[account.name, core.opened(account.name).version] = picture(lots)
    for (name, version), wanted in seen.items():
        lines = core.shelf.journal[core.opened(name).id][:version]
        steps = [Step(m.kind, m.held, m.lots, m.parts, m.hold) for m in lines]
        lots = [copy(lot) for lot in lots_of(core, name)]
        for lot in lots:
            lot.left = lot.pinned = 0
        replay(lots, steps)
        assert picture(lots) == wanted, (name, version)


def test_a_replay_may_begin_where_nothing_is_held() -> None:
    lots = [Lot(1, "grant", 50, None, 10, 4), Lot(2, "grant", 10, None, 5, 5)]
    replay(
        lots,
        [
            Step(Kind.HOLD, 7, [], [], b"a"),
            Step(Kind.CAPTURE, 1, [2, 1], [-5, -1], b"a"),
            Step(Kind.CAPTURE, 1, [1], [-1], b"another, expired before"),
        ],
    )
    assert picture(lots) == {1: (2, 1)}
