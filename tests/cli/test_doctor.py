"""The doctor: each check finds what it is there to find, and says nothing when all is well."""

import ast
import re
import shutil
import string
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

import comptoir
from comptoir.cli.doctor import machine
from comptoir.cli.doctor.findings import FINDINGS
from comptoir.cli.doctor.line import State
from comptoir.store import gate
from comptoir.store.checkup import (
    Pooling,
    check_pooler,
    check_schema,
    check_server,
    pooling,
    schema,
    server,
)
from comptoir.store.gate import Gate
from comptoir.web.catalogue import Exit
from tests.cli.conftest import Inside
from tests.support.batches import rows
from tests.support.busy import copied, fill
from tests.support.copies import empty_database
from tests.support.homes import running_home, throw_away
from tests.support.pgbouncer import pooled
from tests.support.postgres import Cluster, Database

pytestmark = pytest.mark.pg
LONG = "0123456789abcdef" * 4
CHECKS = {
    "settings", "home", "secret", "tokens", "redis", "email", "rates", "stripe", "database",
    "addresses",
    "version", "encoding",
    "durability", "commits", "autovacuum", "collation", "connections", "clock", "revision", "gate",
    "roles", "triggers", "tables", "verified", "environment", "pooler",
}  # fmt: skip


@pytest.fixture
def fine(inside: Inside) -> Inside:
    """The command line on a database and in a home with nothing to complain about."""
    inside.shell.folder.chmod(0o700)
    return inside


def seen(run: Inside, **more: str) -> dict[str, str]:
    """What the doctor finds, by check; its exit code must fit."""
    ended = run("doctor", "--json", **more)
    found = {each["check"]: each["code"] for each in ended.json["checks"]}
    failed = any(FINDINGS[code].state is State.FAILED for code in found.values())
    assert ended.json["healthy"] is not failed
    assert ended.code == (Exit.DEPENDENCY if failed else Exit.DONE), found
    return found


def at(database: Database) -> dict[str, str]:
    return {"DATABASE_URL": database.app_url, "DATABASE_DIRECT_URL": database.owner_url}


