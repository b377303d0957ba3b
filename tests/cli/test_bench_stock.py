"""The benches of stock: what they count is counted right, and what is wrong stops them."""

import asyncio
import re
import subprocess
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from bench import race_env, race_run, stock, stock_load, stock_peers
from bench.database import connections
from bench.measure import Run
from bench.race_env import NotHere
from bench.race_run import UNITS, Buy, Party
from bench.scale import QUICK
from bench.stock_peers import FORMS, Form
from bench.tables import Table
from comptoir.app import Urls, open_app
from comptoir.config import Settings
from comptoir.domains.stock.model import InsufficientStock, Item
from comptoir.flows import reserving
from comptoir.flows.reserving import Wanted
from comptoir.web.api.reservations import ItemBody, ReserveStockBody
from tests.support.postgres import Database

PEERS = (Path(stock.__file__).parent / "race-peers.txt").read_text()
QUICKEST = [form for form in FORMS if form.pool == 4]
ONE = ReserveStockBody(items=[ItemBody(product="TEE", size="M", quantity=1)], reference="r")


@pytest.mark.pg
@pytest.mark.parametrize("form", QUICKEST, ids=lambda form: form.name)
async def test_the_locked_row_sells_what_there_is(form: Form, database: Database) -> None:
    url = database.owner_url
    stock_peers.seed(url)
    stock_peers.put(url, "TEE", 4)
    async with connections(url, form.pool) as pool:
        reserve = form.make(pool)
        assert await reserve("key-0", ONE) == await reserve("key-0", ONE)

        async def buy(number: int) -> bool:
            try:
                await reserve(f"key-{number}", ONE)
            except InsufficientStock:
                return False
            return True

        async with asyncio.TaskGroup() as group:
            buyers = [group.create_task(buy(number)) for number in range(1, 7)]
    assert sum(buyer.result() for buyer in buyers) == 3
    stock_peers.check(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE peer.stock SET reserved = reserved - 1")
    with pytest.raises(AssertionError, match="stock is wrong"):
        stock_peers.check(url)


@pytest.mark.pg
async def test_what_is_set_aside_is_told_by_five_figures(database: Database) -> None:
    url = database.owner_url
    await stock.put(url, "TEE", 4)
    async with open_app(Settings.model_validate({"DATABASE_URL": url}), Urls(url, url)) as app:
        for number in range(2):
            wanted = Wanted([Item("TEE", stock.SIZE, 1)], "r", None, f"key-{number}")
            await reserving.reserve(app.till, 1, wanted)
    assert stock.set_aside(url, "TEE", 4) == stock.set_aside(url, "TEE") == 2
    with pytest.raises(AssertionError, match="of 5 units"):
        stock.set_aside(url, "TEE", 5)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE comptoir.order_lines SET quantity = 2 WHERE book_id = 1")
    with pytest.raises(AssertionError, match="figures of what is set aside differ"):
        stock.set_aside(url, "TEE", 4)


def test_a_buyer_is_told_yes_or_sold_out_and_nothing_else() -> None:
    assert stock_load._outcome(201, b"{}") == 201
    assert stock_load._outcome(400, b'{"code":"insufficient-stock"}') == 400
    for status, answer in ((400, b'{"code":"validation"}'), (500, b"insufficient-stock")):
        with pytest.raises(RuntimeError, match="unexpected answer"):
            stock_load._outcome(status, answer)


def test_the_best_pool_is_what_we_are_compared_with() -> None:
    turns = stock.Turns(ours=[Run(100, 0, 1.0, [0.1])])
    for place, runs in enumerate(turns.forms):
        runs.append(Run(10 + place, 0, 1.0, [0.1]))
    table = stock._compared("sale", turns)
    judged = [row for row in table.rows if row[-1]]
    assert [row[0] for row in judged] == ["for update, pool of 64, the best"]
    assert judged[0][-2:] == ("7.69x", "5.00x: met")


class Buyers:
    """Whose shop gives away so many units, in turn and at once."""

    def __init__(self, in_turn: int, at_once: int) -> None:
        self.given = 0
        self.waiting = 0
        self.most = {False: in_turn, True: at_once}

    async def stage(self, _name: str) -> list[Buy]:
        self.given = self.waiting = 0
        return [self.buy] * race_run.BUYERS

    async def buy(self) -> bool:
        self.waiting += 1
        await asyncio.sleep(0)
        is_crowded = self.waiting > 1
        is_sold = self.given < self.most[is_crowded]
        self.given += is_sold
        if not is_crowded:
            self.waiting = 0
        return is_sold

    def party(self) -> Party:
        return Party("a shop", "a page", self.stage, lambda _: self.given)


async def test_a_race_counts_what_is_sold_twice() -> None:
    table = Table("race", ("who", "asked", "in turn", "at once", "oversold", "ms at once"))
    await race_run._add(table, Buyers(UNITS, 18).party())
    assert table.rows[0][2:5] == ("5, 5, 5", "18, 18, 18", "13, 13, 13")


async def test_a_shop_that_is_set_up_wrong_does_not_race() -> None:
    with pytest.raises(SystemExit, match="set up wrong"):
        await race_run._add(Table("race", ()), Buyers(UNITS - 1, 20).party())


def test_a_peer_that_cannot_be_installed_has_no_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "no such package")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(race_env.subprocess, "run", fails)
    with pytest.raises(NotHere, match="no such package"):
        race_env.python()
    assert race_env.cache().is_relative_to(tmp_path)


@pytest.mark.pg
async def test_whoever_is_missing_is_said_to_be(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> Path:
        raise NotHere(f"nothing {uuid4()}")

    async def nothing(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(race_run, "python", missing)
    monkeypatch.setattr(race_run, "_add_ours", nothing)
    [table] = await race_run.measure(database.owner_url, QUICK)
    assert [row[:2] for row in table.rows] == [
        ("django-oscar", "could not be installed on this machine")
    ]
    assert "CANNOT BE INSTALLED" in capsys.readouterr().out


def test_every_package_of_the_peers_is_pinned_by_its_hashes() -> None:
    lines = [line for line in PEERS.splitlines() if not line.startswith(" ")]
    assert [line for line in lines if not re.fullmatch(r"[\w\[\].-]+==[\w.]+ \\", line)] == []
    assert any(line.startswith("django-oscar==") for line in lines)
    assert PEERS.count("--hash=sha256:") >= len(lines)
    assert "index" not in PEERS
