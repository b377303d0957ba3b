"""A process of buyers who all want the same few things: so many at once, in each round.

Usage: python -m tests.race.stock_buyer URL HOME SEED

For each round that it reads, the name of a product, it prints what its buyers got: the sizes and
quantities of every cart, and whether that was set aside, sold, given back or refused.
"""

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

from comptoir.app import Urls, open_app
from comptoir.config import Settings
from comptoir.domains.stock.model import InsufficientStock, Item
from comptoir.flows import reserving
from comptoir.flows.reserving import Wanted
from comptoir.flows.till import Till

BUYERS = 5
SIZES = ("S", "M", "L", "XL")
LIVE = 1


async def buyer(till: Till, product: str, key: str, dice: random.Random) -> dict[str, Any]:
    """Reserve a random cart of one to four lines, and then sell it, give it back, or go away."""
    sizes = dice.choices(SIZES, k=dice.randint(1, 4))
    items = [Item(product, size, 1) for size in sizes]
    end = dice.random()
    try:
        made = await reserving.reserve(till, LIVE, Wanted(items, key, None, key))
    except InsufficientStock:
        return {"cart": sizes, "became": "refused"}
    if end < 0.5:
        await reserving.commit(till, LIVE, made.id, key)
        return {"cart": sizes, "became": "sold"}
    if end < 0.8:
        await reserving.release(till, LIVE, made.id)
        return {"cart": sizes, "became": "released"}
    return {"cart": sizes, "became": "reserved"}


async def main(url: str, home: str, seed: int) -> None:
    settings = Settings.model_validate({"DATABASE_URL": url, "COMPTOIR_HOME": Path(home)})
    dice = random.Random(seed)
    async with open_app(settings, Urls(url, url)) as app:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while line := await asyncio.to_thread(sys.stdin.readline):
            product = line.strip()
            wishes = (
                buyer(app.till, product, f"{product}-{seed}-{number}", dice)
                for number in range(BUYERS)
            )
            sys.stdout.write(json.dumps(await asyncio.gather(*wishes)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    url, home, seed = sys.argv[1:]
    asyncio.run(main(url, home, int(seed)))
