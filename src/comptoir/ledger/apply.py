"""What requests do to a book. Pure: no I/O, no clock, no randomness.

Each request is one straight run of guard clauses that end in an outcome, then the line "After this
point the request must succeed", then changes only.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from comptoir.kit.limits import BALANCE_MAX
from comptoir.ledger.answers import done, insufficient, journal, refuse
from comptoir.ledger.expiry import settle
from comptoir.ledger.fingerprint import differing_field
from comptoir.ledger.holds import Group, capture, hold, release, renew
from comptoir.ledger.lots import (
    Slice,
    Terms,
    burn,
    equal_lot,
    free_slices,
    has_room,
    merged,
    put,
    share,
)
from comptoir.ledger.model import Answer, Book, Kind
from comptoir.ledger.outcomes import STICKY, Outcome
from comptoir.ledger.requests import (
    Capture,
    Chain,
    Grant,
    Hold,
    Refund,
    Release,
    Renew,
    Request,
    Reverse,
    Settle,
    Spend,
    Transfer,
    Work,
)
from comptoir.ledger.reversal import refund, reverse
from comptoir.ledger.slice import change_account, named_account, remember, undoable

_FILLING = frozenset({Kind.GRANT, Kind.PURCHASE, Kind.ALLOWANCE})


def apply(book: Book, chains: Iterable[Work], now: int) -> list[list[Answer]]:
    """Apply chains in order; each sees the effects of those before it.

    Args:
        book: the slice that `plan` asked for; changed in place.
        chains: what to do; the members of a chain happen all or not at all.
        now: the database's time, in microseconds, read after the accounts were locked.

    Returns:
        For every chain one answer a request, in order.
    """
    return [_work(book, chain, now) for chain in chains]


def _work(book: Book, chain: Work, now: int) -> list[Answer]:
    first = chain[0]
    if isinstance(first, Settle):
        return _settle(book, first, now)
    if len(chain) == 1:
        return [_decide(book, first, now, None)]
    return _chain(book, chain, now)


def _settle(book: Book, request: Settle, now: int) -> list[Answer]:
    account = book.accounts.get(request.account)
    if account is not None:
        settle(book, account, max(now, account.at))
    return []


def _chain(book: Book, chain: Chain, now: int) -> list[Answer]:
    assert len({request.id for request in chain}) == len(chain), "refused at the boundary"
    if any(request.id in book.known for request in chain):
        return [_replay_member(book, request) for request in chain]
    answers: list[Answer] = []
    with undoable(book) as take_back:
        group = _group(chain)
        for request in chain:
            answers.append(_decide(book, request, now, group))
            if answers[-1].outcome is not Outcome.CREATED:
                take_back()
                break
    if answers[-1].outcome is Outcome.CREATED:
        return answers
    culprit = answers[-1]
    _store(book, culprit)
    return [culprit if r.id == culprit.id else _broken(r) for r in chain]


def _replay_member(book: Book, request: Request) -> Answer:
    known = book.known.get(request.id)
    return _broken(request) if known is None else _replay(known, request)


def _broken(request: Request) -> Answer:
    return Answer(request.id, request.mark, request.op, Outcome.CHAIN_BROKEN)


def _group(chain: Chain) -> Group | None:
    holds = [request for request in chain if isinstance(request, Hold)]
    if len(holds) <= 1:
        return None
    lives = [hold.ttl for hold in holds if hold.ttl is not None]
    return Group(holds[0].id, min(lives) if lives else None)


def _decide(book: Book, request: Request, now: int, group: Group | None) -> Answer:
    known = book.known.get(request.id)
    if known is not None:
        return _replay(known, request)
    match request:
        case Spend():
            answer = _spend(book, request, now)
        case Grant():
            answer = _grant(book, request, now)
        case Hold():
            answer = hold(book, request, now, group)
        case Capture():
            answer = capture(book, request, now)
        case Release():
            answer = release(book, request, now)
        case Renew():
            answer = renew(book, request, now)
        case Transfer():
            answer = _transfer(book, request, now)
        case Reverse():
            answer = reverse(book, request, now)
        case Refund():
            answer = refund(book, request, now)
        case _:
            assert_never(request)
    _store(book, answer)
    return answer


def _store(book: Book, answer: Answer) -> None:
    if answer.outcome is Outcome.CREATED or answer.outcome in STICKY:
        remember(book, answer)


def _replay(known: Answer, request: Request) -> Answer:
    if known.mark != request.mark:
        field = differing_field(known.mark, request.mark)
        return Answer(request.id, request.mark, request.op, Outcome.EXISTS_DIFFERENT, field=field)
    if known.outcome is Outcome.CREATED:
        return replace(known, outcome=Outcome.EXISTS, replayed=True)
    return replace(known, replayed=True)


def _spend(book: Book, request: Spend, now: int) -> Answer:
    amount = request.amount
    assert amount > 0, "amounts are validated at the boundary"
    account = named_account(book, request.account)
    asset = book.assets.get(request.contra)
    if account is None or asset is None:
        return refuse(request, Outcome.ACCOUNT_NOT_FOUND)
    if account.asset != asset:
        return refuse(request, Outcome.ASSET_MISMATCH)
    at = max(account.at, now)
    settle(book, account, at)
    if not account.affords(amount):
        return insufficient(request, account, amount, at)

    # After this point the request must succeed.
    change_account(book, account)
    slices, uncovered = free_slices(account, amount)
    burn(book, account, slices)
    account.posted -= amount
    account.debt += uncovered
    line = journal(book, account, request.kind, request.contra, -amount, at, request)
    line.memo = request.memo
    line.lots = [lot.no for lot, _ in slices]
    line.parts = [-part for _, part in slices]
    return done(request, line)


def _grant(book: Book, request: Grant, now: int) -> Answer:
    amount = request.amount
    assert amount > 0, "amounts are validated at the boundary"
    assert request.paid >= 0, "a lot is paid or it is not"
    account = named_account(book, request.account)
    asset = book.assets.get(request.contra)
    if account is None or asset is None:
        return refuse(request, Outcome.ACCOUNT_NOT_FOUND)
    if account.asset != asset:
        return refuse(request, Outcome.ASSET_MISMATCH)
    at = max(now, account.at)
    settle(book, account, at)
    if request.expires_at is not None and request.expires_at <= at:
        return refuse(request, Outcome.EXPIRED, at, account.id)
    terms = _terms(request)
    if equal_lot(account, terms, amount) is None and not has_room(account, 1):
        return refuse(request, Outcome.TOO_MANY_LOTS, at, account.id)
    if account.posted + amount > BALANCE_MAX:
        return refuse(request, Outcome.BALANCE_LIMIT, at, account.id)

    # After this point the request must succeed.
    change_account(book, account)
    kept = put(book, account, terms, amount)
    account.posted += amount
    if request.kind in _FILLING:
        account.filled = account.posted
    line = journal(book, account, request.kind, request.contra, amount, at, request)
    if kept is not None:
        line.lots, line.parts = [kept[0].no], [kept[1]]
    return done(request, line)


def _terms(request: Grant) -> Terms:
    referred = request.note is not None and request.note.reference is not None
    return Terms(
        source=request.source,
        priority=request.priority,
        expires_at=request.expires_at,
        plain=request.paid == 0 and not referred,
        paid=request.paid,
        tax=request.tax,
        currency=request.currency,
    )


def _transfer(book: Book, request: Transfer, now: int) -> Answer:
    amount = request.amount
    assert amount > 0, "amounts are validated at the boundary"
    source = named_account(book, request.account)
    target = named_account(book, request.target)
    if source is None or target is None:
        return refuse(request, Outcome.ACCOUNT_NOT_FOUND)
    if source.asset != target.asset:
        return refuse(request, Outcome.ASSET_MISMATCH)
    if source is target:
        return refuse(request, Outcome.SAME_ACCOUNT)
    at = max(now, source.at, target.at)
    settle(book, source, at)
    settle(book, target, at)
    if not source.affords(amount):
        return insufficient(request, source, amount, at)
    slices, uncovered = free_slices(source, amount)
    parts = [(_inherited(slice_), slice_[1]) for slice_ in slices]
    if uncovered:
        parts.append((Terms("transfer", 0, None), uncovered))
    if not has_room(target, len(parts)):
        return refuse(request, Outcome.TOO_MANY_LOTS, at, target.id)
    if target.posted + amount > BALANCE_MAX:
        return refuse(request, Outcome.BALANCE_LIMIT, at, target.id)

    # After this point the request must succeed.
    change_account(book, source)
    change_account(book, target)
    burn(book, source, slices)
    source.posted -= amount
    source.debt += uncovered
    line = journal(book, source, Kind.TRANSFER, target.id, -amount, at, request)
    line.lots = [lot.no for lot, _ in slices]
    line.parts = [-part for _, part in slices]

    kept = merged([put(book, target, terms, part) for terms, part in parts])
    target.posted += amount
    mirror = journal(book, target, Kind.TRANSFER, source.id, amount, at, request)
    mirror.lots, mirror.parts = list(kept), list(kept.values())
    answer = done(request, line)
    answer.mirror = mirror
    return answer


def _inherited(slice_: Slice) -> Terms:
    lot, part = slice_
    used = lot.granted - lot.left
    return Terms(
        source=lot.source,
        priority=lot.priority,
        expires_at=lot.expires_at,
        plain=lot.plain,
        paid=share(lot.paid, lot.granted, used, part),
        tax=share(lot.tax, lot.granted, used, part),
        currency=lot.currency,
    )
