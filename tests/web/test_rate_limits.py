"""How often our own routes may be called: by whom, what says so, and what is exempt."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.postgres import Database
from tests.support.site import Site, fresh, serving

LEFT = re.compile(r'"api";r=(\d+);t=(\d+)')


@contextmanager
def limited(database: Database, home: Path, **environment: str) -> Iterator[Site]:
    """A server that lets a client call three times in a minute."""
    said: dict[str, Any] = {"RATE_LIMIT_CLIENT": "3/60"} | environment
    with serving(database, home, **said) as site:
        yield site


@pytest.fixture
def own(database: Database, tmp_path: Path) -> Iterator[Site]:
    with limited(database, tmp_path) as site:
        yield site


def token(own: Site) -> str:
    """A token of a new customer."""
    body = {"customer": fresh("customer"), "ttl_seconds": 600}
    return own.call("POST", "/api/customer-tokens", body, who="svc").json()["token"]


def remaining(answer: httpx2.Response) -> int:
    """What every header says is left; they say the same."""
    headers = answer.headers
    assert headers["ratelimit-policy"] == '"api";q=3;w=60'
    found = LEFT.fullmatch(headers["ratelimit"])
    assert found is not None, headers["ratelimit"]
    left, seconds = int(found[1]), int(found[2])
    assert headers["x-ratelimit-limit"] == "3"
    assert headers["x-ratelimit-remaining"] == str(left)
    reset = int(headers["x-ratelimit-reset"]) / 1000 - time.time()
    assert seconds - 3 < reset < seconds + 3
    assert 0 < seconds <= 61
    return left


def test_an_address_without_a_key(own: Site):
    for left in (2, 1, 0):
        answer = own.call("GET", "/api/credits/balance?customer=a", who=None)
        assert answer.status_code == 401
        assert remaining(answer) == left
    denied = own.call("GET", "/api/credits/balance?customer=a", who="ck_live_op_wrong")
    problem = denied.json()
    assert (denied.status_code, problem["code"]) == (429, "rate-limited")
    assert (problem["limit"], problem["window"]) == (3, 60)
    assert remaining(denied) == 0
    assert int(denied.headers["retry-after"]) == problem["wait"] > 55
    spoofed = {"X-Forwarded-For": "192.0.2.7"}
    assert own.call("GET", "/api/jobs", who=None, headers=spoofed).status_code == 429
    french = own.call("GET", "/api/jobs", who=None, headers={"Accept-Language": "fr"})
    assert french.json()["title"] == "Trop de requêtes"
    assert own.get("/api/jobs").status_code == 200, "whoever has a key is not meant"


def test_the_token_of_a_customer(own: Site):
    one, other = token(own), token(own)
    for left in (2, 1, 0):
        answer = own.call("GET", "/api/credits/balance", who=one)
        assert answer.status_code == 200
        assert remaining(answer) == left
    assert own.call("GET", "/api/credits/balance", who=one).status_code == 429
    assert own.call("GET", "/api/credits/balance", who=other).status_code == 200


def test_keys_have_no_limit_unless_it_is_said(own: Site):
    for _ in range(8):
        answer = own.get("/api/jobs")
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


def test_keys_have_the_limit_that_is_said(database: Database, tmp_path: Path):
    with limited(database, tmp_path, RATE_LIMIT_SERVICE="2/60") as own:
        statuses = [own.call("GET", "/api/jobs", who="svc").status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert own.call("GET", "/api/jobs", who="op").status_code == 200, "each key for itself"


def test_what_is_exempt(own: Site):
    for path in ("/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"):
        for _ in range(5):
            assert own.http.get(own.url + path).status_code == 200
    for _ in range(5):
        assert own.call("GET", "/api/cron/process-pdf", who=None).status_code == 401


def test_addresses_behind_a_trusted_proxy(database: Database, tmp_path: Path):
    with limited(database, tmp_path, TRUSTED_PROXIES="127.0.0.0/8") as own:
        for client, statuses in (("192.0.2.1", [401] * 3 + [429]), ("192.0.2.2", [401])):
            headers = {"X-Forwarded-For": f"{fresh()}, {client}"}
            for status in statuses:
                assert own.call("GET", "/api/jobs", who=None, headers=headers).status_code == status


def test_what_two_servers_let_through_is_one_limit(database: Database, tmp_path: Path):
    with limited(database, tmp_path) as one, limited(database, tmp_path) as two:
        asked = [each.call("GET", "/api/jobs", who=None).status_code for each in (one, two) * 3]
    assert asked == [401, 401, 401, 429, 429, 429]


def test_several_calls_at_once(own: Site):
    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(own.call, "GET", "/api/jobs", who=None) for _ in range(32)]
        statuses = [each.result().status_code for each in asked]
    assert sorted(statuses) == [401] * 3 + [429] * 29
