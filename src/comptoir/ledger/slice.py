"""Changing the slice: every change of an account, lot or hold goes through here.

Inside a chain each change is remembered first, so that a refused chain leaves nothing behind.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from comptoir.ledger.levels import level_after
from comptoir.ledger.model import Account, Answer, Book, Held, Line, Lot, Signal


def named_account(book: Book, id_: int) -> Account | None:
    """The account that a request names, if there is one and it is still somebody's."""
    account = book.accounts.get(id_)
    return None if account is None or account.anonymous else account


def change_account(book: Book, account: Account) -> None:
    """Announce a change of `account`."""
    if book.undo is not None:
        book.undo.append(_restorer(account))
    if not account.changed:
        account.changed = True
        book.dirty_accounts.append(account)


def change_lot(book: Book, account: Account, lot: Lot) -> None:
    """Announce a change of a lot of `account`."""
    if book.undo is not None:
        book.undo.append(_restorer(lot))
    if not lot.changed:
        lot.changed = True
        book.dirty_lots.append((account.id, lot))


def change_hold(book: Book, held: Held) -> None:
    """Announce a change of `held`."""
    if book.undo is not None:
        book.undo.append(_restorer(held))
    if not held.changed:
        held.changed = True
        book.dirty_holds.append(held)


def add_hold(book: Book, held: Held) -> None:
    """Add a new hold to the book and, when it has one, to its group."""
    book.holds[held.id] = held
    if held.group is not None:
        book.groups.setdefault(held.group, []).append(held)
    if book.undo is not None:
        book.undo.append(lambda: _forget_hold(book, held))
    change_hold(book, held)


def remember(book: Book, answer: Answer) -> None:
    """Let later requests, and the database, know how this one was decided."""
    book.known[answer.id] = answer
    book.answers.append(answer)
    if book.undo is not None:
        book.undo.append(lambda: _forget_answer(book, answer))


@contextmanager
def undoable(book: Book) -> Generator[Callable[[], None]]:
    """Run a block whose changes can be taken back, by calling what the block is given.

    Blocks may be nested: an outer one takes back what an inner one kept.
    """
    outer = book.undo
    book.undo = []
    lengths = _lengths(book)
    try:
        yield lambda: _roll_back(book, lengths)
    finally:
        if outer is not None:
            outer.extend(book.undo)
        book.undo = outer


def write_line(book: Book, account: Account, line: Line) -> Line:
    """Add a line to the journal, as the next version of `account`, with its figures of now."""
    account.version += 1
    account.at = line.at
    line.version = account.version
    line.posted = account.posted
    line.held = account.held
    line.debt = account.debt
    line.filled = account.filled
    book.lines.append(line)
    level = level_after(account, line)
    if level > account.level:
        book.signals.append(Signal(account.id, line.version, level))
    account.level = level
    return line


def _lengths(book: Book) -> tuple[int, int, int, int, int, int]:
    return (
        len(book.lines),
        len(book.answers),
        len(book.dirty_accounts),
        len(book.dirty_lots),
        len(book.dirty_holds),
        len(book.signals),
    )


def _roll_back(book: Book, lengths: tuple[int, int, int, int, int, int]) -> None:
    assert book.undo is not None, "called inside of the block that may be undone"
    while book.undo:
        book.undo.pop()()
    del book.lines[lengths[0] :]
    del book.answers[lengths[1] :]
    del book.dirty_accounts[lengths[2] :]
    del book.dirty_lots[lengths[3] :]
    del book.dirty_holds[lengths[4] :]
    del book.signals[lengths[5] :]


def _restorer(thing: Account | Lot | Held) -> Callable[[], None]:
    names = type(thing).__slots__
    values = [getattr(thing, name) for name in names]

    def restore() -> None:
        for name, value in zip(names, values, strict=True):
            setattr(thing, name, value)

    return restore


def _forget_hold(book: Book, held: Held) -> None:
    del book.holds[held.id]
    if held.group is None:
        return
    book.groups[held.group].remove(held)
    if not book.groups[held.group]:
        del book.groups[held.group]


def _forget_answer(book: Book, answer: Answer) -> None:
    del book.known[answer.id]
