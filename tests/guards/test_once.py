"""Calls that are made once: side by side, after a failure, after a kill, for somebody else."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from comptoir.guards.once import RESULT_BYTES, Call, Claim, fingerprint, inside
from comptoir.kit.errors import Conflict, Invalid
from comptoir.store.pool import begin
from tests.support.batches import until
from tests.support.guarding import LIVE, TEST, Guarded, open_guarded
from tests.support.postgres import Cluster, Database

pytestmark = pytest.mark.pg


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    """Tests share a database; each has keys of its own."""
    with cluster.database() as made:
        with psycopg.connect(made.superuser_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE effects (key text)")
            connection.execute("GRANT ALL ON effects TO public")
        yield made


@pytest.fixture
async def guarded(database: Database) -> AsyncGenerator[Guarded]:
    async with open_guarded(database, pool=20) as found:
        yield found


@pytest.fixture
def key() -> str:
    return f"pay:{uuid4()}"


class Work:
    """Something to be done once."""

    def __init__(self, result: Any = "paid") -> None:  # noqa: ANN401  # JSON
        self.times = 0
        self.result = result
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, claim: Claim) -> Any:  # noqa: ANN401  # JSON
        self.times += 1
        self.begun.set()
        await self.go_on.wait()
        return self.result


async def test_a_call_is_made_once(guarded: Guarded, key: str):
    work = Work({"amount": 5})
    call = Call.of(LIVE, key, {"amount": 5})
    async with guarded.once() as once, guarded.once() as other:
        assert await once.run(call, work) == ({"amount": 5}, False)
        assert await once.run(call, work) == ({"amount": 5}, True)
        assert await other.run(call, work) == ({"amount": 5}, True)
    assert work.times == 1


async def test_fifty_at_once_are_one_call(guarded: Guarded, key: str):
    """In two processes' worth of guards: twenty-five wait for each other, twenty-five ask."""
    work, call = Work(), Call.of(LIVE, key)
    work.go_on.clear()
    async with guarded.once() as once, guarded.once() as other, asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task((once, other)[n % 2].run(call, work)) for n in range(50)]
        await work.begun.wait()
        work.go_on.set()
    assert {task.result()[0] for task in asked} == {"paid"}
    assert sorted(task.result()[1] for task in asked) == [False, *[True] * 49]
    assert work.times == 1


async def test_whoever_takes_his_time_is_in_flight_for_others(guarded: Guarded, key: str):
    work, call = Work(), Call.of(LIVE, key)
    work.go_on.clear()
    async with guarded.once() as once, guarded.once() as other, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(once.run(call, work))
        await work.begun.wait()
        for who in (once, other):
            with pytest.raises(Conflict, match="request-in-flight") as refused:
                await who.run(call, work, wait=0.1)
            assert refused.value.figures["retry_after"] == 1
        work.go_on.set()
    assert first.result() == ("paid", False)


@pytest.mark.parametrize("result", [None, 0, "", [], {"a": [1, None, "é"]}, "x" * 10_000])
async def test_any_json_is_a_result(result: Any, guarded: Guarded, key: str):  # noqa: ANN401  # JSON
    work, call = Work(result), Call.of(LIVE, key)
    async with guarded.once() as once:
        assert await once.run(call, work) == (result, False)
        assert await once.run(call, work) == (result, True)


async def test_a_key_is_bound_to_what_was_asked(guarded: Guarded, key: str):
    work = Work()
    async with guarded.once() as once:
        await once.run(Call.of(LIVE, key, {"amount": 5, "to": "alice"}), work)
        same = Call.of(LIVE, key, {"to": "alice", "amount": 5})
        assert (await once.run(same, work))[1]
        for other in ({"amount": 6, "to": "alice"}, {"amount": 5}, None, "5"):
            with pytest.raises(Conflict, match="idempotency-key-reused"):
                await once.run(Call.of(LIVE, key, other), work)
    assert work.times == 1


async def test_another_user_or_book_never_sees_the_result(guarded: Guarded, key: str):
    calls = [
        Call.of(LIVE, key),
        Call.of(LIVE, key, scope="alice"),
        Call.of(LIVE, key, scope="bob"),
        Call.of(TEST, key),
    ]
    async with guarded.once() as live, guarded.once(TEST) as test:
        for n, call in enumerate(calls):
            once = test if n == 3 else live
            assert await once.run(call, Work(n)) == (n, False)
    assert len({call.id for call in calls}) == 4


async def test_what_fails_may_be_tried_again(guarded: Guarded, key: str):
    call = Call.of(LIVE, key)

    async def fail(_: Claim) -> None:
        raise LookupError

    async with guarded.once() as once:
        with pytest.raises(LookupError):
            await once.run(call, fail)
        assert await once.run(call, Work()) == ("paid", False)


async def test_whoever_is_cancelled_leaves_the_key_free(guarded: Guarded, key: str):
    work, call = Work(), Call.of(LIVE, key)
    work.go_on.clear()
    async with guarded.once() as once:
        task = asyncio.ensure_future(once.run(call, work))
        await work.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        again = Work()
        assert await once.run(call, again) == ("paid", False)
    assert again.times == 1


