"""The books, open for as long as an application runs."""

from pathlib import Path
from typing import Any

from comptoir import Comptoir
from comptoir.asgi.scopes import Application, Message, Receive, Scope, Send, state_of
from comptoir.kit.errors import ComptoirError
from comptoir.library.around import STATE


class Books:
    """Opens the books when an application starts, and closes them when it ends.

    Every request finds them with `books_of(scope)`. It goes outside of the other doors. Where
    there is a lifespan of one's own, open them there, and put them into its state under `comptoir`.
    """

    def __init__(
        self,
        app: Application,
        database_url: str | None = None,
        *,
        home: Path | str | None = None,
        book: str = "live",
    ) -> None:
        """Open them around `app`: arguments are those of `Comptoir.open`."""
        self._app = app
        self._open = {"database_url": database_url, "home": home, "book": book}
        self._books: Comptoir | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live a life."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        if self._books is not None:
            state_of(scope)[STATE] = self._books
        await self._app(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        said: dict[str, Any] = self._open
        try:
            async with Comptoir.open(**said) as books:
                self._books = books
                if "state" in scope:
                    scope["state"][STATE] = books
                await _Life(self._app, receive, send).live(scope)
        except ComptoirError as error:
            if self._books is not None:
                raise
            await send({"type": "lifespan.startup.failed", "message": str(error)})
        finally:
            self._books = None


class _Life:
    """The life of an application, whether it has a lifespan or not."""

    def __init__(self, app: Application, receive: Receive, send: Send) -> None:
        self._app = app
        self._receive = receive
        self._send = send
        self._heard: list[str] = []
        self._said: list[str] = []

    async def live(self, scope: Scope) -> None:
        try:
            await self._app(scope, self._hear, self._say)
        except Exception:
            if self._said:
                raise
        if self._said:
            return
        # It has no lifespan of its own: say for it what it does not.
        if not self._heard:
            await self._receive()
        await self._send({"type": "lifespan.startup.complete"})
        await self._receive()
        await self._send({"type": "lifespan.shutdown.complete"})

    async def _hear(self) -> Message:
        message = await self._receive()
        self._heard.append(message["type"])
        return message

    async def _say(self, message: Message) -> None:
        self._said.append(message["type"])
        await self._send(message)
