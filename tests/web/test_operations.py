"""Health, metrics, logs, headers, documentation: what stands around the API."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from pydantic import ValidationError
from starlette.types import ASGIApp

from comptoir.app import App, now, open_app, randomness
from comptoir.store.pool import Limits, begin
from comptoir.web import background
from comptoir.web.background import SWEPT_AT_ONCE, sweep
from comptoir.web.languages import LANGUAGES
from comptoir.web.logs import Log
from comptoir.web.metrics import Metrics
from comptoir.web.middleware import Around
from comptoir.web.server import DOCUMENTED, Options, build
from tests.support.postgres import Cluster
from tests.support.site import Site, fresh, serving


def test_health(site: Site) -> None:
    assert site.http.get(f"{site.url}/health/live").json() == {"status": "live"}
    ready = site.http.get(f"{site.url}/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert ready.json()["migration"] == site.sql("SELECT * FROM comptoir.alembic_version")[0][0]


def test_a_database_of_another_version_is_not_ready(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.database() as database, serving(database, tmp_path) as site:
        site.sql("UPDATE comptoir.alembic_version SET version_num = '0000'")
        ready = site.http.get(f"{site.url}/health/ready")
        assert (ready.status_code, ready.json()["code"]) == (503, "migrations-behind")
        assert ready.headers["content-type"] == "application/problem+json"


def test_metrics(site: Site) -> None:
    customer = site.rich()
    site.post("/api/credits/spend", {"customer": customer, "amount": 1})
    page = site.http.get(f"{site.url}/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    route = 'method="POST",route="/api/credits/spend",status="200"'
    counted = re.search(rf"comptoir_http_requests_total{{{route}}} (\S+)", page.text)
    assert counted is not None
    assert float(counted[1]) >= 1
    names = ("http_request_seconds_bucket", "batch_queued", "batch_lanes", "inbox_oldest_seconds")
    for name in names:
        assert f"comptoir_{name}" in page.text
    decided = re.search(r'comptoir_ledger_requests_total{book="1"} (\S+)', page.text)
    assert decided is not None
    assert float(decided[1]) >= 2
    assert customer not in page.text


@pytest.fixture(scope="module")
def guarded(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A French server with a token for its figures, and one web origin that may call."""
    options = Options(locale="fr", origins=("https://shop.example",))
    home = tmp_path_factory.mktemp("home")
    with (
        cluster.database() as database,
        serving(database, home, options, METRICS_TOKEN="s3cret", COMPTOIR_LOCALE="fr") as up,
    ):
        yield up


