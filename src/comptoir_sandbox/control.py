"""The sandbox's own routes, under /_sandbox: knobs, the clock, disputes, deliveries once more.

They take JSON, and are for whoever runs the sandbox: no key is asked for, and a page from elsewhere
cannot call them, for its browser would have to ask first.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from comptoir_sandbox import clockwork, disputes, endpoints, intents
from comptoir_sandbox.objects import Object, is_object
from comptoir_sandbox.refused import Refused, body_of
from comptoir_sandbox.sandbox import Sandbox

_SECONDS: Final = 2 * 366 * 86_400
_TIMES: Final = 100

Said = dict[str, Any]
Work = Callable[[Sandbox, Said], Object]


def routes_of(sandbox: Sandbox) -> list[Route]:
    """The routes."""
    return [
        Route("/_sandbox", _answering(sandbox, _state), methods=["GET"]),
        *(
            Route(f"/_sandbox/{name}", _answering(sandbox, work), methods=["POST"])
            for name, work in _WORKS.items()
        ),
    ]


def _answering(sandbox: Sandbox, work: Work) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            said = await _said(request)
            made = work(sandbox, said)
        except Refused as refused:
            return JSONResponse(body_of(refused.body), refused.status)
        sandbox.done()
        return JSONResponse(made)

    return answer


async def _said(request: Request) -> Said:
    if request.method == "GET":
        return {}
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refused("Say it in JSON.", status=415)
    try:
        said = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise Refused("That is no JSON.") from error
    if not is_object(said):
        raise Refused("Say it as an object.")
    return said


def _state(sandbox: Sandbox, _: Said) -> Object:
    """GET /_sandbox: the knobs, the clock, and how much of everything there is."""
    world = sandbox.world
    return {
        "now": world.now(),
        "shift": world.shift,
        "chaos": sandbox.chaos.shown(),
        "waiting": sandbox.postman.waiting + len(world.posted),
        "objects": {kind: len(ids) for kind, ids in sorted(world.kinds.items())},
    }


def _chaos(sandbox: Sandbox, said: Said) -> Object:
    sandbox.chaos.turn(said)
    return sandbox.chaos.shown()


def _clock(sandbox: Sandbox, said: Said) -> Object:
    seconds = _number(said, "advance", _SECONDS)
    clockwork.shift(sandbox.world, seconds)
    return {"now": sandbox.world.now()}


def _dispute(sandbox: Sandbox, said: Said) -> Object:
    world = sandbox.world
    charge = world.find("charge", _charge_of(sandbox, said), "charge")
    amount = said.get("amount", charge["amount_captured"])
    if not isinstance(amount, int):
        raise Refused("The amount is a whole number.", param="amount")
    return disputes.open_(world, charge, amount, str(said.get("reason", "fraudulent")))


def _decide(sandbox: Sandbox, said: Said) -> Object:
    dispute = sandbox.world.find("dispute", str(said.get("dispute")), "dispute")
    return disputes.decide(sandbox.world, dispute, is_won=said.get("won") is True)


def _settle(sandbox: Sandbox, said: Said) -> Object:
    world = sandbox.world
    intent = world.find("payment_intent", str(said.get("payment_intent")), "payment_intent")
    if intent["status"] != "processing":
        raise Refused("That payment takes no time.", "payment_intent_unexpected_state")
    intents.come_or_fail(world, intent, comes=said.get("succeeds") is not False)
    clockwork.decided(world, intent)
    return intent


def _deliver(sandbox: Sandbox, said: Said) -> Object:
    event = sandbox.world.find("event", str(said.get("event")), "event")
    endpoint = said.get("endpoint")
    times = _number(said, "times", _TIMES) if "times" in said else 1
    where = None if endpoint is None else str(endpoint)
    return {"deliveries": sandbox.postman.again(event, where, times)}


def _roll(sandbox: Sandbox, said: Said) -> Object:
    endpoint = sandbox.world.find("webhook_endpoint", str(said.get("endpoint")), "endpoint")
    return {"secret": endpoints.roll(sandbox.world, endpoint)}


def _charge_of(sandbox: Sandbox, said: Said) -> str:
    if "payment_intent" not in said:
        return str(said.get("charge"))
    intent = sandbox.world.find("payment_intent", str(said["payment_intent"]), "payment_intent")
    return str(intent["latest_charge"])


def _number(said: Said, name: str, most: int) -> int:
    found = said.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= most:
        raise Refused(f"{name} is a whole number from 1 to {most}.", param=name)
    return found


_WORKS: Final[dict[str, Work]] = {
    "chaos": _chaos,
    "clock": _clock,
    "dispute": _dispute,
    "decide": _decide,
    "settle": _settle,
    "deliver": _deliver,
    "roll": _roll,
}
