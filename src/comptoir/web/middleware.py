"""What happens around every request, as pure ASGI: request id, log line, metrics, last resort."""

import re
import time
from collections.abc import Callable
from typing import Any, Final

from comptoir.kit.actor import Actor
from comptoir.kit.ids import uuid7
from comptoir.store.tracing import is_on
from comptoir.web.catalogue import PROBLEMS
from comptoir.web.languages import negotiate
from comptoir.web.logs import Log
from comptoir.web.metrics import Metrics
from comptoir.web.problems import document
from comptoir.web.replies import PROBLEM, Header, Reply, Send, encode, write_time
from comptoir.web.tracing import GONE, METHODS, describe, serving

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_RANDOM_AT_ONCE: Final = 1_000
_UNMATCHED: Final = "unmatched"

SECURITY: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_CLOSED: Final[Header] = (
    b"content-security-policy",
    b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)
_PAGE: Final[Header] = (
    b"content-security-policy",
    (
        b"default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
        b"form-action 'none'"
    ),
)
_HTML: Final = b"text/html"


class Around:
    """Gives every request an id, every answer its headers, and every pair of them a log line.

    An exception that nobody expected ends here: it is logged, and answered without its text.
    """

    def __init__(
        self,
        app: Any,  # noqa: ANN401  # any ASGI application
        *,
        log: Log,
        metrics: Metrics,
        clock: Callable[[], int],
        randomness: Callable[[int], bytes],
        locale: str,
    ) -> None:
        self._app = app
        self._log = log
        self._metrics = metrics
        self._clock = clock
        self._randomness = randomness
        self._random = b""
        self._locale = locale

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:  # noqa: ANN401  # ASGI
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._request_id(scope)
        if not is_on():
            await self._answer(scope, receive, send, request_id)
            return
        with serving(scope) as span:
            status = await self._answer(scope, receive, send, request_id)
            describe(span, scope, status, request_id.decode())

    async def _answer(
        self,
        scope: Any,  # noqa: ANN401  # ASGI
        receive: Any,  # noqa: ANN401  # ASGI
        send: Send,
        request_id: bytes,
    ) -> int:
        """Answer, and note it; returns the status."""
        began = answered = time.perf_counter()
        status = GONE

        async def send_marked(message: Any) -> None:  # noqa: ANN401  # ASGI
            nonlocal answered, status
            if message["type"] == "http.response.start":
                answered = time.perf_counter()
                status = message["status"]
                message["headers"] = _marked(message.get("headers", ()), request_id)
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception as error:  # noqa: BLE001  # the last resort: whatever it is, it is answered
            scope["comptoir.error"] = error
            if status == GONE:
                await _internal(scope, self._locale)(scope, receive, send_marked)
        finally:
            # A stream is answered when it begins; how long it lasts is up to its client.
            ended = answered if "comptoir.streams" in scope else time.perf_counter()
            self._note(scope, status, request_id, ended - began)
        return status

    def _request_id(self, scope: Any) -> bytes:  # noqa: ANN401  # ASGI
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                return value
        return str(uuid7(self._clock(), self._ten_random_bytes())).encode()

    def _ten_random_bytes(self) -> bytes:
        """Randomness is fetched for many requests at once: asking the system for it is dear."""
        if not self._random:
            self._random = self._randomness(_RANDOM_AT_ONCE)
        taken, self._random = self._random[:10], self._random[10:]
        return taken

    def _note(self, scope: Any, status: int, request_id: bytes, seconds: float) -> None:  # noqa: ANN401  # ASGI
        method: str = scope["method"] if scope["method"] in METHODS else "OTHER"
        route: str = scope.get("comptoir.route", _UNMATCHED)
        actor: Actor | None = scope.get("comptoir.actor")
        if "comptoir.error" in scope:
            where = {"method": method, "route": route, "request_id": request_id.decode()}
            self._log.unexpected(scope["comptoir.error"], where)
        self._metrics.observe(method, route, status, seconds)
        self._log.request(
            {
                "at": write_time(self._clock()),
                "event": "request",
                "method": method,
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 3),
                "request_id": request_id.decode(),
                "actor": actor.name if actor else None,
                "book": actor.book if actor else None,
            }
        )


def _marked(headers: Any, request_id: bytes) -> list[Header]:  # noqa: ANN401  # ASGI
    said = dict(headers)
    is_page = said.get(b"content-type", b"").startswith(_HTML)
    usual = (_PAGE if is_page else _CLOSED, *SECURITY)
    more = [header for header in usual if header[0] not in said]
    return [*headers, (b"x-request-id", request_id), *more]


def _internal(scope: Any, locale: str) -> Reply:  # noqa: ANN401  # ASGI
    asked = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
    language = negotiate(asked, locale)
    content = document("internal", language, {}, scope["path"])
    headers: list[Header] = [
        (b"content-language", language.encode()),
        (b"vary", b"Accept-Language"),
        (b"cache-control", b"no-store"),
    ]
    return Reply(PROBLEMS["internal"].status, encode(content), PROBLEM, headers)
