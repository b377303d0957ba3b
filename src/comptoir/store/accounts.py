"""Accounts by surrogate ids, inside of an open transaction."""

from typing import Final

from psycopg import AsyncConnection

_FIND: Final = """
SELECT a.id FROM comptoir.accounts a
WHERE a.book_id = %s AND a.customer_id = %s AND a.asset_id = %s AND NOT a.anonymous"""

_OPEN: Final = "SELECT comptoir.open_account(%s, %s, %s, NULL, true)"

_ASSET: Final = "SELECT code FROM comptoir.assets WHERE book_id = %s AND id = %s"


_OWNER: Final = "SELECT customer_id FROM comptoir.accounts WHERE book_id = %s AND id = %s"


async def account_of(tx: AsyncConnection, book: int, asset: int, customer: int) -> int | None:
    """The account of a customer in an asset, opened on first use; None when he was erased."""
    row = await (await tx.execute(_FIND, (book, customer, asset), prepare=True)).fetchone()
    if row is None:
        row = await (await tx.execute(_OPEN, (book, asset, customer))).fetchone()
    return None if row is None else row[0]


async def asset_code(tx: AsyncConnection, book: int, asset: int) -> str:
    """The code of an asset."""
    row = await (await tx.execute(_ASSET, (book, asset), prepare=True)).fetchone()
    assert row is not None, "assets never go"
    return row[0]


async def owner_of(tx: AsyncConnection, book: int, account: int) -> int | None:
    """The surrogate id of the customer whose account it is; None for one that has a name."""
    row = await (await tx.execute(_OWNER, (book, account))).fetchone()
    return None if row is None else row[0]
