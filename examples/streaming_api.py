"""A FastAPI application that sells streamed answers for credits.

    comptoir credits grant --customer alice --amount 100 --reason "Welcome"
    uvicorn examples.streaming_api:api

Whatever becomes of a stream - it ends, fails, or its client goes away - the customer pays for the
words that were made, once, and the rest of what was set aside is given back.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import StreamingResponse

from comptoir import Comptoir, Insufficient

LONGEST = 50
"""Words of the longest answer: what is set aside before the model is asked."""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Comptoir]]:
    """Open the books once for the whole process."""
    async with Comptoir.open() as books:
        yield {"books": books}


api = FastAPI(lifespan=lifespan)


def opened(request: Request) -> Comptoir:
    """The books that the application has opened."""
    return request.state.books


Books = Annotated[Comptoir, Depends(opened)]


@api.get("/balance/{customer}")
async def balance(customer: str, books: Books) -> dict[str, Any]:
    """What a customer has left."""
    found = await books.credits.balance(customer)
    return {"available": str(found.available), "low": found.low}


@api.post("/answers")
async def answer(
    customer: str, words: int, books: Books, idempotency_key: Annotated[str, Header()]
) -> StreamingResponse:
    """Stream an answer; one word costs one credit."""
    stream = answers(books, customer, words, idempotency_key)
    try:
        first = await anext(stream)  # so that a refusal is a 402, not a broken stream
    except Insufficient as refused:
        raise HTTPException(402, str(refused)) from None
    return StreamingResponse(rest(first, stream), media_type="text/plain")


async def answers(books: Comptoir, customer: str, words: int, key: str) -> AsyncGenerator[str]:
    """The words of an answer, with a hold around the work."""
    holding = books.credits.holding(
        customer, LONGEST, ttl_seconds=600, idempotency_key=key, reason="Streamed answer"
    )
    async with holding as hold:
        made = 0
        async for word in pretend_model(words):
            made += 1
            hold.report(made, model="pretend-1")
            yield word


async def rest(first: str, stream: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """A word that was taken out already, and those after it."""
    yield first
    async for word in stream:
        yield word


async def pretend_model(words: int) -> AsyncGenerator[str]:
    """What stands here for a provider: one word every few milliseconds."""
    for number in range(min(words, LONGEST)):
        await asyncio.sleep(0.005)
        yield f"word{number} "
