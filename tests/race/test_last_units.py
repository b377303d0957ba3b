"""Twenty buyers want five units, in four processes, again and again: five are sold, never six."""

import json
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from comptoir.flows import closing
from tests.race.stock_buyer import BUYERS, SIZES
from tests.support import stall
from tests.support.postgres import Database
from tests.support.sandbox import provider
from tests.support.shop import Shop
from tests.support.shop import shop as opened

pytestmark = [pytest.mark.pg, pytest.mark.race]
ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 4
UNITS = 5
DAY = 86_400_000_000


class Crowd:
    """Processes of buyers, who begin each round together."""

    def __init__(self, stack: ExitStack, url: str, home: Path, seed: int) -> None:
        self._processes: list[subprocess.Popen[str]] = []
        for number in range(PROCESSES):
            said = [url, str(home), str(seed * PROCESSES + number)]
            command = [sys.executable, "-m", "tests.race.stock_buyer", *said]
            process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            self._processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        for process in self._processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"

    def want(self, product: str) -> list[dict[str, Any]]:
        """What became of everybody's cart."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(f"{product}\n")
            process.stdin.flush()
        carts: list[dict[str, Any]] = []
        for process in self._processes:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "nobody is stuck, nobody dies"
            carts += json.loads(line)
        return carts


def check(shop: Shop, product: str, carts: list[dict[str, Any]]) -> None:
    """What was told is what is there, and is never more than there was."""
    assert len(carts) == BUYERS * PROCESSES
    told = {name: Counter[str]() for name in ("sold", "reserved", "refused", "released")}
    for each in carts:
        told[each["became"]].update(each["cart"])
    rows = shop.sql(
        "SELECT s.size, a.posted, a.held FROM comptoir.sizes s JOIN comptoir.accounts a"
        " ON a.book_id = s.book_id AND a.id = s.account_id WHERE s.product = %s",
        product,
    )
    assert {size: (UNITS - told["sold"][size], told["reserved"][size]) for size in SIZES} == {
        size: (posted, held) for size, posted, held in rows
    }
    if told["refused"]:
        wanted = sum((told[name] for name in told), Counter[str]())
        assert max(wanted.values()) > UNITS, "nobody is refused what is there for everybody"


async def races(database: Database, home: Path, rounds: int, seed: int) -> None:
    with ExitStack() as stack:
        sandbox = stack.enter_context(provider())
        async with opened(database, home, sandbox) as shop:
            for number in range(rounds):
                await stall.put(shop, f"R{number}", dict.fromkeys(SIZES, UNITS))
            crowd = Crowd(stack, database.app_url, home, seed)
            for number in range(rounds):
                check(shop, f"R{number}", crowd.want(f"R{number}"))
            shop.ahead[0] = DAY
            left = shop.sql("SELECT count(*) FROM comptoir.orders WHERE status = 'reserved'")
            cleaned = await closing.clean(shop.till)
            assert cleaned.released == cleaned.examined == left[0][0]
            assert shop.sql("SELECT sum(held) FROM comptoir.accounts") == [(0,)]
            await shop.balanced()
            if rounds <= 50:
                await stall.agreed(shop)


async def test_twenty_buyers_five_units(database: Database, tmp_path: Path) -> None:
    await races(database, tmp_path, 50, 1)


@pytest.mark.soak
async def test_twenty_buyers_five_units_at_length(
    database: Database, tmp_path: Path, seed_of_run: int
) -> None:
    await races(database, tmp_path, 1000, seed_of_run)
