"""Reversals: a new movement that undoes an old one, in the very lots that the old one changed."""

from typing import Final

from comptoir.kit.limits import BALANCE_MAX
from comptoir.ledger.answers import done, journal, refuse
from comptoir.ledger.expiry import expire_lapsed, settle
from comptoir.ledger.lots import Slice, Terms, burn, give_back, has_room, merged, put
from comptoir.ledger.model import Account, Answer, Book, Kind, Line, Target
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import DEFAULT_PRIORITY, IfSpent, Reverse
from comptoir.ledger.slice import change_account

_GIVING: Final = frozenset({Kind.GRANT, Kind.PURCHASE, Kind.ALLOWANCE, Kind.ADJUSTMENT})
_TAKING: Final = frozenset({Kind.SPEND, Kind.CAPTURE, Kind.ADJUSTMENT})
_REPAID: Final = Terms("reversal", DEFAULT_PRIORITY, None)
"""The lot for what a reversal gives back that was owed once and has been repaid since."""


def reverse(book: Book, request: Reverse, now: int) -> Answer:
    """Undo a movement by a new one, in the very lots that it changed."""
    account = book.accounts.get(request.account)
    target = book.targets.get((request.account, request.version))
    if account is None or target is None:
        return refuse(request, Outcome.MOVEMENT_NOT_FOUND)
    at = max(now, account.at)
    settle(book, account, at)
    if target.reversed:
        return refuse(request, Outcome.ALREADY_REVERSED, at, account.id)
    if target.line.amount > 0 and target.line.kind in _GIVING:
        return _take_again(book, request, account, target, at)
    if target.line.amount < 0 and target.line.kind in _TAKING:
        return _give_again(book, request, account, target, at)
    return refuse(request, Outcome.NOT_REVERSIBLE, at, account.id)


def _take_again(book: Book, request: Reverse, account: Account, target: Target, at: int) -> Answer:
    amount = target.line.amount
    slices = _unspent(target)
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
    line = journal(book, account, Kind.REVERSAL, target.line.contra, -amount, at, request)
    line.lots = [lot.no for lot, _ in slices]
    line.parts = [-part for _, part in slices]
    return _reversed(book, request, target, line)


def _unspent(target: Target) -> list[Slice]:
    """What is still free of what the movement put into lots; what repaid a debt never got there."""
    slices: list[Slice] = []
    for number, put_in in zip(target.line.lots, target.line.parts, strict=True):
        lot = target.lots[number]
        part = min(lot.free, put_in)
        if part > 0:
            slices.append((lot, part))
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
    return _reversed(book, request, target, line)


def _reversed(book: Book, request: Reverse, target: Target, line: Line) -> Answer:
    target.reversed = True
    if book.undo is not None:
        book.undo.append(lambda: _restore(target))
    line.reverses = target.line.version
    return done(request, line)


def _restore(target: Target) -> None:
    target.reversed = False
