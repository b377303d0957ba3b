"""A worker that is there to be killed: each of its jobs grants a credit, and it says which did."""

import asyncio
import random
import sys

from comptoir import Comptoir, Job, Jobs
from comptoir.jobs.worker import Pace, nobody
from comptoir.library.working import at_work

PACE = Pace(concurrency=8, heartbeat=0.2, stalled=1.0, sweep=0.2, poll=0.1)
jobs = Jobs()


@jobs.handler("pay", attempts=1_000, first_pause=0, longest_pause=0)
async def pay(job: Job, books: Comptoir) -> dict[str, str]:
    """Do something before, and something after, so that a kill meets both."""
    chance = random.Random(str(job.id) + str(job.attempt))
    await asyncio.sleep(chance.uniform(0, 0.01))
    customer = job.payload["customer"]
    made = await books.credits.grant(customer, 1, reason="paid", idempotency_key=job.key())
    sys.stdout.write(f"{job.id}\n")
    sys.stdout.flush()
    await asyncio.sleep(chance.uniform(0, 0.01))
    if chance.random() < 0.05:
        raise OSError("a failure like any other")
    return {"movement": made.movement.id}


async def main(url: str) -> None:
    """Work until killed."""
    async with Comptoir.open(url) as books:
        bound = jobs.bound(books, books.book)
        async with at_work(books.app, bound, PACE, nobody, lambda _: None):
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
