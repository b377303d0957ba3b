"""Dependencies for FastAPI: charge a route, count it against a quota, limit its rate.

::

    from comptoir.asgi import Books
    from comptoir.fastapi import charge, problems, quota, rate_limit

    app = FastAPI(dependencies=[rate_limit("api", 10, 10)])
    problems(app)
    app.add_middleware(Books)

    @app.post("/ai", dependencies=[quota("ai-calls", customer=who)])
    async def ai(paid: Annotated[Charge, charge("ai.generate", customer=who)]): ...

What a route raises gives everything back that was set aside for it. They end before the answer is
sent, so that whoever has the answer finds his balance changed; for answers that stream, use
`comptoir.asgi.Credits`, or a hold inside of the stream.
"""

from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Any

import fastapi
from fastapi import Depends, Request, Response

from comptoir import Comptoir, RateLimit
from comptoir.kit.errors import ComptoirError
from comptoir.library.around import TTL, Charge, books_of
from comptoir.library.guarding import Using
from comptoir.library.requests import Amount
from comptoir.web.addresses import by_address
from comptoir.web.limits import RateLimited, headers_of
from comptoir.web.refusing import reader_of, refused

__all__ = ["Charge", "Using", "books", "charge", "problems", "quota", "rate_limit"]

Who = Callable[..., Any]
"""A dependency that says which customer it is, by his own id."""


def books(request: Request) -> Comptoir:
    """The books that are open around a request: a dependency itself.

    Raises:
        Misuse: none are: add `comptoir.asgi.Books` as middleware.
    """
    return books_of(request.scope)


def problems(app: fastapi.FastAPI) -> None:
    """Let an application answer refusals as problem documents; without it they are errors 500."""
    app.add_exception_handler(ComptoirError, _answer)


def charge(
    action: str | None = None,
    *,
    customer: Who,
    amount: Amount | None = None,
    ttl: int = TTL,
) -> Any:  # noqa: ANN401  # what FastAPI's Depends says it returns
    """Set credits aside before a route, charge them when it returns, else give them back.

    Args:
        action: of the price book; or `amount`.
        customer: a dependency that says who pays.
        amount: credits.
        ttl: seconds after which they are free again, should the process die.

    Returns:
        A dependency: its value is a `Charge`, by which the route may say what it has really used.
    """

    async def charged(
        request: Request, who: Annotated[str, Depends(customer)]
    ) -> AsyncGenerator[Charge]:
        open_books = books(request)
        holding = open_books.credits.holding(
            who,
            amount,
            action=action,
            ttl_seconds=ttl,
            idempotency_key=f"fastapi:{open_books.app.new_id()}",
            reason=action,
        )
        async with holding:
            charge = Charge(holding)
            yield charge
            charge.take_all()

    return Depends(charged, scope="function")


def quota(metric: str, *, customer: Who, quantity: int = 1) -> Any:  # noqa: ANN401  # as `charge`
    """Take a part of a customer's daily quota for a route, and give it back when it fails.

    Args:
        metric: what is counted, as `ai-calls`.
        customer: a dependency that says who he is.
        quantity: how much of it.

    Returns:
        A dependency: set its value's `used` to what was really used.
    """

    async def reserved(
        request: Request, who: Annotated[str, Depends(customer)]
    ) -> AsyncGenerator[Using]:
        async with books(request).quotas.reserve(who, metric, quantity) as using:
            yield using

    return Depends(reserved, scope="function")


def rate_limit(
    name: str,
    limit: int,
    window: float,
    *,
    subject: Who | None = None,
    trusted_proxies: str = "",
    **more: Any,  # noqa: ANN401  # those of RateLimit
) -> Any:  # noqa: ANN401  # as `charge`
    """Let so many requests through in any so many seconds; the rest is told when to come back.

    Args:
        name: of the policy, in the headers.
        limit: how many.
        window: seconds.
        subject: a dependency that says whose request it is; by default the client's address.
        trusted_proxies: as `comptoir.asgi.client_address`.
        more: `store` and `when_down`, as of `comptoir.RateLimit`.
    """
    policy = RateLimit(name, limit, window, **more)
    address = by_address(trusted_proxies)

    def from_where(request: Request) -> str:
        return address(request.scope)

    async def limited(
        request: Request, response: Response, whose: Annotated[str, Depends(subject or from_where)]
    ) -> None:
        open_books = books(request)
        decision = await open_books.limits.hit(whose, policy)
        headers = headers_of(decision.verdicts, open_books.app.clock())
        if not decision.allowed:
            raise RateLimited(decision.verdicts[0], headers)
        for key, value in headers:
            response.headers[key.decode()] = value.decode()

    return Depends(limited)


async def _answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, ComptoirError), "it is registered for these"
    app = books(request).app
    reply = refused(reader_of(request.scope, app.settings.locale, app.clock()), error)
    response = Response(reply.body, reply.status, media_type=reply.kind.decode())
    extra = error.headers if isinstance(error, RateLimited) else ()
    for key, value in (*reply.headers, *extra):
        response.headers[key.decode()] = value.decode()
    return response
