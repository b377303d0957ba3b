"""Lots: which credits are burnt, pinned, given back and merged, in which order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from comptoir.kit.limits import BALANCE_MAX, OPEN_LOTS
from comptoir.ledger.model import Account, Book, Held, Lot
from comptoir.ledger.slice import change_lot

Slice = tuple[Lot, int]
"""A lot and the amount that is taken from it, pinned in it, or put into it."""

_NO_SLICES: Final[list[Slice]] = []


@dataclass(frozen=True, slots=True)
class Terms:
    """What a lot that is about to be opened will be."""

    source: str
    priority: int
    expires_at: int | None
    plain: bool = True
    paid: int = 0
    tax: int = 0
    currency: str | None = None


def share(total: int, quantity: int, used: int, part: int) -> int:
    """The part of `total` that falls on `part` of `quantity` after `used` were counted before.

    It is the difference of two cumulative rounded shares, so that all parts sum to `total`.
    """
    return _rounded(total * (used + part), quantity) - _rounded(total * used, quantity)


def free_slices(account: Account, amount: int) -> tuple[list[Slice], int]:
    """The slices of free lots that cover `amount` in burning order, and what they do not cover."""
    slices: list[Slice] = []
    for lot in account.lots:
        if amount == 0:
            break
        free = lot.left - lot.pinned
        if free > 0:
            part = min(amount, free)
            slices.append((lot, part))
            amount -= part
    return slices, amount


def pinned_slices(account: Account, held: Held, amount: int) -> list[Slice]:
    """The slices of the lots that `held` pins which cover `amount`, as far as the pins go."""
    if not held.pins:
        return _NO_SLICES
    by_number = {lot.no: lot for lot in account.lots}
    slices: list[Slice] = []
    for number, pinned in held.pins:
        if amount == 0:
            break
        part = min(pinned, amount)
        slices.append((by_number[number], part))
        amount -= part
    return slices


def burn(book: Book, account: Account, slices: list[Slice]) -> None:
    """Take the slices out of their lots for good."""
    for lot, part in slices:
        change_lot(book, account, lot)
        lot.left -= part
        assert 0 <= lot.pinned <= lot.left, "a burn takes free credits, or unpins before"
        if lot.left == 0:
            close(account, lot)


def close(account: Account, lot: Lot) -> None:
    """Account for a lot that has nothing left. Its row stays, as the origin of what it gave."""
    account.lots = [other for other in account.lots if other is not lot]
    account.open_lots -= 1
    lapse_expiry(account, lot.expires_at)


def pin(book: Book, account: Account, slices: list[Slice]) -> None:
    """Set the slices aside for a hold."""
    for lot, part in slices:
        change_lot(book, account, lot)
        lot.pinned += part


def unpin(book: Book, account: Account, slices: list[Slice]) -> None:
    """Take back a pin. What a lapsed lot gets back is for the caller to expire."""
    for lot, part in slices:
        change_lot(book, account, lot)
        lot.pinned -= part
        assert lot.pinned >= 0, "a pin is taken back once"


def less_pins(held: Held, slices: list[Slice]) -> list[tuple[int, int]]:
    """The pins that `held` keeps once `slices` of them are taken back."""
    taken = {lot.no: part for lot, part in slices}
    left = [(number, pinned - taken.get(number, 0)) for number, pinned in held.pins]
    return [(number, pinned) for number, pinned in left if pinned > 0]


def pins_left(first: list[tuple[int, int]], captured: int) -> list[tuple[int, int]]:
    """What is left of a hold's first pins while it is open: captures take them from the front."""
    left: list[tuple[int, int]] = []
    for number, pinned in first:
        part = min(pinned, captured)
        captured -= part
        if pinned > part:
            left.append((number, pinned - part))
    return left


def has_room(account: Account, lots: int) -> bool:
    """Whether `account` may open so many lots more."""
    return account.open_lots + lots <= OPEN_LOTS


def equal_lot(account: Account, terms: Terms, amount: int) -> Lot | None:
    """The open lot into which `amount` on the same terms may be merged."""
    if not terms.plain:
        return None
    for lot in account.lots:
        if (
            lot.plain
            and not lot.lapsed
            and lot.priority == terms.priority
            and lot.expires_at == terms.expires_at
            and lot.source == terms.source
            and lot.granted + amount <= BALANCE_MAX
        ):
            return lot
    return None


def put(book: Book, account: Account, terms: Terms, amount: int) -> Slice | None:
    """Put `amount` into an equal lot or a new one, after what the account owes is repaid of it.

    Returns:
        The lot and what stays in it; None when everything went into the debt of an equal lot's
        account, so that no lot has changed what it has left.
    """
    repaid = min(account.debt, amount)
    account.debt -= repaid
    kept = amount - repaid
    lot = equal_lot(account, terms, amount)
    if lot is None:
        lot = _open(book, account, terms, amount, kept)
        return (lot, kept)
    change_lot(book, account, lot)
    lot.granted += amount
    lot.left += kept
    return (lot, kept) if kept else None


def give_back(book: Book, account: Account, lot: Lot, part: int, at: int) -> Slice:
    """Put `part`, which was burnt from `lot`, into it again; a lot past its expiry is lapsed."""
    change_lot(book, account, lot)
    lapsed = lot.expires_at is not None and lot.expires_at <= at
    if lot.left == 0:
        account.open_lots += 1
        account.lots = sorted([*account.lots, lot], key=_rank)
        if not lapsed:
            note_expiry(account, lot.expires_at)
    lot.lapsed = lapsed
    lot.left += part
    assert lot.left <= lot.granted, "a lot never gets back more than it gave"
    return (lot, part)


def note_expiry(account: Account, expires_at: int | None) -> None:
    """Let the account's next expiry be no later than `expires_at`."""
    if expires_at is None:
        return
    if account.next_expiry is None or expires_at < account.next_expiry:
        account.next_expiry = expires_at


def lapse_expiry(account: Account, expires_at: int | None) -> None:
    """Something that would have expired then is gone: was it the next one?"""
    if expires_at is None or account.next_expiry is None:
        return
    if expires_at <= account.next_expiry:
        account.stale_expiry = True


def merged(slices: Iterable[Slice | None]) -> dict[int, int]:
    """The amounts of the slices by the number of their lot."""
    parts: dict[int, int] = {}
    for slice_ in slices:
        if slice_ is not None:
            parts[slice_[0].no] = parts.get(slice_[0].no, 0) + slice_[1]
    return parts


def _open(book: Book, account: Account, terms: Terms, amount: int, kept: int) -> Lot:
    account.lots_made += 1
    lot = Lot(
        no=account.lots_made,
        source=terms.source,
        priority=terms.priority,
        expires_at=terms.expires_at,
        granted=amount,
        left=kept,
        plain=terms.plain,
        paid=terms.paid,
        tax=terms.tax,
        currency=terms.currency,
        version=account.version + 1,
        stored=False,
    )
    change_lot(book, account, lot)
    if kept:
        account.open_lots += 1
        account.lots = sorted([*account.lots, lot], key=_rank)
        note_expiry(account, lot.expires_at)
    return lot


def _rank(lot: Lot) -> tuple[int, float, int]:
    return lot.rank


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
