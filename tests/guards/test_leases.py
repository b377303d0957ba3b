"""Leases and locks: one holder at a time, none leaked, none that commits after he lost it."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from comptoir.guards.leases import Held, Lease, Leases, lock
from comptoir.kit.errors import Conflict, Invalid
from comptoir.store.pool import begin, fetch
from tests.support.batches import until
from tests.support.guarding import LIVE, TEST, Guarded, open_guarded
from tests.support.postgres import Cluster, Database

pytestmark = pytest.mark.pg
ROOT = Path(__file__).resolve().parents[2]
HELD = "SELECT count(*) FROM comptoir.leases WHERE key = %s AND expires_at > clock_timestamp()"


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    """Tests share a database; each has keys of its own."""
    with cluster.database() as made:
        with psycopg.connect(made.superuser_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE written (who text)")
            connection.execute("GRANT ALL ON written TO public")
        yield made


@pytest.fixture
async def guarded(database: Database) -> AsyncGenerator[Guarded]:
    async with open_guarded(database) as found:
        yield found


@pytest.fixture
def key() -> str:
    return f"create-quote:{uuid4()}"


def lease(leases: Leases, key: str, **said: Any) -> Lease:  # noqa: ANN401
    return Lease(leases, key, uuid4(), **said)


async def held(guarded: Guarded, key: str) -> int:
    rows = await fetch(guarded.pool, HELD, (key,))
    return rows[0][0]


async def end(guarded: Guarded, key: str) -> None:
    """Let the time of a lease be up."""
    await guarded.run("UPDATE comptoir.leases SET expires_at = now() WHERE key = %s", key)


async def test_one_holder_at_a_time(guarded: Guarded, key: str):
    async with guarded.leases() as leases, guarded.leases() as others:
        async with lease(leases, key) as first:
            for who in (leases, others):
                with pytest.raises(Conflict, match="operation-in-progress") as busy:
                    await who.take(key, uuid4())
                assert busy.value.figures["retry_after"] == 1
        await until_free(guarded, key)
        async with lease(others, key) as second:
            assert second.token > first.token
    assert await held(guarded, key) == 0


async def until_free(guarded: Guarded, key: str) -> None:
    async def is_free() -> bool:
        return await held(guarded, key) == 0

    await until(is_free)


async def test_many_take_their_turns(guarded: Guarded, key: str):
    inside, most, tokens = 0, 0, list[int]()

    async def work(leases: Leases) -> None:
        nonlocal inside, most
        async with lease(leases, key, wait=30.0) as mine:
            inside += 1
            most = max(most, inside)
            tokens.append(mine.token)
            await asyncio.sleep(0)
            inside -= 1

    async with guarded.leases() as one, guarded.leases() as two, asyncio.TaskGroup() as tasks:
        for n in range(20):
            tasks.create_task(work((one, two)[n % 2]))
    assert (most, len(set(tokens))) == (1, 20)
    assert tokens == sorted(tokens), "whoever comes later has the higher token"


async def test_cancelled_takers_leak_nothing(guarded: Guarded, key: str):
    keys = [f"{key}-{n}" for n in range(200)]
    async with guarded.leases() as leases:
        asked = [asyncio.ensure_future(leases.take(each, uuid4())) for each in keys]
        for n, task in enumerate(asked):
            if n % 20 == 0:
                await asyncio.sleep(0)
            task.cancel()
        ended = await asyncio.gather(*asked, return_exceptions=True)
        cancelled = [k for k, e in zip(keys, ended, strict=True) if isinstance(e, BaseException)]
        assert len(cancelled) > 100
    [[left]] = await fetch(
        guarded.pool,
        "SELECT count(*) FROM comptoir.leases WHERE key = ANY(%s) AND expires_at > now()",
        (cancelled,),
    )
    assert left == 0


async def test_asking_again_finds_ones_own(guarded: Guarded, key: str):
    """The answer may have been lost."""
    holder = uuid4()
    async with guarded.leases() as leases:
        first = await leases.take(key, holder)
        again = await leases.take(key, holder)
        assert again.token == first.token
        assert await leases.release(holder)
        assert not await leases.release(holder)
        assert await leases.renew(holder) is None


async def test_a_lease_ends_when_nobody_renews_it(guarded: Guarded, key: str):
    async with guarded.leases() as leases:
        first = await leases.take(key, uuid4(), ttl=0.1)

        async def taken() -> bool:
            try:
                second = await leases.take(key, uuid4())
            except Conflict:
                return False
            return second.token > first.token

        await until(taken)


async def test_a_lease_is_renewed_while_its_block_runs(guarded: Guarded, key: str):
    async with guarded.leases() as leases, lease(leases, key, ttl=0.3) as mine:
        for _ in range(8):
            await asyncio.sleep(0.1)
            assert await held(guarded, key) == 1
        assert not mine.lost.is_set()


async def test_a_lost_lease_cancels_the_block(guarded: Guarded, key: str):
    async def work(leases: Leases) -> None:
        async with lease(leases, key, ttl=0.3):
            await end(guarded, key)
            await asyncio.Event().wait()

    async with guarded.leases() as leases:
        with pytest.raises(Conflict, match="lease-lost"):
            await work(leases)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0


async def write(guarded: Guarded, mine: Held, who: str) -> None:
    async with begin(guarded.pool) as tx:
        await mine.fence(tx)
        await tx.execute("INSERT INTO written VALUES (%s)", (who,))


async def test_the_fence_lets_the_holder_through_and_nobody_else(guarded: Guarded, key: str):
    stale = Held(key, 0, LIVE)
    async with guarded.leases() as leases, lease(leases, key) as mine:
        await write(guarded, mine, f"{key} mine")
        stale.token = mine.token
        await end(guarded, key)
        with pytest.raises(Conflict, match="lease-lost"):
            await write(guarded, stale, f"{key} late")
        async with lease(leases, key) as other:
            with pytest.raises(Conflict, match="lease-lost"):
                await write(guarded, stale, f"{key} stale")
            await write(guarded, other, f"{key} other")
    rows = await fetch(guarded.pool, "SELECT who FROM written WHERE who LIKE %s", (f"{key}%",))
    assert {row[0].split()[1] for row in rows} == {"mine", "other"}


async def test_who_takes_over_waits_for_a_fenced_commit(guarded: Guarded, key: str):
    async with guarded.leases() as leases, lease(leases, key) as mine:
        async with begin(guarded.pool) as tx:
            await mine.fence(tx)
            await end(guarded, key)
            with pytest.raises(Conflict, match="operation-in-progress"):
                await leases.take(key, uuid4())
        assert (await leases.take(key, uuid4())).token > mine.token


async def test_renewing_does_not_wait_for_a_fence(guarded: Guarded, key: str):
    holder = uuid4()
    async with guarded.leases() as leases:
        taken = await leases.take(key, holder)
        async with begin(guarded.pool) as tx:
            await Held(key, taken.token, LIVE).fence(tx)
            async with asyncio.timeout(2):
                assert await leases.renew(holder) is not None


def test_a_paused_process_cannot_commit(database: Database, key: str):
    """Two processes: one is stopped while it holds the lease, the other takes over."""

    def start(ttl: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.guards.holder", database.app_url, key, ttl]
        return subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def say(process: subprocess.Popen[str], word: str) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        if word:
            process.stdin.write(f"{word}\n")
            process.stdin.flush()
        return process.stdout.readline().strip()

    with start("0.5") as paused, start("30") as other:
        try:
            assert say(paused, "take").startswith("held")
            paused.send_signal(signal.SIGSTOP)
            assert say(other, "take").startswith("held"), "it waits until the time is up"
            assert say(other, "write") == "written"
            paused.send_signal(signal.SIGCONT)
            assert say(paused, "write") == "lease-lost"
        finally:
            paused.kill()
            other.kill()
    with psycopg.connect(database.app_url) as connection:
        rows = connection.execute("SELECT who FROM written WHERE who LIKE %s", (f"{key}%",))
        assert len(rows.fetchall()) == 1


async def test_a_lock_ends_with_what_it_is_for(guarded: Guarded, key: str):
    async with begin(guarded.pool) as mine, begin(guarded.pool) as other:
        await lock(mine, LIVE, key)
        await lock(mine, LIVE, key)
        with pytest.raises(Conflict, match="operation-in-progress"):
            await lock(other, LIVE, key)
        await lock(other, TEST, key)
    async with begin(guarded.pool) as other:
        await lock(other, LIVE, key)


@pytest.mark.parametrize("ttl", [0, -1, 86_401, float("nan")])
async def test_a_lease_has_a_time(ttl: float, guarded: Guarded, key: str):
    async with guarded.leases() as leases:
        with pytest.raises(Invalid):
            await leases.take(key, uuid4(), ttl)
        with pytest.raises(Invalid):
            await leases.renew(uuid4(), ttl)


@pytest.mark.parametrize("bad", ["", "k" * 256, "k" * 10_000, "a\0b", "a\nb"])
async def test_a_key_is_short_and_printable(bad: str, guarded: Guarded):
    async with guarded.leases() as leases:
        with pytest.raises(Invalid):
            await leases.take(bad, uuid4())
    async with begin(guarded.pool) as tx:
        with pytest.raises(Invalid):
            await lock(tx, LIVE, bad)
