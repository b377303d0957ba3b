"""Whoever changes the books by hand is found out: one test for every column that the ledger keeps.

Each test begins with a book in which everything has happened. One column of one row is changed a
little, with constraints and triggers out of the way; then the stand-alone SQL and a full verify
must both name that row: by its new key, if the change was to its key.

Then the row's seal is made to fit, as somebody would who knows how. What is found even then rests
on other rows; the columns that only the seal guards are listed below.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import pytest

from comptoir.store.pool import open_pool
from comptoir.store.verify import stand_alone_sql, verify
from tests.support.asking import BOOK
from tests.support.busy import ALICE, BOB, IDLE, SHELF, fill
from tests.support.postgres import Cluster, Database
from tests.support.store import LIMITS

pytestmark = pytest.mark.pg
Row = tuple[int, str, str]
"""Book, table and key of a row, as verify names it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to a column: its new value, as SQL, in the first row where a condition holds.

    The first row is the first by primary key among those whose value is not null already.
    """

    value: str
    where: str = "true"


MICROSECOND: Final = "interval '1 microsecond'"
OTHER_ID: Final = "set_byte({0}, 15, get_byte({0}, 15) # 1)"
KEYS: Final = {
    "accounts": "id::text",
    "movements": "concat(account_id, '/', version)",
    "lots": "concat(account_id, '/', no)",
    "holds": "encode(id, 'hex')",
    "requests": "encode(id, 'hex')",
}
ORDERS: Final = {
    "accounts": "id",
    "movements": "account_id, version",
    "lots": "account_id, no",
    "holds": "account_id, opened",
    "requests": "account_id, version, id",
}
UNSEALED: Final = (
    "seal",
    "anonymous",
    "level",
    "low_at",
    "first_lots",
    "first_parts",
    "first_seal",
)
"""The others came with later revisions: compared with the customer, or with a seal of their own."""
ALICE_ROW: Final = f"id = {ALICE}"
ALICE_SPEND: Final = f"account_id = {ALICE} AND kind = 'spend' AND cardinality(lots) = 2"
ALICE_LOT: Final = f"account_id = {ALICE} AND no = 2"
ALICE_HOLD: Final = f"account_id = {ALICE} AND state = 'open' AND captured > 0"
REFUSED: Final = "outcome = 'insufficient'"


def plus(column: str, where: str = "true") -> Change:
    return Change(f"{column} + 1", where)


def later(column: str, where: str = "true") -> Change:
    return Change(f"{column} + {MICROSECOND}", where)


CHANGES: Final = {
    "accounts": {
        "book_id": Change("2", ALICE_ROW),
        "id": Change("id + 1000", ALICE_ROW),
        "asset_id": Change("2", ALICE_ROW),
        "customer_id": Change("customer_id + 1000", ALICE_ROW),
        "name": Change("'takings'", "name = 'revenue'"),
        "bounded": Change("NOT bounded", ALICE_ROW),
        "posted": plus("posted", ALICE_ROW),
        "held": plus("held", ALICE_ROW),
        "debt": plus("debt", ALICE_ROW),
        "floor": Change("floor - 1", ALICE_ROW),
        "filled": plus("filled", ALICE_ROW),
        "version": plus("version", ALICE_ROW),
        "lots_made": plus("lots_made", ALICE_ROW),
        "open_lots": plus("open_lots", ALICE_ROW),
        "next_expiry": later("next_expiry", ALICE_ROW),
        "at": later("at", ALICE_ROW),
        "seal": plus("seal", ALICE_ROW),
        "anonymous": Change("true", ALICE_ROW),
        "level": Change("7", ALICE_ROW),
        "low_at": Change("-1", f"id = {SHELF}"),
    },
    "movements": {
        "book_id": Change("2", ALICE_SPEND),
        "account_id": Change(str(IDLE), ALICE_SPEND),
        "version": Change("version + 1000", ALICE_SPEND),
        "contra_id": Change("4", ALICE_SPEND),
        "amount": plus("amount", ALICE_SPEND),
        "posted": plus("posted", ALICE_SPEND),
        "held": plus("held", ALICE_SPEND),
        "debt": plus("debt", ALICE_SPEND),
        "filled": plus("filled", ALICE_SPEND),
        "kind": Change("'adjustment'", ALICE_SPEND),
        "at": later("at", ALICE_SPEND),
        "request_id": Change(OTHER_ID.format("request_id"), ALICE_SPEND),
        "lots": Change("ARRAY[lots[1], 3]", ALICE_SPEND),
        "parts": Change("ARRAY[parts[1] + 1, parts[2] - 1]", ALICE_SPEND),
        "hold_id": Change(
            "(SELECT min(id) FROM comptoir.holds WHERE group_id IS NULL)", "kind = 'renewal'"
        ),
        "reverses": Change("reverses - 1", f"account_id = {BOB}"),
        "seal": plus("seal", ALICE_SPEND),
    },
    "lots": {
        "book_id": Change("2", ALICE_LOT),
        "account_id": Change(str(IDLE), ALICE_LOT),
        "no": Change("no + 1000", ALICE_LOT),
        "source": Change("'promotion'", ALICE_LOT),
        "priority": plus("priority", ALICE_LOT),
        "expires_at": later("expires_at", f"account_id = {BOB} AND no = 2"),
        "granted": plus("granted", ALICE_LOT),
        "remaining": plus("remaining", ALICE_LOT),
        "pinned": Change("pinned - 1", ALICE_LOT),
        "plain": Change("NOT plain", ALICE_LOT),
        "lapsed": Change("NOT lapsed", ALICE_LOT),
        "open": Change("NOT open", ALICE_LOT),
        "paid": plus("paid", ALICE_LOT),
        "tax": plus("tax", ALICE_LOT),
        "currency": Change("'USD'", ALICE_LOT),
        "version": plus("version", ALICE_LOT),
        "seal": plus("seal", ALICE_LOT),
    },
    "holds": {
        "book_id": Change("2", ALICE_HOLD),
        "id": Change(OTHER_ID.format("id"), ALICE_HOLD),
        "account_id": Change(str(BOB), ALICE_HOLD),
        "contra_id": Change("4", ALICE_HOLD),
        "amount": plus("amount", ALICE_HOLD),
        "captured": plus("captured", ALICE_HOLD),
        "state": Change("'captured'", ALICE_HOLD),
        "on_excess": Change("'debt'", ALICE_HOLD),
        "expires_at": later("expires_at", ALICE_HOLD),
        "group_id": Change("id", "group_id <> id"),
        "pin_lots": Change("ARRAY[pin_lots[1], 4]", ALICE_HOLD),
        "pin_parts": Change("ARRAY[pin_parts[1] - 1, pin_parts[2] + 1]", ALICE_HOLD),
        "opened": Change("opened + 1", ALICE_HOLD),
        "closed": plus("closed", "state = 'captured'"),
        "at": later("at", ALICE_HOLD),
        "seal": plus("seal", ALICE_HOLD),
        "first_lots": Change("ARRAY[first_lots[1], 4]", ALICE_HOLD),
        "first_parts": Change("ARRAY[first_parts[1] - 1, first_parts[2] + 1]", ALICE_HOLD),
        "first_seal": plus("first_seal", ALICE_HOLD),
    },
    "requests": {
        "book_id": Change("2", REFUSED),
        "id": Change(OTHER_ID.format("id"), "op = 'spend' AND outcome = 'created'"),
        "mark": Change("set_byte(mark, 0, get_byte(mark, 0) # 1)"),
        "op": Change("'grant'", "op = 'spend' AND outcome = 'created'"),
        "outcome": Change("'hold_not_open'", REFUSED),
        "account_id": Change(str(BOB), f"account_id = {SHELF}"),
        "version": plus("version"),
        "mirror_version": plus("mirror_version"),
        "expires_at": later("expires_at"),
        "captured": plus("captured"),
        "late": Change("NOT late", "op = 'capture'"),
        "needed": plus("needed", REFUSED),
        "available": Change("available - 1", REFUSED),
        "at": later("at"),
        "seal": plus("seal"),
    },
}

SEALED: Final = {
    "accounts.name": "what an account is called is written nowhere else",
    "accounts.floor": "it is set once, and only limits what may still be done",
    "movements.contra_id": "an open account has no figures of its own that would miss the amount",
    "movements.kind": "a spend may be called an adjustment",
    "lots.source": "the journal names the lot, and the lot its terms",
    "lots.priority": "as source",
    "lots.paid": "as source",
    "lots.tax": "as source",
    "lots.currency": "as source",
    "holds.on_excess": "the journal tells what was captured, not what might have been",
    "requests.mark": "the request itself is not kept",
    "requests.needed": "a refusal changed nothing",
    "requests.available": "a refusal changed nothing",
}
"""Columns that only the seal guards, and why."""

CASES: Final = [(table, column) for table, changes in CHANGES.items() for column in changes]


@pytest.fixture(scope="module")
def busy(cluster: Cluster) -> Iterator[Database]:
    """A busy book in which the database lets everything pass."""
    with cluster.database() as database:
        asyncio.run(fill(database))
        drop_checks(database)
        for table in CHANGES:
            script(database, f"CREATE TABLE public.{table} AS TABLE comptoir.{table}")
        yield database


@pytest.fixture
def book(busy: Database) -> Database:
    """The busy book as it was, whatever a test has done to it: sooner done than a copy of it."""
    for table in CHANGES:
        script(
            busy,
            f"""DELETE FROM comptoir.{table};
            INSERT INTO comptoir.{table} TABLE public.{table};
            DELETE FROM comptoir.checkpoints;""",
        )
    return busy


def script(database: Database, statements: str) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute("SET session_replication_role = replica")  # no triggers, no references
        connection.execute(statements.encode())


def drop_checks(database: Database) -> None:
    """Constraints would refuse what the tests do; keys stay, for verify looks rows up by them."""
    with psycopg.connect(database.superuser_url) as connection:
        for table, name in connection.execute(
            """SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint
            WHERE connamespace = 'comptoir'::regnamespace AND contype = 'c'"""
        ).fetchall():
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
        connection.execute("ALTER TABLE comptoir.accounts ALTER id DROP IDENTITY")


def run(database: Database, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement that the ledger itself never would."""
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute("SET session_replication_role = replica")
        cursor = connection.execute(statement.encode())
        assert cursor.rowcount == 1, statement
        return cursor.fetchall()


