"""The demo's side of the counter: real HTTP, with what clients saw written down."""

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

_TRIES: Final = 5
_TIMEOUT_SECONDS: Final = 20.0
_RETRIED: Final = frozenset({429, 503})
_SERVER_ERROR: Final = 500
_SECONDS_SHOWN: Final = 40
_LATENCIES: Final = 4_000
_LINES: Final = 8

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request."""

    status: int
    body: Body

    @property
    def code(self) -> str | None:
        """The code of the problem; None for success."""
        return self.body.get("code")


@dataclass(slots=True)
class Tally:
    """What the clients of the demo have seen so far; only shown, never part of the receipt.

    Attributes:
        requests: answers of any kind. refused: those that said no, by code.
        failed: requests that got no answer worth the name, after all their repeats.
        spent: credits that spends and captures took, in millionths.
        latencies: seconds, of the last few thousand requests.
        lines: the last movements: kind, customer, amount, balance.
    """

    requests: int = 0
    failed: int = 0
    spent: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    latencies: deque[float] = field(default_factory=lambda: deque[float](maxlen=_LATENCIES))
    rates: deque[int] = field(default_factory=lambda: deque[int](maxlen=_SECONDS_SHOWN))
    lines: deque[tuple[str, str, str, str]] = field(
        default_factory=lambda: deque[tuple[str, str, str, str]](maxlen=_LINES)
    )
    _counted: int = 0

    def second(self) -> None:
        """A second has passed: remember how many requests it had."""
        self.rates.append(self.requests - self._counted)
        self._counted = self.requests

    def percentile(self, share: float) -> float:
        """The latency that `share` of the recent requests stayed below, in milliseconds."""
        if not self.latencies:
            return 0.0
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


class Caller:
    """An application's server that calls Comptoir. Shared by all tasks of one event loop."""

    def __init__(self, address: str, key: str, connections: int, tally: Tally) -> None:
        self._session = aiohttp.ClientSession(
            base_url=address,
            headers={"Authorization": f"Bearer {key}"},
            connector=aiohttp.TCPConnector(limit=connections),
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS),
        )
        self.tally = tally

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def post(self, path: str, body: Body, key: str | None = None) -> Reply:
        """Post, repeating with the same key while the server cannot say what happened."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self._call("POST", path, {"json": body}, headers)

    async def put(self, path: str, body: Body) -> Reply:
        """Put."""
        return await self._call("PUT", path, {"json": body}, {})

    async def get(self, path: str) -> Reply:
        """Read."""
        return await self._call("GET", path, {}, {})

    async def tell(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """Post what is to arrive byte by byte, with headers of its own."""
        told = {"Content-Type": "application/json; charset=utf-8", **headers}
        return await self._call("POST", path, {"data": body}, told)

    async def _call(self, method: str, path: str, content: Body, headers: dict[str, str]) -> Reply:
        reply = Reply(0, {})
        for again in range(_TRIES):
            reply = await self._once(method, path, content, headers)
            if reply.status not in _RETRIED and 0 < reply.status < _SERVER_ERROR:
                return reply
            await asyncio.sleep(0.1 * 2**again)
        self.tally.failed += 1
        return reply

    async def _once(self, method: str, path: str, content: Body, headers: dict[str, str]) -> Reply:
        begun = time.perf_counter()
        try:
            async with self._session.request(method, path, headers=headers, **content) as response:
                reply = Reply(response.status, await response.json(content_type=None))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return Reply(0, {})
        self.tally.requests += 1
        self.tally.latencies.append(time.perf_counter() - begun)
        if reply.code is not None:
            self.tally.refused[reply.code] += 1
        return reply
