"""Claim: a balance of 100,000 movements is explained at any past time in less than 50 ms."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import psycopg

from bench.ours import BOOK, Ours, check, seed
from bench.scale import QUICK, Scale
from bench.tables import Table, number, verdict
from comptoir.domains.credits.explain import Place, Window, explain
from comptoir.domains.credits.words import Teller
from comptoir.kit.ids import request_id
from comptoir.ledger.model import Note
from comptoir.ledger.requests import Capture, Chain, Grant, Hold, Spend
from comptoir.store.batch import Batch
from comptoir.store.directory import Directory
from comptoir.store.pool import Limits, begin, open_pool

MOVEMENTS: Final = 100_000
TARGET_MS: Final = 50.0
LOTS: Final = (1, 10, 1_000)
_TOGETHER: Final = 2_000
_TIMES: Final = 15
_MARK: Final = b"seed" * 4
_MOMENT: Final = """
SELECT comptoir.micros(at) FROM comptoir.movements
WHERE book_id = %s AND account_id = %s AND version = %s"""
_LAST: Final = "SELECT version FROM comptoir.accounts WHERE book_id = %s AND id = %s"


@dataclass(frozen=True, slots=True)
class History:
    """What an account of that many lots has lived through.

    Attributes:
        kind: "spends"; "holds": each spend set aside first, five at a time, released every tenth;
            "never quiet": the same, and one hold that stays open from the first day to the last.
    """

    kind: str
    lots: int

    def requests(self, ours: Ours, account: int, movements: int) -> Iterator[Chain]:
        """Grants as large as the spends, then these, a lot being used up after the other."""
        name, asset = f"{self.kind} {self.lots}", ours.asset
        size = movements // self.lots + 10
        for lot in range(self.lots):
            id_ = request_id(BOOK, f"{name} grant {lot}")
            note = Note("A pack", f"order-{lot}")
            yield (Grant(id_, _MARK, account, asset.issuer, size, note=note),)
        if self.kind == "never quiet":
            id_ = request_id(BOOK, f"{name} for ever")
            yield (Hold(id_, _MARK, account, asset.revenue, 5),)
        done, turn = self.lots, 0
        while done < movements:  # bounded: every turn adds to what is done
            turn += 1
            if self.kind == "spends":
                id_ = request_id(BOOK, f"{name} {turn}")
                yield (Spend(id_, _MARK, account, asset.revenue, 1),)
                done += 1
            else:
                ids = [request_id(BOOK, f"{name} {turn} {n}") for n in range(5)]
                for id_ in ids:
                    yield (Hold(id_, _MARK, account, asset.revenue, 2, 86_400_000_000),)
                for id_ in ids:
                    taken = request_id(BOOK, f"{id_.hex()} taken")
                    yield (Capture(taken, _MARK, id_, 1 if turn % 10 == 0 else None),)
                done += 10


async def measure(url: str, scale: Scale) -> list[Table]:
    movements = MOVEMENTS if scale != QUICK else MOVEMENTS // 5
    ours = await seed(url)
    table = Table(
        f"Explaining a balance of {movements:,} movements at a past version, 20 movements in words",
        (
            "history",
            "lots",
            "version",
            "best ms",
            "p50 ms",
            "CPU ms",
            f"p50 < {TARGET_MS:.0f} ms",
        ),
    )
    for place, history in enumerate(_histories()):
        account = await _opened(ours, place)
        await _live(ours, history, account, movements)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        await _explain(ours, history, account, table)
    await check(url, full=False)
    return [table]


async def _opened(ours: Ours, place: int) -> int:
    """A new account, which has nothing but what its history gives it."""
    async with open_pool(ours.url, Limits(pool=1)) as pool, Directory(pool) as directory:
        return await directory.account(BOOK, ours.asset, f"explained {place}")


def _histories() -> Iterator[History]:
    for kind in ("spends", "holds", "never quiet"):
        for lots in LOTS:
            yield History(kind, lots)


async def _live(ours: Ours, history: History, account: int, movements: int) -> None:
    async with Batch(ours.url, BOOK, ours.facts, Limits()) as batch:
        chains: list[Chain] = []
        for chain in history.requests(ours, account, movements):
            chains.append(chain)
            if len(chains) == _TOGETHER:
                await batch.submit_each(chains)
                chains = []
        await batch.submit_each(chains)


async def _explain(ours: Ours, history: History, account: int, table: Table) -> None:
    with psycopg.connect(ours.url, autocommit=True) as connection:
        last = _one(connection, _LAST, BOOK, account)
        for version in (last // 100, last // 4, last // 2, last * 3 // 4, last - last // 100, last):
            at = _one(connection, _MOMENT, BOOK, account, version)
            taken, cpu = await _time(ours, account, at)
            p50 = statistics.median(taken)
            judged = verdict(p50, TARGET_MS, most=True)
            cells = (history.kind, number(history.lots), number(version))
            table.add(*cells, f"{min(taken):.1f}", f"{p50:.1f}", f"{cpu:.1f}", judged)
            print(" | ".join(table.rows[-1]), flush=True)


def _one(connection: psycopg.Connection, query: str, *parameters: int) -> int:
    row = connection.execute(query.encode(), parameters).fetchone()
    assert row is not None, "the account has lived"
    return row[0]


async def _time(ours: Ours, account: int, at: int) -> tuple[list[float], float]:
    """Milliseconds a call, and those of processors: ours and PostgreSQL's, without its workers.

    The first call is not among them: it meets pages that nobody has read yet.
    """
    place = Place(BOOK, ours.facts, "customer-0", account, ours.asset)
    taken: list[float] = []
    async with open_pool(ours.url, Limits(pool=1)) as pool:
        async with begin(pool) as tx:
            backend = tx.info.backend_pid
        used = 0.0
        for turn in range(_TIMES + 1):
            used = _used(backend) if turn == 1 else used
            began = perf_counter()
            async with begin(pool) as tx:
                found = await explain(tx, place, Window(at, limit=20))
            teller = Teller("en", ours.asset)
            assert all(teller.tell(each) for each in found.movements)
            taken.append((perf_counter() - began) * 1e3)
        return taken[1:], (_used(backend) - used) / _TIMES


def _used(backend: int) -> float:
    """Milliseconds that this process and that one have had of processors."""
    nanoseconds = int(Path(f"/proc/{backend}/schedstat").read_text().split()[0])
    return process_time() * 1e3 + nanoseconds / 1e6
