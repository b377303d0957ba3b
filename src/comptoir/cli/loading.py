"""Finding what an application has made, by the name that its operator says."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from comptoir.kit.errors import ComptoirError
from comptoir.library.jobs import Jobs

_LOOK_FOR: Final = "jobs"


def load_jobs(said: str) -> Jobs:
    """What MODULE:NAME names, looked for in the working folder as well.

    Raises:
        ComptoirError: there is nothing like that.
    """
    module, _, name = said.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found = getattr(import_module(module), name or _LOOK_FOR)
    except (ImportError, AttributeError, ValueError) as error:
        raise ComptoirError("jobs-not-found", name=said, reason=str(error)) from error
    if not isinstance(found, Jobs):
        raise ComptoirError("jobs-not-found", name=said, reason=type(found).__name__)
    return found
