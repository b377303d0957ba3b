"""What is loaded and locked for requests, before anybody decides."""

import random

from hypothesis import given
from hypothesis import strategies as st

from comptoir.ledger.plan import EVERYTHING, plan
from comptoir.ledger.requests import (
    Capture,
    Grant,
    Hold,
    Release,
    Renew,
    Reverse,
    Settle,
    Spend,
    Transfer,
)
from tests.support.core import CoreDriver
from tests.support.programs import ACCOUNTS, Author

MARK = b"mark"


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_demand_adds_up_over_all_chains():
    needs = plan(
        [
            (Spend(key(1), MARK, 7, -1, 30),),
            (Hold(key(2), MARK, 7, -1, 12), Spend(key(3), MARK, 8, -1, 5)),
        ]
    )
    assert needs.ids == [key(1), key(2), key(3)]
    assert needs.demand == {7: 42, 8: 5}
    assert not needs.holds
    assert not needs.grants
    assert not needs.targets


def test_a_grant_takes_nothing_and_looks_for_an_equal_lot():
    needs = plan([(Grant(key(1), MARK, 7, -1, 30, source="plan", priority=3, expires_at=99),)])
    assert needs.demand == {7: 0}
    assert needs.grants == {(7, "plan", 3, 99)}


def test_a_transfer_may_open_lots_over_there():
    needs = plan([(Transfer(key(1), MARK, 7, 8, 30),)])
    assert needs.demand == {7: 30, 8: EVERYTHING}


def test_holds_are_named_with_what_may_be_taken_of_them():
    needs = plan(
        [
            (Capture(key(1), MARK, b"a", 3, final=False),),
            (Capture(key(2), MARK, b"a", 4),),
            (Release(key(3), MARK, b"a"), Renew(key(4), MARK, b"b", 60)),
            (Capture(key(5), MARK, b"c"),),
        ]
    )
    assert needs.ids == [key(n) for n in range(1, 6)]
    assert needs.holds == {b"a": 7, b"b": 0, b"c": EVERYTHING}
    assert not needs.demand


def test_a_reversal_names_a_movement_and_may_empty_any_lot():
    needs = plan([(Reverse(key(1), MARK, 7, 12),)])
    assert needs.targets == {(7, 12)}
    assert needs.demand == {7: EVERYTHING}
    assert needs.grants == {(7, "reversal", 50, None)}


def test_settling_locks_and_nothing_else():
    needs = plan([(Settle(7),)])
    assert needs.demand == {7: 0}
    assert not needs.ids


@given(st.integers(0, 2**32))
def test_nothing_changes_that_was_not_planned(seed: int):
    """Accounts, holds and ids that apply touches are in the plan, or in the group of one named."""
    rng = random.Random(seed)
    core, author = CoreDriver(), Author(rng.randint)
    for account in ACCOUNTS:
        core.add(account)
    for _ in range(12):
        asks = author.chain()
        needs = plan([core.clerk.chain(asks)])
        book = core.shelf.book
        named = [book.holds[id_] for id_ in needs.holds if id_ in book.holds]
        named += [mate for held in named if held.group for mate in book.groups[held.group]]
        before = {id_: (a.version, len(a.lots)) for id_, a in book.accounts.items()}
        author.heard(asks, core.decide([asks])[0])
        changed = {
            id_ for id_, a in book.accounts.items() if before[id_] != (a.version, len(a.lots))
        }
        assert changed <= needs.demand.keys() | {held.account for held in named}
        assert {ask.label for ask in asks} == {
            ask.label for ask in asks if core.clerk.id(ask.label) in needs.ids
        }
