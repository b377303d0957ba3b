"""Migrations expand, then contract: the previous version goes on working on the new schema.

The previous version is the parent of the commit that added the newest migration, as git has it on
the main line.
A made-up migration that expands is tried too, so that the rule is tested between migrations.
"""

import asyncio
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import psycopg
import pytest

from comptoir.store.revision import OLDEST_PROGRAM, newest_revision
from tests.support.batches import assert_verified
from tests.support.postgres import Database
from tests.support.servers import Crowd, Server, add_keys, crowd, free_ports

pytestmark = [pytest.mark.pg, pytest.mark.crash, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
MIGRATIONS = Path("src/comptoir/store/migrations")
KNOWS_THE_RULE = "OLDEST_PROGRAM"

EXPANDING = """
ALTER TABLE comptoir.customers ADD COLUMN nickname text;
ALTER TABLE comptoir.movements ADD COLUMN place text;
CREATE TABLE comptoir.places (id bigint PRIMARY KEY, name text NOT NULL);
"""
REVISION = """
from pathlib import Path
from alembic import op
revision = "{new}"
down_revision = "{old}"

def upgrade():
    text = (Path(__file__).parents[1] / "sql" / "{new}_more.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
"""


@dataclass(frozen=True, slots=True)
class Version:
    """A tree of sources that `comptoir` runs from."""

    source: Path

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        return dict(given) | {"PYTHONPATH": str(self.source)}

    def place(self, server: "Versioned") -> Path:
        """Where such a process really finds the program."""
        where = [sys.executable, "-c", "import comptoir; print(comptoir.__file__)"]
        environment = self.environment(server.surroundings())
        return Path(subprocess.check_output(where, env=environment, cwd="/").decode().strip())

    def run(self, server: "Versioned", *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "comptoir.cli", *arguments],
            env=self.environment(server.surroundings()),
            cwd=server.folder,
            capture_output=True,
            text=True,
            check=False,
        )


@dataclass(slots=True)
class Versioned(Server):
    """`comptoir serve` of some version."""

    version: Version | None = None

    def surroundings(self) -> Mapping[str, str]:
        return Server._environment(self)

    def _environment(self) -> Mapping[str, str]:
        assert self.version is not None
        return self.version.environment(self.surroundings())


def git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no history here: git {arguments[0]}: {done.stderr.decode().strip()}")
    return done.stdout


def previous(folder: Path) -> Version:
    """The last version that did not know the newest migration."""
    newest = next((ROOT / MIGRATIONS / "sql").glob(f"{newest_revision()}_*.sql"))
    which = ("-m", "--first-parent", "--diff-filter=A", "--format=%H")  # a merge may have added it
    found = git("log", *which, "--", str(newest.relative_to(ROOT)))
    added = found.decode().split()
    if not added:
        pytest.skip(f"the commit that added {newest.name} is not in this history")
    commit = f"{added[-1]}^"
    if newest_revision() == "0001":
        pytest.skip("there is no older schema yet: 0001 is the newest")
    with tarfile.open(fileobj=BytesIO(git("archive", commit, "src"))) as archive:
        archive.extractall(folder, filter="data")
    return Version(folder / "src")


def current() -> Version:
    return Version(ROOT / "src")


def expanded(folder: Path) -> Version:
    """This version with one more migration, which only adds."""
    old, new = newest_revision(), f"{int(newest_revision()) + 1:04}"
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    migrations = folder / MIGRATIONS
    (migrations / "sql" / f"{new}_more.sql").write_text(EXPANDING)
    (migrations / "versions" / f"{new}_more.py").write_text(REVISION.format(old=old, new=new))
    return Version(folder / "src")


@pytest.fixture(params=["from git", pytest.param("made up", marks=pytest.mark.soak)])
def versions(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Version, Version]:
    """An older version, and the next one with a newer schema."""
    if request.param == "from git":
        return previous(tmp_path / "old"), current()
    return current(), expanded(tmp_path / "new")


async def drive(clients: Crowd, name: str) -> None:
    """One of each verb, and the proof that the books balance."""
    await clients.grant(name, "100")
    body = {"customer": name, "amount": 5}
    assert (await clients.post("/api/credits/spend", body, f"spend-{name}")).status == 200
    hold = {"customer": name, "amount": 10, "ttl_seconds": 60}
    held = await clients.post("/api/credits/holds", hold, f"hold-{name}")
    assert held.status == 201, held
    path = f"/api/credits/holds/{held.body['hold']['id']}/capture"
    taken = await clients.post(path, {"amount": 4}, f"capture-{name}")
    assert (taken.status, taken.body["balance"]["available"]) == (200, "91"), taken
    verified = await clients.get("/api/ledger/verify?full=true")
    assert verified.body["balanced"], verified


async def test_the_previous_version_works_on_the_new_schema(
    versions: tuple[Version, Version], tmp_path: Path, database: Database
):
    old, new = versions
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA comptoir CASCADE")
    [port] = free_ports(1)
    server = Versioned(tmp_path, database, port, version=old)
    assert old.place(server).is_relative_to(old.source)
    assert old.run(server, "migrate").returncode == 0
    keys = add_keys(database)
    knows_the_rule = KNOWS_THE_RULE in (old.source / "comptoir/store/revision.py").read_text()
    try:
        server.start().wait_until_ready()
        async with crowd([server], keys) as clients:
            await drive(clients, "before")
            migrated = await asyncio.to_thread(new.run, server, "migrate")
            assert migrated.returncode == 0, migrated.stderr
            await drive(clients, "after")
            if knows_the_rule:
                assert (await clients.get("/health/ready")).status == 200
        assert server.stop() == 0
        if not knows_the_rule:
            return  # this one still asks for its very own schema when it starts
        for options in ((), ("--no-migrate",)):
            server.options = options
            server.start().wait_until_ready()
            async with crowd([server], keys) as clients:
                await drive(clients, f"again{len(options)}")
            assert server.stop() == 0
    finally:
        server.kill()
    assert_verified(database)


async def test_a_version_that_a_contraction_left_behind_is_refused(
    tmp_path: Path, database: Database
):
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("UPDATE comptoir.alembic_version SET version_num = '9999'")
        connection.execute(
            "UPDATE comptoir.settings SET value = '9998' WHERE name = 'oldest-program'"
        )
    server = Versioned(tmp_path, database, 0, version=current())
    for options in ((), ("--no-migrate",)):
        ended = current().run(server, "serve", "--port", "0", *options)
        assert ended.returncode == 4
        assert "9999" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_the_oldest_program_is_one_that_there_was():
    assert "0001" <= OLDEST_PROGRAM <= newest_revision()
