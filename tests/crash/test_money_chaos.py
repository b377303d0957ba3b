"""Every event comes once to five times, in any order, or never; who works on it is killed.

After reconciling, all is as if each had come once and in order: payments, refunds, disputes, plans,
and every lot.
"""

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from comptoir.flows import reconciling
from comptoir.flows.settling import EVENTS
from tests.crash.money_worker import SECRET
from tests.support.busy import copied
from tests.support.postgres import Database
from tests.support.redis import RedisServer, redis_server
from tests.support.sandbox import Provider, provider
from tests.support.season import Season, begin, state
from tests.support.shop import Shop
from tests.support.shop import shop as opened

pytestmark = [pytest.mark.pg, pytest.mark.crash]
ROOT = Path(__file__).resolve().parents[2]
WORKERS = 4
DROPPED = 0.05
COPIES = 5


@dataclass(slots=True)
class Trouble:
    """Who is killed, and how often.

    Attributes:
        kills: so many in all.
        redis: is killed when half of the events were received.
    """

    dice: random.Random
    kills: int
    redis: RedisServer


@pytest.fixture
def stripe_here() -> Iterator[Provider]:
    with provider() as running:
        yield running


def told(shop: Shop) -> list[dict[str, Any]]:
    """What has happened so far that a shop is told of, the oldest first."""
    return [each for each in shop.events() if each["type"] in EVENTS]


async def orderly(shop: Shop, season: Season) -> list[dict[str, Any]]:
    """The season, and each thing heard as it happens."""
    heard: list[dict[str, Any]] = []
    for step in season.steps(shop):
        step()
        events = told(shop)
        heard += events
        await shop.keep(events)
        await shop.work()
    return heard


def shares(events: list[dict[str, Any]], folder: Path, dice: random.Random) -> list[Path]:
    """What each of the workers receives: copies, shuffled, a few events never."""
    deliveries = [
        json.dumps(event, default=str).encode()
        for event in events
        if dice.random() >= DROPPED
        for _ in range(dice.randint(1, COPIES))
    ]
    dice.shuffle(deliveries)
    paths: list[Path] = []
    for number in range(WORKERS):
        path = folder / f"share-{number}"
        path.write_bytes(b"\n".join(deliveries[number::WORKERS]))
        paths.append(path)
    return paths


@dataclass(slots=True)
class Worker:
    """A process that may be killed, and goes on where it was."""

    command: list[str]
    share: Path
    done: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [*self.command, str(self.share), str(self.done)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)

    def go_on(self, until: int) -> bool:
        """Let it receive so many; False once it has ended."""
        assert self.process is not None
        assert self.process.stdout is not None
        while self.done < until:
            line = self.process.stdout.readline()
            if not line:
                return False
            self.done = int(line)
        return True

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()


def chaos(database: Database, base: str, paths: list[Path], trouble: Trouble) -> None:
    """Four receive and work, and are killed in the middle of it."""
    command = [
        sys.executable, "-m", "tests.crash.money_worker", database.app_url, base, trouble.redis.url,
    ]  # fmt: skip
    workers = [Worker(command, path) for path in paths]
    most = len(paths[0].read_bytes().splitlines())
    ends = sorted(trouble.dice.randrange(1, most) for _ in range(trouble.kills))
    with ExitStack() as stack:
        for worker in workers:
            worker.start()
            stack.callback(worker.kill)
        for number, end in enumerate(ends):
            if number == len(ends) // 2:
                trouble.redis.kill()
            victim = trouble.dice.choice(workers)
            if victim.go_on(end):
                victim.kill()
                victim.start()
        for worker in workers:
            worker.go_on(sys.maxsize)
            assert worker.process is not None
            assert worker.process.wait(300) == 0


async def settle(shop: Shop) -> None:
    """What the day's periodic jobs do, and once more: then there is nothing left to mend."""
    await reconciling.reconcile(shop.till, fix=True)
    await shop.work()
    shop.sql("UPDATE comptoir.payments SET looked_at = looked_at - interval '1 day'")
    await reconciling.reconcile(shop.till, fix=True)
    await shop.work()
    report = await reconciling.reconcile(shop.till, fix=True)
    assert report.findings == []
    waiting = shop.sql("SELECT type, error FROM comptoir.inbox WHERE due_at IS NOT NULL")
    assert waiting == []


def differences(
    wanted: dict[str, list[tuple[Any, ...]]], found: dict[str, list[tuple[Any, ...]]]
) -> dict[str, tuple[Counter[Any], Counter[Any]]]:
    """What is missing, and what is there that should not be."""
    pairs = {name: (Counter(rows), Counter(found[name])) for name, rows in wanted.items()}
    return {name: (a - b, b - a) for name, (a, b) in pairs.items() if a != b}


async def season(database: Database, folder: Path, here: Provider, size: int, seed: int) -> None:
    """An orderly one, and the same again in chaos.

    Args:
        database: empty.
        folder: for what the workers receive.
        here: the provider.
        size: so many purchases.
        seed: repeats it, but for what the processes make of it.
    """
    print(f"a season of {size} purchases, seed {seed}")  # noqa: T201  # pytest shows it
    dice = random.Random(seed)
    async with opened(database, folder, here, STRIPE_WEBHOOK_SECRET=SECRET) as shop:
        planned = await begin(shop, size, dice)
    with copied(database) as other, redis_server(folder) as redis:
        async with opened(database, folder, here) as shop:
            events = await orderly(shop, planned)
            wanted = state(shop)
            await shop.balanced()
        paths = shares(events, folder, dice)
        chaos(other, here.base, paths, Trouble(dice, 2 + size // 60, redis))
        async with opened(other, folder, here) as shop:
            await settle(shop)
            found = state(shop)
            assert differences(wanted, found) == {}
            await shop.balanced()
    assert all(wanted.values()), "everything happened in it, or it says little"


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_chaos_ends_as_order_does(
    database: Database, tmp_path: Path, stripe_here: Provider, request: pytest.FixtureRequest
) -> None:
    seed = int(str(request.config.getoption("randomly_seed", default=1)))
    await season(database, tmp_path, stripe_here, 200, seed)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_chaos_at_length(
    database: Database, tmp_path: Path, stripe_here: Provider, request: pytest.FixtureRequest
) -> None:
    seed = int(str(request.config.getoption("randomly_seed", default=1)))
    await season(database, tmp_path, stripe_here, 2_000, seed)