def change(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def alter_database(database: Database, setting: str) -> None:
    change(
        database.superuser_url,
        f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {setting}', current_database()); END $$",
    )


def test_all_is_well(fine: Inside):
    """But for the disk, for which the server of all tests does not wait."""
    found = seen(fine)
    assert found.keys() == CHECKS
    troubles = {code for code in found.values() if FINDINGS[code].state is not State.OK}
    assert troubles == {"durability-off"}


def test_for_people_in_both_languages(fine: Inside):
    english = fine("doctor", DATABASE_DIRECT_URL="postgresql://me:hush@127.0.0.1:1/x")
    french = fine(
        "doctor", DATABASE_DIRECT_URL="postgresql://me:hush@127.0.0.1:1/x", COMPTOIR_LOCALE="fr"
    )
    assert english.code == french.code == Exit.DEPENDENCY
    assert "FAILED       PostgreSQL refuses" in english.out
    assert "-> Correct DATABASE_URL" in english.out
    assert "ÉCHEC        PostgreSQL refuse" in french.out
    assert "-> Corrigez DATABASE_URL" in french.out
    assert english.out.splitlines()[-1] == "Checks: 9; failed: 1; warnings: 0."
    assert "hush" not in english.out + french.out


# The table of findings


def codes_in_sources() -> set[str]:
    """Every literal that names a finding, in the files that make them."""
    package = Path(comptoir.__file__).parent
    files = [*(package / "store/checkup").glob("*.py"), *(package / "cli/doctor").glob("*.py")]
    made = [path.read_text() for path in files if not path.name.startswith("findings")]
    found = {
        node.value
        for text in made
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return found | {f"pooler-{each}" for each in Pooling}


def test_every_finding_of_the_table_is_made_somewhere():
    assert FINDINGS.keys() - codes_in_sources() == set()


def test_every_check_that_is_made_has_its_findings():
    text = "".join(
        path.read_text()
        for folder in ("store/checkup", "cli/doctor")
        for path in (Path(comptoir.__file__).parent / folder).glob("*.py")
    )
    literal = set(re.findall(r'Finding\(\s*"[a-z]+",\s*"([a-z-]+)"', text))
    assert len(literal) > 30
    assert literal <= FINDINGS.keys()


@pytest.mark.parametrize("code", FINDINGS)
def test_a_finding_is_said_in_both_languages_with_its_fix(code: str):
    def figures(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    line = FINDINGS[code]
    for english, french in (line.found, line.fix):
        assert figures(english) == figures(french)
    assert all(line.found)
    assert all(line.fix) == (line.state is not State.OK)


# Reaching it


def test_a_database_that_is_away(fine: Inside):
    found = seen(fine, DATABASE_URL="postgresql://127.0.0.1:1/none")
    assert found["database"] == "database-broken"
    assert "version" not in found


def test_two_databases(fine: Inside, cluster: Cluster):
    with cluster.database() as other:
        assert seen(fine, DATABASE_DIRECT_URL=other.owner_url)["addresses"] == "addresses-differ"


def test_a_pooler_that_gives_a_connection_to_many(database: Database):
    with pooled(database.app_url) as url:
        assert pooling(url) is Pooling.TRANSACTION
        codes = [each.code for each in check_pooler(url, database.owner_url)]
        assert codes == ["pooler-transaction", "prepared-leak"]
        assert [each.code for each in check_pooler(url, url)] == ["pooler-direct", "prepared-leak"]


def test_no_prepared_statement_is_left_with_the_pooler(database: Database):
    with pooled(database.app_url) as url:
        list(check_pooler(url, database.owner_url))
        assert rows(url, b"SELECT name FROM pg_prepared_statements") == []


def test_no_pooler(database: Database):
    assert pooling(database.app_url) is Pooling.NONE


# The server


def test_an_old_server(fine: Inside, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "OLDEST", 990_000)
    assert seen(fine)["version"] == "version-old"


def test_another_encoding(fine: Inside, cluster: Cluster):
    with empty_database(cluster, "ENCODING 'SQL_ASCII' LOCALE 'C'") as other:
        found = seen(fine, DATABASE_URL=other.owner_url, DATABASE_DIRECT_URL="")
    assert found["encoding"] == "encoding-other"


def test_commits_that_nobody_waits_for(fine: Inside, database: Database):
    alter_database(database, "SET synchronous_commit = off")
    assert seen(fine)["commits"] == "commits-off"


def test_a_database_with_few_connections(fine: Inside, database: Database):
    alter_database(database, "CONNECTION LIMIT 20")
    assert seen(fine)["connections"] == "connections-few"
    alter_database(database, "CONNECTION LIMIT 30")
    assert seen(fine)["connections"] == "connections-one"
    alter_database(database, "CONNECTION LIMIT 300")
    assert seen(fine)["connections"] == "connections"


def test_a_table_that_is_not_vacuumed(fine: Inside, database: Database):
    change(database.owner_url, "ALTER TABLE comptoir.lots SET (autovacuum_enabled = false)")
    assert seen(fine)["autovacuum"] == "autovacuum-off-tables"


def test_another_collation(fine: Inside, database: Database):
    change(
        database.superuser_url,
        "UPDATE pg_database SET datcollversion = '1.0' WHERE datname = current_database()",
    )
    assert seen(fine)["collation"] == "collation-changed"


@pytest.mark.parametrize(("ahead", "code"), [(5.0, "clock-differs"), (-5.0, "clock-differs")])
def test_clocks_that_differ(database: Database, ahead: float, code: str):
    with psycopg.connect(database.app_url, autocommit=True) as connection:
        [(there,)] = connection.execute("SELECT extract(epoch FROM now())::float8").fetchall()
        found = {
            each.check: each.code
            for each in check_server(connection, lambda: int((there + ahead) * 1_000_000))
        }
    assert found["clock"] == code


def test_a_server_that_forgets(inside_bare: Inside):
    """What only the whole server can be told, on a server of this test alone."""
    with throw_away() as folder, running_home(folder) as home:
        superuser = home.database.superuser_url

        def found(*settings: str) -> dict[str, str]:
            change(
                superuser, *(f"ALTER SYSTEM SET {each}" for each in settings),
                "SELECT pg_reload_conf()", "SELECT pg_sleep(0)",
            )  # fmt: skip
            return seen(inside_bare, COMPTOIR_HOME=str(home.folder))

        assert found()["durability"] == "durability"
        off = found("fsync = off", "full_page_writes = off", "autovacuum = off")
        assert off["durability"] == "durability-off"
        assert off["autovacuum"] == "autovacuum-off"
        on = found("fsync = on", "full_page_writes = on", "synchronous_standby_names = 'x'")
        assert (on["durability"], on["commits"]) == ("durability", "commits-replicated")
        assert found("synchronous_commit = local")["commits"] == "commits-not-awaited"


# The tables


def test_a_database_without_books(fine: Inside, cluster: Cluster):
    with empty_database(cluster) as other:
        found = seen(fine, DATABASE_URL=other.owner_url, DATABASE_DIRECT_URL="")
    assert found["revision"] == "revision-none"
    assert "roles" not in found


@pytest.mark.parametrize(
    ("there", "oldest", "code"),
    [
        ("9999", "9998", "revision-newer"),
        ("9999", "0001", "revision-grown"),
        ("0000", "0000", "revision-older"),
    ],
)
def test_another_revision(
    fine: Inside,
    database: Database,
    there: str,
    oldest: str,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("comptoir.store.migrate.knows", lambda revision: revision == "0000")
    change(database.owner_url, f"UPDATE comptoir.alembic_version SET version_num = '{there}'")
    change(
        database.owner_url,
        f"UPDATE comptoir.settings SET value = '{oldest}' WHERE name = 'oldest-program'",
    )
    assert seen(fine)["revision"] == code


@pytest.mark.parametrize("state", gate.State)
def test_books_that_move(fine: Inside, database: Database, state: gate.State):
    with psycopg.connect(database.owner_url, autocommit=True) as mover:
        mover.execute("SELECT pg_advisory_lock(%s)", (gate.LOCK,))
        gate.close(mover, Gate(state, "x", "db.example/books"))
        assert seen(fine)["gate"] == f"gate-{state}"


def test_a_move_that_was_broken_off(fine: Inside, database: Database):
    with psycopg.connect(database.owner_url, autocommit=True) as mover:
        gate.close(mover, Gate(gate.State.MOVING, "x", "db.example/books"))
    assert seen(fine)["gate"] == "gate-left"
    assert "db.example/books" in fine("doctor").out


def test_roles_that_may_too_much(fine: Inside, database: Database):
    assert seen(fine, DATABASE_URL=database.superuser_url)["roles"] == "roles-superuser"
    assert seen(fine, DATABASE_URL=database.owner_url)["roles"] == "roles-owner"
    change(database.owner_url, "GRANT UPDATE ON comptoir.movements TO comptoir_app")
    assert seen(fine)["roles"] == "roles-may-change"


def test_a_role_that_may_too_little(fine: Inside, database: Database):
    change(database.owner_url, "REVOKE INSERT ON comptoir.requests FROM comptoir_app")
    assert seen(fine)["roles"] == "roles-no-rights"
    change(database.owner_url, "REVOKE SELECT ON comptoir.alembic_version FROM comptoir_app")
    assert seen(fine)["roles"] == "roles-no-rights"


@pytest.mark.parametrize(("table", "trigger"), sorted(schema.GUARDS))
def test_a_trigger_that_is_off(fine: Inside, database: Database, table: str, trigger: str):
    change(database.owner_url, f"ALTER TABLE comptoir.{table} DISABLE TRIGGER {trigger}")
    assert seen(fine)["triggers"] == "triggers-off"
    assert trigger in fine("doctor").out
    change(database.owner_url, f"DROP TRIGGER {trigger} ON comptoir.{table}")
    assert seen(fine)["triggers"] == "triggers-off"


def test_every_trigger_of_the_migrations_is_looked_at(database: Database):
    query = """SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'comptoir'::regnamespace AND NOT t.tgisinternal
            AND left(c.relname, 14) <> 'procrastinate_'"""  # the queue's own keep its events
    assert set(rows(database.owner_url, query)) == schema.GUARDS


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("ALTER TABLE comptoir.notes SET UNLOGGED", "notes"),
        ("ALTER TABLE comptoir.notes ADD CONSTRAINT later CHECK (version > 0) NOT VALID", "later"),
        ("CREATE UNIQUE INDEX CONCURRENTLY twice ON comptoir.accounts (book_id)", "twice"),
    ],
    ids=["unlogged", "not validated", "not valid"],
)
def test_tables_that_are_not_in_force(fine: Inside, database: Database, statement: str, name: str):
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.errors.UniqueViolation:
            assert name == "twice"
    assert seen(fine)["tables"] == "tables-wrong"
    assert name in fine("doctor").out


async def test_movements_that_nobody_has_verified(database: Database):
    await fill(database)

    def found(book: Database) -> tuple[str, object]:
        with psycopg.connect(book.app_url, autocommit=True) as connection:
            [last] = [each for each in check_schema(connection) if each.check == "verified"]
        return last.code, last.figures["movements"]

    # The story of these books happens in 1970.
    with copied(database) as book:
        code, movements = found(book)
        assert code == "verified-long-ago"
        assert movements == len(rows(book.owner_url, "SELECT FROM comptoir.movements"))
        change(
            book.owner_url,
            """INSERT INTO comptoir.checkpoints
            SELECT book_id, id, version, posted, held, debt, at FROM comptoir.accounts""",
        )
        assert found(book) == ("verified", 0)


def test_another_environment(fine: Inside, database: Database):
    assert seen(fine)["environment"] == "environment-new"
    change(database.owner_url, "INSERT INTO comptoir.settings VALUES ('environment', 'staging')")
    assert seen(fine)["environment"] == "environment-differs"
    assert seen(fine, COMPTOIR_ENV="staging")["environment"] == "environment-same"


# This machine


def test_settings_that_the_embedded_database_is_not_for(inside_bare: Inside):
    production = seen(inside_bare, COMPTOIR_ENV="production")
    assert production["settings"] == "settings-embedded-in-production"
    live = seen(inside_bare, STRIPE_SECRET_KEY="sk_live_x")
    assert live["settings"] == "settings-embedded-live-key"
    assert "sk_live_x" not in inside_bare("doctor", STRIPE_SECRET_KEY="sk_live_x").out


def test_a_home_without_a_database(inside_bare: Inside):
    found = seen(inside_bare)
    assert (found["settings"], found["database"]) == ("settings-embedded", "database-none")
    assert list(inside_bare.shell.folder.iterdir()) == [], "and none is made"


def test_homes(fine: Inside, monkeypatch: pytest.MonkeyPatch):
    folder = fine.shell.folder
    (folder / "secret").write_text("x")
    (folder / "secret").chmod(0o644)
    assert seen(fine)["home"] == "home-open"
    (folder / "secret").chmod(0o600)
    assert seen(fine)["home"] == "home"
    folder.chmod(0o750)
    assert seen(fine)["home"] == "home-open"
    assert seen(fine, COMPTOIR_HOME=str(folder / "none"))["home"] == "home-none"
    monkeypatch.setattr(machine.os, "geteuid", lambda: 4_711)
    assert seen(fine)["home"] == "home-not-ours"


@pytest.mark.parametrize(
    ("free", "code"), [(50 * 1024**2, "disk-full"), (500 * 1024**2, "disk-low"), (1024**4, "disk")]
)
def test_disks(inside_bare: Inside, monkeypatch: pytest.MonkeyPatch, free: int, code: str):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert seen(inside_bare)["disk"] == code


def test_secrets(fine: Inside):
    assert seen(fine)["secret"] == "secret-kept"
    assert seen(fine, COMPTOIR_ENV="production")["secret"] == "secret-unset"
    assert seen(fine, COMPTOIR_SECRET="short")["secret"] == "secret-short"
    assert seen(fine, COMPTOIR_SECRET=LONG, COMPTOIR_ENV="production")["secret"] == "secret"


def test_tokens(fine: Inside):
    assert seen(fine)["tokens"] == "tokens"
    assert seen(fine, COMPTOIR_ENV="production")["tokens"] == "tokens-metrics-open"
    assert seen(fine, METRICS_TOKEN=LONG, COMPTOIR_ENV="production")["tokens"] == "tokens"
    assert seen(fine, ADMIN_API_TOKEN="short")["tokens"] == "tokens-short"
    assert seen(fine, METRICS_TOKEN="short")["tokens"] == "tokens-short"
