"""backup, restore and move from the command line: what they say, and with which code they end."""

import os
import pty
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import psycopg
import pytest
from rich.console import Console

from comptoir.cli import bar as bar_module
from comptoir.cli.bar import bar
from comptoir.store import gate
from comptoir.store.gate import Gate, State
from comptoir.web.catalogue import Exit
from tests.cli.conftest import Ended, Inside, Shell
from tests.support.batches import rows
from tests.support.copies import empty_database, is_blank, prints
from tests.support.homes import Home, running_home
from tests.support.postgres import Cluster, Database

pytestmark = pytest.mark.pg


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Database]:
    with empty_database(cluster) as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "home") as made:
        yield made


def grant(run: Inside, **more: str) -> None:
    reason = ("--reason", "test")
    assert run("credits", "grant", "--customer", "a", "--amount", "9", *reason, **more).code == 0


def at(database: Database) -> dict[str, str]:
    """Settings that name this database."""
    return {"DATABASE_URL": database.app_url, "DATABASE_DIRECT_URL": database.owner_url}


def one_line(ended: Ended, code: int, words: str) -> None:
    assert (ended.code, ended.out) == (code, ""), ended
    assert words in ended.err
    assert ended.err.count("\n") == 1


def test_a_backup_and_back_again(inside: Inside, database: Database, empty: Database):
    grant(inside)
    taken = inside("backup", "b.zip")
    assert taken.code == 0
    assert "b.zip: 1 movements as of" in taken.out
    assert "secret" in taken.err
    path = inside.shell.folder / "b.zip"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    restored = inside("restore", "b.zip", **at(empty))
    assert (restored.code, "1 movements" in restored.out) == (0, True)
    assert "are restored and balance" in restored.out
    assert prints(empty.owner_url) == prints(database.owner_url)


def test_in_french(inside: Inside, empty: Database):
    grant(inside)
    taken = inside("backup", "b.zip", COMPTOIR_LOCALE="fr")
    assert "b.zip : 1 mouvements au" in taken.out
    restored = inside("restore", "b.zip", COMPTOIR_LOCALE="fr", **at(empty))
    assert "sont restaurés et justes : 1 mouvements" in restored.out
    refused = inside("restore", "b.zip", COMPTOIR_LOCALE="fr", **at(empty))
    one_line(refused, Exit.DEPENDENCY, "Il y a déjà des livres dans cette base")


def test_in_json(inside: Inside, empty: Database):
    grant(inside)
    taken = inside("backup", "b.zip", "--json").json
    assert (taken["file"], taken["secret"], taken["tables"]["movements"]) == (
        "b.zip",
        "included",
        1,
    )
    restored = inside("restore", "b.zip", "--json", **at(empty)).json
    assert restored["tables"] == taken["tables"]
    assert restored["balanced"] is True


def test_a_backup_on_stdout(shell: Shell, empty: Database):
    command = [sys.executable, "-m", "comptoir.cli", "backup", "-"]
    ended = subprocess.run(
        command, cwd=shell.folder, env=shell.environment(), capture_output=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    (shell.folder / "b.zip").write_bytes(ended.stdout)
    assert shell("restore", "b.zip", **at(empty)).code == 0


def test_a_backup_is_not_shown_on_a_terminal(shell: Shell):
    ours, theirs = pty.openpty()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "comptoir.cli", "backup", "-"],
            cwd=shell.folder, env=shell.environment(), stdout=theirs, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    assert (ended.returncode, "not for the eye" in ended.stderr) == (4, True)


def test_a_file_that_is_there_is_kept(inside: Inside):
    path = inside.shell.folder / "b.zip"
    path.write_text("mine")
    one_line(inside("backup", "b.zip"), Exit.DEPENDENCY, "--force")
    assert path.read_text() == "mine"
    assert inside("backup", "b.zip", "--force").code == 0
    assert path.read_text(errors="ignore") != "mine"


def test_a_folder_that_is_not_there(inside: Inside):
    one_line(inside("backup", "none/b.zip"), Exit.DEPENDENCY, "No such file")
    one_line(inside("restore", "none/b.zip"), Exit.DEPENDENCY, "No such file")


