"""Rows to the ledger's types and back. The only place that knows the order of columns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from comptoir.kit.limits import DAY, REFUSAL_DAYS
from comptoir.ledger.model import (
    Account,
    Answer,
    Book,
    Held,
    HoldState,
    Kind,
    Level,
    Line,
    Lot,
    Signal,
)
from comptoir.ledger.outcomes import Outcome
from comptoir.store import sql

Row = tuple[Any, ...]
Statement = tuple[str, Sequence[object]]
"""A statement and its parameters."""

_KIND: Final = {kind.value: kind for kind in Kind}
_SIGNALS: Final = {Level.LOW: "credits.low", Level.EMPTY: "credits.empty"}
_STATE: Final = {state.value: state for state in HoldState}
_ANSWER_COLUMNS: Final = 13
_LINE_COLUMNS: Final = 15
_HELD_COLUMNS: Final = 14


def account(row: Row) -> Account:
    """An account from the columns that LOCK selects."""
    (id_, asset, posted, held, debt, floor, filled, version, made, lots, expiry, at) = row[:12]
    return Account(
        id_, asset, posted, held, debt, floor, filled, version, made, lots, expiry, at, row[12],
        Level(row[13]), row[14],
    )  # fmt: skip


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
    lots, parts, opened, closed, at = row[9:_HELD_COLUMNS]
    pins = list(zip(lots, parts, strict=True))
    return Held(
        id_, owner, contra, amount, captured, _STATE[state], on_excess, expiry, group, pins,
        opened, closed, at,
    )  # fmt: skip


def past_held(row: Row) -> Held:
    """A hold with the pins that it had at first, when those are known."""
    found = held(row)
    lots, parts = row[_HELD_COLUMNS:]
    found.first = None if lots is None else list(zip(lots, parts, strict=True))
    return found


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
    """An array literal of our own words: letters, underscores and points only."""
    return "{" + ",".join(values) + "}"


def truths(values: Iterable[bool]) -> str:
    """An array literal of booleans."""
    return "{" + ",".join(["t" if v else "f" for v in values]) + "}"


def octets(values: Iterable[bytes | None]) -> str:
    """An array literal of byte strings."""
    return "{" + ",".join(["NULL" if v is None else '"\\\\x' + v.hex() + '"' for v in values]) + "}"


def arrays(values: Iterable[Sequence[int]]) -> str:
    """An array literal of array literals of whole numbers, to be cast row by row."""
    # Most have one: a spend is mostly from one lot.
    texts = [str(v[0]) if len(v) == 1 else ",".join(map(str, v)) for v in values]
    return "{" + ",".join([f'"{{{text}}}"' for text in texts]) + "}"


def _as_it_is(value: object) -> object:
    return value


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _truth(value: object) -> str:
    return "t" if value else "f"


def _octet(value: bytes | None) -> str | None:
    return None if value is None else "\\x" + value.hex()


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How the values of a column are given to PostgreSQL: many as an array literal, or one.

    One is a text too: so a statement is prepared once, not once for each size of number.
    """

    many: Callable[[list[Any]], object]
    one: Callable[[Any], object]


WHOLES: Final = _Spelling(wholes, str)
NUMBERS: Final = _Spelling(numbers, _number)
WORDS: Final = _Spelling(words, str)
TRUTHS: Final = _Spelling(truths, _truth)
OCTETS: Final = _Spelling(octets, _octet)
ARRAYS: Final = _Spelling(arrays, wholes)
TEXTS: Final = _Spelling(_as_it_is, _as_it_is)
"""Texts of callers, which only psycopg knows how to put into an array."""

Columns = list[tuple[_Spelling, list[Any]]]


def forget(book_id: int, refusals: list[bytes]) -> Iterator[Statement]:
    """The statement, if any, that removes refusals which are too old to count."""
    if refusals:
        yield sql.FORGET_REFUSALS, (book_id, octets(sorted(refusals)))


def made(book_id: int, book: Book) -> Iterator[Statement]:
    """The statements that add what apply has made, which nothing changes any more.

    Each one is made when it is asked for, so that PostgreSQL works on one while the next is made.
    What they add is taken from the book: it may be filled again, and asked again.
    """
    answers, lines, signals = book.answers, book.lines, book.signals
    book.answers, book.lines, book.signals = [], [], []
    if answers:
        yield _requests(book_id, answers)
    if lines:
        yield _lines(book_id, lines)
    noted = [each for each in lines if each.note is not None]
    if noted:
        yield _notes(book_id, noted)
    costed = [each for each in lines if each.memo is not None]
    if costed:
        yield _memos(book_id, costed)
    if signals:
        yield _signals(book_id, signals)


def changed(book_id: int, book: Book) -> Iterator[Statement]:
    """The statements that write what apply has changed, in an order that cannot deadlock."""
    for items, make in _CHANGES:
        found = items(book)
        if found:
            yield make(book_id, found)


