"""What tables cannot say: asserts, settling, figures of lines, and time that runs back."""

from collections.abc import Callable

import pytest

from comptoir.kit.limits import SECOND
from comptoir.ledger.apply import apply
from comptoir.ledger.model import Account, Book, HoldState, Kind, Memo, Note
from comptoir.ledger.outcomes import STICKY, Outcome
from comptoir.ledger.requests import (
    Capture,
    Grant,
    Hold,
    Renew,
    Request,
    Reverse,
    Settle,
    Spend,
    Transfer,
)
from tests.support.asking import START
from tests.support.core import CoreDriver, Shelf
from tests.support.tables import Ask, Opening

MARK = b"mark"
ISSUER = -10
REVENUE = -11
BREAKAGE = -12


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def stocked() -> tuple[Shelf, int]:
    """A book with one account that has 10 and holds 4 of them, as hold 2."""
    shelf = Shelf()
    account = shelf.add("credits", 0)
    shelf.run([(Grant(key(1), MARK, account, ISSUER, 10),)], START)
    shelf.run([(Hold(key(2), MARK, account, REVENUE, 4, ttl=30 * SECOND),)], START)
    return shelf, account


IMPOSSIBLE: dict[str, Callable[[int, int], Request]] = {
    "grant": lambda account, amount: Grant(key(9), MARK, account, ISSUER, amount),
    "spend": lambda account, amount: Spend(key(9), MARK, account, REVENUE, amount),
    "hold": lambda account, amount: Hold(key(9), MARK, account, REVENUE, amount),
    "capture": lambda _, amount: Capture(key(9), MARK, key(2), amount),
    "transfer": lambda account, amount: Transfer(key(9), MARK, account, account, amount),
    "life of a hold": lambda account, life: Hold(key(9), MARK, account, REVENUE, 1, ttl=life),
    "life of a renewal": lambda _, life: Renew(key(9), MARK, key(2), life),
}


@pytest.mark.parametrize("amount", [0, -1])
@pytest.mark.parametrize("verb", IMPOSSIBLE)
def test_nothing_and_less_never_reach_the_core(verb: str, amount: int):
    shelf, account = stocked()
    with pytest.raises(AssertionError, match="validated at the boundary"):
        shelf.run([(IMPOSSIBLE[verb](account, amount),)], START)
    assert [(a.posted, a.held, a.version) for a in shelf.book.accounts.values()] == [(10, 4, 2)]


def test_a_negative_price_never_reaches_the_core():
    shelf, account = stocked()
    with pytest.raises(AssertionError, match="paid or it is not"):
        shelf.run([(Grant(key(9), MARK, account, ISSUER, 1, paid=-1),)], START)


def test_one_id_twice_in_a_chain_never_reaches_the_core():
    shelf, account = stocked()
    spend = Spend(key(9), MARK, account, REVENUE, 1)
    with pytest.raises(AssertionError, match="boundary"):
        shelf.run([(spend, spend)], START)


def test_settling_writes_what_is_due_and_answers_nothing():
    shelf, account = stocked()
    held = shelf.book.accounts[account]
    assert apply(shelf.book, [(Settle(account),)], START + 29 * SECOND) == [[]]
    assert held.held == 4
    held.due = list(shelf.book.holds.values())
    assert apply(shelf.book, [(Settle(account),), (Settle(account),)], START + 30 * SECOND) == [
        [],
        [],
    ]
    assert held.held == 0
    assert shelf.book.holds[key(2)].state is HoldState.EXPIRED
    assert [line.kind for line in shelf.book.lines] == [Kind.HOLD_EXPIRY]


def test_settling_an_account_that_nobody_has_does_nothing():
    book = Book(accounts={1: Account(1, 1)})
    assert apply(book, [(Settle(2),)], START) == [[]]
    assert book == Book(accounts={1: Account(1, 1)})


def test_lines_carry_what_a_reader_needs():
    shelf, account = stocked()
    note, memo = Note("for a picture", "order-1", None), Memo(price=3, quantity=2, cost=40)
    spend = Spend(key(3), MARK, account, REVENUE, 3, note=note, memo=memo)
    capture = Capture(key(4), MARK, key(2), note=note, memo=memo)
    shelf.run([(spend,), (capture,)], START + SECOND)
    granted, held, spent, captured = shelf.journal[account]
    assert (granted.kind, granted.contra, granted.amount, granted.filled) == (
        Kind.GRANT, ISSUER, 10, 10,
    )  # fmt: skip
    assert (held.kind, held.contra, held.amount, held.posted, held.held) == (
        Kind.HOLD, REVENUE, 0, 10, 4,
    )  # fmt: skip
    assert (spent.kind, spent.amount, spent.posted, spent.lots, spent.parts) == (
        Kind.SPEND, -3, 7, [1], [-3],
    )  # fmt: skip
    assert (captured.kind, captured.hold, captured.posted, captured.held) == (
        Kind.CAPTURE, key(2), 3, 0,
    )  # fmt: skip
    assert spent.note == captured.note == note
    assert spent.memo == captured.memo == memo
    assert spent.at == captured.at == START + SECOND


