"""What is locked by somebody else holds up nobody but those who ask for it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator

import pytest
from psycopg import AsyncConnection

from comptoir.kit.errors import Unavailable
from comptoir.ledger.model import Answer
from comptoir.ledger.outcomes import Outcome
from comptoir.ledger.requests import Chain, Reverse
from comptoir.store import sql
from comptoir.store.batch import Batch
from comptoir.store.commit import Commit, Pending
from comptoir.store.pool import connect
from comptoir.store.rows import Row, Statement
from comptoir.store.wire import Wire, nothing
from tests.support.batches import (
    LIMITS,
    Shop,
    assert_verified,
    connections,
    gather,
    open_shop,
    outcomes,
    smaller,
    until,
)
from tests.support.postgres import Cluster, Database

pytestmark = pytest.mark.pg
MANY = 1_000


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


def waiting(shop: Shop) -> int:
    """Connections of ours that wait for a lock."""
    query = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'comptoir' AND wait_event_type = 'Lock'"""
    return shop.rows(query)[0][0]


async def test_other_accounts_go_on_beside_a_locked_one(shop: Shop):
    busy, *free = await shop.accounts([f"c{n}" for n in range(21)], MANY)
    async with shop.batch(smaller(lock=60)) as batch:
        with shop.lock(busy):
            stuck = [
                asyncio.ensure_future(batch.submit(shop.spend(f"b{n}", busy))) for n in range(50)
            ]
            answers = await gather(batch, [shop.spend(f"f{n}", free[n % 20]) for n in range(MANY)])
            assert set(outcomes(answers)) == {Outcome.CREATED}
            assert not any(task.done() for task in stuck)
            assert shop.effects(*(f"b{n}" for n in range(50))) == 0
            await until(lambda: batch.lanes == 1)
        late = await asyncio.gather(*stuck)
    assert set(outcomes(late)) == {Outcome.CREATED}
    versions = [answer.line.version for [answer] in late if answer.line]
    assert versions == sorted(versions), "decided in the order in which they came"


async def test_requests_that_come_later_stay_behind_those_in_the_lane(shop: Shop):
    account = await shop.account("alice", 10)
    async with shop.batch() as batch:
        with shop.lock(account):
            first = asyncio.ensure_future(batch.submit(shop.spend("first", account, 7)))
            await until(lambda: batch.lanes == 1)
        # The row is free now, but whoever came first must be first.
        second = asyncio.ensure_future(batch.submit(shop.spend("second", account, 7)))
        answers = await asyncio.gather(first, second)
    assert outcomes(answers) == [Outcome.CREATED, Outcome.INSUFFICIENT]


async def test_an_account_that_stays_locked_is_said_to_be_busy(shop: Shop):
    account = await shop.account("alice", 10)
    async with shop.batch(smaller(lock=0.2)) as batch:
        with shop.lock(account):
            for n in range(2):
                with pytest.raises(Unavailable, match="account-busy"):
                    await batch.submit(shop.spend(f"s{n}", account))
            await until(lambda: batch.lanes == 0)
        answers = await gather(batch, [shop.spend(f"s{n}", account) for n in range(2)])
    assert outcomes(answers) == [Outcome.CREATED] * 2, "nothing was stored for a busy account"


async def test_a_lane_has_only_so_much_room(shop: Shop):
    account = await shop.account("alice", MANY)
    async with shop.batch(smaller(lane_queue=10, lock=60)) as batch:
        with shop.lock(account):
            asked = [
                asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", account)))
                for n in range(100)
            ]
            await until(lambda: sum(task.done() for task in asked) >= 80)
            full = [task.exception() for task in asked if task.done()]
            assert all(isinstance(each, Unavailable) for each in full)
        await asyncio.gather(*asked, return_exceptions=True)
        assert shop.balance(account)[0] == MANY - sum(not task.exception() for task in asked)
        again = await gather(batch, [shop.spend(f"s{n}", account) for n in range(10)])
    assert set(outcomes(again)) <= {Outcome.CREATED, Outcome.EXISTS}


