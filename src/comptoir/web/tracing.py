"""One span a request, in the words of OpenTelemetry's conventions for HTTP servers.

The address as it was asked for is not among them, though the conventions want it: parts of it are
customers. Its route tells as much.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from comptoir.store.tracing import error_type, tracer

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
GONE: Final = 499
"""The status of a request whose client left before it was answered; nginx's word for it."""

_CALLER: Final = TraceContextTextMapPropagator()
_ERROR: Final = 500


@contextmanager
def serving(scope: Mapping[str, Any]) -> Generator[Span]:
    """The span of a request, current while the block runs, in the trace that its caller began."""
    told: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name in (b"traceparent", b"tracestate"):
            told[name.decode()] = value.decode("latin-1")
    method = scope["method"] if scope["method"] in METHODS else None
    with tracer().start_as_current_span(
        method or "HTTP",
        context=_CALLER.extract(told) if told else None,
        kind=SpanKind.SERVER,
        attributes={
            "http.request.method": method or "_OTHER",
            "network.protocol.version": scope.get("http_version", "1.1"),
            "url.scheme": scope.get("scheme", "http"),
        },
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        yield span


def describe(span: Span, scope: Mapping[str, Any], status: int, request_id: str) -> None:
    """Say what the request was and how it ended."""
    route: str | None = scope.get("comptoir.route")
    if route is not None:
        span.set_attribute("http.route", route)
        if scope["method"] in METHODS:
            span.update_name(f"{scope['method']} {route}")
    span.set_attribute("comptoir.request_id", request_id)
    if status == GONE:
        return
    span.set_attribute("http.response.status_code", status)
    if status >= _ERROR:
        error: BaseException | None = scope.get("comptoir.error")
        span.set_attribute("error.type", str(status) if error is None else error_type(error))
        span.set_status(StatusCode.ERROR)
