"""Deliveries as Stripe makes them: real bodies, signed, from a process of its own."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from time import time
from typing import Final
from uuid import UUID

import uvloop

from bench.client import HOST, Wire
from bench.measure import Bounds, Run, Workload, closed_loop, open_loop
from comptoir.domains.payments.signature import sign

PATH: Final = "/api/webhooks/stripe"
CONNECTIONS: Final = 32
_OK: Final = 200
_SEED: Final = 20_261
_FAMILY: Final = 0xBE7C << 64


def purchase_id(number: int) -> UUID:
    """Of the purchase of that number."""
    return UUID(int=_FAMILY + number)


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one real purchase at the sandbox has brought, to be told of others in the same words.

    Attributes:
        bodies: its events, the oldest first, as they came.
        purchase, intent, session: what it is called in them.
        created: when the first of them happened, in seconds since 1970.
    """

    bodies: tuple[str, ...]
    events: tuple[str, ...]
    purchase: str
    intent: str
    session: str
    created: int

    def told(self, number: int) -> Iterator[bytes]:
        """The events of another purchase, a second apart."""
        names = {
            self.purchase: str(purchase_id(number)),
            self.intent: f"pi_bench{number:08}",
            self.session: f"cs_test_bench{number:08}",
        }
        for place, (id_, body) in enumerate(zip(self.events, self.bodies, strict=True)):
            text = body.replace(id_, f"evt_bench{number:08}{place}")
            for old, new in names.items():
                text = text.replace(old, new)
            then = f'"created": {self.created + place}'
            yield text.replace(f'"created": {self.created}', then, 1).encode()


@dataclass(frozen=True, slots=True)
class Round:
    """Deliveries of the events of some purchases, in any order.

    Attributes:
        first, count: the purchases.
        rate: deliveries a second in an open loop; None for a closed one.
    """

    port: int
    secret: str
    pattern: Pattern
    first: int
    count: int
    rate: float | None = None


def deliver(asked: Round) -> Run:
    """Deliver, in this process; fails unless each is answered with 200."""
    bodies = [
        body
        for number in range(asked.first, asked.first + asked.count)
        for body in asked.pattern.told(number)
    ]
    Random(_SEED).shuffle(bodies)
    return uvloop.run(_deliver(asked, [_request(asked, body) for body in bodies]))


async def _deliver(asked: Round, requests: Sequence[bytes]) -> Run:
    loop = asyncio.get_running_loop()
    callers = CONNECTIONS if asked.rate is None else CONNECTIONS * 4
    free = [(await loop.create_connection(Wire, HOST, asked.port))[1] for _ in range(callers)]
    wires = list(free)

    async def post(place: int, _key: str) -> bool:
        wire = free.pop()
        try:
            status, answer = await wire.ask(requests[place])
        finally:
            free.append(wire)
        if status != _OK:
            raise RuntimeError(f"unexpected answer: {status} {answer[:300]!r}")
        return True

    load = Workload("webhooks", callers, range(len(requests)))
    bounds = Bounds(len(requests), 600.0)
    try:
        if asked.rate is None:
            return await closed_loop(post, load, bounds, "w")
        return await open_loop(post, load, bounds, "w", rate=asked.rate)
    finally:
        for wire in wires:
            wire.close()


def _request(asked: Round, body: bytes) -> bytes:
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {HOST}:{asked.port}\r\n"
        f"Content-Type: application/json; charset=utf-8\r\n"
        f"Stripe-Signature: {sign(body, asked.secret, int(time()))}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