async def test_more_locked_accounts_than_lanes_wait_their_turn(shop: Shop):
    accounts = await shop.accounts([f"c{n}" for n in range(6)], 100)
    async with shop.batch(smaller(lanes=2, lock=60)) as batch:
        before = len(connections(shop.database))
        locked = [shop.lock(account) for account in accounts]
        asked = [
            asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", account)))
            for n, account in enumerate(accounts)
        ]
        await until(lambda: batch.lanes == 6 and waiting(shop) == 2)
        assert len(connections(shop.database)) <= before + 3, "a writer and two lanes"
        for foreign in locked:
            foreign.close()
        assert set(outcomes(await asyncio.gather(*asked))) == {Outcome.CREATED}
        await until(lambda: batch.lanes == 0)


async def test_a_long_lane_leaves_room_for_others(shop: Shop):
    """With one place for lanes, an account that is always asked for must not keep it."""
    hot, other = await shop.accounts(["hot", "other"], MANY)
    async with shop.batch(smaller(lanes=1, lock=60, batch=5)) as batch:
        with shop.lock(hot), shop.lock(other):
            crowd = [
                asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", hot))) for n in range(500)
            ]
            await until(lambda: batch.lanes == 1 and batch.queued == 0)
            quiet = asyncio.ensure_future(batch.submit(shop.spend("quiet", other)))
            await until(lambda: batch.lanes == 2)
        [answer] = await quiet
        assert sum(task.done() for task in crowd) < 100, "its turn came after one commit or two"
        await asyncio.gather(*crowd)
    assert answer.outcome is Outcome.CREATED


async def test_a_chain_waits_for_each_of_its_accounts(shop: Shop):
    one, two = await shop.accounts(["one", "two"], 10)
    async with shop.batch(smaller(lock=60)) as batch:
        with shop.lock(two):
            chain = shop.spend("x", one) + shop.spend("y", two)
            both = asyncio.ensure_future(batch.submit(chain))
            await until(lambda: batch.lanes == 1)
            assert shop.effects("x", "y") == 0, "all or nothing"
        answers = await both
    assert [answer.outcome for answer in answers] == [Outcome.CREATED] * 2


@pytest.mark.parametrize("verb", ["spend", "reverse", "transfer"])
async def test_an_account_that_nobody_has_is_not_found(verb: str, shop: Shop):
    """It cannot be locked either, but nobody waits for it for ever."""
    account, nobody = await shop.account("alice", 10), 2**40
    mark = b"mark" * 4
    chains: dict[str, Chain] = {
        "spend": shop.spend("x", nobody),
        "reverse": (Reverse(shop.id("x"), mark, nobody, 1),),
        "transfer": shop.transfer("x", account, nobody),
    }
    async with shop.batch() as batch:
        async with asyncio.timeout(5):
            [answer] = await batch.submit(chains[verb])
        [again] = await batch.submit(shop.spend("x", account))
    expected = Outcome.MOVEMENT_NOT_FOUND if verb == "reverse" else Outcome.ACCOUNT_NOT_FOUND
    assert (answer.outcome, again.outcome) == (expected, Outcome.CREATED)


async def test_leaving_waits_for_the_lanes(shop: Shop):
    account = await shop.account("alice", 100)
    with shop.lock(account) as foreign:
        async with shop.batch(smaller(lock=60)) as batch:
            asked = [
                asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", account)))
                for n in range(100)
            ]
            await until(lambda: batch.lanes == 1)
            asyncio.get_running_loop().call_later(0.1, foreign.close)
    answers = await asyncio.wait_for(asyncio.gather(*asked), timeout=1)
    assert outcomes(answers) == [Outcome.CREATED] * 100


def writer(shop: Shop) -> Batch:
    return shop.batch(smaller(lock=60))


