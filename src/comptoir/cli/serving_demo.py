"""The demo beside `comptoir serve`: how its pages hear of it, and know the newcomer's own calls."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comptoir.app import App
from comptoir.app.demo import BOXES, State, Wish
from comptoir.kit.errors import Unavailable
from comptoir.web.logs import Log
from comptoir.web.metrics import Metrics
from comptoir.web.server import Beside, Watch, build

_LOOKS: Final = 0.5
_PATIENCE: Final = 2.0
_REFUSED: Final = 400


class Backstage:
    """What pages know of a demo that is played in another process. Used by one event loop."""

    def __init__(self, path: Path) -> None:
        """Ask at the socket at `path`."""
        self._path = path
        self._state: State | None = None
        self._seen: set[str] = set()

    @property
    def state(self) -> State | None:
        """How it was half a second ago; None before it was heard of."""
        state = self._state
        if state is None:
            return None
        seen = self._seen | set(state.seen)
        return replace(state, seen=[box for box in BOXES if box in seen])

    async def ask(self, wish: Wish) -> None:
        """Ask it for something.

        Raises:
            Unavailable: it does not answer.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await asyncio.open_unix_connection(self._path)
                try:
                    writer.write(msgspec.json.encode(wish) + b"\n")
                    said = await reader.read()
                finally:
                    writer.close()
            self._state = msgspec.json.decode(said, type=State)
        except (OSError, TimeoutError, msgspec.MsgspecError) as error:
            raise Unavailable("overloaded") from error

    def built(self, watch: Watch) -> ASGIApp:
        """The application with a demo beside it."""
        served = build(replace(watch, beside=self._beside(watch.beside)))

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            box = self._box_of(scope)
            if box is None:
                await served(scope, receive, send)
                return

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] < _REFUSED:
                    self._seen.add(box)
                await send(message)

            await served(scope, receive, noted)

        return serve

    def _box_of(self, scope: Scope) -> str | None:
        """The box that a request comes from, by the key or token that was made for it."""
        state = self._state
        if state is None or scope["type"] != "http":
            return None
        for name, value in scope["headers"]:
            if name == b"authorization":
                text = value.decode("latin-1")
                return {f"Bearer {state.key}": "http", f"Bearer {state.token}": "badge"}.get(text)
        return None

    def _beside(self, others: Beside) -> Beside:
        @asynccontextmanager
        async def both(app: App, log: Log, metrics: Metrics) -> AsyncGenerator[None]:
            app.demo = self
            async with others(app, log, metrics), asyncio.TaskGroup() as tasks:
                looking = tasks.create_task(self._look())
                try:
                    yield
                finally:
                    looking.cancel()

        return both

    async def _look(self) -> None:
        while True:  # until cancelled
            with suppress(Unavailable):
                await self.ask("look")
            await asyncio.sleep(_LOOKS)