def test_files_that_are_no_backups(inside: Inside, empty: Database):
    (inside.shell.folder / "b.zip").write_text("hello")
    one_line(inside("restore", "b.zip", **at(empty)), Exit.DEPENDENCY, "not a backup")
    assert is_blank(empty.owner_url)


def test_books_that_do_not_balance_are_listed(inside: Inside, database: Database, empty: Database):
    grant(inside)
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute("UPDATE comptoir.accounts SET posted = posted + 1 WHERE posted > 0")
    assert inside("backup", "b.zip").code == 0, "a backup is taken of whatever there is"
    refused = inside("restore", "b.zip", **at(empty))
    assert refused.code == Exit.NOT_BALANCED == 3
    assert "Nothing was written" in refused.out
    assert "accounts" in refused.out
    assert is_blank(empty.owner_url)


def test_a_backup_that_was_changed(inside: Inside, empty: Database):
    grant(inside)
    assert inside("backup", "b.zip").code == 0
    folder = inside.shell.folder
    with ZipFile(folder / "b.zip") as old, ZipFile(folder / "c.zip", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            is_table = name.endswith(".copy")
            new.writestr(name, content.replace(b"grant", b"spend") if is_table else content)
    one_line(inside("restore", "c.zip", **at(empty)), Exit.DEPENDENCY, "is damaged")
    assert is_blank(empty.owner_url)


# The secret


def restored_into(inside: Inside, empty: Database, folder: Path, **more: str) -> Ended:
    return inside("restore", "b.zip", COMPTOIR_HOME=str(folder), **at(empty), **more)


def test_the_secret_comes_with_the_books(inside: Inside, empty: Database, tmp_path: Path):
    grant(inside)
    assert inside("backup", "b.zip").code == 0
    secret = (inside.shell.folder / "secret").read_text()
    new = tmp_path / "new"
    assert str(new / "secret") in restored_into(inside, empty, new).err
    assert (new / "secret").read_text() == secret
    assert stat.S_IMODE((new / "secret").stat().st_mode) == 0o600


def test_the_homes_own_secret_is_kept_beside_it(inside: Inside, empty: Database, tmp_path: Path):
    grant(inside)
    assert inside("backup", "b.zip").code == 0
    new = tmp_path / "new"
    new.mkdir(mode=0o700)
    (new / "secret").write_text("its own")
    said = restored_into(inside, empty, new).err
    [before] = new.glob("secret.before-*")
    assert before.read_text() == "its own"
    assert str(before) in said
    assert (new / "secret").read_text() == (inside.shell.folder / "secret").read_text()


def test_a_refused_backup_leaves_the_secret_alone(
    inside: Inside, database: Database, tmp_path: Path
):
    grant(inside)
    assert inside("backup", "b.zip").code == 0
    new = tmp_path / "new"
    new.mkdir(mode=0o700)
    (new / "secret").write_text("its own")
    assert restored_into(inside, database, new).code == Exit.DEPENDENCY
    assert (new / "secret").read_text() == "its own"


def test_a_secret_of_the_environment_is_nobodys_to_write(
    inside: Inside, empty: Database, tmp_path: Path
):
    grant(inside)
    taken = inside("backup", "b.zip", COMPTOIR_SECRET="from the environment")
    assert "COMPTOIR_SECRET is not in the file" in taken.err
    with ZipFile(inside.shell.folder / "b.zip") as opened:
        assert "secret" not in opened.namelist()
        assert b"from the environment" not in opened.read("manifest.json")
    said = restored_into(inside, empty, tmp_path / "new").err
    assert "Set COMPTOIR_SECRET" in said
    assert not (tmp_path / "new").exists()


def test_a_secret_that_is_set_is_in_force(inside: Inside, empty: Database, tmp_path: Path):
    grant(inside)
    assert inside("backup", "b.zip").code == 0
    said = restored_into(inside, empty, tmp_path / "new", COMPTOIR_SECRET="set").err
    assert "COMPTOIR_SECRET is in force" in said
    assert not (tmp_path / "new").exists()


def test_there_may_be_no_secret_yet(inside: Inside, empty: Database):
    assert "no secret yet" in inside("backup", "b.zip").err
    assert "holds no secret" in inside("restore", "b.zip", **at(empty)).err


# move


def test_a_move(inside_bare: Inside, home: Home, empty: Database):
    here = {"COMPTOIR_HOME": str(home.folder)}
    grant(inside_bare, **here)
    done = inside_bare("move", empty.owner_url, **here)
    assert done.code == 0, done.err
    assert "1 movements" in done.out
    assert "DATABASE_URL" in done.out
    assert str(home.folder / "secret") in done.err
    assert "Writes are refused" in done.err
    for command in ("serve", "verify", "migrate"):
        one_line(inside_bare(command, **here), Exit.DEPENDENCY, "have moved to")
    one_line(inside_bare("backup", "b.zip", **here), Exit.DEPENDENCY, "have moved to")
    there = inside_bare("credits", "balance", "--customer", "a", **at(empty))
    assert "a has 9 credits" in there.out


def test_a_move_in_french_and_in_json(inside_bare: Inside, home: Home, empty: Database):
    here = {"COMPTOIR_HOME": str(home.folder), "COMPTOIR_LOCALE": "fr"}
    done = inside_bare("move", empty.owner_url, "--json", COMPTOIR_SECRET="set", **here)
    assert done.json["balanced"] is True
    assert done.json["tables"]["books"] == 2
    assert "Les écritures sont refusées" in done.err
    assert "secret" not in done.err
    again = inside_bare("move", empty.owner_url, **here)
    one_line(again, Exit.DEPENDENCY, "cette copie est fermée pour de bon")


def test_a_move_leaves_the_home_whatever_the_settings_say(
    inside_bare: Inside, home: Home, empty: Database
):
    """Whoever goes to production has set that up already."""
    here = {"COMPTOIR_HOME": str(home.folder), "COMPTOIR_ENV": "production"}
    assert inside_bare("move", empty.owner_url, **here, **at(empty)).code == 0
    assert len(rows(empty.owner_url, "SELECT FROM comptoir.books")) == 2


def test_a_home_without_books(inside_bare: Inside, empty: Database):
    one_line(inside_bare("move", empty.owner_url), Exit.DEPENDENCY, "no embedded database")
    assert not list(inside_bare.shell.folder.iterdir()), "and none is made"


@pytest.mark.parametrize(
    "url", ["books", "postgresql://me:hush@127.0.0.1:1/x", "mysql://m:hush@h/x"]
)
def test_places_that_cannot_be(inside_bare: Inside, home: Home, url: str):
    ended = inside_bare("move", url, COMPTOIR_HOME=str(home.folder))
    assert (ended.code, ended.err.count("\n")) == (Exit.DEPENDENCY, 1)
    assert "hush" not in ended.err


def test_books_that_do_not_balance_do_not_move(inside_bare: Inside, home: Home, empty: Database):
    here = {"COMPTOIR_HOME": str(home.folder)}
    grant(inside_bare, **here)
    with psycopg.connect(home.database.owner_url, autocommit=True) as connection:
        connection.execute("UPDATE comptoir.accounts SET posted = posted + 1 WHERE posted > 0")
    ended = inside_bare("move", empty.owner_url, **here)
    assert (ended.code, "Nothing was written" in ended.out) == (Exit.NOT_BALANCED, True)
    assert is_blank(empty.owner_url)


@pytest.mark.parametrize(
    ("state", "words"),
    [(State.MOVING, "are moving to another"), (State.ARRIVING, "still moving into")],
)
def test_a_closed_database_is_not_served(
    inside: Inside, database: Database, state: State, words: str
):
    with psycopg.connect(database.owner_url, autocommit=True) as mover:
        mover.execute("SELECT pg_advisory_lock(%s)", (gate.LOCK,))
        gate.close(mover, Gate(state, "x", "there"))
        one_line(inside("serve", "--port", "0"), Exit.DEPENDENCY, words)
        one_line(inside("backup", "b.zip"), Exit.DEPENDENCY, words)


def test_a_bar_is_for_terminals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    with bar() as report:
        report("movements", 1, 2)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(
        bar_module, "Console", lambda stderr: Console(stderr=stderr, force_terminal=True)
    )
    with bar() as report:
        report("movements", 10, 20)
        report("movements", 20, 20)
    assert "movements" in capsys.readouterr().err
