"""The span of a request: what it is called, what it tells, and whose trace it is in."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from starlette.types import ASGIApp, Receive, Scope, Send

from comptoir.app import now, randomness
from comptoir.web.logs import Log
from comptoir.web.metrics import Metrics
from comptoir.web.middleware import Around
from comptoir.web.tracing import GONE
from tests.support.site import Site
from tests.support.telemetry import Heard, listening, wait_for

TRACE, CALLER = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
KNOWN = f"00-{TRACE:032x}-{CALLER:016x}-01"


@pytest.fixture
def heard() -> Iterator[Heard]:
    with listening() as found:
        yield found


async def ask(inner: ASGIApp, method: str = "GET", **headers: str) -> None:
    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {
        "type": "http", "method": method, "path": "/api/customers/lovelace",
        "query_string": b"q=lovelace",
        "headers": [*sent, (b"x-request-id", b"r-1")], "http_version": "1.1", "scheme": "http",
    }  # fmt: skip

    async def receive() -> Any:  # noqa: ANN401  # ASGI
        raise NotImplementedError

    async def send(_message: Mapping[str, Any]) -> None:
        return

    around = Around(
        inner, log=Log(), metrics=Metrics(), clock=now, randomness=randomness, locale="en"
    )
    await around(scope, receive, send)


def answering(status: int, route: str | None = None) -> ASGIApp:
    async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
        if route is not None:
            scope["comptoir.route"] = route
        await send({"type": "http.response.start", "status": status, "headers": []})

    return answer


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_span_says_what_was_asked_and_how_it_ended(heard: Heard) -> None:
    await ask(answering(200, "/api/customers/{customer}"), "PUT")
    span = heard.one("PUT /api/customers/{customer}")
    assert span.kind is SpanKind.SERVER
    assert span.parent is None
    assert told(span) == {
        "http.request.method": "PUT", "http.route": "/api/customers/{customer}",
        "http.response.status_code": 200, "network.protocol.version": "1.1", "url.scheme": "http",
        "comptoir.request_id": "r-1",
    }  # fmt: skip
    assert "lovelace" not in span.to_json()


@pytest.mark.parametrize(
    ("status", "code"), [(404, StatusCode.UNSET), (429, StatusCode.UNSET), (503, StatusCode.ERROR)]
)
async def test_only_the_servers_own_faults_are_errors(
    status: int, code: StatusCode, heard: Heard
) -> None:
    await ask(answering(status))
    span = heard.one("GET")
    assert span.status.status_code is code
    assert told(span).get("error.type") == ("503" if code is StatusCode.ERROR else None)


async def test_an_exception_is_told_by_its_type_alone(heard: Heard) -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise LookupError("lovelace")

    await ask(broken)
    span = heard.one("GET")
    assert (told(span)["error.type"], told(span)["http.response.status_code"]) == (
        "LookupError", 500,
    )  # fmt: skip
    assert not span.events
    assert "lovelace" not in span.to_json()


async def test_a_client_who_left_has_no_status(heard: Heard) -> None:
    async def silent(_scope: Scope, _receive: Receive, _send: Send) -> None:
        return

    await ask(silent)
    assert "http.response.status_code" not in told(heard.one("GET"))
    assert GONE not in told(heard.one("GET")).values()


async def test_a_method_that_nobody_knows_names_no_span(heard: Heard) -> None:
    await ask(answering(405, "/api/customers"), "LOVELACE")
    assert told(heard.one("HTTP"))["http.request.method"] == "_OTHER"
    assert "LOVELACE" not in heard.one("HTTP").to_json()


@pytest.mark.parametrize(
    ("said", "parent"),
    [
        (KNOWN, CALLER),
        (KNOWN.upper(), None),
        ("", None),
        ("\xff\x00", None),
        (f"00-{0:032x}-{CALLER:016x}-01", None),
        ("00-" + "1" * 10_000, None),
    ],
    ids=["good", "upper", "empty", "garbage", "zeros", "long"],
)
async def test_the_callers_trace_is_taken_up_if_it_is_one(
    said: str, parent: int | None, heard: Heard
) -> None:
    await ask(answering(200), traceparent=said, tracestate="vendor=1")
    span = heard.one("GET")
    assert (span.parent.span_id if span.parent else None) == parent
    assert (span.context is not None and span.context.trace_id == TRACE) == (parent == CALLER)


async def test_what_the_request_does_is_inside_of_its_span(heard: Heard) -> None:
    async def work(_scope: Scope, _receive: Receive, _send: Send) -> None:
        trace.get_tracer("shop").start_span("inner").end()

    await ask(work)
    inner, outer = heard.one("inner"), heard.one("GET")
    assert inner.parent is not None
    assert outer.context is not None
    assert inner.parent.span_id == outer.context.span_id
    assert not trace.get_current_span().get_span_context().is_valid, "and it is left again"


def test_there_is_one_span_a_request_and_none_of_the_frameworks(site: Site, heard: Heard) -> None:
    site.get(f"/api/credits/balance?customer={site.rich('10')}")
    wait_for(lambda: bool(heard.named("GET /api/credits/balance")))  # it ends after the answer
    assert len(heard.named("GET /api/credits/balance")) == 1
    scopes = {span.instrumentation_scope.name for span in heard.all() if span.instrumentation_scope}
    assert scopes == {"comptoir"}


async def test_where_nobody_listens_there_is_none() -> None:
    seen: list[bool] = []

    async def look(_scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(trace.get_current_span().get_span_context().is_valid)

    await ask(look, traceparent=KNOWN)
    assert seen == [False]