def corrupt(database: Database, table: str, column: str) -> tuple[Row, str]:
    """Change a column of one row; returns the row by the key that it then has, and its place."""
    change, name = CHANGES[table][column], f"comptoir.{table}"
    [(book, key, place)] = run(
        database,
        f"""UPDATE {name} SET {column} = {change.value} WHERE ctid = (
            SELECT ctid FROM {name}
            WHERE ({change.where}) AND book_id = {BOOK} AND {column} IS NOT NULL
            ORDER BY {ORDERS[table]} LIMIT 1
        ) RETURNING book_id, {KEYS[table]}, ctid::text""",
    )
    return (book, table, key), place


def reseal(database: Database, table: str, place: str) -> None:
    names = run_columns(database, table)
    sealed = ", ".join(name for name in names if name not in UNSEALED)
    run(
        database,
        f"UPDATE comptoir.{table} SET seal = hash_record_extended(ROW({sealed}), 0)"
        f" WHERE ctid = '{place}' RETURNING seal",
    )


def run_columns(database: Database, table: str) -> list[str]:
    with psycopg.connect(database.superuser_url) as connection:
        found = connection.execute(
            """SELECT column_name FROM information_schema.columns
            WHERE table_schema = 'comptoir' AND table_name = %s ORDER BY ordinal_position""",
            (table,),
        )
        return [name for (name,) in found.fetchall()]


