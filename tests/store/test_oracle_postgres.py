"""The same random programs on the core and on PostgreSQL: equal answers, and equal rows.

The core is held against an oracle elsewhere, so what is equal to it here is right too. Every
program goes through both ways in, in commits of one chain and of many.
"""

import random
from collections.abc import Iterable, Iterator
from typing import Final, LiteralString

import pytest

from comptoir.kit.limits import SECOND
from comptoir.ledger.model import Answer, Held, Line
from comptoir.store import ledger
from tests.support.core import CoreDriver
from tests.support.duel import brief
from tests.support.postgres import Cluster
from tests.support.programs import ACCOUNTS, Author
from tests.support.store import Fresh, StoreDriver, inside_own, read, through_batch
from tests.support.tables import Ask, Told

pytestmark = pytest.mark.pg
COMMITS: Final = 30

_ACCOUNTS: Final = """
SELECT posted, held, debt, filled, version, lots_made, open_lots, comptoir.micros(next_expiry),
    comptoir.micros(at)
FROM comptoir.accounts WHERE book_id = %s AND id = %s"""

_LOTS: Final = """
SELECT no, source, priority, comptoir.micros(expires_at), granted, remaining, pinned, plain, lapsed,
    paid, tax, currency, version
FROM comptoir.lots WHERE book_id = %s AND account_id = %s ORDER BY no"""

_HOLDS: Final = """
SELECT id, amount, captured, state, on_excess, comptoir.micros(expires_at), group_id, opened,
    closed, comptoir.micros(at), pin_lots, pin_parts
FROM comptoir.holds WHERE book_id = %s AND account_id = %s ORDER BY opened, id"""

_LINES: Final = """
SELECT version, amount, posted, held, debt, filled, kind, comptoir.micros(at), request_id, lots,
    parts, hold_id, reverses
FROM comptoir.movements WHERE book_id = %s AND account_id = %s ORDER BY version"""


class Pair:
    """One program on both sides."""

    def __init__(self, store: StoreDriver) -> None:
        self.core = CoreDriver(store.prefix)
        self.store = store

    async def open(self) -> None:
        for account in ACCOUNTS:
            self.core.add(account)
            await self.store.open(account)

    async def submit(self, chains: list[list[Ask]], *, through_batch: bool) -> list[list[Told]]:
        """Ask both in one commit each; fails at the first difference."""
        ours, theirs = self.core.clerk, self.store.clerk
        answers = self.core.shelf.run([ours.chain(asks) for asks in chains], ours.now)
        asked = [theirs.chain(asks) for asks in chains]
        if through_batch:
            stored = await self.store.submit_chains(asked)
        else:
            stored = await inside_own(self.store, asked)
        for asks, here, there in zip(chains, answers, stored, strict=True):
            shown, wanted = [_shown(a) for a in there], [_shown(a) for a in here]
            assert shown == wanted, f"{brief(asks)}\nPostgreSQL: {shown}\ncore: {wanted}"
            theirs.told(asks, there)
        return [ours.told(asks, here) for asks, here in zip(chains, answers, strict=True)]

    def tick(self, seconds: int) -> None:
        self.core.clerk.now += seconds * SECOND
        self.store.clerk.now += seconds * SECOND

    async def compare(self) -> None:
        """Every row that the program has written is what the core has."""
        shelf = self.core.shelf
        for opening in ACCOUNTS:
            account = self.core.opened(opening.name)
            lots = [lot for (owner, _), lot in sorted(shelf.lots.items()) if owner == account.id]
            holds = [held for held in shelf.book.holds.values() if held.account == account.id]
            wanted: dict[LiteralString, list[tuple[object, ...]]] = {
                _ACCOUNTS: [
                    _figures(
                        account,
                        "posted held debt filled version lots_made open_lots next_expiry at",
                    )
                ],
                _LOTS: [
                    _figures(
                        lot,
                        "no source priority expires_at granted left pinned plain"
                        " lapsed paid tax currency version",
                    )
                    for lot in lots
                ],
                _HOLDS: [_held(held) for held in sorted(holds, key=lambda held: held.opened)],
                _LINES: [_line(line) for line in shelf.journal[account.id]],
            }
            for query, figures in wanted.items():
                found = await read(self.store, query, self.store.accounts[opening.name])
                assert found == figures, query


def _held(held: Held) -> tuple[object, ...]:
    figures = _figures(held, "id amount captured state on_excess expires_at group opened closed at")
    return (*figures, [no for no, _ in held.pins], [part for _, part in held.pins])


def _line(line: Line | None) -> tuple[object, ...]:
    if line is None:
        return ()
    return _figures(
        line, "version amount posted held debt filled kind at request lots parts hold reverses"
    )


def _shown(answer: Answer) -> tuple[object, ...]:
    """All of an answer but the ids of accounts, which differ."""
    said = _figures(
        answer,
        "id op outcome replayed field at hold amount expires_at captured late needed available",
    )
    return (*said, _line(answer.line), _line(answer.mirror))


def _figures(thing: object, names: str) -> tuple[object, ...]:
    return tuple(getattr(thing, name) for name in names.split())


async def play(fresh: Fresh, seed: int) -> None:
    """One program; the seed tells it again."""
    rng = random.Random(seed)
    author = Author(rng.randint)
    pair = Pair(fresh(f"{ledger.LOT_PREFIX}-{seed}/"))
    await pair.open()
    for _ in range(COMMITS):
        if rng.randint(0, 5) == 0:
            pair.tick(author.tick())
        together = rng.random() < 0.5
        chains = _commit(rng, author, distinct=together)
        told = await pair.submit(chains, through_batch=together)
        for chain, answers in zip(chains, told, strict=True):
            author.heard(chain, answers)
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
def url(cluster: Cluster) -> Iterator[str]:
    with cluster.database() as database:
        yield database.app_url


async def _play_all(url: str, seeds: Iterable[int]) -> None:
    async with through_batch(url) as fresh:
        for seed in seeds:
            try:
                await play(fresh, seed)
            except AssertionError as error:
                error.add_note(f"the seed of the program is {seed}")
                raise


@pytest.mark.parametrize("prefix", [1, 2, 8])
async def test_programs(prefix: int, url: str, monkeypatch: pytest.MonkeyPatch):
    """Reading few lots at first makes the rule by which more are read count."""
    monkeypatch.setattr(ledger, "LOT_PREFIX", prefix)
    await _play_all(url, range(prefix * 1000, prefix * 1000 + 10))


@pytest.mark.soak
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("prefix", [1, 2, 8])
async def test_programs_for_long(
    prefix: int, url: str, seed_of_run: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ledger, "LOT_PREFIX", prefix)
    first = seed_of_run * 10_000
    await _play_all(url, range(first, first + 1_000))