async def vanish(guarded: Guarded, call: Call) -> None:
    """As if the process that makes a call had been killed, and its lease had ended."""
    await guarded.run(
        "UPDATE comptoir.idempotency SET lease_until = now() - interval '1 s' WHERE id = %s",
        call.id,
    )


async def test_after_a_kill_another_goes_on_where_it_was(guarded: Guarded, key: str):
    call, keys, charged = Call.of(LIVE, key), list[str](), list[str]()

    async def charge(provider_key: str) -> dict[str, str]:
        charged.append(provider_key)
        return {"charge": "ch_1"}

    async def killed(claim: Claim) -> None:
        await claim.step("charge", charge)
        keys.append(claim.provider_key("mail"))
        await asyncio.Event().wait()

    async def finish(claim: Claim) -> Any:  # noqa: ANN401  # JSON
        made = await claim.step("charge", charge)
        keys.append(claim.provider_key("mail"))
        assert claim.attempt == 2
        return made

    async with guarded.once() as once, guarded.once() as other:
        task = asyncio.ensure_future(once.run(call, killed))
        await until(lambda: len(keys) == 1)
        await vanish(guarded, call)
        assert await other.run(call, finish) == ({"charge": "ch_1"}, False)
        task.cancel()
        await asyncio.wait([task])
        assert await once.run(call, finish) == ({"charge": "ch_1"}, True)
    assert len(charged) == 1, "the provider was asked once"
    assert keys[0] == keys[1], "and would know a repeat"
    assert charged[0] != keys[0]


async def test_steps_that_were_kept_outlive_a_failure(guarded: Guarded, key: str):
    call, charged = Call.of(LIVE, key), list[str]()

    async def charge(provider_key: str) -> int:
        charged.append(provider_key)
        return len(charged)

    async def fail_after(claim: Claim) -> int:
        made = await claim.step("charge", charge)
        if claim.attempt == 1:
            raise LookupError
        return made

    async with guarded.once() as once:
        with pytest.raises(LookupError):
            await once.run(call, fail_after)
        assert await once.run(call, fail_after) == (1, False)
    assert len(charged) == 1


async def test_a_caller_who_was_too_slow_is_stopped_and_keeps_nothing(guarded: Guarded, key: str):
    call, slow = Call.of(LIVE, key), Work("slow")
    slow.go_on.clear()
    async with guarded.once(lease=0.3) as once, guarded.once() as other:
        task = asyncio.ensure_future(once.run(call, slow))
        await slow.begun.wait()
        await vanish(guarded, call)
        assert await other.run(call, Work("quick")) == ("quick", False)
        with pytest.raises(Conflict, match="claim-lost"):
            await task
        assert await once.run(call, slow) == ("quick", True)


async def test_a_late_result_of_a_slow_caller_is_refused(guarded: Guarded, key: str):
    call, slow = Call.of(LIVE, key), Work("slow")
    slow.go_on.clear()
    async with guarded.once() as once, guarded.once() as other:
        task = asyncio.ensure_future(once.run(call, slow))
        await slow.begun.wait()
        await vanish(guarded, call)
        await other.run(call, Work("quick"))
        slow.go_on.set()
        with pytest.raises(Conflict, match="claim-lost"):
            await task


async def test_a_living_caller_keeps_his_claim(guarded: Guarded, key: str):
    call, slow = Call.of(LIVE, key), Work("slow")
    slow.go_on.clear()
    async with guarded.once(lease=0.3) as once, guarded.once() as other:
        task = asyncio.ensure_future(once.run(call, slow))
        await slow.begun.wait()
        with pytest.raises(Conflict, match="request-in-flight"):
            await other.run(call, Work("quick"), wait=1.0)
        slow.go_on.set()
        assert await task == ("slow", False)


async def test_a_result_is_kept_as_long_as_was_said(guarded: Guarded, key: str):
    call, work = Call.of(LIVE, key, ttl=60), Work()
    async with guarded.once() as once:
        await once.run(call, work)
        assert (await once.run(call, work))[1]
        await guarded.run(
            "UPDATE comptoir.idempotency SET expires_at = now() WHERE id = %s", call.id
        )
        again = Call.of(LIVE, key, {"another": "call"}, ttl=60)
        assert await once.run(again, work) == ("paid", False)
    assert work.times == 2


async def test_effect_and_result_can_share_a_commit(guarded: Guarded, key: str):
    call = Call.of(LIVE, key)

    async def work(claim: Claim) -> str:
        async with begin(guarded.pool) as tx:
            await tx.execute("INSERT INTO effects VALUES (%s)", (key,))
            await claim.finish(tx, "kept")
        return "kept"

    async with guarded.once() as once:
        assert await once.run(call, work) == ("kept", False)
        assert await once.run(call, work) == ("kept", True)
    assert await effects(guarded, key) == 1


