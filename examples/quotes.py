"""A FastAPI application that has a need of each kind: the guards, the doors and the jobs together.

    comptoir price set --action ai.generate --amount 5
    comptoir credits grant --customer alice --amount 100 --reason "Welcome"
    uvicorn examples.quotes:app

It does its own jobs; `comptoir worker --jobs examples.quotes:jobs` would do so elsewhere.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import StreamingResponse

from comptoir import Claim, Comptoir, Conflict, Email, Job, Jobs, RateLimit
from comptoir import fastapi as guards
from comptoir.asgi import Credits, Idempotency, RateLimits, charge_of
from comptoir.fastapi import Charge, charge, problems, quota, rate_limit

jobs = Jobs()


@jobs.handler("pdf.render")
async def render(job: Job, books: Comptoir) -> dict[str, str]:
    """Draw a PDF, which is not here, and tell the customer; the name of the letter is the job's."""
    quote = job.payload["quote"]
    letter = Email(
        customer=job.payload["customer"],
        template="document-ready",
        values={"document": quote, "link": f"https://quotes.example/{quote}.pdf"},
        key=job.key(),
    )
    await books.jobs.enqueue_now("email.send", letter.payload(), unique=job.key())
    return {"file": f"{quote}.pdf"}


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Comptoir]]:
    """Open the books once for the whole process, and do jobs beside serving."""
    async with Comptoir.open() as books, books.working(jobs):
        yield {"comptoir": books}  # under this name the doors find them


api = FastAPI(lifespan=lifespan)
problems(api)


def who(authorization: Annotated[str | None, Header()] = None) -> str:
    """Whoever calls; a real application would look at a session."""
    if not authorization:
        raise HTTPException(401)
    return authorization.removeprefix("Bearer ")


Books = Annotated[Comptoir, Depends(guards.books)]
Customer = Annotated[str, Depends(who)]


@api.post("/api/quotes", status_code=201)
async def create_quote(customer: Customer, books: Books) -> dict[str, Any]:
    """A quote, its PDF and what is counted, together; one at a time for each customer."""
    async with books.lock(f"create-quote:{customer}") as tx:
        used = await books.quotas.usage(customer, ["quotes"])
        quote = f"{customer}-{used['quotes'].used + 1}"
        job = await tx.jobs.enqueue(
            "pdf.render", {"quote": quote, "customer": customer}, unique=f"quote:{quote}"
        )
        await tx.guards.count("quotes:created:total", id=quote)
        tx.cache.invalidate(f"user:{customer}")
    return {"quote": quote, "job": str(job)}


@api.get("/api/jobs/{job}")
async def see_job(job: UUID, books: Books, _: Customer) -> dict[str, Any]:
    """How far a PDF is."""
    seen = await books.jobs.get(job)
    return {"status": seen.status, "result": seen.result}


@api.post("/api/ai/quote", dependencies=[rate_limit("ai", 5, 1.0, subject=who)])
async def write_quote(
    customer: Customer,
    using: Annotated[guards.Using, quota("ai-calls", customer=who)],
    paid: Annotated[Charge, charge("ai.generate", customer=who)],
    fails: bool = False,  # noqa: FBT001, FBT002  # a query parameter
) -> dict[str, Any]:
    """Ask a model, within the plan's quota and the customer's credits; failing costs neither."""
    if fails:
        raise HTTPException(502, "the model has failed")
    paid.report("2.5", model="small")
    return {"customer": customer, "limit": using.reserved.limit, "cost": "2.5"}


@api.post("/api/ai/stream")
async def stream_quote(request: Request, _: Customer) -> StreamingResponse:
    """Stream what a model says: `Credits` charges what was reported, also when it is broken off."""
    paid = charge_of(request.scope)

    async def words() -> AsyncGenerator[str]:
        for number in range(1, 6):
            paid.report(number)
            yield f"word{number} "
            await asyncio.sleep(0)

    return StreamingResponse(words(), media_type="text/plain")


@api.post("/api/payments")
async def pay(invoice: str, amount: int, books: Books, _: Customer) -> dict[str, Any]:
    """Charge a card once for an invoice, whatever key the client has sent, or none."""

    async def work(claim: Claim) -> dict[str, Any]:
        return await claim.step("charge", lambda key: _charge_card(key, amount))

    return await books.guards.once(f"payment:{invoice}", work, said={"amount": amount})


async def _charge_card(key: str, amount: int) -> dict[str, Any]:
    """A provider, which is not here: given the same key it charges once."""
    return {"charge": f"ch_{key[:8]}", "amount": amount}


@api.get("/api/profile")
async def profile(customer: Customer, books: Books) -> dict[str, Any]:
    """What is dear to work out is remembered for a minute, or until the next quote."""

    async def work_out() -> dict[str, Any]:
        counted = await books.counters.read("quotes:created:total")
        return {"customer": customer, "quotes": counted["quotes:created:total"]}

    return await books.cache.work_out(f"profile:{customer}", work_out, 60, group=f"user:{customer}")


@api.post("/api/report")
async def report(books: Books, _: Customer) -> dict[str, Any]:
    """Work for long that only one may do; what it writes is refused if it has lost its turn."""
    async with books.lease("report", ttl=30) as held, books.transaction() as tx:
        await held.fence(tx.connection)
        counted = await tx.guards.count("reports", id=f"report-{held.token}")
    if counted is None:
        raise Conflict("operation-in-progress")
    return {"reports": counted}


def payer(scope: Any) -> str:  # noqa: ANN401  # ASGI's
    """Who pays for a streamed answer."""
    shown = dict(scope["headers"]).get(b"authorization", b"")
    return shown.decode().removeprefix("Bearer ")


app = RateLimits(
    Idempotency(
        Credits(api, {"POST /api/ai/stream": "ai.generate"}, customer=payer),
        required=["/api/quotes"],
    ),
    [RateLimit("api", 200, 10)],
    under="/api/",
)
