"""Buyers of one size of one product, from a process of their own."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import uvloop

from bench.client import Job, Shop, opened
from bench.measure import Bounds, Run, Workload, keys

PATH: Final = "/api/stock/reservations"
SIZE: Final = "M"
_RESERVED: Final = 201
_REFUSED: Final = 400


@dataclass(frozen=True, slots=True)
class Sale:
    """A run in which everybody wants one unit of the same.

    Attributes:
        port, key: the server, and an API key.
        buyers: how many there are; each asks once.
        connections: how many of them ask at a time.
        seconds: after which nobody begins to ask.
        prefix: begins the idempotency keys.
    """

    port: int
    key: str
    product: str
    buyers: int
    connections: int
    seconds: float
    prefix: str
    path: str = PATH


@dataclass(frozen=True, slots=True)
class Sold:
    """What became of the buyers.

    Attributes:
        reserved, refused: those who were answered so, with their latencies.
        seconds: from the first question to the last answer.
        ids: the reservations.
    """

    reserved: Run
    refused: Run
    seconds: float
    ids: Sequence[str]

    @property
    def everybody(self) -> Run:
        """All of them."""
        latencies = sorted((*self.reserved.latencies, *self.refused.latencies))
        return Run(len(latencies), self.refused.calls, self.seconds, latencies)


def sell(sale: Sale) -> Sold:
    """Let them buy, in this process.

    Raises:
        RuntimeError: somebody was answered anything else but yes or sold out.
    """
    return uvloop.run(_sell(sale))


async def _sell(sale: Sale) -> Sold:
    load = Workload("buyers", sale.connections, ())
    job = Job(sale.port, sale.key, load, Bounds(sale.buyers, sale.seconds), sale.prefix)
    async with opened(job, sale.connections) as shop:
        await _enter(sale, shop)
        return await _let_in(sale, shop)


async def _enter(sale: Sale, shop: Shop) -> None:
    """Ask for something that nobody has, once on every connection, before the clock starts.

    The kernel has taken the connections, the server has not: it takes them one after the other, so
    that the last ones would wait behind whole purchases of the first.
    """
    body = b'{"items":[{"product":"NOTHING","size":"M","quantity":1}],"reference":"enter"}'

    async def enter(number: int) -> None:
        await shop.ask(sale.path, f"{sale.prefix}-enter-{number}", body)

    async with asyncio.TaskGroup() as group:
        for number in range(sale.connections):
            group.create_task(enter(number))


async def _let_in(sale: Sale, shop: Shop) -> Sold:
    key, numbers = keys(sale.prefix), iter(range(sale.buyers))
    latencies: dict[int, list[float]] = {_RESERVED: [], _REFUSED: []}
    ids: list[str] = []
    start = perf_counter()
    end = start + sale.seconds

    async def buyer() -> None:
        for number in numbers:
            began = perf_counter()
            if began > end:
                return
            body = b'{"items":[{"product":"%s","size":"%s","quantity":1}],"reference":"b-%d"}' % (
                sale.product.encode(), SIZE.encode(), number,
            )  # fmt: skip
            status, answer = await shop.ask(sale.path, key(number), body)
            latencies[_outcome(status, answer)].append(perf_counter() - began)
            if status == _RESERVED:
                ids.append(json.loads(answer)["reservation"])

    async with asyncio.TaskGroup() as group:
        for _ in range(sale.connections):
            group.create_task(buyer())
    seconds = perf_counter() - start
    yes, no = sorted(latencies[_RESERVED]), sorted(latencies[_REFUSED])
    return Sold(Run(len(yes), 0, seconds, yes), Run(len(no), len(no), seconds, no), seconds, ids)


def _outcome(status: int, answer: bytes) -> int:
    is_known = status == _RESERVED or (status == _REFUSED and b"insufficient-stock" in answer)
    if not is_known:
        raise RuntimeError(f"unexpected answer: {status} {answer[:300]!r}")
    return status
