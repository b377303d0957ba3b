"""The peers' own virtual environment, and a shop of django-oscar in it that listens."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bench.client import HOST
from bench.serving import free_port

HERE: Final = Path(__file__).parent
SHOP: Final = HERE / "race_shop" / "shop.py"
"""In a folder of its own: modules beside it would hide others of the standard library."""

PROCESSES, THREADS = 2, 10
"""Together as many as there are buyers, so that nobody waits for another's request to end."""

_LIST: Final = HERE / "race-peers.txt"
_DATABASE: Final = "race_oscar"
_POLL_SECONDS: Final = 0.05
_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 15.0


class NotHere(Exception):
    """The peers cannot be installed on this machine."""


def cache() -> Path:
    """Where the environment is kept, outside of the tree: one for each list of packages."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    mark = sha256(_LIST.read_bytes()).hexdigest()[:12]
    return Path(root) / "comptoir-bench" / f"race-{mark}"


def python() -> Path:
    """The Python of the peers' environment, which is made once.

    Raises:
        NotHere: the package index has not got what is pinned, or cannot be reached.
    """
    folder = cache()
    found, done = folder / "bin" / "python", folder / "complete"
    if not done.exists():
        install = ["-m", "pip", "install", "-q", "--require-hashes", "-r", str(_LIST)]
        for command in ([sys.executable, "-m", "venv", str(folder)], [str(found), *install]):
            ended = subprocess.run(command, check=False, capture_output=True, text=True)
            if ended.returncode:
                raise NotHere(ended.stderr.strip()[-500:])
        done.touch()
    return found


class Shop:
    """The shop: its database, and where it listens."""

    def __init__(self, url: str, python_: Path) -> None:
        there = {k: str(v) for k, v in conninfo_to_dict(url).items() if v is not None}
        names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
        self._there = {f"DATABASE_{name}": there.get(key, "") for name, key in names.items()}
        self._there["DATABASE_NAME"] = _DATABASE
        self._python = python_
        self.url = make_conninfo(url, dbname=_DATABASE)
        self.versions = ""
        self.port = 0
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {_DATABASE}")

    def prepare(self) -> None:
        """Make its tables."""
        self.versions = self._run("prepare")

    def put(self, name: str, units: int) -> int:
        """Sell so many of a product; its id."""
        return int(self._run("stock", name, str(units)))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """While the block runs, it listens with so many processes and threads."""
        self.port = free_port()
        bound = ("--bind", f"{HOST}:{self.port}", "--workers", str(PROCESSES))
        threads = ("--worker-class", "gthread", "--threads", str(THREADS))
        command = [str(self._python), "-m", "gunicorn", *bound, *threads, "--no-control-socket"]
        shop = ("--log-level", "error", f"{SHOP.stem}:application")
        process = await asyncio.to_thread(self._launch, [*command, *shop])
        try:
            await self._reach(process)
            yield
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, _STOP_SECONDS)

    def _launch(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=SHOP.parent, env=self._surroundings())

    async def _reach(self, process: subprocess.Popen[bytes]) -> None:
        async with asyncio.timeout(_READY_SECONDS):
            while True:  # bounded by the timeout
                if process.poll() is not None:
                    raise SystemExit("django-oscar's server did not start")
                try:
                    _, writer = await asyncio.open_connection(HOST, self.port)
                except ConnectionRefusedError:
                    await asyncio.sleep(_POLL_SECONDS)
                else:
                    writer.close()
                    return

    def _run(self, *arguments: str) -> str:
        command = [str(self._python), SHOP.name, *arguments]
        there = self._surroundings()
        ended = subprocess.run(
            command, cwd=SHOP.parent, env=there, check=False, capture_output=True, text=True
        )
        if ended.returncode:
            raise SystemExit(f"django-oscar: {ended.stderr[-2000:]}")
        return ended.stdout.strip()

    def _surroundings(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return kept | self._there