def test_metrics_may_be_guarded(guarded: Site) -> None:
    for sent, status in (
        ({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": "s3cret"}, 401),
        ({"Authorization": "Bearer s3cret"}, 200),
    ):  # fmt: skip
        assert guarded.http.get(f"{guarded.url}/metrics", headers=sent).status_code == status


def test_origins(guarded: Site) -> None:
    asked = {
        "Origin": "https://shop.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "Authorization, Idempotency-Key",
    }  # fmt: skip
    allowed = guarded.http.options(f"{guarded.url}/api/credits/spend", headers=asked)
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    other = guarded.http.options(
        f"{guarded.url}/api/credits/spend", headers=asked | {"Origin": "https://other.example"}
    )
    assert "access-control-allow-origin" not in other.headers


def test_without_origins_no_other_site_may_call(site: Site) -> None:
    sent = {"Origin": "https://shop.example"}
    answer = site.http.get(f"{site.url}/health/live", headers=sent)
    assert "access-control-allow-origin" not in answer.headers


def test_the_language_of_the_house(guarded: Site) -> None:
    refused = guarded.get("/api/customers", who=None)
    assert refused.json()["title"] == "Authentification requise"
    english = guarded.get("/api/customers", who=None, headers={"Accept-Language": "en"})
    assert english.json()["title"] == "Not authenticated"


def test_request_ids(site: Site) -> None:
    made = site.http.get(f"{site.url}/health/live").headers["x-request-id"]
    assert UUID(made).version == 7
    for sent, is_kept in (("abc-123", True), ("x" * 128, True), ("x" * 129, False), ("a b", False)):
        answer = site.http.get(f"{site.url}/health/live", headers={"X-Request-Id": sent})
        assert (answer.headers["x-request-id"] == sent) is is_kept


@pytest.mark.parametrize("path", ["/api/customers", "/api/nothing", "/docs", "/metrics"])
def test_security_headers(site: Site, path: str) -> None:
    headers = site.http.get(site.url + path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "server" not in headers
    assert ("style-src 'self'" in headers["content-security-policy"]) == (path == "/docs")


def test_unknown_addresses(site: Site) -> None:
    for path in ("/", "/api", "/api/credits", "/api/credits/spend/", "//", "/api/customers%00"):
        refused = site.get(path)
        assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
        assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/credits/spend", "POST"), ("POST", "/api/credits/balance", "GET"),
        ("DELETE", "/api/credits/holds", "GET, POST"), ("POST", "/api/credits/prices", "GET, PUT"),
        ("PATCH", "/api/customers/x", "GET, PUT"), ("PUT", "/health/live", "GET"),
        ("TRACE", "/api/keys", "GET, POST"),
    ],
)  # fmt: skip
def test_unknown_methods(site: Site, method: str, path: str, allow: str) -> None:
    refused = site.call(method, path)
    assert (refused.status_code, refused.json()["code"]) == (405, "method-not-allowed")
    assert refused.headers["allow"] == allow


def test_the_openapi_document(site: Site) -> None:
    document = site.http.get(f"{site.url}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    operations = [each for path in document["paths"].values() for each in path.values()]
    ids = [each["operationId"] for each in operations]
    assert len(ids) == len(set(ids)) == len(DOCUMENTED) + 2
    for each in operations:
        assert each["summary"]
        assert len(each["responses"]) >= 2
        for status, response in each["responses"].items():
            kinds = list(response.get("content", {}))
            wanted = "application/json" if int(status) < 300 else "application/problem+json"
            if status == "200" and each["tags"] == ["stream"]:
                wanted = "text/event-stream"
            assert kinds == ([] if status in ("204", "304") else [wanted])
        body = each.get("requestBody", {}).get("content", {}).get("application/json")
        assert body is None or body["example"]
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert references <= set(document["components"]["schemas"])


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reference_page(site: Site, language: str) -> None:
    page = site.http.get(f"{site.url}/docs", headers={"Accept-Language": language})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-language"] == language
    seen = _Links()
    seen.feed(page.text)
    assert "script" not in seen.tags
    assert seen.tags.count("details") == len(DOCUMENTED) + 2
    assert all(link.startswith("/") for link in seen.found)
    for link in sorted(set(seen.found)):
        assert site.http.get(site.url + link).status_code == 200, link
    for french in ("Dépenser", "<h2>Grand livre</h2>"):
        assert (french in page.text) == (language == "fr")


class _Lines(Log):
    """Keeps log lines."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.errors: list[BaseException] = []

    def request(self, line: dict[str, object]) -> None:
        self.lines.append(line)

    def unexpected(self, error: BaseException, where: Mapping[str, str]) -> None:
        del where
        self.errors.append(error)


async def _call(inner: ASGIApp, headers: list[tuple[bytes, bytes]]) -> tuple[_Lines, list[Any]]:
    log, sent = _Lines(), []

    async def send(message: object) -> None:
        sent.append(message)

    around = Around(
        inner, log=log, metrics=Metrics(), clock=now, randomness=randomness, locale="en"
    )
    scope = {
        "type": "http", "method": "POST", "path": "/api/x", "query_string": b"secret=1",
        "headers": headers,
    }  # fmt: skip
    await around(scope, None, send)
    return log, sent


async def test_the_unexpected_is_answered_without_its_text() -> None:
    async def broken(_scope: object, _receive: object, _send: object) -> None:
        raise RuntimeError("SELECT secret FROM keys")

    log, sent = await _call(broken, [(b"accept-language", b"fr"), (b"x-request-id", b"abc")])
    assert sent[0]["status"] == 500
    problem = json.loads(sent[1]["body"])
    assert (problem["code"], problem["title"]) == ("internal", "Erreur interne")
    assert b"secret" not in sent[1]["body"]
    assert (b"x-request-id", b"abc") in sent[0]["headers"]
    assert [str(error) for error in log.errors] == ["SELECT secret FROM keys"]
    assert log.lines[0]["status"] == 500


async def test_a_log_line_tells_no_secret() -> None:
    async def gone(_scope: object, _receive: object, _send: object) -> None:
        return

    log, _ = await _call(gone, [(b"authorization", b"Bearer ck_live_op_x")])
    [line] = log.lines
    assert line["status"] == 499
    assert set(line) == {
        "at", "event", "method", "route", "status", "ms", "request_id", "actor", "book",
    }  # fmt: skip
    assert "secret" not in str(line)
    assert "ck_" not in str(line)


def test_log_lines_are_json(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    log = Log()
    log.request({"event": "request", "status": 200})
    log.event("something", code="x")
    log.unexpected(ValueError("oops"), {"request_id": "abc"})
    first, second, third = (json.loads(line) for line in capfdbinary.readouterr().err.splitlines())
    assert first == {"event": "request", "status": 200, "level": "info"}
    assert second == {"event": "something", "code": "x", "level": "info"}
    assert third["request_id"] == "abc"
    assert "ValueError: oops" in third["exception"]


def test_log_lines_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    Log("console").event("something", code="x")
    assert "something" in capfd.readouterr().err


@asynccontextmanager
async def _own_app(site: Site) -> AsyncGenerator[App]:
    async with open_app(site.app.settings, site.app.urls) as app:
        yield app


async def test_the_sweep_writes_what_is_due(site: Site) -> None:
    customer = site.rich("10")
    body = {"customer": customer, "amount": "4", "ttl_seconds": 60}
    site.post("/api/credits/holds", body)
    whose = "(SELECT id FROM comptoir.customers WHERE customer = %s)"
    account = f"(SELECT id FROM comptoir.accounts WHERE customer_id = {whose})"
    past = "clock_timestamp() - interval '1 hour'"
    site.sql(
        f"UPDATE comptoir.holds SET expires_at = {past} WHERE account_id = {account}", customer
    )
    site.sql(f"UPDATE comptoir.accounts SET next_expiry = {past} WHERE id = {account}", customer)
    async with _own_app(site) as app:
        await sweep(app)
        await sweep(app)
    kinds = f"SELECT kind FROM comptoir.movements WHERE account_id = {account} ORDER BY version"
    assert site.sql(kinds, customer) == [("grant",), ("hold",), ("hold_expiry",)]
    assert SWEPT_AT_ONCE > 1


def _until(found: Callable[[], bool]) -> None:
    """Wait for what the server does by itself; the test's timeout ends it."""
    pause = threading.Event()
    while not found():
        pause.wait(0.02)


def test_a_server_works_by_itself_between_requests(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SWEEP_SECONDS", "NOTE_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(background, name, 0.05)
    with cluster.database() as database, serving(database, tmp_path) as site:
        customer = site.rich("10")
        body = {"customer": customer, "amount": "4", "ttl_seconds": 1}
        assert site.post("/api/credits/holds", body).status_code == 201
        used = "SELECT count(*) FROM comptoir.keys WHERE last_used_at IS NOT NULL"
        swept = "SELECT count(*) FROM comptoir.movements WHERE kind = 'hold_expiry'"
        _until(lambda: site.sql(used) == [(1,)])
        _until(lambda: site.sql(swept) == [(1,)])


def test_a_database_that_goes_away(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests fail clearly, work in the background goes on trying, and all is well afterwards."""
    monkeypatch.setattr(background, "SWEEP_SECONDS", 0.02)
    limits = Limits(connect=1.0, reconnect=1.0)
    with cluster.database() as database, serving(database, tmp_path, limits=limits) as site:
        customer = site.rich("10")
        body = {"customer": customer, "amount": "4"}
        name = site.sql("SELECT current_database()")[0][0]
        shut = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with psycopg.connect(cluster.urls.superuser_url, autocommit=True) as server:
            server.execute(shut.format(sql.Identifier(name), sql.SQL("false")))
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND application_name = 'comptoir'",
                (name,),
            )
            key = fresh("key")
            done = site.post("/api/credits/spend", body, key=key)
            assert done.status_code == 503
            assert done.json()["code"] in ("database-down", "outcome-unknown")
            assert done.headers["retry-after"] == "1"
            ready = site.http.get(f"{site.url}/health/ready")
            assert (ready.status_code, ready.json()["code"]) == (503, "database-down")
            assert site.http.get(f"{site.url}/health/live").status_code == 200
            batch = {"requests": [body | {"op": "spend", "idempotency_key": fresh("key")}]}
            many = site.post("/api/ledger/batch", batch)
            assert (many.status_code, many.headers["retry-after"]) == (503, "1")
            server.execute(shut.format(sql.Identifier(name), sql.SQL("true")))
        _until(lambda: site.post("/api/credits/spend", body, key=key).status_code == 200)
        path = f"/api/credits/balance?customer={customer}"
        _until(lambda: site.get(path).status_code == 200)
        assert site.balance(customer)["balance"] == "6"


async def test_nothing_due_in_books_that_nobody_uses(site: Site) -> None:
    async with _own_app(site) as app:
        await sweep(app)
        assert 2 not in app.batches
        async with begin(app.pool) as tx:
            assert await (await tx.execute("SELECT 1")).fetchone() == (1,)


def test_the_application_is_built_as_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("COMPTOIR_HOME", str(tmp_path))
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.chdir(tmp_path)
    assert build().title == "Comptoir"
    monkeypatch.setenv("COMPTOIR_LOCALE", "es")
    with pytest.raises(ValidationError):
        build()


_COUNT = """
from comptoir.web.metrics import Metrics
metrics = Metrics()
metrics.observe("GET", "/api/x", 200, 0.01)
metrics.look({1: type("Batch", (), {"queued": 3, "lanes": 1, "committed": 7})})
print(metrics.page().decode())
"""


def test_metrics_of_several_processes_are_one_page(tmp_path: Path) -> None:
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", _COUNT],
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
    page = done.stdout
    counted = 'comptoir_http_requests_total{method="GET",route="/api/x",status="200"} 2.0'
    assert counted in page
    assert 'comptoir_ledger_requests_total{book="1"} 14.0' in page


def test_verify(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.database() as database, serving(database, tmp_path) as site:
        customer = site.rich("10")
        for full in ("", "?full=false", "?full=true"):
            found = site.get(f"/api/ledger/verify{full}").json()
            assert found.pop("accounts") >= 1
            assert found | {"checked_at": None} == {
                "balanced": True, "movements": 1, "drift": [], "truncated": False,
                "checked_at": None,
            }  # fmt: skip
        site.sql("UPDATE comptoir.accounts SET posted = posted + 1 WHERE customer_id IS NOT NULL")
        drifted = site.get("/api/ledger/verify?full=true").json()
        assert drifted["balanced"] is False
        assert {each["table"] for each in drifted["drift"]} >= {"accounts"}
        assert set(drifted["drift"][0]) == {"check", "table", "row", "detail"}
        assert customer not in str(drifted)
        assert site.get("/api/ledger/verify", who="test_op").json()["balanced"] is True
        wrong = site.get("/api/ledger/verify?full=yes")
        assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "boolean-expected")
