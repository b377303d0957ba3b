"""The same random programs on the core and on PostgreSQL: equal answers, and equal rows.

The core is held against an oracle elsewhere, so what is equal to it here is right too. Every
program goes through both ways in, in commits of one chain and of many.
"""

import random
from collections.abc import Sequence
from typing import Any, Final

import pytest

from comptoir.kit.limits import SECOND
from comptoir.ledger.model import Answer, Line
from comptoir.ledger.requests import Chain
from comptoir.store import ledger
from tests.support.asking import START, Clerk
from tests.support.core import CoreDriver
from tests.support.postgres import Cluster
from tests.support.programs import ACCOUNTS, Author
from tests.support.store import StoreDriver, Submit, caller, rows, through_batch
from tests.support.tables import Ask

pytestmark = pytest.mark.pg
COMMITS: Final = 30

_ACCOUNTS: Final = """
SELECT posted, held, debt, filled, version, lots_made, open_lots, comptoir.micros(next_expiry),
    comptoir.micros(at)
FROM comptoir.accounts WHERE book_id = %s AND id = %s"""

_LOTS: Final = """
SELECT no, source, priority, comptoir.micros(expires_at), granted, remaining, pinned, plain, lapsed,
    open, paid, tax, currency, version
FROM comptoir.lots WHERE book_id = %s AND account_id = %s ORDER BY no"""

_HOLDS: Final = """
SELECT id, amount, captured, state, on_excess, comptoir.micros(expires_at), group_id, pin_lots,
    pin_parts, opened, closed, comptoir.micros(at)
FROM comptoir.holds WHERE book_id = %s AND account_id = %s ORDER BY opened, id"""

_LINES: Final = """
SELECT version, amount, posted, held, debt, filled, kind, comptoir.micros(at), request_id, lots,
    parts, hold_id, reverses
FROM comptoir.movements WHERE book_id = %s AND account_id = %s ORDER BY version"""


class Pair:
    """One program on both sides."""

    def __init__(self, store: StoreDriver, doors: Sequence[Submit]) -> None:
        self.core = CoreDriver(store.prefix)
        self.store = store
        self.doors = doors

    async def open(self) -> None:
        for account in ACCOUNTS:
            self.core.add(account)
            await self.store.open(account)

    async def submit(self, chains: list[list[Ask]], door: Submit) -> None:
        """Ask both in one commit each; returns nothing, fails at the first difference."""
        ours, theirs = self.core.clerk, self.store.clerk
        answers = self.core.shelf.run([ours.chain(asks) for asks in chains], ours.now)
        stored = await door([theirs.chain(asks) for asks in chains])
        for asks, here, there in zip(chains, answers, stored, strict=True):
            assert [_shown(a) for a in here] == [_shown(a) for a in there], asks
            ours.told(asks, here)
            theirs.told(asks, there)

    def tick(self, seconds: int) -> None:
        self.core.clerk.now += seconds * SECOND
        self.store.clerk.now += seconds * SECOND

    async def compare(self) -> None:
        """Every row that the program has written is what the core has."""
        book = self.core.shelf.book
        for opening in ACCOUNTS:
            account = self.core.opened(opening.name)
            id_ = self.store.accounts[opening.name]
            assert await rows(self.store, _ACCOUNTS, id_) == [
                (account.posted, account.held, account.debt, account.filled, account.version)
                + (account.lots_made, account.open_lots, account.next_expiry, account.at)
            ]
            lots = [lot for (owner, _), lot in self.core.shelf.lots.items() if owner == account.id]
            assert await rows(self.store, _LOTS, id_) == [
                (lot.no, lot.source, lot.priority, lot.expires_at, lot.granted, lot.left)
                + (lot.pinned, lot.plain, lot.lapsed, lot.left > 0, lot.paid, lot.tax)
                + (lot.currency, lot.version)
                for lot in sorted(lots, key=lambda lot: lot.no)
            ]
            holds = [held for held in book.holds.values() if held.account == account.id]
            assert await rows(self.store, _HOLDS, id_) == [
                (held.id, held.amount, held.captured, held.state, held.on_excess, held.expires_at)
                + (held.group, [no for no, _ in held.pins], [part for _, part in held.pins])
                + (held.opened, held.closed, held.at)
                for held in sorted(holds, key=lambda held: held.opened)
            ]
            lines = self.core.shelf.journal[account.id]
            assert await rows(self.store, _LINES, id_) == [_line(line) for line in lines]


def _line(line: Line) -> tuple[Any, ...]:
    figures = (line.version, line.amount, line.posted, line.held, line.debt, line.filled)
    return (*figures, line.kind, line.at, line.request, line.lots, line.parts) + (
        line.hold,
        line.reverses,
    )


def _shown(answer: Answer) -> tuple[Any, ...]:
    """All of an answer but the ids of accounts, which differ."""
    return (
        (answer.id, answer.op, answer.outcome, answer.replayed, answer.field, answer.at)
        + (answer.hold, answer.amount, answer.expires_at, answer.captured, answer.late)
        + (answer.needed, answer.available, answer.line and _line(answer.line))
        + (answer.mirror and _line(answer.mirror),)
    )


async def play(url: str, seed: int) -> None:
    """One program; the seed tells it again."""
    rng = random.Random(seed)
    author = Author(rng.randint)
    async with through_batch(url, f"{seed}/") as store:
        pair = Pair(store, [store.submit_chains, caller(store)])
        await pair.open()
        for _ in range(COMMITS):
            if rng.randint(0, 5) == 0:
                pair.tick(author.tick())
            door = rng.choice(pair.doors)
            chains = _commit(rng, author, distinct=door is pair.doors[0])
            await pair.submit(chains, door)
            author.second = (pair.core.clerk.now - START) // SECOND
        await pair.compare()


def _commit(rng: random.Random, author: Author, *, distinct: bool) -> list[list[Ask]]:
    """Chains for one commit. A repeat beside its first would wait for a commit of its own."""
    chains: list[list[Ask]] = []
    labels: set[str] = set()
    for _ in range(rng.choice([1, 1, 2, 5, 12])):
        chain = [author.repeat()] if rng.randint(0, 11) == 0 else author.chain()
        named = {ask.label for ask in chain}
        if not (distinct and named & labels):
            chains.append(chain)
        labels |= named
    return chains


@pytest.fixture(scope="module")
def url(cluster: Cluster):
    with cluster.database() as database:
        yield database.app_url


@pytest.mark.parametrize("prefix", [1, 2, 8])
@pytest.mark.parametrize("seed", range(12))
async def test_program(seed: int, prefix: int, url: str, monkeypatch: pytest.MonkeyPatch):
    """Reading few lots at first makes the rule by which more are read count."""
    monkeypatch.setattr(ledger, "LOT_PREFIX", prefix)
    await play(url, seed * 10 + prefix)


@pytest.mark.soak
@pytest.mark.timeout(5000)
async def test_programs_for_long(
    url: str, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
):
    first = int(pytestconfig.getoption("randomly_seed"))
    for number in range(2_000):
        monkeypatch.setattr(ledger, "LOT_PREFIX", (1, 2, 8)[number % 3])
        await play(url, first + number)
