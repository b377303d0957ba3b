"""The watcher of a home's server: stops it when nobody uses it, starts it when it was killed.

Usage: python -m comptoir.store.embedded.watcher HOME
"""

import fcntl
import os
import select
import signal
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Final

from comptoir.store.embedded import cluster
from comptoir.store.embedded.cluster import EmbeddedError, Layout

_LOOKS: Final = 50
_LOOK_SECONDS: Final = 0.02

_STARTS: Final = 10
_STARTS_SECONDS: Final = 60.0
"""A server that dies more often than this is left alone: its log says why."""


def main(home: str) -> int:
    """Watch until nobody uses the server; returns the exit code."""
    layout = Layout(Path(home))
    for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        # Whoever ends a session means the users; once they are gone, so are we. A handler, because
        # the server would inherit that we ignore it.
        signal.signal(each, _go_on)
    watch = _open(layout, "watch")
    if not _becomes_free(watch):
        return 0
    threading.Thread(target=_revive, args=(layout,), daemon=True).start()
    use, change = _open(layout, "use"), _open(layout, "change")
    while True:  # ends when nobody uses the server
        fcntl.flock(use, fcntl.LOCK_EX)
        fcntl.flock(use, fcntl.LOCK_UN)  # whoever holds "change" may be waiting for it
        fcntl.flock(change, fcntl.LOCK_EX)
        if _is_unused(use):
            break
        fcntl.flock(change, fcntl.LOCK_UN)
    cluster.stop(layout.home)
    os.close(watch)  # before "change": whoever gets that one next must see that nobody watches
    os.close(change)
    return 0


def _becomes_free(watch: int) -> bool:
    """Take the lock of whoever watches; somebody may be looking at it just now, and hold it."""
    for _ in range(_LOOKS):
        try:
            fcntl.flock(watch, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_SECONDS)
        else:
            return True
    return False


def _go_on(_number: int, _frame: object) -> None:
    pass


def _revive(layout: Layout) -> None:
    """Start the server again when it dies while somebody uses it."""
    starts: deque[float] = deque(maxlen=_STARTS)
    change, use = _open(layout, "change"), _open(layout, "use")
    while len(starts) < _STARTS or time.monotonic() - starts[0] > _STARTS_SECONDS:
        _wait_for_end(layout)
        fcntl.flock(change, fcntl.LOCK_EX)
        try:
            if _is_unused(use):
                fcntl.flock(use, fcntl.LOCK_UN)
                return
            if not layout.pid_file.exists():
                # It tidied up after itself: stopped on purpose. Our locks end with us, so that
                # whoever has the next start finds nobody watching, and sends a new watcher.
                os._exit(0)
            if not cluster.is_running(layout):
                starts.append(time.monotonic())
                cluster.ensure_running(layout)
        except EmbeddedError as error:
            print(error, file=sys.stderr, flush=True)  # noqa: T201  # into the server's log
        finally:
            fcntl.flock(change, fcntl.LOCK_UN)


def _wait_for_end(layout: Layout) -> None:
    """Wait, without polling, until the server's process has ended."""
    pid = cluster.server_pid(layout)
    if pid is None:
        return
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([process], [], [])
    finally:
        os.close(process)


def _is_unused(use: int) -> bool:
    try:
        fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(layout: Layout, name: str) -> int:
    return os.open(layout.lock(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
