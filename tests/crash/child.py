"""Spends through the library door until it is killed, and says what it was told, line by line."""

import asyncio
import os
import sys
from itertools import count

from comptoir.store.pool import Limits
from tests.support.batches import shop_of
from tests.support.postgres import Database

CALLERS = 64
ACCOUNTS = 5


async def main(url: str, book: int, prefix: str) -> None:
    async with shop_of(Database("", url, ""), book) as shop:
        accounts = [await shop.account(f"c{n}") for n in range(ACCOUNTS)]
        async with shop.batch(Limits()) as batch, asyncio.TaskGroup() as group:

            async def call(caller: int) -> None:
                for n in count():
                    key = f"{prefix}-{caller}-{n}"
                    [answer] = await batch.submit(shop.spend(key, accounts[caller % ACCOUNTS]))
                    assert answer.line is not None
                    # One write, so that a line is there as a whole or not at all.
                    os.write(1, f"{key} {answer.line.version}\n".encode())

            for caller in range(CALLERS):
                group.create_task(call(caller))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
