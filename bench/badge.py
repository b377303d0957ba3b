"""Claim: credits that were given are on the badge of a page within 150 ms, 95 times in 100."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import time
from typing import Any, Final

from playwright.async_api import Page, async_playwright

from bench import serving
from bench.client import HOST
from bench.library import prepare
from bench.scale import Scale
from bench.serving import Server
from bench.tables import Table, verdict

TARGET_MS: Final = 150.0
GRANTS: Final = 100
WARM: Final = 5
_MILLI: Final = 1_000
_CUSTOMER: Final = "customer-0"
_CHROMIUM: Final = Path("/usr/bin/chromium")
_ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_PAGE: Final = """<!doctype html><html lang="en"><title>A shop</title>
<credits-badge token-url="/token">Credits</credits-badge>
<script type="module" src="{api}/embed.js" crossorigin></script></html>"""
_WATCH: Final = """
() => {
  const badge = document.querySelector('credits-badge');
  window.seen = {};
  new MutationObserver(() => {
    seen[badge.balance.version] ??= performance.timeOrigin + performance.now();
  }).observe(badge.shadowRoot, { subtree: true, childList: true, characterData: true });
}
"""
_SEEN: Final = "(version) => window.seen[version]"


@dataclass(slots=True)
class Shop:
    """A page at an origin of its own, and the endpoint that gives it tokens."""

    port: int = 0
    page: str = ""
    token: str = ""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        kind, text = "text/html; charset=utf-8", self.page
        if asked.startswith(b"POST"):
            kind, text = "application/json", self.token
        body = text.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
        writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def shop() -> AsyncGenerator[Shop]:
    """A shop while the block runs."""
    made = Shop()
    async with await asyncio.start_server(made.answer, HOST, 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


@dataclass(slots=True)
class Asker:
    """Calls the server with a key, one call after the other."""

    server: Server
    key: str
    prefix: str
    asked: int = 0

    async def post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """What it answers."""
        body = json.dumps(content).encode()
        self.asked += 1
        reader, writer = await asyncio.open_connection(HOST, self.server.port)
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.key}\r\nIdempotency-Key: {self.prefix}-{self.asked}\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        answer = await reader.read()
        writer.close()
        return json.loads(answer.partition(b"\r\n\r\n")[2])


async def measure(url: str, scale: Scale) -> list[Table]:
    bench = await prepare(url, scale)
    table = Table(
        f"A grant over HTTP, a page in Chromium at another origin, {GRANTS} grants",
        ("until the badge has changed, from", "median ms", "p95 ms", "longest ms",
         f"p95 at most {TARGET_MS:.0f}"),
    )  # fmt: skip
    async with serving.site(url) as site, shop() as beside:
        async with serving.embedded(url, beside.url) as server:
            asker = Asker(server, site.key, serving.prefix())
            wanted = {"customer": _CUSTOMER, "ttl_seconds": 3600}
            beside.token = json.dumps(await asker.post("/api/customer-tokens", wanted))
            beside.page = _PAGE.format(api=f"http://{HOST}:{server.port}")
            answered, asked = await _waits(beside, asker)
        await bench.verify(full=True)
    table.add("the answer of the grant", *_figures(answered))
    table.add("before the grant is asked for", *_figures(asked))
    return [table]


async def _waits(beside: Shop, asker: Asker) -> tuple[list[float], list[float]]:
    """Milliseconds until each grant was seen: from its answer, and from when it was asked for."""
    answered: list[float] = []
    asked: list[float] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_ARGUMENTS))
        page = await browser.new_page()
        async with page.expect_response("**/api/stream"):
            await page.goto(beside.url)
        await page.evaluate(_WATCH)
        for number in range(WARM + GRANTS):
            began = time()
            given = {"customer": _CUSTOMER, "amount": "1", "reason": "bench"}
            done = await asker.post("/api/credits/grant", given)
            at = time()
            seen = await _seen(page, done["balance"]["version"])
            if number >= WARM:
                answered.append(seen - at * _MILLI)
                asked.append(seen - began * _MILLI)
        await browser.close()
    return answered, asked


async def _seen(page: Page, version: int) -> float:
    """When the badge had that version: the same clock, in milliseconds."""
    found = await page.wait_for_function(_SEEN, arg=version, polling=20, timeout=10_000)
    return float(await found.json_value())


def _figures(waits: list[float]) -> tuple[str, ...]:
    p95 = quantiles(waits, n=20)[-1]
    shown = (f"{median(waits):.1f}", f"{p95:.1f}", f"{max(waits):.1f}")
    return (*shown, verdict(p95, TARGET_MS, most=True))
