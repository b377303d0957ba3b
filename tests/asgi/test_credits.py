"""Credits around an application: every way that a request may end."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from comptoir import Comptoir
from comptoir.asgi import Credits, Idempotency, charge_of
from comptoir.asgi.scopes import Application, Message, Receive, Scope, Send
from comptoir.kit.errors import Misuse
from tests.support.asgi import Answer, Caller, answering, respond
from tests.support.batches import until

pytestmark = pytest.mark.pg
PRICES = {"POST /api/ai/{kind}": "ai.generate"}


def charged(app: Application, books: Comptoir) -> Caller:
    return Caller(Credits(app, PRICES, customer=lambda _: "alice"), books)


@pytest.fixture
async def rich(books: Comptoir) -> Comptoir:
    await books.credits.grant("alice", 20, reason="test", idempotency_key="grant")
    return books


async def ask(caller: Caller, path: str = "/api/ai/text", **more: Any) -> Answer:  # noqa: ANN401
    return await caller.call("POST", path, **more)


async def left(books: Comptoir) -> tuple[Decimal, Decimal]:
    """The balance, and what is held, once nothing is settled any more."""

    async def is_settled() -> bool:
        return (await books.credits.balance("alice")).held == 0

    await until(is_settled)
    found = await books.credits.balance("alice")
    return found.balance, found.held


@pytest.mark.parametrize(
    ("status", "balance"), [(200, 15), (204, 15), (302, 20), (404, 20), (500, 20)]
)
async def test_success_is_charged(status: int, balance: int, rich: Comptoir):
    caller = charged(answering(status), rich)
    assert (await ask(caller)).status == status
    assert await left(rich) == (balance, 0)


async def test_whoever_has_the_answer_finds_his_balance_changed(rich: Comptoir):
    seen: list[Decimal] = []
    caller = charged(answering(), rich)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def spy(message: Message) -> None:
            if message["type"] == "http.response.body":
                seen.append((await rich.credits.balance("alice")).balance)
            await send(message)

        await caller.app(scope, receive, spy)

    await ask(Caller(app, rich))
    assert seen == [15]


async def test_without_enough_it_is_not_asked(books: Comptoir):
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError("it was asked")

    await books.credits.grant("alice", 3, reason="test", idempotency_key="grant")
    answer = await ask(charged(app, books), headers={"Accept-Language": "fr"})
    problem = answer.json
    assert (answer.status, problem["code"]) == (402, "insufficient-credits")
    assert (problem["needed"], problem["available"]) == ("5", "3")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_last_credits_are_not_spent_twice(rich: Comptoir):
    answers = await asyncio.gather(*(ask(charged(answering(), rich)) for _ in range(20)))
    assert sorted(each.status for each in answers) == [200] * 4 + [402] * 16
    assert await left(rich) == (0, 0)


async def test_an_application_that_fails_gives_back(rich: Comptoir):
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        charge_of(scope).report(4)
        if scope["path"].endswith("late"):
            await send({"type": "http.response.start", "status": 500, "headers": []})
        raise OSError("broken")

    caller = charged(app, rich)
    for path in ("/api/ai/early", "/api/ai/late"):
        with pytest.raises(OSError, match="broken"):
            await ask(caller, path)
    assert await left(rich) == (20, 0)


async def test_what_was_really_used_is_charged(rich: Comptoir):
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        charge_of(scope).report("1.5", model="small")
        await respond(send, 200, {})

    await ask(charged(app, rich))
    assert await left(rich) == (Decimal("18.5"), 0)


@pytest.mark.parametrize(("reports", "balance"), [(True, 18), (False, 20)])
async def test_a_stream_that_is_broken_off_costs_what_was_reported(
    reports: bool,  # noqa: FBT001  # a row of the table
    balance: int,
    rich: Comptoir,
):
    begun = asyncio.Event()

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for n in range(1, 3):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            if reports:
                charge_of(scope).report(n)
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(ask(charged(app, rich)))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert await left(rich) == (balance, 0)


async def test_a_whole_stream_is_charged(rich: Comptoir):
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for n in range(3):
            await send({"type": "http.response.body", "body": b"x", "more_body": n < 2})

    answer = await ask(charged(app, rich))
    assert (answer.body, answer.is_whole) == (b"xxx", True)
    assert await left(rich) == (15, 0)


async def test_an_application_that_says_nothing_costs_nothing(rich: Comptoir):
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        return

    await ask(charged(app, rich))
    assert await left(rich) == (20, 0)


async def test_other_routes_cost_nothing(rich: Comptoir):
    caller = charged(answering(), rich)
    await caller.call("GET", "/api/ai/text")
    await caller.call("POST", "/api/ai/text/more")
    await caller.call("POST", "/api/quotes")
    assert await left(rich) == (20, 0)


async def test_a_repeat_is_charged_once(rich: Comptoir):
    app = Idempotency(Credits(answering(), PRICES, customer=lambda _: "alice"))
    for _ in range(3):
        await ask(Caller(app, rich), headers={"Idempotency-Key": "k"})
    assert await left(rich) == (15, 0)


@pytest.mark.parametrize("route", ["/api/ai", "post /api/ai", "POST api", "POST"])
def test_what_is_no_route_is_refused(route: str):
    with pytest.raises(Misuse, match="route-unknown"):
        Credits(answering(), {route: "ai.generate"}, customer=lambda _: "alice")
