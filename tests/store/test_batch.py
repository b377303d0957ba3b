"""The group commit: what callers may count on while nothing breaks."""

import asyncio
from collections.abc import AsyncGenerator, Iterator

import pytest

from comptoir.kit.errors import Conflict, Unavailable
from comptoir.kit.limits import SECOND
from comptoir.ledger.outcomes import Outcome
from comptoir.store.batch import Companion
from tests.support.batches import (
    Shop,
    assert_verified,
    connections,
    gather,
    leaked_holds,
    locks,
    open_shop,
    outcomes,
    smaller,
    until,
)
from tests.support.postgres import Cluster, Database

pytestmark = pytest.mark.pg
MANY = 1_000

NOTED = """
INSERT INTO noted (key, amount) SELECT * FROM unnest(%s::text[], %s::bigint[])"""


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
        yield found


@pytest.fixture
def notes(database: Database, shop: Shop) -> None:
    """A table of the caller, with a rule that one of his rows can break."""
    shop.run(NOTES)


async def test_callers_share_commits(shop: Shop):
    account = await shop.account("alice", MANY)
    async with shop.batch() as batch:
        answers = await gather(batch, [shop.spend(f"s{n}", account) for n in range(MANY)])
        assert batch.committed == MANY
    assert outcomes(answers) == [Outcome.CREATED] * MANY
    assert shop.balance(account) == (0, 0)
    assert shop.effects(*(f"s{n}" for n in range(MANY))) == MANY
    moments = shop.rows(
        "SELECT count(DISTINCT at) FROM comptoir.movements WHERE book_id = %s", shop.book
    )
    assert moments[0][0] < MANY / 100, "a commit has one time, so few times mean few commits"


async def test_what_is_refused_changes_nothing(shop: Shop):
    account = await shop.account("alice", 100)
    async with shop.batch() as batch:
        answers = await gather(batch, [shop.spend(f"s{n}", account) for n in range(200)])
        again = await gather(batch, [shop.spend(f"s{n}", account) for n in range(200)])
    found = outcomes(answers)
    assert found.count(Outcome.CREATED) == found.count(Outcome.INSUFFICIENT) == 100
    assert [answer.replayed for [answer] in again] == [True] * 200
    expected = [Outcome.EXISTS if o is Outcome.CREATED else o for o in found]
    assert outcomes(again) == expected, "a refused key stays refused"


async def test_companions_are_written_only_with_success(shop: Shop, notes: None):
    account = await shop.account("alice", 50)
    chains = [shop.spend(f"s{n}", account) for n in range(100)]
    async with shop.batch() as batch, asyncio.TaskGroup() as group:
        asked = [
            group.create_task(batch.submit(chain, [Companion(NOTED, (f"s{n}", n + 1))]))
            for n, chain in enumerate(chains)
        ]
    done = {f"s{n}" for n, task in enumerate(asked) if task.result()[0].outcome == "created"}
    assert len(done) == 50
    assert {row[0] for row in shop.rows("SELECT key FROM noted")} == done


async def test_companions_go_in_one_statement(shop: Shop, notes: None):
    account = await shop.account("alice", MANY)
    shop.run(
        """CREATE TABLE statements (rows bigint);
        CREATE FUNCTION count_rows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO statements SELECT count(*) FROM added; RETURN NULL; END $$;
        CREATE TRIGGER counted AFTER INSERT ON noted REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION count_rows()"""
    )
    async with shop.batch() as batch, asyncio.TaskGroup() as group:
        for n in range(MANY):
            companion = Companion(NOTED, (f"s{n}", n + 1))
            group.create_task(batch.submit(shop.spend(f"s{n}", account), [companion]))
    sizes = [row[0] for row in shop.rows("SELECT rows FROM statements")]
    assert sum(sizes) == MANY
    assert len(sizes) < MANY / 100


