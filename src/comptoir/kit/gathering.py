"""Concurrent calls of one process that share a round trip."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, Self, TypeVar

from comptoir.kit.errors import Unavailable

Q = TypeVar("Q")
A = TypeVar("A")

_ROOM: Final = 20_000
_WORTH: Final = 16
"""Questions that make another go at the same time worth its round trip."""


class Gathering(Generic[Q, A]):
    """Asks what has gathered in one go, and then what has gathered meanwhile.

    A call that comes alone is asked at once: nobody waits so that others may join. A caller that
    goes away takes nothing from the others; what it asked is asked all the same.

    Shared by all tasks of one event loop, never by threads or processes. Use it as an async context
    manager: leaving it waits for what has been asked.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Q]], Awaitable[Sequence[A]]],
        most: int,
        room: int = _ROOM,
        lanes: int = 1,
    ) -> None:
        """Gather what `ask` is asked.

        Args:
            answer: answers so many questions at once, in their order; what it raises is raised by
                every call that it should have answered.
            most: questions that go together.
            room: questions that may wait.
            lanes: goes at a time, where whoever answers may work on one while we write the next.
        """
        self._tasks = asyncio.TaskGroup()
        self._answer = answer
        self._most = most
        self._room = room
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._lanes = lanes
        self._working = 0

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        # It has no errors of its own, and the block's own are not to become a group.
        await self._tasks.__aexit__(None, None, None)

    async def ask(self, question: Q) -> A:
        """The answer to a question.

        Raises:
            Unavailable: too many wait already.
            Exception: what whoever answers has raised.
        """
        if len(self._waiting) >= self._room:
            raise Unavailable("overloaded")
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._working < self._lanes and (not self._working or len(self._waiting) >= _WORTH):
            self._working += 1
            self._tasks.create_task(self._ask_all())
        return await future

    async def _ask_all(self) -> None:
        try:
            while self._waiting:  # bounded: the room is, and whoever asks waits for his answer
                count = min(self._most, len(self._waiting))
                await self._ask([self._waiting.popleft() for _ in range(count)])
        except BaseException:
            while self._waiting:  # only where the task was cancelled
                self._waiting.popleft()[1].cancel()
            raise
        finally:
            self._working -= 1

    async def _ask(self, gathered: list[tuple[Q, "asyncio.Future[A]"]]) -> None:
        try:
            answers = await self._answer([question for question, _ in gathered])
            assert len(answers) == len(gathered), "every question has an answer"
        except Exception as error:  # noqa: BLE001  # each caller gets it, and it ends nobody else
            for _, future in gathered:
                _fail(future, error)
            return
        except BaseException:
            for _, future in gathered:
                future.cancel()
            raise
        for (_, future), answer in zip(gathered, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _fail(future: "asyncio.Future[A]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # whoever has gone away does not leave a warning behind