def _requests(book_id: int, answers: list[Answer]) -> Statement:
    answers.sort(key=_id)
    columns: Columns = [
        (OCTETS, [a.id for a in answers]),
        (OCTETS, [a.mark for a in answers]),
        (WORDS, [a.op for a in answers]),
        (WORDS, [a.outcome for a in answers]),
        (NUMBERS, [a.account for a in answers]),
        (NUMBERS, [a.line.version if a.line else None for a in answers]),
        (NUMBERS, [a.mirror.version if a.mirror else None for a in answers]),
        (NUMBERS, [a.expires_at for a in answers]),
        (NUMBERS, [a.captured for a in answers]),
        (TRUTHS, [a.late for a in answers]),
        (NUMBERS, [a.needed for a in answers]),
        (NUMBERS, [a.available for a in answers]),
        (WHOLES, [a.at for a in answers]),
    ]
    return _spelled(sql.ADD_REQUESTS, columns, before=(book_id,))


def _lines(book_id: int, lines: list[Line]) -> Statement:
    columns: Columns = [
        (WHOLES, [m.account for m in lines]),
        (WHOLES, [m.version for m in lines]),
        (WHOLES, [m.contra for m in lines]),
        (WHOLES, [m.amount for m in lines]),
        (WHOLES, [m.posted for m in lines]),
        (WHOLES, [m.held for m in lines]),
        (WHOLES, [m.debt for m in lines]),
        (WHOLES, [m.filled for m in lines]),
        (WORDS, [m.kind for m in lines]),
        (WHOLES, [m.at for m in lines]),
        (OCTETS, [m.request for m in lines]),
        (ARRAYS, [m.lots for m in lines]),
        (ARRAYS, [m.parts for m in lines]),
        (OCTETS, [m.hold for m in lines]),
        (NUMBERS, [m.reverses for m in lines]),
    ]
    return _spelled(sql.ADD_LINES, columns, before=(book_id,))


def _new_lots(book_id: int, lots: list[tuple[int, Lot]]) -> Statement:
    columns: Columns = [
        (WHOLES, [owner for owner, _ in lots]),
        (WHOLES, [lot.no for _, lot in lots]),
        (TEXTS, [lot.source for _, lot in lots]),
        (WHOLES, [lot.priority for _, lot in lots]),
        (NUMBERS, [lot.expires_at for _, lot in lots]),
        (WHOLES, [lot.granted for _, lot in lots]),
        (WHOLES, [lot.left for _, lot in lots]),
        (WHOLES, [lot.pinned for _, lot in lots]),
        (TRUTHS, [lot.plain for _, lot in lots]),
        (TRUTHS, [lot.lapsed for _, lot in lots]),
        (WHOLES, [lot.paid for _, lot in lots]),
        (WHOLES, [lot.tax for _, lot in lots]),
        (TEXTS, [lot.currency for _, lot in lots]),
        (WHOLES, [lot.version for _, lot in lots]),
    ]
    return _spelled(sql.ADD_LOTS, columns, before=(book_id,))


def _changed_lots(book_id: int, lots: list[tuple[int, Lot]]) -> Statement:
    columns: Columns = [
        (WHOLES, [owner for owner, _ in lots]),
        (WHOLES, [lot.no for _, lot in lots]),
        (WHOLES, [lot.granted for _, lot in lots]),
        (WHOLES, [lot.left for _, lot in lots]),
        (WHOLES, [lot.pinned for _, lot in lots]),
        (TRUTHS, [lot.lapsed for _, lot in lots]),
    ]
    return _spelled(sql.CHANGE_LOTS, columns, after=(book_id,))


def _new_holds(book_id: int, holds: list[Held]) -> Statement:
    columns: Columns = [
        (OCTETS, [h.id for h in holds]),
        (WHOLES, [h.account for h in holds]),
        (WHOLES, [h.contra for h in holds]),
        (WHOLES, [h.amount for h in holds]),
        (WHOLES, [h.captured for h in holds]),
        (WORDS, [h.state for h in holds]),
        (WORDS, [h.on_excess for h in holds]),
        (NUMBERS, [h.expires_at for h in holds]),
        (OCTETS, [h.group for h in holds]),
        (ARRAYS, [[no for no, _ in h.pins] for h in holds]),
        (ARRAYS, [[part for _, part in h.pins] for h in holds]),
        (WHOLES, [h.opened for h in holds]),
        (NUMBERS, [h.closed for h in holds]),
        (WHOLES, [h.at for h in holds]),
        (ARRAYS, [[no for no, _ in h.first or ()] for h in holds]),
        (ARRAYS, [[part for _, part in h.first or ()] for h in holds]),
    ]
    return _spelled(sql.ADD_HOLDS, columns, after=(book_id,))


