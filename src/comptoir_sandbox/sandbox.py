"""Everything together: the world, what goes wrong, the postman, and the file that it is kept in."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from comptoir_sandbox import clockwork, endpoints
from comptoir_sandbox.chaos import Chaos
from comptoir_sandbox.delivery import RETRIES, Postman
from comptoir_sandbox.keeping import Keeper
from comptoir_sandbox.keys import Keys
from comptoir_sandbox.world import World

_TICK: Final = 0.2


@dataclass(frozen=True, slots=True)
class Options:
    """How the sandbox is to be.

    Attributes:
        base: the address at which people find it.
        keys: the API keys that it takes; any key of a test mode when there are none.
        file: where it keeps everything; nowhere by default.
        seed: of its chance, for misbehaving the same way again.
        retries: seconds between tries to deliver an event.
        clock: seconds since 1970.
        randomness: so many bytes that nobody foresees.
        endpoint: where events go from the start: a URL, its secret, and the types.
    """

    base: str = "http://127.0.0.1:12111"
    keys: Sequence[str] = ()
    file: Path | None = None
    seed: int | None = None
    retries: Sequence[float] = RETRIES
    clock: Callable[[], float] = time.time  # noqa: TID251  # where the clock comes from
    randomness: Callable[[int], bytes] = secrets.token_bytes
    endpoint: tuple[str, str, Sequence[str]] | None = None


@dataclass(slots=True)
class Sandbox:
    """Everything together. One event loop."""

    options: Options
    world: World
    chaos: Chaos = field(default_factory=Chaos)
    keys: Keys = field(default_factory=Keys)
    postman: Postman = field(init=False)
    keeper: Keeper = field(init=False)

    def __post_init__(self) -> None:
        draw = Random(self.options.seed)  # noqa: S311  # not a secret: it must be repeatable
        self.postman = Postman(self.world, self.chaos, draw, self.options.retries)
        self.keeper = Keeper(self.options.file)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Time passes, and events are delivered, while the block runs."""
        self.keeper.load(self.world, self.keys)
        if self.options.endpoint is not None:
            url, secret, events = self.options.endpoint
            endpoints.take(self.world, url, secret, list(events))
        async with self.postman:
            task = asyncio.get_running_loop().create_task(self._tick())
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                self.keeper.keep(self.world)
                self.keeper.close()

    def done(self) -> None:
        """Something has happened: keep it, and let the postman know."""
        self.keeper.keep(self.world)
        if self.world.posted:
            self.postman.wake()

    async def _tick(self) -> None:
        while True:  # until cancelled
            await asyncio.sleep(_TICK)
            clockwork.tick(self.world)
            self.keys.forget_old(self.world.now())
            self.done()
