"""Idempotency around an application: a request that is repeated gets the answer of the first."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from comptoir import Claim, Comptoir
from comptoir.asgi.scopes import (
    BODY,
    START,
    Application,
    Message,
    Receive,
    Scope,
    Send,
    header,
    refuse,
    state_of,
)
from comptoir.kit.errors import ComptoirError, Conflict, Invalid
from comptoir.kit.limits import BODY_BYTES, KEY_LENGTH
from comptoir.library.around import books_of
from comptoir.web.refusing import reader_of

TTL: Final = 86_400.0
"""Seconds for which an answer is kept."""

ANSWER_BYTES: Final = 512 * 1024
_STATE: Final = "comptoir.claim"
_HEADER: Final = b"idempotency-key"
_REPLAYED: Final = (b"idempotent-replayed", b"true")
_NOT_KEPT: Final = frozenset({401, 403, 408, 409, 425, 429})
_ERROR: Final = 500
_DROPPED: Final = frozenset(
    {b"date", b"server", b"connection", b"transfer-encoding", b"set-cookie"}
)
"""Headers that are of one answer alone, or of one person."""

_LIVE: Final = b"text/event-stream"


def principal(scope: Scope) -> str:
    """Who sends a request: by what he shows of himself, else by his address."""
    for name in (b"authorization", b"cookie"):
        shown = header(scope, name)
        if shown:
            return f"{name.decode()}:{blake2b(shown, digest_size=16).hexdigest()}"
    client = scope.get("client")
    return f"address:{client[0]}" if client else "nobody"


def claim_of(scope: Scope) -> Claim | None:
    """The claim under which a request is answered: its steps and the keys for its providers."""
    found = state_of(scope).get(_STATE)
    return found if isinstance(found, Claim) else None


class Idempotency:
    """Lets a request with an Idempotency-Key have its effect once.

    Answers of 2xx and 4xx are kept, but those that say who may, or that somebody should come
    back (401, 403, 408, 409, 425, 429), and of 5xx none: then a repeat is tried anew. The key is of
    whoever sends it, and bound to method, path, query and body: for something else it is refused.
    """

    def __init__(
        self,
        app: Application,
        *,
        methods: Collection[str] = ("POST", "PATCH"),
        required: Sequence[str] = (),
        who: Callable[[Scope], str] = principal,
        ttl: float | None = TTL,
    ) -> None:
        """Guard an application.

        Args:
            app: the application.
            methods: of requests that may have a key.
            required: beginnings of paths whose requests must have one.
            who: whose key it is; another one's is another request.
            ttl: seconds for which an answer is kept; None for ever, as money wants it.
        """
        self._app = app
        self._methods = frozenset(methods)
        self._required = tuple(required)
        self._who = who
        self._ttl = ttl

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say again what was answered."""
        if scope["type"] != "http" or scope["method"] not in self._methods:
            await self._app(scope, receive, send)
            return
        books = books_of(scope)
        try:
            key = _key(scope)
            if key is None and scope["path"].startswith(self._required or ("\0",)):
                raise Invalid("idempotency-key-missing")
            if key is None:
                await self._app(scope, receive, send)
                return
            await self._once(books, key, scope, receive, send)
        except ComptoirError as error:
            reader = reader_of(scope, books.app.settings.locale, books.app.clock())
            await refuse(reader, error, send)

    async def _once(
        self, books: Comptoir, key: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        body = await _whole(receive)
        if body is None:
            return  # the client has gone
        answer = _Answer(send)

        async def work(claim: Claim) -> Mapping[str, Any]:
            state_of(scope)[_STATE] = claim
            await self._app(scope, _again(body, receive), answer.take)
            return answer.kept()

        said = _fingerprint(scope, body)
        try:
            kept = await books.guards.once(
                key, work, said=said, scope=self._who(scope), ttl=self._ttl
            )
        except _NotKept:
            await answer.pass_on()
            return
        if answer.messages:
            await answer.pass_on()
            return
        await _replay(kept, send)


class _NotKept(Exception):
    """An answer that says nothing of a repeat; the key is free again."""


@dataclass(slots=True)
class _Answer:
    """An answer of the application: it goes out once it is kept; a stream of events at once."""

    send: Send
    messages: list[Message] = field(default_factory=list[Message])
    is_live: bool = False

    async def take(self, message: Message) -> None:
        if message["type"] == START:
            kinds = [value for name, value in message.get("headers", ()) if name == b"content-type"]
            self.is_live = bool(kinds) and kinds[0].startswith(_LIVE)
        if self.is_live:
            await self.send(message)
            message = {"type": message["type"], "status": message.get("status")}
        self.messages.append(message)

    def kept(self) -> dict[str, Any]:
        """What is kept of it.

        Raises:
            _NotKept: nothing is.
        """
        start = next((each for each in self.messages if each["type"] == START), None)
        if start is None or start["status"] >= _ERROR or start["status"] in _NOT_KEPT:
            raise _NotKept
        kept: dict[str, Any] = {"status": start["status"]}
        body = b"".join(each.get("body", b"") for each in self.messages if each["type"] == BODY)
        if self.is_live or len(body) > ANSWER_BYTES:
            return kept
        headers = [(k, v) for k, v in start.get("headers", ()) if k not in _DROPPED]
        kept["headers"] = [[k.decode("latin-1"), v.decode("latin-1")] for k, v in headers]
        kept["body"] = b64encode(body).decode()
        return kept

    async def pass_on(self) -> None:
        """Send it, if that was not done as it came."""
        for message in () if self.is_live else self.messages:
            await self.send(message)


async def _replay(kept: Mapping[str, Any], send: Send) -> None:
    if "body" not in kept:
        raise Conflict("answer-not-kept", first=kept["status"])
    headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in kept["headers"]]
    await send({"type": START, "status": kept["status"], "headers": [*headers, _REPLAYED]})
    await send({"type": BODY, "body": b64decode(kept["body"])})


def _key(scope: Scope) -> str | None:
    """The key of a request: bare, as most clients send it, or quoted, as the draft wants it.

    Raises:
        Invalid: it cannot be one.
    """
    found = [value for name, value in scope["headers"] if name == _HEADER]
    if not found:
        return None
    if len(found) > 1:
        raise Invalid("field-invalid", field="Idempotency-Key")
    try:
        key = found[0].decode().strip()
    except UnicodeDecodeError:
        raise Invalid("field-invalid", field="Idempotency-Key") from None
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not 0 < len(key) <= KEY_LENGTH or not key.isprintable():
        raise Invalid("field-invalid", field="Idempotency-Key")
    return key


def _fingerprint(scope: Scope, body: bytes) -> list[str]:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    kind = header(scope, b"content-type") or b""
    said = [scope["method"], *(each.decode("latin-1") for each in (raw, query, kind))]
    return [*said, blake2b(body, digest_size=16).hexdigest()]


async def _whole(receive: Receive) -> bytes | None:
    """The whole body; None when the client went away.

    Raises:
        ComptoirError: it is too large.
    """
    parts = bytearray()
    while True:  # bounded by the size of a body
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts += message.get("body", b"")
        if len(parts) > BODY_BYTES:
            raise ComptoirError("payload-too-large")
        if not message.get("more_body"):
            return bytes(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body for the application; after it, whatever the client says."""
    said = False

    async def say() -> Message:
        nonlocal said
        if said:
            return await receive()
        said = True
        return {"type": "http.request", "body": body, "more_body": False}

    return say
