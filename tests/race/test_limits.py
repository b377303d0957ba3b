"""Four processes ask one rate limit: an exact log judges that no window has more than the limit."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from tests.race.limit_caller import LIMIT, WINDOW
from tests.support.postgres import Database
from tests.support.redis import RedisServer, redis_server

pytestmark = [pytest.mark.pg, pytest.mark.race]
ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as found:
        yield found


def run(place: str, url: str, seed: int, seconds: float) -> list[tuple[int, int]]:
    """When each call was admitted: between two moments that are known, in microseconds."""
    subject = f"user:{uuid4()}"
    with ExitStack() as stack:
        callers: list[subprocess.Popen[str]] = []
        for number in range(PROCESSES):
            said = [place, url, subject, str(seed * PROCESSES + number), str(seconds)]
            command = [sys.executable, "-m", "tests.race.limit_caller", *said]
            caller = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            callers.append(stack.enter_context(caller))
        for caller in callers:
            assert caller.stdout is not None
            assert caller.stdout.readline() == "ready\n"
        said_all: list[str] = []
        for caller in callers:
            assert caller.stdin is not None
            caller.stdin.write("go\n")
            caller.stdin.flush()
        for caller in callers:
            said_all += caller.communicate(timeout=120)[0].splitlines()
            assert caller.returncode == 0
    return sorted((int(begun), int(ended)) for begun, ended in map(str.split, said_all))


def most_within(admitted: list[tuple[int, int]], window: int) -> int:
    """The most calls that were surely within one window, wherever that begins."""
    return max(
        sum(1 for begun, ended in admitted if begun >= start and ended < start + window)
        for start, _ in admitted
    )


def judge(admitted: list[tuple[int, int]], seconds: float) -> None:
    assert most_within(admitted, WINDOW) <= LIMIT
    windows = seconds * 1_000_000 / WINDOW
    assert len(admitted) >= 0.7 * LIMIT * (windows - 1), "calls that were denied cost nothing"


@pytest.mark.parametrize("place", ["redis", "pg"])
def test_no_window_has_more_than_the_limit(place: str, server: RedisServer, database: Database):
    url = server.url if place == "redis" else database.app_url
    judge(run(place, url, 1, 3.0), 3.0)


@pytest.mark.soak
@pytest.mark.parametrize("place", ["redis", "pg"])
def test_for_longer(place: str, server: RedisServer, database: Database):
    url = server.url if place == "redis" else database.app_url
    for seed in range(5):
        judge(run(place, url, seed, 20.0), 20.0)


def test_the_judge_sees_one_too_many():
    log = [(n * 50_000, n * 50_000 + 10) for n in range(LIMIT)]
    assert most_within(log, WINDOW) == LIMIT
    assert most_within([*log, (WINDOW - 20, WINDOW - 10)], WINDOW) == LIMIT + 1
