"""Run as a file of its own: removes a throw-away home, also when its opener was killed.

Usage: sweep.py FOLDER, with a pipe on stdin whose other end the opener and his servers hold open,
so that it closes when all of them have ended, however they end.
"""

import sys
from pathlib import Path

from comptoir.store.embedded import remove


def main(folder: Path) -> None:
    """Wait for the end of all, stop their PostgreSQL, and remove their folders."""
    sys.stdin.buffer.read()
    remove(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
