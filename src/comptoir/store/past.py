"""Reading an account as it was: its lots and holds at a version, from the journal and the rows.

What the rows say now is taken back by what the journal says since, or built up from what it says
until then, whichever is shorter. Of a past version nothing is due and not yet written: whatever
wrote the line after it wrote that first. Of the present version it may be, and is settled here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from psycopg import AsyncConnection

from comptoir.ledger.expiry import settle
from comptoir.ledger.lots import free_slices, pins_left
from comptoir.ledger.model import Account, Book, Held, HoldState, Line, Lot
from comptoir.store import rows, sql
from comptoir.store.facts import Facts

_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

FIGURES: Final = """
SELECT posted, held, debt, filled, version, comptoir.micros(at) FROM comptoir.movements
WHERE book_id = %s AND account_id = %s AND version = %s"""

# Most lines change one lot, and are summed without taking their arrays apart. What such a line gave
# it put there whole, whatever of it repaid a debt.
MOVED: Final = """
SELECT CASE WHEN cardinality(m.lots) = 1 AND (m.reverses IS NULL OR m.amount < 0)
        THEN m.lots[1] END,
    sum(m.parts[1])::bigint, sum(greatest(m.amount, 0))::bigint,
    array_agg(m.version) FILTER (
        WHERE cardinality(m.lots) > 1 OR (m.reverses IS NOT NULL AND m.amount > 0))
FROM comptoir.movements m
WHERE m.book_id = %s AND m.account_id = %s AND m.version > %s AND m.version <= %s
GROUP BY 1"""
"""For each lot by how much lines changed it, and how much of that was put into it anew.

Lines that change several lots, or give back into one, are listed in the row without a lot."""

ODD: Final = """
SELECT m.amount > 0, m.lots, m.parts, r.lots, r.parts
FROM unnest(%s::bigint[]) AS want(version)
JOIN comptoir.movements m ON m.book_id = %s AND m.account_id = %s AND m.version = want.version
LEFT JOIN comptoir.movements r
    ON r.book_id = m.book_id AND r.account_id = m.account_id AND r.version = m.reverses"""

FIRST_EXPIRIES: Final = """
SELECT r.id, comptoir.micros(r.expires_at)
FROM unnest(%s::bytea[]) AS want(id)
JOIN comptoir.requests r ON r.book_id = %s AND r.id = want.id"""
"""When holds were to expire at first: a hold has the id of the request that opened it."""

HELD_SINCE: Final = """
SELECT m.hold_id, m.amount, comptoir.micros(r.expires_at) FROM comptoir.movements m
LEFT JOIN comptoir.requests r
    ON m.kind = 'renewal' AND r.book_id = m.book_id AND r.id = m.request_id
WHERE m.book_id = %s AND m.account_id = %s AND m.version > %s AND m.version <= %s
    AND m.kind IN ('capture', 'renewal') AND m.hold_id = ANY(%s)
