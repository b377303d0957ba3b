"""Work that goes on though whoever asked for it has gone: holds are settled here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from comptoir.kit.errors import ComptoirError, Unavailable

T = TypeVar("T")

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_MARK_BYTES: Final = 8
_log: Final = logging.getLogger("comptoir")


class Settling:
    """Owns the tasks that settle holds. Leaving its context waits for them, cancelled or not.

    Each one is bounded by `patience`, in seconds: so long is tried again what nobody can decide.
    """

    def __init__(self, patience: float, randomness: Callable[[int], bytes]) -> None:
        self._patience = patience
        self._randomness = randomness
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Without the error: a group that is left by one cancels what must be done all the more.
        await self._tasks.__aexit__(None, None, None)

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T | ComptoirError]":
        """Let something run to its end, whoever waits for it or not; its error is its result."""
        return self._tasks.create_task(_caught(work))

    def mark(self) -> str:
        """What tells one renewal of a hold from the next."""
        return self._randomness(_MARK_BYTES).hex()

    async def insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something that has an idempotency key, again and again while nobody can decide.

        Raises:
            ComptoirError: it was refused, or nobody could decide for too long.
        """
        pause = _FIRST_PAUSE
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:  # bounded by the deadline
            try:
                return await work()
            except Unavailable:
                if asyncio.get_running_loop().time() + pause > deadline:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


async def _caught(work: Coroutine[Any, Any, T]) -> T | ComptoirError:
    """One that fails must not take the others of its group down with it."""
    try:
        return await work
    except ComptoirError as error:
        return error
    except Exception as error:  # noqa: BLE001  # a bug met by one hold; the others go on
        _log.error("a hold could not be settled", exc_info=error)
        return ComptoirError("internal", error=type(error).__name__)
