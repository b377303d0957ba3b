"""Where callers write down what they were told: a file, so that a long run needs no memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from comptoir.cli.torture.answers import Told

_BUFFER: Final = 256 * 1024


class Notebook:
    """A file of CSV lines, one for each thing told. Written by the tasks of one event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w", encoding="ascii", buffering=_BUFFER)

    def write(self, lines: Sequence[Told]) -> None:
        """Write down what one answer told."""
        self._file.writelines(line.row() for line in lines)

    def close(self) -> None:
        """Nothing more is told."""
        self._file.close()
