"""The past as it is read is the past as it was: random programs, every second of them."""

import random
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Final

import pytest

from comptoir.domains.credits import queries
from comptoir.kit.limits import SECOND
from comptoir.store import past
from comptoir.store.pool import begin
from tests.support.asking import BOOK, START
from tests.support.oracle import Books, Oracle, Owner
from tests.support.postgres import Cluster
from tests.support.programs import ACCOUNTS, Author
from tests.support.store import StoreDriver, read, through_batch
from tests.support.tables import Ask, Told

pytestmark = pytest.mark.pg
COMMITS: Final = 40

_PUTS: Final = """
SELECT version FROM comptoir.movements
WHERE book_id = %s AND account_id = %s AND amount > 0 AND cardinality(lots) <> 1
    AND amount <> (SELECT coalesce(sum(part), 0) FROM unnest(parts) part)"""
"""Lines that repaid a debt and do not name every lot into which they put something."""

_REPAID: Final = """
SELECT version FROM comptoir.movements
WHERE book_id = %s AND account_id = %s AND reverses IS NOT NULL AND amount > 0
    AND amount <> (SELECT coalesce(sum(part), 0) FROM unnest(parts) part)"""


@dataclass(slots=True)
class Seen:
    """What an account was at one moment, whoever says so."""

    figures: tuple[int, int, int]
    lots: list[tuple[int, int, int]]
    """Number, left and pinned, in burning order."""
    granted: list[int]
    holds: dict[bytes, tuple[int, int, float]]
    """Amount, captured, and the second at which it expires."""


@dataclass(slots=True)
class Program:
    """A random program on PostgreSQL and on the oracle, with all that the oracle ever was."""

    store: StoreDriver
    oracle: Oracle = field(default_factory=Oracle)
    seen: dict[tuple[str, int], Seen] = field(default_factory=dict[tuple[str, int], Seen])
    second: int = 0

    async def begin(self) -> None:
        for account in ACCOUNTS:
            await self.store.open(account)
            self.oracle.open(account.name, account.asset, account.floor)
        self.look()

    async def ask(self, *chain: Ask) -> list[Told]:
        [told] = await self.store.submit([chain])
        wanted = self.oracle.submit(chain, self.second)
        assert [each.outcome for each in told] == [each.outcome for each in wanted]
        self.look()
        return told

    async def run(self, seed: int) -> None:
        rng = random.Random(seed)
        author = Author(rng.randint)
        await self.begin()
        for _ in range(COMMITS):
            if rng.randint(0, 2) == 0:
                await self.tick(author.tick())
            chain = author.chain()
            author.heard(chain, await self.ask(*chain))
        await self.tick(rng.choice([0, 40]))

    async def tick(self, seconds: int) -> None:
        await self.store.tick(seconds)
        for _ in range(seconds):
            self.second += 1
            self.look()

    def look(self) -> None:
        """Remember what the next request would find."""
        books = deepcopy(self.oracle.books)
        then = Oracle()
        then.books = books
        for name, owner in books.owners.items():
            then._settle(owner, max(self.second, owner.last))
            self.seen[name, self.second] = self._seen(books, owner)

    def _seen(self, books: Books, owner: Owner) -> Seen:
        piles = owner.open
        labels = {id(pledge): label for label, pledge in books.pledges.items()}
        return Seen(
            (owner.posted, owner.held, owner.owed),
            [(p.number, len(p.units), sum(bool(u.pledge) for u in p.units)) for p in piles],
            [pile.size for pile in piles],
            {
                self.store.clerk.id(labels[id(p)]): (p.amount, p.taken, p.ends)
                for p in owner.pledges
                if p.state == "open"
            },
        )

    async def read(self, name: str, at: int) -> tuple[Seen, list[int]]:
        """What the store reads of a moment, and the versions that make it."""
        id_ = self.store.accounts[name]
        async with begin(self.store.pool) as tx:
            found = await past.read_present(tx, BOOK, id_)
            assert found is not None
            account, _ = found
            version = await queries.version_before(tx, BOOK, id_, at + 1)
            then = await past.read_past(tx, self.store.facts, BOOK, account, (version, at))
        lots = then.account.lots
        seen = Seen(
            (then.account.posted, then.account.held, then.account.debt),
            [(lot.no, lot.left, lot.pinned) for lot in lots],
            [lot.granted for lot in lots],
            {
                held.id: (
                    held.amount,
                    held.captured,
                    inf if held.expires_at is None else (held.expires_at - START) / SECOND,
                )
                for held in then.holds
            },
        )
        return seen, [version, *(line.version for line in then.due)]


