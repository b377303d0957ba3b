"""Claim: a commit is on the screen of whoever watches within 150 ms, 95 times in 100."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Final

from bench import serving
from bench.client import HOST
from bench.library import prepare
from bench.scale import Scale
from bench.serving import Server, Site
from bench.tables import Table, verdict

TARGET_MS: Final = 150.0
STREAMS: Final = 100
SPENDS: Final = 400
WARM: Final = 20
_MILLI: Final = 1_000
_PATIENCE: Final = 10.0


@dataclass(slots=True)
class Stream:
    """Somebody who watches a customer, and notes when he saw which version."""

    seen: dict[int, float] = field(default_factory=dict[int, float])
    newest: int = -1
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():  # until the server ends it
            if not line.startswith(b"id: "):
                continue
            self.newest = int(line[4:])
            self.seen[self.newest] = time.perf_counter()
            self.told.set()

    async def until(self, version: int) -> float:
        """When that version, or a newer one, was seen first."""
        async with asyncio.timeout(_PATIENCE):
            while self.newest < version:
                self.told.clear()
                await self.told.wait()
        return min(at for number, at in self.seen.items() if number >= version)


@asynccontextmanager
async def watching(server: Server, key: str, customer: str) -> AsyncGenerator[Stream]:
    """A stream that is read while the block runs."""
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(
        f"GET /api/stream?customer={customer} HTTP/1.1\r\nHost: {HOST}\r\n"
        f"Authorization: Bearer {key}\r\n\r\n".encode()
    )
    stream = Stream()
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(stream.follow(reader))
        try:
            await stream.until(0)
            yield stream
        finally:
            following.cancel()
            writer.close()


@dataclass(slots=True)
class Spender:
    """One connection that spends, one after the other."""

    key: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    prefix: str
    asked: int = 0

    async def spend(self, customer: str) -> tuple[int, float]:
        """The version that a spend has made, and when it was answered."""
        body = json.dumps({"customer": customer, "amount": 1}).encode()
        self.asked += 1
        self.writer.write(
            f"POST /api/credits/spend HTTP/1.1\r\nHost: {HOST}\r\n"
            f"Content-Type: application/json\r\n"
            f"Authorization: Bearer {self.key}\r\nIdempotency-Key: {self.prefix}-{self.asked}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        at = time.perf_counter()
        length = next(
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        answer = json.loads(await self.reader.readexactly(length))
        return answer["balance"]["version"], at


async def measure(url: str, scale: Scale) -> list[Table]:
    bench = await prepare(url, scale)
    table = Table(
        f"From the answer of a spend to the event, {STREAMS} streams",
        ("commit in", "median ms", "p95 ms", "longest ms", f"p95 at most {TARGET_MS:.0f}"),
    )
    async with serving.site(url) as site, serving.ours(url, 1) as one:
        table.add("the same process", *_figures(await _waits(site, one, one)))
        async with serving.ours(url, 1) as other:
            table.add("another process", *_figures(await _waits(site, one, other)))
        await bench.verify(full=True)
    return [table]


async def _waits(site: Site, watched: Server, spending: Server) -> list[float]:
    """Milliseconds from the answer of each spend until it was seen."""
    customers = [f"customer-{n}" for n in range(STREAMS)]
    waits: list[float] = []
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(watching(watched, site.key, customer))
            for customer in customers
        ]
        reader, writer = await asyncio.open_connection(HOST, spending.port)
        stack.callback(writer.close)
        spender = Spender(site.key, reader, writer, serving.prefix())
        for n in range(WARM + SPENDS):
            place = n % STREAMS
            version, at = await spender.spend(customers[place])
            seen = await streams[place].until(version)
            if n >= WARM:
                waits.append((seen - at) * _MILLI)
    return waits


def _figures(waits: list[float]) -> tuple[str, ...]:
    p95 = quantiles(waits, n=20)[-1]
    shown = (f"{median(waits):.1f}", f"{p95:.1f}", f"{max(waits):.1f}")
    return (*shown, verdict(p95, TARGET_MS, most=True))
