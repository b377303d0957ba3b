"""A request that is repeated, by the same and by others, at once and after a failure."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from comptoir import Comptoir
from comptoir.asgi import Idempotency, claim_of
from comptoir.asgi.scopes import Application, Receive, Scope, Send
from comptoir.kit.limits import BODY_BYTES
from tests.support.asgi import Caller, respond
from tests.support.batches import until

pytestmark = pytest.mark.pg


class Shop:
    """An application that counts how often it was asked.

    Attributes:
        statuses: of the next answers; then 201.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.statuses: list[int] = []
        self.bodies: list[bytes] = []
        self.keys: list[str] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        mine = self.asked
        self.bodies.append((await receive())["body"])
        claim = claim_of(scope)
        if claim is not None:
            self.keys.append(claim.provider_key("charge"))
        await self.go_on.wait()
        status = self.statuses.pop(0) if self.statuses else 201
        if status == 0:
            raise OSError("broken")
        await respond(send, status, {"n": mine})


@pytest.fixture
def shop() -> Shop:
    return Shop()


def caller(app: Application, books: Comptoir, **said: Any) -> Caller:  # noqa: ANN401
    return Caller(Idempotency(app, **said), books)


def key(text: str = "k", **more: str) -> dict[str, str]:
    return {"Idempotency-Key": text, "Authorization": "Bearer alice"} | more


async def test_a_repeat_gets_the_first_answer(books: Comptoir, shop: Shop):
    own = caller(shop, books)
    first = await own.call("POST", "/pay", {"amount": 5}, headers=key())
    again = await own.call("POST", "/pay", {"amount": 5}, headers=key())
    assert (first.status, first.json, again.status, again.json) == (201, {"n": 1}, 201, {"n": 1})
    assert again.headers["content-type"] == "application/json"
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert shop.bodies == [b'{"amount": 5}']


@pytest.mark.parametrize("quoted", ['"k"', " k ", "k"])
async def test_a_key_may_be_quoted(quoted: str, books: Comptoir, shop: Shop):
    own = caller(shop, books)
    await own.call("POST", "/pay", headers=key("k"))
    assert (await own.call("POST", "/pay", headers=key(quoted))).json == {"n": 1}


async def test_another_user_never_sees_it(books: Comptoir, shop: Shop):
    own = caller(shop, books)
    await own.call("POST", "/pay", headers=key())
    for other in (key(Authorization="Bearer bob"), {"Idempotency-Key": "k", "Cookie": "s=1"}):
        assert "idempotent-replayed" not in (await own.call("POST", "/pay", headers=other)).headers
    own.address = "192.0.2.9"
    anonymous = await own.call("POST", "/pay", headers={"Idempotency-Key": "k"})
    assert anonymous.json == {"n": 4}


@pytest.mark.parametrize(
    ("path", "body", "more"),
    [
        ("/other", {"amount": 5}, {}),
        ("/pay?x=1", {"amount": 5}, {}),
        ("/pay", {"amount": 6}, {}),
        ("/pay", {"amount": 5}, {"Content-Type": "text/plain"}),
    ],
)
async def test_for_something_else_it_is_refused(
    path: str, body: Mapping[str, Any], more: dict[str, str], books: Comptoir, shop: Shop
):
    own = caller(shop, books)
    await own.call("POST", "/pay", {"amount": 5}, headers=key())
    other = await own.call("POST", path, body, headers=key(**more))
    assert (other.status, other.json["code"]) == (422, "idempotency-key-reused")
    assert shop.asked == 1


@pytest.mark.parametrize("status", [401, 403, 409, 429, 500, 503])
async def test_what_says_nothing_of_a_repeat_is_not_kept(status: int, books: Comptoir, shop: Shop):
    shop.statuses = [status]
    own = caller(shop, books)
    assert (await own.call("POST", "/pay", headers=key())).status == status
    assert (await own.call("POST", "/pay", headers=key())).json == {"n": 2}


@pytest.mark.parametrize("status", [200, 302, 400, 402, 404, 422])
async def test_what_will_not_change_is_kept(status: int, books: Comptoir, shop: Shop):
    shop.statuses = [status]
    own = caller(shop, books)
    for _ in range(2):
        answer = await own.call("POST", "/pay", headers=key())
        assert (answer.status, answer.json) == (status, {"n": 1})


