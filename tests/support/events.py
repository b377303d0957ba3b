"""Somebody who reads a stream of server-sent events."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlsplit

DEADLINE = 10.0
"""Seconds after which somebody who reads gives up."""


class Event(NamedTuple):
    """One event; a heartbeat has no name."""

    name: str
    id: int
    content: dict[str, Any]


HEARTBEAT = Event("", 0, {})


@dataclass(slots=True)
class Events:
    """An answer that goes on."""

    status: int
    headers: Mapping[str, str]
    _body: HTTPResponse
    retry: int | None = None
    heartbeats: int = 0

    def next(self) -> Event:
        """The next event or heartbeat.

        Raises:
            EOFError: the stream has ended well.
        """
        said: dict[str, str] = {}
        while (line := self._body.readline()) != b"\n":
            if not line:
                raise EOFError
            name, _, value = line.decode().rstrip("\n").partition(":")
            said[name] = value.removeprefix(" ")
        if "retry" in said:
            self.retry = int(said["retry"])
            return self.next()
        if "" in said:
            self.heartbeats += 1
            return HEARTBEAT
        return Event(said["event"], int(said["id"]), json.loads(said["data"]))

    def event(self) -> Event:
        """The next event, whatever heartbeats come before it."""
        deadline = time.monotonic() + DEADLINE
        while (found := self.next()) is HEARTBEAT:
            assert time.monotonic() < deadline, "hearts beat, and nothing is said"
        return found

    def until(self, number: int) -> list[Event]:
        """The events up to the one of that id, which must come."""
        found = [self.event()]
        while found[-1].id < number:
            found.append(self.event())
        return found

    def rest(self) -> list[Event]:
        """The events until the stream ends."""
        found: list[Event] = []
        while True:  # until it ends, or is silent for too long
            try:
                found.append(self.next())
            except EOFError:
                return [each for each in found if each is not HEARTBEAT]


@contextmanager
def listening(url: str, path: str, key: str, last: int | str | None = None) -> Iterator[Events]:
    """A stream that is read while the block runs.

    Args:
        url: of the server.
        path: of the stream.
        key: of the caller.
        last: what he says that he saw last.
    """
    headers = {"Authorization": f"Bearer {key}"}
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=DEADLINE)) as connection:
        connection.request("GET", path, headers=headers)
        with closing(connection.getresponse()) as body:
            told = {name.lower(): value for name, value in body.getheaders()}
            yield Events(body.status, told, body)
