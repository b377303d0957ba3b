"""Using the bundled PostgreSQL: take a share of it, start it when need be, have it watched."""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from comptoir.store.embedded import cluster
from comptoir.store.embedded.cluster import EmbeddedError, Layout, Urls

_LOCK_SECONDS: Final = 90.0
_POLL_SECONDS: Final = 0.02
_WATCHER: Final = "comptoir.store.embedded.watcher"


class Embedded:
    """A share of a home's server; the server runs at least until `close`.

    One process may hold several shares. Not for use after a fork.
    """

    def __init__(self, home: Path, urls: Urls, share: int) -> None:
        self.home = home
        self.urls = urls
        self._share = share

    def close(self) -> None:
        """Let go of the share; whoever is last lets the watcher stop the server."""
        if self._share >= 0:
            os.close(self._share)
            self._share = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def start(home: Path) -> Embedded:
    """A share of the server of `home`, which is made and started when it is not there.

    Raises:
        EmbeddedError: it cannot be made, started, or used.
    """
    layout = cluster.make_home(home)
    change = _lock(layout, "change", fcntl.LOCK_EX)
    try:
        share = _lock(layout, "use", fcntl.LOCK_SH)
        try:
            _watch(layout)  # first: whoever is killed from here on leaves nothing running
            cluster.ensure_running(layout)
            cluster.prepare(layout)
            _watch(layout)  # again: the first look may have met a watcher that was just ending
        except BaseException:
            os.close(share)
            raise
    finally:
        os.close(change)
    return Embedded(layout.home, cluster.urls(layout), share)


def _lock(layout: Layout, name: str, kind: int) -> int:
    """Take a lock on a file; closing the descriptor lets go of it, as does being killed."""
    descriptor = os.open(layout.lock(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:  # bounded by the deadline
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise EmbeddedError("embedded-locked", home=str(layout.home)) from None
            time.sleep(_POLL_SECONDS)
        else:
            return descriptor


def _watch(layout: Layout) -> None:
    """Start a watcher unless there is one: it holds the lock "watch" for as long as it lives."""
    descriptor = os.open(layout.lock("watch"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
    log = os.open(layout.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        # setsid (util-linux, wherever PATH has it) forks: the watcher is nobody's child.
        subprocess.run(
            ["setsid", "--fork", sys.executable, "-m", _WATCHER, str(layout.home)],  # noqa: S607  # wherever PATH has it
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=layout.home,
            check=True,
        )
    finally:
        os.close(log)
