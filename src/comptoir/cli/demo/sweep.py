"""Run as a file of its own: removes the demo's folder when the demo was killed and could not.

Usage: sweep.py FOLDER, with a pipe on stdin that closes when the demo ends, however it ends.
"""

import shutil
import sys
import time
from pathlib import Path
from typing import Final

_TRIES: Final = 300
_PAUSE: Final = 0.2


def main(folder: Path) -> None:
    """Wait for the end of the demo, then for PostgreSQL's, then remove what is left."""
    sys.stdin.buffer.read()
    for _ in range(_TRIES):
        if not any(folder.rglob("postmaster.pid")):
            break
        time.sleep(_PAUSE)
    # PostgreSQL's socket lies elsewhere when its path in the folder would be too long.
    note = folder / "socket_folder"
    if note.exists():
        shutil.rmtree(note.read_text(), ignore_errors=True)
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_PAUSE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