async def effects(guarded: Guarded, key: str) -> int:
    async with begin(guarded.pool) as tx:
        row = await (
            await tx.execute("SELECT count(*) FROM effects WHERE key = %s", (key,))
        ).fetchone()
    assert row is not None
    return row[0]


async def join(
    guarded: Guarded, key: str, said: object = None, *, fails: bool = False
) -> tuple[Any, bool]:
    """A call in a transaction of its own, with an effect."""
    async with begin(guarded.pool) as tx:
        async with inside(tx, LIVE, Call.of(LIVE, key, said), uuid4()) as once:
            if not once.replayed:
                await tx.execute("INSERT INTO effects VALUES (%s)", (key,))
                once.result = {"done": key}
        if fails:
            raise LookupError
        return once.result, once.replayed


async def test_inside_all_commits_together(guarded: Guarded, key: str):
    with pytest.raises(LookupError):
        await join(guarded, key, fails=True)
    assert await effects(guarded, key) == 0
    assert await join(guarded, key) == ({"done": key}, False)
    assert await join(guarded, key) == ({"done": key}, True)
    assert await effects(guarded, key) == 1
    with pytest.raises(Conflict, match="idempotency-key-reused"):
        await join(guarded, key, "something else")


async def test_inside_twins_wait_for_each_other(guarded: Guarded, key: str):
    found = await asyncio.gather(*(join(guarded, key) for _ in range(10)))
    assert sorted(replayed for _, replayed in found) == [False, *[True] * 9]
    assert await effects(guarded, key) == 1


async def test_inside_a_twin_that_takes_its_time_is_in_flight(guarded: Guarded, key: str):
    async with begin(guarded.pool) as tx, inside(tx, LIVE, Call.of(LIVE, key), uuid4()):
        with pytest.raises(Conflict, match="request-in-flight"):
            await join(guarded, key)
        async with guarded.once() as once:
            with pytest.raises(Conflict, match="request-in-flight"):
                await once.run(Call.of(LIVE, key), Work(), wait=0.1)


async def test_inside_the_callers_own_lock_timeout_comes_back(guarded: Guarded, key: str):
    async with begin(guarded.pool) as tx:
        await tx.execute("SET LOCAL lock_timeout = '7s'")
        async with inside(tx, LIVE, Call.of(LIVE, key), uuid4()) as once:
            once.result = 1
        row = await (await tx.execute("SHOW lock_timeout")).fetchone()
    assert row == ("7s",)


async def test_a_block_that_raises_frees_the_key(guarded: Guarded, key: str):
    async with begin(guarded.pool) as tx:
        with pytest.raises(ZeroDivisionError):
            async with inside(tx, LIVE, Call.of(LIVE, key), uuid4()) as once:
                once.result = 1 // 0
        async with inside(tx, LIVE, Call.of(LIVE, key), uuid4()) as once:
            assert not once.replayed
    assert (await join(guarded, key))[1]


@pytest.mark.parametrize("bad", ["", "k" * 256, "k" * 10_000, "a\0b", "a\nb", "a\u202eb"])
def test_a_key_is_short_and_printable(bad: str):
    with pytest.raises(Invalid, match="field-invalid"):
        Call.of(LIVE, bad)
    with pytest.raises(Invalid, match="field-invalid"):
        Call.of(LIVE, "key", scope=bad or "\0")


@pytest.mark.parametrize("ttl", [0, -1, 1e12, float("nan")])
def test_a_time_can_be_kept(ttl: float):
    with pytest.raises(Invalid, match="field-invalid"):
        Call.of(LIVE, "key", ttl=ttl)


def test_what_is_asked_is_json():
    for bad in (object(), {1: object()}, "\ud800"):
        with pytest.raises(Invalid):
            fingerprint(bad)


@pytest.mark.parametrize("bad", [object(), "x" * (RESULT_BYTES + 1), {"a": "\0"}])
async def test_a_result_that_cannot_be_kept_is_said_to_be(bad: Any, guarded: Guarded, key: str):  # noqa: ANN401
    async with guarded.once() as once:
        with pytest.raises(Invalid, match="payload-invalid"):
            await once.run(Call.of(LIVE, key), Work(bad))
        assert await once.run(Call.of(LIVE, key), Work()) == ("paid", False)


async def test_a_provider_who_may_have_done_it_is_given_the_same_key_again(guarded: Guarded):
    """His answer was lost: with another key he would charge twice."""
    keys: list[str] = []

    async def charge(key: str) -> str:
        keys.append(key)
        if len(keys) == 1:
            raise TimeoutError
        return "ch_1"

    async def pay(claim: Claim) -> Any:  # noqa: ANN401  # JSON
        return await claim.step("charge", charge)

    call = Call.of(LIVE, "lost-answer")
    async with guarded.once() as once:
        with pytest.raises(TimeoutError):
            await once.run(call, pay)
        assert await once.run(call, pay) == ("ch_1", False)
    assert keys[0] == keys[1]