def test_expiries_carry_the_moment_they_were_due_and_go_to_breakage():
    shelf = Shelf()
    account = shelf.add("credits", 0)
    grant = Grant(key(1), MARK, account, ISSUER, 10, expires_at=START + 5 * SECOND)
    shelf.run([(grant,)], START)
    shelf.run([(Spend(key(2), MARK, account, REVENUE, 1),)], START + 60 * SECOND)
    expiry = shelf.journal[account][-1]
    assert (expiry.kind, expiry.at, expiry.contra) == (Kind.EXPIRY, START + 5 * SECOND, BREAKAGE)
    assert expiry.request is None


def test_only_filling_grants_set_what_low_is_measured_by():
    shelf = Shelf()
    account = shelf.add("credits", 0)
    kinds = [Kind.GRANT, Kind.PURCHASE, Kind.ALLOWANCE, Kind.ADJUSTMENT]
    for number, kind in enumerate(kinds):
        shelf.run([(Grant(key(number), MARK, account, ISSUER, 10, kind=kind),)], START)
    assert [line.filled for line in shelf.journal[account]] == [10, 20, 30, 30]


def test_a_group_capture_notes_its_cost_once():
    shelf, first = stocked()
    second = shelf.add("credits", 0)
    shelf.run([(Grant(key(3), MARK, second, ISSUER, 10),)], START)
    holds = [Hold(key(n), MARK, a, REVENUE, 1) for n, a in ((4, first), (5, second))]
    shelf.run([(holds[0], holds[1])], START)
    shelf.run([(Capture(key(6), MARK, key(5), memo=Memo(cost=7)),)], START)
    assert shelf.journal[second][-1].memo == Memo(cost=7)
    assert shelf.journal[first][-1].memo is None
    assert shelf.journal[first][-1].kind is Kind.CAPTURE


async def test_a_line_is_never_older_than_the_one_before_though_the_clock_is_set_back():
    core = CoreDriver()
    for name in ("alice", "bob"):
        await core.open(Opening(name))
    asks = [Ask(op="grant", label=f"g{n}", account="alice", amount=5) for n in range(3)]
    core.decide([[asks[0]]])
    await core.tick(-1000)
    core.decide([[asks[1]]])
    core.decide([[Ask(op="transfer", label="t", account="alice", target="bob", amount=1)]])
    await core.tick(500)
    core.decide([[Ask(op="spend", label="s", account="bob", amount=1)]])
    for name in ("alice", "bob"):
        assert {line.at for line in core.shelf.journal[core.account(name)]} == {START}


def test_a_refusal_says_what_was_asked_and_what_there_was():
    shelf, account = stocked()
    [[answer]] = shelf.run([(Spend(key(3), MARK, account, REVENUE, 7),)], START)
    assert (answer.outcome, answer.needed, answer.available) == (Outcome.INSUFFICIENT, 7, 6)
    assert answer.line is None
    assert answer.account == account


def test_a_reversal_names_what_it_undoes():
    shelf, account = stocked()
    shelf.run([(Spend(key(3), MARK, account, REVENUE, 2),)], START)
    [[answer]] = shelf.run([(Reverse(key(4), MARK, account, 3),)], START)
    assert answer.line is not None
    assert (answer.line.reverses, answer.line.kind, answer.line.contra) == (
        3, Kind.REVERSAL, REVENUE,
    )  # fmt: skip


def test_a_refused_chain_leaves_a_movement_to_be_reversed_by_the_next_in_the_same_commit():
    shelf, account = stocked()
    shelf.run([(Spend(key(3), MARK, account, REVENUE, 2),)], START)
    chain = (Reverse(key(4), MARK, account, 3), Spend(key(5), MARK, account, REVENUE, 9))
    answers = shelf.run([chain, (Reverse(key(4), MARK, account, 3),)], START)
    assert [[a.outcome for a in each] for each in answers] == [
        [Outcome.CHAIN_BROKEN, Outcome.INSUFFICIENT],
        [Outcome.CREATED],
    ]


def test_sticky_outcomes_are_successes_and_states_that_a_new_key_may_find_changed():
    assert {
        Outcome.CREATED,
        Outcome.HOLD_NOT_OPEN,
        Outcome.ALREADY_REVERSED,
        Outcome.PARTLY_SPENT,
        Outcome.INSUFFICIENT,
    } == STICKY


PRECEDENCE = [
    (Outcome.EXISTS_DIFFERENT, Outcome.ACCOUNT_NOT_FOUND),
    (Outcome.ACCOUNT_NOT_FOUND, Outcome.ASSET_MISMATCH),
    (Outcome.ACCOUNT_NOT_FOUND, Outcome.SAME_ACCOUNT),
    (Outcome.ASSET_MISMATCH, Outcome.INSUFFICIENT),
    (Outcome.SAME_ACCOUNT, Outcome.INSUFFICIENT),
    (Outcome.EXPIRED, Outcome.TOO_MANY_LOTS),
    (Outcome.HOLD_NOT_OPEN, Outcome.EXCEEDS_HOLD),
    (Outcome.PARTLY_SPENT, Outcome.BALANCE_LIMIT),
    (Outcome.INSUFFICIENT, Outcome.TOO_MANY_LOTS),
    (Outcome.TOO_MANY_LOTS, Outcome.BALANCE_LIMIT),
]


@pytest.mark.parametrize(("first", "then"), PRECEDENCE)
def test_outcomes_are_listed_as_the_tables_decide(first: Outcome, then: Outcome):
    order = list(Outcome)
    assert order.index(first) < order.index(then)
