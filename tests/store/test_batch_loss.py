"""What breaks under the group commit: poisoned chains, lost connections, lost commits."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from comptoir.kit.errors import ComptoirError, Conflict, OutcomeUnknown, Unavailable
from comptoir.ledger.model import Answer
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Chain, Spend
from comptoir.store.batch import Batch, Companion
from tests.support.batches import (
    Shop,
    assert_verified,
    connections,
    gather,
    insist,
    locks,
    open_shop,
    outcomes,
    smaller,
    until,
)
from tests.support.postgres import Cluster, Database
from tests.support.proxy import Cut, Proxy, proxied

pytestmark = pytest.mark.pg
MANY = 1_000

NOTED = """
INSERT INTO noted (key, amount) SELECT * FROM unnest(%s::text[], %s::bigint[])"""

TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'comptoir'"""


NOTES = """
DROP TABLE IF EXISTS noted;
CREATE TABLE noted (key text PRIMARY KEY, amount bigint CHECK (amount > 0))"""


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    """Tests share a database, and have a book each."""
    with cluster.database() as made:
        yield made
        assert_verified(made)


@pytest.fixture
async def shop(database: Database) -> AsyncGenerator[Shop]:
    async with open_shop(database) as found:
        found.run(NOTES)
        yield found


@pytest.fixture
async def proxy(shop: Shop) -> AsyncGenerator[Proxy]:
    # The path of a socket must be short, which a test's own folder is not.
    with TemporaryDirectory(prefix="proxy-") as folder:
        async with proxied(shop.url, Path(folder)) as made:
            yield made


COMPANIONS = {
    "a statement that is none": Companion("INSERT INTO nowhere VALUES (%s)", (1,)),
    "a row against a rule": Companion(NOTED, ("poison", -1)),
    "a row that is there": Companion(NOTED, ("there", 1)),
    "a row too long": Companion(NOTED, ("poison", 1, 2)),
    "a row with a type of its own": Companion(NOTED, ("poison", object())),
}
AMOUNTS = {"an amount that no bigint holds": 2**63, "an amount below zero": -1}
POISONS = [*COMPANIONS, *AMOUNTS, "an account that no bigint holds"]


def poison(kind: str, shop: Shop, account: int) -> tuple[Chain, list[Companion]]:
    """A chain that cannot be written."""
    if kind in COMPANIONS:
        return shop.spend("poison", account), [COMPANIONS[kind]]
    to = account if kind in AMOUNTS else 2**70
    id_, amount = shop.id("poison"), AMOUNTS.get(kind, 1)
    return (Spend(id_, b"mark" * 4, to, shop.asset.revenue, amount),), []


@pytest.mark.parametrize("kind", POISONS)
async def test_a_poisoned_chain_fails_alone(kind: str, shop: Shop):
    shop.run("INSERT INTO noted VALUES ('there', 1)")
    account = await shop.account("alice", MANY)
    chain, companions = poison(kind, shop, account)
    async with shop.batch() as batch:
        before = [
            asyncio.ensure_future(
                batch.submit(shop.spend(f"s{n}", account), [Companion(NOTED, (f"s{n}", 1))])
            )
            for n in range(50)
        ]
        bad = asyncio.ensure_future(batch.submit(chain, companions))
        after = [
            asyncio.ensure_future(batch.submit(shop.spend(f"t{n}", account))) for n in range(50)
        ]
        async with asyncio.timeout(10):
            with pytest.raises(ComptoirError) as caught:
                await bad
            assert not isinstance(caught.value, Unavailable), "repeating it makes no sense"
            answers = await asyncio.gather(*before, *after)
        assert set(outcomes(answers)) == {Outcome.CREATED}
        [again] = await batch.submit(shop.spend("poison", account))
        assert again.outcome is Outcome.CREATED, "nothing was stored under its key"
    assert shop.rows("SELECT count(*) FROM noted")[0][0] == 51
    assert shop.balance(account) == (MANY - 101, 0)


async def test_a_poisoned_chain_of_a_locked_account_fails_alone(shop: Shop):
    account = await shop.account("alice", 100)
    async with shop.batch(smaller(lock=60)) as batch:
        with shop.lock(account):
            first = asyncio.ensure_future(batch.submit(shop.spend("first", account)))
            bad = asyncio.ensure_future(
                batch.submit(shop.spend("bad", account), [Companion(NOTED, ("bad", -1))])
            )
            last = asyncio.ensure_future(batch.submit(shop.spend("last", account)))
            await until(lambda: batch.lanes == 1 and batch.queued == 0)
        with pytest.raises(ComptoirError):
            await bad
        assert outcomes([await first, await last]) == [Outcome.CREATED] * 2


