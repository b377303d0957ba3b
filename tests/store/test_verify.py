"""verify agrees with books that were kept by the ledger, and reads no more of them than it must."""

import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import make_url

from comptoir.kit.ids import request_id
from comptoir.kit.limits import SECOND
from comptoir.ledger.model import HoldState, Kind
from comptoir.store import verify as module
from comptoir.store.embedded.cluster import binaries
from comptoir.store.pool import begin, open_pool
from comptoir.store.verify import Drift, stand_alone_sql, verify
from tests.support.asking import BOOK
from tests.support.busy import copied, fill
from tests.support.postgres import Cluster, Database
from tests.support.programs import ACCOUNTS, Author
from tests.support.store import LIMITS, through_batch
from tests.support.tables import parse, play

pytestmark = pytest.mark.pg
Pool = AsyncConnectionPool[AsyncConnection]


@pytest.fixture(scope="module")
def original(cluster: Cluster) -> Iterator[Database]:
    with cluster.database() as database:
        yield database


@pytest.fixture(scope="module")
async def busy(original: Database) -> Database:
    await fill(original)
    return original


@pytest.fixture
def book(busy: Database) -> Iterator[Database]:
    """A busy book of one test."""
    with copied(busy) as database:
        yield database


@pytest.fixture
async def pool(book: Database) -> AsyncIterator[Pool]:
    async with open_pool(book.app_url, replace(LIMITS, pool=1)) as opened:
        yield opened


async def rows(pool: Pool, query: LiteralString, *values: object) -> list[Any]:
    async with begin(pool) as tx:
        return await (await tx.execute(query, values)).fetchall()


def corrupt(book: Database, statement: LiteralString) -> None:
    with psycopg.connect(book.superuser_url) as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(statement).rowcount == 1


def alone(book: Database) -> list[tuple[Any, ...]]:
    with psycopg.connect(book.app_url) as connection:
        return connection.execute(stand_alone_sql()).fetchall()


async def test_the_busy_book_has_everything(pool: Pool):
    kinds = await rows(pool, "SELECT DISTINCT kind FROM comptoir.movements")
    used = {kind for (kind,) in kinds}
    assert used == {kind.value for kind in Kind} - {Kind.REFUND, Kind.ADJUSTMENT}
    states = await rows(pool, "SELECT DISTINCT state FROM comptoir.holds")
    assert {state for (state,) in states} == {state.value for state in HoldState}
    [shapes] = await rows(
        pool,
        """SELECT (SELECT bool_or(lapsed AND open) FROM comptoir.lots),
            (SELECT bool_or(cardinality(lots) > 1) FROM comptoir.movements),
            (SELECT bool_or(debt > 0) FROM comptoir.accounts),
            (SELECT bool_or(late) FROM comptoir.requests),
            (SELECT bool_or(captured > amount) FROM comptoir.holds)""",
    )
    assert all(shapes)


@pytest.mark.parametrize("full", [True, False])
async def test_balanced(pool: Pool, full: bool):
    [(accounts, lines, now)] = await rows(
        pool,
        """SELECT (SELECT count(*) FROM comptoir.accounts),
            (SELECT count(*) FROM comptoir.movements), comptoir.micros(now())""",
    )
    for _ in range(2):
        found = await verify(pool, None, full=full)
        assert found.drift == []
        assert found.balanced
        assert not found.truncated
        assert (found.accounts, found.movements) == (accounts, lines)
        assert now <= found.checked_at < now + 60 * SECOND


async def test_one_book_only(pool: Pool, book: Database):
    corrupt(book, "UPDATE comptoir.accounts SET posted = 1 WHERE id = 13")
    [(other,)] = await rows(pool, "SELECT book_id FROM comptoir.accounts WHERE id = 13")
    assert (await verify(pool, BOOK, full=True)).balanced
    assert {each.book for each in (await verify(pool, other, full=True)).drift} == {other}


