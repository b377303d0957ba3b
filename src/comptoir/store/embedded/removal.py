"""Removing a home: for throw-away ones, of demos and of tests."""

import shutil
import time
from pathlib import Path
from typing import Final

from comptoir.store.embedded.cluster import abort

_TRIES: Final = 300
_PAUSE: Final = 0.2


def remove(home: Path) -> None:
    """Stop a home's server and remove the home with all that is in it.

    A watcher that is just ending may still write there, so that this may take several tries.

    Raises:
        EmbeddedError: the server does not go.
        OSError: somebody goes on writing there for a minute.
    """
    for _ in range(_TRIES):
        abort(home)
        # PostgreSQL's socket lies elsewhere when its path in the home would be too long.
        note = home / "socket_folder"
        if note.exists():
            shutil.rmtree(note.read_text(), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
        if not home.exists():
            return
        time.sleep(_PAUSE)
    shutil.rmtree(home)
