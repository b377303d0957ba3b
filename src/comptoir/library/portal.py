"""An event loop in a thread of its own, for programs that have none."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from functools import wraps
from queue import SimpleQueue
from typing import Any, ParamSpec, Protocol, TypeVar

from comptoir.kit.errors import Misuse

P = ParamSpec("P")
T = TypeVar("T")


class Waiting(Protocol):
    """Makes of a function that is awaited one that its caller waits for."""

    def __call__(self, verb: Callable[P, Coroutine[Any, Any, T]], /) -> Callable[P, T]:
        """The same function for callers who wait."""
        ...


class Portal:
    """Runs coroutines of one event loop for callers in any thread, who wait.

    Shared by all threads of one process; a forked child must open its own.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="comptoir", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the loop, which has nothing left to do."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Let a coroutine run.

        Raises:
            Misuse: the loop is another process's, or closed.
        """
        if os.getpid() != self._process or not self._thread.is_alive():
            work.close()
            raise Misuse("books-not-open", fix="open the books in each process, after the fork")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, awaited by the caller's thread.

        Whoever is interrupted meanwhile cancels it, as in an event loop.

        Raises:
            Misuse: the caller is in an event loop, which would stand still.
        """
        if _in_event_loop():
            work.close()
            raise Misuse("in-event-loop", fix="use comptoir.Comptoir here, with await")
        future = self.submit(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def waiting(self, verb: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
        """The same function for callers who wait."""

        @wraps(verb)
        def wait(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.run(verb(*args, **kwargs))

        return wait

    def keep_open(self, context: AbstractAsyncContextManager[T]) -> tuple[T, Callable[[], None]]:
        """Enter a context in a task that stays in it; returns how to leave it, too.

        A task group must be left by the task that entered it.
        """
        ready: Future[T] = Future()
        leave = asyncio.Event()

        async def stay() -> None:
            try:
                async with context as value:
                    ready.set_result(value)
                    await leave.wait()
            except BaseException as error:
                if ready.done():
                    raise
                ready.set_exception(error)

        ended = self.submit(stay())

        def end() -> None:
            self._loop.call_soon_threadsafe(leave.set)
            ended.result()

        return ready.result(), end

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()


class Errands:
    """Work that a coroutine hands back to the thread that waits for it.

    A caller's own connection is used by his own thread alone: there a wait for a row keeps nobody
    else from going on. Used by one thread at a time.
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    async def do(self, work: Callable[[], T]) -> T:
        """Let the waiting thread do something."""
        done: Future[T] = Future()

        def errand() -> None:
            try:
                done.set_result(work())
            except Exception as error:  # noqa: BLE001  # it is the coroutine's to handle
                done.set_exception(error)

        self._queue.put(errand)
        return await asyncio.wrap_future(done)

    def waiting(self, verb: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
        """The same function for a caller who waits, and does its errands meanwhile."""

        @wraps(verb)
        def wait(*args: P.args, **kwargs: P.kwargs) -> T:
            return self._run(verb(*args, **kwargs))

        return wait

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if _in_event_loop():
            work.close()
            raise Misuse("in-event-loop", fix="use comptoir.Comptoir here, with await")
        queue = self._queue = SimpleQueue[Callable[[], None] | None]()
        future = self._portal.submit(work)
        future.add_done_callback(lambda _: queue.put(None))
        try:
            while (errand := queue.get()) is not None:  # until the coroutine has ended
                errand()
        except BaseException:
            future.cancel()
            raise
        return future.result()


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
