"""Answers, as they go out: encoded once, sent straight to the server."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import msgspec

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON: Final = b"application/json"
PROBLEM: Final = b"application/problem+json"
REPLAYED: Final[Header] = (b"idempotent-replayed", b"true")
PRIVATE: Final[Header] = (b"cache-control", b"private, no-cache")

encode: Final = msgspec.json.Encoder().encode
_WITHOUT_BODY: Final = (204, 304)
"""What has no body, not an empty one."""

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # UTC throughout; the Z is written by hand


@dataclass(slots=True)
class Reply:
    """One answer."""

    status: int
    body: bytes
    kind: bytes = JSON
    headers: list[Header] = field(default_factory=list[Header])

    async def __call__(self, _scope: object, _receive: object, send: Send) -> None:
        """Give the answer to the server, as an ASGI application does."""
        headers = [(b"content-type", self.kind), *self.headers]
        if self.status not in _WITHOUT_BODY:
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def ok(content: object, *headers: Header, status: int = 200) -> Reply:
    """A success in JSON."""
    return Reply(status, encode(content), headers=list(headers))


@lru_cache(maxsize=256)
def write_time(micros: int) -> str:
    """RFC 3339 in UTC, to the microsecond. All that one commit wrote has one time."""
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds") + "Z"


def write_moment(micros: int | None) -> str | None:
    """The same for a time that may not be set."""
    return None if micros is None else write_time(micros)