def by_sql(database: Database) -> set[Row]:
    with psycopg.connect(database.app_url) as connection:
        found = connection.execute(stand_alone_sql()).fetchall()
    return {(book, table, key) for book, _, table, key, _ in found}


async def by_verify(database: Database) -> set[Row]:
    async with open_pool(database.app_url, LIMITS) as pool:
        found = await verify(pool, None, full=True)
    assert found.balanced == (not found.drift)
    return {(each.book, each.table, each.row) for each in found.drift}


async def named(database: Database) -> set[Row]:
    """What both of them name."""
    rows = by_sql(database)
    assert await by_verify(database) == rows
    return rows


@pytest.mark.parametrize(("table", "column"), CASES, ids=[f"{t}.{c}" for t, c in CASES])
async def test_column(book: Database, table: str, column: str):
    row, place = corrupt(book, table, column)
    assert row in await named(book)
    if column == "seal":
        return
    reseal(book, table, place)
    assert bool(by_sql(book)) != (f"{table}.{column}" in SEALED)


@pytest.mark.parametrize("table", CHANGES)
def test_no_column_is_forgotten(busy: Database, table: str):
    assert list(CHANGES[table]) == run_columns(busy, table)


def test_what_only_the_seal_guards_exists():
    assert set(SEALED) <= {f"{table}.{column}" for table, column in CASES}


