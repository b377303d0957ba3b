"""How much memory PostgreSQL may keep pages in.

An index over random ids is read and written all over: once it no longer fits, each commit waits for
pages. At ten million movements 256 MB cost a third of the spends a second, and 2 GB cost none.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_MB: Final = 1024 * 1024
_SHARE: Final = 8
_LEAST: Final = 128
_MOST: Final = 2_048

_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where a container says how much of the machine it may use."""


def memory() -> int:
    """The memory of this machine, or of this container, in bytes."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in _LIMITS:
        with suppress(OSError, ValueError):  # not there, or "max"
            found.append(int(path.read_text()))
    return min(found)


def shared_buffers(bytes_: int) -> int:
    """Megabytes for pages: an eighth of the memory, which the machine has other uses for.

    They are taken when they are first used, so that a small database takes little.
    """
    return max(_LEAST, min(_MOST, bytes_ // _SHARE // _MB))
