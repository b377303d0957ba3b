"""Reversals and refunds: new movements that undo old ones, in the very lots that these changed."""

from typing import Final

from comptoir.kit.limits import BALANCE_MAX
from comptoir.ledger.answers import done, journal, refuse
from comptoir.ledger.expiry import expire_lapsed, settle
from comptoir.ledger.lots import Slice, Terms, burn, give_back, has_room, merged, put
from comptoir.ledger.model import Account, Answer, Book, Kind, Line, Target
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import DEFAULT_PRIORITY, IfSpent, Refund, Reverse
from comptoir.ledger.slice import change_account

_GIVING: Final = frozenset({Kind.GRANT, Kind.PURCHASE, Kind.ALLOWANCE, Kind.ADJUSTMENT})
_TAKING: Final = frozenset({Kind.SPEND, Kind.CAPTURE, Kind.ADJUSTMENT})
_REPAID: Final = Terms("reversal", DEFAULT_PRIORITY, None)
"""The lot for what a reversal gives back that was owed once and has been repaid since."""


def reverse(book: Book, request: Reverse, now: int) -> Answer:
    """Undo a movement by a new one: all of it that is not undone yet."""
    account = book.accounts.get(request.account)
    target = book.targets.get((request.account, request.version))
    if account is None or target is None:
        return refuse(request, Outcome.MOVEMENT_NOT_FOUND)
    at = max(now, account.at)
    settle(book, account, at)
    if target.reversed:
        return refuse(request, Outcome.ALREADY_REVERSED, at, account.id)
    if _gives(target.line):
        return _take_again(book, request, account, target, target.left, at)
    if _takes(target.line):
        return _give_again(book, request, account, target, at)
    return refuse(request, Outcome.NOT_REVERSIBLE, at, account.id)


def refund(book: Book, request: Refund, now: int) -> Answer:
    """Take back a part of what a grant brought."""
    assert request.amount > 0, "amounts are validated at the boundary"
    account = book.accounts.get(request.account)
    target = book.targets.get((request.account, request.version))
    if account is None or target is None:
        return refuse(request, Outcome.MOVEMENT_NOT_FOUND)
    at = max(now, account.at)
    settle(book, account, at)
    if not _gives(target.line):
        return refuse(request, Outcome.NOT_REVERSIBLE, at, account.id)
    return _take_again(book, request, account, target, request.amount, at)


def _gives(line: Line) -> bool:
    return line.amount > 0 and line.kind in _GIVING


def _takes(line: Line) -> bool:
    return line.amount < 0 and (line.kind in _TAKING or _is_refund(line))


def _is_refund(line: Line) -> bool:
    return line.kind is Kind.REFUND and line.reverses is not None


def _take_again(  # what is taken, of what, and by whom
    book: Book, request: Reverse | Refund, account: Account, target: Target, amount: int, at: int
) -> Answer:
    if target.left == 0:
        return refuse(request, Outcome.ALREADY_REVERSED, at, account.id)
    if amount > target.left:
        return refuse(request, Outcome.EXCEEDS_MOVEMENT, at, account.id)
    slices = _unspent(target, amount)
    missing = amount - sum(part for _, part in slices)
    if missing and request.if_spent == IfSpent.REFUSE:
        answer = refuse(request, Outcome.PARTLY_SPENT, at, account.id)
        answer.needed, answer.available = amount, amount - missing
        return answer
    if account.posted - amount < -BALANCE_MAX:
        return refuse(request, Outcome.BALANCE_LIMIT, at, account.id)

    # After this point the request must succeed.
    change_account(book, account)
    burn(book, account, slices)
    account.posted -= amount
    account.debt += missing
    kind = Kind.REFUND if isinstance(request, Refund) else Kind.REVERSAL
    line = journal(book, account, kind, target.line.contra, -amount, at, request)
    line.lots = [lot.no for lot, _ in slices]
    line.parts = [-part for _, part in slices]
    _change(book, target, [*target.taken, line], is_reversed=kind is Kind.REVERSAL)
    return _undoing(request, target, line)


def _unspent(target: Target, amount: int) -> list[Slice]:
    """What is still free of what the movement put into lots, as far as it is wanted.

    What repaid a debt never got there, and what was taken back before is gone.
    """
    gone: dict[int, int] = {}
    for line in target.taken:
        for number, part in zip(line.lots, line.parts, strict=True):
            gone[number] = gone.get(number, 0) - part
    slices: list[Slice] = []
    for number, put_in in zip(target.line.lots, target.line.parts, strict=True):
        lot = target.lots[number]
        part = min(lot.free, put_in - gone.get(number, 0), amount)
        if part > 0:
            slices.append((lot, part))
            amount -= part
    return slices


def _give_again(book: Book, request: Reverse, account: Account, target: Target, at: int) -> Answer:
    amount = -target.line.amount
    owed = amount + sum(target.line.parts)
    closed = sum(1 for number in target.line.lots if target.lots[number].left == 0)
    if not has_room(account, closed + 1):
        return refuse(request, Outcome.TOO_MANY_LOTS, at, account.id)
    if account.posted + amount > BALANCE_MAX:
        return refuse(request, Outcome.BALANCE_LIMIT, at, account.id)

    # After this point the request must succeed.
    change_account(book, account)
    parts: list[Slice | None] = [
        give_back(book, account, target.lots[number], -part, at)
        for number, part in zip(target.line.lots, target.line.parts, strict=True)
    ]
    if owed:
        parts.append(put(book, account, _REPAID, owed))
    account.posted += amount
    line = journal(book, account, Kind.REVERSAL, target.line.contra, amount, at, request)
    kept = merged(parts)
    line.lots, line.parts = list(kept), list(kept.values())
    expire_lapsed(book, account, at)
    _change(book, target, target.taken, is_reversed=True)
    _forget_refund(book, target.line)
    return _undoing(request, target, line)


def _forget_refund(book: Book, line: Line) -> None:
    """A refund that was undone takes nothing of its grant any more."""
    if line.reverses is None:
        return
    grant = book.targets.get((line.account, line.reverses))
    if grant is None:
        return
    standing = [each for each in grant.taken if each.version != line.version]
    _change(book, grant, standing, is_reversed=grant.reversed)


def _undoing(request: Reverse | Refund, target: Target, line: Line) -> Answer:
    line.reverses = target.line.version
    return done(request, line)


def _change(book: Book, target: Target, taken: list[Line], *, is_reversed: bool) -> None:
    before = (target.taken, target.reversed)
    target.taken, target.reversed = taken, target.reversed or is_reversed
    if book.undo is not None:
        book.undo.append(lambda: _restore(target, *before))


def _restore(target: Target, taken: list[Line], was_reversed: bool) -> None:  # noqa: FBT001  # as it was
    target.taken, target.reversed = taken, was_reversed
