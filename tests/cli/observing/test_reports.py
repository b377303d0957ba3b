"""serve with a Sentry beside it: bugs arrive there, and nothing that anybody said."""

import asyncio
import http.client
import json
import signal
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from comptoir.cli.observing import watching
from comptoir.cli.observing.reports import Reports, fit_to_leave
from comptoir.config import Settings
from comptoir.kit.errors import ComptoirError, Unavailable
from comptoir.web import background
from comptoir.web.logs import Log
from tests.cli.conftest import Shell
from tests.cli.test_serving import serving
from tests.support.postgres import Database
from tests.support.servers import add_keys
from tests.support.telemetry import Collector, collecting, wait_for

Body = dict[str, Any]
CUSTOMER, NAME, PASSWORD, KEY = "ada-lovelace", "Ada Countess", "hunter2hunter2", "spend-key-1"
BREAK = """
CREATE OR REPLACE FUNCTION comptoir.break_it() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'broken by %', to_jsonb(NEW); END$$;
CREATE TRIGGER break_it BEFORE INSERT OR UPDATE ON comptoir.{table}
    FOR EACH ROW EXECUTE FUNCTION comptoir.break_it()"""


@pytest.fixture
def sentry() -> Iterator[Collector]:
    with collecting() as found:
        yield found


def dsn(sentry: Collector) -> str:
    return f"http://publickey@127.0.0.1:{sentry.port}/1"


def break_(database: Database, table: str) -> None:
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute(BREAK.format(table=table).encode())


def call(address: str, method: str, path: str, body: object, headers: dict[str, str]) -> Body:
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)) as connection:
        sent = {"Content-Type": "application/json"} | headers
        connection.request(method, path, json.dumps(body), sent)
        reply = connection.getresponse()
        return json.loads(reply.read()) | {"request_id": reply.headers["X-Request-Id"]}


def events(sentry: Collector) -> list[dict[str, Any]]:
    """An envelope is lines of JSON: its own header, then a header and a body for each item."""
    found = [
        json.loads(line)
        for path, body in sentry.bodies
        if path.startswith("/api/1/")
        for line in body.splitlines()
    ]
    return [each for each in found if "exception" in each]


def test_bugs_arrive_and_nobody_is_named(
    shell: Shell, database: Database, sentry: Collector
) -> None:
    [key, _] = add_keys(database)
    guarded = make_conninfo(database.app_url, password=PASSWORD)
    bearer = {"Authorization": f"Bearer {key}", "Idempotency-Key": KEY, "Cookie": "session=crumb"}
    grant = {"customer": CUSTOMER, "amount": "31975.25", "reason": NAME}
    with serving(shell, SENTRY_DSN=dsn(sentry), DATABASE_URL=guarded) as server:
        address = server.address()
        said = call(
            address, "POST", "/api/credits/spend", {"customer": CUSTOMER, "amount": 1}, bearer
        )
        assert said["code"] == "insufficient-credits"
        assert call(address, "GET", "/api/nothing", {}, bearer)["code"] == "not-found"
        assert call(address, "POST", "/api/credits/spend", {}, {})["code"] == "unauthorized"
        break_(database, "customers")
        body = {"name": NAME, "email": "ada@example.org"}
        put = call(address, "PUT", f"/api/customers/{CUSTOMER}", body, bearer)
        assert put["code"] == "internal"
        break_(database, "movements")
        granted = call(
            address, "POST", "/api/credits/grant", grant, bearer | {"Idempotency-Key": f"{KEY}-2"}
        )
        assert granted["code"] == "internal"
        assert server.end(signal.SIGTERM) == 0
    first, second = events(sentry)
    assert first["tags"] == {
        "method": "PUT", "route": "/api/customers/{customer}", "request_id": put["request_id"],
    }  # fmt: skip
    assert first["exception"]["values"][-1]["type"] == "RaiseException"
    frames = first["exception"]["values"][-1]["stacktrace"]["frames"]
    assert "put_customer" in {frame["function"] for frame in frames}
    assert second["tags"]["route"] == "/api/credits/grant"
    assert [each["type"] for each in second["exception"]["values"]] == [
        "RaiseException", "ComptoirError",
    ]  # fmt: skip
    secrets = (
        key, key[-12:], CUSTOMER, NAME, "Countess", PASSWORD, KEY, "31975.25", "ada@example",
        "crumb", "broken by",
    )  # fmt: skip
    assert [secret for secret in secrets if secret.encode() in sentry.everything] == []


