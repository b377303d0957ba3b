"""Why is this number what it is? A balance at a moment, and everything that makes it.

"At" a moment means what the next request would have found then: what happened at that very moment
is counted, and so is every expiry that was due by then, whoever wrote it later, or nobody yet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import AsyncConnection

from comptoir.domains.credits import queries, sql
from comptoir.domains.credits.model import Balance
from comptoir.domains.credits.story import Asked, Explanation, Origin, Purpose, Told, Undone
from comptoir.kit.errors import Invalid
from comptoir.ledger.model import Account, Kind, Line
from comptoir.store import past, rows
from comptoir.store.facts import Asset, Facts

LOTS_TOLD: Final = 50
"""Lots that are named of one movement; a spend may burn a thousand."""

HOLDS_TOLD: Final = 1_000
"""Holds that are named of one account."""

_LINE_COLUMNS: Final = 15
_UTC: Final = "UTC"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose balance, and where it is kept.

    Attributes:
        account: its id; 0 when nobody has used it yet.
    """

    book: int
    facts: Facts
    owner: str | None
    account: int
    asset: Asset


@dataclass(frozen=True, slots=True)
class Window:
    """Which moment, and which movements of those before it.

    Attributes:
        at: in microseconds; None for now.
        below: only movements with a smaller version.
        limit: at most so many.
    """

    at: int | None = None
    below: int = queries.EVERYTHING
    limit: int = 1


async def balance_at(tx: AsyncConnection, place: Place, at: int) -> Balance:
    """A balance as it was at a moment. `tx` must have done nothing yet.

    Raises:
        Invalid: the moment has not come yet.
    """
    found, at = await _present(tx, place, at)
    if found is None:
        return queries.balance(place.owner, place.asset, None)
    version = await queries.version_before(tx, place.book, place.account, at + 1)
    account = await past.read_figures(tx, place.facts, place.book, found, (version, at))
    return queries.balance(place.owner, place.asset, account)


async def explain(tx: AsyncConnection, place: Place, window: Window) -> Explanation:
    """A balance as it was at a moment, with what makes it. `tx` must have done nothing yet.

    Raises:
        Invalid: the moment has not come yet.
    """
    found, at = await _present(tx, place, window.at)
    if found is None:
        balance = queries.balance(place.owner, place.asset, None)
        return Explanation(at, _UTC, balance, (), (), 0, (), more=False)
    version = await queries.version_before(tx, place.book, place.account, at + 1)
    then = await past.read_past(tx, place.facts, place.book, found, (version, at))
    reader = _Reader(tx, place.book, place.account)
    lines = [(line, Asked()) for line in reversed(then.due) if line.version < window.below]
    stored = min(version, window.below - 1)
    lines += await reader.lines(stored, window.limit + 1 - len(lines))
    shown = lines[: window.limit]
    origins = await reader.origins(
        [*(lot.no for lot in then.account.lots), *_numbers(line for line, _ in shown)]
    )
    holds = then.holds[:HOLDS_TOLD]
    purposes = await reader.purposes(
        [*(held.id for held in holds), *(line.hold for line, _ in shown if line.hold)]
    )
    undone = await reader.undone([m.reverses for m, _ in shown if m.reverses is not None])
    return Explanation(
        at=at,
        zone=await reader.zone(),
        balance=queries.balance(place.owner, place.asset, then.account),
        lots=[(lot, origins[lot.no]) for lot in then.account.lots],
        holds=[(held, purposes[held.id]) for held in holds],
        holds_left_out=len(then.holds) - len(holds),
        movements=_told(lines, window.limit, _Known(origins, purposes, undone)),
        more=len(lines) > window.limit,
    )


async def _present(tx: AsyncConnection, place: Place, at: int | None) -> tuple[Account | None, int]:
    """The account as it is written, and the moment that is asked about."""
    found = await past.read_present(tx, place.book, place.account) if place.account else None
    if found is None:
        row = await (await tx.execute(sql.NOW)).fetchone()
        assert row is not None, "a clock has a time"
        account, now = None, int(row[0])
    else:
        account, now = found[0], max(found[1], found[0].at)
    if at is not None and at > now:
        raise Invalid("time-in-future", field="at")
    return account, now if at is None else at


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of what lines name."""

    origins: dict[int, Origin]
    purposes: dict[bytes, Purpose]
    undone: dict[int, Undone]


def _numbers(lines: Iterable[Line]) -> Iterable[int]:
    return (no for line in lines for no in line.lots[:LOTS_TOLD])


def _told(lines: Sequence[tuple[Line, Asked]], limit: int, known: _Known) -> list[Told]:
    """The lines up to the limit; the one after it says what the last of them began with."""
    told: list[Told] = []
    for place, (line, asked) in enumerate(lines[:limit]):
        before = lines[place + 1][0] if place + 1 < len(lines) else None
        told.append(
            Told(
                line=line,
                held_before=before.held if before else 0,
                debt_before=before.debt if before else 0,
                asked=asked,
                lots=[
                    (known.origins[no], part)
                    for no, part in zip(line.lots[:LOTS_TOLD], line.parts, strict=False)
                ],
                hold=known.purposes.get(line.hold) if line.hold else None,
                undone=known.undone.get(line.reverses) if line.reverses else None,
            )
        )
    return told


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what explains the lines of one account."""

    tx: AsyncConnection
    book: int
    account: int

    async def lines(self, until: int, limit: int) -> list[tuple[Line, Asked]]:
        """The newest lines up to a version."""
        if limit <= 0:
            return []
        cursor = await self.tx.execute(sql.TOLD, (self.book, self.account, until, limit))
        return [(rows.line(row), Asked(*row[_LINE_COLUMNS:])) for row in await cursor.fetchall()]

    async def origins(self, numbers: Sequence[int]) -> dict[int, Origin]:
        """The origins of lots, by number."""
        if not numbers:
            return {}
        asked = (sorted(set(numbers)), self.book, self.account)
        cursor = await self.tx.execute(sql.ORIGINS, asked)
        return {row[0]: Origin(*row) for row in await cursor.fetchall()}

    async def purposes(self, ids: Sequence[bytes]) -> dict[bytes, Purpose]:
        """The purposes of holds, by id."""
        if not ids:
            return {}
        cursor = await self.tx.execute(sql.PURPOSES, (self.book, sorted(set(ids))))
        return {row[0]: Purpose(*row[1:]) for row in await cursor.fetchall()}

    async def undone(self, versions: Sequence[int]) -> dict[int, Undone]:
        """The movements that reversals undid, by version."""
        if not versions:
            return {}
        cursor = await self.tx.execute(sql.UNDONE, (list(versions), self.book, self.account))
        return {row[0]: Undone(row[0], Kind(row[1]), *row[2:]) for row in await cursor.fetchall()}

    async def zone(self) -> str:
        """The customer's time zone."""
        row = await (await self.tx.execute(sql.ZONE, (self.book, self.account))).fetchone()
        return str(row[0]) if row else _UTC
