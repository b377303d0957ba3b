"""What must hold in a book of the pure core after every request; the numbers are the README's."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from comptoir.kit.limits import OPEN_LOTS
from comptoir.ledger.lots import pins_left
from comptoir.ledger.model import Account, HoldState, Kind, Line
from tests.support.core import Shelf


def conserved(shelf: Shelf) -> Iterator[str]:
    """1. Per asset the balances of all accounts, bounded and open, sum to zero."""
    book = shelf.book
    totals: Counter[int] = Counter()
    for account in book.accounts.values():
        totals[account.asset] += account.posted
    for line in _lines(shelf):
        if line.contra in book.assets:
            totals[book.assets[line.contra]] -= line.amount
    yield from (f"asset {asset} is off by {off}" for asset, off in totals.items() if off)


def held_by_holds(shelf: Shelf) -> Iterator[str]:
    """2. What an account holds is what its open holds have not captured yet."""
    for account in shelf.book.accounts.values():
        holds = [held for held in shelf.book.holds.values() if held.account == account.id]
        if account.held != sum(h.remaining for h in holds if h.state is HoldState.OPEN):
            yield f"account {account.id} holds {account.held}"
        if any(h.remaining <= 0 for h in holds if h.state is HoldState.OPEN):
            yield f"account {account.id} has an open hold of nothing"


def lots_make_balance(shelf: Shelf) -> Iterator[str]:
    """3. The balance is what the open lots have left, less the debt."""
    for account in shelf.book.accounts.values():
        if sum(lot.left for lot in account.lots) - account.debt != account.posted:
            yield f"account {account.id} has posted {account.posted}"


def pins_match(shelf: Shelf) -> Iterator[str]:
    """4. What open holds pin in a lot is what the lot has pinned; ended holds pin nothing.

    What a hold pins is what it pinned at first, less what captures took from the front of it.
    """
    pins: Counter[tuple[int, int]] = Counter()
    for held in shelf.book.holds.values():
        if held.state is not HoldState.OPEN and held.pins:
            yield f"hold {held.id.hex()} is {held.state} and pins"
        elif sum(part for _, part in held.pins) > max(0, held.remaining):
            yield f"hold {held.id.hex()} pins more than it holds"
        elif held.state is HoldState.OPEN and held.pins != pins_left(
            held.first or [], held.captured
        ):
            yield f"hold {held.id.hex()} pins {held.pins}, at first {held.first}"
        for number, part in held.pins:
            pins[held.account, number] += part
    for place, lot in shelf.lots.items():
        if lot.pinned != pins[place]:
            yield f"lot {place} has {lot.pinned} pinned, not {pins[place]}"


def journal_chains(shelf: Shelf) -> Iterator[str]:
    """5. Versions have no gap, time does not run back, each line starts where the last ended."""
    for account in shelf.book.accounts.values():
        lines = shelf.journal[account.id]
        if [line.version for line in lines] != list(range(1, account.version + 1)):
            yield f"account {account.id} has a gap in its versions"
        if any(a.at > b.at for a, b in pairwise(lines)):
            yield f"account {account.id} goes back in time"
        posted = debt = 0
        for line in lines:
            if posted + line.amount != line.posted:
                yield f"line {line.version} of {account.id} does not start where the last ended"
            if sum(line.parts) != line.amount + line.debt - debt:
                yield f"line {line.version} of {account.id}: parts {line.parts}"
            posted, debt = line.posted, line.debt
        yield from _ends_as(account, lines)


def _ends_as(account: Account, lines: list[Line]) -> Iterator[str]:
    if not lines:
        return
    last = lines[-1]
    figures = (last.posted, last.held, last.debt, last.filled, last.at)
    if figures != (account.posted, account.held, account.debt, account.filled, account.at):
        yield f"account {account.id} is not what its last line says"


def lots_are_their_parts(shelf: Shelf) -> Iterator[str]:
    """6. What a lot has left is the sum of its parts in the journal, and never too much."""
    parts: Counter[tuple[int, int]] = Counter()
    for line in _lines(shelf):
        for number, part in zip(line.lots, line.parts, strict=True):
            parts[line.account, number] += part
    for place, lot in shelf.lots.items():
        if lot.left != parts[place] or not 0 <= lot.pinned <= lot.left <= lot.granted:
            yield f"lot {place}: {lot}"
        if lot.lapsed and lot.free:
            yield f"lot {place} has lapsed, but not all of it is pinned"


def ids_move_once(shelf: Shelf) -> Iterator[str]:
    """7. An id moves at most once, and a movement is undone at most once."""
    moved = Counter(
        (line.request, line.account, line.hold) for line in _lines(shelf) if line.request
    )
    yield from (f"{place} moved {times} times" for place, times in moved.items() if times > 1)
    undone = Counter(
        (line.account, line.reverses) for line in _lines(shelf) if line.kind is Kind.REVERSAL
    )
    yield from (f"{place} was undone {times} times" for place, times in undone.items() if times > 1)
    yield from _undone_too_far(shelf)
    made = {line.request for line in _lines(shelf) if line.request}
    known = {id_ for id_, answer in shelf.book.known.items() if answer.line}
    if made != known:
        yield "a movement without a stored answer, or the other way round"


def _undone_too_far(shelf: Shelf) -> Iterator[str]:
    for account, lines in shelf.journal.items():
        undone = {line.reverses for line in lines}
        left = {line.version: line.amount for line in lines}
        for line in lines:
            if line.reverses and line.version not in undone:
                left[line.reverses] += line.amount
        for line in lines:
            if line.amount > 0 and left[line.version] < 0:
                yield f"more than all was taken back of line {line.version} of {account}"


def floors_hold(shelf: Shelf) -> Iterator[str]:
    """8. What is available is not below floor less debt; neither held nor debt is below zero."""
    for account in shelf.book.accounts.values():
        if account.available < account.floor - account.debt:
            yield f"account {account.id} is below its floor"
        if account.held < 0 or account.debt < 0:
            yield f"account {account.id}: held {account.held}, debt {account.debt}"


def expiry_is_noted(shelf: Shelf) -> Iterator[str]:
    """9. The next expiry of an account is no later than that of any of its open holds and lots."""
    for account in shelf.book.accounts.values():
        real = shelf.next_expiry(account)
        if real is not None and (account.next_expiry is None or account.next_expiry > real):
            yield f"account {account.id} would miss an expiry"


def lots_are_listed(shelf: Shelf) -> Iterator[str]:
    """10. Open lots are listed in burning order and counted, and are at most a thousand."""
    for account in shelf.book.accounts.values():
        lots = [lot for (owner, _), lot in shelf.lots.items() if owner == account.id and lot.left]
        if account.lots != sorted(lots, key=lambda lot: lot.rank):
            yield f"account {account.id} lists other lots than are open"
        if not account.open_lots == len(lots) <= OPEN_LOTS:
            yield f"account {account.id} counts {account.open_lots} open lots"


def transfers_mirror(shelf: Shelf) -> Iterator[str]:
    """11. A transfer has two lines that name each other and cancel out."""
    sides = [line for line in _lines(shelf) if line.kind is Kind.TRANSFER]
    seen = Counter((line.request, line.account, line.contra, line.amount) for line in sides)
    for line in sides:
        if seen[line.request, line.contra, line.account, -line.amount] != 1:
            yield f"line {line.version} of {line.account} has no mirror"


def low_once(shelf: Shelf) -> Iterator[str]:
    """13. Low and empty are said once a crossing; a twentieth more or a grant is a way back."""
    for account in shelf.book.accounts.values():
        level, said = 0, list[tuple[int, int]]()
        for line in shelf.journal[account.id]:
            level, before = _level_then(line, level), level
            if level > before:
                said.append((line.version, level))
        told = [(s.version, int(s.level)) for s in shelf.signals if s.account == account.id]
        if account.level != level or told != said:
            yield f"account {account.id} has level {account.level}, said {told}, not {said}"


def _level_then(line: Line, before: int) -> int:
    available, filled = line.posted - line.held, line.filled
    if filled <= 0:
        return 0
    plain = 2 if available <= 0 else 1 if available < filled // 5 else 0
    is_fill = line.amount > 0 and line.kind in {Kind.GRANT, Kind.PURCHASE, Kind.ALLOWANCE}
    if plain >= before or is_fill:
        return plain
    with_margin = available - filled // 20
    return min(before, 2 if with_margin <= 0 else 1 if with_margin < filled // 5 else 0)


INVARIANTS: Final[list[Callable[[Shelf], Iterator[str]]]] = [
    conserved,
    held_by_holds,
    lots_make_balance,
    pins_match,
    journal_chains,
    lots_are_their_parts,
    ids_move_once,
    floors_hold,
    expiry_is_noted,
    lots_are_listed,
    transfers_mirror,
    low_once,
]


def check(shelf: Shelf) -> None:
    """Fail with every invariant that is broken."""
    broken = [
        f"{(rule.__doc__ or '').split('.')[0]}: {fault}"
        for rule in INVARIANTS
        for fault in rule(shelf)
    ]
    assert not broken, "\n".join(broken)


def _lines(shelf: Shelf) -> Iterator[Line]:
    for lines in shelf.journal.values():
        yield from lines