async def test_a_replay_writes_no_companion(shop: Shop, notes: None):
    account = await shop.account("alice", 50)
    async with shop.batch() as batch:
        for n in (1, 2):
            companion = Companion(NOTED, (f"note-{n}", n))
            await batch.submit(shop.spend("once", account), [companion])
    assert shop.rows("SELECT key FROM noted") == [("note-1",)]


async def test_a_full_queue_says_so_and_loses_nothing(shop: Shop):
    account = await shop.account("alice", MANY)
    async with shop.batch(smaller(queue=100)) as batch:
        asked = [batch.submit(shop.spend(f"s{n}", account)) for n in range(MANY)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        refused = [n for n, answer in enumerate(answers) if isinstance(answer, Unavailable)]
        assert {getattr(answers[n], "code", None) for n in refused} == {"overloaded"}
        assert 0 < len(refused) < MANY
        assert shop.balance(account) == (len(refused), 0)
        for some in (refused[n : n + 100] for n in range(0, len(refused), 100)):
            repeats = await gather(batch, [shop.spend(f"s{n}", account) for n in some])
            assert set(outcomes(repeats)) == {Outcome.CREATED}
    assert shop.balance(account) == (0, 0)


async def test_a_chain_longer_than_a_commit_goes_alone(shop: Shop):
    account = await shop.account("alice", 100)
    chain = tuple(request for n in range(20) for request in shop.spend(f"s{n}", account))
    async with shop.batch(smaller(batch=5)) as batch:
        answers = await batch.submit(chain)
    assert [answer.outcome for answer in answers] == [Outcome.CREATED] * 20


async def test_leaving_answers_what_is_queued(shop: Shop):
    account = await shop.account("alice", MANY)
    async with shop.batch(smaller(batch=10)) as batch:
        asked = [
            asyncio.ensure_future(batch.submit(shop.spend(f"s{n}", account))) for n in range(MANY)
        ]
        await until(lambda: batch.queued > MANY / 2)
    # The shield around each answer needs one more turn of the loop.
    answers = await asyncio.wait_for(asyncio.gather(*asked), timeout=1)
    assert outcomes(answers) == [Outcome.CREATED] * MANY
    with pytest.raises(Unavailable, match="shutting-down"):
        await batch.submit(shop.spend("too-late", account))


async def test_repeats_of_a_running_request_get_its_answer(shop: Shop):
    account = await shop.account("alice", 10)
    async with shop.batch(smaller(in_flight=1)) as batch:
        answers = await gather(batch, [shop.spend("once", account)] * MANY)
    assert outcomes(answers).count(Outcome.CREATED) == 1
    assert outcomes(answers).count(Outcome.EXISTS) == MANY - 1
    assert len({(a.line.account, a.line.version) for [a] in answers if a.line}) == 1
    assert shop.balance(account) == (9, 0)


async def test_the_same_key_for_two_accounts_counts_once(shop: Shop):
    one, two = await shop.account("alice", 10), await shop.account("bob", 10)
    async with shop.batch() as batch:
        answers = await gather(batch, [shop.spend("same", one), shop.spend("same", two)] * 20)
    found = outcomes(answers)
    assert found.count(Outcome.CREATED) == 1
    assert found.count(Outcome.EXISTS_DIFFERENT) == 20
    assert {answer.field for [answer] in answers if answer.field} == {"account"}
    assert shop.balance(one)[0] + shop.balance(two)[0] == 19


async def test_two_writers_decide_one_key_once(shop: Shop):
    """Two group commits stand for two processes: each has connections of its own."""
    accounts = await shop.accounts([f"c{n}" for n in range(20)], 100)
    async with shop.batch() as here, shop.batch() as there, asyncio.TaskGroup() as group:
        asked = [
            group.create_task(batch.submit(shop.spend(f"key-{n}", accounts[(n + side) % 20])))
            for n in range(200)
            for side, batch in enumerate((here, there))
        ]
    pairs = [(asked[n].result()[0], asked[n + 1].result()[0]) for n in range(0, 400, 2)]
    assert {tuple(sorted(a.outcome for a in pair)) for pair in pairs} == {
        ("created", "exists_different")
    }
    assert shop.effects(*(f"key-{n}" for n in range(200))) == 200


async def test_chains_in_opposite_order_never_deadlock(shop: Shop):
    one, two = await shop.account("alice", MANY), await shop.account("bob", MANY)
    async with shop.batch() as here, shop.batch() as there:
        orders = [(here, one, two), (there, two, one)]
        asked = [
            batch.submit(shop.spend(f"{n}-{x}-x", x) + shop.spend(f"{n}-{x}-y", y))
            for n in range(200)
            for batch, x, y in orders
        ]
        answers = await asyncio.gather(*asked)
    assert {answer.outcome for pair in answers for answer in pair} == {Outcome.CREATED}
    assert shop.balance(one) == shop.balance(two) == (MANY - 400, 0)


async def test_a_running_request_is_in_flight_for_its_repeats(shop: Shop):
    account = await shop.account("alice", 10)
    async with shop.batch(smaller(in_flight=0.05)) as batch:
        with shop.lock(account):
            first = asyncio.ensure_future(batch.submit(shop.spend("once", account)))
            await until(lambda: batch.lanes == 1)
            with pytest.raises(Conflict, match="request-in-flight"):
                await batch.submit(shop.spend("once", account))
        [answer] = await first
        [again] = await batch.submit(shop.spend("once", account))
    assert (answer.outcome, again.outcome) == (Outcome.CREATED, Outcome.EXISTS)


async def test_cancelled_callers_leave_nothing_behind(shop: Shop):
    accounts = await shop.accounts([f"c{n}" for n in range(50)], MANY)
    async with shop.batch(smaller(batch=50)) as batch:
        await batch.submit(shop.spend("warm", accounts[0]))
        idle = len(connections(shop.database))
        asked = [
            asyncio.ensure_future(batch.submit(shop.hold(f"h{n}", accounts[n % 50])))
            for n in range(MANY)
        ]
        await until(lambda: batch.committed > MANY // 10)
        for task in asked:
            task.cancel()
        gone = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(each, asyncio.CancelledError) for each in gone) > MANY // 2
        await until(lambda: batch.queued == 0)
        [answer] = await batch.submit(shop.spend("after", accounts[0]))
        assert answer.outcome is Outcome.CREATED, "the batch goes on working"
        assert leaked_holds(shop.database) == []
        assert locks(shop.database) == []
        assert len(connections(shop.database)) == idle
        repeats = await gather(batch, [shop.hold(f"h{n}", accounts[n % 50]) for n in range(MANY)])
    assert set(outcomes(repeats)) == {Outcome.EXISTS}, "each was decided, though nobody waited"
    assert {answer.hold for [answer] in repeats} == {shop.id(f"h{n}") for n in range(MANY)}
    assert [shop.balance(account)[1] for account in accounts] == [MANY // 50] * 50


async def test_a_hold_that_outlives_its_holder_is_captured_late(shop: Shop):
    account = await shop.account("alice", 10)
    ahead = 0

    def clock(now: int) -> int:
        return now + ahead

    async with shop.batch(clock=clock) as batch:
        holder = asyncio.ensure_future(batch.submit(shop.hold("h", account, 4, ttl=60)))
        await until(lambda: batch.queued == 1 or holder.done())
        holder.cancel()
        await until(lambda: shop.balance(account) == (10, 4))
        ahead = 61 * SECOND
        await batch.settle(account)
        assert shop.balance(account) == (10, 0), "it freed itself"
        [late] = await batch.submit(shop.capture("c", "h"))
    assert (late.outcome, late.late) == (Outcome.CREATED, True)
    assert shop.balance(account) == (6, 0)
