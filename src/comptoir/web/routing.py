"""From an address to a handler: who may call, what is read, how a refusal goes out."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from comptoir.app import App
from comptoir.kit.actor import Actor, Role
from comptoir.kit.books import LIVE
from comptoir.kit.errors import ComptoirError, Denied, Unavailable
from comptoir.store.gate import RETRY_SECONDS, State
from comptoir.web.auth import Doorman, Unauthorized
from comptoir.web.call import Call, Gone
from comptoir.web.complaints import Unfit
from comptoir.web.languages import Texts
from comptoir.web.limits import OwnLimits, RateLimited
from comptoir.web.refusing import problem, refused, unfit
from comptoir.web.replies import Reply, Send

Handler = Callable[..., Awaitable[Reply]]

PUBLIC: Final[frozenset[Role]] = frozenset()
OPERATORS: Final = frozenset({Role.OPERATOR})
SERVERS: Final = frozenset({Role.OPERATOR, Role.SERVICE})
EVERYBODY: Final = frozenset(Role) - {Role.GUEST}
"""Whoever has a key or a token."""

GUEST: Final = Actor(Role.GUEST, LIVE, "guest")
"""Whoever sends no key, where guests are admitted."""

_INTERNAL: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One verb at one address, and all that its documentation says.

    Attributes:
        method, path: the address; parts in braces.
        handler: called with the Call, then the body or the query if there is one.
        summary: what it does, in English and French.
        roles: who may call; empty for everybody, even without a key.
        guests: so may whoever sends no key at all: he is a guest of the live book.
        body, query: what is read, strictly.
        body_optional: no body is as good as an empty object.
        keyed: an Idempotency-Key must come along.
        may_be_keyed: one may come along.
        status, answer: of success, for the documentation.
        codes: the problems of its own; those that any route can have need no mention.
        parts: the schemas of the parts in the path.
        example: an answer, for the documentation; `ask` is a body.
        headers: of success, with their meaning.
        streams: the name of the events of an answer that goes on; `answer` is the data of each.
    """

    method: str
    path: str
    handler: Handler
    summary: Texts
    tag: str
    roles: frozenset[Role]
    guests: bool = False
    answer: type[BaseModel]
    status: int = 200
    body: type[BaseModel] | None = None
    body_optional: bool = False
    query: type[BaseModel] | None = None
    keyed: bool = False
    may_be_keyed: bool = False
    codes: tuple[str, ...] = ()
    parts: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    example: object = None
    ask: object = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    streams: str = ""


class Site:
    """What routes need of the running process; filled when the server starts."""

    app: App
    doorman: Doorman
    limits: OwnLimits
    locale: str = "en"


class Path:
    """An ASGI application: all the operations at one path."""

    def __init__(self, path: str, operations: Iterable[Operation], site: Site) -> None:
        self.path = path
        self._operations = {each.method: each for each in operations}
        self._site = site
        self._allow = ", ".join(sorted(self._operations)).encode()

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:  # noqa: ANN401  # ASGI
        """Answer one request."""
        scope["comptoir.route"] = self.path
        call = Call(scope, receive, self._site.app, self._site.doorman)
        operation = self._operations.get(scope["method"])
        if operation is None:
            reply = problem(call, "method-not-allowed", {"method": scope["method"]})
            reply.headers.append((b"allow", self._allow))
        else:
            reply = await self._reply(call, operation)
        if reply is not None:
            reply.headers.extend(call.limits)
            await reply(scope, receive, send)

    async def _reply(self, call: Call, operation: Operation) -> Reply | None:
        try:
            return await self._run(call, operation)
        except Unfit as error:
            return unfit(call, error)
        except ComptoirError as error:
            if isinstance(error, RateLimited):
                call.limits = error.headers
            reply = refused(call, error)
            if reply.status == _INTERNAL:
                call.scope["comptoir.error"] = error
            return reply
        except Gone:
            return None

    async def _run(self, call: Call, operation: Operation) -> Reply:
        if operation.roles:
            if call.app.moved:
                raise Unavailable("books-moved", retry_after=RETRY_SECONDS[State.MOVED])
            await self._identify(call, operation)
            if call.actor is not GUEST and call.actor.role not in operation.roles:
                raise Denied("forbidden")
        if operation.keyed or (operation.may_be_keyed and b"idempotency-key" in call.headers):
            call.key = call.idempotency_key()
        if operation.query is not None:
            return await operation.handler(call, call.query(operation.query))
        if call.scope["query_string"]:
            call.query(_Nothing)
        if operation.body is not None:
            return await operation.handler(call, await call.read(operation.body))
        return await operation.handler(call)

    async def _identify(self, call: Call, operation: Operation) -> None:
        """Find out who calls, and let him go on unless he calls too often."""
        site = self._site
        authorization = call.headers.get(b"authorization", b"")
        if operation.guests and b"authorization" not in call.headers:
            call.actor, known = GUEST, None
            call.scope["comptoir.address"] = site.limits.address(call.scope)
        else:
            try:
                call.actor = known = await site.doorman.identify(authorization, call.scope["path"])
            except Unauthorized:
                call.limits = await site.limits.admit(call.scope, None, authorization)
                raise
        call.scope["comptoir.actor"] = call.actor
        call.limits = await site.limits.admit(call.scope, known, authorization)


class _Nothing(BaseModel, extra="forbid"):
    """The query of a route that has none."""


class Unrouted:
    """An ASGI application: what every address gets that no operation has."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:  # noqa: ANN401  # ASGI
        """Answer one request; refuse a web socket."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        call = Call(scope, receive, self._site.app, self._site.doorman)
        await problem(call, "not-found", {})(scope, receive, send)
