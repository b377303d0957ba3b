"""A relay before a server of HTTP, that can cut off what is under way on some path."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

_CHUNK = 65_536


class _Link(BaseRequestHandler):
    server: Any

    def handle(self) -> None:
        with suppress(OSError), socket.create_connection(self.server.to) as upstream:
            back = threading.Thread(target=_pour, args=(upstream, self.request), daemon=True)
            back.start()
            while sent := self.request.recv(_CHUNK):
                if self.server.marked in sent:
                    self.server.links.append((self.request, upstream))
                upstream.sendall(sent)
            upstream.shutdown(socket.SHUT_RDWR)
        self.server.links = [link for link in self.server.links if link[0] is not self.request]


def _pour(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while sent := source.recv(_CHUNK):
            to.sendall(sent)
        to.shutdown(socket.SHUT_RDWR)


class Relay(ThreadingTCPServer):
    """Passes on whatever comes; knows the connections on which `marked` was asked for."""

    daemon_threads = True

    def __init__(self, port: int, marked: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Link)
        self.to = ("127.0.0.1", port)
        self.marked = marked
        self.links: list[tuple[socket.socket, socket.socket]] = []

    @property
    def url(self) -> str:
        """Where the server seems to be."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def cut(self) -> int:
        """Cut those off; how many there were."""
        cut, self.links = self.links, []
        for link in cut:
            for each in link:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        return len(cut)


@contextmanager
def relay(port: int, marked: bytes) -> Iterator[Relay]:
    """A relay while the block runs."""
    with Relay(port, marked) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made
        made.cut()
        made.shutdown()
        thread.join(5)
