"""A program that charges a card once for an invoice, and is killed at a named point of it.

Usage: python -m tests.crash.once_caller URL POINT
"""

import asyncio
import os
import signal
import sys
from typing import Any
from uuid import uuid4

import psycopg

from comptoir import Claim, Comptoir
from comptoir.guards.once import Call, Once

POINTS = (
    "before the claim",
    "after the claim",
    "before the provider is asked",
    "after the provider has charged",
    "after the step is kept",
    "after the effect, in its transaction",
    "after the result, in the transaction",
    "after the commit",
)
LEASE = 0.5
LIVE = 1


class Caller:
    """Somebody who pays an invoice."""

    def __init__(self, url: str, point: str, books: Comptoir) -> None:
        self._url = url
        self._point = point
        self._books = books

    def pass_point(self, number: int) -> None:
        if POINTS[number] == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    async def charge(self, key: str) -> dict[str, str]:
        """A provider, who charges once for a key of his client's."""
        self.pass_point(2)
        query = """
INSERT INTO provider (key) VALUES (%s) ON CONFLICT (key) DO UPDATE SET asked = provider.asked + 1"""
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as provider:
            await provider.execute(query, (key,))
        self.pass_point(3)
        return {"charge": key}

    async def pay(self, claim: Claim) -> dict[str, Any]:
        self.pass_point(1)
        charge = await claim.step("charge", self.charge)
        self.pass_point(4)
        result = {"paid": charge["charge"], "attempt": claim.attempt}
        async with self._books.transaction() as tx:
            await tx.connection.execute("INSERT INTO paid (invoice) VALUES (7)")
            await tx.credits.grant("alice", 100, reason="paid", idempotency_key="invoice-7")
            self.pass_point(5)
            await claim.finish(tx.connection, result)
            self.pass_point(6)
        self.pass_point(7)
        return result


async def main(url: str, point: str) -> None:
    async with (
        Comptoir.open(url) as books,
        Once(books.app.pool, LIVE, uuid4, LEASE) as once,
    ):
        caller = Caller(url, point, books)
        caller.pass_point(0)
        result, replayed = await once.run(Call.of(LIVE, "invoice-7"), caller.pay, wait=10)
        sys.stdout.write(f"{result['paid']} {replayed}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
