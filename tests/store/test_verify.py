"""verify agrees with books that were kept by the ledger, and reads no more of them than it must."""

import random
import subprocess
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any, Final, LiteralString, get_args

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from comptoir.kit.limits import SECOND
from comptoir.ledger.model import HoldState, Kind
from comptoir.ledger.outcomes import STICKY
from comptoir.ledger.requests import OnExcess, Request
from comptoir.store import verify as module
from comptoir.store.embedded.cluster import binaries
from comptoir.store.pool import begin, open_pool
from comptoir.store.verify import Drift, stand_alone_sql, verify
from tests.support.asking import BOOK
from tests.support.busy import ALICE, BOB, CAROL, IDLE
from tests.support.postgres import Database
from tests.support.programs import ACCOUNTS, Author
from tests.support.store import LIMITS, through_batch
from tests.support.tables import parse, play

pytestmark = pytest.mark.pg
Pool = AsyncConnectionPool[AsyncConnection]

VERBS: Final = tuple(request.op for request in get_args(Request))
WORDS: Final = {
    "kinds": Kind,
    "states": HoldState,
    "policies": OnExcess,
    "outcomes": STICKY,
    "verbs": VERBS,
}
MORE: Final = """
== What happens later
account dora
account erin
grant g1 dora 90 expires=900        -> created
transfer t1 dora erin 30            -> created
hold h1 erin 5 ttl=60               -> created
hold h2 erin 5                      -> created
capture c1 h1 3                     -> created
spend s1 dora 1                     -> created
"""
LONG: Final = """
== A long story
account dora
account erin
grant g0 dora 900                   -> created
times 600 spend s{n} dora 1         -> created
"""


@pytest.fixture
async def pool(book: Database) -> AsyncIterator[Pool]:
    async with open_pool(book.app_url, replace(LIMITS, pool=1)) as opened:
        yield opened


async def rows(pool: Pool, query: LiteralString, *values: object) -> list[Any]:
    async with begin(pool) as tx:
        return await (await tx.execute(query, values)).fetchall()


def corrupt(book: Database, statement: str) -> None:
    """Run a statement that the ledger itself never would, on at least one row."""
    with psycopg.connect(book.superuser_url) as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(statement.encode()).rowcount


def reseal(book: Database, account: int) -> None:
    corrupt(
        book,
        f"""UPDATE comptoir.accounts a SET seal = hash_record_extended(ROW(
        a.book_id, a.id, a.asset_id, a.customer_id, a.name, a.bounded, a.posted, a.held, a.debt,
        a.floor, a.filled, a.version, a.lots_made, a.open_lots, a.next_expiry, a.at), 0)
        WHERE id = {account}""",
    )


def alone(book: Database) -> list[tuple[Any, ...]]:
    with psycopg.connect(book.app_url) as connection:
        return connection.execute(stand_alone_sql()).fetchall()


async def go_on(book: Database, story: str, prefix: str) -> None:
    """Let more happen."""
    [case] = parse("more", story)
    async with through_batch(book.app_url) as fresh:
        await play(case, fresh(prefix))


async def reads(pool: Pool) -> dict[str, int]:
    """Rows that the connection of the pool has read of each table so far."""
    await rows(pool, "SELECT pg_stat_force_next_flush()")
    found = await rows(
        pool,
        """SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0)
        FROM pg_stat_user_tables WHERE schemaname = 'comptoir'""",
    )
    return dict(found)


async def test_everything_has_happened_in_the_busy_book(pool: Pool):
    kinds = await rows(pool, "SELECT DISTINCT kind FROM comptoir.movements")
    assert {kind for (kind,) in kinds} == {*Kind} - {Kind.REFUND, Kind.ADJUSTMENT}
    states = await rows(pool, "SELECT DISTINCT state FROM comptoir.holds")
    assert {state for (state,) in states} == {*HoldState}
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
async def test_balanced(pool: Pool, *, full: bool):
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
    corrupt(book, "UPDATE comptoir.accounts SET posted = 1 WHERE id = 13 AND book_id = 2")
    assert (await verify(pool, BOOK, full=True)).balanced
    assert {each.book for each in (await verify(pool, 2, full=True)).drift} == {2}
    assert {each.book for each in (await verify(pool, None, full=True)).drift} == {2}


