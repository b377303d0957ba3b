"""What a transaction has changed, remembered on its connection until it has committed."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from comptoir.ledger.model import Account

Touched = dict[tuple[int, int], int]
"""The newest version of accounts, by book and account."""

Announce = Callable[[Touched], None]
"""Is told what a commit has changed, once it is done; it neither waits nor fails."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The accounts of one book that an admission changes, complete once it has been written."""

    book: int
    accounts: list[Account]

    def add_to(self, touched: Touched) -> None:
        """Note their versions."""
        for account in self.accounts:
            touched[self.book, account.id] = account.version


class Followed:
    """A connection of whose transaction somebody wants to know what it has changed.

    Attributes:
        touched: what it has changed so far; None while nobody follows it, as on a caller's own.
    """

    touched: Touched | None = None


def note(connection: object, changed: Changed) -> None:
    """Remember what was changed, if somebody follows the transaction."""
    if isinstance(connection, Followed) and connection.touched is not None:
        changed.add_to(connection.touched)


@contextmanager
def following(connection: object) -> Generator[Touched]:
    """What is changed on a connection while the block runs."""
    touched: Touched = {}
    if not isinstance(connection, Followed):
        yield touched
        return
    connection.touched = touched
    try:
        yield touched
    finally:
        connection.touched = None
