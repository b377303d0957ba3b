"""Ids that were decided before, among many that were not: the group commit does not look for them.

Whoever writes one of them again is told so by the index, and only then are they looked up.
"""

from collections.abc import AsyncGenerator, Iterator

import pytest

from comptoir.ledger.model import Answer
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Chain
from comptoir.store import commit, sql
from comptoir.store.batch import Batch
from comptoir.store.ledger import Reading
from tests.support.batches import Shop, assert_verified, gather, open_shop, outcomes
from tests.support.postgres import Cluster, Database

pytestmark = pytest.mark.pg
MANY = 200


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    """Tests share a database, and have a book each."""
    with cluster.database() as made:
        yield made
        assert_verified(made)


@pytest.fixture
async def shop(database: Database) -> AsyncGenerator[Shop]:
    async with open_shop(database) as found:
        yield found


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For every commit that was tried, whether it looked ids up."""
    found: list[bool] = []

    def reading(*given: object) -> Reading:
        made = Reading(*given)  # pyright: ignore[reportArgumentType]
        found.append(made.seen == sql.SEEN)
        return made

    monkeypatch.setattr(commit, "Reading", reading)
    return found


async def among_many(shop: Shop, batch: Batch, chain: Chain, name: str) -> list[Answer]:
    """What becomes of a chain in the middle of many spends, each of which succeeds."""
    account = await shop.account(name, MANY)
    spends = [shop.spend(f"{name}-{n}", account) for n in range(MANY)]
    answers = await gather(batch, [*spends[:100], chain, *spends[100:]])
    found = answers.pop(100)
    assert outcomes(answers) == [Outcome.CREATED] * MANY
    assert shop.balance(account) == (0, 0)
    return found


def was_told(looked: list[bool]) -> bool:
    """Whether a commit looked nothing up, and the one after it did."""
    trusting = looked.index(False)
    return looked[trusting + 1]


async def test_what_was_done_before_is_answered_again(shop: Shop, looked: list[bool]):
    account = await shop.account("alice", 10)
    async with shop.batch() as batch:
        [first] = await batch.submit(shop.spend("once", account))
        looked.clear()
        [again] = await among_many(shop, batch, shop.spend("once", account), "others")
    assert (again.outcome, again.replayed) == (Outcome.EXISTS, True)
    assert (again.line, again.at) == (first.line, first.at)
    assert shop.balance(account) == (9, 0)
    assert was_told(looked), "nothing was looked up until the index said so"


async def test_what_was_refused_before_stays_refused(shop: Shop, looked: list[bool]):
    account = await shop.account("alice", 1)
    async with shop.batch() as batch:
        [first] = await batch.submit(shop.spend("once", account, 2))
        await batch.submit(shop.grant("more", account, 10))
        looked.clear()
        [again] = await among_many(shop, batch, shop.spend("once", account, 2), "others")
    assert (again.outcome, again.replayed) == (Outcome.INSUFFICIENT, True)
    assert (again.needed, again.available) == (first.needed, first.available) == (2, 1)
    assert was_told(looked)


async def test_an_answer_that_is_not_stored_is_looked_up_first(shop: Shop, looked: list[bool]):
    """It would clash with nothing, and hide that its id was used for something else."""
    account = await shop.account("alice", 10)
    async with shop.batch() as batch:
        await batch.submit(shop.spend("once", account))
        looked.clear()
        [reused] = await among_many(shop, batch, shop.capture("once", "nothing"), "others")
        [unknown] = await among_many(shop, batch, shop.capture("new", "nothing"), "more")
    assert reused.outcome is Outcome.EXISTS_DIFFERENT
    assert unknown.outcome is Outcome.HOLD_NOT_FOUND
    assert was_told(looked)


@pytest.mark.parametrize("known", ["first", "last"])
async def test_a_member_of_a_chain_was_done_before(known: str, shop: Shop, looked: list[bool]):
    account = await shop.account("alice", 10)
    chain = (*shop.spend("first", account), *shop.spend("last", account))
    async with shop.batch() as batch:
        await batch.submit(shop.spend(known, account))
        looked.clear()
        answers = await among_many(shop, batch, chain, "others")
    expected = {"first": Outcome.EXISTS, "last": Outcome.CHAIN_BROKEN}
    if known == "last":
        expected = {"first": Outcome.CHAIN_BROKEN, "last": Outcome.EXISTS}
    assert [answer.outcome for answer in answers] == list(expected.values())
    assert shop.balance(account) == (9, 0)
    assert was_told(looked)


async def test_a_refused_chain_stays_broken(shop: Shop):
    """Its other members are not stored, so they clash with nothing."""
    account = await shop.account("alice", 1)
    chain = (*shop.spend("first", account), *shop.spend("last", account))
    async with shop.batch() as batch:
        await batch.submit(chain)
        await batch.submit(shop.grant("more", account, 10))
        answers = await among_many(shop, batch, chain, "others")
    found = [answer.outcome for answer in answers]
    assert found == [Outcome.CHAIN_BROKEN, Outcome.INSUFFICIENT]
    assert shop.balance(account) == (11, 0)


async def test_after_a_clash_ids_are_looked_up_for_a_time(shop: Shop, looked: list[bool]):
    account = await shop.account("alice", 10 * MANY)
    async with shop.batch() as batch:
        await batch.submit(shop.spend("once", account))
        looked.clear()
        for round_ in range(100):
            spends = [shop.spend(f"s{round_}-{n}", account) for n in range(16)]
            await gather(batch, [shop.spend("once", account), *spends] if not round_ else spends)
    assert looked[0] is False
    assert 50 < looked[1:].index(False) < 70, "then it trusts new ids again"


async def test_few_requests_are_looked_up(shop: Shop, looked: list[bool]):
    account = await shop.account("alice", 10)
    looked.clear()
    async with shop.batch() as batch:
        await gather(batch, [shop.spend(f"s{n}", account) for n in range(5)])
    assert set(looked) == {True}
