"""PgBouncer in transaction mode before the PostgreSQL of the tests, on a Unix socket."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from comptoir.store.embedded.cluster import APPLICATION, OWNER, SUPERUSER

PREPARES_SINCE: Final = (1, 21)
"""The first version that knows prepared statements in transaction mode."""

_READY_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.02
_NOBODY: Final = "65534"

_SETTINGS: Final = """
[databases]
* = host={server} port=5432
[pgbouncer]
listen_addr =
listen_port = 5432
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
max_client_conn = 500
default_pool_size = 10
server_lifetime = 3600
logfile = {folder}/log
"""


def found() -> str:
    """The program; whoever has none is told how to get it, and skips the test.

    Debian keeps it in a folder that is on nobody's PATH but root's.
    """
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("no PgBouncer here: apt-get install pgbouncer")
    return program


def version() -> tuple[int, int]:
    """Which PgBouncer this machine has."""
    said = subprocess.run([found(), "--version"], capture_output=True, text=True, check=True)
    number = re.search(r"PgBouncer (\d+)\.(\d+)", said.stdout)
    assert number is not None, said.stdout
    return int(number[1]), int(number[2])


@contextmanager
def pooled(server_url: str, prepared: int = 0) -> Iterator[str]:
    """PgBouncer before the server of `server_url`; yields the same address through it.

    Args:
        server_url: a database behind a Unix socket, as the application.
        prepared: max_prepared_statements; 0 is what versions do that do not know it.
    """
    if prepared and version() < PREPARES_SINCE:
        pytest.skip(f"PgBouncer {version()} is older than prepared statements, {PREPARES_SINCE}")
    there = make_url(server_url)
    # The path of a socket must be short, which a test's own folder is not.
    with TemporaryDirectory(prefix="bouncer-") as name:
        folder = Path(name)
        more = f"max_prepared_statements = {prepared}\n" if version() >= PREPARES_SINCE else ""
        server = conninfo_to_dict(server_url)["host"]
        (folder / "ini").write_text(_SETTINGS.format(folder=folder, server=server) + more)
        users = (APPLICATION, OWNER, SUPERUSER)
        (folder / "users").write_text("".join(f'"{user}" ""\n' for user in users))
        query = {**there.query, "host": str(folder)}
        here = there.set(query=query).render_as_string(hide_password=False)
        process = subprocess.Popen([*_not_as_root(), found(), "--quiet", str(folder / "ini")])
        try:
            _wait_for(here, process, folder / "log")
            yield here
        finally:
            process.kill()
            process.wait()


def _not_as_root() -> list[str]:
    """PgBouncer refuses to run as root, as PostgreSQL does."""
    if os.geteuid() != 0:
        return []
    return ["unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}"]


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:  # bounded by the deadline
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            said = log.read_text() if log.exists() else ""
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(_POLL_SECONDS)
        else:
            return
