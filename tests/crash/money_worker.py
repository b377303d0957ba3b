"""Receives its share of signed events and works on whatever is due, until it is killed or done.

It says how far it has come: so many of its events were answered.
"""

import asyncio
import os
import sys
import time
from itertools import islice
from pathlib import Path

from comptoir.app import App, Urls, open_app
from comptoir.config import Settings
from comptoir.domains.payments import signature
from comptoir.flows.inbox_work import Clerk
from tests.support.sandbox import KEY

SECRET = "whsec_test"
TOGETHER = 16


async def receive(app: App, bodies: list[bytes], start: int) -> None:
    now = int(time.time())
    for number in range(start, len(bodies), TOGETHER):
        async with asyncio.TaskGroup() as group:
            for body in islice(bodies, number, number + TOGETHER):
                group.create_task(app.desk.receive(body, signature.sign(body, SECRET, now), now))
        os.write(1, f"{min(number + TOGETHER, len(bodies))}\n".encode())


async def main(url: str, base: str, redis: str, deliveries: Path, start: int) -> None:
    bodies = await asyncio.to_thread(lambda: deliveries.read_bytes().splitlines())
    settings = Settings.model_validate(
        {
            "DATABASE_URL": url, "COMPTOIR_HOME": deliveries.parent, "STRIPE_SECRET_KEY": KEY,
            "STRIPE_API_BASE": base, "STRIPE_WEBHOOK_SECRET": SECRET, "REDIS_URL": redis,
        }
    )  # fmt: skip
    async with open_app(settings, Urls(url, url)) as app:
        clerk = Clerk(app.till)
        working = asyncio.create_task(clerk.work())
        await receive(app, bodies, start)
        working.cancel()
        await asyncio.wait([working])
        await clerk.work_off()


if __name__ == "__main__":
    url, base, redis, deliveries, start = sys.argv[1:]
    asyncio.run(main(url, base, redis, Path(deliveries), int(start)))