async def test_untouched(book: Database):
    assert await named(book) == set()


@pytest.mark.parametrize("table", CHANGES)
async def test_row_of_a_book_that_does_not_exist(book: Database, table: str):
    [(key,)] = run(
        book,
        f"""UPDATE comptoir.{table} SET book_id = 999 WHERE ctid = (
            SELECT ctid FROM comptoir.{table} WHERE book_id = {BOOK}
            ORDER BY {ORDERS[table]} DESC LIMIT 1
        ) RETURNING {KEYS[table]}""",
    )
    assert (999, table, key) in await named(book)


DELETED: Final = {
    "movement": ("movements", ALICE_SPEND),
    "last-movement": ("movements", f"(account_id, version) = ({BOB}, 9)"),
    "only-movement": ("movements", "(account_id, version) = (27, 1)"),
    "mirror": ("movements", f"account_id = {BOB} AND kind = 'transfer'"),
    "lot": ("lots", f"(account_id, no) = ({ALICE}, 2)"),
    "last-lot": ("lots", f"(account_id, no) = ({BOB}, 3)"),
    "used-up-lot": ("lots", f"(account_id, no) = ({ALICE}, 1)"),
    "open-hold": ("holds", ALICE_HOLD),
    "released-hold": ("holds", "state = 'released'"),
    "request": ("requests", "op = 'spend' AND outcome = 'created'"),
    "request-of-a-hold": ("requests", "op = 'hold' AND outcome = 'created'"),
}


@pytest.mark.parametrize("case", DELETED)
async def test_deleted(book: Database, case: str):
    table, where = DELETED[case]
    [(key,)] = run(
        book,
        f"""DELETE FROM comptoir.{table} WHERE ctid = (
            SELECT ctid FROM comptoir.{table} WHERE {where} ORDER BY {ORDERS[table]} LIMIT 1
        ) RETURNING {KEYS[table]}""",
    )
    assert (BOOK, table, key) in await named(book)


async def test_deleted_account(book: Database):
    """Its lines, lots, holds and requests are left behind, and each says so."""
    run(book, f"DELETE FROM comptoir.accounts WHERE id = {SHELF} RETURNING id")
    rows = await named(book)
    assert {table for _, table, _ in rows} >= {"movements", "lots", "holds", "requests"}
    assert {(BOOK, "movements", f"{SHELF}/{n}") for n in range(1, 11)} <= rows


NEXT_VERSION: Final = (
    "(SELECT max(m.version) + 1 FROM comptoir.movements m WHERE m.account_id = t.account_id)"
)
FORGED: Final = {
    "movements": ("version", NEXT_VERSION, ALICE_SPEND),
    "lots": ("no", "no + 3", ALICE_LOT),
    "holds": ("id", OTHER_ID.format("id"), ALICE_HOLD),
    "requests": ("id", OTHER_ID.format("id"), "op = 'spend' AND outcome = 'created'"),
    "accounts": ("customer_id", "customer_id + 1", f"id = {IDLE}"),
}


@pytest.mark.parametrize("table", FORGED)
async def test_forged(book: Database, table: str):
    """A copy of a row under another key, with a seal that fits."""
    changed, value, where = FORGED[table]
    names = run_columns(book, table)
    values = [
        value if name == changed else "9999" if (table, name) == ("accounts", "id") else name
        for name in names
    ]
    [(key, place)] = run(
        book,
        f"""INSERT INTO comptoir.{table} ({", ".join(names)})
        SELECT {", ".join(values)} FROM comptoir.{table} t WHERE {where}
        ORDER BY {ORDERS[table]} LIMIT 1 RETURNING {KEYS[table]}, ctid::text""",
    )
    reseal(book, table, place)
    assert (BOOK, table, key) in await named(book)


async def test_moved_between_two_rows(book: Database):
    """Sums of whole tables do not change: the rows must be looked at one by one."""
    for sign, number in (("+", 3), ("-", 2)):
        [(place,)] = run(
            book,
            f"""UPDATE comptoir.lots SET remaining = remaining {sign} 1, granted = granted {sign} 1
            WHERE (account_id, no) = ({ALICE}, {number}) RETURNING ctid::text""",
        )
        reseal(book, "lots", place)
    rows = await named(book)
    assert {(BOOK, "lots", f"{ALICE}/2"), (BOOK, "lots", f"{ALICE}/3")} <= rows