async def _check(program: Program, name: str, second: int, *, granted: bool) -> None:
    wanted = program.seen[name, second]
    # The moment itself counts, and so does the last one before the next second.
    at = START + second * SECOND + (SECOND - 1) * (second % 2)
    found, versions = await program.read(name, at)
    where = f"{name} at second {second}, version {versions}"
    assert found.figures == wanted.figures, where
    assert found.lots == wanted.lots, where
    assert found.holds == wanted.holds, where
    if granted:
        assert found.granted == wanted.granted, where
    assert all(b == a + 1 for a, b in pairwise(versions)), where


async def _play(program: Program, seed: int) -> None:
    await program.run(seed)
    for name in (account.name for account in ACCOUNTS):
        key = program.store.accounts[name]
        unsaid = [*await read(program.store, _PUTS, key), *await read(program.store, _REPAID, key)]
        for second in range(program.second + 1):
            await _check(program, name, second, granted=not unsaid)


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> Iterator[str]:
    with cluster.database() as database:
        yield database.app_url


async def _play_all(url: str, seeds: Iterable[int]) -> None:
    async with through_batch(url) as fresh:
        for seed in seeds:
            try:
                await _play(Program(fresh(f"past-{seed}/")), seed)
            except AssertionError as error:
                error.add_note(f"the seed of the program is {seed}")
                raise


async def test_a_hold_captured_late_was_not_open_after_its_expiry(url: str) -> None:
    """Its row says that the capture closed it; between the two it held nothing."""
    async with through_batch(url) as fresh:
        program = Program(fresh("late/"))
        await program.begin()
        await program.ask(Ask(op="grant", label="g", account="alice", asset="tokens", amount=9))
        for label, ttl in (("h", 2), ("other", 9)):
            more = {"account": "alice", "asset": "tokens", "amount": 3, "ttl": ttl}
            await program.ask(Ask(op="hold", label=label, **more))
        await program.tick(1)
        await program.ask(Ask(op="renew", label="n", hold="other", ttl=20))
        await program.tick(3)
        await program.ask(Ask(op="spend", label="s", account="alice", asset="tokens", amount=1))
        await program.tick(3)
        await program.ask(Ask(op="capture", label="c", hold="h"))
        await program.ask(Ask(op="capture", label="d", hold="other", amount=1, final=False))
        await program.tick(2)
        await program.ask(Ask(op="release", label="r", hold="other"))
        for second in range(program.second + 1):
            await _check(program, "alice", second, granted=True)
        assert [len(program.seen["alice", n].holds) for n in (0, 4, 5, 9)] == [2, 1, 1, 0]


@pytest.mark.slow
@pytest.mark.parametrize("block", range(3))
async def test_every_second_of_random_programs(block: int, url: str, seed_of_run: int) -> None:
    first = seed_of_run % 1_000_000 * 10 + block * 2
    await _play_all(url, range(first, first + 2))


@pytest.mark.soak
@pytest.mark.timeout(5400)
async def test_every_second_for_long(url: str, seed_of_run: int) -> None:
    first = seed_of_run % 1_000_000 * 1_000
    await _play_all(url, range(first, first + 300))