def test_alone_in_psql(book: Database):
    command = [str(binaries() / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", book.app_url]

    def listed() -> list[list[str]]:
        done = subprocess.run(
            command, input=stand_alone_sql(), capture_output=True, text=True, check=True
        )
        return [line.split("|")[:4] for line in done.stdout.splitlines()]

    assert listed() == []
    corrupt(book, f"UPDATE comptoir.lots SET tax = tax + 1 WHERE (account_id, no) = ({ALICE}, 2)")
    assert listed() == [["1", "seal", "lots", f"{ALICE}/2"]]


def test_alone_uses_none_of_our_functions(book: Database):
    corrupt(
        book,
        """DO $$ DECLARE f regprocedure; BEGIN
        FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'comptoir'::regnamespace LOOP
            EXECUTE format('DROP FUNCTION %s CASCADE', f);
        END LOOP; END $$""",
    )
    assert alone(book) == []


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_alone_knows_every_word(words: Iterable[str]):
    unknown = [word for word in words if f"'{word}'" not in stand_alone_sql()]
    assert unknown == []


async def test_random_books_are_balanced(database: Database):
    """Programs of which nobody has thought, seen by verify as they go on."""
    async with through_batch(database.app_url) as fresh:
        for seed in range(6):
            driver = fresh(f"{seed}/")
            author = Author(random.Random(seed).randint)
            for account in ACCOUNTS:
                await driver.open(account)
            for _ in range(40):
                chains = [author.chain() for _ in range(3)]
                told = await driver.submit(chains)
                for chain, answers in zip(chains, told, strict=True):
                    author.heard(chain, answers)
                await driver.tick(author.tick())
            assert (await verify(driver.pool, None, full=False)).drift == []
        assert (await verify(driver.pool, None, full=True)).drift == []
    assert alone(database) == []


async def test_small_ranges_find_the_same(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    """Also where the two sides of a transfer are in two snapshots."""
    whole = await verify(pool, None, full=True)
    monkeypatch.setattr(module, "_FULL_RANGE", 2)
    monkeypatch.setattr(module, "_NEW_RANGE", 2)
    monkeypatch.setattr(module, "_SLICE_BYTES", 2048)
    for full in (True, False):
        found = await verify(pool, None, full=full)
        assert found.drift == []
        assert (found.accounts, found.movements) == (whole.accounts, whole.movements)


async def test_small_ranges_cover_every_row(
    pool: Pool, book: Database, monkeypatch: pytest.MonkeyPatch
):
    """Wherever in the keys a row is, one range finds it, and one only."""
    monkeypatch.setattr(module, "_FULL_RANGE", 2)
    monkeypatch.setattr(module, "_SLICE_BYTES", 2048)
    for table in ("accounts", "movements", "lots", "holds", "requests"):
        corrupt(book, f"UPDATE comptoir.{table} SET seal = seal + 1")
    found = await verify(pool, None, full=True)
    seen = [(each.book, each.check, each.table, each.row, each.detail) for each in found.drift]
    assert sorted(seen) == sorted(alone(book))
    assert len(seen) > 140
    assert not found.truncated


async def test_a_long_list_is_cut(pool: Pool, book: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "DRIFT_MAX", 3)
    corrupt(book, "UPDATE comptoir.accounts SET seal = seal + 1")
    found = await verify(pool, None, full=True)
    assert not found.balanced
    assert found.truncated
    assert len(found.drift) == 3


async def test_new_lines_become_the_watermark(pool: Pool, book: Database):
    assert (await verify(pool, None, full=False)).balanced
    [(before,)] = await rows(pool, "SELECT sum(version) FROM comptoir.checkpoints")
    await go_on(book, MORE, "more/")
    found = await verify(pool, None, full=False)
    [(after,)] = await rows(pool, "SELECT sum(version) FROM comptoir.checkpoints")
    assert found.drift == []
    assert found.movements == after == before + 7


NEW: Final = {
    "movements": "kind = 'transfer' AND amount < 0",
    "lots": "source = 'grant'",
    "holds": "state = 'captured'",
    "requests": "op = 'hold'",
}


@pytest.mark.parametrize("table", NEW)
async def test_what_is_new_is_verified(pool: Pool, book: Database, table: str):
    """By its seal at least; and nothing becomes a watermark that is not right."""
    assert (await verify(pool, None, full=False)).balanced
    await go_on(book, MORE, "more/")
    corrupt(
        book,
        f"""UPDATE comptoir.{table} SET seal = seal + 1
        WHERE account_id > {IDLE} AND {NEW[table]}""",
    )
    for _ in range(2):
        found = await verify(pool, None, full=False)
        assert {(each.check, each.table) for each in found.drift} == {("seal", table)}


@pytest.mark.parametrize("column", ["posted", "held", "debt", "at"])
async def test_a_resting_account_is_held_against_its_watermark(
    pool: Pool, book: Database, column: str
):
    """Though its seal was made to fit."""
    assert (await verify(pool, None, full=False)).balanced
    change = "+ interval '1 microsecond'" if column == "at" else "+ 1"
    corrupt(book, f"UPDATE comptoir.accounts SET {column} = {column} {change} WHERE id = {BOB}")
    reseal(book, BOB)
    found = await verify(pool, BOOK, full=False)
    assert ("checkpoint", "accounts", str(BOB)) in names(found.drift)


@pytest.mark.parametrize("change", ["version = version - 1", "floor = floor - 1"])
async def test_any_other_change_of_a_resting_account_is_found(
    pool: Pool, book: Database, change: str
):
    assert (await verify(pool, None, full=False)).balanced
    corrupt(book, f"UPDATE comptoir.accounts SET {change} WHERE id = {CAROL}")
    found = await verify(pool, BOOK, full=False)
    assert ("seal", "accounts", str(CAROL)) in names(found.drift)


async def test_the_line_at_the_watermark_is_read_again(pool: Pool, book: Database):
    """Nobody may change it and then go on from there."""
    assert (await verify(pool, None, full=False)).balanced
    corrupt(
        book,
        f"""UPDATE comptoir.movements SET posted = posted + 1
        WHERE (account_id, version) = ({BOB}, 9)""",
    )
    corrupt(book, f"UPDATE comptoir.checkpoints SET version = 8 WHERE account_id = {CAROL}")
    corrupt(book, f"UPDATE comptoir.accounts SET version = 10 WHERE id = {BOB}")
    found = await verify(pool, BOOK, full=False)
    assert {
        ("checkpoint", "movements", f"{BOB}/9"),
        ("gap", "movements", f"{BOB}/10"),
        ("checkpoint", "accounts", str(CAROL)),
    } <= names(found.drift)


async def test_a_wrong_watermark_is_mended_by_a_full_run(pool: Pool, book: Database):
    assert (await verify(pool, None, full=False)).balanced
    corrupt(book, f"UPDATE comptoir.checkpoints SET posted = 0 WHERE account_id = {ALICE}")
    found = await verify(pool, None, full=False)
    assert names(found.drift) == {
        ("checkpoint", "accounts", str(ALICE)),
        ("conservation", "assets", "1"),
    }
    assert (await verify(pool, None, full=True)).balanced
    assert (await verify(pool, None, full=False)).balanced


async def test_old_rows_are_not_read(pool: Pool, book: Database):
    await go_on(book, LONG, "long/")
    assert (await verify(pool, None, full=False)).balanced
    await go_on(book, MORE, "long/more/")
    before = await reads(pool)
    found = await verify(pool, None, full=False)
    middle = await reads(pool)
    assert found.balanced
    assert found.movements > 600
    assert (await verify(pool, None, full=True)).balanced
    after = await reads(pool)
    for table in ("movements", "requests"):
        assert 0 < middle[table] - before[table] < 100, table
        assert after[table] - middle[table] > 600, "or else the counters count nothing"


def names(drift: list[Drift]) -> set[tuple[str, str, str]]:
    return {(each.check, each.table, each.row) for each in drift}
