"""Run as a file of its own: removes a throw-away home, also when its opener was killed.

Usage: sweep.py FOLDER, with a pipe on stdin whose other end the opener and his servers hold open,
so that it closes when all of them have ended, however they end.
"""

import shutil
import sys
import time
from pathlib import Path
from typing import Final

from comptoir.store.embedded import stop

_TRIES: Final = 300
_PAUSE: Final = 0.2


def main(folder: Path) -> None:
    """Wait for the end of all, stop their PostgreSQL, and remove their folders."""
    sys.stdin.buffer.read()
    for _ in range(_TRIES):
        stop(folder)
        # PostgreSQL's socket lies elsewhere when its path in the folder would be too long.
        note = folder / "socket_folder"
        if note.exists():
            shutil.rmtree(note.read_text(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_PAUSE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
