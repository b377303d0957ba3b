"""The processes of a home's PostgreSQL, to be killed; nobody else's is ever signalled."""

import os
import signal
from pathlib import Path

from comptoir.store.embedded import status

_CLIENT = b"postgres: comptoir_app "
"""How PostgreSQL titles the processes that serve the application's sessions."""


def kill_postmaster(home: Path) -> bool:
    """Kill the server itself; whether it ran."""
    pid = status(home).pid
    return pid is not None and _kill(pid, os.fsencode(home / "postgres"), parent=None)


def kill_backend(home: Path, number: int) -> bool:
    """Kill one of the processes that serve a session; whether there was one."""
    pid = status(home).pid
    if pid is None:
        return False
    backends = sorted(each for each in _processes() if _is(each, _CLIENT, pid))
    return bool(backends) and _kill(backends[number % len(backends)], _CLIENT, pid)


def _kill(pid: int, words: bytes, parent: int | None) -> bool:
    """Kill a process that is still what it was: its number may have been taken since."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if not _is(pid, words, parent):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return False
    else:
        return True
    finally:
        os.close(handle)


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _is(pid: int, words: bytes, parent: int | None) -> bool:
    """Whether a process has these words in its command line, and this parent."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    fields = stat.rpartition(")")[2].split()
    return words in command and (parent is None or int(fields[1]) == parent)
