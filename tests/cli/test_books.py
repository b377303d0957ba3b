"""migrate and verify from the command line, and what they say when there is no database."""

import psycopg
import pytest

from comptoir.store.migrate import head
from comptoir.web.catalogue import Exit
from tests.cli.conftest import Inside, Shell
from tests.support.postgres import Database

pytestmark = pytest.mark.pg
NOBODY = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2"}


@pytest.fixture
def empty(database: Database) -> Database:
    """The same database before its first migration."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA comptoir CASCADE")
    return database


def test_migrate_as_a_process_of_its_own(shell: Shell, empty: Database):
    assert shell("verify").code == 4
    made = shell("migrate")
    assert (made.code, made.err) == (0, "")
    assert head() in made.out
    assert shell("verify").code == 0


def test_migrate_twice_changes_nothing(inside: Inside):
    assert inside("migrate").out == inside("migrate").out


def test_migrate_prints_sql_without_a_database(inside_bare: Inside):
    ended = inside_bare("migrate", "--sql", **NOBODY)
    assert ended.code == 0
    assert "CREATE TABLE comptoir.movements" in ended.out


@pytest.mark.parametrize(
    "command",
    [
        ("migrate",),
        ("verify",),
        ("key", "list"),
        ("key", "create", "--role", "operator", "--name", "x"),
        ("credits", "balance", "--customer", "a"),
        ("credits", "grant", "--customer", "a", "--amount", "1", "--reason", "x"),
        ("serve", "--port", "0"),
    ],
    ids=" ".join,
)
def test_a_database_that_is_down_is_said_in_one_line(inside_bare: Inside, command: tuple[str, ...]):
    ended = inside_bare(*command, **NOBODY)
    assert ended.code == Exit.DEPENDENCY
    lines = [line for line in ended.err.splitlines() if not line.startswith("Idempotency-Key")]
    assert len(lines) == 1
    assert "DATABASE_URL" in lines[0]
    assert ended.out == ""


def test_readers_do_not_fill_an_empty_database(inside: Inside, empty: Database):
    ended = inside("key", "list")
    assert ended.code == Exit.DEPENDENCY
    assert "comptoir migrate" in ended.err
    with psycopg.connect(empty.owner_url) as connection:
        found = connection.execute("SELECT to_regnamespace('comptoir')").fetchone()
    assert found == (None,)


def test_writers_do(inside: Inside, empty: Database):
    made = inside("key", "create", "--role", "operator", "--name", "first", "--json")
    assert made.code == 0
    assert [key["name"] for key in inside("key", "list", "--json").json["items"]] == ["first"]


def test_another_revision_is_refused(inside: Inside, database: Database):
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("UPDATE comptoir.alembic_version SET version_num = '9999'")
        connection.execute("UPDATE comptoir.settings SET value = '9999'")
    ended = inside("credits", "balance", "--customer", "a")
    assert ended.code == Exit.DEPENDENCY
    assert "9999" in ended.err
    assert "migrate" in ended.err


def test_an_error_of_the_database_is_said_in_one_line(inside: Inside, database: Database):
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("DROP TABLE comptoir.checkpoints")
    ended = inside("verify")
    assert ended.code == Exit.DEPENDENCY
    assert "checkpoints" in ended.err
    assert ended.err.count("\n") == 1


def granted(inside: Inside) -> None:
    reason = ("--reason", "test")
    for customer in ("alice", "bob"):
        done = inside("credits", "grant", "--customer", customer, "--amount", "10", *reason)
        assert done.code == 0


def test_balanced_books(inside: Inside):
    granted(inside)
    ended = inside("verify", "--full", "--json")
    assert ended.code == 0
    assert ended.json["balanced"] is True
    assert ended.json["movements"] == 2
    assert ended.json["drift"] == []
    assert ended.json["checked_at"].endswith("Z")
    assert "balance" in inside("verify").out


def test_books_that_somebody_changed(inside: Inside, database: Database):
    granted(inside)
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE comptoir.accounts SET posted = posted + 1 WHERE posted > 0 AND id ="
            " (SELECT max(id) FROM comptoir.accounts WHERE posted > 0)"
        )
    ended = inside("verify", "--full", "--json")
    assert ended.code == Exit.NOT_BALANCED == 3
    assert ended.json["balanced"] is False
    assert "accounts" in {each["table"] for each in ended.json["drift"]}
    said = inside("verify", "--full")
    assert said.code == 3
    assert "do not balance" in said.out
    assert "accounts" in said.out


def test_more_drift_than_is_listed(inside: Inside, database: Database):
    granted(inside)
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute("UPDATE comptoir.accounts SET seal = seal + 1")
        for _ in range(7):
            connection.execute(
                "INSERT INTO comptoir.accounts (book_id, asset_id, name, bounded, seal)"
                " SELECT book_id, asset_id, name || gen_random_uuid(), false, 0"
                " FROM comptoir.accounts WHERE NOT bounded"
            )
    ended = inside("verify", "--full")
    assert ended.code == 3
    assert "There are more." in ended.out


def test_the_stand_alone_query_runs_without_our_code(inside: Inside, database: Database):
    granted(inside)
    printed = inside("verify", "--sql")
    assert printed.code == 0
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        assert connection.execute(printed.out.encode()).fetchall() == []
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute("UPDATE comptoir.accounts SET posted = posted + 1 WHERE posted > 0")
        assert connection.execute(printed.out.encode()).fetchall()
