"""Rows to the ledger's types and back. The only place that knows the order of columns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from comptoir.kit.limits import DAY, REFUSAL_DAYS
from comptoir.ledger.model import Account, Answer, Book, Held, HoldState, Kind, Line, Lot
from comptoir.ledger.outcomes import Outcome
from comptoir.store import sql

Row = tuple[Any, ...]
Statement = tuple[str, Sequence[object]]
"""A statement and its parameters."""

_KIND: Final = {kind.value: kind for kind in Kind}
_STATE: Final = {state.value: state for state in HoldState}
_ANSWER_COLUMNS: Final = 13
_LINE_COLUMNS: Final = 15

FUSED_MOST: Final = 64
"""Larger commits go statement by statement: the next is made while PostgreSQL runs the last."""


def account(row: Row) -> Account:
    """An account from the columns that LOCK selects."""
    (id_, asset, posted, held, debt, floor, filled, version, made, lots, expiry, at) = row[:12]
    return Account(id_, asset, posted, held, debt, floor, filled, version, made, lots, expiry, at)


def lot(row: Row) -> tuple[int, Lot]:
    """A lot with the account that it belongs to."""
    (owner, no, source, priority, expiry, granted, left, pinned, plain, lapsed) = row[:10]
    paid, tax, currency, version = row[10:]
    return owner, Lot(
        no, source, priority, expiry, granted, left, pinned, plain, lapsed, paid, tax, currency,
        version,
    )  # fmt: skip


def held(row: Row) -> Held:
    """A hold."""
    (id_, owner, contra, amount, captured, state, on_excess, expiry, group) = row[:9]
    lots, parts, opened, closed, at = row[9:]
    pins = list(zip(lots, parts, strict=True))
    return Held(
        id_, owner, contra, amount, captured, _STATE[state], on_excess, expiry, group, pins,
        opened, closed, at,
    )  # fmt: skip


def line(row: Row) -> Line:
    """A line of the journal, without its note and memo."""
    (owner, version, contra, amount, posted, held_, debt, filled, kind, at) = row[:10]
    request, lots, parts, hold, reverses = row[10:_LINE_COLUMNS]
    return Line(
        owner, version, contra, amount, posted, held_, debt, filled, _KIND[kind], at, request,
        lots, parts, hold, reverses,
    )  # fmt: skip


def known(row: Row, now: int) -> Answer | None:
    """A stored answer; None for a refusal that is too old to count."""
    (id_, mark, op, outcome, owner, at, expiry, captured, late, needed, available, amount) = row[
        : _ANSWER_COLUMNS - 1
    ]
    if outcome != Outcome.CREATED and at < now - REFUSAL_DAYS * DAY:
        return None
    answer = Answer(id_, mark, op, Outcome(outcome), owner, at)
    answer.expires_at, answer.captured, answer.late = expiry, captured, late
    answer.needed, answer.available, answer.amount = needed, available, amount
    lines = row[_ANSWER_COLUMNS:]
    if lines[0] is not None:
        answer.line = line(lines[:_LINE_COLUMNS])
        answer.hold = answer.line.hold
    if row[_ANSWER_COLUMNS - 1]:
        answer.mirror = line(lines[_LINE_COLUMNS:])
    return answer


def numbers(values: Iterable[int | None]) -> str:
    """An array literal of whole numbers."""
    return "{" + ",".join(["NULL" if v is None else str(v) for v in values]) + "}"


def wholes(values: Iterable[int]) -> str:
    """An array literal of whole numbers none of which is null."""
    return "{" + ",".join(map(str, values)) + "}"


def words(values: Iterable[str]) -> str:
    """An array literal of our own words: letters and underscores only."""
    return "{" + ",".join(values) + "}"


def truths(values: Iterable[bool]) -> str:
    """An array literal of booleans."""
    return "{" + ",".join(["t" if v else "f" for v in values]) + "}"


def octets(values: Iterable[bytes | None]) -> str:
    """An array literal of byte strings."""
    return "{" + ",".join(["NULL" if v is None else '"\\\\x' + v.hex() + '"' for v in values]) + "}"


def arrays(values: Iterable[Iterable[int]]) -> str:
    """An array literal of array literals of whole numbers, to be cast row by row."""
    return "{" + ",".join(['"{' + ",".join(map(str, v)) + '}"' for v in values]) + "}"


def write(book_id: int, book: Book, forget: list[bytes]) -> Iterator[Statement]:
    """The statements that write what apply has changed, in an order that cannot deadlock.

    Each one is made when it is asked for, so that PostgreSQL works on one while the next is made.
    """
    if forget:
        yield sql.FORGET_REFUSALS, (book_id, octets(sorted(forget)))
    if len(book.answers) <= FUSED_MOST and _is_plain(book):
        yield _fused(book_id, book)
        return
    for items, make in _WRITERS:
        found = items(book)
        if found:
            yield make(book_id, found)


def _is_plain(book: Book) -> bool:
    """Spends of existing lots and nothing else, which is what most small commits are."""
    return bool(
        book.lines
        and book.dirty_lots
        and not book.dirty_holds
        and all(lot.stored for _, lot in book.dirty_lots)
        and not any(account.stale_expiry for account in book.dirty_accounts)
        and not any(line.note or line.memo for line in book.lines)
    )


def _fused(book_id: int, book: Book) -> Statement:
    """The four statements of a plain commit as one, which starts in a third of their time."""
    parts = (
        _requests(book_id, book.answers),
        _lines(book_id, book.lines),
        _changed_lots(book_id, book.dirty_lots),
        _accounts(book_id, book.dirty_accounts),
    )
    return sql.PLAIN_COMMIT, [value for _, values in parts for value in values]


def _requests(book_id: int, answers: list[Answer]) -> Statement:
    answers.sort(key=_id)
    return sql.ADD_REQUESTS, (
        book_id,
        octets([a.id for a in answers]),
        octets([a.mark for a in answers]),
        words([a.op for a in answers]),
        words([a.outcome for a in answers]),
        numbers([a.account for a in answers]),
        numbers([a.line.version if a.line else None for a in answers]),
        numbers([a.mirror.version if a.mirror else None for a in answers]),
        numbers([a.expires_at for a in answers]),
        numbers([a.captured for a in answers]),
        truths([a.late for a in answers]),
        numbers([a.needed for a in answers]),
        numbers([a.available for a in answers]),
        wholes([a.at for a in answers]),
    )


def _lines(book_id: int, lines: list[Line]) -> Statement:
    return sql.ADD_LINES, (
        book_id,
        wholes([m.account for m in lines]),
        wholes([m.version for m in lines]),
        wholes([m.contra for m in lines]),
        wholes([m.amount for m in lines]),
        wholes([m.posted for m in lines]),
        wholes([m.held for m in lines]),
        wholes([m.debt for m in lines]),
        wholes([m.filled for m in lines]),
        words([m.kind for m in lines]),
        wholes([m.at for m in lines]),
        octets([m.request for m in lines]),
        arrays([m.lots for m in lines]),
        arrays([m.parts for m in lines]),
        octets([m.hold for m in lines]),
        numbers([m.reverses for m in lines]),
    )


def _new_lots(book_id: int, lots: list[tuple[int, Lot]]) -> Statement:
    return sql.ADD_LOTS, (
        book_id,
        wholes([owner for owner, _ in lots]),
        wholes([lot.no for _, lot in lots]),
        [lot.source for _, lot in lots],
        wholes([lot.priority for _, lot in lots]),
        numbers([lot.expires_at for _, lot in lots]),
        wholes([lot.granted for _, lot in lots]),
        wholes([lot.left for _, lot in lots]),
        wholes([lot.pinned for _, lot in lots]),
        truths([lot.plain for _, lot in lots]),
        truths([lot.lapsed for _, lot in lots]),
        wholes([lot.paid for _, lot in lots]),
        wholes([lot.tax for _, lot in lots]),
        [lot.currency for _, lot in lots],
        wholes([lot.version for _, lot in lots]),
    )


def _changed_lots(book_id: int, lots: list[tuple[int, Lot]]) -> Statement:
    return sql.CHANGE_LOTS, (
        wholes([owner for owner, _ in lots]),
        wholes([lot.no for _, lot in lots]),
        wholes([lot.granted for _, lot in lots]),
        wholes([lot.left for _, lot in lots]),
        wholes([lot.pinned for _, lot in lots]),
        truths([lot.lapsed for _, lot in lots]),
        book_id,
    )


def _new_holds(book_id: int, holds: list[Held]) -> Statement:
    return sql.ADD_HOLDS, (
        book_id,
        octets([h.id for h in holds]),
        wholes([h.account for h in holds]),
        wholes([h.contra for h in holds]),
        wholes([h.amount for h in holds]),
        wholes([h.captured for h in holds]),
        words([h.state for h in holds]),
        words([h.on_excess for h in holds]),
        numbers([h.expires_at for h in holds]),
        octets([h.group for h in holds]),
        arrays([[no for no, _ in h.pins] for h in holds]),
        arrays([[part for _, part in h.pins] for h in holds]),
        wholes([h.opened for h in holds]),
        numbers([h.closed for h in holds]),
        wholes([h.at for h in holds]),
    )


def _changed_holds(book_id: int, holds: list[Held]) -> Statement:
    return sql.CHANGE_HOLDS, (
        octets([h.id for h in holds]),
        wholes([h.captured for h in holds]),
        words([h.state for h in holds]),
        numbers([h.expires_at for h in holds]),
        arrays([[no for no, _ in h.pins] for h in holds]),
        arrays([[part for _, part in h.pins] for h in holds]),
        numbers([h.closed for h in holds]),
        book_id,
    )


def _accounts_anew(book_id: int, accounts: list[Account]) -> Statement:
    _, (*columns, _) = _accounts(book_id, accounts)
    return sql.CHANGE_ACCOUNTS_ANEW, (book_id, book_id, *columns, book_id)


def _accounts(book_id: int, accounts: list[Account]) -> Statement:
    return sql.CHANGE_ACCOUNTS, (
        wholes([a.id for a in accounts]),
        wholes([a.posted for a in accounts]),
        wholes([a.held for a in accounts]),
        wholes([a.debt for a in accounts]),
        wholes([a.filled for a in accounts]),
        wholes([a.version for a in accounts]),
        wholes([a.lots_made for a in accounts]),
        wholes([a.open_lots for a in accounts]),
        numbers([a.next_expiry for a in accounts]),
        wholes([a.at for a in accounts]),
        book_id,
    )


def _notes(book_id: int, lines: list[Line]) -> Statement:
    notes = [(m, m.note) for m in lines if m.note is not None]
    return sql.ADD_NOTES, (
        book_id,
        wholes([m.account for m, _ in notes]),
        wholes([m.version for m, _ in notes]),
        [note.reason for _, note in notes],
        [note.reference for _, note in notes],
        [note.metadata for _, note in notes],
    )


def _memos(book_id: int, lines: list[Line]) -> Statement:
    memos = [(m, m.memo) for m in lines if m.memo is not None]
    return sql.ADD_MEMOS, (
        book_id,
        wholes([m.account for m, _ in memos]),
        wholes([m.version for m, _ in memos]),
        numbers([memo.price for _, memo in memos]),
        wholes([memo.quantity for _, memo in memos]),
        [memo.model for _, memo in memos],
        numbers([memo.cost for _, memo in memos]),
    )


def _id(answer: Answer) -> bytes:
    return answer.id


# Holds and lots come before accounts, whose next expiry is computed from them.
_WRITERS: Final[list[tuple[Callable[[Book], list[Any]], Callable[[int, list[Any]], Statement]]]] = [
    (lambda book: book.answers, _requests),
    (lambda book: book.lines, _lines),
    (lambda book: [each for each in book.dirty_lots if not each[1].stored], _new_lots),
    (lambda book: [each for each in book.dirty_lots if each[1].stored], _changed_lots),
    (lambda book: [each for each in book.dirty_holds if not each.stored], _new_holds),
    (lambda book: [each for each in book.dirty_holds if each.stored], _changed_holds),
    (lambda book: [each for each in book.dirty_accounts if not each.stale_expiry], _accounts),
    (lambda book: [each for each in book.dirty_accounts if each.stale_expiry], _accounts_anew),
    (lambda book: [each for each in book.lines if each.note is not None], _notes),
    (lambda book: [each for each in book.lines if each.memo is not None], _memos),
]