@pytest.mark.measured
@pytest.mark.slow
def test_a_bug_in_the_background_arrives_and_the_server_lives(
    shell: Shell, database: Database, sentry: Collector
) -> None:
    [key, _] = add_keys(database)
    bearer = {"Authorization": f"Bearer {key}"}
    with serving(shell, SENTRY_DSN=dsn(sentry)) as server:
        address = server.address()
        assert "items" in call(address, "GET", "/api/customers", None, bearer)
        break_(database, "keys")  # the use of the key is noted in the background
        wait_for(lambda: bool(events(sentry)))
        assert "items" in call(address, "GET", "/api/customers", None, bearer)
        assert server.end(signal.SIGTERM) == 0
    assert events(sentry)[0]["tags"] == {"work": "note_uses"}


def test_what_serve_itself_did_not_expect_arrives(
    shell: Shell, database: Database, sentry: Collector
) -> None:
    """Also with several processes, where the parent serves nothing."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("UPDATE comptoir.settings SET value = 'elsewhere'")
        connection.execute(
            "INSERT INTO comptoir.settings (name, value) VALUES ('environment', 'elsewhere')"
            " ON CONFLICT (name) DO UPDATE SET value = 'elsewhere'"
        )
    with serving(shell, "--workers", "2", SENTRY_DSN=dsn(sentry)) as server:
        assert server.process.wait(60) == 1
    [event] = events(sentry)
    assert event["tags"] == {"work": "serve"}
    assert event["exception"]["values"][-1]["type"] == "ValueError"


def test_a_dead_sentry_breaks_no_answer_and_no_drain(shell: Shell, database: Database) -> None:
    [key, _] = add_keys(database)
    with serving(shell, SENTRY_DSN="http://k@127.0.0.1:9/1") as server:
        address = server.address()
        break_(database, "customers")
        for _ in range(5):
            put = call(address, "PUT", "/api/customers/x", {}, {"Authorization": f"Bearer {key}"})
            assert put["code"] == "internal"
        assert server.end(signal.SIGTERM) == 0


def test_what_is_not_on_the_list_stays() -> None:
    frame = {"lineno": 3, "vars": {"customer": CUSTOMER}, "abs_path": CUSTOMER}
    one = {"type": "E", "value": CUSTOMER, "mechanism": {"type": "generic", "data": CUSTOMER}}
    one["stacktrace"] = {"frames": [frame], "registers": CUSTOMER}
    told = ("request", "user", "breadcrumbs", "extra", "contexts", "message", "logentry")
    event = dict.fromkeys(told, CUSTOMER)
    left = fit_to_leave(event | {"level": "error", "exception": {"values": [one]}})
    assert CUSTOMER not in json.dumps(left)
    assert left["exception"]["values"][0]["stacktrace"]["frames"] == [{"lineno": 3}]
    assert fit_to_leave({"exception": {"values": [{"type": "E", "stacktrace": None}]}})


@pytest.mark.parametrize(
    ("error", "is_told"),
    [
        (ValueError("x"), True),
        (ComptoirError("internal"), True),
        (ExceptionGroup("many", [ValueError("x")]), True),
        (Unavailable("database-down"), False),
        (ExceptionGroup("many", [Unavailable("database-down")]), False),
        (OSError("no such file"), False),
    ],
    ids=repr,
)
async def test_only_what_nobody_expected_is_told(
    *, error: Exception, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BaseException] = []
    flushed: list[int] = []
    reports = Reports(lambda error, _: told.append(error), lambda: flushed.append(1))
    watch = watching.watched(Settings.model_construct(), reports)
    with pytest.raises(type(error)):
        async with watch.around():
            raise error
    assert told == [error] * is_told
    assert flushed == [1]
    monkeypatch.setattr(watching.reports, "begin", lambda _: reports)
    with pytest.raises(type(error)), watching.reporting(Settings.model_construct()):
        raise error
    assert told == [error, error] * is_told


def test_a_report_that_fails_is_a_line_of_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    def failing(_error: BaseException, _where: object) -> None:
        raise RuntimeError

    Log("json", failing).unexpected(ValueError("x"), {"request_id": "r"})
    first, second = map(json.loads, capfd.readouterr().err.splitlines())
    assert (first["event"], first["request_id"]) == ("unexpected", "r")
    assert (second["event"], second["error"]) == ("report-failed", "RuntimeError")


async def test_a_bug_in_one_round_leaves_the_next_ones() -> None:
    rounds: list[int] = []
    told: list[BaseException] = []

    async def work() -> None:
        rounds.append(1)
        if len(rounds) == 5:
            raise asyncio.CancelledError
        raise Unavailable("database-down") if len(rounds) % 2 else ValueError("x")

    repeat = background._repeat(0, "work", work, Log("json", lambda error, _: told.append(error)))
    with pytest.raises(asyncio.CancelledError):
        await repeat
    assert [type(error) for error in told] == [ValueError, ValueError]
