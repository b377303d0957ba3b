"""What all doors need of ASGI: its types, the state of a request, a refusal."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

from comptoir.kit.errors import ComptoirError
from comptoir.web.refusing import Reader, refused
from comptoir.web.replies import Header

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

START: Final = "http.response.start"
BODY: Final = "http.response.body"


def state_of(scope: Scope) -> dict[str, Any]:
    """What middleware and application tell each other about a request."""
    return scope.setdefault("state", {})


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of that name, which is in lower case."""
    return next((value for key, value in scope["headers"] if key == name), None)


async def refuse(
    reader: Reader, error: ComptoirError, send: Send, headers: Sequence[Header] = ()
) -> None:
    """Answer with a problem document."""
    reply = refused(reader, error)
    reply.headers.extend(headers)
    await reply(None, None, send)
