"""Accounts of erased customers: nobody can name them, and no line of theirs has a text."""

from dataclasses import dataclass, field

import pytest

from comptoir.kit.limits import SECOND
from comptoir.ledger.apply import apply
from comptoir.ledger.model import Account, Answer, Book, Lot, Note, Target
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import (
    Capture,
    Chain,
    Grant,
    Hold,
    IfSpent,
    Request,
    Reverse,
    Spend,
    Transfer,
)

NOTE = Note(reason="for somebody")
ALICE, BOB = 1, 2
ISSUER, REVENUE = -1, -2
NOW = 1_000 * SECOND


@dataclass
class Shop:
    """Two customers with 50 each; the clock is set by hand."""

    book: Book = field(default_factory=Book)
    now: int = NOW

    def __post_init__(self) -> None:
        self.book.assets.update({ISSUER: 1, REVENUE: 1})
        self.book.breakage[1] = -3
        for id_ in (ALICE, BOB):
            self.book.accounts[id_] = Account(id_, 1)
            self.one(Grant(b"g%d" % id_, b"m", id_, ISSUER, 50, note=NOTE))

    def one(self, request: Request) -> Answer:
        return self.all((request,))[0]

    def all(self, chain: Chain) -> list[Answer]:
        self.now += 1
        for account in self.book.accounts.values():
            account.settled = -1
            account.due = [h for h in self.book.holds.values() if h.account == account.id]
        return apply(self.book, [chain], self.now)[0]

    def erase_alice(self) -> None:
        self.book.accounts[ALICE].anonymous = True


@pytest.mark.parametrize(
    "request_",
    [
        Grant(b"r", b"m", ALICE, ISSUER, 1, note=NOTE),
        Spend(b"r", b"m", ALICE, REVENUE, 1, note=NOTE),
        Hold(b"r", b"m", ALICE, REVENUE, 1, note=NOTE),
        Transfer(b"r", b"m", ALICE, BOB, 1, NOTE),
        Transfer(b"r", b"m", BOB, ALICE, 1, NOTE),
    ],
    ids=["grant", "spend", "hold", "transfer-from", "transfer-to"],
)
def test_nobody_can_name_it(request_: Request):
    shop = Shop()
    shop.erase_alice()
    lines = len(shop.book.lines)
    answer = shop.one(request_)
    assert answer.outcome is Outcome.ACCOUNT_NOT_FOUND
    assert len(shop.book.lines) == lines
    assert b"r" not in shop.book.known


def test_what_was_decided_is_answered():
    shop = Shop()
    shop.one(Spend(b"s", b"m", ALICE, REVENUE, 7, note=NOTE))
    shop.erase_alice()
    again = shop.one(Spend(b"s", b"m", ALICE, REVENUE, 7, note=NOTE))
    assert (again.outcome, again.replayed) == (Outcome.EXISTS, True)
    other = shop.one(Spend(b"s", b"n", ALICE, REVENUE, 7, note=NOTE))
    assert other.outcome is Outcome.EXISTS_DIFFERENT


def test_a_reversal_leaves_no_text():
    shop = Shop()
    granted = shop.book.lines[0]
    assert granted.note is NOTE
    shop.erase_alice()
    lots: dict[int, Lot] = {lot.no: lot for lot in shop.book.accounts[ALICE].lots}
    shop.book.targets[ALICE, 1] = Target(granted, lots, reversed=False)
    answer = shop.one(Reverse(b"v", b"m", ALICE, 1, IfSpent.REFUSE, NOTE))
    assert answer.outcome is Outcome.CREATED
    assert answer.line is not None
    assert answer.line.note is None


def test_a_late_capture_of_a_group_leaves_no_text_on_any_side():
    shop = Shop()
    for whole in (False, True):
        ids = (b"h1", b"h2") if whole else (b"k1", b"k2")
        shop.all(
            tuple(
                Hold(id_, b"m", owner, REVENUE, 5, 10, note=NOTE)
                for id_, owner in zip(ids, (ALICE, BOB), strict=True)
            )
        )
        shop.now += 60 * SECOND
        if whole:
            shop.erase_alice()
        before = len(shop.book.lines)
        answer = shop.one(Capture(b"c" + ids[0], b"m", ids[0], note=NOTE))
        assert (answer.outcome, answer.late) == (Outcome.CREATED, True)
        captures = [line for line in shop.book.lines[before:] if line.kind == "capture"]
        assert [line.account for line in captures] == [ALICE, BOB]
        assert [line.note for line in captures] == ([None, None] if whole else [NOTE, NOTE])
