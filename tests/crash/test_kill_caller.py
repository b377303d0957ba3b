"""An application that uses the library is killed in the middle of its calls."""

import subprocess
import sys
from pathlib import Path

import pytest

from comptoir.ledger.outcomes import Outcome
from tests.crash.child import ACCOUNTS, CALLERS
from tests.support.batches import Shop, assert_verified, gather, open_shop, outcomes
from tests.support.postgres import Database

pytestmark = [pytest.mark.pg, pytest.mark.crash]
ROOT = Path(__file__).resolve().parents[2]
RICH = 1_000_000


def killed_caller(shop: Shop, prefix: str, told: int) -> dict[str, int]:
    """What a caller was told before it was killed: the version of each movement by key."""
    command = [sys.executable, "-m", "tests.crash.child", shop.url, str(shop.book), prefix]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(told)]
        process.kill()
        lines += process.stdout.readlines()
    whole = [line.decode().split() for line in lines if line.endswith(b"\n")]
    return {key: int(version) for key, version in whole}


async def lives_and_deaths(database: Database, deaths: int, told: int) -> int:
    """Returns how many commits nobody was told of."""
    async with open_shop(database) as shop:
        accounts = await shop.accounts([f"c{n}" for n in range(ACCOUNTS)], RICH)
        untold = 0
        for death in range(deaths):
            answers = killed_caller(shop, f"life-{death}", told)
            assert len(answers) >= told
            untold += await judge(shop, accounts, answers, f"life-{death}")
    assert_verified(database)
    return untold


async def judge(shop: Shop, accounts: list[int], answers: dict[str, int], prefix: str) -> int:
    """Everything that was told is there; repeating it, and what was under way, adds no more."""
    query = """SELECT r.id, r.version, count(m.version) FROM comptoir.requests r
        LEFT JOIN comptoir.movements m ON m.book_id = r.book_id AND m.request_id = r.id
        WHERE r.op = 'spend' GROUP BY r.book_id, r.id, r.version"""
    found = {id_: (version, lines) for id_, version, lines in shop.rows(query)}
    for key, version in answers.items():
        assert found[shop.id(key)] == (version, 1), key
    furthest = {
        caller: sum(key.startswith(f"{prefix}-{caller}-") for key in answers)
        for caller in range(CALLERS)
    }
    under_way = {f"{prefix}-{caller}-{n}": caller for caller, n in furthest.items()}
    untold = {key for key in under_way if shop.id(key) in found}
    callers = {key: int(key.split("-")[2]) for key in (*answers, *under_way)}
    async with shop.batch() as batch:
        chains = [shop.spend(k, accounts[callers[k] % ACCOUNTS]) for k in callers]
        repeats = dict(zip(callers, outcomes(await gather(batch, chains)), strict=True))
    done = {key for key, outcome in repeats.items() if outcome is Outcome.EXISTS}
    assert done == set(answers) | untold
    assert shop.effects(*callers) == len(callers)
    return len(untold)


async def test_a_killed_caller_was_told_the_truth(database: Database):
    await lives_and_deaths(database, deaths=3, told=300)


@pytest.mark.soak
async def test_many_killed_callers_were_told_the_truth(database: Database):
    untold = await lives_and_deaths(database, deaths=30, told=2_000)
    assert untold > 0, "some were killed between a commit and their answer"