def test_alone_by_psql(book: Database):
    command = [str(binaries() / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    url = make_url(book.app_url).set(drivername="postgresql").render_as_string(False)
    for _ in range(2):
        done = subprocess.run(
            [*command, "-d", url, "-f", "-"],
            input=stand_alone_sql(), capture_output=True, text=True, check=True,
        )  # fmt: skip
        listed = [line.split("|")[:4] for line in done.stdout.splitlines()]
        if listed:
            break
        corrupt(book, "UPDATE comptoir.lots SET tax = tax + 1 WHERE (account_id, no) = (25, 2)")
    assert listed == [["1", "seal", "lots", "25/2"]]


def test_alone_uses_none_of_our_functions():
    with_code = [word for word in ("micros", "moment", "open_account") if word in stand_alone_sql()]
    assert with_code == []


async def test_random_books_are_balanced(database: Database):
    """Programs of which nobody has thought; seen by verify as they go on."""
    async with through_batch(database.app_url) as fresh:
        for seed in range(8):
            driver = fresh(f"{seed}/")
            author = Author(random.Random(seed).randint)
            for account in ACCOUNTS:
                await driver.open(account)
            for _ in range(25):
                chains = [author.chain() for _ in range(4)]
                told = await driver.submit(chains)
                for chain, answers in zip(chains, told, strict=True):
                    author.heard(chain, answers)
                await driver.tick(author.tick())
            assert (await verify(driver.pool, None, full=False)).drift == []
        assert (await verify(driver.pool, None, full=True)).drift == []
    assert alone(database) == []


async def test_small_ranges_find_the_same(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    """Transfers whose two sides are in different snapshots included."""
    whole = await verify(pool, None, full=True)
    monkeypatch.setattr(module, "_FULL_RANGE", 2)
    monkeypatch.setattr(module, "_NEW_RANGE", 2)
    monkeypatch.setattr(module, "_SLICE_BYTES", 2048)
    for full in (True, False):
        found = await verify(pool, None, full=full)
        assert found.drift == []
        assert (found.accounts, found.movements) == (whole.accounts, whole.movements)


async def test_small_ranges_cover_every_row(book: Database, monkeypatch: pytest.MonkeyPatch):
    """A row in every place of the key is found by exactly one range."""
    monkeypatch.setattr(module, "_FULL_RANGE", 2)
    monkeypatch.setattr(module, "_SLICE_BYTES", 2048)
    with psycopg.connect(book.superuser_url) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("accounts", "movements", "lots", "holds", "requests"):
            connection.execute(f"UPDATE comptoir.{table} SET seal = seal + 1")
    async with open_pool(book.app_url, LIMITS) as pool:
        found = await verify(pool, None, full=True)
    seals = [(each.book, each.table, each.row) for each in found.drift if each.check == "seal"]
    listed = [(row[0], row[2], row[3]) for row in alone(book)]
    assert sorted(seals) == sorted(listed)
    assert not found.truncated


async def test_a_long_list_is_cut(pool: Pool, book: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "DRIFT_MAX", 3)
    with psycopg.connect(book.superuser_url) as connection:
        connection.execute("UPDATE comptoir.accounts SET seal = seal + 1")
    found = await verify(pool, None, full=True)
    assert not found.balanced
    assert found.truncated
    assert len(found.drift) == 3


async def test_new_lines_are_verified_and_become_the_watermark(pool: Pool, book: Database):
    assert (await verify(pool, None, full=False)).balanced
    await go_on(book)
    [(before,)] = await rows(pool, "SELECT sum(version) FROM comptoir.checkpoints")
    found = await verify(pool, None, full=False)
    [(after,)] = await rows(pool, "SELECT sum(version) FROM comptoir.checkpoints")
    assert found.balanced
    assert after == found.movements > before
    assert alone(book) == []


async def test_wrong_new_lines_are_found(pool: Pool, book: Database):
    assert (await verify(pool, None, full=False)).balanced
    await go_on(book)
    corrupt(
        book,
        """UPDATE comptoir.movements SET amount = amount - 1
        WHERE (account_id, version) = (SELECT account_id, version FROM comptoir.requests
            ORDER BY at DESC, id LIMIT 1)""",
    )
    found = await verify(pool, None, full=False)
    assert {"seal", "chain", "parts"} <= {each.check for each in found.drift}
    assert {each.table for each in found.drift} >= {"movements"}
    [before] = await rows(pool, "SELECT sum(version) FROM comptoir.checkpoints")
    assert [(await verify(pool, None, full=False)).balanced] == [False]
    assert [before] == await rows(pool, "SELECT sum(version) FROM comptoir.checkpoints")


@pytest.mark.parametrize("column", ["posted", "held", "debt", "at", "version", "floor"])
async def test_a_resting_account_is_compared_with_its_watermark(
    pool: Pool, book: Database, column: str
):
    """Its seal is made to fit, so that only the watermark, or the journal, can tell."""
    assert (await verify(pool, None, full=False)).balanced
    corrupt(book, "UPDATE comptoir.accounts SET held = 0 WHERE id = 25")  # for a row to come back
    found = await verify(pool, None, full=False)
    assert Drift("seal", "accounts", "25", found.drift[-1].detail, BOOK) in found.drift
    change = {"at": "at + interval '1 microsecond'"}.get(column, f"{column} + 1")
    with psycopg.connect(book.superuser_url) as connection:
        connection.execute(f"UPDATE comptoir.accounts SET {column} = {change} WHERE id = 26")
        connection.execute(
            """UPDATE comptoir.accounts a SET seal = hash_record_extended(ROW(
            a.book_id, a.id, a.asset_id, a.customer_id, a.name, a.bounded, a.posted, a.held,
            a.debt, a.floor, a.filled, a.version, a.lots_made, a.open_lots, a.next_expiry, a.at
            ), 0) WHERE id = 26"""
        )
    found = await verify(pool, None, full=False)
    assert any(each.row.split("/")[0] == "26" for each in found.drift)


async def test_old_lines_are_not_read(pool: Pool, book: Database):
    [case] = parse("much", LONG)
    async with through_batch(book.app_url) as fresh:
        await play(case, fresh("much/"))
    assert (await verify(pool, None, full=False)).balanced
    await go_on(book)
    before = await reads(pool)
    found = await verify(pool, None, full=False)
    read = {table: now - before[table] for table, now in (await reads(pool)).items()}
    assert found.balanced
    assert found.movements > 600
    assert read["movements"] < 60, read
    assert read["requests"] < 60, read
    before = await reads(pool)
    assert (await verify(pool, None, full=True)).balanced
    read = {table: now - before[table] for table, now in (await reads(pool)).items()}
    assert read["movements"] > 600, "or the counters count nothing"
