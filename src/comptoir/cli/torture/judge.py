"""The receipt: by plain SQL on a fresh connection, and by the query that needs none of our code."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, LiteralString

from psycopg import AsyncConnection

from comptoir.cli.throwaway import BOOK
from comptoir.cli.torture import sql
from comptoir.cli.torture.answers import KEPT
from comptoir.cli.torture.tally import Fault, Tally
from comptoir.store.pool import Limits, connect
from comptoir.store.verify import stand_alone_sql

_BLOCK: Final = 1024 * 1024
_SHOWN: Final = 10
_HOURS: Final = 6 * 3_600.0

_CHECKS: Final[tuple[tuple[str, str, LiteralString], ...]] = (
    ("lost", "torture.fault.lost", sql.LOST),
    ("doubled", "torture.fault.doubled", sql.DOUBLED),
    ("oversold", "torture.fault.oversold", sql.OVERSOLD),
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the run came to.

    Attributes:
        acknowledged: requests that were answered.
        lost: those whose effect or stored answer is not there as it was told, or not at a time of
            this run, and those that nobody ever answered.
        doubled: requests that moved more than once, moved though they were refused, or were never
            made.
        oversold: units that were sold and not there, and accounts that fell below their floor.
        kills: processes that were ended with SIGKILL.
        balanced: the stand-alone SQL finds nothing.
    """

    acknowledged: int
    lost: int
    doubled: int
    oversold: int
    kills: int
    balanced: bool

    @property
    def is_clean(self) -> bool:
        """Whether everything is as it must be."""
        return self.balanced and not (self.lost or self.doubled or self.oversold)

    def as_json(self) -> dict[str, object]:
        """In the order of the contract."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Findings:
    """A receipt, and the first of whatever must not be."""

    receipt: Receipt
    faults: list[Fault]


async def judge(url: str, notebook: Path, tally: Tally) -> Findings:
    """Compare what callers were told with what the database holds.

    Args:
        url: of whoever may read everything and make temporary tables.
        notebook: what callers were told.
        tally: what they, and those who made trouble, know besides.

    Raises:
        Unavailable: the database cannot be reached.
    """
    limits = Limits(statement=_HOURS)
    counts, faults = tally.found.copy(), list(tally.faults)
    async with await connect(url, limits, lock=limits.lock) as connection:
        await _load(connection, notebook)
        for number, text, query in _CHECKS:
            found = await _ask(connection, query)
            counts[number] += sum(count for _, _, count in found)
            faults += [
                Fault(number, text, {"what": what, "detail": detail})
                for what, detail, _ in found[:_SHOWN]
            ]
        drift = await (await connection.execute(stand_alone_sql())).fetchmany(_SHOWN)
    faults += [
        Fault("balanced", "torture.fault.drift", {"row": f"{row[2]} {row[3]}", "detail": row[4]})
        for row in drift
    ]
    receipt = Receipt(
        acknowledged=tally.acknowledged,
        lost=counts["lost"],
        doubled=counts["doubled"],
        oversold=counts["oversold"],
        kills=tally.kills,
        balanced=not drift,
    )
    return Findings(receipt, faults)


async def _load(connection: AsyncConnection, notebook: Path) -> None:
    await connection.execute(sql.PREPARE)
    await connection.execute(sql.TOLD)
    with notebook.open("rb") as told:
        async with connection.cursor() as cursor, cursor.copy(sql.FILL) as copy:
            while block := told.read(_BLOCK):
                await copy.write(block)
    await connection.execute(sql.ANALYZE)


async def _ask(connection: AsyncConnection, query: LiteralString) -> list[tuple[str, str, int]]:
    cursor = await connection.execute(query, {"book": BOOK, "kept": list(KEPT)})
    return [(what, detail, int(count)) for what, detail, count in await cursor.fetchall()]
