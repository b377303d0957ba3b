"""A real server on a throw-away home: a process of its own that ends with its parent."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from comptoir.cli.throwaway.home import Home
from comptoir.config import surroundings
from comptoir.kit.errors import Unavailable

_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 15
_LAST_LINES: Final = 5
_BLOCK: Final = 65_536
_ADDRESS: Final = re.compile(r"http://\S+")
_SHIFTED: Final = Path(__file__).with_name("shifted.py")


class Server:
    """One `comptoir serve` process. Waited for by one task, killed by any."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._last: deque[str] = deque(maxlen=_LAST_LINES)
        self.was_killed = False

    @classmethod
    async def start(cls, home: Home, clock: int = 0, options: Sequence[str] = ()) -> Self:
        """Start a process on a free port; `ready` says which.

        Args:
            home: its throw-away home.
            clock: seconds by which its clock is wrong.
            options: of `comptoir serve`, beside the usual ones.
        """
        program = ("-P", str(_SHIFTED), str(clock)) if clock else ("-m", "comptoir.cli")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *program,
            *("serve", "--port", "0", "--exit-with-parent", *options),
            stdin=PIPE,
            stderr=PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            cwd=home.folder,
            env=surroundings(home.folder, home.locale) | dict(home.more),
            start_new_session=True,
            pass_fds=(home.held,),
        )
        return cls(process)

    @property
    def last_lines(self) -> str:
        """What it said last."""
        return " | ".join(self._last) or "-"

    async def ready(self) -> str:
        """The address in the line that says where the server listens.

        Raises:
            Unavailable: it ends, or says no address in time.
        """
        assert self._process.stderr is not None, "a pipe was asked for"
        try:
            async with asyncio.timeout(_START_SECONDS):
                while line := (await self._process.stderr.readline()).decode(errors="replace"):
                    self._last.append(line.strip())
                    if found := _ADDRESS.search(line):
                        return found.group()
        except TimeoutError:
            pass
        raise Unavailable("throwaway-server", lines=self.last_lines)

    async def ended(self) -> None:
        """Wait for its end, reading on, so that a full pipe never stops the server."""
        assert self._process.stderr is not None, "a pipe was asked for"
        while block := await self._process.stderr.read(_BLOCK):
            self._last.extend(block.decode(errors="replace").splitlines())
        await self._process.wait()

    def kill(self) -> bool:
        """Kill it at once, whatever it is doing; whether it lived."""
        if self._process.returncode is not None:
            return False
        self.was_killed = True
        self._process.kill()
        return True

    async def stop(self, patience: float = _STOP_SECONDS) -> None:
        """Ask it to end well, which it must do in so many seconds."""
        assert self._process.stdin is not None, "a pipe was asked for"
        self._process.stdin.close()
        try:
            async with asyncio.timeout(patience):
                await self._process.wait()
        except TimeoutError:
            pass
        finally:  # also when this task is cancelled while it waits
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()
