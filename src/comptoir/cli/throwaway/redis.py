"""A Redis of a throw-away home, where this machine has the program: killed, frozen and flushed."""

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path
from typing import Final

_MORTAL: Final = Path(__file__).with_name("mortal.py")
_PROGRAMS: Final = ("redis-server", "valkey-server")
_COMES_BACK: Final = 0.5
"""Seconds after which one that was killed is started again."""

_SAYS: Final = 1.0


def find_program() -> str | None:
    """The program of a Redis, if there is one."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


class Redis:
    """One Redis on a socket of the home, started again whenever it has ended. Keeps nothing."""

    def __init__(self, folder: Path, program: str) -> None:
        self._program = program
        self._folder = folder
        self._process: Process | None = None

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"unix://{self._socket}"

    async def keep(self) -> None:
        """Keep it running until cancelled."""
        while True:  # until cancelled
            self._process = await self._started()
            try:
                await self._process.wait()
            finally:
                if self._process.returncode is None:
                    self._process.kill()
                    await self._process.wait()
                self._process = None
            await asyncio.sleep(_COMES_BACK)

    def kill(self) -> bool:
        """End it at once, and with it all that it had; whether it ran."""
        return self._signal(signal.SIGKILL)

    async def freeze(self, seconds: float) -> bool:
        """Let it hold its connections for a while and do nothing; whether it ran."""
        if not self._signal(signal.SIGSTOP):
            return False
        try:
            await asyncio.sleep(seconds)
        finally:
            self._signal(signal.SIGCONT)
        return True

    async def flush(self) -> bool:
        """Let it forget everything; whether it said so."""
        try:
            async with asyncio.timeout(_SAYS):
                reader, writer = await asyncio.open_unix_connection(self._socket)
                try:
                    writer.write(b"FLUSHALL\r\nSCRIPT FLUSH\r\n")
                    return await reader.readline() == b"+OK\r\n"
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    @property
    def _socket(self) -> str:
        return str(self._folder / "redis.sock")

    async def _started(self) -> Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(_MORTAL), str(os.getpid())),
            *(self._program, "--port", "0", "--unixsocket", self._socket, "--save", ""),
            cwd=self._folder,
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,
        )

    def _signal(self, number: signal.Signals) -> bool:
        if self._process is None or self._process.returncode is not None:
            return False
        self._process.send_signal(number)
        return True
