"""Reading an account as the next request would find it: with what is due already expired."""

from collections.abc import Sequence
from typing import Final

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from comptoir.ledger.expiry import settle
from comptoir.ledger.model import Account, Book
from comptoir.store import rows, sql
from comptoir.store.facts import Facts
from comptoir.store.pool import begin, fetch

_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


async def read_account(
    pool: AsyncConnectionPool[AsyncConnection], book_id: int, facts: Facts, account_id: int
) -> Account | None:
    """An account with every expiry that is due counted, though nobody has written it yet.

    The figures, the version and the time are those that the lines will have once written.

    Raises:
        Unavailable: the database cannot be reached.
    """
    return (await read_accounts(pool, book_id, facts, [account_id])).get(account_id)


async def read_accounts(
    pool: AsyncConnectionPool[AsyncConnection], book_id: int, facts: Facts, ids: Sequence[int]
) -> dict[int, Account]:
    """What `read_account` finds, of several accounts by one statement: those that there are.

    Raises:
        Unavailable: the database cannot be reached.
    """
    accounts: dict[int, Account] = {}
    for row in await fetch(pool, sql.READ_ACCOUNT, (book_id, list(ids))):
        account, now = rows.account(row), row[-1]
        accounts[account.id] = account
        if _is_due(account, now):
            settled = await _settled(pool, book_id, facts, account.id)
            accounts[account.id] = settled or account
    return accounts


async def _account(
    tx: AsyncConnection, book_id: int, account_id: int
) -> tuple[Account, int] | None:
    cursor = await tx.execute(sql.READ_ACCOUNT, (book_id, [account_id]))
    row = await cursor.fetchone()
    return (rows.account(row), row[-1]) if row else None


def _is_due(account: Account, now: int) -> bool:
    return account.next_expiry is not None and account.next_expiry <= max(now, account.at)


async def _settled(
    pool: AsyncConnectionPool[AsyncConnection], book_id: int, facts: Facts, account_id: int
) -> Account | None:
    async with begin(pool) as tx:
        await tx.execute(_SNAPSHOT)
        found = await _account(tx, book_id, account_id)
        if found is None:
            return None
        account, now = found
        until = max(now, account.at)
        ids = [account_id]
        due = await tx.execute(sql.HOLDS_DUE, (book_id, ids, until))
        account.due = [rows.held(row) for row in await due.fetchall()]
        lots = await tx.execute(sql.LOTS_ALL, (book_id, ids))
        account.lots = [rows.lot(row)[1] for row in await lots.fetchall()]
    account.lots.sort(key=lambda lot: lot.rank)
    book = Book(accounts={account_id: account}, breakage=facts.breakage)
    settle(book, account, until)
    return account
