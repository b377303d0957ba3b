"""Rate limits around an application, and the books that open with it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from comptoir import Comptoir, RateLimit
from comptoir.asgi import Books, RateLimits, books_of
from comptoir.asgi.scopes import Application, Message, Receive, Scope, Send
from comptoir.kit.errors import Misuse
from tests.support.asgi import Caller, answering, respond
from tests.support.postgres import Database

pytestmark = pytest.mark.pg


async def test_a_rate_is_limited_by_address(books: Comptoir):
    limits = [RateLimit("burst", 2, 10), RateLimit("day", 3, 86_400)]
    caller = Caller(RateLimits(answering(), limits, under="/api/"), books)
    statuses = [(await caller.call("GET", "/api/x")).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    denied = await caller.call("GET", "/api/x", headers={"Accept-Language": "fr"})
    assert denied.json["title"] == "Trop de requêtes"
    assert denied.headers["ratelimit-policy"] == '"burst";q=2;w=10, "day";q=3;w=86400'
    assert denied.headers["ratelimit"].startswith('"burst";r=0;t=')
    assert '"day";r=1;t=' in denied.headers["ratelimit"], "what is denied costs nothing"
    assert 0 < int(denied.headers["retry-after"]) <= 11
    assert (await caller.call("GET", "/other")).status == 200
    caller.address = "192.0.2.2"
    other = await caller.call("GET", "/api/x")
    assert other.headers["ratelimit"].startswith('"burst";r=1;')


async def test_whose_request_it_is_and_what_it_costs(books: Comptoir):
    def subject(scope: Scope) -> str | None:
        return None if scope["path"] == "/free" else "everybody"

    app = RateLimits(answering(), [RateLimit("api", 10, 10)], subject=subject, cost=lambda _: 5)
    caller = Caller(app, books)
    assert [(await caller.call("GET", "/x")).status for _ in range(3)] == [200, 200, 429]
    assert (await caller.call("GET", "/free")).status == 200


def test_limits_without_a_limit_are_refused():
    with pytest.raises(Misuse):
        RateLimits(answering(), [])


async def life(app: Application, run: Callable[[], Awaitable[None]]) -> list[str]:
    """Start an application, run something, and end it; what it has said."""
    events = ["lifespan.startup", "lifespan.shutdown"]
    said: list[str] = []

    async def receive() -> Message:
        event = events.pop(0)
        if event == "lifespan.shutdown":
            await run()
        return {"type": event}

    async def send(message: Message) -> None:
        said.append(message["type"])

    await app({"type": "lifespan", "state": {}}, receive, send)
    return said


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        raise NotImplementedError
    balance = await books_of(scope).credits.balance("alice")
    await respond(send, 200, {"balance": str(balance.balance)})


async def with_life(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "lifespan":
        await inner(scope, receive, send)
        return
    assert isinstance(scope["state"]["comptoir"], Comptoir), "they are open by now"
    for _ in range(2):
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})


@pytest.mark.parametrize("app", [inner, with_life])
async def test_the_books_are_open_while_an_application_runs(
    app: Application, database: Database, books: Comptoir
):
    around = Books(app, database.app_url)
    answers: list[Any] = []

    async def run() -> None:
        answers.append(await call_alone(around))

    said = await life(around, run)
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert answers == [{"balance": "0"}]
    with pytest.raises(Misuse, match="books-not-open"):
        await call_alone(around)


async def call_alone(app: Application) -> Any:  # noqa: ANN401
    async def bare(scope: Scope, receive: Receive, send: Send) -> None:
        scope.pop("state")
        await app(scope, receive, send)

    found: Any = None
    return (await Caller(bare, found).call("GET", "/")).json


async def test_books_that_cannot_be_opened_are_said():
    async def run() -> None:
        raise AssertionError("it did not start")

    url = "postgresql://nobody@127.0.0.1:1/none"
    assert await life(Books(inner, url), run) == ["lifespan.startup.failed"]