async def test_terminated_connections_are_not_noticed_by_callers(shop: Shop):
    accounts = await shop.accounts([f"c{n}" for n in range(10)], MANY)
    async with shop.batch(smaller(batch=50)) as batch:
        asked = [
            asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", accounts[n % 10])))
            for n in range(MANY)
        ]
        for part in range(1, 6):
            await until(lambda part=part: batch.committed >= part * MANY // 8)
            await until(lambda: shop.rows(TERMINATE) != [])
        answers = await asyncio.gather(*asked)
    assert set(outcomes(answers)) <= {Outcome.CREATED, Outcome.EXISTS}
    assert shop.effects(*(f"s{n}" for n in range(MANY))) == MANY
    assert [shop.balance(account)[0] for account in accounts] == [MANY - MANY // 10] * 10


@pytest.mark.parametrize("callers", [1, 50])
@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
async def test_the_fate_of_a_lost_commit_is_found_out(
    cut: Cut, callers: int, shop: Shop, proxy: Proxy
):
    account = await shop.account("alice", MANY)
    async with shop.batch(url=proxy.url) as batch:
        await batch.submit(shop.spend("warm", account))
        proxy.cut = cut
        answers = await asyncio.gather(
            *(
                batch.submit(shop.spend(f"s{n}", account), [Companion(NOTED, (f"s{n}", 1))])
                for n in range(callers)
            )
        )
        assert proxy.cuts == 1
        done = Outcome.EXISTS if cut is Cut.AFTER else Outcome.CREATED
        assert set(outcomes(answers)) == {done}
        assert all(answer.line for [answer] in answers), "answered with what was done"
    assert shop.effects(*(f"s{n}" for n in range(callers))) == callers
    assert len(shop.rows("SELECT key FROM noted")) == callers
    assert shop.balance(account) == (MANY - callers - 1, 0)


STEPS = {"questions": range(40), "answers": range(0, 1_200, 29)}


@pytest.mark.parametrize("what", STEPS)
async def test_a_connection_may_be_lost_at_any_step(what: str, shop: Shop, proxy: Proxy):
    """After each message of a commit, and within its answers at many places."""
    account = await shop.account("alice", MANY)
    cut_at = set[int]()
    for step in STEPS[what]:
        async with shop.batch(url=proxy.url) as batch:
            await batch.submit(shop.spend(f"warm-{step}", account))
            before = proxy.cuts
            setattr(proxy, what, step)
            chains = [shop.spend(f"{what}-{step}-{n}", account) for n in range(2)]
            companions = [Companion(NOTED, (f"{what}-{step}", 1))]
            answers = await asyncio.gather(
                batch.submit(chains[0], companions), batch.submit(chains[1])
            )
            setattr(proxy, what, None)
        assert set(outcomes(answers)) <= {Outcome.CREATED, Outcome.EXISTS}
        assert all(answer.line for [answer] in answers)
        assert shop.effects(f"{what}-{step}-0", f"{what}-{step}-1") == 2
        if proxy.cuts > before:
            cut_at.add(step)
    assert len(cut_at) > 10
    assert len(shop.rows("SELECT key FROM noted")) == len(STEPS[what])


@pytest.mark.parametrize("callers", [1, 50])
async def test_nobody_is_answered_while_the_old_connection_can_still_commit(
    callers: int, shop: Shop, proxy: Proxy
):
    account = await shop.account("alice", MANY)
    async with shop.batch(smaller(lock=0.1), proxy.url) as batch:
        await batch.submit(shop.spend("warm", account))
        before = len(connections(shop.database))
        proxy.cut = Cut.LATE
        asked = [
            asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", account)))
            for n in range(callers)
        ]
        await until(lambda: len(connections(shop.database)) == before + 1)
        assert locks(shop.database), "the old one has done everything but commit"
        assert shop.effects("s0") == 0
        done, _ = await asyncio.wait(asked, timeout=0.5)
        assert not done, "nobody can know yet"
        proxy.let_go()
        answers = await asyncio.gather(*asked)
    assert set(outcomes(answers)) == {Outcome.EXISTS}
    assert shop.effects(*(f"s{n}" for n in range(callers))) == callers


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
async def test_a_commit_whose_fate_nobody_can_tell_is_unknown(cut: Cut, shop: Shop, proxy: Proxy):
    account = await shop.account("alice", MANY)
    async with shop.batch(smaller(reconnect=0.3), proxy.url) as batch:
        await batch.submit(shop.spend("warm", account))
        proxy.cut, proxy.refuse = cut, True
        for answer in await asyncio.gather(
            *(batch.submit(shop.spend(f"s{n}", account)) for n in range(10)),
            return_exceptions=True,
        ):
            assert isinstance(answer, OutcomeUnknown)
        with pytest.raises(Unavailable, match="database-down") as caught:
            await batch.submit(shop.spend("later", account))
        assert not isinstance(caught.value, OutcomeUnknown), "this one was never sent"
        proxy.refuse = False
        answers = await gather(batch, [shop.spend(f"s{n}", account) for n in range(10)])
        done = Outcome.EXISTS if cut is Cut.AFTER else Outcome.CREATED
        assert set(outcomes(answers)) == {done}
    assert shop.effects(*(f"s{n}" for n in range(10))) == 10
    assert shop.balance(account) == (MANY - 11, 0)


async def test_a_commit_in_doubt_is_never_said_to_be_undone(shop: Shop, proxy: Proxy):
    """The database comes back after a lost COMMIT, and goes again before it was asked."""
    account = await shop.account("alice", MANY)
    unknown = 0
    for step in range(20):

        def then_go_away(step: int = step) -> None:
            proxy.on_cut = stay_away
            proxy.questions = step

        def stay_away() -> None:
            proxy.refuse = True

        async with shop.batch(smaller(reconnect=0.1), proxy.url) as batch:
            await batch.submit(shop.spend(f"warm-{step}", account))
            proxy.cut, proxy.on_cut = Cut.AFTER, then_go_away
            try:
                await batch.submit(shop.spend(f"s{step}", account))
            except OutcomeUnknown:
                unknown += 1
            proxy.refuse, proxy.questions = False, None
            [again] = await insist(batch, shop.spend(f"s{step}", account))
            assert again.outcome is Outcome.EXISTS
    assert unknown > 5


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
async def test_the_fate_of_a_commit_that_a_lane_lost(cut: Cut, shop: Shop, proxy: Proxy):
    account = await shop.account("alice", MANY)
    async with shop.batch(smaller(lock=60), proxy.url) as batch:
        with shop.lock(account):
            asked = [
                asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", account))) for n in range(10)
            ]
            await until(lambda: batch.lanes == 1 and batch.queued == 0)
            proxy.cut = cut
        answers = await asyncio.gather(*asked)
        assert proxy.cuts == 1
    assert all(answer.line for [answer] in answers)
    assert shop.balance(account) == (MANY - 10, 0)


async def test_a_database_that_is_away_is_said_to_be_down(shop: Shop, proxy: Proxy):
    account = await shop.account("alice", 10)
    proxy.refuse = True
    async with shop.batch(url=proxy.url) as batch:
        for n in range(3):
            with pytest.raises(Unavailable, match="database-down"):
                await batch.submit(shop.spend(f"s{n}", account))
        proxy.refuse = False
        answers = await gather(batch, [shop.spend(f"s{n}", account) for n in range(3)])
    assert set(outcomes(answers)) == {Outcome.CREATED}


async def test_random_cuts_under_load_lose_and_double_nothing(shop: Shop, proxy: Proxy):
    accounts = await shop.accounts([f"c{n}" for n in range(10)], MANY)
    async with AsyncExitStack() as stack:
        batches = [
            await stack.enter_async_context(shop.batch(smaller(batch=20), proxy.url))
            for _ in range(2)
        ]
        waiting = [
            asyncio.ensure_future(insist(batches[n % 2], shop.spend(f"s{n}", accounts[n % 10])))
            for n in range(MANY)
        ]
        for cut in [Cut.AFTER, Cut.BEFORE] * 5:
            proxy.cut = cut
            await until(lambda: proxy.cut is None or all(task.done() for task in waiting))
        answers = await asyncio.gather(*waiting)
        await until(lambda: locks(shop.database) == [])
    assert proxy.cuts > 5
    assert set(outcomes(answers)) <= {Outcome.CREATED, Outcome.EXISTS}
    assert shop.effects(*(f"s{n}" for n in range(MANY))) == MANY


async def test_a_foreign_row_with_the_same_key_is_found(shop: Shop):
    """Somebody else's commit lands between our look-up and our insertion."""
    one, two = await shop.accounts(["one", "two"], 10)
    async with shop.batch() as here, shop.batch() as there:
        for n in range(50):
            answers = await asyncio.gather(
                here.submit(shop.spend(f"k{n}", one)), there.submit(shop.spend(f"k{n}", two))
            )
            found = sorted(outcomes(answers))
            assert found in (["created", "exists_different"], ["created", "insufficient"]), found
            if shop.balance(one)[0] == 0 or shop.balance(two)[0] == 0:
                break


def kept(batch: Batch) -> int:
    return batch.queued + batch.lanes


async def test_an_account_that_two_hold_in_turn_gets_everybody_an_answer(shop: Shop):
    account = await shop.account("alice", MANY)
    async with shop.batch(smaller(lock=0.1, batch=10)) as batch:
        asked: list[asyncio.Task[list[Answer]]] = []
        for n in range(10):
            with await asyncio.to_thread(shop.lock, account):
                asked += [
                    asyncio.ensure_future(batch.submit(shop.spend(f"s{n}-{i}", account)))
                    for i in range(20)
                ]
                await until(lambda: batch.lanes > 0)
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(each, list | Unavailable | Conflict) for each in found)
        await until(lambda: kept(batch) == 0)
        done = sum(isinstance(each, list) for each in found)
        assert shop.balance(account) == (MANY - done, 0)
