"""serve: what it refuses, when it is ready, and how it ends, with real processes and signals."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import psycopg
import pytest
from fastapi import FastAPI

from comptoir.app import database as opened_database
from comptoir.cli import serving as serving_module
from comptoir.cli.serving import guard
from comptoir.config import Environment, Settings
from comptoir.kit.errors import ComptoirError
from tests.cli.conftest import Inside, Shell
from tests.support.postgres import Database

DEADLINE = 60.0


class Serving:
    """One `comptoir serve` that says on stderr where it listens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []

    def address(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if "http://" in line:
                return line.split()[-1]
        raise AssertionError("".join(self.said))

    def next_line(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def rest(self) -> str:
        assert self.process.stderr is not None
        return "".join([*self.said, self.process.stderr.read()])

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


@contextmanager
def serving(shell: Shell, *arguments: str, **more: str) -> Iterator[Serving]:
    process = subprocess.Popen(
        [sys.executable, "-m", "comptoir.cli", "serve", "--port", "0", *arguments],
        cwd=shell.folder,
        env=shell.environment(**more),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Serving(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stderr):
            if pipe is not None:
                pipe.close()


def answers(url: str, key: str | None = None) -> int:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    with urlopen(Request(url, headers=headers), timeout=DEADLINE) as reply:
        return reply.status


def children(parent: int) -> set[int]:
    found: set[int] = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.add(int(path.parent.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.measured
@pytest.mark.pg
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_it_serves_and_ends_well_when_asked_to(shell: Shell, number: signal.Signals):
    with serving(shell) as server:
        address = server.address()
        assert answers(f"{address}/health/ready") == 200
        made = shell("key", "create", "--role", "operator", "--name", "me", "--json").json
        assert answers(f"{address}/api/keys", made["key"]) == 200
        assert server.end(number) == 0
    assert server.said[-1].startswith("Comptoir listens on http://127.0.0.1:")


@pytest.mark.pg
def test_whoever_starts_it_on_his_own_machine_may_sign_in(shell: Shell):
    with serving(shell, COMPTOIR_ENV="development") as server:
        address = server.address()
        place = server.next_line().split()[1]
        assert place.startswith(f"{address}/login/")
        assert answers(place) == 200


@pytest.mark.pg
def test_no_log_has_what_signs_somebody_in(shell: Shell):
    with serving(shell, COMPTOIR_ENV="staging", COMPTOIR_SECRET="s" * 40) as server:
        server.address()
        assert server.end(signal.SIGTERM) == 0
        assert "/login/" not in server.rest()


@pytest.mark.pg
def test_the_ready_line_is_in_the_readers_language(shell: Shell):
    with serving(shell, COMPTOIR_LOCALE="fr") as server:
        server.address()
        assert "écoute sur" in server.said[-1]
        assert server.end(signal.SIGTERM) == 0


@pytest.mark.measured
@pytest.mark.pg
def test_several_workers_behind_one_address(shell: Shell):
    with serving(shell, "--workers", "2") as server:
        address = server.address()
        assert answers(f"{address}/health/ready") == 200
        assert answers(f"{address}/metrics") == 200
        workers = children(server.process.pid)
        assert len(workers) >= 2
        assert server.end(signal.SIGTERM) == 0
    wait_until(lambda: not any(alive(pid) for pid in workers))


@pytest.mark.pg
@pytest.mark.crash
def test_workers_do_not_outlive_a_killed_parent(shell: Shell):
    with serving(shell, "--workers", "2") as server:
        server.address()
        workers = children(server.process.pid)
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: not any(alive(pid) for pid in workers))


@pytest.mark.measured
@pytest.mark.pg
def test_it_ends_with_its_parent_when_told_to(shell: Shell):
    with serving(shell, "--exit-with-parent") as server:
        server.address()
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert server.process.wait(DEADLINE) == 0


@pytest.mark.pg
def test_a_taken_port(inside: Inside):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = inside("serve", "--port", str(port))
    assert ended.code == 4
    assert f"127.0.0.1:{port}" in ended.err
    assert "--port" in ended.err


@pytest.mark.pg
def test_an_address_that_is_not_ours(inside: Inside):
    ended = inside("serve", "--host", "192.0.2.1", "--port", "0", COMPTOIR_ENV="staging")
    assert ended.code == 4
    assert "192.0.2.1" in ended.err


@pytest.mark.pg
def test_a_database_remembers_its_environment(inside: Inside, database: Database):
    shell = inside.shell
    with serving(shell, COMPTOIR_ENV="staging") as server:
        server.address()
        assert server.end(signal.SIGTERM) == 0
    refused = inside("serve", "--port", "0", COMPTOIR_ENV="production")
    assert refused.code == 4
    assert "staging" in refused.err
    assert "--force" in refused.err
    with serving(shell, "--force", COMPTOIR_ENV="production") as server:
        server.address()
        assert server.end(signal.SIGTERM) == 0
    with psycopg.connect(database.owner_url) as connection:
        query = "SELECT value FROM comptoir.settings WHERE name = 'environment'"
        row = connection.execute(query).fetchone()
    assert row == ("staging",)


@pytest.mark.pg
def test_it_migrates_unless_told_not_to(inside: Inside, database: Database):
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA comptoir CASCADE")
    refused = inside("serve", "--port", "0", "--no-migrate")
    assert refused.code == 4
    assert "comptoir migrate" in refused.err
    with serving(inside.shell) as server:
        assert answers(f"{server.address()}/health/ready") == 200
        assert server.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("--host", "0.0.0.0"), {}, "127.0.0.1"),
        (("--host", "0.0.0.0"), {"DATABASE_URL": "postgresql://x"}, "COMPTOIR_ENV"),
        ((), {"COMPTOIR_ENV": "production"}, "DATABASE_URL"),
        ((), {"STRIPE_SECRET_KEY": "sk_live_1"}, "Stripe"),
        (("--host", "0.0.0.0"), {"COMPTOIR_ENV": "staging"}, "DATABASE_URL"),
    ],
    ids=["embedded", "unsaid", "production", "live-key", "staging"],
)
def test_what_is_refused_before_anything_is_started(
    inside_bare: Inside, arguments: tuple[str, ...], variables: dict[str, str], said: str
):
    unsaid = {"COMPTOIR_ENV": ""} | variables
    ended = inside_bare("serve", "--port", "0", *arguments, **unsaid)
    assert ended.code == 4
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert list(inside_bare.shell.folder.iterdir()) == []


def test_the_environment_is_development_only_where_nobody_else_comes():
    here = Settings.model_construct(database_url="postgresql://x")
    assert guard(here, "127.0.0.1") is Environment.DEVELOPMENT
    assert guard(here, "::1") is Environment.DEVELOPMENT
    with pytest.raises(ComptoirError, match="environment-unsaid"):
        guard(here, "10.0.0.1")
    said = Settings.model_construct(database_url="postgresql://x", env=Environment.STAGING)
    assert guard(said, "10.0.0.1") is Environment.STAGING


@pytest.mark.pg
def test_a_home_that_cannot_hold_the_secret(inside: Inside):
    (inside.shell.folder / "file").write_text("")
    home = str(inside.shell.folder / "file" / "home")
    ended = inside("serve", "--port", "0", COMPTOIR_HOME=home, COMPTOIR_SECRET="")
    assert ended.code == 4
    assert home in ended.err
    assert ended.err.count("\n") == 1


def failing() -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        raise RuntimeError("no")
        yield

    return FastAPI(lifespan=lifespan)


@pytest.mark.pg
def test_an_application_that_does_not_start(inside: Inside, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serving_module, "build", failing)
    ended = inside("serve", "--port", "0")
    assert ended.code == 4
    assert "Comptoir listens" not in ended.err


async def test_a_home_that_cannot_be_made_is_unavailable(tmp_path: Path):
    (tmp_path / "file").write_text("")
    settings = Settings.throw_away(tmp_path / "file" / "home", "en")
    with pytest.raises(ComptoirError) as caught:
        async with opened_database(settings):
            pass
    assert caught.value.code.startswith("embedded-")
