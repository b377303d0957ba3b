"""A call that asks a provider is killed at every point: the card is charged once, and paid once."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.crash.once_caller import POINTS
from tests.support.batches import assert_verified
from tests.support.postgres import Database

pytestmark = [pytest.mark.pg, pytest.mark.crash]
ROOT = Path(__file__).resolve().parents[2]
TABLES = """
CREATE TABLE provider (key text PRIMARY KEY, asked integer NOT NULL DEFAULT 1);
CREATE TABLE paid (invoice integer PRIMARY KEY);
GRANT SELECT, INSERT, UPDATE ON provider, paid TO comptoir_app"""


@pytest.fixture
def shop(database: Database) -> Database:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS public")
        connection.execute(TABLES)
    return database


def call(shop: Database, point: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.crash.once_caller", shop.app_url, point]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


async def together(shop: Database, count: int) -> list[str]:
    """What so many callers at once are told."""
    done = await asyncio.gather(*(asyncio.to_thread(call, shop) for _ in range(count)))
    assert {each.returncode for each in done} == {0}, done
    return [each.stdout for each in done]


@pytest.mark.parametrize(
    "point",
    [pytest.param(each, marks=(pytest.mark.soak,) * (n % 2)) for n, each in enumerate(POINTS)],
)
async def test_one_effect_whenever_it_is_killed(point: str, shop: Database):
    killed = call(shop, point)
    assert killed.returncode == -signal.SIGKILL, killed
    told = await together(shop, 2)
    charges = {each.split()[0] for each in told}
    assert len(charges) == 1
    assert call(shop).stdout == f"{charges.pop()} True\n"
    with psycopg.connect(shop.owner_url) as connection:
        keys = connection.execute("SELECT key FROM provider").fetchall()
        assert len(keys) == 1, "the provider is given the same key each time"
        effects = "SELECT (SELECT count(*) FROM paid), (SELECT count(*) FROM comptoir.movements)"
        assert connection.execute(effects).fetchone() == (1, 1)
    assert_verified(shop)
