"""Rate limits around an application, with the headers that say what is left."""

from collections.abc import Callable, Sequence
from functools import partial

from comptoir.asgi.scopes import (
    START,
    Application,
    Message,
    Receive,
    Scope,
    Send,
    refuse,
)
from comptoir.kit.errors import Misuse
from comptoir.library.around import books_of
from comptoir.library.guarding import RateLimit
from comptoir.web.addresses import by_address
from comptoir.web.limits import RateLimited, headers_of
from comptoir.web.refusing import reader_of
from comptoir.web.replies import Header

Subject = Callable[[Scope], str | None]
"""Whose request it is; None for one that is not limited."""


def client_address(trusted_proxies: str = "") -> Subject:
    """Whose request it is, by the client's address.

    Args:
        trusted_proxies: addresses and networks of proxies, with commas between them: only from
            these is X-Forwarded-For believed. Without them it is the address of whoever connects.

    Raises:
        ComptoirError: one of them is no address.
    """
    return by_address(trusted_proxies)


class RateLimits:
    """Lets so many requests of a subject through; the rest is told when to come back."""

    def __init__(
        self,
        app: Application,
        limits: Sequence[RateLimit],
        *,
        subject: Subject | None = None,
        under: str = "/",
        cost: Callable[[Scope], int] = lambda _: 1,
    ) -> None:
        """Limit an application.

        Args:
            app: the application.
            limits: all of which a request must pass; they are decided at once.
            subject: whose request it is; the client's address by default.
            under: only paths that begin so are limited.
            cost: how much of each limit a request takes.

        Raises:
            Misuse: there is no limit.
        """
        if not limits:
            raise Misuse("limits-apart", fix="give at least one limit")
        self._app = app
        self._limits = tuple(limits)
        self._subject = subject or client_address()
        self._under = under
        self._cost = cost

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, if it may be."""
        if scope["type"] != "http" or not scope["path"].startswith(self._under):
            await self._app(scope, receive, send)
            return
        subject = self._subject(scope)
        if subject is None:
            await self._app(scope, receive, send)
            return
        books = books_of(scope)
        decision = await books.limits.hit(subject, *self._limits, cost=self._cost(scope))
        now = books.app.clock()
        headers = headers_of(decision.verdicts, now)
        if decision.allowed:
            await self._app(scope, receive, partial(_marked, headers, send))
            return
        reader = reader_of(scope, books.app.settings.locale, now)
        denied = max(decision.verdicts, key=lambda each: each.wait)
        await refuse(reader, RateLimited(denied, headers), send, headers)


async def _marked(headers: Sequence[Header], send: Send, message: Message) -> None:
    if message["type"] == START:
        message["headers"] = [*message.get("headers", ()), *headers]
    await send(message)
