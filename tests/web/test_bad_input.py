"""Bad input: each a clear problem, nothing changed, never a 500."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from comptoir.kit.limits import BODY_BYTES
from comptoir.web.catalogue import PROBLEMS
from tests.support.site import Site, fresh

COUNTED = ("requests", "movements", "lots", "holds", "keys", "prices", "assets", "customers")


@pytest.fixture
def untouched(site: Site) -> Iterator[Site]:
    """The same server; the test must not change a row of the books."""
    # The customers of the tests are opened on first use, which is no change of the books.
    site.call("PUT", "/api/customers/somebody", {})
    before = [site.sql(f"SELECT count(*) FROM comptoir.{table}") for table in COUNTED]
    yield site
    after = [site.sql(f"SELECT count(*) FROM comptoir.{table}") for table in COUNTED]
    assert after == before


SPEND = {"customer": "somebody", "amount": "5"}
HOLD = SPEND | {"ttl_seconds": 60}
GRANT = SPEND | {"reason": "x"}
LONG = "x" * 1_000_000


def check(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code), response.text
    assert problem["status"] == status == PROBLEMS[code].status
    assert problem["type"] == f"/problems/{code}"
    assert set(problem) >= {"type", "title", "status", "code", "detail", "instance"}
    assert "?" not in problem["detail"]
    return problem


AMOUNTS: list[tuple[str, object]] = [
    ("float", 5.5), ("whole float", 5.0), ("1e30", 1e30), ("minus one", -1), ("zero", 0),
    ("zero text", "0"), ("zero decimals", "0.000000"), ("minus one text", "-1"),
    ("seven decimals", "1.0000001"), ("20 digits", "1" * 20), ("20 digit number", 10**20),
    ("13 digits", 10**12), ("true", True), ("false", False), ("empty", ""), ("space", " 5"),
    ("plus", "+5"), ("leading zero", "05"), ("no decimals", "5."), ("no whole", ".5"),
    ("exponent", "5e3"), ("comma", "5,5"), ("hex", "0x5"), ("underscore", "1_000"),
    ("arabic digits", "\u0665"), ("full-width digits", "\uff15"), ("newline", "5\n"),
    ("list", [5]), ("object", {"amount": 5}), ("nan text", "NaN"), ("infinity text", "Infinity"),
    ("megabyte", LONG), ("nul", "5\x00"),
]  # fmt: skip


@pytest.mark.parametrize("amount", [a for _, a in AMOUNTS], ids=[name for name, _ in AMOUNTS])
@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/credits/grant", GRANT), ("/api/credits/spend", SPEND), ("/api/credits/holds", HOLD)],
    ids=["grant", "spend", "hold"],
)
def test_amounts(untouched: Site, path: str, body: dict[str, Any], amount: object) -> None:
    refused = untouched.post(path, body | {"amount": amount})
    problem = check(refused, 422, "validation-failed")
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [("amount", "amount-invalid")]


def test_an_amount_finer_than_its_asset(untouched: Site) -> None:
    for asset in ("tokens", "stock"):
        refused = untouched.post("/api/credits/grant", GRANT | {"asset": asset, "amount": "0.5"})
        problem = check(refused, 422, "validation-failed")
        assert problem["errors"][0]["code"] == "amount-too-precise"
        assert "0 decimals" in problem["detail"]


NAMES: list[tuple[str, object, str]] = [
    ("nul", "a\x00b", "not-printable"), ("newline", "a\nb", "not-printable"),
    ("tab", "a\tb", "not-printable"), ("escape", "\x1b[31m", "not-printable"),
    ("c1", "a\x85b", "not-printable"), ("zero width", "a\u200bb", "not-printable"),
    ("right to left", "\u202eabc", "not-printable"), ("line separator", "a\u2028", "not-printable"),
    ("byte order mark", "\ufeffa", "not-printable"), ("garbled", "a\ufffd", "not-printable"),
    ("noncharacter", "a\uffff", "not-printable"), ("empty", "", "too-short"),
    ("129 characters", "x" * 129, "too-long"), ("megabyte", LONG, "too-long"),
    ("number", 5, "text-expected"), ("null", None, "text-expected"), ("list", [], "text-expected"),
    ("true", True, "text-expected"), ("object", {}, "text-expected"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("customer", "code"), [(n, c) for _, n, c in NAMES], ids=[name for name, _, _ in NAMES]
)
def test_customers(untouched: Site, customer: object, code: str) -> None:
    refused = untouched.post("/api/credits/spend", SPEND | {"customer": customer})
    problem = check(refused, 422, "validation-failed")
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [("customer", code)]


BODIES: list[tuple[str, str, dict[str, object], str]] = [
    ("unknown field", "/api/credits/spend", {"colour": "red"}, "colour"),
    ("hidden field", "/api/credits/spend", {"__class__": "x"}, "__class__"),
    ("both ways", "/api/credits/spend", {"action": "a"}, "body"),
    ("amount and quantity", "/api/credits/spend", {"quantity": 2}, "body"),
    ("reason of 501", "/api/credits/spend", {"reason": "x" * 501}, "reason"),
    ("reason with nul", "/api/credits/spend", {"reason": "\x00"}, "reason"),
    ("reference of 201", "/api/credits/spend", {"reference": "x" * 201}, "reference"),
    ("model of 101", "/api/credits/spend", {"model": "x" * 101}, "model"),
    ("cost as number", "/api/credits/spend", {"cost": 0.5}, "cost"),
    ("cost too fine", "/api/credits/spend", {"cost": "0.0000000001"}, "cost"),
    ("negative cost", "/api/credits/spend", {"cost": "-1"}, "cost"),
    ("asset in capitals", "/api/credits/spend", {"asset": "Credits"}, "asset"),
    ("asset as number", "/api/credits/spend", {"asset": 1}, "asset"),
    ("metadata list", "/api/credits/spend", {"metadata": []}, "metadata"),
    ("21 metadata", "/api/credits/spend", {"metadata": {str(n): "" for n in range(21)}},
     "metadata"),
    ("metadata number", "/api/credits/spend", {"metadata": {"a": 1}}, "metadata.a"),
    ("metadata nested", "/api/credits/spend", {"metadata": {"a": {"b": "c"}}}, "metadata.a"),
    ("metadata of 501", "/api/credits/spend", {"metadata": {"a": "x" * 501}}, "metadata.a"),
    ("ttl 0", "/api/credits/holds", {"ttl_seconds": 0}, "ttl_seconds"),
    ("ttl -1", "/api/credits/holds", {"ttl_seconds": -1}, "ttl_seconds"),
    ("ttl 86401", "/api/credits/holds", {"ttl_seconds": 86_401}, "ttl_seconds"),
    ("ttl text", "/api/credits/holds", {"ttl_seconds": "60"}, "ttl_seconds"),
    ("ttl float", "/api/credits/holds", {"ttl_seconds": 60.0}, "ttl_seconds"),
    ("ttl null", "/api/credits/holds", {"ttl_seconds": None}, "ttl_seconds"),
    ("ttl true", "/api/credits/holds", {"ttl_seconds": True}, "ttl_seconds"),
    ("ttl huge", "/api/credits/holds", {"ttl_seconds": 10**30}, "ttl_seconds"),
    ("on_excess", "/api/credits/holds", {"on_excess": "maybe"}, "on_excess"),
    ("priority -1", "/api/credits/grant", {"priority": -1}, "priority"),
    ("priority 101", "/api/credits/grant", {"priority": 101}, "priority"),
    ("priority text", "/api/credits/grant", {"priority": "5"}, "priority"),
    ("no reason", "/api/credits/grant", {"reason": None}, "reason"),
    ("expiry as number", "/api/credits/grant", {"expires_at": 5}, "expires_at"),
    ("expiry without offset", "/api/credits/grant", {"expires_at": "2090-01-01T00:00:00"},
     "expires_at"),
    ("expiry as a day", "/api/credits/grant", {"expires_at": "2090-01-01"}, "expires_at"),
    ("expiry in no month", "/api/credits/grant", {"expires_at": "2090-13-01T00:00:00Z"},
     "expires_at"),
    ("expiry at no hour", "/api/credits/grant", {"expires_at": "2090-01-01T25:00:00Z"},
     "expires_at"),
    ("last expiry", "/api/credits/grant", {"expires_at": "9999-12-31T23:59:59-23:59"},
     "expires_at"),
    ("expiry elsewhere", "/api/credits/grant", {"expires_at": "2090-01-01T00:00:00+99:99"},
     "expires_at"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "change", "field"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES]
)
def test_fields(untouched: Site, path: str, change: dict[str, object], field: str) -> None:
    whole = {"/api/credits/grant": GRANT, "/api/credits/holds": HOLD}.get(path, SPEND)
    problem = check(untouched.post(path, whole | change), 422, "validation-failed")
    assert field in [each["field"] for each in problem["errors"]]


@pytest.mark.parametrize("field", ["customer", "amount", "reason"])
def test_missing_fields(untouched: Site, field: str) -> None:
    body = {name: value for name, value in GRANT.items() if name != field}
    problem = check(untouched.post("/api/credits/grant", body), 422, "validation-failed")
    assert problem["errors"] == [{"field": field, "code": "required", "message": "is required"}]


def test_quantities(untouched: Site) -> None:
    action = "somebody.acts"
    for quantity in (0, -1, 1.5, "2", True, None, 10**30):
        body = {"customer": "somebody", "action": action, "quantity": quantity}
        problem = check(untouched.post("/api/credits/spend", body), 422, "validation-failed")
        assert problem["errors"][0]["field"] == "quantity"


def test_a_total_that_no_integer_holds(site: Site) -> None:
    action = fresh("action")
    site.call("PUT", "/api/credits/prices", {"action": action, "amount": "999999999999"})
    body = {"customer": "somebody", "action": action, "quantity": 10**12 - 1}
    problem = check(site.post("/api/credits/spend", body), 422, "validation-failed")
    assert problem["errors"][0]["code"] == "amount-too-large"
    body = {"customer": "somebody", "action": action, "quantity": 4}
    assert site.post("/api/credits/spend", body).status_code == 402


MALFORMED: list[tuple[str, bytes]] = [
    ("nothing", b" "), ("text", b"hello"), ("cut off", b'{"customer": "somebody"'),
    ("trailing", b'{"customer":"somebody","amount":"5"} x'), ("nan", b'{"amount": NaN}'),
    ("infinity", b'{"amount": Infinity}'), ("minus infinity", b'{"amount": -Infinity}'),
    ("invalid utf-8", b'{"customer":"\xff\xfe","amount":5}'),
    ("overlong utf-8", b'{"customer":"\xc0\xaf","amount":5}'),
    ("utf-16", '{"customer":"somebody"}'.encode("utf-16")),
    ("lone surrogate", rb'{"customer":"\ud800","amount":5}'),
    ("utf-8 surrogate", b'{"customer":"\xed\xa0\x80","amount":5}'),
    ("byte order mark", b'\xef\xbb\xbf{"customer":"somebody","amount":5}'),
    ("deep list", b"[" * 100_000 + b"]" * 100_000), ("deep object", b'{"a":' * 50_000),
    ("raw nul", b'{"customer":"\x00"}'), ("single quotes", b"{'customer':'somebody'}"),
    ("comment", b'{"amount":5 /* five */}'), ("trailing comma", b'{"amount":5,}'),
    ("endless number", b'{"amount":' + b"9" * 100_000 + b"}"), ("hex", b'{"amount":0x5}'),
]  # fmt: skip


@pytest.mark.parametrize("content", [c for _, c in MALFORMED], ids=[name for name, _ in MALFORMED])
def test_malformed_json(untouched: Site, content: bytes) -> None:
    refused = untouched.call("POST", "/api/credits/spend", content=content)
    check(refused, 400, "malformed-json")


@pytest.mark.parametrize("content", [b"null", b"[]", b"5", b'"text"', b"true"], ids=repr)
def test_json_that_is_no_object(untouched: Site, content: bytes) -> None:
    check(untouched.call("POST", "/api/credits/spend", content=content), 422, "validation-failed")


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/xml", "", "application/json; charset=latin-1", "application/jsonx"],
)  # fmt: skip
def test_what_is_not_sent_as_json(untouched: Site, kind: str) -> None:
    content = json.dumps(SPEND).encode()
    refused = untouched.call(
        "POST", "/api/credits/spend", content=content, headers={"Content-Type": kind}
    )
    check(refused, 415, "unsupported-media-type")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=UTF-8"])
def test_what_is_sent_as_json(site: Site, kind: str) -> None:
    content = json.dumps(SPEND | {"customer": fresh("poor")}).encode()
    sent = site.call("POST", "/api/credits/spend", content=content, headers={"Content-Type": kind})
    assert sent.status_code == 402


KEYS: list[tuple[str, bytes, int]] = [
    ("empty", b"", 400), ("256 characters", b"x" * 256, 422), ("tab", b"a\tb", 422),
    ("invalid utf-8", b"\xff\xfe", 422), ("control", "a\u0085b".encode(), 422),
    ("zero width", "a\u200bb".encode(), 422), ("garbled", "\ufffd".encode(), 422),
    ("60 kilobytes", b"x" * 60_000, 422),
]  # fmt: skip


@pytest.mark.parametrize(("key", "status"), [k[1:] for k in KEYS], ids=[k[0] for k in KEYS])
def test_idempotency_keys(untouched: Site, key: bytes, status: int) -> None:
    sent: Any = {"Idempotency-Key": key}
    refused = untouched.call("POST", "/api/credits/spend", SPEND, headers=sent)
    code = "idempotency-key-missing" if status == 400 else "validation-failed"
    problem = check(refused, status, code)
    if status == 422:
        assert problem["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["x" * 255, "commande n° 7", "a b", "名前"], ids=ascii)
def test_idempotency_keys_that_are_fine(site: Site, key: str) -> None:
    sent: Any = {"Idempotency-Key": key.encode()}
    body = SPEND | {"customer": fresh("poor")}
    done = site.call("POST", "/api/credits/spend", body, headers=sent)
    assert done.status_code == 402


def test_two_idempotency_keys(untouched: Site) -> None:
    sent = [
        ("Authorization", f"Bearer {untouched.keys['op']}"), ("Idempotency-Key", "a"),
        ("Idempotency-Key", "b"),
    ]  # fmt: skip
    refused = untouched.http.post(f"{untouched.url}/api/credits/spend", headers=sent, json=SPEND)
    problem = check(refused, 422, "validation-failed")
    assert problem["errors"][0]["code"] == "repeated"


QUERIES: list[tuple[str, str, int]] = [
    ("unknown parameter", "customer=a&colour=red", 422), ("no customer", "", 422),
    ("empty customer", "customer=", 422), ("repeated", "customer=a&customer=b", 422),
    ("nul", "customer=a%00", 422), ("invalid utf-8", "customer=%FF", 400),
    ("long", "customer=" + "x" * 129, 422), ("60 kilobytes", "customer=" + "x" * 60_000, 422),
    ("limit 0", "customer=a&limit=0", 422), ("limit 101", "customer=a&limit=101", 422),
    ("limit -1", "customer=a&limit=-1", 422), ("limit text", "customer=a&limit=ten", 422),
    ("limit float", "customer=a&limit=1.0", 422), ("limit huge", f"customer=a&limit={10**30}", 422),
    ("limit empty", "customer=a&limit=", 422), ("limit space", "customer=a&limit=%205", 422),
    ("limit underscore", "customer=a&limit=1_0", 422), ("limit plus", "customer=a&limit=%2B5", 422),
    ("unknown kind", "customer=a&kind=theft", 422), ("bad time", "customer=a&from=yesterday", 422),
    ("naive time", "customer=a&to=2026-01-01T00:00:00", 422), ("100 fields", "a=1&" * 100, 400),
    ("asset", "customer=a&asset=CREDITS", 422), ("cursor", "customer=somebody&cursor=x", 400),
    ("long cursor", "customer=somebody&cursor=" + "x" * 1_001, 422),
]  # fmt: skip


@pytest.mark.parametrize(("query", "status"), [q[1:] for q in QUERIES], ids=[q[0] for q in QUERIES])
def test_queries(site: Site, query: str, status: int) -> None:
    site.grant("somebody")
    refused = site.get(f"/api/credits/transactions?{query}")
    assert refused.status_code == status, refused.text
    assert refused.json()["code"] in {
        400: ("bad-request", "cursor-invalid"), 422: ("validation-failed",),
    }[status]  # fmt: skip


def test_a_query_where_none_belongs(untouched: Site) -> None:
    refused = untouched.post("/api/credits/spend?dry_run=true", SPEND)
    problem = check(refused, 422, "validation-failed")
    assert problem["errors"][0]["field"] == "dry_run"


def test_eleven_megabytes(untouched: Site) -> None:
    content = b'{"customer":"' + b"x" * (11 * 1024 * 1024) + b'"}'
    refused = untouched.call("POST", "/api/credits/spend", content=content)
    check(refused, 413, "payload-too-large")
    assert refused.headers["connection"] == "close"


def test_eleven_megabytes_without_a_length(untouched: Site) -> None:
    """The server answers as soon as it is too much: it waits for no end that never comes."""
    where = urlsplit(untouched.url)
    head = (
        "POST /api/credits/spend HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        f"Authorization: Bearer {untouched.keys['op']}\r\nIdempotency-Key: {fresh()}\r\n"
        "Content-Type: application/json\r\n\r\n"
    )
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as client:
        client.sendall(head.encode())
        try:
            for _ in range(BODY_BYTES // 0x10000 + 2):
                client.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was answered and closed already
        answer = b""
        while b"payload" not in answer and (part := client.recv(65_536)):
            answer += part  # head and body may come apart
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"payload-too-large"' in answer


def test_ten_megabytes_are_read(untouched: Site) -> None:
    content = b'{"customer":"somebody","amount":"5"' + b" " * (BODY_BYTES - 36) + b"}"
    assert len(content) == BODY_BYTES
    done = untouched.call("POST", "/api/nothing", content=content)
    check(done, 404, "not-found")


def test_a_body_in_chunks_is_a_body(site: Site) -> None:
    customer = site.rich("10")
    body = json.dumps({"customer": customer, "amount": "5"}).encode()
    done = site.http.request(
        "POST", f"{site.url}/api/credits/spend", content=iter([body[:9], body[9:]]),
        headers={
            "Authorization": f"Bearer {site.keys['op']}", "Idempotency-Key": fresh(),
            "Content-Type": "application/json",
        },
    )  # fmt: skip
    assert done.status_code == 200


def test_prices_that_cannot_be(untouched: Site) -> None:
    for change in (
        {"amount": "0"}, {"amount": 5.0}, {"action": ""}, {"action": "a\n"}, {"real_cost": 1},
        {"real_cost": "x"}, {"asset": "Credits"}, {"more": 1},
    ):  # fmt: skip
        refused = untouched.call(
            "PUT", "/api/credits/prices", {"action": "a", "amount": "5"} | change
        )
        check(refused, 422, "validation-failed")
    refused = untouched.call(
        "PUT", "/api/credits/prices", {"action": "a", "amount": "5", "asset": "nothing"}
    )
    check(refused, 404, "unknown-asset")


def test_unknown_assets_everywhere(untouched: Site) -> None:
    for path, body in (
        ("/api/credits/grant", GRANT), ("/api/credits/spend", SPEND), ("/api/credits/holds", HOLD),
        ("/api/ledger/transfer", {"from": "a", "to": "b", "amount": 1}),
    ):  # fmt: skip
        problem = check(untouched.post(path, body | {"asset": "nothing"}), 404, "unknown-asset")
        assert problem["asset"] == "nothing"
