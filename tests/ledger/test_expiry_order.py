"""What is due is written first, also when two accounts of one request tell different times."""

from comptoir.ledger.apply import apply
from comptoir.ledger.model import Account, Book, Kind, Lot
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Spend, Transfer

REVENUE, BREAKAGE = 8, 9


def test_an_account_is_settled_again_when_a_later_request_of_the_batch_is_later():
    """The clock stepped back below the last line of `ahead`, which a transfer then brings in."""
    lots = [Lot(1, "a", 50, 70, 5, 5), Lot(2, "b", 50, 90, 5, 5), Lot(3, "c", 50, None, 5, 5)]
    behind = Account(1, 1, posted=15, lots_made=3, open_lots=3, next_expiry=70, at=10, lots=lots)
    ahead = Account(2, 1, at=100)
    book = Book(accounts={1: behind, 2: ahead}, assets={REVENUE: 1}, breakage={1: BREAKAGE})
    spend = Spend(b"s" * 16, b"s", 1, REVENUE, 1)
    transfer = Transfer(b"t" * 16, b"t", 1, 2, 3)

    [[first], [second]] = apply(book, [(spend,), (transfer,)], 80)

    assert (first.outcome, second.outcome) == (Outcome.CREATED, Outcome.CREATED)
    expiries = [(line.at, line.lots) for line in book.lines if line.kind is Kind.EXPIRY]
    assert expiries == [(70, [1]), (90, [2])]
    assert (behind.posted, ahead.posted) == (2, 3)