def _changed_holds(book_id: int, holds: list[Held]) -> Statement:
    columns: Columns = [
        (OCTETS, [h.id for h in holds]),
        (WHOLES, [h.captured for h in holds]),
        (WORDS, [h.state for h in holds]),
        (NUMBERS, [h.expires_at for h in holds]),
        (ARRAYS, [[no for no, _ in h.pins] for h in holds]),
        (ARRAYS, [[part for _, part in h.pins] for h in holds]),
        (NUMBERS, [h.closed for h in holds]),
    ]
    return _spelled(sql.CHANGE_HOLDS, columns, after=(book_id,))


def _accounts(book_id: int, accounts: list[Account]) -> Statement:
    return _spelled(sql.CHANGE_ACCOUNTS, _account_columns(accounts), after=(book_id,))


def _accounts_anew(book_id: int, accounts: list[Account]) -> Statement:
    return _spelled(
        sql.CHANGE_ACCOUNTS_ANEW,
        _account_columns(accounts),
        before=(book_id, book_id),
        after=(book_id,),
    )


def _account_columns(accounts: list[Account]) -> Columns:
    return [
        (WHOLES, [a.id for a in accounts]),
        (WHOLES, [a.posted for a in accounts]),
        (WHOLES, [a.held for a in accounts]),
        (WHOLES, [a.debt for a in accounts]),
        (WHOLES, [a.filled for a in accounts]),
        (WHOLES, [a.version for a in accounts]),
        (WHOLES, [a.lots_made for a in accounts]),
        (WHOLES, [a.open_lots for a in accounts]),
        (NUMBERS, [a.next_expiry for a in accounts]),
        (WHOLES, [a.at for a in accounts]),
        (WHOLES, [a.level.value for a in accounts]),
    ]


def _notes(book_id: int, lines: list[Line]) -> Statement:
    notes = [(m, m.note) for m in lines if m.note is not None]
    columns: Columns = [
        (WHOLES, [m.account for m, _ in notes]),
        (WHOLES, [m.version for m, _ in notes]),
        (TEXTS, [note.reason for _, note in notes]),
        (TEXTS, [note.reference for _, note in notes]),
        (TEXTS, [note.metadata for _, note in notes]),
    ]
    return _spelled(sql.ADD_NOTES, columns, before=(book_id,))


def _memos(book_id: int, lines: list[Line]) -> Statement:
    memos = [(m, m.memo) for m in lines if m.memo is not None]
    columns: Columns = [
        (WHOLES, [m.account for m, _ in memos]),
        (WHOLES, [m.version for m, _ in memos]),
        (NUMBERS, [memo.price for _, memo in memos]),
        (WHOLES, [memo.quantity for _, memo in memos]),
        (TEXTS, [memo.model for _, memo in memos]),
        (NUMBERS, [memo.cost for _, memo in memos]),
    ]
    return _spelled(sql.ADD_MEMOS, columns, before=(book_id,))


def _signals(book_id: int, signals: list[Signal]) -> Statement:
    columns: Columns = [
        (WHOLES, [s.account for s in signals]),
        (WHOLES, [s.version for s in signals]),
        (WORDS, [_SIGNALS[s.level] for s in signals]),
    ]
    return _spelled(sql.ADD_SIGNALS, columns, after=(book_id,))


def _spelled(
    statement: str,
    columns: Columns,
    *,
    before: tuple[object, ...] = (),
    after: tuple[object, ...] = (),
) -> Statement:
    """A statement and its columns: arrays, or plain parameters where all rows have the same."""
    same = _same_columns(statement, columns)
    plain = [columns[n][0].one(columns[n][1][0]) for n in same]
    arrays = [kind.many(values) for n, (kind, values) in enumerate(columns) if n not in same]
    return sql.spelled(statement, same), (*before, *plain, *arrays, *after)


def _same_columns(statement: str, columns: Columns) -> tuple[int, ...]:
    """All columns of a single row; the usual ones when they are; else none: three forms in all."""
    if len(columns[0][1]) == 1:
        return tuple(range(len(columns)))
    usual = sql.same_columns(statement)
    return usual if all(_is_same(columns[n][1]) for n in usual) else ()


def _is_same(values: list[Any]) -> bool:
    return values[0] == values[-1] and values.count(values[0]) == len(values)


def _id(answer: Answer) -> bytes:
    return answer.id


# Holds and lots come before accounts, whose next expiry is computed from them.
_CHANGES: Final[list[tuple[Callable[[Book], list[Any]], Callable[[int, list[Any]], Statement]]]] = [
    (lambda book: [each for each in book.dirty_lots if not each[1].stored], _new_lots),
    (lambda book: [each for each in book.dirty_lots if each[1].stored], _changed_lots),
    (lambda book: [each for each in book.dirty_holds if not each.stored], _new_holds),
    (lambda book: [each for each in book.dirty_holds if each.stored], _changed_holds),
    (lambda book: [each for each in book.dirty_accounts if not each.stale_expiry], _accounts),
    (lambda book: [each for each in book.dirty_accounts if each.stale_expiry], _accounts_anew),
]
