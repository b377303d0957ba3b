"""Whatever is wrong with a backup, or with where it is to go, leaves nothing behind."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import psycopg
import pytest

from comptoir.store import archive, migrate
from comptoir.store import restore as restoring
from comptoir.store.copying import CopyError, Report, Source, Table, Tally, Unbalanced
from comptoir.store.restore import place
from tests.support.batches import rows
from tests.support.copies import empty_database, is_blank, prints, put_back, shape, taken
from tests.support.postgres import Cluster, Database

pytestmark = pytest.mark.pg
Change = Callable[[bytes], bytes]


def changed(path: Path, target: Path, change: dict[str, Change]) -> Path:
    """The same backup with other bytes in some of its members, and right checksums of the zip."""
    with ZipFile(path) as old, ZipFile(target, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change.get(name, lambda same: same)(content))
    return target


def in_manifest(more: dict[str, Any]) -> dict[str, Change]:
    return {"manifest.json": lambda text: json.dumps(json.loads(text) | more).encode()}


def refused(path: Path, empty: Database, code: str) -> None:
    with pytest.raises(CopyError) as error:
        put_back(path, empty)
    assert error.value.code == code
    assert is_blank(empty.owner_url)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off(taken_once: Path, empty: Database, tmp_path: Path, part: float):
    whole = taken_once.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[: int(len(whole) * part)])
    refused(cut, empty, "backup-unreadable")


def test_no_flipped_bit_gets_through(
    taken_once: Path, busy: Database, empty: Database, tmp_path: Path
):
    """Wherever a bit flips, the file is refused, or the books are the very same."""
    whole, tried = taken_once.read_bytes(), tmp_path / "flipped.zip"
    expected = prints(busy.owner_url)
    found: list[str] = []
    for at in range(5, len(whole), len(whole) // 14):
        tried.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            put_back(tried, empty)
        except CopyError as error:
            found.append(error.code)
            assert is_blank(empty.owner_url)
        else:
            assert prints(empty.owner_url) == expected
            rows_of = psycopg.connect(empty.owner_url, autocommit=True)
            with rows_of as connection:
                connection.execute("DROP SCHEMA comptoir CASCADE")
    assert found.count("copy-damaged") > 5


def test_every_flipped_bit_of_the_table_of_contents_is_told(taken_once: Path, tmp_path: Path):
    """It says where in the file things are: at places, too, that no file can have."""
    whole, tried = taken_once.read_bytes(), tmp_path / "flipped.zip"
    refused = 0
    for at in range(whole.index(b"PK\x01\x02"), len(whole), 3):
        tried.write_bytes(whole[:at] + bytes([whole[at] ^ 0x80]) + whole[at + 1 :])
        try:
            with archive.opened(tried) as source:
                for table in source.tables:
                    for _ in source.lines(table):
                        pass
        except CopyError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.partition(b"\n")[2],
        lambda text: text + text.partition(b"\n")[0] + b"\n",
        lambda text: text[:-1],
        lambda text: b"",
        lambda text: text.replace(b"spend", b"grant", 1),
        lambda text: b"\xff\xfe\n",
        lambda text: b"x" * 100,
    ],
    ids=["less", "twice", "no end", "nothing", "another word", "no text", "one long line"],
)
def test_rows_that_are_not_those_that_were_written(
    taken_once: Path, empty: Database, tmp_path: Path, change: Change
):
    path = changed(taken_once, tmp_path / "changed.zip", {"movements.copy": change})
    refused(path, empty, "copy-damaged")


def test_a_table_that_is_missing(taken_once: Path, empty: Database, tmp_path: Path):
    def without(text: bytes) -> bytes:
        manifest = json.loads(text)
        manifest["tables"] = [each for each in manifest["tables"] if each["name"] != "lots"]
        return json.dumps(manifest).encode()

    path = changed(taken_once, tmp_path / "less.zip", {"manifest.json": without})
    refused(path, empty, "copy-other-schema")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"format": 2, "tables": "another form"}, "backup-newer"),
        ({"revision": "9999"}, "copy-newer"),
        ({"tables": 1}, "backup-unreadable"),
        ({"secret": "lost"}, "backup-unreadable"),
        ({"format": "one"}, "backup-unreadable"),
    ],
    ids=["format", "revision", "tables", "secret", "no number"],
)
def test_a_list_of_contents_that_is_not_ours(
    taken_once: Path, empty: Database, tmp_path: Path, more: dict[str, Any], code: str
):
    refused(changed(taken_once, tmp_path / "other.zip", in_manifest(more)), empty, code)


def test_other_files(empty: Database, tmp_path: Path):
    other = tmp_path / "other.zip"
    with ZipFile(other, "w") as file:
        file.writestr("hello", "world")
    refused(other, empty, "backup-unreadable")
    other.write_text("hello")
    refused(other, empty, "backup-unreadable")
    with pytest.raises(FileNotFoundError):
        put_back(tmp_path / "none.zip", empty)


def test_books_that_do_not_balance(book: Database, empty: Database, tmp_path: Path):
    with psycopg.connect(book.superuser_url) as connection:
        connection.execute("UPDATE comptoir.lots SET priority = priority + 1 WHERE no = 1")
    taken(book, tmp_path / "wrong.zip")
    with pytest.raises(Unbalanced) as error:
        put_back(tmp_path / "wrong.zip", empty)
    assert {each.table for each in error.value.drift} == {"lots"}
    assert is_blank(empty.owner_url)


def test_a_database_that_changes_what_is_written(taken_once: Path, empty: Database):
    """What arrived is read back: whatever came in between is found."""
    original = restoring._copy

    def meddling(
        connection: psycopg.Connection, source: Source, table: Table, report: Report
    ) -> Tally:
        tally = original(connection, source, table, report)
        connection.execute("UPDATE comptoir.customers SET name = 'x'")
        return tally

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restoring, "_copy", meddling)
        refused(taken_once, empty, "copy-differs")


def test_a_schema_that_somebody_has_changed(book: Database, empty: Database, tmp_path: Path):
    with psycopg.connect(book.owner_url) as connection:
        connection.execute("ALTER TABLE comptoir.notes ADD COLUMN colour text")
    taken(book, tmp_path / "b.zip")
    refused(tmp_path / "b.zip", empty, "copy-other-schema")


# Where books may go


def test_books_are_never_written_over_others(taken_once: Path, busy: Database):
    before = prints(busy.owner_url)
    with pytest.raises(CopyError) as error:
        put_back(taken_once, busy)
    assert (error.value.code, error.value.figures) == ("target-not-empty", {"table": "movements"})
    assert prints(busy.owner_url) == before


@pytest.mark.parametrize(
    "statement",
    [
        """INSERT INTO comptoir.keys (book_id, id, role, name, hash, hint)
            VALUES (1, gen_random_uuid(), 'operator', 'x', 'x', 'x')""",
        "INSERT INTO comptoir.customers (book_id, customer) VALUES (1, 'alice')",
        "SELECT comptoir.open_account(1, 1, NULL, 'stock:TEE:M', true)",
    ],
    ids=["key", "customer", "account"],
)
def test_not_even_one_key_or_name_is_written_over(
    taken_once: Path, database: Database, statement: str
):
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(statement.encode())
    with pytest.raises(CopyError, match="target-not-empty"):
        put_back(taken_once, database)


def test_books_without_rows_give_way(taken_once: Path, busy: Database, database: Database):
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("INSERT INTO comptoir.settings VALUES ('environment', 'development')")
    put_back(taken_once, database)
    assert prints(database.owner_url) == prints(busy.owner_url)
    assert shape(database.owner_url) == shape(busy.owner_url)


def test_a_database_that_servers_use(taken_once: Path, database: Database):
    with (
        psycopg.connect(database.app_url, application_name="comptoir"),
        pytest.raises(CopyError, match="target-in-use"),
    ):
        put_back(taken_once, database)
    with psycopg.connect(database.app_url) as foreign, pytest.MonkeyPatch.context() as patch:
        patch.setattr(restoring, "_LOCK_WAIT", "50ms")
        foreign.execute("SELECT * FROM comptoir.accounts")
        with pytest.raises(CopyError, match="target-in-use"):
            put_back(taken_once, database)


def test_a_database_of_another_encoding(taken_once: Path, cluster: Cluster):
    with empty_database(cluster, "ENCODING 'SQL_ASCII' LOCALE 'C'") as other:
        refused(taken_once, other, "target-encoding")


def test_a_database_that_takes_no_writes(taken_once: Path, cluster: Cluster, empty: Database):
    with psycopg.connect(empty.superuser_url, autocommit=True) as connection:
        connection.execute(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on',"
            " current_database()); END $$"
        )
    refused(taken_once, empty, "target-read-only")


def test_a_role_without_rights(taken_once: Path, empty: Database):
    with pytest.raises(CopyError, match="target-rights"):
        put_back(taken_once, Database(empty.app_url, empty.app_url, empty.superuser_url))
    assert is_blank(empty.owner_url)


def test_an_old_postgresql(taken_once: Path, empty: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(restoring, "OLDEST", 990_000)
    refused(taken_once, empty, "target-version")


def test_a_database_that_is_away(taken_once: Path):
    away = "postgresql://nobody:hush@127.0.0.1:1/nothing"
    with pytest.raises(CopyError, match="target-unreachable") as error:
        put_back(taken_once, Database(away, away, away))
    assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:hush@db.example:6432/books?sslmode=require", "db.example:6432/books"),
        ("postgres://me@/books?host=/run/pg", "/run/pg/books"),
        ("postgresql://localhost/books", "localhost/books"),
        ("postgresql://books@localhost", "localhost/books"),
    ],
)
def test_a_place_is_shown_without_its_password(url: str, shown: str):
    assert place(url) == shown


@pytest.mark.parametrize(
    "url", ["", "books", "host=localhost", "mysql://x:hush@y/z", "postgresql://["]
)
def test_addresses_that_are_none(url: str):
    with pytest.raises(CopyError, match="target-url") as error:
        place(url)
    assert "hush" not in str(error.value)


# Revisions

NEXT = """
from alembic import op
revision = "9001"
down_revision = "{head}"

def upgrade():
    op.execute("ALTER TABLE comptoir.customers ADD COLUMN colour text")
    op.execute("UPDATE comptoir.customers SET colour = 'red' WHERE customer <> 'bob'")
"""


def test_a_backup_of_an_older_revision_is_brought_up(
    taken_once: Path, empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    there, folder, head = migrate._folder(), tmp_path / "migrations", migrate.head()
    shutil.copytree(there, folder)
    (folder / "versions" / "9001_next.py").write_text(NEXT.format(head=head))
    monkeypatch.setattr(migrate, "_folder", lambda: folder)
    assert put_back(taken_once, empty).revision == "9001"
    assert migrate.current(empty.owner_url) == "9001"
    query = "SELECT count(*) - count(colour) FROM comptoir.customers"
    assert rows(empty.owner_url, query) == [(1,)]
