"""Homes with an embedded database of their own, and real processes that work on them."""

import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from comptoir.config import surroundings
from comptoir.store.embedded import remove, start
from comptoir.store.migrate import migrate
from tests.support.postgres import Database
from tests.support.servers import Server

_SECONDS: Final = 60.0


@contextmanager
def throw_away() -> Generator[Path]:
    """A place for a home, with a short path; it goes when the block ends, whoever writes there."""
    folder = Path(mkdtemp(prefix="home-"))
    try:
        yield folder / "home"
    finally:
        remove(folder / "home")
        folder.rmdir()


@dataclass(frozen=True, slots=True)
class Home:
    """A home whose embedded database runs as long as the test."""

    folder: Path
    database: Database

    def process(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """`comptoir` on this home."""
        return subprocess.Popen(
            [sys.executable, "-m", "comptoir.cli", *arguments],
            env=surroundings(self.folder, "en") | more,
            cwd=self.folder.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **more: str) -> tuple[int, str]:
        """The exit code and what was said."""
        process = self.process(*arguments, **more)
        out, err = process.communicate(timeout=_SECONDS)
        assert "Traceback" not in err, err
        return process.returncode, out + err


class HomeServer(Server):
    """A server of a home's embedded database, with the secret that is kept there."""

    def _environment(self) -> Mapping[str, str]:
        return surroundings(self.folder, "en")


@contextmanager
def running_home(folder: Path, *, empty: bool = False) -> Generator[Home]:
    """A home, migrated unless it is to be empty."""
    folder.mkdir(mode=0o700)
    with start(folder) as embedded:
        urls = embedded.urls
        if not empty:
            migrate(urls.owner_url)
        yield Home(folder, Database(urls.owner_url, urls.app_url, urls.superuser_url))


@contextmanager
def up(server: Server) -> Generator[Server]:
    """A server that is ready; it is killed when the block ends."""
    try:
        yield server.start().wait_until_ready()
    finally:
        server.kill()
