"""The clients: a process of its own that sends requests over so many connections.

A raw HTTP/1.1 client on asyncio's protocols, with requests made by hand: it reads no more of an
answer than its status, length and body. aiohttp took 2.6 times the processor time (105 microseconds
a call, this one 40), which servers under test on the same machine would miss.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, cast

import uvloop

from bench.measure import Bounds, Run, Spend, Workload, closed_loop, keys, open_loop

SPEND: Final = "/api/credits/spend"
BATCH: Final = "/api/ledger/batch"
HOLD: Final = "/api/credits/holds"
BATCH_SIZE: Final = 500
HOST: Final = "127.0.0.1"
_LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_OPENED_AT_ONCE: Final = 50
_BUFFER: Final = 256 * 1024
_OK: Final = 200
_CREATED: Final = 201
_REFUSED: Final = (402, 409)


class Kind(StrEnum):
    """What one call is."""

    SPEND = "spend"
    REFUSED = "refused"
    BATCH = "batch"
    HOLD_CAPTURE = "hold and capture"


AMOUNTS: Final = {Kind.REFUSED: "999999999999"}
"""More than anybody has; everything else takes the smallest unit."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run.

    Attributes:
        port, key: the server, and an API key.
        load, bounds, prefix: as for the library door.
        path: where spends go.
        rate: calls a second in an open loop; None for a closed one.
        stuck: connections besides that call for account 0 all the time, however it answers.
    """

    port: int
    key: str
    load: Workload
    bounds: Bounds
    prefix: str
    kind: Kind = Kind.SPEND
    path: str = SPEND
    rate: float | None = None
    stuck: int = 0


class Wire(asyncio.BufferedProtocol):
    """One connection, with one request at a time."""

    _buffer = bytearray(_BUFFER)
    """Shared: whatever arrives is copied out of it at once."""

    def __init__(self) -> None:
        self._got = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes) -> Awaitable[tuple[int, bytes]]:
        """Status and body."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def get_buffer(self, sizehint: int) -> bytearray:
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._got += self._buffer[:nbytes]
        head, mark, body = self._got.partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        if not mark or found is None or len(body) < int(found[1]):
            return
        self._got = b""
        assert self._answer is not None, "nobody is answered unasked"
        self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed without an answer"))

    def close(self) -> None:
        self._transport.close()


class Shop:
    """Connections to one server, and the calls that go over them."""

    def __init__(self, job: Job, wires: list[Wire]) -> None:
        self._free = wires
        self._job = job
        self._amount = AMOUNTS.get(job.kind, "0.000001")

    async def ask(self, path: str, key: str, body: bytes) -> tuple[int, bytes]:
        wire = self._free.pop()
        try:
            return await wire.ask(self._request(path, key, body))
        finally:
            self._free.append(wire)

    async def spend(self, place: int, key: str) -> bool:
        status, answer = await self.ask(self._job.path, key, self._body(place))
        return _succeeded(status, answer)

    async def spend_anyhow(self, place: int, key: str) -> bool:
        status, _ = await self.ask(self._job.path, key, self._body(place))
        return status == _OK

    async def batch(self, place: int, key: str) -> bool:
        """Spends of one batch, from neighbouring accounts."""
        items = ",".join(
            f'{{"op":"spend","idempotency_key":"{key}-{n}","customer":"customer-{place + n}",'
            f'"amount":"{self._amount}"}}'
            for n in range(BATCH_SIZE)
        )
        status, answer = await self.ask(BATCH, key, f'{{"requests":[{items}]}}'.encode())
        if answer.count(b'"outcome":"created"') != BATCH_SIZE:
            raise RuntimeError(f"a part of a batch failed: {status} {answer[:300]!r}")
        return True

    async def hold_and_capture(self, place: int, key: str) -> bool:
        body = b'{"customer":"customer-%d","amount":"0.000001","ttl_seconds":600}' % place
        status, answer = await self.ask(HOLD, f"h{key}", body)
        if not _succeeded(status, answer):
            return False
        hold = json.loads(answer)["hold"]["id"]
        return _succeeded(*await self.ask(f"{HOLD}/{hold}/capture", f"c{key}", b"{}"))

    def _body(self, place: int) -> bytes:
        return f'{{"customer":"customer-{place}","amount":"{self._amount}"}}'.encode()

    def _request(self, path: str, key: str, body: bytes) -> bytes:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}:{self._job.port}\r\n"
            f"Authorization: Bearer {self._job.key}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _succeeded(status: int, answer: bytes) -> bool:
    if status in (_OK, _CREATED):
        return True
    if status in _REFUSED:
        return False
    raise RuntimeError(f"unexpected answer: {status} {answer[:300]!r}")


def drive(job: Job) -> Run:
    """Do a job, in this process."""
    return uvloop.run(_drive(job))


async def _drive(job: Job) -> Run:
    async with opened(job, job.load.callers) as shop, opened(job, job.stuck) as stuck:
        call = _call(job, shop)
        if job.rate is not None:
            return await open_loop(call, job.load, job.bounds, job.prefix, rate=job.rate)
        end = asyncio.get_running_loop().time() + job.bounds.seconds
        async with asyncio.TaskGroup() as group:
            for number in range(job.stuck):
                prefix = f"{job.prefix}s{number}"
                group.create_task(_insist(stuck.spend_anyhow, prefix, end))
            run = await closed_loop(call, job.load, job.bounds, job.prefix)
    if job.kind is Kind.BATCH:
        return replace(run, calls=run.calls * BATCH_SIZE)
    if (job.kind is Kind.REFUSED) != (run.refused == run.calls > 0):
        raise RuntimeError(f"{run.refused} of {run.calls} were refused")
    return run


def _call(job: Job, shop: Shop) -> Spend:
    calls: dict[Kind, Spend] = {
        Kind.BATCH: shop.batch,
        Kind.HOLD_CAPTURE: shop.hold_and_capture,
    }
    return calls.get(job.kind, shop.spend)


async def _insist(spend: Spend, prefix: str, end: float) -> None:
    """Call for account 0 until the time is over."""
    key = keys(prefix)
    loop = asyncio.get_running_loop()
    number = 0
    while loop.time() < end:
        await spend(0, key(number))
        number += 1


@asynccontextmanager
async def opened(job: Job, count: int) -> AsyncGenerator[Shop]:
    """So many connections."""
    loop = asyncio.get_running_loop()
    wires: list[Wire] = []
    for first in range(0, count, _OPENED_AT_ONCE):
        for _ in range(first, min(count, first + _OPENED_AT_ONCE)):
            _, wire = await loop.create_connection(Wire, HOST, job.port)
            wires.append(wire)
    try:
        yield Shop(job, list(wires))
    finally:
        for wire in wires:
            wire.close()
