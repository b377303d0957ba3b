"""Guards and jobs for callers who wait."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from comptoir import Conflict, JobStatus, Misuse, QuotaReached, RateLimit
from comptoir.library.blocking_guards import Doing
from comptoir.sync import Comptoir
from tests.support.postgres import Database

pytestmark = pytest.mark.pg


@pytest.fixture
def books(database: Database) -> Generator[Comptoir]:
    with Comptoir.open(database.app_url) as opened:
        yield opened


def test_a_call_is_made_once_with_its_effect(books: Comptoir):
    asked: list[int] = []

    def pay(amount: int = 5) -> Any:  # noqa: ANN401
        with books.transaction() as tx:
            with tx.guards.once("pay:1", {"amount": amount}) as once:
                if not once.replayed:
                    asked.append(amount)
                    tx.credits.grant("alice", amount, reason="paid", idempotency_key="pay:1")
                    once.result = {"paid": amount}
            return once.result

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda _: pay(), range(8)))
    assert told == [{"paid": 5}] * 8
    assert asked == [5]
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        pay(6)
    assert books.credits.balance("alice").balance == 5


def test_a_call_that_fails_may_be_made_again(books: Comptoir):
    def fail() -> None:
        with books.transaction() as tx, tx.guards.once("k"):
            raise OSError("broken")

    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            fail()


def test_a_call_over_the_network_is_made_once(books: Comptoir):
    keys: list[str] = []

    def charge(key: str) -> dict[str, str]:
        keys.append(key)
        return {"charge": "ch_1"}

    def work(doing: Doing) -> dict[str, Any]:
        return {"paid": doing.step("charge", charge), "attempt": doing.attempt}

    told = [books.guards.once("invoice:7", work) for _ in range(3)]
    assert told == [{"paid": {"charge": "ch_1"}, "attempt": 1}] * 3
    assert len(keys) == 1


def test_one_at_a_time(books: Comptoir):
    with books.lock("quote") as tx:
        tx.credits.grant("alice", 1, reason="gift", idempotency_key="gift")
        with pytest.raises(Conflict, match="operation-in-progress"), books.lock("quote"):
            pass
    with books.lock("quote"):
        pass


def test_a_lease_is_fenced(books: Comptoir):
    with books.lease("report", ttl=30) as held:
        assert not held.is_lost
        with pytest.raises(Conflict, match="operation-in-progress"), books.lease("report"):
            pass
        with books.transaction() as tx:
            held.fence(tx.connection)
    with books.lease("report", wait=30) as again:  # it is given back behind the end of the block
        assert again.token > held.token
        with books.transaction() as tx, pytest.raises(Conflict, match="lease-lost"):
            held.fence(tx.connection)


def test_a_block_that_fails_gives_its_lease_back(books: Comptoir):
    with pytest.raises(OSError, match="broken"), books.lease("report"):
        raise OSError("broken")
    with books.lease("report"):
        pass


def test_a_quota_is_used_and_given_back(books: Comptoir):
    with books.quotas.reserve("bob", "ai-calls", 8) as using:
        using.used = 5
    with pytest.raises(OSError, match="broken"), books.quotas.reserve("bob", "ai-calls", 5):
        raise OSError("broken")
    with books.quotas.reserve("bob", "ai-calls", 5):
        pass
    with pytest.raises(QuotaReached), books.quotas.reserve("bob", "ai-calls"):
        pass
    assert books.quotas.usage("bob", ["ai-calls"])["ai-calls"].used == 10


def test_rates_counters_and_the_cache(books: Comptoir):
    api = RateLimit("api", 2, 60)
    assert [books.limits.hit("user:1", api).allowed for _ in range(3)] == [True, True, False]
    assert [books.counters.add("quotes", id="1") for _ in range(2)] == [1, None]
    assert books.counters.read("quotes") == {"quotes": 1}
    assert [books.counters.add_daily("bob", "quotes", id="1") for _ in range(2)] == [True, False]
    assert books.counters.daily("bob", ["quotes"])["quotes"].used == 1
    worked = iter(range(10))
    for _ in range(2):
        assert books.cache.work_out("profile", lambda: next(worked), 60, group="user:1") == 0
    with books.transaction() as tx:
        tx.cache.invalidate("user:1")
        assert books.cache.get("profile", group="user:1") == 0, "not before the commit"
    assert books.cache.work_out("profile", lambda: next(worked), 60, group="user:1") == 1


def test_jobs_commit_with_what_they_are_for(books: Comptoir):
    with books.transaction() as tx:
        made = tx.jobs.enqueue("report", {"of": "May"}, unique="may")
        assert tx.jobs.enqueue("report", unique="may") == made
        tx.guards.count("reports", id="may")

    def undo() -> None:
        with books.transaction() as tx:
            tx.jobs.enqueue("report")
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        undo()
    assert books.jobs.get(made).status is JobStatus.PENDING
    assert [each.id for each in books.jobs.list()] == [made]
    assert books.jobs.cancel(made).status is JobStatus.CANCELLED
    assert books.counters.read("reports") == {"reports": 1}


def test_a_cache_cannot_know_of_a_commit_that_is_not_ours(books: Comptoir, database: Database):
    with psycopg.connect(database.app_url) as connection:
        connection.execute("SELECT 1")
        with pytest.raises(Misuse, match="commit-not-ours"):
            books.adopt(connection).cache.invalidate("user:1")
