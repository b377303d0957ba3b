"""Holds: setting aside, capturing, releasing, renewing. The holds of one chain live together."""

from dataclasses import dataclass, replace

from comptoir.kit.limits import BALANCE_MAX
from comptoir.ledger.answers import done, insufficient, journal, refuse
from comptoir.ledger.expiry import expire_lapsed, settle
from comptoir.ledger.lots import (
    burn,
    free_slices,
    lapse_expiry,
    less_pins,
    merged,
    note_expiry,
    pin,
    pinned_slices,
    unpin,
)
from comptoir.ledger.model import Account, Answer, Book, Held, HoldState, Kind, Line
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Capture, Hold, OnExcess, Release, Renew
from comptoir.ledger.slice import (
    add_hold,
    change_account,
    change_hold,
    named_account,
    undoable,
)


@dataclass(frozen=True, slots=True)
class Group:
    """What the holds of one chain share."""

    id: bytes
    ttl: int | None


def hold(book: Book, request: Hold, now: int, group: Group | None) -> Answer:
    """Set an amount aside."""
    amount = request.amount
    assert amount > 0, "amounts are validated at the boundary"
    assert request.ttl is None or request.ttl > 0, "lifetimes are validated at the boundary"
    account = named_account(book, request.account)
    asset = book.assets.get(request.contra)
    if account is None or asset is None:
        return refuse(request, Outcome.ACCOUNT_NOT_FOUND)
    if account.asset != asset:
        return refuse(request, Outcome.ASSET_MISMATCH)
    at = max(now, account.at)
    settle(book, account, at)
    if not account.affords(amount):
        return insufficient(request, account, amount, at)

    # After this point the request must succeed.
    change_account(book, account)
    ttl = group.ttl if group else request.ttl
    slices, _ = free_slices(account, amount)
    pin(book, account, slices)
    account.held += amount
    pins = [(lot.no, part) for lot, part in slices]
    held = Held(
        id=request.id,
        account=account.id,
        contra=request.contra,
        amount=amount,
        on_excess=request.on_excess,
        expires_at=None if ttl is None else at + ttl,
        group=group.id if group else None,
        pins=pins,
        opened=account.version + 1,
        at=at,
        stored=False,
        first=pins,
    )
    add_hold(book, held)
    note_expiry(account, held.expires_at)
    line = journal(book, account, Kind.HOLD, request.contra, 0, at, request)
    return _about(done(request, line), held)


def _about(answer: Answer, held: Held) -> Answer:
    """Let the answer, and its line, show the hold as it is now."""
    assert answer.line is not None, "only of what has happened"
    answer.line.hold = held.id
    answer.hold = held.id
    answer.amount = held.amount
    answer.captured = held.captured
    answer.expires_at = held.expires_at
    return answer


def capture(book: Book, request: Capture, now: int) -> Answer:
    """Turn a hold, or part of it, into a movement; without an amount, its whole group."""
    assert request.amount is None or request.amount > 0, "amounts are validated at the boundary"
    held = book.holds.get(request.hold)
    if held is None:
        return refuse(request, Outcome.HOLD_NOT_FOUND)
    if held.group is None or request.amount is not None:
        return _capture_one(book, request, held, now)
    mates = _mates(book, held)
    if any(book.accounts[each.account].anonymous for each in (held, *mates)):
        request = replace(request, note=None)  # the lines of the others have the same text
    with undoable(book) as take_back:
        answer = _capture_one(book, request, held, now)
        others = [
            _capture_one(book, request, mate, now)
            for mate in mates
            if mate.state in (HoldState.OPEN, HoldState.EXPIRED)
        ]
        failed = [a for a in (answer, *others) if a.outcome is not Outcome.CREATED]
        if failed:
            take_back()
            return failed[0]
    return answer


