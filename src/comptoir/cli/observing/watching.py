"""Who watches a process: its spans and unexpected errors, and the last of them when it ends."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from comptoir.cli.failures import EXPLAINED, first_cause
from comptoir.cli.observing import reports, spans
from comptoir.cli.observing.reports import Reports
from comptoir.config import Settings
from comptoir.kit.errors import ComptoirError, is_bug
from comptoir.web.server import Watch

_END_SECONDS: Final = 3.0
"""How long a process that ends may take to send the rest, however slow or dead the other side."""


@contextmanager
def reporting(settings: Settings) -> Generator[Reports]:
    """Errors go to Sentry, if the settings say so; one that ends the block unexpectedly, too."""
    begun = reports.begin(settings)
    try:
        yield begun
    except Exception as error:
        if is_unexpected(error):
            begun.tell(error, {"work": "serve"})
        raise
    finally:
        begun.flush()


def watched(settings: Settings, told: Reports | None = None) -> Watch:
    """Set up what the settings ask for in a process that serves.

    Args:
        settings: say what is sent, and where.
        told: where errors go, if that is set up already.
    """
    errors = told or reports.begin(settings)
    end = spans.begin(settings)
    ends = [errors.flush] if end is None else [errors.flush, end]

    @asynccontextmanager
    async def around() -> AsyncGenerator[None]:
        try:
            yield
        except Exception as error:
            if is_unexpected(error):
                errors.tell(error, {"work": "serve"})
            raise
        finally:
            await asyncio.to_thread(_end_all, ends)

    return Watch(errors.tell, around)


def is_unexpected(error: Exception) -> bool:
    """Whether it is a bug: the command line has one line of plain words for all others."""
    first = first_cause(error)
    if isinstance(first, ComptoirError):
        return is_bug(first)
    return not isinstance(first, EXPLAINED)


def _end_all(ends: Sequence[Callable[[], None]]) -> None:
    # Threads that do not keep the process from ending, for a dead collector may hold one for long.
    threads = [threading.Thread(target=end, daemon=True) for end in ends]
    deadline = time.monotonic() + _END_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