async def test_an_application_that_breaks_may_be_asked_again(books: Comptoir, shop: Shop):
    """Where asgi-idempotency-header says 409 for ever."""
    shop.statuses = [0]
    own = caller(shop, books)
    with pytest.raises(OSError, match="broken"):
        await own.call("POST", "/pay", headers=key())
    assert (await own.call("POST", "/pay", headers=key())).json == {"n": 2}


async def test_fifty_at_once_ask_it_once(books: Comptoir, shop: Shop):
    shop.go_on.clear()
    own = caller(shop, books)
    asked = [asyncio.create_task(own.call("POST", "/pay", headers=key())) for _ in range(50)]
    await until(lambda: shop.asked == 1)
    shop.go_on.set()
    answers = await asyncio.gather(*asked)
    assert {(each.status, each.body) for each in answers} == {(201, b'{"n": 1}')}
    assert shop.asked == 1


async def test_one_that_takes_longer_is_said_to(books: Comptoir, shop: Shop):
    shop.go_on.clear()
    own = caller(shop, books)
    first = asyncio.create_task(own.call("POST", "/pay", headers=key()))
    await until(lambda: shop.asked == 1)
    waiting = await own.call("POST", "/pay", headers=key())
    shop.go_on.set()
    assert (waiting.status, waiting.json["code"]) == (409, "request-in-flight")
    assert waiting.headers["retry-after"] == "1"
    assert (await first).status == 201


async def test_a_key_may_be_asked_for(books: Comptoir, shop: Shop):
    own = caller(shop, books, required=["/pay"])
    missing = await own.call("POST", "/payments", headers={"Accept-Language": "fr"})
    assert (missing.status, missing.json["code"]) == (400, "idempotency-key-missing")
    assert missing.headers["content-language"] == "fr"
    assert (await own.call("POST", "/quotes")).status == 201
    assert (await own.call("GET", "/pay")).status == 201


@pytest.mark.parametrize("wrong", ["", '""', "k" * 256, "a\x01b", "\x85"])
async def test_what_is_no_key_is_refused(wrong: str, books: Comptoir, shop: Shop):
    answer = await caller(shop, books).call("POST", "/pay", headers=key(wrong))
    assert (answer.status, answer.json["code"]) == (422, "validation-failed")
    assert shop.asked == 0


async def test_a_body_that_is_too_large(books: Comptoir, shop: Shop):
    own = caller(shop, books)
    answer = await own.call("POST", "/pay", b"x" * (BODY_BYTES + 1), headers=key())
    assert (answer.status, shop.asked) == (413, 0)


async def test_an_answer_that_is_too_large_is_not_done_again(books: Comptoir):
    asked = 0

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal asked
        asked += 1
        await respond(send, 200, {"much": "x" * 600_000})

    own = caller(app, books)
    assert len((await own.call("POST", "/pay", headers=key())).body) > 600_000
    again = await own.call("POST", "/pay", headers=key())
    assert (again.status, again.json["code"], again.json["first"]) == (409, "answer-not-kept", 200)
    assert asked == 1


async def test_events_go_out_as_they_come(books: Comptoir):
    seen: list[bytes] = []
    parts: list[bytes] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for n in range(3):
            await send({"type": "http.response.body", "body": b"%d" % n, "more_body": n < 2})
            parts.append(b"".join(seen))

    own = caller(app, books)
    answer = await own.call(
        "POST", "/ai", headers=key(), told=lambda message: seen.append(message.get("body", b""))
    )
    assert (answer.body, parts) == (b"012", [b"0", b"01", b"012"])
    assert (await own.call("POST", "/ai", headers=key())).json["code"] == "answer-not-kept"


async def test_a_cookie_of_the_first_is_not_given_to_a_repeat(books: Comptoir):
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"set-cookie", b"s=1"), (b"x-kept", b"yes")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    own = caller(app, books)
    assert (await own.call("POST", "/login", headers=key())).headers["set-cookie"] == "s=1"
    again = await own.call("POST", "/login", headers=key())
    assert "set-cookie" not in again.headers
    assert again.headers["x-kept"] == "yes"


async def test_providers_get_the_same_key_in_each_attempt(books: Comptoir, shop: Shop):
    shop.statuses = [500, 201]
    own = caller(shop, books)
    for _ in range(2):
        await own.call("POST", "/pay", headers=key())
    await own.call("POST", "/pay", headers=key("other"))
    first, again, other = shop.keys
    assert first == again, "whoever was charged by the attempt that failed is not charged again"
    assert other != first
