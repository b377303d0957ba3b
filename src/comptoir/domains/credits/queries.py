"""What callers may read of balances. A balance is never older than the last commit."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import AsyncConnection

from comptoir.domains.credits import sql
from comptoir.domains.credits.model import Balance, HoldView, LotView, Movement, Price
from comptoir.kit.errors import NotFound
from comptoir.ledger.model import Account, HoldState, Kind
from comptoir.store.directory import Directory
from comptoir.store.facts import Asset
from comptoir.store.joined import Fetch

EVERYTHING: Final = 2**62
FIRST_LOT: Final = (-1, 0, 0)


def balance(owner: str | None, asset: Asset, account: Account | None) -> Balance:
    """The balance of an account, or of one that nobody has used yet."""
    if account is None:
        return Balance(owner, asset, 0, 0, 0, 0, 0, 0)
    return Balance(
        owner,
        asset,
        account.posted,
        account.held,
        account.debt,
        account.filled,
        account.version,
        account.at,
    )


async def version_before(tx: AsyncConnection, book: int, account: int, at: int) -> int:
    """The number of lines that an account had before a time in microseconds."""
    cursor = await tx.execute(sql.VERSION_BEFORE, {"book": book, "id": account, "at": at})
    row = await cursor.fetchone()
    return row[0] if row else 0


async def movements(
    tx: AsyncConnection,
    book: int,
    place: tuple[int, Asset],
    span: tuple[int, int],
    kind: Kind | None,
    limit: int,
) -> list[Movement]:
    """The newest movements first.

    Args:
        tx: an open transaction.
        book: the book.
        place: the account and its asset.
        span: versions strictly between which to look; (0, EVERYTHING) for all.
        kind: only these; None for all that changed the posted balance.
        limit: at most so many.
    """
    account, asset = place
    cursor = await tx.execute(
        sql.MOVEMENTS,
        {
            "book": book,
            "id": account,
            "above": span[0],
            "below": span[1],
            "kind": kind,
            "limit": limit,
        },
    )
    return [
        Movement(account, version, asset, Kind(kind_), amount, after, at, reason, reference)
        for version, kind_, amount, after, at, reason, reference in await cursor.fetchall()
    ]


async def lots(
    tx: AsyncConnection,
    book: int,
    place: tuple[int, Asset],
    after: tuple[int, int | None, int],
    limit: int,
) -> list[LotView]:
    """Open lots in the order in which they will be burnt.

    Args:
        tx: an open transaction.
        book: the book.
        place: the account and its asset.
        after: priority, expiry and number of the last lot that was seen; FIRST_LOT to begin.
        limit: at most so many.
    """
    account, asset = place
    cursor = await tx.execute(
        sql.LOTS,
        {
            "book": book,
            "id": account,
            "priority": after[0],
            "expires_at": after[1],
            "no": after[2],
            "limit": limit,
        },
    )
    return [
        LotView(account, no, asset, source, granted, left, pinned, priority, expiry, reference)
        for no, source, granted, left, pinned, priority, expiry, reference in (
            await cursor.fetchall()
        )
    ]


async def hold(tx: AsyncConnection, book: int, directory: Directory, id_: bytes) -> HoldView:
    """One hold.

    Raises:
        NotFound: the book has no such hold.
    """
    cursor = await tx.execute(sql.HOLD, {"book": book, "hold": id_})
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("hold-not-found")
    return _hold(row, await directory.asset(book, row[6]))


async def hold_group(fetch: Fetch, book: int, id_: bytes) -> bytes | None:
    """The first hold of the atomic batch that made a hold, when that had several."""
    found = await fetch(sql.HOLD_GROUP, (book, id_))
    return found[0][0] if found else None


async def holds(
    tx: AsyncConnection, book: int, place: tuple[int, Asset], below: int, limit: int
) -> list[tuple[int, HoldView]]:
    """The newest holds of an account first, each with the version at which it was opened."""
    account, asset = place
    cursor = await tx.execute(
        sql.HOLDS, {"book": book, "id": account, "below": below, "limit": limit}
    )
    return [(row[7], _hold(row, asset)) for row in await cursor.fetchall()]


def _hold(row: Sequence[Any], asset: Asset) -> HoldView:
    id_, amount, captured, state, expires_at, owner, _, _, customer, group = row
    return HoldView(
        id_, asset, amount, captured, HoldState(state), expires_at, owner, customer, group
    )


async def prices(
    tx: AsyncConnection, book: int, asset: Asset, after: str, limit: int
) -> list[Price]:
    """The prices in force, by action; `after` is the last action that was seen."""
    cursor = await tx.execute(sql.PRICES, (book, asset.id, after, limit))
    return [Price(*row) for row in await cursor.fetchall()]


async def price(tx: AsyncConnection, book: int, asset: Asset, action: str) -> Price:
    """The price of an action in force.

    Raises:
        NotFound: the price book does not have it.
    """
    row = await (await tx.execute(sql.PRICE_NOW, (book, asset.id, action))).fetchone()
    if row is None:
        raise NotFound("unknown-action", action=action)
    return Price(*row)
