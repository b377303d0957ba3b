"""The API under /v1: keys, forms, idempotency, and answers in Stripe's shapes."""

import asyncio
import json
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from comptoir_sandbox import API_VERSION, clockwork, forms, routes
from comptoir_sandbox.expand import expanded
from comptoir_sandbox.keys import Answer, mark_of
from comptoir_sandbox.refused import API, Refused, body_of
from comptoir_sandbox.sandbox import Sandbox
from comptoir_sandbox.world import Request as Whose

_BODY: Final = 1024 * 1024
_TEST_KEYS: Final = ("sk_test_", "rk_test_")
_TOO_MANY: Final = 429
_CARD: Final = 402


class Api:
    """Answers calls."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._world = sandbox.world
        self._chaos = sandbox.chaos
        self._keys = sandbox.keys

    async def call(self, request: Request) -> Response:
        """Answer a call of the API."""
        whose = Whose(self._world.new_id("req"), request.headers.get("idempotency-key"))
        try:
            self._check_key(request)
            method, path = request.method, request.url.path
            found, parts = routes.find(method, path)
            tree = await _tree(request)
            if pause := self._chaos.pause(path):
                await asyncio.sleep(pause)
            answer = self._once(found, parts, tree, whose)
        except Refused as refused:
            answer = _refusal(refused, whose)
        if self._chaos.before_answer and self._world.posted:
            await self._sandbox.postman.deliver_now()
        self._sandbox.done()
        return answer

    def _once(
        self, found: routes.Call, parts: tuple[str, ...], tree: forms.Tree, whose: Whose
    ) -> Response:
        """Do a call, unless its key has an answer already."""
        key = whose.idempotency_key if found.method == "POST" else None
        path = found.path.format(id=parts[0]) if parts else found.path
        mark = mark_of(found.method, path, tree)
        now = self._world.now()
        before = None if key is None else self._keys.before(key, mark, now)
        if before is not None:
            return _replayed(before)
        if self._chaos.fail_after is False and self._chaos.fails(path):
            raise _failure(self._chaos.fail_status)
        status, body, counts = self._do(found, parts, tree, whose)
        is_lost = self._chaos.fail_after and self._chaos.fails(path)
        if is_lost and self._chaos.fail_status:
            failure = _failure(self._chaos.fail_status)
            status, body = failure.status, json.dumps(body_of(failure.body)).encode()
        if key is not None and counts:
            answer = Answer(mark, status, body, whose.id or "", now)
            self._keys.answers[key] = answer
            self._sandbox.keeper.keep_answer(key, answer)
        if is_lost and not self._chaos.fail_status:
            return _Cut()
        return _answer(status, body, whose)

    def _do(
        self, found: routes.Call, parts: tuple[str, ...], tree: forms.Tree, whose: Whose
    ) -> tuple[int, bytes, bool]:
        """The answer of a call, and whether its key is used up: not when it never began."""
        clockwork.tick(self._world)
        values = found.grammar("", tree)
        paths: list[str] = values.pop("expand", [])
        self._world.request = whose
        try:
            made = found.handle(self._world, values, *parts)
            if found.method == "GET" and made.get("object") == "list":
                made = made | {"data": [
                    expanded(self._world, each, _of_items(paths)) for each in made["data"]
                ]}  # fmt: skip
            else:
                made = expanded(self._world, made, paths)
        except Refused as refused:
            body = json.dumps(body_of(refused.body)).encode()
            return refused.status, body, refused.status == _CARD
        finally:
            self._world.request = Whose()
        return 200, json.dumps(made).encode(), True

    def _check_key(self, request: Request) -> None:
        scheme, _, said = request.headers.get("authorization", "").partition(" ")
        key = said if scheme == "Bearer" else ""
        if not key:
            raise Refused(
                "You did not provide an API key. You need to provide your API key in the"
                " Authorization header, using Bearer auth.", status=401,
            )  # fmt: skip
        taken = self._sandbox.options.keys
        if key not in taken if taken else not key.startswith(_TEST_KEYS):
            raise Refused(f"Invalid API Key provided: {key[:8]}****", "api_key_invalid", 401)


async def nothing(request: Request, _: Exception) -> Response:
    """No such address."""
    refused = routes.by_url(request.method, request.url.path)
    return _answer(404, json.dumps(body_of(refused.body)).encode(), Whose())


async def _tree(request: Request) -> forms.Tree:
    text = request.url.query
    if request.method != "GET":
        body = await request.body()
        if len(body) > _BODY:
            raise Refused("The request is too large.", status=413)
        text = "&".join(filter(None, (text, body.decode("utf-8", errors="strict"))))
    return forms.decode(text)


def _of_items(paths: list[str]) -> list[str]:
    return [path.removeprefix("data.") for path in paths if path.startswith("data.")]


def _failure(status: int) -> Refused:
    if status == _TOO_MANY:
        return Refused("Too many requests in a period of time.", "rate_limit", _TOO_MANY)
    return Refused("An unknown error occurred.", None, status or 500, type=API)


def _refusal(refused: Refused, whose: Whose) -> Response:
    return _answer(refused.status, json.dumps(body_of(refused.body)).encode(), whose)


def _answer(status: int, body: bytes, whose: Whose) -> Response:
    headers: dict[str, str] = {
        "Request-Id": whose.id or "", "Stripe-Version": API_VERSION, "Cache-Control": "no-store",
    }  # fmt: skip
    if whose.idempotency_key is not None:
        headers["Idempotency-Key"] = whose.idempotency_key
    return Response(body, status, headers, "application/json")


def _replayed(before: Answer) -> Response:
    headers = {
        "Request-Id": before.request, "Original-Request": before.request,
        "Idempotent-Replayed": "true", "Stripe-Version": API_VERSION,
    }  # fmt: skip
    return Response(before.body, before.status, headers, "application/json")


class _Cut(Response):
    """An answer that breaks off: whoever waits for it never learns what was done."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise more than there is, and stop."""
        del scope, receive
        headers = [(b"content-length", b"1000000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
