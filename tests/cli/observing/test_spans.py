"""serve with a collector beside it: what arrives there, what never does, and what if it is dead."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cli.conftest import Shell
from tests.cli.test_serving import serving
from tests.support.postgres import Database
from tests.support.servers import add_keys
from tests.support.telemetry import Collector, Span, attributes, collecting

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
CUSTOMER, REASON, KEY, AMOUNT = "ada-lovelace", "for the first programme", "grant-key-1", "31975.25"
NEVER = "600000"
"""Milliseconds between two exports, so that nothing arrives but what the drain flushes."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture
def key(database: Database) -> str:
    return add_keys(database)[0]


def post(address: str, path: str, body: object, headers: dict[str, str]) -> int:
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)) as connection:
        connection.request(
            "POST", path, json.dumps(body), {"Content-Type": "application/json"} | headers
        )
        reply = connection.getresponse()
        reply.read()
        return reply.status


def grant(address: str, key: str, customer: str = CUSTOMER, name: str = KEY, **more: str) -> int:
    body = {"customer": customer, "amount": AMOUNT, "reason": REASON}
    said = {"Authorization": f"Bearer {key}", "Idempotency-Key": name} | more
    return post(address, "/api/credits/grant", body, said)


def by_name(spans: list[Span], name: str) -> list[Span]:
    return [span for span in spans if span.name == name]


def test_a_request_its_submit_and_its_commit_arrive_when_the_server_drains(
    shell: Shell, collector: Collector, key: str
) -> None:
    said = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": NEVER}
    with serving(shell, **said) as server:
        address = server.address()
        traceparent = f"00-{TRACE}-{CALLER}-01"
        assert grant(address, key, traceparent=traceparent, **{"X-Request-Id": "r-1"}) == 201
        assert not collector.bodies
        assert server.end(signal.SIGTERM) == 0
    spans = collector.spans()
    [request] = by_name(spans, "POST /api/credits/grant")
    [submit], [commit] = by_name(spans, "ledger submit"), by_name(spans, "ledger commit")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, CALLER)
    assert (submit.trace_id, submit.parent_span_id) == (request.trace_id, request.span_id)
    assert commit.trace_id != request.trace_id
    assert [link.span_id for link in commit.links] == [submit.span_id]
    assert request.kind == 2, "SERVER"
    assert attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/api/credits/grant",
        "http.response.status_code": 201,
        "network.protocol.version": "1.1",
        "url.scheme": "http",
        "comptoir.request_id": "r-1",
    }
    assert collector.senders() == {"comptoir"}


def test_one_commit_is_linked_with_many_requests_and_nobody_is_named(
    shell: Shell, collector: Collector, key: str
) -> None:
    said = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SERVICE_NAME": "till"}
    said["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = f"{collector.url}/v1/traces"
    count = 64
    with serving(shell, **said) as server, ThreadPoolExecutor(count) as pool:
        address = server.address()
        names = [f"{KEY}-{n}" for n in range(count)]
        assert set(pool.map(lambda name: grant(address, key, name=name), names)) == {201}
        refused = {"customer": CUSTOMER, "amount": "99999999", "reason": REASON}
        bearer = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"{KEY}-spend"}
        assert post(address, "/api/credits/spend", refused, bearer) == 402
        put = f"/api/customers/{CUSTOMER}/{REASON.replace(' ', '%20')}"
        assert post(address, f"{put}?amount={AMOUNT}", {}, bearer) == 405
        assert server.end(signal.SIGTERM) == 0
    spans = collector.spans()
    submits = {span.span_id for span in by_name(spans, "ledger submit")}
    links = [link.span_id for span in by_name(spans, "ledger commit") for link in span.links]
    assert len(submits) == count + 1
    assert sorted(links) == sorted(submits)
    assert len(by_name(spans, "ledger commit")) < count
    assert {span.status.code for span in by_name(spans, "POST /api/credits/spend")} == {0}
    assert collector.senders() == {"till"}
    secrets = (CUSTOMER, REASON, REASON.rsplit(maxsplit=1)[-1], KEY, AMOUNT, key, key[-12:])
    assert [secret for secret in secrets if secret.encode() in collector.everything] == []


@pytest.mark.measured
def test_every_worker_sends(shell: Shell, collector: Collector, key: str) -> None:
    said = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": NEVER}
    with serving(shell, "--workers", "2", **said) as server:
        address = server.address()
        for n in range(4):
            assert grant(address, key, name=f"k{n}") == 201
        assert server.end(signal.SIGTERM) == 0
    assert len(by_name(collector.spans(), "POST /api/credits/grant")) == 4


def test_the_variables_may_stand_in_a_file(shell: Shell, collector: Collector, key: str) -> None:
    (shell.folder / ".env").write_text(
        f"OTEL_EXPORTER_OTLP_ENDPOINT={collector.url}\nOTEL_SERVICE_NAME=till\n"
        f"OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=shop\n"
    )
    with serving(shell) as server:
        assert grant(server.address(), key) == 201
        assert server.end(signal.SIGTERM) == 0
    assert collector.senders() == {"till"}
    assert b"deployment.environment.name" in collector.everything


@pytest.mark.parametrize("said", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_it_can_be_said_that_nothing_is_sent(
    said: dict[str, str], shell: Shell, collector: Collector, key: str
) -> None:
    with serving(shell, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **said) as server:
        assert grant(server.address(), key) == 201
        assert server.end(signal.SIGTERM) == 0
    assert not collector.bodies


@pytest.mark.parametrize(
    "is_listening",
    [pytest.param(False, marks=pytest.mark.soak), True],
    ids=["refuses", "never answers"],
)
def test_a_dead_collector_breaks_no_request_and_no_drain(
    *, is_listening: bool, shell: Shell, key: str
) -> None:
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        if is_listening:
            dead.listen()
        endpoint = f"http://127.0.0.1:{dead.getsockname()[1]}"
        said = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "10"}
        with serving(shell, **said) as server:
            address = server.address()
            for n in range(20):
                assert grant(address, key, name=f"k{n}") == 201
            began = time.monotonic()
            assert server.end(signal.SIGTERM) == 0
            assert time.monotonic() - began < 9, "3 for the spans, and what a process takes"


def loaded(shell: Shell, **more: str) -> list[str]:
    """What one of several processes that serve has loaded when its application is made."""
    said = "import sys\nfrom comptoir.cli.serving import build_worker as made\nmade()"
    said += "\nprint(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", said], cwd=shell.folder, env=shell.environment(**more),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ended.stdout.split()


def test_nothing_is_loaded_that_nobody_asked_for(shell: Shell) -> None:
    def senders(**more: str) -> set[Any]:
        return {
            name
            for name in loaded(shell, **more)
            if name in {"opentelemetry.sdk", "opentelemetry.exporter", "sentry_sdk", "requests"}
        }

    assert senders() == set()
    dead = "http://127.0.0.1:9"
    assert senders(OTEL_EXPORTER_OTLP_ENDPOINT=dead) == {
        "opentelemetry.sdk", "opentelemetry.exporter", "requests",
    }  # fmt: skip
    assert senders(OTEL_EXPORTER_OTLP_ENDPOINT=dead, OTEL_SDK_DISABLED="true") == set()
    assert senders(SENTRY_DSN="http://k@127.0.0.1:9/1") == {"sentry_sdk"}
