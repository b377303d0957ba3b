"""A throw-away home: an empty folder that goes away with whoever opened it, however he ends."""

import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import Final

from comptoir.cli.throwaway import sweep
from comptoir.config import Settings

BOOK: Final = 1
"""The live book: a throw-away shop is as real as it gets."""


@dataclass(frozen=True, slots=True)
class Home:
    """A folder for one run.

    Attributes:
        folder: where it is.
        locale: the language of what its servers say.
        held: a descriptor that each of its processes keeps open for as long as it lives.
        more: variables that its servers see beside those of the home.
    """

    folder: Path
    locale: str
    held: int
    more: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def settings(self) -> Settings:
        """Settings that name nothing but this home."""
        return Settings.throw_away(self.folder, self.locale)


@contextmanager
def opened(name: str, locale: str) -> Generator[Home]:
    """A home while the block runs; `name` is for whoever looks at the folder."""
    folder = Path(tempfile.mkdtemp(prefix=f"comptoir-{name}-"))
    # Its own session: the Ctrl-C of a terminal is for this process, which then closes the pipe.
    command = [sys.executable, "-P", str(sweep.__file__), str(folder)]
    with subprocess.Popen(command, stdin=PIPE, start_new_session=True) as sweeper:
        assert sweeper.stdin is not None, "a pipe was asked for"
        try:
            yield Home(folder, locale, sweeper.stdin.fileno())
        finally:  # leaving Popen waits for it
            sweeper.stdin.close()
