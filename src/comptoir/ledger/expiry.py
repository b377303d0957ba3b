"""Expiry: what has passed its time is written before anything else is decided."""

from comptoir.ledger.lots import burn, pinned_slices, unpin
from comptoir.ledger.model import Account, Book, Held, HoldState, Kind, Line, Lot
from comptoir.ledger.slice import change_account, change_hold, change_lot, write_line


def settle(book: Book, account: Account, at: int) -> None:
    """Write every expiry of `account` that is due at `at`, in the order in which they fell due.

    Each line carries the moment of its expiry, so that nobody can tell from the journal how late
    it was written, and a reader who computes it beforehand gets the very same line.
    """
    if account.next_expiry is None or account.next_expiry > at or account.settled >= at:
        return
    change_account(book, account)
    account.settled = at
    account.stale_expiry = True
    for _, _, thing in sorted(_due(account, at), key=lambda entry: entry[:2]):
        if isinstance(thing, Held):
            _expire_hold(book, account, thing)
        else:
            _expire_lot(book, account, thing)


def expire_lapsed(book: Book, account: Account, at: int) -> None:
    """Expire what lapsed lots got back from their pins."""
    for lot in account.lots:
        if lot.lapsed and lot.free > 0:
            _burn_expired(book, account, lot, at)


def _due(account: Account, at: int) -> list[tuple[int, tuple[int, bytes | int], Held | Lot]]:
    holds: list[tuple[int, tuple[int, bytes | int], Held | Lot]] = [
        (held.expires_at, (0, held.id), held)
        for held in account.due
        if held.state is HoldState.OPEN and held.expires_at is not None and held.expires_at <= at
    ]
    lots: list[tuple[int, tuple[int, bytes | int], Held | Lot]] = [
        (lot.expires_at, (1, lot.no), lot)
        for lot in account.lots
        if lot.expires_at is not None and lot.expires_at <= at and not lot.lapsed
    ]
    return holds + lots


def _expire_hold(book: Book, account: Account, held: Held) -> None:
    assert held.expires_at is not None, "only what expires is due"
    at = max(held.expires_at, account.at)
    change_hold(book, held)
    unpin(book, account, pinned_slices(account, held, held.remaining))
    account.held -= held.remaining
    line = _line(account, Kind.HOLD_EXPIRY, held.contra, 0, at)
    line.hold = held.id
    write_line(book, account, line)
    held.state = HoldState.EXPIRED
    held.closed = line.version
    held.pins = []
    expire_lapsed(book, account, at)


def _expire_lot(book: Book, account: Account, lot: Lot) -> None:
    assert lot.expires_at is not None, "only what expires is due"
    at = max(lot.expires_at, account.at)
    change_lot(book, account, lot)
    lot.lapsed = lot.pinned > 0
    if lot.free > 0:
        _burn_expired(book, account, lot, at)


def _burn_expired(book: Book, account: Account, lot: Lot, at: int) -> None:
    change_account(book, account)
    amount = lot.free
    burn(book, account, [(lot, amount)])
    account.posted -= amount
    line = _line(account, Kind.EXPIRY, book.breakage[account.asset], -amount, at)
    line.lots, line.parts = [lot.no], [-amount]
    write_line(book, account, line)


def _line(account: Account, kind: Kind, contra: int, amount: int, at: int) -> Line:
    return Line(account.id, 0, contra, amount, 0, 0, 0, 0, kind, at, None, [], [])
