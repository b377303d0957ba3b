"""The bundled PostgreSQL, with real processes that are killed."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest

from comptoir.store.embedded import Embedded, EmbeddedError, start, status, stop
from comptoir.store.embedded.cluster import Layout, server_pid
from comptoir.store.embedded.memory import memory, shared_buffers

DEADLINE = 20.0

USER = """
import sys
from pathlib import Path
from comptoir.store.embedded import start
share = start(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    if folder.exists():
        stop(folder)


def user(home: Path) -> subprocess.Popen[bytes]:
    """A process that uses the home's server until it is killed or its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def pid_of(home: Path) -> int | None:
    return server_pid(Layout(home.resolve()))


def watcher_of(home: Path) -> int | None:
    wanted = [b"comptoir.store.embedded.watcher", os.fsencode(home.resolve())]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if all(word in words for word in wanted):
            return int(folder.name)
    return None


def kill_watchers(home: Path) -> None:
    """All: a start that meets one which is only beginning sends a second, that soon ends."""

    def are_gone() -> bool:
        watcher = watcher_of(home)
        if watcher is not None:
            with suppress(ProcessLookupError):
                os.kill(watcher, signal.SIGKILL)
        return watcher is None

    wait_until(are_gone)


def ask(share: Embedded, query: str) -> object:
    with psycopg.connect(share.urls.app_url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("gigabytes", "megabytes"),
    [(0.5, 128), (1, 128), (2, 256), (8, 1_024), (16, 2_048), (512, 2_048)],
)
def test_an_eighth_of_the_memory_is_for_pages(gigabytes: float, megabytes: int) -> None:
    assert shared_buffers(int(gigabytes * 2**30)) == megabytes


def test_the_server_has_the_memory_that_is_for_pages(home: Path) -> None:
    with start(home) as share:
        pages = ask(share, "SELECT setting::integer FROM pg_settings WHERE name = 'shared_buffers'")
    assert pages == shared_buffers(memory()) * 1024 // 8


@pytest.mark.measured
def test_processes_share_one_server_that_stops_with_the_last(home: Path) -> None:
    first, second = user(home), user(home)
    pid = pid_of(home)
    assert pid is not None
    end(first)
    with start(home):
        assert pid_of(home) == pid
    assert status(home).running
    end(second)
    wait_until(lambda: pid_of(home) is None)
    wait_until(lambda: watcher_of(home) is None)


def test_many_processes_starting_at_once_get_one_server(home: Path) -> None:
    with ThreadPoolExecutor(6) as threads:
        users = list(threads.map(user, [home] * 6))
    try:
        postmasters = [
            folder
            for folder in Path("/proc").glob("[0-9]*")
            if _is_postmaster(folder, home.resolve() / "postgres")
        ]
        assert len(postmasters) == 1
    finally:
        for process in users:
            end(process)


def _is_postmaster(folder: Path, cluster: Path) -> bool:
    try:
        return os.fsencode(cluster) in (folder / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def test_roles_are_no_superusers_and_cannot_make_tables_in_public(home: Path) -> None:
    with start(home) as share:
        assert ask(share, "SELECT current_user::text") == "comptoir_app"
        assert ask(share, "SELECT count(*) FROM pg_roles WHERE rolsuper") == 1
        assert ask(share, "SELECT bool_or(rolcreatedb OR rolcreaterole) FROM pg_roles"
                   " WHERE rolname LIKE 'comptoir%'") is False  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(share, "CREATE TABLE public.mine (x int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(share, "CREATE SCHEMA mine")
        assert ask(share, "SELECT current_schema()::text") == "app"
        assert ask(share, "SELECT has_schema_privilege('app', 'CREATE')") is True
        for name, value in (("fsync", "on"), ("synchronous_commit", "on"),
                            ("full_page_writes", "on"), ("listen_addresses", "")):  # fmt: skip
            assert ask(share, f"SELECT current_setting('{name}')") == value
        assert ask(share, "SELECT current_setting('data_checksums')") == "on"


def test_everything_is_for_its_owner_alone_and_the_parent_is_unchanged(home: Path) -> None:
    home.parent.chmod(0o750)
    with start(home):
        loose = [
            str(path)
            for path in (home, *home.rglob("*"))
            if not path.is_symlink() and stat.S_IMODE(path.lstat().st_mode) & 0o077
        ]
    assert loose == []
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o750


def test_a_parent_that_nobody_else_may_enter_is_no_hindrance(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with start(closed / "home") as share:
        assert ask(share, "SELECT 1") == 1
    stop(closed / "home")


def test_a_long_path_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / ("long-" + "x" * 100) / "home"
    with ExitStack() as stack:
        stack.callback(stop, home)
        share = stack.enter_context(start(home))
        assert ask(share, "SELECT 1") == 1
        folder = Path((home / "socket_folder").read_text())
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_killed_watcher_and_its_users_are_healed_by_the_next_start(home: Path) -> None:
    process = user(home)
    pid = pid_of(home)
    assert watcher_of(home) is not None
    kill_watchers(home)
    end(process)
    assert pid_of(home) == pid, "nobody is left to stop it"
    with start(home):
        assert pid_of(home) == pid, "found again, not started beside itself"
        wait_until(lambda: watcher_of(home) is not None)
    wait_until(lambda: pid_of(home) is None)


def test_a_killed_server_comes_back_with_what_was_committed(home: Path) -> None:
    with start(home) as share:
        with psycopg.connect(share.urls.owner_url) as connection:
            connection.execute("CREATE SCHEMA kept")
            connection.execute("CREATE TABLE kept.rows AS SELECT 42 AS answer")
            connection.execute("GRANT USAGE ON SCHEMA kept TO comptoir_app")
            connection.execute("GRANT SELECT ON kept.rows TO comptoir_app")
        old = pid_of(home)
        assert old is not None
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: pid_of(home) not in (None, old))
        with start(home) as again:
            assert ask(again, "SELECT answer FROM kept.rows") == 42


def test_a_process_number_that_somebody_else_has_by_now_is_never_signalled(home: Path) -> None:
    with start(home):
        pass
    wait_until(lambda: pid_of(home) is None)
    stranger = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                                stdin=subprocess.PIPE)  # fmt: skip
    try:
        cluster = home / "postgres"
        note = [str(stranger.pid), str(cluster), "1", "5432", "", "", "0 0", "ready", ""]
        (cluster / "postmaster.pid").write_text("\n".join(note))
        stop(home)
        with start(home) as share:
            assert ask(share, "SELECT 1") == 1
        wait_until(lambda: pid_of(home) is None)
        assert stranger.poll() is None
    finally:
        end(stranger)


def test_a_half_made_cluster_never_counts(home: Path) -> None:
    half = home / "postgres.new-dead"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with start(home) as share:
        assert ask(share, "SELECT 1") == 1
    assert not half.exists()


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError) as refusal:
        start(tmp_path / "file" / "home")
    assert refusal.value.code == "embedded-home"


@pytest.mark.parametrize("name", ["l'atelier", "a,b", "$(touch pwned)", 'a "b" c'])
def test_a_path_is_only_a_path(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / name / "home"
    with start(home) as share:
        assert ask(share, "SELECT 1") == 1
    stop(home)
    assert not list(tmp_path.rglob("pwned"))


def test_a_folder_with_other_things_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "letter.txt").write_text("not ours")
    with pytest.raises(EmbeddedError) as refusal:
        start(shared)
    assert refusal.value.code == "embedded-occupied"
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755
    assert [path.name for path in shared.iterdir()] == ["letter.txt"]


def test_a_server_that_was_stopped_on_purpose_stays_so_until_the_next_start(home: Path) -> None:
    with start(home):
        stop(home)
        wait_until(lambda: watcher_of(home) is None)
        assert pid_of(home) is None
        with start(home) as again:
            assert ask(again, "SELECT 1") == 1
            wait_until(lambda: watcher_of(home) is not None)
    wait_until(lambda: pid_of(home) is None)


def test_surroundings_do_not_part_the_processes_of_a_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "5999")
    process = user(home)
    monkeypatch.delenv("PGPORT")
    with start(home) as share:
        assert ask(share, "SELECT 1") == 1
    end(process)


def _catches(pid: int | None, signal_: signal.Signals) -> bool:
    if pid is None:
        return False
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(line for line in lines if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal_ - 1) & 1)


def test_ending_a_session_does_not_end_the_watch(home: Path) -> None:
    with start(home):
        wait_until(lambda: _catches(watcher_of(home), signal.SIGTERM))
        watcher = watcher_of(home)
        assert watcher is not None
        os.kill(watcher, signal.SIGTERM)
    wait_until(lambda: pid_of(home) is None)


def test_values_stay_out_of_the_log(home: Path) -> None:
    with start(home) as share, psycopg.connect(share.urls.owner_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA people")
        connection.execute("CREATE TABLE people.mails (mail text PRIMARY KEY)")
        connection.execute("INSERT INTO people.mails VALUES ('jo@example.org')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people.mails VALUES ('jo@example.org')")
    log = (home / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "jo@example.org" not in log
