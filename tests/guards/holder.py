"""A process that takes a lease and writes under its fence, one word from its input at a time."""

import asyncio
import sys
from uuid import uuid4

from comptoir.guards.leases import Held, Leases
from comptoir.kit.errors import ComptoirError
from comptoir.store.pool import Limits, begin, open_pool


async def main(url: str, key: str, ttl: float) -> None:
    """Do as told until the input ends."""
    holder, token = uuid4(), 0
    async with open_pool(url, Limits(pool=2, connect=10)) as pool, Leases(pool, 1) as leases:
        while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
            try:
                if word == "take":
                    token = (await leases.take(key, holder, ttl, wait=20)).token
                    said = f"held {token}"
                else:
                    async with begin(pool) as tx:
                        await Held(key, token, 1).fence(tx)
                        await tx.execute("INSERT INTO written VALUES (%s)", (f"{key} {token}",))
                    said = "written"
            except ComptoirError as error:
                said = error.code
            sys.stdout.write(f"{said}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