def _capture_one(book: Book, request: Capture, held: Held, now: int) -> Answer:
    account = book.accounts[held.account]
    at = max(now, account.at)
    settle(book, account, at)
    if held.state not in (HoldState.OPEN, HoldState.EXPIRED):
        return refuse(request, Outcome.HOLD_NOT_OPEN, at, account.id)
    asked = held.remaining if request.amount is None else request.amount
    if asked > held.remaining and held.on_excess == OnExcess.REFUSE:
        return refuse(request, Outcome.EXCEEDS_HOLD, at, account.id)
    late = held.state is HoldState.EXPIRED
    pinned = 0 if late else held.remaining
    amount = _capturable(account, held, asked, pinned)
    if amount == 0 or (late and amount < asked and held.on_excess == OnExcess.REFUSE):
        return insufficient(request, account, asked, at)
    if account.posted - amount < -BALANCE_MAX:
        return refuse(request, Outcome.BALANCE_LIMIT, at, account.id)

    # After this point the request must succeed.
    change_account(book, account)
    change_hold(book, held)
    freed = pinned if request.final else min(amount, pinned)
    taken = pinned_slices(account, held, min(amount, pinned))
    released = pinned_slices(account, held, freed)
    unpin(book, account, released)
    held.pins = less_pins(held, released)
    burn(book, account, taken)
    more, uncovered = free_slices(account, amount - sum(part for _, part in taken))
    burn(book, account, more)
    account.held -= freed
    account.posted -= amount
    account.debt += uncovered
    held.captured += amount
    ended = request.final or held.captured >= held.amount
    if ended:
        _end_by_capture(account, held)
    line = journal(book, account, Kind.CAPTURE, held.contra, -amount, at, request)
    if held.id == request.hold:
        line.memo = request.memo
    parts = merged([*taken, *more])
    line.lots, line.parts = list(parts), [-part for part in parts.values()]
    if ended:
        held.closed = line.version
    answer = _about(done(request, line), held)
    answer.late = late
    expire_lapsed(book, account, at)
    return answer


def _capturable(account: Account, held: Held, asked: int, pinned: int) -> int:
    """How much of `asked` may be captured: the hold's own first, the rest by its policy."""
    if held.on_excess == OnExcess.DEBT:
        return asked
    within = min(asked, held.remaining)
    if pinned:
        return within
    return min(within, max(0, account.available - account.floor))


def _end_by_capture(account: Account, held: Held) -> None:
    if held.state is HoldState.OPEN:
        lapse_expiry(account, held.expires_at)
    held.state = HoldState.CAPTURED


def release(book: Book, request: Release, now: int) -> Answer:
    """Give a hold and its group back."""
    held = book.holds.get(request.hold)
    if held is None:
        return refuse(request, Outcome.HOLD_NOT_FOUND)
    at = _settle_group(book, held, now)
    if held.state is not HoldState.OPEN:
        return refuse(request, Outcome.HOLD_NOT_OPEN, at, held.account)

    # After this point the request must succeed.
    line = _release_one(book, request, held, at)
    for mate in _open_mates(book, held):
        _release_one(book, request, mate, at)
    return _about(done(request, line), held)


def _release_one(book: Book, request: Release, held: Held, at: int) -> Line:
    account = book.accounts[held.account]
    change_account(book, account)
    change_hold(book, held)
    unpin(book, account, pinned_slices(account, held, held.remaining))
    account.held -= held.remaining
    lapse_expiry(account, held.expires_at)
    line = journal(book, account, Kind.RELEASE, held.contra, 0, at, request)
    line.hold = held.id
    held.state = HoldState.RELEASED
    held.closed = line.version
    held.pins = []
    expire_lapsed(book, account, at)
    return line


def renew(book: Book, request: Renew, now: int) -> Answer:
    """Let a hold and its group live longer."""
    assert request.ttl > 0, "lifetimes are validated at the boundary"
    held = book.holds.get(request.hold)
    if held is None:
        return refuse(request, Outcome.HOLD_NOT_FOUND)
    at = _settle_group(book, held, now)
    if held.state is not HoldState.OPEN:
        return refuse(request, Outcome.HOLD_NOT_OPEN, at, held.account)

    # After this point the request must succeed.
    line = _renew_one(book, request, held, at)
    for mate in _open_mates(book, held):
        _renew_one(book, request, mate, at)
    return _about(done(request, line), held)


def _renew_one(book: Book, request: Renew, held: Held, at: int) -> Line:
    account = book.accounts[held.account]
    change_account(book, account)
    change_hold(book, held)
    lapse_expiry(account, held.expires_at)
    held.expires_at = at + request.ttl
    note_expiry(account, held.expires_at)
    line = journal(book, account, Kind.RENEWAL, held.contra, 0, at, request)
    line.hold = held.id
    return line


def _settle_group(book: Book, held: Held, now: int) -> int:
    """Settle the accounts of a hold's group; returns one time that is right for all of them."""
    accounts = [book.accounts[mate.account] for mate in (held, *_mates(book, held))]
    at = max(now, *(account.at for account in accounts))
    for account in accounts:
        settle(book, account, at)
    return at


def _mates(book: Book, held: Held) -> list[Held]:
    """The other holds of the group, in an order that is the same however they were loaded."""
    if held.group is None:
        return []
    others = [mate for mate in book.groups[held.group] if mate is not held]
    return sorted(others, key=lambda mate: (mate.account, mate.opened))


def _open_mates(book: Book, held: Held) -> list[Held]:
    return [mate for mate in _mates(book, held) if mate.state is HoldState.OPEN]