ORDER BY m.version"""
"""What captures took from holds, and until when renewals let them live."""

_NOTHING: Final = (0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Past:
    """An account as the next request would have found it at a moment.

    Attributes:
        account: its figures; `lots` has its open lots in burning order.
        holds: its open holds, in the order in which they were opened.
        due: the lines of what was due by then and is not written yet, the oldest first.
    """

    account: Account
    holds: list[Held]
    due: list[Line]


async def read_present(
    tx: AsyncConnection, book_id: int, account_id: int
) -> tuple[Account, int] | None:
    """An account as it is written, and the database's time; from now on `tx` sees this state.

    The statement must be the first of the transaction.
    """
    await tx.execute(_SNAPSHOT)
    cursor = await tx.execute(sql.READ_ACCOUNT, (book_id, [account_id]))
    row = await cursor.fetchone()
    return (rows.account(row), row[-1]) if row else None


async def read_past(
    tx: AsyncConnection, facts: Facts, book_id: int, account: Account, moment: tuple[int, int]
) -> Past:
    """An account as it was at a moment.

    Args:
        tx: the transaction in which `account` was read.
        facts: the assets of the book.
        book_id: the book.
        account: the account as it is written; changed in place.
        moment: the number of lines that it had then, and the time, no earlier than the last one.
    """
    version, at = moment
    if version == account.version:
        return await _present(tx, facts, book_id, account, at)
    past = await _figures(tx, book_id, account, version)
    reader = _Reader(tx, book_id, account, version)
    lots = await reader.lots()
    if past.held == 0:
        return _past(past, lots, [])
    return _past(past, lots, await reader.holds(at))


async def read_figures(
    tx: AsyncConnection, facts: Facts, book_id: int, account: Account, moment: tuple[int, int]
) -> Account:
    """The figures alone of what `read_past` reads."""
    version, at = moment
    if version < account.version:
        return await _figures(tx, book_id, account, version)
    return (await _present(tx, facts, book_id, account, at)).account


def _past(account: Account, lots: dict[int, Lot], holds: list[Held]) -> Past:
    account.lots = sorted((lot for lot in lots.values() if lot.left > 0), key=_rank)
    holds = sorted(holds, key=_opened)
    _pin(account, lots, holds)
    return Past(account, holds, [])


def _pin(account: Account, lots: dict[int, Lot], holds: list[Held]) -> None:
    """Say what holds had pinned in the lots.

    Holds that were made before revision 0003 do not say it: they come last, in burning order.
    """
    for held in holds:
        for no, part in pins_left(held.first or [], held.captured):
            lots[no].pinned += part
    for held in holds:
        if held.first is None:
            for lot, part in free_slices(account, held.remaining)[0]:
                lot.pinned += part


async def _present(
    tx: AsyncConnection, facts: Facts, book_id: int, account: Account, at: int
) -> Past:
    """The rows as they are, and what is due by then settled on them."""
    open_lots = await tx.execute(sql.LOTS_ALL, (book_id, [account.id]))
    account.lots = sorted((rows.lot(row)[1] for row in await open_lots.fetchall()), key=_rank)
    open_holds = await tx.execute(sql.HOLDS_OPEN, (book_id, account.id))
    holds = [rows.held(row) for row in await open_holds.fetchall()]
    account.due = holds
    book = Book(accounts={account.id: account}, breakage=facts.breakage)
    settle(book, account, at)
    still = [held for held in holds if held.state is HoldState.OPEN]
    return Past(account, sorted(still, key=_opened), book.lines)


async def _figures(tx: AsyncConnection, book_id: int, account: Account, version: int) -> Account:
    cursor = await tx.execute(FIGURES, (book_id, account.id, version))
    posted, held, debt, filled, number, at = await cursor.fetchone() or _NOTHING
    return Account(
        account.id, account.asset, posted, held, debt, account.floor, filled, number, at=at
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what one account had at one version before the last."""

    tx: AsyncConnection
    book_id: int
    account: Account
    version: int

    async def lots(self) -> dict[int, Lot]:
        """Every lot that had something left, with nothing pinned."""
        if self.version * 2 <= self.account.version:
            return await self._built_up()
        return await self._taken_back()

    async def _built_up(self) -> dict[int, Lot]:
        moved = await self._moved(0, self.version)
        named = await self._named([no for no, (left, _) in moved.items() if left > 0])
        return {no: _as_it_was(lot, *moved[no]) for no, lot in named.items()}

    async def _taken_back(self) -> dict[int, Lot]:
        moved = await self._moved(self.version, self.account.version)
        cursor = await self.tx.execute(sql.LOTS_ALL, (self.book_id, [self.account.id]))
        lots = {lot.no: lot for _, lot in map(rows.lot, await cursor.fetchall())}
        lots |= await self._named(
            [no for no, (left, _) in moved.items() if left < 0 and no not in lots]
        )
        found: dict[int, Lot] = {}
        for no, lot in lots.items():
            left, put = moved.get(no, (0, 0))
            if lot.version <= self.version and lot.left - left > 0:
                found[no] = _as_it_was(lot, lot.left - left, lot.granted - put)
        return found

    async def _moved(self, after: int, until: int) -> dict[int, tuple[int, int]]:
        """By how much lines changed each lot, and how much of that they put into it anew."""
        place = (self.book_id, self.account.id)
        cursor = await self.tx.execute(MOVED, (*place, after, until))
        moved: dict[int, tuple[int, int]] = {}
        odd: list[int] = []
        for no, left, put, versions in await cursor.fetchall():
            if no is None:
                odd = versions or []
            else:
                moved[no] = (left, put)
        if odd:
            cursor = await self.tx.execute(ODD, (rows.wholes(odd), *place))
            for row in await cursor.fetchall():
                _add_odd(moved, *row)
        return moved

    async def _named(self, numbers: Sequence[int]) -> dict[int, Lot]:
        if not numbers:
            return {}
        owners = rows.wholes([self.account.id] * len(numbers))
        cursor = await self.tx.execute(sql.LOTS_NAMED, (owners, rows.wholes(numbers), self.book_id))
        return {lot.no: lot for _, lot in map(rows.lot, await cursor.fetchall())}

    async def holds(self, at: int) -> list[Held]:
        """The holds that were open, with what was captured of them by then."""
        cursor = await self.tx.execute(
            sql.HOLDS_THEN, (self.book_id, self.account.id, self.version, self.version, at)
        )
        holds = {held.id: held for held in map(rows.past_held, await cursor.fetchall())}
        if not holds:
            return []
        cursor = await self.tx.execute(FIRST_EXPIRIES, (rows.octets(holds), self.book_id))
        first = dict(await cursor.fetchall())
        changed: list[Held] = []
        for held in holds.values():
            if held.captured or held.expires_at != first[held.id]:
                changed.append(held)
            held.captured, held.expires_at = 0, first[held.id]
            held.state, held.closed = HoldState.OPEN, None
        if changed:
            await self._change(changed, holds)
        return list(holds.values())

    async def _change(self, changed: list[Held], holds: dict[bytes, Held]) -> None:
        """Let captures and renewals until then count."""
        since = min(held.opened for held in changed)
        ids = [held.id for held in changed]
        cursor = await self.tx.execute(
            HELD_SINCE, (self.book_id, self.account.id, since, self.version, ids)
        )
        for id_, amount, expires_at in await cursor.fetchall():
            if expires_at is None:
                holds[id_].captured -= amount
            else:
                holds[id_].expires_at = expires_at


def _add_odd(
    moved: dict[int, tuple[int, int]],
    is_giving: bool,  # noqa: FBT001  # a column
    lots: Sequence[int],
    parts: Sequence[int],
    *undone: Sequence[int] | None,
) -> None:
    """Count a line; what a reversal gave back was put there before."""
    before = dict(zip(undone[0] or (), undone[1] or (), strict=True))
    for no, part in zip(lots, parts, strict=True):
        left, put = moved.get(no, (0, 0))
        moved[no] = (left + part, put + (part + before.get(no, 0) if is_giving else 0))


def _as_it_was(lot: Lot, left: int, granted: int) -> Lot:
    return replace(lot, left=left, granted=max(left, granted), pinned=0, lapsed=False)


def _rank(lot: Lot) -> tuple[int, float, int]:
    return lot.rank


def _opened(held: Held) -> int:
    return held.opened
