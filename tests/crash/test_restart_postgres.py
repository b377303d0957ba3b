"""PostgreSQL is killed, stopped and started again under a server that goes on."""

import asyncio
import fcntl
import logging
import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Final

import pytest

from comptoir.store.embedded import remove, start, status
from comptoir.store.migrate import migrate
from tests.crash.load import WRITERS, Load, judge, work
from tests.support.batches import assert_verified, until
from tests.support.postgres import Database
from tests.support.servers import Server, add_keys, crowd, serving

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.pg, pytest.mark.crash]
ENDS: Final = (signal.SIGKILL, signal.SIGQUIT, signal.SIGINT)
"""Killed, stopped at once (which is a crash too), and stopped as an operator does."""

RECOVERY: Final = 8.0
"""Seconds after which a server that has its database back must answer again."""

CLEAR: Final = {"database-down", "outcome-unknown"}


@pytest.fixture
def home() -> Generator[Path]:
    folder = Path(mkdtemp(prefix="restart-"))
    try:
        yield folder
    finally:
        remove(folder / "pg")  # whoever is just ending there may still write
        rmtree(folder)


@contextmanager
def nobody_may_start(home: Path) -> Generator[None]:
    """Keep the watcher, which starts a server that died, from doing so."""
    with (home / "change.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, slots=True)
class Plan:
    """How often to restart, after how many answers each, and how many of the first are to last
    until callers were told; from the others the watcher brings the database back at once.
    """

    restarts: int
    between: int
    noticed: int
    outage: float = 0.0
    """Seconds that it lasts at least when it is to be noticed."""


async def restart(load: Load, home: Path, plan: Plan, server: Server) -> None:
    """End PostgreSQL under load and start it again."""
    for n in range(plan.restarts):
        await load.wait_for(plan.between)
        pid = status(home).pid
        assert pid is not None
        with nobody_may_start(home):
            os.kill(pid, ENDS[n % len(ENDS)])
            if n < plan.noticed:
                over = time.monotonic() + plan.outage
                await load.wait_for_failures(WRITERS)
                await until(lambda over=over: time.monotonic() >= over, plan.outage + 1)
        await asyncio.to_thread(lambda: start(home).close())
        await recovers(load, server, f"restart {n}")
    await load.wait_for(plan.between)


async def recovers(load: Load, server: Server, when: str) -> None:
    before = load.failures.copy()
    try:
        async with asyncio.timeout(RECOVERY):
            await load.wait_for(WRITERS)
    except TimeoutError:
        since = f"{when}: {load.failures - before}, {load.under_way} under way"
        raise AssertionError(f"{since}\n{server.output}") from None


async def restarted_database(home: Path, plan: Plan) -> Load:
    with start(home / "pg") as embedded:
        database = Database(
            embedded.urls.owner_url, embedded.urls.app_url, embedded.urls.superuser_url
        )
        migrate(database.owner_url)
        keys = add_keys(database)
        with serving(home, database) as [server]:
            async with crowd([server], keys) as clients:
                seed = plan.restarts
                load = await work(
                    clients, seed, lambda load: restart(load, home / "pg", plan, server)
                )
                await load.repeat_all()
                await readiness_returns(server)
        assert_verified(database)
        judge(database.owner_url, load.asked)
    assert {status for status, _ in load.failures} <= {409, 503}, load.failures
    codes = {code for status, code in load.failures if status == 503}
    assert codes <= {*CLEAR, "account-busy", "overloaded"}, load.failures
    assert codes & CLEAR
    return load


async def readiness_returns(server: Server) -> None:
    async with asyncio.timeout(RECOVERY):
        await asyncio.to_thread(server.wait_until_ready)


@pytest.mark.slow
async def test_nothing_is_lost_or_doubled_by_restarts(home: Path):
    await restarted_database(home, Plan(restarts=3, between=200, noticed=1))


@pytest.mark.soak
async def test_a_long_outage_is_over_when_the_database_is_back(home: Path):
    """Whoever tries again must not have learnt to wait as long as the outage was."""
    await restarted_database(home, Plan(restarts=2, between=200, noticed=2, outage=45.0))


@pytest.mark.soak
async def test_twenty_restarts_under_load(home: Path):
    load = await restarted_database(home, Plan(restarts=20, between=1_000, noticed=15))
    assert load.found_done > 0, "some commits were done though their connection was lost"
    log.warning("%d acknowledged; not answered: %s", load.acknowledged, dict(load.failures))
