"""Whoever listens: an SDK in the test's own process, and servers that collect what is sent."""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler

from comptoir.store import tracing

DEADLINE: Final = 30.0
Span = Any
"""Protobuf's, which has no types."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The spans that have ended in this process."""

    exporter: InMemorySpanExporter

    def all(self) -> Sequence[ReadableSpan]:
        return self.exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        [span] = self.named(name)
        return span


@contextmanager
def listening(sampler: Sampler | None = None, *, at_once: bool = True) -> Generator[Heard]:
    """An SDK that is this process's, as an application sets it up; gone at the end.

    It is noticed by the next look, which is now if `at_once`.
    """
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # The API lets it be set once a process, and these tests are many in one.
    trace._TRACER_PROVIDER = provider
    if at_once:
        tracing.look()
    try:
        yield Heard(exporter)
    finally:
        trace._TRACER_PROVIDER = None
        tracing.look()
        provider.shutdown()


@dataclass(slots=True)
class Collector:
    """A server that keeps what is posted to it.

    Attributes:
        port: where it listens.
        bodies: what came, unpacked, with the path that it came to.
    """

    port: int
    bodies: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def everything(self) -> bytes:
        return b"\n".join(body for _, body in self.bodies)

    def spans(self) -> list[Span]:
        return [
            span for group in self._groups() for scope in group.scope_spans for span in scope.spans
        ]

    def senders(self) -> set[str]:
        return {
            each.value.string_value
            for group in self._groups()
            for each in group.resource.attributes
            if each.key == "service.name"
        }

    def _groups(self) -> list[Any]:
        return [
            group
            for path, body in self.bodies
            if path == "/v1/traces"
            for group in ExportTraceServiceRequest.FromString(body).resource_spans
        ]


def attributes(span: Span) -> dict[str, Any]:
    """What a span of the wire says."""
    return {
        each.key: getattr(each.value, str(each.value.WhichOneof("value")))
        for each in span.attributes
    }


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fails when it does not in time."""
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


@contextmanager
def collecting() -> Generator[Collector]:
    """A server that keeps what is posted to it, while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the base's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = decompress(body)
            # An address and headers could tell as much as a body.
            kept.bodies.append((self.path, body))
            kept.bodies.append(("headers", str(self.headers).encode()))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept = Collector(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield kept
        finally:
            server.shutdown()
            thread.join()
