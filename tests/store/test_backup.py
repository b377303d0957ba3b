"""A backup holds everything of one moment, and what is restored is the very same."""

import json
import stat
import threading
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import psycopg
import pytest

from comptoir.kit.secret import SecretIs
from comptoir.store import archive, migrate
from comptoir.store.backup import backup, new_file
from comptoir.store.copying import CopyError, Tally, connect, snapshot
from tests.support.batches import assert_verified, rows
from tests.support.copies import (
    SECRET,
    prints,
    put_back,
    shape,
    silent,
    taken,
)
from tests.support.postgres import Database

pytestmark = pytest.mark.pg


def test_restored_books_are_the_same(busy: Database, taken_once: Path, empty: Database):
    done = put_back(taken_once, empty)
    assert prints(empty.owner_url) == prints(busy.owner_url)
    assert shape(empty.owner_url) == shape(busy.owner_url)
    assert_verified(empty)
    assert done.movements == done.counts["movements"] > 40
    assert done.revision == migrate.head()


def test_numbers_go_on_after_the_highest_that_was_ever_given(
    book: Database, empty: Database, tmp_path: Path
):
    add = "INSERT INTO comptoir.customers (book_id, customer) VALUES (1, %s) RETURNING id"
    with psycopg.connect(book.owner_url) as connection:
        connection.execute(add, ("rolled back",))
        connection.rollback()
    taken(book, tmp_path / "b.zip")
    put_back(tmp_path / "b.zip", empty)
    [(next_there,)] = rows(book.owner_url, add, "next")
    [(next_here,)] = rows(empty.owner_url, add, "next")
    assert next_here == next_there
    price = """INSERT INTO comptoir.prices (book_id, asset_id, action, version, amount)
        VALUES (1, 1, 'x', 1, 1) RETURNING id"""
    assert rows(empty.owner_url, price) == rows(book.owner_url, price) == [(1,)]


def test_the_journal_of_restored_books_is_append_only(taken_once: Path, empty: Database):
    put_back(taken_once, empty)
    with psycopg.connect(empty.owner_url, autocommit=True) as connection:
        for statement in ("UPDATE comptoir.movements SET amount = 0", "TRUNCATE comptoir.requests"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(statement.encode())


def test_a_backup_is_of_one_moment_while_others_write(
    book: Database, empty: Database, tmp_path: Path
):
    """Two rows are always written together; a copy has both or neither."""
    stop = threading.Event()
    pair = """WITH one AS (INSERT INTO comptoir.settings VALUES (%s, 'x'))
        INSERT INTO comptoir.customers (book_id, customer) VALUES (1, %s)"""

    def write() -> None:
        with psycopg.connect(book.owner_url, autocommit=True) as connection:
            for n in range(1_000_000):
                if stop.is_set():
                    return
                connection.execute(pair, (f"pair-{n}", f"pair-{n}"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(5):
            manifest = taken(book, tmp_path / f"{n}.zip")
    finally:
        stop.set()
        writer.join()
    put_back(tmp_path / "4.zip", empty)
    found = "SELECT {0} FROM comptoir.{1} WHERE {0} LIKE 'pair-%%' ORDER BY 1"
    settings = rows(empty.owner_url, found.format("name", "settings").encode())
    customers = rows(empty.owner_url, found.format("customer", "customers").encode())
    assert settings == customers
    every = rows(empty.owner_url, "SELECT count(*) FROM comptoir.settings")
    assert every == [(manifest.rows["settings"],)]
    assert len(settings) > 0


def test_nobody_is_locked_out_by_a_snapshot(book: Database):
    with (
        psycopg.connect(book.app_url) as writer,
        connect(book.owner_url) as reader,
        snapshot(reader) as live,
    ):
        before = live.count("settings")
        writer.execute("SET lock_timeout = '1s'")
        writer.execute("INSERT INTO comptoir.settings VALUES ('later', 'x')")
        writer.commit()
        assert live.count("settings") == before
        [table] = [each for each in live.tables if each.name == "settings"]
        assert len(list(live.lines(table))) == before


def test_a_digest_knows_every_bit_and_no_order():
    def digest(*lines: bytes) -> str:
        tally = Tally()
        for line in lines:
            tally.add(line)
        return f"{tally.rows} {tally.digest}"

    assert digest(b"a\n", b"b\n") == digest(b"b\n", b"a\n")
    assert len({digest(), digest(b"a\n"), digest(b"a\n", b"a\n"), digest(b"b\n")}) == 4


def test_a_backup_can_be_read_without_our_code(taken_once: Path, busy: Database):
    with ZipFile(taken_once) as opened:
        text = opened.read("movements.copy").decode()
        manifest = json.loads(opened.read("manifest.json"))
    [table] = [each for each in manifest["tables"] if each["name"] == "movements"]
    assert (
        table["rows"]
        == text.count("\n")
        == rows(busy.owner_url, "SELECT count(*) FROM comptoir.movements")[0][0]
    )
    assert manifest["revision"] == migrate.head()


# The file itself


def test_a_file_is_whole_or_not_there(tmp_path: Path):
    path = tmp_path / "b.zip"
    with pytest.raises(ZeroDivisionError), new_file(path, force=False) as file:
        file.write(b"half" * (1 // 0))
    assert list(tmp_path.iterdir()) == []
    with new_file(path, force=False) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_replaced_only_by_force(tmp_path: Path):
    path = tmp_path / "b.zip"
    path.write_bytes(b"old")
    with pytest.raises(CopyError, match="backup-exists"), new_file(path, force=False):
        pass
    with new_file(path, force=True) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_of_two_who_write_the_same_file_one_is_refused(tmp_path: Path):
    path = tmp_path / "b.zip"
    with pytest.raises(CopyError, match="backup-exists"), new_file(path, force=False):
        path.write_bytes(b"somebody else's")
    assert path.read_bytes() == b"somebody else's"
    assert list(tmp_path.iterdir()) == [path]


def test_a_backup_goes_into_a_pipe(busy: Database, empty: Database, tmp_path: Path):
    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: object) -> int:
            raise OSError

        def tell(self) -> int:
            raise OSError

    pipe = Pipe()
    backup(busy.owner_url, pipe, "1.0", (SecretIs.NONE, None), silent)
    (tmp_path / "b.zip").write_bytes(pipe.getvalue())
    put_back(tmp_path / "b.zip", empty)
    assert prints(empty.owner_url) == prints(busy.owner_url)


def test_the_secret_is_in_it_or_not(taken_once: Path, busy: Database, tmp_path: Path):
    with archive.opened(taken_once) as opened:
        assert opened.secret() == SECRET
    with (tmp_path / "b.zip").open("wb") as file:
        backup(busy.owner_url, file, "1.0", (SecretIs.ENVIRONMENT, None), silent)
    with archive.opened(tmp_path / "b.zip") as opened:
        assert opened.secret() is None


def test_a_database_without_books_has_no_backup(empty: Database):
    with pytest.raises(CopyError, match="database-empty"):
        backup(empty.owner_url, BytesIO(), "1.0", (SecretIs.NONE, None), silent)
