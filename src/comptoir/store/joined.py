"""A caller's own open transaction: may the ledger work in it, and what names mean inside of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString, cast

import psycopg
from psycopg import AsyncConnection, AsyncCursor, Connection, Cursor, errors
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from comptoir.kit.errors import Misuse
from comptoir.store.directory import ACCOUNT_OWNER, HOLD_OWNER, Directory
from comptoir.store.facts import Asset

Row = tuple[Any, ...]
Fetch = Callable[[str, Sequence[object]], Awaitable[list[Row]]]
"""The rows that a statement selects, as the caller's transaction sees them."""

_ISOLATION: Final = "SHOW transaction_isolation"
_FIT: Final = "read committed"


@dataclass(frozen=True, slots=True)
class JoinedNames:
    """Names as a caller's open transaction sees them: with the holds that it has made itself.

    Accounts are opened outside of it, and stay open when it rolls back: empty, and no harm.
    """

    directory: Directory
    fetch: Fetch

    async def asset(self, book: int, code: str) -> Asset:
        """The asset of that code."""
        return await self.directory.asset(book, code)

    async def account(
        self, book: int, asset: Asset, customer: str, request: bytes | None = None
    ) -> int:
        """The account of a customer in an asset, opened on first use."""
        return await self.directory.account(book, asset, customer, request)

    def forget(self, book: int, asset: Asset, owner: str) -> None:
        """Look the account of a customer, or the one of that name, up again when next asked."""
        self.directory.forget(book, asset, owner)

    async def named(self, book: int, asset: Asset, name: str) -> int:
        """A named account, opened on first use."""
        return await self.directory.named(book, asset, name)

    async def hold_place(self, book: int, hold: bytes) -> tuple[Asset, str | None]:
        """The asset of a hold, and whose account it is in."""
        rows = await self.fetch(HOLD_OWNER, (book, hold))
        return await self.directory.place_found(book, rows, "hold-not-found")

    async def account_place(self, book: int, account: int) -> tuple[Asset, str | None]:
        """The asset of a bounded account, and whose it is."""
        rows = await self.fetch(ACCOUNT_OWNER, (book, account))
        return await self.directory.place_found(book, rows, "movement-not-found")


async def check_joinable(connection: AsyncConnection[Any]) -> None:
    """See to it that what the ledger does on a connection commits with the caller's own rows.

    Raises:
        Misuse: it is closed, or no transaction is open on it, or one that has failed already, or
            one that looks at an older state of the books.
    """
    _check_state(connection.closed, connection.autocommit, connection.info.transaction_status)
    [row] = await fetch_joined(connection, _ISOLATION, ())
    _check_isolation(row[0])


def check_joinable_sync(connection: Connection[Any]) -> None:
    """What `check_joinable` does, for a connection without async."""
    _check_state(connection.closed, connection.autocommit, connection.info.transaction_status)
    [row] = fetch_joined_sync(connection, _ISOLATION, ())
    _check_isolation(row[0])


def _check_state(closed: bool, autocommit: bool, status: TransactionStatus) -> None:  # noqa: FBT001  # a connection's own
    if closed or status in {TransactionStatus.INERROR, TransactionStatus.UNKNOWN}:
        raise Misuse("connection-unusable", fix="roll back, or open another connection")
    if autocommit and status is TransactionStatus.IDLE:
        raise Misuse("no-open-transaction", fix="begin one: what you do shall commit as a whole")


def _check_isolation(level: str) -> None:
    """Only READ COMMITTED sees, after it has waited for an account, what the other has done."""
    if level != _FIT:
        raise Misuse("isolation-unfit", level=level, fix="use READ COMMITTED")


async def fetch_joined(
    connection: AsyncConnection[Any], query: str, parameters: Sequence[object]
) -> list[Row]:
    """The rows of a statement, whatever kind of cursors and rows the caller has chosen."""
    cursor = AsyncCursor(connection, row_factory=tuple_row)
    await cursor.execute(cast("LiteralString", query), parameters)
    return await cursor.fetchall()


def fetch_joined_sync(
    connection: Connection[Any], query: str, parameters: Sequence[object]
) -> list[Row]:
    """What `fetch_joined` does, for a connection without async."""
    cursor = Cursor(connection, row_factory=tuple_row)
    cursor.execute(cast("LiteralString", query), parameters)
    return cursor.fetchall()


def is_conflict(error: psycopg.Error) -> bool:
    """Whether repeating the whole transaction can help, because two of them met."""
    if isinstance(error, errors.UniqueViolation):
        # The same idempotency key at the same time, on another account; not the caller's own rows.
        return (error.diag.schema_name, error.diag.table_name) == ("comptoir", "requests")
    return isinstance(error, errors.DeadlockDetected | errors.SerializationFailure)