async def test_an_owner_who_does_not_wait_leaves_nobody_without_an_answer(shop: Shop):
    account = await shop.account("alice", 100)
    batch, entered = shop.batch(smaller(lock=60)), asyncio.Event()

    async def own() -> None:
        async with batch:
            entered.set()
            await asyncio.Event().wait()

    owner = asyncio.ensure_future(own())
    await entered.wait()
    with shop.lock(account):
        asked = [
            asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", account))) for n in range(50)
        ]
        await until(lambda: batch.lanes == 1)
        owner.cancel()
        await asyncio.sleep(0)
        owner.cancel()
        async with asyncio.timeout(5):
            told = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(each, Unavailable) for each in told)
    with pytest.raises(asyncio.CancelledError):
        await owner


async def test_two_writers_share_a_hot_account(shop: Shop):
    account = await shop.account("alice", MANY)
    async with writer(shop) as here, writer(shop) as there:
        answers = await asyncio.gather(
            *((here, there)[n % 2].submit(shop.spend(f"s{n}", account)) for n in range(MANY + 200))
        )
    found = outcomes(answers)
    assert found.count(Outcome.CREATED) == MANY
    assert found.count(Outcome.INSUFFICIENT) == 200
    assert shop.balance(account) == (0, 0)


async def test_what_comes_in_during_the_wait_shares_the_commit(shop: Shop):
    account = await shop.account("alice", MANY)
    async with shop.batch(smaller(lock=60)) as batch:
        with shop.lock(account):
            asked = [asyncio.ensure_future(batch.submit(shop.spend("first", account)))]
            await until(lambda: waiting(shop) == 1)
            asked.extend(
                asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", account)))
                for n in range(100)
            )
            await until(lambda: batch.queued == 0)
        answers = await asyncio.gather(*asked)
    assert set(outcomes(answers)) == {Outcome.CREATED}
    assert len({answer.line.at for [answer] in answers if answer.line}) == 1


async def test_a_lane_whose_connection_went_begins_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    """What is flushed after the wait must not run outside of a transaction."""
    account = await shop.account("alice", 10)
    sent: list[str] = []
    run = Wire.run

    async def noted(
        self: Wire, wanted: Iterable[Statement], meanwhile: Callable[[], None] = nothing
    ) -> list[list[Row]]:
        statements = list(wanted)
        sent.extend(text for text, _ in statements)
        return await run(self, statements, meanwhile)

    async def open_connection() -> AsyncConnection:
        return await connect(shop.url, LIMITS, lock=10)

    monkeypatch.setattr(Wire, "run", noted)
    commit = Commit(open_connection, shop.book, shop.facts, sql.LOCK, patience=10)
    for is_lost in (False, True):
        future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        await commit.wait_for(account)
        if is_lost:
            await commit.close()
        pending = Pending(shop.spend(f"x{is_lost}", account), (), future)
        flushed = await commit.flush([pending], frozenset(), nothing)
        assert outcomes([answers for _, answers in flushed.answered]) == [Outcome.CREATED]
    await commit.close()
    assert sent.count("BEGIN") == 3, "one with each wait, and one after the loss"
    assert sent.count("COMMIT") == 2


async def test_what_others_hold_for_a_moment_needs_no_lane_each(shop: Shop):
    """Another process's commit holds many accounts, and is over soon."""
    accounts = await shop.accounts([f"c{n}" for n in range(40)], 10)
    free = accounts.pop()
    async with shop.batch(smaller(lock=60, writer_lock=60)) as batch:
        locked = [shop.lock(account) for account in accounts]
        asked = [
            asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", account)))
            for n, account in enumerate((*accounts, free))
        ]
        [answer] = await asyncio.wait_for(asked[-1], 10)  # though the writer waits for the others
        assert answer.outcome is Outcome.CREATED
        assert batch.lanes == 0, "it was just passed over"
        for foreign in locked:
            foreign.close()
        assert set(outcomes(await asyncio.gather(*asked))) == {Outcome.CREATED}
