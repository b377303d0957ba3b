"""A client of an ASGI application in this process, which sees every message."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from comptoir import Comptoir
from comptoir.asgi.scopes import Application, Message, Receive, Scope, Send

Body = Mapping[str, Any] | bytes | None


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    is_whole: bool = False

    @property
    def json(self) -> Any:  # noqa: ANN401
        return json.loads(self.body)


@dataclass(slots=True)
class Caller:
    """Calls an application, with the books in the state of each request."""

    app: Application
    books: Comptoir
    address: str = "192.0.2.1"

    async def call(
        self,
        method: str,
        path: str,
        body: Body = None,
        *,
        headers: Mapping[str, str] | None = None,
        told: Callable[[Message], None] = lambda _: None,
    ) -> Answer:
        raw = json.dumps(body).encode() if isinstance(body, dict) else body or b""
        answer = Answer()
        path_only, _, query = path.partition("?")
        scope: Scope = {
            "type": "http", "method": method, "path": path_only, "raw_path": path_only.encode(),
            "query_string": query.encode(), "client": (self.address, 1),
            "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
            "state": {"comptoir": self.books},
        }  # fmt: skip
        sent = False

        async def receive() -> Message:
            nonlocal sent
            if sent:
                await asyncio.Event().wait()
            sent = True
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                answer.body += message.get("body", b"")
                answer.is_whole = not message.get("more_body")
            told(message)

        await self.app(scope, receive, send)
        return answer


@asynccontextmanager
async def calling(app: Application, books: Comptoir) -> AsyncGenerator[Caller]:
    yield Caller(app, books)


def answering(status: int = 200, body: Mapping[str, Any] | None = None) -> Application:
    """An application that always answers the same."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await respond(send, status, body or {})

    return app


async def respond(send: Send, status: int, body: Mapping[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
