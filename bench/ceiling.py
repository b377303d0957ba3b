"""The ceiling: the very rows that spends of ours write, without reading or deciding anything.

Same tables, same statements, one connection and one pipeline a batch, in batches as large as ours
get. The rows exist as array literals before the clock starts, so that PostgreSQL alone is measured.
"""

from collections.abc import Sequence
from time import perf_counter, time_ns

from psycopg import AsyncConnection

from bench.measure import Bounds, Run, keys
from bench.ours import BOOK, FILLED, Ours
from comptoir.kit.ids import request_id
from comptoir.ledger.fingerprint import fingerprint
from comptoir.ledger.model import Account, Answer, Book, Kind, Line, Lot
from comptoir.ledger.outcomes import Outcome
from comptoir.store import rows
from comptoir.store.ledger import run
from comptoir.store.pool import Limits, connect
from comptoir.store.rows import Statement


async def ceiling(
    ours: Ours, accounts: Sequence[int], size: int, bounds: Bounds, prefix: str
) -> Run:
    """Commit batch after batch until the bounds are reached.

    Every account continues where it stands, as after spends of one credit, so that the books
    balance afterwards too.
    """
    connection = await connect(ours.url, Limits(), lock=1)
    try:
        book = _Books(ours, prefix, await _versions(connection))
        total = min(bounds.calls, len(accounts)) // size
        batches = [book.batch(accounts[n * size : (n + 1) * size]) for n in range(total)]
        latencies: list[float] = []
        start = perf_counter()
        for batch in batches:
            began = perf_counter()
            if began - start > bounds.seconds:
                break
            await run(connection, batch)
            latencies += [perf_counter() - began] * size
        seconds = perf_counter() - start
    finally:
        await connection.close()
    return Run(len(latencies), 0, seconds, sorted(latencies))


async def _versions(connection: AsyncConnection) -> dict[int, int]:
    cursor = await connection.execute(
        "SELECT id, version FROM comptoir.accounts WHERE book_id = %s AND bounded", (BOOK,)
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


class _Books:
    """Makes the statements that spends of one credit end in."""

    def __init__(self, ours: Ours, prefix: str, versions: dict[int, int]) -> None:
        self._ours = ours
        self._key = keys(prefix)
        self._versions = versions
        self._number = 0

    def batch(self, places: Sequence[int]) -> list[Statement]:
        book = Book()
        at = time_ns() // 1000
        accounts: dict[int, Account] = {}
        for place in places:
            id_ = self._ours.accounts[place]
            if id_ not in accounts:
                accounts[id_] = self._account(id_)
            self._spend(book, accounts[id_], place, at)
        book.dirty_accounts = list(accounts.values())
        book.dirty_lots = [(each.id, each.lots[0]) for each in accounts.values()]
        for account in accounts.values():
            self._versions[account.id] = account.version
        writes = [*rows.made(BOOK, book), *rows.changed(BOOK, book)]
        return [("BEGIN", ()), *writes, ("COMMIT", ())]

    def _account(self, id_: int) -> Account:
        version = self._versions[id_]
        left = FILLED - version + 1
        return Account(
            id_, self._ours.asset.id, left, 0, 0, 0, FILLED, version, 1, 1,
            lots=[Lot(1, "grant", 50, None, FILLED, left, version=1)],
        )  # fmt: skip

    def _spend(self, book: Book, account: Account, place: int, at: int) -> None:
        id_ = request_id(BOOK, self._key(self._number))
        self._number += 1
        fields = (("op", "spend"), ("customer", f"customer-{place}"), ("asset", "credits"))
        mark = fingerprint((*fields, ("amount", 1)))
        account.version += 1
        account.posted -= 1
        account.at = at
        account.lots[0].left -= 1
        line = Line(
            account.id, account.version, self._ours.asset.revenue, -1, account.posted, 0, 0, FILLED,
            Kind.SPEND, at, id_, [1], [-1],
        )  # fmt: skip
        book.lines.append(line)
        book.answers.append(Answer(id_, mark, "spend", Outcome.CREATED, account.id, at, line))
