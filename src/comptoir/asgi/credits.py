"""Credits around an application: set aside before, charged on success, given back otherwise."""

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from comptoir import Comptoir
from comptoir.asgi.idempotency import claim_of
from comptoir.asgi.scopes import (
    BODY,
    START,
    Application,
    Message,
    Receive,
    Scope,
    Send,
    refuse,
    state_of,
)
from comptoir.kit.errors import ComptoirError, Misuse
from comptoir.library.around import TTL, Charge, books_of
from comptoir.library.holding import Holding
from comptoir.web.refusing import reader_of

_STATE: Final = "comptoir.charge"
_SETTLED_WITHIN: Final = 2.0
"""Seconds that the end of an answer waits for its charge; then it is sent all the same."""

_PART: Final = re.compile(r"\{[^{}/]+\}")


def charge_of(scope: Scope) -> Charge:
    """What the request of a scope costs.

    Raises:
        Misuse: nothing: its route has no price.
    """
    found = state_of(scope).get(_STATE)
    if not isinstance(found, Charge):
        raise Misuse("nothing-charged", fix="give the route a price in comptoir.asgi.Credits")
    return found


@dataclass(frozen=True, slots=True)
class _Priced:
    method: str
    path: re.Pattern[str]
    action: str


class Credits:
    """Charges routes at the prices of the price book.

    The credits are set aside before the application is asked, so that nobody spends them twice;
    without enough of them it is not asked at all: 402. They are charged when it has answered with
    2xx, and given back when it answers otherwise, fails, or is broken off before its end.
    """

    def __init__(
        self,
        app: Application,
        prices: Mapping[str, str],
        *,
        customer: Callable[[Scope], str],
        ttl: int = TTL,
    ) -> None:
        """Charge routes of an application.

        Args:
            app: the application.
            prices: by method and path, as `"POST /api/ai/generate"` or `"POST /api/ai/{kind}"`,
                the action of the price book.
            customer: who pays for a request.
            ttl: seconds after which what was set aside is free again, should the process die.

        Raises:
            Misuse: a route is not method and path.
        """
        self._app = app
        self._priced = [_priced(route, action) for route, action in prices.items()]
        self._customer = customer
        self._ttl = ttl

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and charge it."""
        action = self._action(scope) if scope["type"] == "http" else None
        if action is None:
            await self._app(scope, receive, send)
            return
        books = books_of(scope)
        try:
            holding = self._holding(books, scope, action)
            await holding.__aenter__()
        except ComptoirError as error:
            reader = reader_of(scope, books.app.settings.locale, books.app.clock())
            await refuse(reader, error, send)
            return
        await self._answer(scope, receive, send, holding)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, holding: Holding) -> None:
        charge = state_of(scope)[_STATE] = Charge(holding)
        answer = _Answer(holding, charge, send)
        try:
            await self._app(scope, receive, answer.send)
        except BaseException as error:
            answer.break_off()
            await answer.settle(error)
            raise
        await answer.settle(None)

    def _action(self, scope: Scope) -> str | None:
        for each in self._priced:
            if each.method == scope["method"] and each.path.fullmatch(scope["path"]):
                return each.action
        return None

    def _holding(self, books: Comptoir, scope: Scope, action: str) -> Holding:
        claim = claim_of(scope)
        name = str(books.app.new_id()) if claim is None else claim.provider_key(action)
        return books.credits.holding(
            self._customer(scope),
            action=action,
            ttl_seconds=self._ttl,
            idempotency_key=f"asgi:{name}",
            reason=action,
        )


class _Answer:
    """The answer of an application, on its way: its end waits for the charge."""

    def __init__(self, holding: Holding, charge: Charge, send: Send) -> None:
        self._holding = holding
        self._charge = charge
        self._send = send
        self._status = 0
        self._is_whole = False

    async def send(self, message: Message) -> None:
        if message["type"] == START:
            self._status = message["status"]
        if message["type"] == BODY and not message.get("more_body"):
            self._is_whole = True
            self._decide()
            await self._charge_now()
        await self._send(message)

    def break_off(self) -> None:
        """The application has failed, or was ended, and will not send more."""
        if not self._is_whole and not self._is_success:
            self._charge.take_nothing()

    async def settle(self, error: BaseException | None) -> None:
        """Charge, or give back, where no end of the answer was sent."""
        if self._is_whole:
            return
        if error is None:
            self.break_off()
        await self._holding.__aexit__(type(error) if error else None, error, None)

    async def _charge_now(self) -> None:
        """Charge before the answer ends: whoever has it finds his balance changed.

        But he does have it: a charge that takes longer goes on by itself, and one that fails was
        logged.
        """
        with suppress(TimeoutError, ComptoirError):
            async with asyncio.timeout(_SETTLED_WITHIN):
                await self._holding.__aexit__(None, None, None)

    @property
    def _is_success(self) -> bool:
        return 200 <= self._status < 300  # noqa: PLR2004  # what 2xx means

    def _decide(self) -> None:
        if self._is_success:
            self._charge.take_all()
        else:
            self._charge.take_nothing()


def _priced(route: str, action: str) -> _Priced:
    method, _, path = route.partition(" ")
    if not method.isupper() or not path.startswith("/"):
        raise Misuse("route-unknown", fix='say it as "POST /api/ai/generate"')
    parts = _PART.split(path)
    return _Priced(method, re.compile("[^/]+".join(map(re.escape, parts))), action)
